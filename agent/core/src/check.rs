//! Checks: from what a probe saw to what the check's history says.

use picket_proto::event::{Cause, CheckKind};
use picket_proto::{Name, Span};

/// A check's place in the configuration; at most 1,024 by default.
pub type CheckIx = u16;

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
    /// Readings in a row that make it down; 1 to 10.
    pub fall: u8,
    /// Readings in a row that make it up again; 1 to 10.
    pub rise: u8,
    /// For kinds that read a level: from where it is degraded and from where it is down, in the kind's unit.
    pub limits: Option<Limits>,
}

/// Limits of a level. A level at or above one has reached it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// From here on the check is degraded.
    pub degraded: u32,
    /// From here on it is down; above `degraded`.
    pub down: u32,
}

/// What a probe saw. Thresholds are not its business.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reading {
    /// As it should be.
    Good,
    /// Not as it should be.
    Bad(Cause),
    /// A level in the kind's unit.
    Level(u32),
}

/// A probe's answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fact {
    /// Which check.
    pub check: CheckIx,
    /// What was seen.
    pub reading: Reading,
}

/// Run this check's probe once and answer within its timeout. One at a time per check: no second comes before the
/// answer to the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Probe {
    /// Which check.
    pub check: CheckIx,
}

/// One check with all that is remembered of it.
#[derive(Debug)]
pub struct Slot {
    spec: Spec,
}

impl Slot {
    /// A check of which nothing is known yet.
    pub fn new(spec: Spec) -> Self {
        Self { spec }
    }

    /// What it is.
    pub fn spec(&self) -> &Spec {
        &self.spec
    }
}
