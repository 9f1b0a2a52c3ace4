//! What ran, weighed: jobs by their last run, backups by their copies. Pure functions that a port calls with what it found, since what is bad
//! about that is not a port's business.

mod copies;
mod unit;

pub use copies::{BEFORE, Copies, Drilled, NOT_STARTED, Wanted, is_due, is_unstarted};
pub use unit::{Service, Timer};

use crate::check::Reading;
use picket_proto::event::Cause;

/// By how many seconds a date may lie ahead of the clock, which may have been set back a little, before it says
/// nothing: five minutes.
const AHEAD: i64 = 300;

/// What is known of a job. Times are seconds before now; below zero they lie ahead.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Runs {
    /// For how long one has been running, if one is.
    pub running: Option<i64>,
    /// The status with which the last one ended, if it did not end well.
    pub failed: Option<i32>,
    /// Since one last ended well, if ever.
    pub well: Option<i64>,
}

impl Runs {
    /// What they mean where one may take `max_runtime` seconds. A run that takes longer is told first, then one that
    /// ended badly; else the level is since when none ended well. While one runs and none is known to have
    /// ended well, it is since that began.
    pub fn weigh(self, max_runtime: i64) -> Reading {
        match self {
            Self { running: Some(running), .. } if running > max_runtime => Reading::Bad(Cause::Overdue),
            Self { failed: Some(status), .. } => Reading::Bad(Cause::Ended(status)),
            Self { well: Some(age), .. } => age_of(age),
            Self { running: Some(age), .. } => age_of(age),
            Self { running: None, failed: None, well: None } => Reading::Bad(Cause::Absent),
        }
    }
}

/// An age in seconds as a level. One far ahead of the clock would stand as young for ever.
pub const fn age_of(age: i64) -> Reading {
    let ahead = Cause::Beyond { level: age, limit: -AHEAD };
    if age < -AHEAD { Reading::Bad(ahead) } else { Reading::Level(age) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_that_takes_too_long_goes_before_one_that_failed_and_that_before_an_age() {
        let all = Runs { running: Some(61), failed: Some(3), well: Some(7) };
        assert_eq!(all.weigh(60), Reading::Bad(Cause::Overdue));
        assert_eq!(all.weigh(61), Reading::Bad(Cause::Ended(3)));
        assert_eq!(Runs { failed: None, ..all }.weigh(61), Reading::Level(7));
    }

    #[test]
    fn one_that_never_ran_is_absent_and_the_first_one_is_given_time() {
        assert_eq!(Runs::default().weigh(60), Reading::Bad(Cause::Absent));
        assert_eq!(Runs { running: Some(5), ..Runs::default() }.weigh(60), Reading::Level(5));
    }

    #[test]
    fn a_date_far_ahead_says_nothing() {
        let ended = |age| Runs { well: Some(age), ..Runs::default() }.weigh(60);
        assert_eq!(ended(-300), Reading::Level(-300));
        assert_eq!(ended(-301), Reading::Bad(Cause::Beyond { level: -301, limit: -300 }));
    }
}
