//! Copies of data, weighed: how many, how large, how young, and whether the last drill gave the data back. Pure
//! functions that a port calls with what it found.
//!
//! The first that is bad is told: too few copies, the newest too small, a drill that failed; then the newest one's age
//! as a level. Where nothing of that is bad, a newest copy that has shrunk is a complaint; after that it is not known how
//! it stands while a drill can't be started.

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
        if self.drill != 0 && !is_unstarted(self.drill) {
            return Reading::Bad(Cause::Ended(self.drill));
        }
        match (age_of(self.age), self.least(wanted.least_percent)) {
            (Reading::Level(age), Some(least)) if self.size < least && is_young(age, limits) => {
                Reading::Poor(Cause::TooSmall { bytes: self.size, wanted: least })
            }
            (Reading::Level(age), _) if is_unstarted(self.drill) && is_young(age, limits) => {
                Reading::Bad(Cause::Local(ENOEXEC))
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

/// As a shell ends where a program can't be started.
pub const NOT_STARTED: i32 = 127;
/// As it ends where a program can't be executed.
const NOT_EXECUTED: i32 = 126;
/// After so many seconds a drill that did not end well may be tried again: each may be hours of work for a disk.
const RETRY: i64 = 3600;
/// The errno for a program that can't be executed, whatever hindered it.
const ENOEXEC: i32 = 8;

/// Whether a drill's status says that it never began: nothing is known of the copy then.
pub const fn is_unstarted(status: i32) -> bool {
    matches!(status, NOT_STARTED | NOT_EXECUTED)
}

/// The last drill.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Drilled {
    /// So many seconds ago it began; one that lies ahead of the clock says nothing.
    pub begun: i64,
    /// How the last one that ended did.
    pub status: i32,
    /// Whether the newest copy is another than it had.
    pub another: bool,
    /// Whether a person asks.
    pub asked: bool,
}

/// Whether a drill is due. One that did not end well is followed by another sooner: when there is another copy, when it
/// never began, and when a person asks.
pub fn is_due(last: Option<Drilled>, every: i64) -> bool {
    let Some(Drilled { begun, status, another, asked }) = last else { return true };
    let is_hopeful = status != 0 && (another || is_unstarted(status));
    let wait = if is_hopeful { every.min(RETRY) } else { every };
    begun < 0 || begun >= wait || (asked && status != 0)
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
        let last = |begun| Some(Drilled { begun, status: 0, another: true, asked: true });
        assert!(is_due(None, 60) && is_due(last(60), 60) && is_due(last(-1), 60));
        assert!(!is_due(last(59), 60) && !is_due(last(0), 60));
    }

    #[test]
    fn after_a_failed_drill_another_copy_or_a_person_makes_one_due() {
        let failed = Drilled { begun: 3600, status: 1, another: false, asked: false };
        assert!(!is_due(Some(failed), 86_400));
        assert!(is_due(Some(Drilled { another: true, ..failed }), 86_400));
        assert!(!is_due(Some(Drilled { another: true, begun: 3599, ..failed }), 86_400));
        assert!(is_due(Some(Drilled { asked: true, begun: 0, ..failed }), 86_400));
        assert!(is_due(Some(Drilled { status: 127, ..failed }), 86_400));
        assert!(!is_due(Some(Drilled { status: 126, begun: 3599, ..failed }), 86_400));
    }

    #[test]
    fn of_a_drill_that_never_began_nothing_is_known_and_it_hides_nothing() {
        let unknown = Reading::Bad(Cause::Local(ENOEXEC));
        let unstarted = Copies { drill: 127, ..SOUND };
        assert_eq!(weigh(unstarted), unknown);
        assert_eq!(weigh(Copies { drill: 126, ..SOUND }), unknown);
        assert_eq!(weigh(Copies { age: 100, ..unstarted }), Reading::Level(100));
        assert!(matches!(weigh(Copies { size: 1_999, ..unstarted }), Reading::Poor(_)));
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
