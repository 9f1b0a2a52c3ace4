//! Failures that the backlog tells of and whose end is not known yet.
//!
//! A failure that began and ended while the link was down becomes an incident that is born resolved: it explains and
//! never pages. At most 32 of them wait on a host; beyond that the oldest is told without its end.

use super::timeline::{Entry, Timeline};
use alloc::string::String;
use picket_proto::Wall;
use serde::{Deserialize, Serialize};

/// Most failures without an end on one host.
pub(crate) const LATE_MAX: usize = 32;

/// Whose failure it is: a service's, or a check's that belongs to none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Subject {
    Service(u32),
    Check(u32),
}

/// What ends it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Ends {
    /// The check passes again.
    ByVerdict,
    /// A remedy holds.
    ByOutcome,
}

/// A failure.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Late {
    pub(crate) subject: Subject,
    pub(crate) ends: Ends,
    pub(crate) opened: Wall,
    pub(crate) title: String,
    pub(crate) cause: String,
    pub(crate) root: crate::signal::What,
    pub(crate) timeline: Timeline,
}

impl Late {
    /// Adds what else came of it.
    pub(crate) fn push(&mut self, entry: Entry) {
        self.timeline.push(entry);
    }
}
