//! Events: facts with their stamp, and the words they are made of (verdict, remedy, outcome, breaker).
//!
//! Each fact has a kind number and a kind version that never change once released; the body is postcard. A reader
//! that does not know a kind keeps the frame as it is (see [`crate::frame`]). Numbers carry their unit in the name
//! or the doc; nothing here is a float. It decides nothing: the agent's core makes events, the collector's reads them.

mod baseline;
mod check;
mod exit;
mod order;
mod remedy;
mod shadow;
mod will;

pub use baseline::{Change, ChangeKind, Ended, Gone, LOST_MAX, Lost, Returned, ThingKind, Vanished};
pub use check::{CAUSE_MAX, Cause, CheckKind, Verdict, VerdictChanged};
pub use exit::{Exit, Ruling};
pub use order::{OrderSaid, Ordered, PARTS_MAX, Refusal};
pub use remedy::{Because, Breaker, BreakerMoved, Outcome, Remedy, RemedyBegun, RemedyEnded, Trigger};
pub use shadow::{Shadow, ShadowStep};
pub use will::{Blind, BlindSource, HoldChanged, Intent, IntentChanged, Witness};

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
    /// 13: things that should be there are gone.
    Vanished(Vanished),
    /// 14: what was gone is back, or was accepted.
    Returned(Returned),
    /// 15: what would have been done about a service that is only observed.
    Shadow(Shadow),
    /// 16: what came of an order.
    Ordered(Ordered),
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

/// A service's process is gone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exited {
    /// Which service.
    pub service: Name,
    /// Its process id; 0 if it never had one.
    pub pid: u32,
    /// How it ended.
    pub exit: Exit,
    /// How long it had run; 0 where that is not known, since the agent found it running.
    pub ran: Span,
    /// Whether the agent itself had asked it to stop.
    pub asked: bool,
}

/// What a service left behind when it failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// Which service.
    pub service: Name,
    /// The process that left it; 0 where none began, and these are the init system's words.
    pub pid: u32,
    /// The last line that it printed, or of a unit the last few.
    pub last_line: Text,
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
            Self::Vanished(_) => 13,
            Self::Returned(_) => 14,
            Self::Shadow(_) => 15,
            Self::Ordered(_) => 16,
        }
    }

    /// The version of its kind that it is written in: the lowest that can say it, so that an older reader knows what
    /// it can know. Of [`Exit`] version 1 knows what a wait status tells, version 2 the init system's word; of checks
    /// version 1 knows the first seven kinds and what can be wrong with them. Version 3 knows remedies beyond a restart,
    /// version 4 of kind 8 a host that is starved, its version 5 why what was stopped was given up; version 6 of all that hold a cause what will be full,
    /// version 7 what is unusual.
    pub fn version(&self) -> u8 {
        match self {
            Self::Verdict(fact) => fact.version(),
            Self::Exited(fact) => fact.exit.version(),
            Self::Remedy(fact) => fact.version(),
            Self::Outcome(fact) => fact.version(),
            Self::Breaker(fact) => fact.version(),
            Self::Began(_)
            | Self::Gap(_)
            | Self::Started(_)
            | Self::Evidence(_)
            | Self::Intent(_)
            | Self::Blind(_)
            | Self::Hold(_)
            | Self::Vanished(_)
            | Self::Returned(_)
            | Self::Shadow(_)
            | Self::Ordered(_) => 1,
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
            Self::Vanished(fact) => fact.service.as_ref(),
            Self::Returned(fact) => fact.service.as_ref(),
            Self::Shadow(fact) => Some(&fact.service),
            Self::Ordered(fact) => Some(&fact.service),
        }
    }
}
