//! What the agent remembers over its restarts beside the spool, for the shell to write and to read.
//!
//! The bytes are this crate's own; the shell stores them whole (two slots, a checksum) and hands them back at the
//! next start, before the first input. Nothing is kept here.

use crate::Agent;
use crate::service::{Away, Restored};
use crate::session::Terms;
use picket_proto::Mono;

/// Most bytes that are kept.
pub const KEEP_MAX: usize = 60 * 1024;

impl Agent<'_> {
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
