//! The acks that a session's task has still to say: one slot per run, at most 8 runs.

use picket_proto::{Ranges, Run};

/// Runs of one session whose newest acks are held: more than an agent sends batches of at once.
const ACK_RUNS_MAX: usize = 8;

/// The newest ack of each run, least recently acked first. A ninth run pushes the first out: its agent will send
/// those frames again and get the same ack.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Acks {
    /// The newest ack of each run.
    pub(crate) newest: Vec<Ack>,
    said: u64,
}

/// An ack, numbered: one that says the same as before is said again all the same, since it answers a resend.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ack {
    /// Of which run.
    pub(crate) run: Run,
    /// Which frames.
    pub(crate) ranges: Ranges,
    nth: u64,
}

impl Acks {
    pub(super) fn put(&mut self, run: Run, ranges: Ranges) {
        self.newest.retain(|ack| ack.run != run);
        if self.newest.len() == ACK_RUNS_MAX {
            self.newest.remove(0);
        }
        self.said += 1;
        self.newest.push(Ack { run, ranges, nth: self.said });
    }
}
