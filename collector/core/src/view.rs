//! Views: answers to questions, as plain values. A page has at most 500 items, so none holds the core for 1 ms.

pub(crate) mod answer;
mod clock;
mod detail;
pub(crate) mod finding;
mod summary;
pub(crate) mod watch;

pub use clock::HostClock;
pub use detail::{Detail, Entry, Incident};
pub use summary::Summary;

use crate::Token;
use crate::incident::{Change, IncidentId};
use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use picket_proto::event::{CheckKind, Intent, Verdict};
use picket_proto::{HostId, Name, Sample, Span, Wall};

/// A question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// Where to answer.
    pub reply: Token,
    /// What is asked.
    pub question: Question,
}

/// What can be asked. `after` continues behind the last item of the page before; `limit` is 1 to 500.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Question {
    /// Hosts by name.
    Hosts {
        /// Behind this one.
        after: Option<Box<HostId>>,
        /// Most items.
        limit: u16,
    },
    /// Services by host and name; checks without a service stand under an empty name.
    Services {
        /// Only this host.
        host: Option<Box<HostId>>,
        /// Behind this one.
        after: Option<Box<(HostId, Option<Name>)>>,
        /// Most items.
        limit: u16,
    },
    /// Incidents, newest first.
    Incidents {
        /// Only those that are not resolved.
        open_only: bool,
        /// Only this host.
        host: Option<Box<HostId>>,
        /// Older than this one.
        before: Option<IncidentId>,
        /// Most items.
        limit: u16,
    },
    /// One incident with timeline and finding.
    Incident(IncidentId),
    /// How the collector stands, in numbers.
    Summary,
}

/// An answer, once everything it shows is durable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// Where to answer.
    pub reply: Token,
    /// What.
    pub answer: Answer,
}

/// The answer to a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// A page of hosts, and whether more follow.
    Hosts(Vec<Host>, More),
    /// A page of services, and whether more follow.
    Services(Vec<Service>, More),
    /// A page of incidents, and whether more follow.
    Incidents(Vec<Incident>, More),
    /// One incident; `None` if there is none.
    Incident(Option<Box<Detail>>),
    /// How the collector stands.
    Summary(Box<Summary>),
}

/// Whether a page is the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum More {
    /// More items follow.
    Yes,
    /// This was all.
    No,
}

/// Where a host stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HostState {
    /// It has a session and is heard.
    Connected,
    /// No session, not yet silent.
    Away,
    /// Not heard for 2.5 of its heartbeats.
    Silent,
    /// Its agent said goodbye.
    Stopped,
    /// Two live sessions with one certificate.
    Quarantined,
    /// Enrolled, never seen.
    Expected,
    /// Its agent was removed.
    Retired,
}

/// A host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Host {
    /// Its id.
    pub host: HostId,
    /// Where it stands.
    pub state: HostState,
    /// When it was last heard, by the collector's clock; `None` if never by this collector process or in the journal.
    pub last_heard: Option<Wall>,
    /// Its agent's version.
    pub version: String,
    /// How often it is heard while all is well.
    pub report: Span,
    /// Checks that its agent watches.
    pub checks: u32,
    /// Of these, not up, or not known to be.
    pub not_up: u32,
    /// Frames journaled.
    pub frames: u64,
    /// Frames named as lost.
    pub lost: u64,
    /// Frames of a kind that is not known yet.
    pub unknown: u64,
    /// How often its agent held other checks for up than the collector did when a session began.
    pub differences: u64,
    /// What its last heartbeat saw of it; `None` if none came to this collector process.
    pub sample: Option<Sample>,
    /// How its clocks lie to the collector's; `None` likewise.
    pub clock: Option<HostClock>,
    /// Hosts with a session whose machine-id is this one's too, 8 at most: copies of one image.
    pub same_machine: Vec<HostId>,
}

/// A service, or under no name the checks that belong to none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Service {
    /// Its host.
    pub host: HostId,
    /// Its name.
    pub service: Option<Name>,
    /// The worst verdict of its checks.
    pub verdict: Verdict,
    /// Its checks.
    pub checks: Vec<Check>,
    /// Remedies begun.
    pub remedies: u64,
    /// Why remedies rest, in words; empty while they don't.
    pub not_healed: String,
    /// Its process, 0 if none is known.
    pub pid: u32,
    /// What should be of it.
    pub intent: Intent,
}

/// A check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// Its name.
    pub check: Name,
    /// What it watches.
    pub kind: CheckKind,
    /// What its history says; unknown while its host is silent, stopped, quarantined or not heard since the
    /// collector's restart.
    pub verdict: Verdict,
    /// Since when, by the host's clock; since when its host is not heard, by the collector's.
    pub since: Option<Wall>,
    /// Why, in words; empty if up.
    pub cause: String,
}

/// A watcher's number, given by the shell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WatcherId(pub u64);

/// Watchers come, go and read. At most 256 at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Watch {
    /// A new watcher.
    Come {
        /// Its number.
        watcher: WatcherId,
        /// Continue behind this change; `None`: from now on.
        after: Option<u64>,
    },
    /// It has read this many; frees their place. At most 256 changes wait for one watcher.
    Read {
        /// Its number.
        watcher: WatcherId,
        /// How many.
        changes: u16,
    },
    /// It is gone.
    Gone {
        /// Its number.
        watcher: WatcherId,
    },
}

/// Something for a watcher.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Push {
    /// A change, once it is durable.
    Change {
        /// To whom.
        watcher: WatcherId,
        /// What.
        change: Box<Change>,
    },
    /// The end: too slow, or the token is too old.
    Cut {
        /// Whom.
        watcher: WatcherId,
        /// The stable code of the reason.
        code: &'static str,
    },
}
