//! What a check's level was in each hour of a week, and of an hour before and behind it.
//!
//! An hour has the lowest and the highest mean that a part of it had, each in 16 bits: levels below 512 as they are, higher ones
//! by their upper nine bits, so that they are off by 0.4 % at most, whatever the unit. Codes order as their levels do. It
//! knows no clock: hours have numbers.

/// A week, and a neighbour on each side of its oldest hour.
pub(super) const HOURS: usize = 7 * 24 + 2;
const NONE: i16 = i16::MIN;
/// Bits of a level that are kept.
const BITS: u32 = 9;
/// The code of 2^51: what a damaged file says beyond it counts as that.
const CODE_MAX: i16 = 44 << (BITS - 1);

/// An hour's lowest and highest level, coded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) low: i16,
    pub(super) high: i16,
}

impl Seen {
    /// Both together.
    pub(super) fn with(self, other: Self) -> Self {
        Self { low: self.low.min(other.low), high: self.high.max(other.high) }
    }
}

/// The hours, in a ring.
#[derive(Debug, Clone)]
pub(super) struct Week {
    /// The number of the newest hour.
    pub(super) newest: u32,
    hours: [Seen; HOURS],
}

impl Week {
    /// Nothing was seen yet.
    pub(super) const EMPTY: Self = Self { newest: 0, hours: [Seen { low: NONE, high: NONE }; HOURS] };

    /// Of these, the oldest first.
    pub(super) fn of(newest: u32, hours: impl Iterator<Item = Seen>) -> Self {
        let mut week = Self { newest, ..Self::EMPTY };
        for (at, seen) in (newest.saturating_sub(HOURS as u32 - 1)..=newest).zip(hours) {
            // A lower end without a higher one is none.
            week.hours[place(at)] = if seen.low <= seen.high { seen } else { Self::EMPTY.hours[0] };
        }
        week
    }

    /// All hours, the oldest first.
    pub(super) fn line(&self) -> impl Iterator<Item = Seen> {
        let oldest = self.newest.saturating_sub(HOURS as u32 - 1);
        (0..HOURS as u32).map(move |at| self.hours[place(oldest + at)])
    }

    /// What was seen of this hour, which is the newest from now on. Hours that it jumps over are not known; nor are those
    /// behind it, where the clock went back.
    pub(super) fn put(&mut self, hour: u32, seen: Option<Seen>) {
        let (from, to) = (hour.min(self.newest), hour.max(self.newest));
        for other in (from + 1..=to).take(HOURS) {
            self.hours[place(other)] = Self::EMPTY.hours[0];
        }
        self.hours[place(hour)] = seen.unwrap_or(Self::EMPTY.hours[0]);
        self.newest = hour;
    }

    /// What was seen of this hour, if it is known.
    pub(super) fn at(&self, hour: u32) -> Option<Seen> {
        let is_there = hour <= self.newest && self.newest - hour < HOURS as u32;
        Some(self.hours[place(hour)]).filter(|seen| is_there && seen.low != NONE)
    }

    /// All hours that are known.
    pub(super) fn known(&self) -> impl Iterator<Item = Seen> {
        self.hours.iter().copied().filter(|seen| seen.low != NONE)
    }

    /// This hour so many days ago with its neighbours, where it is known.
    pub(super) fn day(&self, hour: u32, ago: u32) -> Option<Seen> {
        let hour = hour.checked_sub(24 * ago)?;
        let beside = [hour.saturating_sub(1), hour + 1].into_iter().filter_map(|hour| self.at(hour));
        self.at(hour).map(|seen| beside.fold(seen, Seen::with))
    }
}

const fn place(hour: u32) -> usize {
    hour as usize % HOURS
}

/// A level in 16 bits.
pub(super) fn coded(level: i64) -> i16 {
    let size = level.unsigned_abs();
    let cut = (u64::BITS - size.leading_zeros()).saturating_sub(BITS);
    let code = (u64::from(cut) << (BITS - 1)) + (size >> cut);
    let code = i16::try_from(code).map_or(CODE_MAX, |code| code.min(CODE_MAX));
    if level < 0 { -code } else { code }
}

/// The level of a code: the one of its kind that is nearest to zero.
pub(super) fn level(code: i16) -> i64 {
    let size = i64::from(code.saturating_abs().min(CODE_MAX));
    let cut = ((size >> (BITS - 1)) - 1).max(0);
    let level = (size - (cut << (BITS - 1))) << cut;
    if code < 0 { -level } else { level }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(level: i16) -> Option<Seen> {
        Some(Seen { low: level, high: level })
    }

    #[test]
    fn codes_order_as_levels_do_and_are_off_by_less_than_half_a_hundredth() {
        let mut before = None;
        let sizes =
            (0..2_000).chain((11..50).flat_map(|bits| [(1 << bits) - 1, 1 << bits, (1 << bits) + 77]));
        for size in sizes {
            let (code, back) = (coded(size), level(coded(size)));
            assert!(size >= back && size - back <= size / 250, "{size}: {back}");
            assert!(size >= 512 || size == back, "{size}");
            assert_eq!((coded(-size), level(-code)), (-code, -back));
            assert!(before <= Some(code), "{size}");
            before = Some(code);
        }
        let most = 1 << 51;
        assert_eq!([i64::MAX, i64::MIN, most].map(|size| level(coded(size))), [most, -most, most]);
        assert_eq!([i16::MAX, NONE].map(level), [most, -most]);
    }

    #[test]
    fn hours_are_found_for_a_week_and_those_that_were_not_seen_are_not_known() {
        let mut week = Week::EMPTY;
        for hour in 1000..1000 + HOURS as u32 {
            week.put(hour, seen(hour as i16).filter(|_| hour % 7 != 0));
        }
        assert_eq!(
            (week.at(1000), week.at(1001), week.at(1169), week.at(1170)),
            (seen(1000), None, None, None)
        );
        assert_eq!(week.at(1168), seen(1168));
        assert_eq!(week.day(1170, 7), Some(Seen { low: 1002, high: 1003 }), "1001 was not seen");
        assert_eq!(week.day(1169, 7), None, "nor is its day known");
        week.put(1172, seen(5));
        assert_eq!((week.at(1002), week.at(1003), week.at(1170)), (None, seen(1003), None));
        week.put(9_000, seen(6));
        assert_eq!((week.known().count(), week.at(9_000)), (1, seen(6)));
    }

    #[test]
    fn a_clock_that_went_back_forgets_what_was_to_come() {
        let mut week = Week::EMPTY;
        (1000..1100).for_each(|hour| week.put(hour, seen(1)));
        week.put(1090, seen(2));
        assert_eq!((week.at(1089), week.at(1090), week.at(1091)), (seen(1), seen(2), None));
        week.put(1091, seen(3));
        assert_eq!((week.at(1091), week.at(1092), week.known().count()), (seen(3), None, 92));
    }
}
