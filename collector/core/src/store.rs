//! The journal as the core sees it: entries go out in order, and come back as durable.
//!
//! At most 16 MiB or 4,096 entries wait to be journaled (a few seconds of a slow disk at full load); beyond that new
//! batches are refused, which pushes back into the agents' spools instead of into memory.

pub(crate) mod outbox;

use crate::record::Record;
use alloc::boxed::Box;
use picket_proto::Now;

/// One line of the journal. Indexes run from 1 without holes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its place.
    pub index: u64,
    /// When it was applied, by the collector's clocks.
    pub now: Now,
    /// What was applied.
    pub record: Record,
}

/// Something for the journal to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Order {
    /// Append; answered by Journaled, or by Failed, which keeps the entry with the shell.
    Append(Box<Entry>),
    /// Try again to write what failed.
    Retry,
}

/// What the journal did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fact {
    /// All entries up to this index are durable.
    Journaled {
        /// The highest durable index.
        upto: u64,
    },
    /// Writing failed; nothing is lost, all entries that are not journaled stand ready for Retry.
    Failed {
        /// Whether for want of space.
        full: bool,
    },
}
