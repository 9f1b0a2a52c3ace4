//! How far down what is left usually goes before it comes back: a nightly dump that is moved away, a build, a cache that
//! is emptied.
//!
//! It came back where at least half of what had gone is there again, and a 64th of the whole: less than that is told by
//! the limits. Of such low points the four deepest of the last 15 days are kept, so that what comes once a week becomes a
//! habit after the second time. What went beyond the first limit of the level was trouble and no habit. Kept in memory
//! only: a new run of the agent learns it anew.

/// So many low points.
const KEPT: usize = 4;
/// 15 days: two weeks, and a day for a job that is late.
const DAYS: u64 = 15;
const HOUR: u64 = 3_600_000_000;

/// A low point.
#[derive(Debug, Clone, Copy)]
struct Low {
    left: u32,
    /// When it was over, in hours.
    hour: u32,
}

/// What is usual.
#[derive(Debug, Clone)]
pub(super) struct Habit {
    /// The most that was left since the last time that it came back, and the least after it.
    high: u32,
    low: u32,
    lows: [Option<Low>; KEPT],
}

impl Habit {
    /// Nothing is usual yet.
    pub(super) const NONE: Self = Self { high: 0, low: 0, lows: [None; KEPT] };

    /// So much of `whole` is left; below `trouble` the level itself is told.
    pub(super) fn saw(&mut self, micros: u64, left: u32, (whole, trouble): (u32, u32)) {
        let risen = left.saturating_sub(self.low);
        let gone = self.high.saturating_sub(self.low);
        if gone > 0 && risen >= (gone / 2).max(whole / 64) {
            if self.low > trouble {
                self.keep(Low { left: self.low, hour: hours(micros) });
            }
            (self.high, self.low) = (left, left);
        } else if left > self.high {
            (self.high, self.low) = (left, left);
        } else {
            self.low = self.low.min(left);
        }
    }

    fn keep(&mut self, new: Low) {
        let is_old = |low: &Low| u64::from(new.hour.saturating_sub(low.hour)) > DAYS * 24;
        let depth = |low: &Option<Low>| low.filter(|low| !is_old(low)).map_or(u32::MAX, |low| low.left);
        let shallowest = self.lows.iter_mut().max_by_key(|low| depth(low));
        if let Some(place) = shallowest.filter(|low| depth(low) >= new.left) {
            *place = Some(new);
        }
    }

    /// Down to where it went twice and came back.
    pub(super) fn usual(&self, micros: u64) -> Option<u32> {
        let (mut first, mut second) = (u32::MAX, u32::MAX);
        for low in self.lows.iter().flatten() {
            if u64::from(hours(micros).saturating_sub(low.hour)) <= DAYS * 24 {
                second = second.min(low.left.max(first));
                first = first.min(low.left);
            }
        }
        Some(second).filter(|second| *second < u32::MAX)
    }
}

/// Whole hours; 490,000 years fit.
fn hours(micros: u64) -> u32 {
    u32::try_from(micros / HOUR).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The habit after these levels, one an hour, of a thousand of which the last hundred are trouble.
    fn after(levels: &[u32]) -> (Habit, u64) {
        let mut habit = Habit::NONE;
        let mut at = 0;
        for left in levels {
            habit.saw(at, *left, (1000, 100));
            at += HOUR;
        }
        (habit, at)
    }

    #[test]
    fn usual_is_where_it_went_twice_and_came_back() {
        for (levels, usual) in [
            (&[800, 300, 800][..], None),
            (&[800, 300, 800, 250, 800], Some(300)),
            (&[800, 250, 800, 300, 800, 400, 800], Some(300)),
            (&[800, 250, 800, 50, 800], None),
            (&[800, 500, 740, 500, 800], Some(500)),
            (&[800, 700, 600, 500, 400], None),
            (&[800, 790, 800, 790, 800], None),
        ] {
            let (habit, at) = after(levels);
            assert_eq!(habit.usual(at), usual, "{levels:?}");
        }
    }

    #[test]
    fn the_deepest_stay_among_many_and_go_after_fifteen_days() {
        let mut levels = [800, 250, 800, 300].to_vec();
        levels.extend([800, 500].repeat(20));
        levels.push(800);
        let (mut habit, mut at) = after(&levels);
        assert_eq!(habit.usual(at), Some(300));
        at += (DAYS + 1) * 24 * HOUR;
        assert_eq!(habit.usual(at), None);
        for left in [500, 800, 600, 800] {
            habit.saw(at, left, (1000, 100));
        }
        assert_eq!(habit.usual(at), Some(600));
    }
}
