//! Events: facts with their stamp, and the words they are made of (verdict, remedy, outcome, breaker).
//!
//! Each fact has a kind number and a kind version that never change once released; the body is postcard. A reader
//! that does not know a kind keeps the frame as it is (see [`crate::frame`]). Numbers carry their unit in the name
//! or the doc; nothing here is a float. It decides nothing: the agent's core makes events, the collector's reads them.

use crate::id::{BootId, Name, Run, Seq};
use crate::ranges::SeqRange;
use crate::text::Text;
use crate::time::{Span, Stamp};
use serde::{Deserialize, Serialize};

/// A fact with its stamp.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// When, by the clocks of the host that saw it.
    pub stamp: Stamp,
    /// What.
    pub fact: Fact,
}

/// Everything that an agent can tell. The number in each doc is the frame's kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Fact {
    /// 1: the first frame of every run.
    Began(Began),
    /// 2: a range of frames was lost, here or before.
    Gap(Gap),
    /// 3: a check's verdict changed.
    Verdict(VerdictChanged),
    /// 4: a service's process runs: started, or found running and adopted.
    Started(Started),
    /// 5: a service's process is gone.
    Exited(Exited),
    /// 6: a remedy begins.
    Remedy(RemedyBegun),
    /// 7: how a remedy ended.
    Outcome(RemedyEnded),
    /// 8: a service's breaker moved.
    Breaker(BreakerMoved),
    /// 9: what the service left behind when it failed.
    Evidence(Evidence),
    /// 10: what should be of a service changed: run, or be left alone.
    Intent(IntentChanged),
    /// 11: the agent saw nothing of one kind for a while, and sees again.
    Blind(Blind),
    /// 12: remedies are held back, or allowed again.
    Hold(HoldChanged),
}

/// The first frame of a run: what came before, so that an unsent tail becomes a named gap.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Began {
    /// The boot that this run lives in.
    pub boot: BootId,
    /// The run before this one and its last durable frame, where the agent still knows them.
    pub previous: Option<(Run, Seq)>,
    /// The agent's version.
    pub version: Text,
    /// How many checks its configuration names.
    pub checks: u16,
    /// How many services its configuration names.
    pub services: u16,
}

/// Frames that will never come. The gap closes the range it names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gap {
    /// The run that lost them: this one, or one before it.
    pub run: Run,
    /// Which numbers.
    pub range: SeqRange,
    /// Why.
    pub reason: GapReason,
}

/// Why frames were lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum GapReason {
    /// The spool was full and these were the least important.
    SpoolFull,
    /// The agent ended before they were sent or made durable.
    AgentEnded,
    /// They could not be read back.
    Damaged,
    /// The collector has other content under these numbers: a clone of the run or a restored snapshot.
    Conflict,
    /// The collector was restored from an older backup.
    RestoredFromBackup,
}

/// What a check's history says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Verdict {
    /// Not enough readings yet, or none can be had.
    Unknown,
    /// It passes.
    Up,
    /// It passes with a complaint: a level near its limit.
    Degraded,
    /// It changes too often to say.
    Flapping,
    /// It fails.
    Down,
}

/// What is watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum CheckKind {
    /// A service's own process is alive and not frozen.
    Process,
    /// A TCP port answers, where configured with the expected bytes.
    Tcp,
    /// An HTTP request gets the expected status.
    Http,
    /// CPU in use over the check's interval; per mille of all cores.
    Cpu,
    /// Memory in use: 1 - MemAvailable/MemTotal; per mille.
    Memory,
    /// One-minute load average; hundredths per core.
    Load,
    /// Space in use on one mount, as an unprivileged writer sees it; per mille.
    Space,
}

/// Why a reading is not good. Levels are in the check kind's unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Cause {
    /// The connection was refused: nothing listens.
    Refused,
    /// No answer in time.
    TimedOut,
    /// The host or network cannot be reached.
    Unreachable,
    /// The peer closed or reset the connection before the answer was whole.
    Closed,
    /// An answer came, but not the expected one.
    Mismatch,
    /// The HTTP status that came instead of the expected one.
    Status(u16),
    /// The name does not resolve.
    Unresolved,
    /// TLS failed.
    Tls,
    /// There is no process.
    NoProcess,
    /// The process is stopped by a signal or a tracer (state T or t).
    Frozen,
    /// The level is at or above its limit.
    Above {
        /// The level read.
        level: u32,
        /// The limit it was held against.
        limit: u32,
    },
    /// The mount does not answer; a thread still waits for it.
    Stuck,
    /// The probe itself failed with this errno; the thing watched is unknown.
    Local(i32),
}

/// A check's verdict changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VerdictChanged {
    /// Which check.
    pub check: Name,
    /// What it watches.
    pub kind: CheckKind,
    /// The service it belongs to, if any.
    pub service: Option<Name>,
    /// The verdict before.
    pub from: Verdict,
    /// The verdict now.
    pub to: Verdict,
    /// Why, unless the verdict is up.
    pub cause: Option<Cause>,
    /// How long the first of the readings that decided it came before this event.
    pub after: Span,
}

/// A service's process runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Started {
    /// Which service.
    pub service: Name,
    /// Its process id.
    pub pid: u32,
    /// True where an agent found the process of an earlier run alive and took it over.
    pub adopted: bool,
}

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Exit {
    /// It exited with this status.
    Code(i32),
    /// This signal ended it.
    Signal(i32),
    /// It could not be started: this errno.
    NotStarted(i32),
    /// It is gone; its status went to another parent.
    Unknown,
}

/// A service's process is gone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exited {
    /// Which service.
    pub service: Name,
    /// Its process id; 0 if it never had one.
    pub pid: u32,
    /// How it ended.
    pub exit: Exit,
    /// How long it had run.
    pub ran: Span,
    /// Whether the agent itself had asked it to stop.
    pub asked: bool,
}

/// What the agent does about a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Remedy {
    /// Stop what is left of the service and start it.
    Restart,
}

/// Why a remedy is due.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Trigger {
    /// The process ended.
    Exit(Exit),
    /// This check is down.
    Check {
        /// Its name.
        check: Name,
        /// Why it is down.
        cause: Cause,
    },
}

/// A remedy begins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RemedyBegun {
    /// Which service.
    pub service: Name,
    /// What is done.
    pub remedy: Remedy,
    /// The how-manieth remedy of this streak, from 1; a streak ends when one holds.
    pub attempt: u16,
    /// Why.
    pub trigger: Trigger,
    /// How long after the failure was seen it begins: backoff, jitter, evidence.
    pub delay: Span,
}

/// How a remedy ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RemedyEnded {
    /// Which service.
    pub service: Name,
    /// What was done.
    pub remedy: Remedy,
    /// The how-manieth remedy of this streak.
    pub attempt: u16,
    /// What came of it.
    pub outcome: Outcome,
    /// From the failure that was seen to this outcome.
    pub took: Span,
}

/// What came of a remedy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outcome {
    /// The check that had failed passed again, with all others of the service, and they held.
    Held {
        /// The check that had failed.
        check: Name,
        /// From the failure to its first pass.
        back_after: Span,
        /// For how long everything held before it was believed.
        held_for: Span,
    },
    /// The process ended before everything had held.
    Died(Exit),
    /// This check did not pass in time.
    StillFailing {
        /// Its name.
        check: Name,
        /// Why it fails.
        cause: Cause,
    },
}

/// A service's breaker moved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BreakerMoved {
    /// Which service.
    pub service: Name,
    /// Where it stands now.
    pub to: Breaker,
}

/// The breaker that keeps remedies from looping.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Breaker {
    /// Not healed: remedies rest until one more is tried.
    Open {
        /// Why remedies rest.
        because: Because,
        /// Remedies tried in this streak.
        attempts: u16,
        /// How the last one ended.
        last: Trigger,
        /// When the next single try comes.
        retry_in: Span,
    },
    /// One remedy is tried to see whether the cause is gone.
    HalfOpen,
    /// A remedy held: remedies are allowed again.
    Closed,
}

/// Why remedies rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Because {
    /// It failed this many times in the same way without once being up for 1 s.
    SameDeath(u16),
    /// As many remedies as the budget allows were used up in its window.
    Budget {
        /// Remedies allowed.
        allowed: u16,
        /// In how long.
        window: Span,
    },
}

/// What a service left behind when it failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// Which service.
    pub service: Name,
    /// The process that left it.
    pub pid: u32,
    /// The last line that it printed.
    pub last_line: Text,
}

/// What should be of a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Intent {
    /// It should run.
    Run,
    /// Somebody stopped it: it should not, until somebody starts it.
    Stopped,
    /// It is masked: it can't run.
    Masked,
    /// It does not run, and nobody here saw why: it is told and left alone.
    Unknown,
}

/// How a change of intent was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Witness {
    /// A job of the init system's that was not the agent's.
    Job,
    /// Found so: at the agent's start, or after it saw nothing for a while.
    State,
}

/// What should be of a service changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IntentChanged {
    /// Which service.
    pub service: Name,
    /// What should be before.
    pub from: Intent,
    /// What should be now.
    pub to: Intent,
    /// How that was seen.
    pub witness: Witness,
}

/// What the agent can be blind on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum BlindSource {
    /// systemd over D-Bus: units and jobs.
    Systemd,
}

/// The agent saw nothing of one kind for a while.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Blind {
    /// Of what.
    pub source: BlindSource,
    /// For how long; zero where nothing was known to be missing and a look found differences all the same.
    pub lasted: Span,
    /// How many things stood otherwise than before.
    pub differences: u16,
}

/// Remedies are held back, or allowed again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HoldChanged {
    /// Of this service; of all, where none is named.
    pub service: Option<Name>,
    /// For how long from now on; allowed again where there is none.
    pub lasts: Option<Span>,
    /// By whom.
    pub by: Text,
}

impl Fact {
    /// The frame's kind number: never reused, never changed.
    pub const fn kind(&self) -> u16 {
        match self {
            Self::Began(_) => 1,
            Self::Gap(_) => 2,
            Self::Verdict(_) => 3,
            Self::Started(_) => 4,
            Self::Exited(_) => 5,
            Self::Remedy(_) => 6,
            Self::Outcome(_) => 7,
            Self::Breaker(_) => 8,
            Self::Evidence(_) => 9,
            Self::Intent(_) => 10,
            Self::Blind(_) => 11,
            Self::Hold(_) => 12,
        }
    }

    /// The service that the fact is about.
    pub const fn service(&self) -> Option<&Name> {
        match self {
            Self::Began(_) | Self::Gap(_) | Self::Blind(_) => None,
            Self::Verdict(fact) => fact.service.as_ref(),
            Self::Started(fact) => Some(&fact.service),
            Self::Exited(fact) => Some(&fact.service),
            Self::Remedy(fact) => Some(&fact.service),
            Self::Outcome(fact) => Some(&fact.service),
            Self::Breaker(fact) => Some(&fact.service),
            Self::Evidence(fact) => Some(&fact.service),
            Self::Intent(fact) => Some(&fact.service),
            Self::Hold(fact) => fact.service.as_ref(),
        }
    }
}
