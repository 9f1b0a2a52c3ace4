//! The end of an agent's session: what is live is flushed, the goodbye is said, and neither is waited for long.

use super::talk::Standing;
use super::words::Order;
use super::{Link, Session};
use crate::spool::Spool;
use picket_proto::{Mono, Span};

/// How long the farewell waits for acks of live frames, and then for the goodbye to be flushed.
const FAREWELL: (Span, Span) = (Span::from_secs(2), Span::from_millis(500));

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Farewell {
    No,
    /// What is live is flushed first.
    Flushing(Mono),
    /// The goodbye is on its way.
    Said(Mono),
    Over,
}

impl Session {
    /// The agent ends: flush what is live, say goodbye.
    pub(crate) fn leave(&mut self, now: Mono) {
        self.meter.keep_soon();
        if self.farewell == Farewell::No {
            self.farewell = Farewell::Flushing(now.plus(FAREWELL.0));
        }
    }

    /// The agent ends now.
    pub(crate) fn abandon(&mut self) {
        self.farewell = Farewell::Over;
    }

    /// Whether all is said.
    pub(crate) fn is_over(&self) -> bool {
        self.farewell == Farewell::Over
    }

    pub(super) fn part(&mut self, now: Mono, spool: &Spool<'_>) {
        match (self.farewell, &self.link) {
            (Farewell::Flushing(until), Link::Talking(talk)) => {
                let told = matches!(talk.standing, Standing::Told);
                let waits = if self.meter.is_over() {
                    !talk.unacked.is_empty() || spool.owes_critical(&talk.sent)
                } else {
                    spool.holds_any(talk.boundary.next(), spool.last())
                };
                let flushed = told && !waits;
                if flushed || until <= now {
                    self.farewell = Farewell::Said(now.plus(FAREWELL.1));
                    self.order(Order::Goodbye);
                }
            }
            (Farewell::Flushing(until), Link::Connecting | Link::Greeting { .. }) if now < until => {}
            (Farewell::Said(until), Link::Talking(_)) if now < until => {}
            (Farewell::Flushing(_) | Farewell::Said(_), _) => self.farewell = Farewell::Over,
            (Farewell::No | Farewell::Over, _) => {}
        }
    }
}
