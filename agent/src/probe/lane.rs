//! A lane: the probes of one kind that are out, and those that wait for a place in it.
//!
//! Services' checks and the rest have a lane each, so that hosts that hang can never delay the check that decides
//! whether a service lives. What waits can't be longer than the lane's checks: the core never asks twice for one.

use picket_agent_core::check::CheckIx;
use std::collections::VecDeque;

/// Places, who has one and who waits.
#[derive(Debug)]
pub(super) struct Lane {
    places: usize,
    out: usize,
    waiting: VecDeque<CheckIx>,
}

impl Lane {
    /// An empty lane with so many places.
    pub(super) const fn new(places: usize) -> Self {
        Self { places, out: 0, waiting: VecDeque::new() }
    }

    /// A probe wants a place.
    pub(super) fn ask(&mut self, check: CheckIx) {
        self.waiting.push_back(check);
    }

    /// A place is free again.
    pub(super) const fn leave(&mut self) {
        self.out = self.out.saturating_sub(1);
    }

    /// The next probe that may go, first come first served.
    pub(super) fn next(&mut self) -> Option<CheckIx> {
        if self.out == self.places {
            return None;
        }
        let next = self.waiting.pop_front()?;
        self.out += 1;
        Some(next)
    }
}
