//! Checks: what is watched, and what its readings say. Levels are whole numbers in their kind's unit. How readings
//! become a verdict is the agent core's.

use crate::id::Name;
use crate::text::Text;
use crate::time::Span;
use serde::{Deserialize, Serialize};

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
    /// A program in the Nagios plugin protocol: its status is the reading. Known from version 2 on, as all that follow.
    Exec,
    /// A TLS server: the handshake, and whole hours until its certificate ends.
    Tls,
    /// A date: whole hours until it comes, from a certificate's file or from the configuration.
    Expires,
    /// A file: there or not; its age in seconds.
    File,
    /// Lines of a log that match: how many since the last look.
    Log,
    /// A value scraped from a Prometheus text endpoint; thousandths.
    Metric,
    /// Time in which something waited for CPU, memory or disk, of the last ten seconds (PSI); per mille.
    Pressure,
    /// Swap in use; per mille.
    Swap,
    /// Inodes in use on one mount; per mille.
    Inodes,
    /// A mount is there, answers, and can be written to where it should.
    Mount,
    /// A network interface is up; errors and drops since the last look.
    Net,
    /// The hottest sensor, or a named one; tenths of a degree Celsius.
    Temperature,
    /// Something that runs on a schedule ran, and ended well; seconds since it last did.
    Job,
    /// Copies of data: young, large and many enough; seconds since the newest was made.
    Backup,
    /// A container runs, and is healthy where it says so.
    Container,
}

/// Most bytes of a cause, as it stands in a frame: its number and two of 64 bits.
pub const CAUSE_MAX: usize = 24;

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
    /// The mount does not answer: a thread still waits for it, or an error came, which the words tell.
    Stuck,
    /// The probe itself failed with this errno; the thing watched is unknown.
    Local(i32),
    /// The plugin's status: 1 is a warning, 2 critical, all others say that it can't tell. Known from version 2 on, as
    /// all that follow.
    Plugin(u8),
    /// The level is on the wrong side of its limit, where [`Cause::Above`] can't say it: below, or beyond its range.
    Beyond {
        /// The level read.
        level: i64,
        /// The limit it was held against.
        limit: i64,
    },
    /// What is watched is not there.
    Absent,
    /// It is there, and should not be.
    Present,
    /// It can't be written to.
    ReadOnly,
    /// The interface has no link.
    NoLink,
    /// It ended with this status.
    Ended(i32),
    /// It takes longer than it may.
    Overdue,
    /// Fewer than there should be.
    TooFew {
        /// How many there are.
        found: u32,
        /// How many there should be.
        wanted: u32,
    },
    /// Smaller than it should be; bytes.
    TooSmall {
        /// How large it is.
        bytes: u64,
        /// How large it should be.
        wanted: u64,
    },
    /// It says itself that it is not well.
    Unhealthy,
    /// It grows and will be full. Known from version 6 on of all kinds that carry a cause, the first that none of them
    /// had.
    Filling {
        /// Seconds until it is full, if it goes on so.
        left: u32,
        /// How much it grows in an hour: KiB of space, or inodes.
        rate: u64,
        /// Seconds since when it was seen growing.
        grown: u32,
    },
    /// Far from what this hour of the day usually has on this host. Known from version 7 on of all kinds that carry a
    /// cause.
    Unusual {
        /// The level: the mean of the last minutes.
        level: i64,
        /// The end of what is usual that it lies beyond: it is above where the level is, else below.
        usual: i64,
        /// Minutes since it is so; 45 days fit.
        lasts: u16,
    },
}

impl Cause {
    /// The lowest version of the kinds that carry a cause that can say it.
    pub const fn version(&self) -> u8 {
        match self {
            Self::Refused
            | Self::TimedOut
            | Self::Unreachable
            | Self::Closed
            | Self::Mismatch
            | Self::Status(_)
            | Self::Unresolved
            | Self::Tls
            | Self::NoProcess
            | Self::Frozen
            | Self::Above { .. }
            | Self::Stuck
            | Self::Local(_) => 1,
            Self::Plugin(_)
            | Self::Beyond { .. }
            | Self::Absent
            | Self::Present
            | Self::ReadOnly
            | Self::NoLink
            | Self::Ended(_)
            | Self::Overdue
            | Self::TooFew { .. }
            | Self::TooSmall { .. }
            | Self::Unhealthy => 2,
            Self::Filling { .. } => 6,
            Self::Unusual { .. } => 7,
        }
    }

    /// Its bytes, as they stand in a frame: for a message that carries it beside.
    pub fn to_bytes<'b>(&self, out: &'b mut [u8; CAUSE_MAX]) -> &'b [u8] {
        // There is room for the longest: a test holds it against it.
        postcard::to_slice(self, out).map_or(&[], |used| &*used)
    }

    /// Out of such bytes; `None` where they are no cause, or one that only a newer version knows.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        postcard::take_from_bytes(bytes).ok().and_then(|(cause, rest)| rest.is_empty().then_some(cause))
    }
}

impl CheckKind {
    /// All of them, in the order of their numbers.
    pub const ALL: [Self; 22] = [
        Self::Process,
        Self::Tcp,
        Self::Http,
        Self::Cpu,
        Self::Memory,
        Self::Load,
        Self::Space,
        Self::Exec,
        Self::Tls,
        Self::Expires,
        Self::File,
        Self::Log,
        Self::Metric,
        Self::Pressure,
        Self::Swap,
        Self::Inodes,
        Self::Mount,
        Self::Net,
        Self::Temperature,
        Self::Job,
        Self::Backup,
        Self::Container,
    ];

    /// The lowest version of the kinds that carry a check's kind that can say it.
    pub const fn version(self) -> u8 {
        if self as u8 <= Self::Space as u8 { 1 } else { 2 }
    }
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
    /// What the probe said in words: a plugin's line, the line of a log, a certificate's end. Mostly empty; known from
    /// version 2 on.
    pub said: Text,
}

impl VerdictChanged {
    /// The lowest version of its kind that can say it.
    pub fn version(&self) -> u8 {
        let of_words = if self.said.is_empty() { 1 } else { 2 };
        self.cause.as_ref().map_or(1, Cause::version).max(self.kind.version()).max(of_words)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec;

    #[test]
    fn a_cause_comes_back_from_its_bytes_and_one_of_a_newer_version_is_none() {
        let most = u32::MAX;
        for cause in [
            Cause::Refused,
            Cause::Above { level: most, limit: most },
            Cause::Beyond { level: i64::MIN, limit: i64::MIN },
            Cause::TooSmall { bytes: u64::MAX, wanted: u64::MAX },
            Cause::TooFew { found: most, wanted: most },
            Cause::Local(i32::MIN),
            Cause::Unhealthy,
            Cause::Filling { left: most, rate: u64::MAX, grown: most },
            Cause::Unusual { level: i64::MIN, usual: i64::MIN, lasts: u16::MAX },
        ] {
            let mut room = [0; CAUSE_MAX];
            let bytes = cause.to_bytes(&mut room);
            assert!(!bytes.is_empty(), "{cause:?}");
            assert_eq!(Cause::from_bytes(bytes), Some(cause));
            let longer = [bytes, &[0]].concat();
            assert_eq!(Cause::from_bytes(&longer), None, "more than a cause is none");
        }
        for none in [vec![], vec![200], vec![255; 30]] {
            assert_eq!(Cause::from_bytes(&none), None);
        }
    }
}
