//! Why a check is not up, in words: what was found, and what it was held against.
//!
//! A cause alone does not know what is watched; with its check's kind it is told in that kind's unit.

use super::level_in;
use crate::event::{Cause, CheckKind};
use core::fmt::{Display, Formatter, Result};

/// A cause in its check's unit, with what the probe said.
#[derive(Debug, Clone, Copy)]
pub struct Why<'a>(pub CheckKind, pub Cause, pub &'a str);

impl Display for Why<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let Self(kind, cause, said) = *self;
        match cause {
            Cause::Above { level, limit } => levels(kind, (level.into(), limit.into()), f),
            Cause::Beyond { level, limit } => levels(kind, (level, limit), f),
            cause => cause.fmt(f),
        }?;
        if said.is_empty() { Ok(()) } else { write!(f, ": {said}") }
    }
}

fn levels(kind: CheckKind, (level, limit): (i64, i64), f: &mut Formatter<'_>) -> Result {
    level_in(kind, level, f)?;
    f.write_str(", limit ")?;
    level_in(kind, limit, f)
}

impl Display for Cause {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Self::Refused => f.write_str("connection refused: nothing listens"),
            Self::TimedOut => f.write_str("no answer in time"),
            Self::Unreachable => f.write_str("the address cannot be reached"),
            Self::Closed => f.write_str("the connection was closed before the answer was whole"),
            Self::Mismatch => f.write_str("the answer is not the expected one"),
            Self::Status(status) => write!(f, "HTTP status {status}"),
            Self::Unresolved => f.write_str("the name does not resolve"),
            Self::Tls => f.write_str("TLS failed"),
            Self::NoProcess => f.write_str("no process"),
            Self::Frozen => f.write_str("the process is frozen (stopped by a signal or a tracer)"),
            Self::Above { level, limit } => write!(f, "level {level}, limit {limit}"),
            Self::Stuck => f.write_str("the mount does not answer"),
            Self::Local(errno) => write!(f, "the probe failed with errno {errno}"),
            Self::Plugin(1) => f.write_str("its plugin warns"),
            Self::Plugin(2) => f.write_str("its plugin says critical"),
            Self::Plugin(status) => write!(f, "its plugin can't tell (status {status})"),
            Self::Beyond { level, limit } => write!(f, "level {level}, limit {limit}"),
            Self::Absent => f.write_str("it is not there"),
            Self::Present => f.write_str("it is there, and should not be"),
            Self::ReadOnly => f.write_str("it can't be written to"),
            Self::NoLink => f.write_str("the interface has no link"),
            Self::Ended(status) => write!(f, "it ended with status {status}"),
            Self::Overdue => f.write_str("it takes longer than it may"),
            Self::TooFew { found, wanted } => write!(f, "{found} of the {wanted} that there should be"),
            Self::TooSmall { bytes, wanted } => write!(f, "{bytes} bytes, fewer than {wanted}"),
            Self::Unhealthy => f.write_str("it says that it is not well"),
        }
    }
}
