//! Why a check is not up, in words: what was found, and what it was held against.
//!
//! A cause alone does not know what is watched; with its check's kind it is told in that kind's unit.

use super::level_in;
use crate::event::{Cause, CheckKind};
use crate::time::Span;
use core::fmt::{Display, Formatter, Result};

const KIB: &str = " KiB/h";

/// A cause in its check's unit, with what the probe said.
#[derive(Debug, Clone, Copy)]
pub struct Why<'a>(pub CheckKind, pub Cause, pub &'a str);

impl Display for Why<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let Self(kind, cause, said) = *self;
        match (kind, cause) {
            (_, Cause::Above { level, limit }) => levels(kind, (level.into(), limit.into()), f),
            (_, Cause::Beyond { level, limit }) => levels(kind, (level, limit), f),
            (CheckKind::Process, Cause::TooFew { found, wanted }) => {
                write!(f, "{found} found, at least {wanted} should run")
            }
            (CheckKind::Backup, Cause::TooFew { found, wanted }) => {
                write!(f, "{found} found, at least {wanted} should be there")
            }
            (
                CheckKind::File | CheckKind::Expires | CheckKind::Log | CheckKind::Job | CheckKind::Backup,
                Cause::Mismatch,
            ) => f.write_str("it is not as it should be"),
            (_, Cause::Unusual { level, usual, lasts }) => unusual(kind, (level, usual), lasts, f),
            (CheckKind::Space, Cause::Filling { left, rate, grown }) => filling(f, left, (rate, KIB), grown),
            (_, cause) => cause.fmt(f),
        }?;
        if said.is_empty() { Ok(()) } else { write!(f, ": {said}") }
    }
}

fn filling(f: &mut Formatter<'_>, left: u32, (rate, unit): (u64, &str), grown: u32) -> Result {
    let [left, grown] = [left, grown].map(|secs| Span::from_secs(secs.into()));
    let (rate, unit) = if unit == KIB && rate >= 1024 { (rate / 1024, " MiB/h") } else { (rate, unit) };
    if left == Span::ZERO {
        f.write_str("full at any moment")?;
    } else {
        write!(f, "full in about {left}")?;
    }
    write!(f, ": grows by {rate}{unit}, for {grown} so far")
}

fn unusual(kind: CheckKind, (level, usual): (i64, i64), lasts: u16, f: &mut Formatter<'_>) -> Result {
    level_in(kind, level, f)?;
    write!(f, ", far {} the usual ", if level < usual { "below" } else { "above" })?;
    level_in(kind, usual, f)?;
    write!(f, " of this hour, for {} so far", Span::from_secs(u64::from(lasts) * 60))
}

fn levels(kind: CheckKind, (level, limit): (i64, i64), f: &mut Formatter<'_>) -> Result {
    // Of ages no other limit lies below zero.
    let is_age = matches!(kind, CheckKind::File | CheckKind::Job | CheckKind::Backup);
    if is_age && level < 0 && limit < 0 {
        let [level, limit] = [level, limit].map(|ahead| Span::from_secs(ahead.unsigned_abs()));
        return write!(f, "dated {level} ahead of the clock, {limit} may be");
    }
    if kind == CheckKind::Process {
        return write!(f, "{level} found, at most {limit} should run");
    }
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
            Self::Unusual { level, usual, .. } => write!(f, "level {level}, usual {usual}"),
            Self::Filling { left, rate, grown } => filling(f, *left, (*rate, " an hour"), *grown),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::ToString;

    #[test]
    fn what_was_found_and_what_should_be_stand_side_by_side_in_the_kinds_own_words() {
        let of = |kind, cause| Why(kind, cause, "").to_string();
        let ahead = Cause::Beyond { level: -7_200, limit: -300 };
        for (kind, cause, words) in [
            (CheckKind::Job, ahead, "dated 2 h 0 min ahead of the clock, 5 min may be"),
            (CheckKind::Temperature, ahead, "-720.0 °C, limit -30.0 °C"),
            (CheckKind::File, Cause::Above { level: 7_200, limit: 3_600 }, "2 h 0 min, limit 1 h 0 min"),
            (CheckKind::Process, Cause::TooFew { found: 1, wanted: 2 }, "1 found, at least 2 should run"),
            (CheckKind::Process, Cause::Beyond { level: 7, limit: 5 }, "7 found, at most 5 should run"),
            (CheckKind::Backup, Cause::TooFew { found: 1, wanted: 2 }, "1 found, at least 2 should be there"),
            (CheckKind::Tcp, Cause::Mismatch, "the answer is not the expected one"),
            (CheckKind::File, Cause::Mismatch, "it is not as it should be"),
            (
                CheckKind::Space,
                Cause::Filling { left: 10_200, rate: 2_100_000, grown: 4_800 },
                "full in about 2 h 50 min: grows by 2050 MiB/h, for 1 h 20 min so far",
            ),
            (
                CheckKind::Inodes,
                Cause::Filling { left: 10_200, rate: 70_000, grown: 4_800 },
                "full in about 2 h 50 min: grows by 70000 an hour, for 1 h 20 min so far",
            ),
            (
                CheckKind::Cpu,
                Cause::Unusual { level: 712, usual: 150, lasts: 32 },
                "71.2 %, far above the usual 15.0 % of this hour, for 32 min so far",
            ),
            (
                CheckKind::Metric,
                Cause::Unusual { level: 1_500, usual: 90_000, lasts: 95 },
                "1.5, far below the usual 90 of this hour, for 1 h 35 min so far",
            ),
        ] {
            assert_eq!(of(kind, cause), words);
        }
        let said = Why(CheckKind::File, Cause::Mismatch, "/k has mode 0644, should have 0600").to_string();
        assert_eq!(said, "it is not as it should be: /k has mode 0644, should have 0600");
    }
}
