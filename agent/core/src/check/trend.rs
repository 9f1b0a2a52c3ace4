//! When a mount will be full: what is left of its space or inodes, and how fast it goes.
//!
//! Nobody is told of what comes and goes. Growth is believed after a third of the time that is looked ahead, in all six
//! parts of that time, so that a forecast is for three times what was seen at most; or, where it comes by fits, after six
//! times as long. Not while it was as full twice before and came back by itself ([`habit`]). It must say so at three points in
//! a row, and is taken back after three at which there is half as much time again as the limit. Within the limit is degraded;
//! within a quarter of it down, where it was seen growing for half of it. How fast is judged in [`window`].
//!
//! One takes 400 bytes; there are as many as mounts can be named, and a check that finds none is not forecast. What is seen
//! is not kept over a restart of the agent: growth must then be seen anew. A mount whose size changes by a 64th between two
//! looks is another one.

mod habit;
mod window;

use super::{CheckIx, Fact, Reading, Spec};
use habit::Habit;
use picket_proto::event::{Cause, Verdict};
use picket_proto::{Mono, Span};
use window::{FINE, POINTS, Window};

/// How far a forecast goes beyond what was seen, at most: of 3 and 4, the first was wrong half as often over the simulated
/// weeks, and came as early.
const AHEAD: u64 = 3;
/// The part of the limit within which it is down.
const DOWN: u64 = 4;
/// How much longer the second window is.
const LONGER: u64 = 6;
/// Points in a row that change what is told.
const HOLD: u8 = 3;

/// What is remembered of one mount.
#[derive(Debug, Clone)]
pub struct Trend {
    /// Whose it is.
    check: Option<CheckIx>,
    /// How long a point of the short window takes, microseconds.
    step: u64,
    /// How much there is, and by how many bits that is cut to fit.
    of: u64,
    cut: u32,
    short: Window,
    long: Window,
    habit: Habit,
    /// Since when it grows, where it does.
    since: Option<Mono>,
    /// How much goes in a point, in 64ths; and when all will be gone.
    rate: u64,
    full: Mono,
    told: Verdict,
    /// Points in a row that say otherwise, and the mildest change that all of them agree on.
    against: u8,
    to: Verdict,
}

impl Trend {
    /// Nobody's yet.
    pub const FREE: Self = Self {
        check: None,
        step: 0,
        of: 0,
        cut: 0,
        short: Window::EMPTY,
        long: Window::EMPTY,
        habit: Habit::NONE,
        since: None,
        rate: 0,
        full: Mono::NEVER,
        told: Verdict::Up,
        against: 0,
        to: Verdict::Up,
    };

    fn anew(check: CheckIx, step: u64, of: u64) -> Self {
        // All that is left then fits 31 bits, also where it grows a little.
        let cut = 33u32.saturating_sub(of.leading_zeros());
        Self { check: Some(check), step, of, cut, ..Self::FREE }
    }

    /// What is read now says that it will be full soon, and why.
    fn look(&mut self, now: Mono, (left, of): (u64, u64), spec: &Spec) -> Option<(Verdict, Cause)> {
        self.of = of;
        let [left, whole] = [left, of].map(|all| u32::try_from(all >> self.cut).unwrap_or(u32::MAX - 1));
        let point = now.micros() / self.step;
        if point != self.short.newest() {
            self.judge(now, (left, whole), spec.full_within);
        }
        self.short.put(point, left);
        self.long.put(point / LONGER, left);
        let used = spec.limits.map_or(1000, |limits| limits.degraded.clamp(0, 1000).unsigned_abs());
        let trouble = u64::from(whole) * (1000 - used) / 1000;
        self.habit.saw(now.micros(), left, (whole, u32::try_from(trouble).unwrap_or(0)));
        self.says(now)
    }

    /// A point is over.
    fn judge(&mut self, now: Mono, (left, whole): (u32, u32), limit: Span) {
        let usual = self.habit.usual(now.micros());
        let is_usual = usual.is_some_and(|usual| left > usual.saturating_sub(whole / 32));
        let grows = self.grows().filter(|_| !is_usual);
        let wanted = grows.map_or(Verdict::Up, |(rate, window)| {
            let began = Mono::from_micros(now.micros().saturating_sub(self.step * POINTS as u64 * window));
            let since = self.since.map_or(began, |since| since.min(began));
            let points = u64::from(left) * FINE / rate;
            (self.since, self.rate) = (Some(since), rate);
            self.full = now.plus(Span::from_micros(self.step).times(points));
            self.class(now, limit)
        });
        self.weigh(wanted);
        if grows.is_none() && self.told == Verdict::Up {
            self.since = None;
        }
    }

    /// Counts a point that says this.
    fn weigh(&mut self, wanted: Verdict) {
        let goes_on = self.against > 0 && (wanted > self.told) == (self.to > self.told);
        (self.against, self.to) = match (wanted == self.told, goes_on) {
            (true, _) => (0, wanted),
            (false, false) => (1, wanted),
            (false, true) if wanted > self.told => (self.against + 1, self.to.min(wanted)),
            (false, true) => (self.against + 1, self.to.max(wanted)),
        };
        if self.against == HOLD {
            (self.told, self.against) = (self.to, 0);
        }
    }

    /// By how many 64ths a point, and in how many short windows that was seen. Where it is told already, it need not be
    /// steady.
    fn grows(&self) -> Option<(u64, u64)> {
        let fallen = self.short.fallen();
        if let Some(rate) = self.short.rate() {
            return Some((rate, 1));
        }
        // What was seen for long may be over: a quarter of its rate must be left.
        let goes_on = |rate: &u64| *rate > 0 && fallen * 4 >= *rate;
        let long = self.long.rate().map(|rate| rate / LONGER).filter(goes_on);
        let is_told = self.told != Verdict::Up && fallen > 0;
        long.map(|rate| (rate, LONGER)).or_else(|| is_told.then_some((fallen, 1)))
    }

    /// What it is to be full by then. What was told is so until there is half as much time again, and nothing is down that
    /// was not seen growing for half of the time that is looked ahead.
    fn class(&self, now: Mono, limit: Span) -> Verdict {
        let (left, limit) = (self.full.since(now).micros(), limit.micros());
        let within = |limit: u64, told: bool| left <= if told { limit / 2 * 3 } else { limit };
        let is_sure = self.since.is_some_and(|since| now.since(since).micros() >= limit / 2);
        if is_sure && within(limit / DOWN, self.told == Verdict::Down) {
            Verdict::Down
        } else if within(limit, self.told != Verdict::Up) {
            Verdict::Degraded
        } else {
            Verdict::Up
        }
    }

    fn says(&self, now: Mono) -> Option<(Verdict, Cause)> {
        if self.told == Verdict::Up {
            return None;
        }
        let hour = Span::from_secs(3600).micros();
        // 64ths of a point's worth; only what goes at 4 TiB a second would not fit.
        let rate = ((self.rate << self.cut) / FINE).saturating_mul(hour) / self.step;
        let secs = |span: Span| u32::try_from(span.secs()).unwrap_or(u32::MAX);
        let grown = self.since.map_or(Span::ZERO, |since| now.since(since));
        let cause = Cause::Filling { left: secs(self.full.since(now)), rate, grown: secs(grown) };
        Some((self.told, cause))
    }
}

/// Takes what a check read; what its mount's trend says, where one is asked for.
pub(super) fn look(
    trends: &mut [Trend],
    (now, fact): (Mono, &Fact<'_>),
    spec: &Spec,
) -> Option<(Verdict, Cause)> {
    let (Reading::Room { left, of }, ahead @ 1..) = (fact.reading, spec.full_within.micros()) else {
        return None;
    };
    let step = (ahead / (AHEAD * POINTS as u64)).max(spec.interval.micros()).max(1);
    let is_its = |trend: &Trend| trend.check == Some(fact.check);
    let place = trends.iter().position(is_its);
    let trend = &mut trends[place.or_else(|| trends.iter().position(|trend| trend.check.is_none()))?];
    let is_another = of.abs_diff(trend.of) > trend.of / 64;
    if place.is_none() || trend.step != step || is_another {
        *trend = Trend::anew(fact.check, step, of);
    }
    trend.look(now, (left, of), spec)
}

/// The check looks at something else from now on, or is gone.
pub(super) fn forget(trends: &mut [Trend], check: CheckIx) {
    for trend in trends.iter_mut().filter(|trend| trend.check == Some(check)) {
        *trend = Trend::FREE;
    }
}

const _: () = assert!(size_of::<Trend>() <= 400);
