//! How far a level may be from what its hour usually has.
//!
//! Of each of the last seven days the hour and its neighbours count: what lies within the lowest and the highest point of
//! these three is what that day had, so that a job that is an hour late, or daylight saving, does no harm. Usual is what half of the days
//! had (the median), and what came on two of them; and what the same day of last week had, since a weekend is not
//! like a weekday. Three days must be known. Until that day of last week is, whatever the level was in any hour counts as
//! usual: a first weekend, a first Monday morning tell nothing.
//!
//! A level is far from it beyond six times the spread of the days around their median (the median of the deviations, which no
//! single day moves: F. R. Hampel, The influence curve and its role in robust estimation, JASA 69, 1974), and at least by what matters
//! for its kind: 3 % of a CPU are not worth a word where 1 % is usual.

use super::super::{Limits, Side, Spec};
use super::week::{Week, level};
use picket_proto::event::CheckKind;

/// Days that are looked back.
const DAYS: usize = 7;
/// So many of them must be known.
const LEAST: usize = 3;
/// How many spreads are far: four standard deviations, where levels are spread like errors. Of 4, 6 and 8 over the simulated weeks
/// the first was wrong a third more often than the second, and the last missed twice as much.
const FAR: i64 = 6;

/// What is usual of a level at an hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::check) struct Bounds {
    above: Bound,
    /// Where low levels are worth a word.
    below: Option<Bound>,
}

/// One end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Bound {
    /// What is usual, and how far a level must be beyond it.
    usual: i64,
    far: i64,
}

impl Bounds {
    /// At this hour; nothing where too little is known of it.
    pub(super) fn at(week: &Week, hour: u32, spec: &Spec) -> Option<Self> {
        let (mut highs, mut lows, mut known) = ([0; DAYS], [0; DAYS], 0);
        let mut last = None;
        for ago in 1..=DAYS as u32 {
            last = week.day(hour, ago);
            if let Some(day) = last {
                (highs[known], lows[known]) = (level(day.high), -level(day.low));
                known += 1;
            }
        }
        if known < LEAST {
            return None;
        }
        // Last week's day, or else all that was ever seen.
        let all = last.or_else(|| week.known().reduce(super::Seen::with))?;
        let (high, low) = (level(all.high), -level(all.low));
        let above = Bound::over(&mut highs[..known], high, spec);
        let below = has_low(spec.kind).then(|| Bound::over(&mut lows[..known], low, spec));
        Some(Self { above, below })
    }

    /// On which side this level lies beyond what is usual, and what that is.
    pub(super) fn beyond(&self, level: i64) -> Option<(Side, i64)> {
        if self.above.is_beyond(level) {
            return Some((Side::Above, self.above.usual));
        }
        let below = self.below.filter(|below| below.is_beyond(-level))?;
        Some((Side::Below, -below.usual))
    }

    /// Whether what was told of this side still is so: the level lies beyond half of the way there.
    pub(super) fn keeps(&self, side: Side, level: i64) -> bool {
        match side {
            Side::Above => self.above.is_half_beyond(level),
            Side::Below => self.below.is_some_and(|below| below.is_half_beyond(-level)),
        }
    }

    /// What is usual on this side.
    pub(super) fn usual(&self, side: Side) -> i64 {
        match side {
            Side::Above => self.above.usual,
            Side::Below => self.low().unwrap_or(0),
        }
    }

    /// The lower end of what is usual, where there is one.
    pub(super) fn low(&self) -> Option<i64> {
        self.below.map(|below| -below.usual)
    }
}

impl Bound {
    /// Over the ends of some days, of which at least [`LEAST`] are known, and of one that counts in any case. What is below
    /// is held against with its sign turned.
    fn over(ends: &mut [i64], also: i64, spec: &Spec) -> Self {
        ends.sort_unstable();
        let (median, second) = (ends[ends.len() / 2], ends[ends.len() - 2]);
        ends.iter_mut().for_each(|end| *end = end.abs_diff(median).cast_signed());
        ends.sort_unstable();
        let spread = ends[ends.len() / 2];
        let usual = second.max(also);
        let far = matters(usual.abs(), spec).max(median + FAR * spread - usual);
        Self { usual, far }
    }

    const fn is_beyond(self, level: i64) -> bool {
        level - self.usual >= self.far
    }

    const fn is_half_beyond(self, level: i64) -> bool {
        level - self.usual >= self.far / 2
    }
}

/// Whether low levels of this kind can be a sign of trouble: that nothing waits and nothing is swapped is none.
const fn has_low(kind: CheckKind) -> bool {
    !matches!(kind, CheckKind::Swap | CheckKind::Pressure)
}

/// How far from usual is worth a word at least: a fifth of all cores, a tenth of the memory, one more that waits per core.
/// What a metric's numbers mean only its limits say: an eighth of the first, or a hundredth. Where a level has no upper end,
/// half of what is usual in any case.
fn matters(usual: i64, spec: &Spec) -> i64 {
    if spec.kind == CheckKind::Metric {
        let eighth = spec.limits.map_or(10, |Limits { degraded, .. }| degraded.saturating_abs() / 8);
        return (usual / 2).max(eighth).max(1);
    }
    let least = if spec.kind == CheckKind::Cpu { 200 } else { 100 };
    if spec.kind == CheckKind::Load { least.max(usual / 2) } else { least }
}
