//! What was left of a thing over the last 30 points, and how fast it falls.
//!
//! A point keeps the most that was left in its time, so that what comes and goes within one point is not seen. Thirty are
//! enough: a point that is off by the whole of what is left moves the rate as little as one that is off by a hair, as
//! long as fewer than 29 % are. The rate is the median of the slopes between any two points (P. K. Sen, Estimates of the
//! regression coefficient based on Kendall's tau, JASA 63, 1968, after H. Theil, 1950), found by halving the range in
//! which it may lie and counting on which side the slopes are: whole numbers, without a list of the 435 slopes. A time in
//! which nothing was read has no point. It knows no clock: points have numbers.

/// So many points; a multiple of twice [`PARTS`].
pub(super) const POINTS: usize = 30;
/// The window in parts, each of which must have fallen below the one before.
const PARTS: usize = 6;
/// Points of a part.
const PART: usize = POINTS / PARTS;
/// A part must fall by its share of the whole, divided by this: steady in the large, and no ruler in the small. A rate that
/// grows from nothing begins with an eleventh, one that doubles within the window passes.
const UNEVEN: i64 = 4;
/// Rates are in 64ths, so that what loses one in a minute has a rate.
pub(super) const FINE: u64 = 64;
const NONE: u32 = u32::MAX;

/// The points, in a ring.
#[derive(Debug, Clone)]
pub(super) struct Window {
    /// The number of the newest point.
    newest: u64,
    left: [u32; POINTS],
}

impl Window {
    /// Nothing was read yet.
    pub(super) const EMPTY: Self = Self { newest: 0, left: [NONE; POINTS] };

    /// The number of the newest point.
    pub(super) const fn newest(&self) -> u64 {
        self.newest
    }

    /// So much is left at this point, which is the newest or comes after it.
    pub(super) fn put(&mut self, point: u64, left: u32) {
        let skipped = point.saturating_sub(self.newest).min(POINTS as u64);
        for gone in 0..skipped {
            *self.at(point - gone) = NONE;
        }
        self.newest = point;
        let kept = self.at(point);
        *kept = if *kept == NONE { left } else { left.max(*kept) };
    }

    fn at(&mut self, point: u64) -> &mut u32 {
        &mut self.left[(point % POINTS as u64) as usize]
    }

    /// The points, the oldest first.
    fn line(&self) -> [u32; POINTS] {
        let mut line = self.left;
        line.rotate_left(((self.newest + 1) % POINTS as u64) as usize);
        line
    }

    /// By how many 64ths it fell from point to point, from the first part to the last; 0 where it did not.
    pub(super) fn fallen(&self) -> u64 {
        let tops = tops(&self.line());
        let fallen = tops.map_or(0, |tops| tops[0] - tops[PARTS - 1]);
        u64::try_from(fallen).unwrap_or(0) * FINE / (POINTS - PART) as u64
    }

    /// By how many 64ths it falls from point to point, if it fell all along: the slower of the rate of the whole and that
    /// of its second half, so that one step makes no rate, and what slows down is believed first.
    pub(super) fn rate(&self) -> Option<u64> {
        let line = self.line();
        let tops = tops(&line)?;
        if tops.windows(2).any(|two| two[0] <= two[1]) {
            return None;
        }
        let rate = median(&line).min(median(&line[POINTS / 2..]));
        let share = rate * PART as i64;
        let is_steady = tops.windows(2).all(|two| (two[0] - two[1]) * FINE as i64 * UNEVEN >= share);
        u64::try_from(rate).ok().filter(|rate| *rate > 0 && is_steady)
    }
}

/// The most that was left in each part; nothing where one has fewer than two points.
fn tops(line: &[u32; POINTS]) -> Option<[i64; PARTS]> {
    let mut tops = [0; PARTS];
    for (top, part) in tops.iter_mut().zip(line.chunks(PART)) {
        let known = part.iter().filter(|left| **left != NONE);
        if known.clone().count() < 2 {
            return None;
        }
        *top = known.max().copied().map_or(0, i64::from);
    }
    Some(tops)
}

/// The median of the slopes between any two points, downwards, in 64ths; 0 where it rises.
fn median(line: &[u32]) -> i64 {
    let (mut low, mut high) = (0, i64::from(u32::MAX) * FINE as i64);
    while low + 1 < high {
        let middle = i64::midpoint(low, high);
        if is_steeper(line, middle) {
            low = middle;
        } else {
            high = middle;
        }
    }
    low
}

/// Whether half of the slopes are at least so steep.
fn is_steeper(line: &[u32], rate: i64) -> bool {
    let (mut steeper, mut flatter) = (0, 0);
    for (at, one) in line.iter().enumerate() {
        for (apart, other) in (1..).zip(&line[at + 1..]) {
            if *one != NONE && *other != NONE {
                let is_steeper = (i64::from(*one) - i64::from(*other)) * FINE as i64 >= rate * apart;
                *(if is_steeper { &mut steeper } else { &mut flatter }) += 1;
            }
        }
    }
    steeper >= flatter
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(left: impl Fn(u64) -> Option<u32>) -> Window {
        let mut window = Window::EMPTY;
        for point in 100..130 {
            if let Some(left) = left(point - 100) {
                window.put(point, left);
            }
        }
        window
    }

    #[test]
    fn a_line_has_its_own_slope_also_with_points_missing_or_far_off() {
        let line = |at: u64| 10_000 - 7 * at as u32;
        assert_eq!(window(|at| Some(line(at))).rate(), Some(7 * 64));
        assert_eq!(window(|at| (at % 3 != 0).then(|| line(at))).rate(), Some(7 * 64));
        assert_eq!(window(|at| Some(if at == 17 { 0 } else { line(at) })).rate(), Some(7 * 64));
        assert_eq!(window(|at| (at > 6).then(|| line(at))).rate(), None, "too short");
    }

    #[test]
    fn what_stands_rises_or_fell_once_has_no_rate() {
        assert_eq!(window(|_| Some(500)).rate(), None);
        assert_eq!(window(|at| Some(500 + at as u32)).rate(), None);
        assert_eq!(window(|at| Some(if at < 15 { 900 } else { 400 })).rate(), None);
        assert_eq!(window(|at| Some(900 - 20 * at.min(20) as u32)).rate(), None, "it stopped");
        assert_eq!(window(|at| Some(900 - 20 * at.saturating_sub(10) as u32)).rate(), None, "it began");
    }

    #[test]
    fn one_step_within_a_slow_fall_is_not_taken_for_its_rate() {
        for step in 1..30 {
            let line = |at: u64| 100_000 - 10 * at as u32 - if at >= step { 50_000 } else { 0 };
            let rate = window(|at| Some(line(at))).rate();
            assert!(rate.is_none_or(|rate| rate <= 20 * 64), "a step at {step}: {rate:?}");
        }
    }

    #[test]
    fn a_rate_below_one_a_point_is_told_in_64ths() {
        assert_eq!(window(|at| Some(1000 - (at / 2) as u32)).rate(), Some(32));
    }
}
