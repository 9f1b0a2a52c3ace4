//! What the agent remembers over its restarts beside the spool, for the shell to write and to read.
//!
//! The bytes are this crate's own; the shell stores them whole (two slots, a checksum) and hands them back at the
//! next start, before the first input. Nothing is kept here.

use crate::Agent;
use crate::check::Mark;
use crate::service::{Away, Restored};
use crate::session::Terms;
use picket_proto::Mono;

/// Most bytes that are kept.
pub const KEEP_MAX: usize = 60 * 1024;

/// What is kept, each in a file of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// What [`Agent::keep`] gives.
    State,
    /// What [`Agent::keep_weeks`] gives.
    Weeks,
}

impl Agent<'_> {
    /// What is to be kept now; it counts as done.
    pub(crate) fn next_kept(&mut self) -> Option<Kept> {
        let is_state = self.services.keep_is_due(self.now) | self.session.keep_is_due(self.now);
        if is_state {
            return Some(Kept::State);
        }
        self.checks.keep_is_due(self.now).then_some(Kept::Weeks)
    }

    /// How the link to the collector is to be used. Over one that costs money the last words of a service are not told: they
    /// are the shell's to show on the host. Before the first input, and before [`Self::restore`].
    pub fn use_link(&mut self, now: Mono, terms: Terms) {
        self.session.use_on(now, terms);
        self.services.keep_words(terms.is_metered());
    }

    /// Whether the collector gets what services print when an operator asks for it; before the first input. It does not
    /// unless this says so.
    pub fn give_evidence(&mut self, when_asked: bool) {
        self.services.allow_orders(when_asked);
    }

    /// Takes back what an earlier run kept. Before the first input; later it changes nothing.
    pub fn restore(&mut self, now: Mono, away: Away, kept: &[u8]) -> Restored {
        if self.life.is_new() {
            let (restored, meter) = self.services.restore(now, away, (kept, &self.checks));
            if let Some(meter) = meter {
                self.session.restore(now, away, meter);
            }
            restored
        } else {
            Restored::default()
        }
    }

    /// Writes what is to be kept into `out`, which [`KEEP_MAX`] bytes are enough for: how many bytes, and how many
    /// services did not fit.
    pub fn keep(&self, out: &mut [u8]) -> (usize, u16) {
        self.services.keep(self.now, (&self.checks, self.session.keep(self.now)), out)
    }

    /// Takes back what the levels of checks were at each hour, as an earlier run kept it: of how many checks, none if it
    /// can't be read. Before the first input; later it changes nothing.
    pub fn restore_weeks(&mut self, mark: Mark<'_>, kept: &[u8]) -> Option<u16> {
        if self.life.is_new() { self.checks.restore_weeks(mark, kept) } else { None }
    }

    /// Writes that into `out`, which [`KEEP_MAX`] bytes are enough for: how many bytes.
    pub fn keep_weeks(&self, mark: Mark<'_>, out: &mut [u8]) -> usize {
        self.checks.keep_weeks(mark, out)
    }

    /// Takes back the baseline that an earlier run kept: how many things, none if it can't be read. Before the first
    /// input; later it changes nothing.
    pub fn restore_baseline(&mut self, now: Mono, kept: &[u8]) -> Option<u16> {
        if self.life.is_new() { self.baseline.restore(now, kept) } else { None }
    }

    /// Writes the baseline into `out`, which [`KEEP_MAX`] bytes are enough for: how many bytes, and how many things did
    /// not fit.
    pub fn keep_baseline(&self, out: &mut [u8]) -> (usize, u16) {
        self.baseline.keep(self.now, out)
    }
}
