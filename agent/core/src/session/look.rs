//! What may be seen of the link, and what of it outlives the run. Only looks, but for what is taken back at the start.

use super::meter::{Kept, Terms};
use super::{Link, Phase, Session};
use crate::service::{Away, Thrift};
use picket_proto::{Carried, Mono, Offset, Span};

impl Session {
    /// Where it stands.
    pub(crate) fn phase(&self) -> Phase {
        match &self.link {
            Link::Resting { until } => Phase::Resting { until: *until },
            Link::Connecting => Phase::Connecting,
            Link::Greeting { .. } => Phase::Greeting,
            Link::Talking(talk) => Phase::Open { since: talk.welcomed },
        }
    }

    /// How the collector's clock lies to ours, while a session stands that has measured it.
    pub(crate) fn offset(&self, now: Mono) -> Option<Offset> {
        let Link::Talking(talk) = &self.link else { return None };
        talk.offsets.best(now)
    }

    /// How many facts were refused.
    pub(crate) const fn refused(&self) -> u32 {
        self.refused
    }

    /// How the link is to be used; before the first input.
    pub(crate) fn use_on(&mut self, now: Mono, terms: Terms) {
        self.meter.begin(now, terms);
    }

    /// What of the link's count outlives the run.
    pub(crate) fn keep(&self, now: Mono) -> Option<Kept> {
        self.meter.keep(now)
    }

    /// Whether it is to be kept now; if so, it counts as done.
    pub(crate) fn keep_is_due(&mut self, now: Mono) -> bool {
        self.meter.keep_is_due(now)
    }

    /// Takes it back; before the first input.
    pub(crate) fn restore(&mut self, now: Mono, away: Away, kept: Kept) {
        self.meter.restore(now, away, kept);
    }

    /// What the link allows that nobody on this host asked for.
    pub(crate) fn thrift(&self) -> Thrift {
        Thrift { is_metered: self.meter.terms.is_metered(), is_over: self.meter.is_over() }
    }

    /// How the link is used: its terms, how often the collector hears of us while a session stands, what it carried, and
    /// how much of the period is left.
    pub(crate) fn usage(&self, now: Mono) -> (Terms, Option<Span>, Option<Carried>, Span) {
        let beat = if let Link::Talking(talk) = &self.link { Some(talk.beat) } else { None };
        (self.meter.terms, beat, self.meter.carried(), self.meter.left(now))
    }
}
