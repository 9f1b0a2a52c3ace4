//! Copies of data, weighed: how many, how large, how young, and whether the last drill gave the data back. Pure
//! functions that a port calls with what it found.
//!
//! The first that is bad is told: too few copies, the newest too small, a drill that failed; then the newest one's age
//! as a level. Where nothing of that is bad, a newest copy that has shrunk is a complaint.

use super::age_of;
use crate::check::{Limits, Reading};
use picket_proto::event::Cause;

/// How many copies before the newest are compared with it.
pub const BEFORE: usize = 7;

/// What should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted {
    /// So many copies; at least 1.
    pub copies: u32,
    /// The newest has so many bytes.
    pub min_size: u64,
    /// The newest has so many per cent of the middle one of up to seven before it; 0 asks for nothing.
    pub least_percent: u8,
}

/// What was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Copies<'c> {
    /// How many there are.
    pub found: u32,
    /// Seconds since the newest was made; below zero its date lies ahead.
    pub age: i64,
    /// Its bytes.
    pub size: u64,
    /// Bytes of those before it, sorted by size; [`BEFORE`] at most.
    pub before: &'c [u64],
    /// The status of the last drill that ended, 0 where there was none.
    pub drill: i32,
}

impl Copies<'_> {
    /// What they mean; `limits` are those that the level will be held against.
    pub fn weigh(self, wanted: Wanted, limits: Option<Limits>) -> Reading {
        if self.found == 0 {
            return Reading::Bad(Cause::Absent);
        }
        if self.found < wanted.copies {
            return Reading::Bad(Cause::TooFew { found: self.found, wanted: wanted.copies });
        }
        if self.size < wanted.min_size {
            return Reading::Bad(Cause::TooSmall { bytes: self.size, wanted: wanted.min_size });
        }
        if self.drill != 0 {
            return Reading::Bad(Cause::Ended(self.drill));
        }
        match (age_of(self.age), self.least(wanted.least_percent)) {
            (Reading::Level(age), Some(least)) if self.size < least && is_young(age, limits) => {
                Reading::Poor(Cause::TooSmall { bytes: self.size, wanted: least })
            }
            (reading, _) => reading,
        }
    }

    /// The bytes below which the newest has shrunk; none without copies before it.
    fn least(&self, percent: u8) -> Option<u64> {
        let middle = self.before.get(self.before.len() / 2)?;
        Some((middle / 100).saturating_mul(u64::from(percent)))
    }
}

/// Whether a drill is due, the last one having begun so many seconds ago. One that lies ahead of the clock says nothing.
pub fn is_due(begun: Option<i64>, every: i64) -> bool {
    begun.is_none_or(|begun| begun >= every || begun < 0)
}

/// Whether nothing is to be said of this age, so that a complaint hides nothing worse.
fn is_young(age: i64, limits: Option<Limits>) -> bool {
    limits.is_none_or(|limits| age < limits.degraded)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Side;

    const WANTED: Wanted = Wanted { copies: 3, min_size: 1_000, least_percent: 50 };
    const LIMITS: Option<Limits> = Some(Limits { degraded: 100, down: 200, bad: Side::Above });
    const SOUND: Copies<'_> = Copies { found: 3, age: 99, size: 2_000, before: &[3_000, 4_000], drill: 0 };

    fn weigh(copies: Copies<'_>) -> Reading {
        copies.weigh(WANTED, LIMITS)
    }

    #[test]
    fn sound_copies_are_as_old_as_the_newest() {
        assert_eq!(weigh(SOUND), Reading::Level(99));
    }

    #[test]
    fn each_thing_that_is_bad_is_told_the_worst_first() {
        let all = Copies { found: 2, size: 999, drill: 1, ..SOUND };
        assert_eq!(weigh(Copies { found: 0, ..all }), Reading::Bad(Cause::Absent));
        assert_eq!(weigh(all), Reading::Bad(Cause::TooFew { found: 2, wanted: 3 }));
        let all = Copies { found: 3, ..all };
        assert_eq!(weigh(all), Reading::Bad(Cause::TooSmall { bytes: 999, wanted: 1_000 }));
        assert_eq!(weigh(Copies { size: 1_000, ..all }), Reading::Bad(Cause::Ended(1)));
    }

    #[test]
    fn a_drill_is_due_when_its_time_has_come_again() {
        assert!(is_due(None, 60) && is_due(Some(60), 60) && is_due(Some(-1), 60));
        assert!(!is_due(Some(59), 60) && !is_due(Some(0), 60));
    }

    #[test]
    fn one_that_shrank_is_a_complaint_unless_it_is_old_too() {
        let shrunk = Copies { size: 1_999, ..SOUND };
        assert_eq!(weigh(shrunk), Reading::Poor(Cause::TooSmall { bytes: 1_999, wanted: 2_000 }));
        assert_eq!(weigh(Copies { age: 100, ..shrunk }), Reading::Level(100));
        assert_eq!(
            weigh(Copies { before: &[], ..shrunk }),
            Reading::Level(99),
            "the first one has nothing before it"
        );
        let wanted = Wanted { least_percent: 0, ..WANTED };
        assert_eq!(shrunk.weigh(wanted, LIMITS), Reading::Level(99));
    }
}
