//! What a check is, what its probe is asked for, and what it answers.

use super::CheckIx;
use picket_proto::event::{Cause, CheckKind};
use picket_proto::{Name, Span};

/// What one check is. Parsed and validated by the shell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spec {
    /// Unique among checks.
    pub name: Name,
    /// What it watches.
    pub kind: CheckKind,
    /// The service it belongs to.
    pub service: Option<u16>,
    /// From one probe to the next; 100 ms to 1 day. The first comes at a seeded random point of it.
    pub interval: Span,
    /// How long one probe may take; at most the interval.
    pub timeout: Span,
    /// Readings in a row that make it down; 1 to 255.
    pub fall: u8,
    /// Readings in a row that make it up again; 1 to 255.
    pub rise: u8,
    /// For kinds that read a level: from where it is degraded and from where it is down, in the kind's unit.
    pub limits: Option<Limits>,
    /// Of what may fill up: from so long before it will be full it is degraded, from a quarter of it down. Zero: no
    /// forecast.
    pub full_within: Span,
    /// Of levels that have hours: for so long it must be far from what its hour usually has until it is degraded. Zero: it is
    /// not held against its past.
    pub unusual: Span,
}

impl Spec {
    /// Whether it says how a process does now, so that a restart may mend it and a pass proves it. The others of a service
    /// look at what has happened or at dates: they are told, and are no reason for a remedy. A service that prints an
    /// error at each start would else be restarted into its breaker by one line.
    pub(crate) const fn proves(&self) -> bool {
        !matches!(
            self.kind,
            CheckKind::Log | CheckKind::Expires | CheckKind::Tls | CheckKind::Job | CheckKind::Backup
        )
    }

    /// Whether it counts what is new since the last look: one for asking would take that away, and by it end a failure
    /// that nobody has looked into.
    pub const fn counts_news(&self) -> bool {
        matches!(self.kind, CheckKind::Log | CheckKind::Net)
    }
}

/// Limits of a level, in the kind's unit. A level at one has reached it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// From here on the check is degraded; where that is no state of its own, the same as `down`.
    pub degraded: i64,
    /// From here on it is down; not nearer than `degraded`. The end of the range where no level is that bad.
    pub down: i64,
    /// On which side of a limit levels are bad.
    pub bad: Side,
}

/// A side of a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// High levels are bad: what is in use.
    Above,
    /// Low levels are bad: what is left.
    Below,
}

/// What a probe saw. Thresholds are not its business.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reading {
    /// As it should be.
    Good,
    /// As it should be, with a complaint.
    Poor(Cause),
    /// Not as it should be.
    Bad(Cause),
    /// A level in the kind's unit.
    Level(i64),
    /// How much is left of how much there is: KiB, or inodes. The level is the share that is in use.
    Room {
        /// What is left.
        left: u64,
        /// What there is, in use or left.
        of: u64,
    },
}

impl Reading {
    /// The same, with a level in place of what is left.
    #[must_use]
    pub const fn leveled(self) -> Self {
        match self {
            Self::Room { left, of } => {
                // What has no room at all, as some mounts say of themselves, is not full.
                let whole = if of == 0 { 1 } else { of };
                let used = of.saturating_sub(left).saturating_mul(1000).div_ceil(whole);
                Self::Level(used.cast_signed())
            }
            Self::Good | Self::Poor(_) | Self::Bad(_) | Self::Level(_) => self,
        }
    }
}

/// A probe's answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fact<'a> {
    /// Which check.
    pub check: CheckIx,
    /// What was seen.
    pub reading: Reading,
    /// What the probe says in words; told with the verdict that this reading decides. Mostly empty.
    pub said: &'a str,
}

impl Fact<'_> {
    /// An answer without words.
    pub const fn new(check: CheckIx, reading: Reading) -> Self {
        Self { check, reading, said: "" }
    }
}

/// Run this check's probe once and answer within its timeout. One at a time per check: no second comes before the
/// answer to the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Probe {
    /// Which check.
    pub check: CheckIx,
    /// Whether its answer may decide for the worse: say in words who makes the level what it is, where that is known.
    pub explain: bool,
}
