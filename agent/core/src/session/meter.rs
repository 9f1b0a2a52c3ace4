//! What a link that costs money carries, against its cap.
//!
//! The shell counts bytes, both ways, and says so; here they are added up over periods of 30 days. Above the cap only
//! critical events go out (deaths, breakers, outcomes, losses, gaps); what else is made waits in the spool, within its
//! limits, and goes when the next period begins. The few words that keep a session alive are not held back: without them the host
//! would be silent, which costs more than they do. A period is time in which the host was up: what passes while it is off
//! is not known to a clock that is to be believed, and counts as none, so that a period is never too short. The sum
//! outlives the agent: it is kept whenever it has grown by a 64th of the cap, and within an hour, which is what a power cut
//! can lose of it. A host that loses its power oftener than every hour carries more than its cap.

use crate::service::Away;
use picket_proto::{Carried, Mono, Span};

/// As long as providers count.
const PERIOD: Span = Span::from_secs(30 * 86_400);
/// Of the cap, what may be added before it is kept.
const KEPT_EVERY: u64 = 64;
/// Or so much later, so that a host whose power fails every day still counts: 24 writes of a page a day at most.
const KEPT_WITHIN: Span = Span::from_secs(3600);

/// How a link is to be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terms {
    /// How often the collector is to hear of this host.
    pub report: Span,
    /// Most bytes in 30 days, if there is such a limit.
    pub cap: Option<u64>,
}

impl Terms {
    /// A link that costs nothing.
    pub const USUAL: Self = Self { report: Span::from_secs(10), cap: None };

    /// Whether it costs money: what nobody asks for is not said over it.
    pub fn is_metered(self) -> bool {
        self.report > Self::USUAL.report
    }
}

const START: Mono = Mono::from_micros(0);

/// What outlives the run: bytes, and how old the period is.
pub(crate) type Kept = (u64, Span);

/// The link's count.
#[derive(Debug)]
pub(super) struct Meter {
    pub(super) terms: Terms,
    bytes: u64,
    /// How old the period was then.
    age: (Mono, Span),
    kept: u64,
    kept_at: Mono,
}

impl Meter {
    /// Nothing was carried.
    pub(super) const fn new() -> Self {
        Self { terms: Terms::USUAL, bytes: 0, age: (START, Span::ZERO), kept: 0, kept_at: START }
    }

    /// The agent begins: so does its first period, unless an earlier run's goes on.
    pub(super) fn begin(&mut self, now: Mono, terms: Terms) {
        (self.terms, self.age, self.kept_at) = (terms, (now, Span::ZERO), now);
    }

    /// So much went over the link.
    pub(super) fn add(&mut self, bytes: u64) {
        self.bytes = self.bytes.saturating_add(bytes);
    }

    /// A period that is over begins anew.
    pub(super) fn turn(&mut self, now: Mono) {
        if self.left(now) == Span::ZERO {
            (self.bytes, self.kept, self.age) = (0, u64::MAX, (now, Span::ZERO));
        }
    }

    /// What of the period is left.
    pub(super) fn left(&self, now: Mono) -> Span {
        Span::from_micros(PERIOD.micros().saturating_sub(self.age(now).micros()))
    }

    fn age(&self, now: Mono) -> Span {
        now.since(self.age.0).plus(self.age.1)
    }

    /// What it carried, where it has a cap.
    pub(super) fn carried(&self) -> Option<Carried> {
        self.terms.cap.map(|cap| Carried { bytes: self.bytes, cap })
    }

    /// Whether only what is critical goes out.
    pub(super) fn is_over(&self) -> bool {
        self.carried().is_some_and(Carried::is_over)
    }

    /// Whether the sum is to be kept now; if so, it counts as done.
    pub(super) fn keep_is_due(&mut self, now: Mono) -> bool {
        let Some(cap) = self.terms.cap else { return false };
        let is_late = self.bytes != self.kept && now.since(self.kept_at) >= KEPT_WITHIN;
        let is_due = is_late || self.kept > self.bytes || self.bytes - self.kept > cap / KEPT_EVERY;
        if is_due {
            (self.kept, self.kept_at) = (self.bytes, now);
        }
        is_due
    }

    /// The agent ends: what was carried is kept whole.
    pub(super) const fn keep_soon(&mut self) {
        self.kept = u64::MAX;
    }

    /// What is to outlive the run, if anything was to be counted.
    pub(super) fn keep(&self, now: Mono) -> Option<Kept> {
        self.terms.cap.map(|_| (self.bytes, self.age(now)))
    }

    /// Goes on where the run before ended.
    pub(super) fn restore(&mut self, now: Mono, away: Away, (bytes, age): Kept) {
        (self.bytes, self.kept) = (bytes, bytes);
        self.age = (now, age.plus(away.span()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: u64 = 86_400;
    const MIB: u64 = 1024 * 1024;

    fn at(days: u64) -> Mono {
        Mono::from_micros(days * DAY * 1_000_000)
    }

    fn capped(cap: u64) -> Meter {
        let mut meter = Meter::new();
        meter.begin(at(1), Terms { report: Span::from_secs(900), cap: Some(cap) });
        meter
    }

    #[test]
    fn the_cap_holds_for_30_days_and_then_all_is_new() {
        let mut meter = capped(5 * MIB);
        meter.add(5 * MIB - 1);
        assert!(!meter.is_over());
        meter.add(1);
        meter.turn(at(30));
        assert!(meter.is_over() && meter.left(at(30)) == Span::from_secs(DAY));
        meter.turn(at(31));
        assert_eq!(meter.carried(), Some(Carried { bytes: 0, cap: 5 * MIB }));
        assert_eq!(meter.left(at(31)), PERIOD);
        assert!(meter.keep_is_due(at(31)), "else a restart would bring the old period back");
    }

    #[test]
    fn a_link_without_a_cap_is_never_over_and_keeps_nothing() {
        let mut meter = Meter::new();
        meter.begin(at(1), Terms::USUAL);
        meter.add(u64::MAX);
        meter.add(1);
        assert!(!meter.is_over() && !meter.keep_is_due(at(2)) && meter.keep(at(2)).is_none());
    }

    #[test]
    fn what_was_carried_is_kept_within_an_hour() {
        let mut meter = capped(5 * MIB);
        let hour = at(1).plus(KEPT_WITHIN);
        assert!(!meter.keep_is_due(hour), "nothing was carried");
        meter.add(1);
        assert!(!meter.keep_is_due(at(1)));
        assert!(meter.keep_is_due(hour) && !meter.keep_is_due(at(2)));
    }

    #[test]
    fn the_sum_is_kept_64_times_and_goes_on_after_a_restart_and_after_another_boot() {
        let mut meter = capped(64);
        meter.add(1);
        assert!(!meter.keep_is_due(at(1)));
        meter.add(1);
        assert!(meter.keep_is_due(at(1)) && !meter.keep_is_due(at(1)));
        let kept = meter.keep(at(11)).unwrap();
        let mut next = capped(64);
        next.restore(at(12), Away::SameBoot(Span::from_secs(DAY)), kept);
        assert_eq!((next.bytes, next.left(at(12))), (2, Span::from_secs(19 * DAY)));
        let mut next = capped(64);
        next.restore(at(0), Away::OtherBoot, kept);
        assert_eq!(next.left(at(0)), Span::from_secs(20 * DAY), "how long it was off nobody knows");
    }
}
