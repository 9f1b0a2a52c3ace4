//! When the state file is due: at once for a breaker and a hold, else at most every 10 s, and not at rest.
//!
//! A remedy writes two or three times within 20 s, which is nothing to a flash; a service that crashes for hours
//! writes by its breaker, ever more seldom. While a hold or an open breaker stands, the time that is left of it is
//! kept anew every 10 minutes, so that a boot prolongs it by no more: 1 MB a day of small writes, and only then.

use picket_proto::{Mono, Span};

/// Between two writes that are not urgent.
const PACE: Span = Span::from_secs(10);
/// Between two writes that only keep what time is left.
const REFRESH: Span = Span::from_secs(600);

/// When to keep.
#[derive(Debug, Default)]
pub(in crate::service) struct Due {
    changed: bool,
    urgent: bool,
    /// Whether something stands whose time passes.
    stands: bool,
    last: Option<Mono>,
}

impl Due {
    /// Something changed.
    pub(in crate::service) const fn changed(&mut self, urgent: bool) {
        self.changed = true;
        self.urgent |= urgent;
    }

    /// Does not wait any longer with what has changed: the agent ends.
    pub(in crate::service) const fn hurry(&mut self) {
        self.urgent |= self.changed;
    }

    /// When it is due.
    pub(in crate::service) fn at(&self) -> Mono {
        let after = |span| self.last.map_or_else(Mono::default, |last| last.plus(span));
        match (self.urgent, self.changed, self.stands) {
            (true, _, _) => Mono::default(),
            (false, true, _) => after(PACE),
            (false, false, true) => after(REFRESH),
            (false, false, false) => Mono::NEVER,
        }
    }

    /// It is kept now; `stands` says whether something stands whose time passes.
    pub(in crate::service) const fn kept(&mut self, now: Mono, stands: bool) {
        *self = Self { changed: false, urgent: false, stands, last: Some(now) };
    }
}
