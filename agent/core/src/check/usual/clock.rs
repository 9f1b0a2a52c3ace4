//! Which hour it is, as far as the wall clock can be trusted.
//!
//! It can once the kernel has called it synchronised, for the rest of the run: a clock that was right and has lost its
//! server goes on for days. When it moves by more than ten minutes against the clock that only counts, somebody has set it: from
//! then on it must be called synchronised anew, and what was under way belongs to no hour. A host whose clock was never set
//! so compares nothing and remembers nothing.

use picket_proto::{Now, Span};

/// More than any slewing makes between two inputs, and less than what moves an hour's habits.
const STEP: u64 = Span::from_secs(600).micros();
const HOUR: i64 = Span::from_secs(3600).micros().cast_signed();

/// The wall clock.
#[derive(Debug, Default)]
pub(crate) struct Clock {
    /// How far it is ahead of the clock that counts, microseconds.
    ahead: Option<i64>,
    is_set: bool,
    hour: u32,
}

impl Clock {
    /// The kernel says whether it is synchronised.
    pub(crate) fn synced(&mut self, is_synced: bool) {
        self.is_set |= is_synced;
    }

    /// The clocks at an input; whether the wall clock was set since the last one.
    pub(super) fn turn(&mut self, now: Now) -> bool {
        let ahead = now.wall.micros().saturating_sub_unsigned(now.mono.micros());
        let before = self.ahead.replace(ahead).unwrap_or(ahead);
        let is_step = before.abs_diff(ahead) > STEP;
        self.is_set &= !is_step;
        self.hour = u32::try_from(now.wall.micros() / HOUR).unwrap_or(0);
        is_step
    }

    /// Hours since 1970 in UTC; nothing while that is not known.
    pub(super) fn hour(&self) -> Option<u32> {
        Some(self.hour).filter(|hour| self.is_set && *hour > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use picket_proto::{Mono, Raw, Wall};

    fn at(mono: u64, wall: i64) -> Now {
        Now { mono: Mono::from_micros(mono), raw: Raw::from_micros(mono), wall: Wall::from_micros(wall) }
    }

    #[test]
    fn there_is_no_hour_before_the_clock_was_set_nor_after_a_step_until_it_is_set_again() {
        let (mut clock, hour) = (Clock::default(), HOUR as u64);
        assert!(!clock.turn(at(0, 5 * HOUR)) && clock.hour().is_none());
        clock.synced(true);
        clock.synced(false);
        assert_eq!(clock.hour(), Some(5), "that a server is away does no harm");
        assert!(!clock.turn(at(hour, 6 * HOUR + 500_000_000)), "a little");
        assert_eq!(clock.hour(), Some(6));
        assert!(clock.turn(at(hour, 9 * HOUR)) && clock.hour().is_none());
        assert!(!clock.turn(at(2 * hour, 10 * HOUR)) && clock.hour().is_none());
        clock.synced(true);
        assert_eq!(clock.hour(), Some(10));
        assert!(clock.turn(at(2 * hour, -HOUR)), "before 1970");
        clock.synced(true);
        assert_eq!(clock.hour(), None);
    }
}
