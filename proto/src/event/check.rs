//! Checks: what is watched, and what its readings say. Levels are whole numbers in their kind's unit. How readings
//! become a verdict is the agent core's.

use crate::id::Name;
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
