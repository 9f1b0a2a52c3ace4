//! The words of the journal: everything that changes durable state, and nothing else.
//!
//! Serialised with postcard; variants are only ever added at the end, and a variant's fields never change, so that an
//! old journal replays. Heartbeats and queries are not here.

use crate::identity::{KeyHash, SecretHash};
use crate::incident::{IncidentId, Verb};
use crate::ingest::{Close, Hello, Lane, Standing, Stands};
use alloc::vec::Vec;
use picket_proto::{BootId, HostId, Name, Offset, Run, SeqRange, Span};
use serde::{Deserialize, Serialize};

/// One thing that happened to the durable state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Record {
    /// A collector process began on this journal.
    Resumed {
        /// The machine's boot.
        boot: BootId,
    },
    /// An operator made a one-time token.
    Minted {
        /// Who.
        operator: Name,
        /// For which host.
        host: HostId,
        /// Of the token's secret.
        hash: SecretHash,
    },
    /// A host used its token.
    Enrolled {
        /// Which host.
        host: HostId,
        /// Which token.
        hash: SecretHash,
        /// For which key.
        key: KeyHash,
    },
    /// An agent opened a session.
    Opened {
        /// Which host.
        host: HostId,
        /// What it said.
        hello: Hello,
    },
    /// Frames that are new: whole, sound, of one run, not seen before.
    Frames {
        /// From which host.
        host: HostId,
        /// Of which run.
        run: Run,
        /// In which lane.
        lane: Lane,
        /// The lowest and the highest number in it.
        span: SeqRange,
        /// The frames in a row.
        frames: Vec<u8>,
    },
    /// Numbers that came again with other content: closed as a gap, never taken as a repeat.
    Conflict {
        /// From which host.
        host: HostId,
        /// Of which run.
        run: Run,
        /// Which numbers.
        range: SeqRange,
    },
    /// Checks that are not up, as older journals have them; today's is [`Record::Stands`].
    Standing {
        /// On which host.
        host: HostId,
        /// Which.
        checks: Vec<Standing>,
    },
    /// All that stands was said: every other check is up.
    StandingEnd {
        /// On which host.
        host: HostId,
        /// How many are up.
        up: u32,
        /// crc32c over their names.
        digest: u32,
    },
    /// An agent ended as planned.
    Goodbye {
        /// On which host.
        host: HostId,
    },
    /// A session ended.
    Closed {
        /// Of which host.
        host: HostId,
        /// How.
        how: Close,
    },
    /// These hosts were not heard for their time.
    Silent {
        /// Which.
        hosts: Vec<HostId>,
    },
    /// Two live sessions showed this host's certificate.
    Duplicate {
        /// Which host.
        host: HostId,
    },
    /// An operator changed an incident.
    Commanded {
        /// Who.
        operator: Name,
        /// Which.
        incident: IncidentId,
        /// What.
        verb: Verb,
    },
    /// A deadline of durable state was due (hold, overstay).
    Tick,
    /// These hosts were silent and are heard again.
    Back {
        /// Which.
        hosts: Vec<HostId>,
    },
    /// Stands in the place of frames that were journaled and cannot be read back: closed as a gap.
    Damaged {
        /// From which host they were.
        host: HostId,
        /// Of which run.
        run: Run,
        /// Which numbers.
        range: SeqRange,
    },
    /// How a host's clock of one boot lies to the journal's, measured, where it had moved beyond what was known.
    Offset {
        /// Which host.
        host: HostId,
        /// Of which boot.
        boot: BootId,
        /// How far the journal's Mono is ahead of the host's.
        offset: Offset,
    },
    /// Checks that are not up, and why.
    Stands {
        /// On which host.
        host: HostId,
        /// Which.
        checks: Vec<Stands>,
    },
    /// From here on a host is heard in another interval.
    Paced {
        /// Which host.
        host: HostId,
        /// How often.
        report: Span,
    },
    /// An operator wants something of a host; the order goes out once this is durable.
    Ordered {
        /// Who.
        operator: Name,
        /// Of which host.
        host: HostId,
        /// The order's number.
        token: u64,
        /// The service whose last lines are wanted.
        evidence_of: Name,
    },
    /// An agent was removed from its host.
    Retired {
        /// Which host.
        host: HostId,
    },
}
