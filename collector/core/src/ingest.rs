//! Sessions and what arrives on them: who is really there, what is new, what is lost.

pub(crate) mod batch;
mod contest;
pub(crate) mod dedupe;
pub(crate) mod heard;
pub(crate) mod machines;
pub(crate) mod on;
pub(crate) mod phase;
pub(crate) mod sessions;
pub(crate) mod taken;
pub(crate) mod terms;

use alloc::string::String;
use alloc::vec::Vec;
use picket_proto::event::{Cause, CheckKind, Verdict};
use picket_proto::{HostId, Name, Offset, Ranges, Run, Sample, Span, Stamp, Text};
use serde::{Deserialize, Serialize};

pub use terms::Terms;

/// A session's number, given by the shell, never used twice in one process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SessionId(pub u64);

/// Which lane a batch came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Lane {
    /// What happened since the session opened.
    Live,
    /// What waited in the spool: explains and corrects, never pages.
    Backlog,
}

/// An agent's first message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// The agent's clocks as it sent it; names its run and boot.
    pub stamp: Stamp,
    /// Its version; at most 160 bytes.
    pub version: String,
    /// What it watches; at most 4,096.
    pub watched: Vec<Watched>,
}

/// One check of an agent's configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Watched {
    /// Its name.
    pub check: Name,
    /// What it watches.
    pub kind: CheckKind,
    /// The service it belongs to.
    pub service: Option<Name>,
}

/// A check that is not up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// Its name.
    pub check: Name,
    /// What it watches.
    pub kind: CheckKind,
    /// The service it belongs to.
    pub service: Option<Name>,
    /// What it is.
    pub verdict: Verdict,
    /// Since when, by the host's clocks.
    pub since: Stamp,
}

/// A check that is not up, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stands {
    /// The check.
    pub standing: Standing,
    /// Why, where that is known. An unknown check without it was not looked at yet, or rests; one with it can't be
    /// looked at.
    pub cause: Option<Cause>,
    /// What its probe said with it.
    pub said: Text,
}

impl From<Standing> for Stands {
    /// As an older agent tells it.
    fn from(standing: Standing) -> Self {
        Self { standing, cause: None, said: Text::default() }
    }
}

/// How a session ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Close {
    /// The peer closed it.
    Ended,
    /// The transport failed or timed out.
    Broken,
}

/// A host that was heard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heard {
    /// Whose certificate it was.
    pub host: HostId,
    /// What its last heartbeat said, if one came.
    pub report: Option<Report>,
}

/// What a heartbeat says. Live state: only the offset may become a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Report {
    /// The host's clocks as it was sent.
    pub stamp: Stamp,
    /// When it came, by this process' Mono.
    pub received: picket_proto::Mono,
    /// The same by this machine's wall clock.
    pub received_wall: picket_proto::Wall,
    /// A look at the host.
    pub sample: Option<Sample>,
    /// How far this process' Mono is ahead of the host's, where that is news.
    pub offset: Option<Offset>,
}

/// Something happened on a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fact {
    /// The first message came; the host is the certificate's. Boxed: it is the one large fact.
    Opened {
        /// The new session.
        session: SessionId,
        /// Whose certificate it shows.
        host: HostId,
        /// What it said.
        hello: alloc::boxed::Box<Hello>,
        /// What it asks of the session.
        terms: Terms,
    },
    /// Frames came.
    Batch {
        /// On which session.
        session: SessionId,
        /// In which lane.
        lane: Lane,
        /// Whole frames in a row; at most 64 KiB.
        frames: Vec<u8>,
    },
    /// Checks that are not up.
    Standing {
        /// On which session.
        session: SessionId,
        /// Which; at most 500 at once.
        checks: Vec<Stands>,
    },
    /// All that stands was said.
    StandingEnd {
        /// On which session.
        session: SessionId,
        /// How many checks are up.
        up: u32,
        /// crc32c over the names of those that are up.
        digest: u32,
    },
    /// The answer to a challenge.
    Answered {
        /// On which session.
        session: SessionId,
        /// The challenge's nonce.
        nonce: u64,
    },
    /// The agent ends as planned.
    Goodbye {
        /// On which session.
        session: SessionId,
    },
    /// The agent ends, and is removed from its host.
    Removed {
        /// On which session.
        session: SessionId,
    },
    /// The session is gone.
    Closed {
        /// Which.
        session: SessionId,
        /// How.
        how: Close,
    },
}

/// Something to say on a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Order {
    /// The Hello is taken.
    Welcome {
        /// To whom.
        session: SessionId,
        /// How often to report.
        heartbeat: Span,
        /// What is journaled of its run.
        known: alloc::boxed::Box<Ranges>,
        /// The digest of what is listed as watched.
        watched: u32,
    },
    /// These frames are journaled; the latest ack of a run replaces those before it.
    Ack {
        /// To whom.
        session: SessionId,
        /// Of which run.
        run: Run,
        /// Which frames.
        ranges: alloc::boxed::Box<Ranges>,
    },
    /// Who is really there?
    Challenge {
        /// To whom.
        session: SessionId,
        /// To be answered with.
        nonce: u64,
    },
    /// An operator wants to read what this service printed last.
    Ask {
        /// Of whom.
        session: SessionId,
        /// The order's number.
        token: u64,
        /// Which service.
        evidence_of: alloc::boxed::Box<Name>,
    },
    /// End the session with a status.
    Refuse {
        /// Which.
        session: SessionId,
        /// The stable code of the reason.
        code: &'static str,
    },
}
