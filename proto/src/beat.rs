//! What a heartbeat carries besides the time: a sample of the host, and how two machines' clocks lie to each other.
//!
//! The offset is measured as NTP does it (RFC 5905, section 8): four times of one round trip, of which the true
//! offset lies within half the delay of the middle. Nothing is assumed about which way took longer. Clocks drift, so
//! a measurement widens as it ages: by 100 ppm, more than crystals of boards and servers do.

use crate::time::{Mono, Span};
use serde::{Deserialize, Serialize};

/// Drift of two clocks against each other that is allowed for, in millionths.
const DRIFT_PPM: u64 = 100;

/// A look at the host and at its agent. What is not read on that host is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Sample {
    /// CPU in use, per mille.
    pub cpu: Option<u32>,
    /// Memory in use, per mille.
    pub memory: Option<u32>,
    /// One-minute load per core, hundredths.
    pub load: Option<u32>,
    /// Frames that wait in the spool.
    pub waiting: u32,
    /// Frames of this run that were given up, ever.
    pub lost: u64,
    /// Resident memory of the agent, KiB.
    pub rss_kib: Option<u32>,
    /// Where the link has a cap: what it carried of that in this period.
    pub carried: Option<Carried>,
}

/// What a link has carried in its present period, both ways together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Carried {
    /// Bytes with the headers of IP and TCP, as the agent counts them.
    pub bytes: u64,
    /// How many it should carry at most.
    pub cap: u64,
}

impl Carried {
    /// Whether only critical events go over it.
    pub const fn is_over(self) -> bool {
        self.bytes >= self.cap
    }
}

/// One round trip: sent here, received and answered there, heard here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trip {
    /// When the question left, by one's own clock.
    pub sent: Mono,
    /// When it came there, by the other's clock.
    pub received: Mono,
    /// When the answer left there, by the other's clock.
    pub answered: Mono,
    /// When it came here, by one's own clock.
    pub heard: Mono,
}

/// How far the other machine's Mono is ahead of one's own: `ahead` give or take `bound`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offset {
    /// Microseconds; negative where the other one is behind.
    pub ahead: i64,
    /// The truth lies no further than this from `ahead`.
    pub bound: Span,
}

impl Offset {
    /// What one round trip says; `None` where its times contradict each other.
    pub fn of(trip: Trip) -> Option<Self> {
        let [sent, received, answered, heard] =
            [trip.sent, trip.received, trip.answered, trip.heard].map(|at| i128::from(at.micros()));
        let delay = (heard - sent) - (answered - received);
        if heard < sent || answered < received || delay < 0 {
            return None;
        }
        let ahead = i64::try_from(((received - sent) + (answered - heard)) / 2).ok()?;
        // Half a microsecond may have been cut off in each of two halvings.
        Some(Self { ahead, bound: Span::from_micros(u64::try_from(delay / 2).ok()?.saturating_add(1)) })
    }

    /// The same measurement when it is `age` old.
    #[must_use]
    pub const fn aged(self, age: Span) -> Self {
        let drift = Span::from_micros(age.micros() / 1_000_000 * DRIFT_PPM);
        Self { bound: self.bound.plus(drift), ..self }
    }

    /// Whether `newer` says something that this one does not: the clocks have moved beyond the bound, or it is known
    /// twice as well now.
    pub const fn is_outdone_by(self, newer: Self) -> bool {
        let moved = self.ahead.abs_diff(newer.ahead) > self.bound.micros();
        moved || newer.bound.micros().saturating_mul(2) <= self.bound.micros()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trip(at: [u64; 4]) -> Option<Offset> {
        let [sent, received, answered, heard] = at.map(Mono::from_micros);
        Offset::of(Trip { sent, received, answered, heard })
    }

    #[test]
    fn the_truth_lies_within_the_bound_however_the_delay_is_split() {
        for (there, back) in [(0, 8_000), (8_000, 0), (4_000, 4_000), (1, 7_998)] {
            for ahead in [-5_000_000_i64, -1, 0, 1, 7_777_777] {
                let sent = 60_000_000_u64;
                let received = (sent + there).saturating_add_signed(ahead);
                let answered = received + 300_000;
                let heard = (answered + back).saturating_add_signed(-ahead);
                let found = trip([sent, received, answered, heard]).unwrap();
                assert!(found.ahead.abs_diff(ahead) <= found.bound.micros(), "{found:?} for {ahead}");
                assert!(found.bound <= Span::from_micros(4_001), "the time there is no delay: {found:?}");
            }
        }
    }

    #[test]
    fn times_that_contradict_each_other_say_nothing() {
        assert_eq!(trip([10, 0, 0, 9]), None, "heard before it was sent");
        assert_eq!(trip([10, 9, 8, 20]), None, "answered before it came");
        assert_eq!(trip([10, 0, 100, 20]), None, "longer there than it was away");
        assert_eq!(trip([10, 9, 20, 20]), None, "and be it by a microsecond");
        assert_eq!(trip([0, u64::MAX, u64::MAX, 1]), None, "beyond what 64 bits hold");
    }

    #[test]
    fn a_trip_that_took_no_time_is_exact() {
        assert_eq!(trip([10, 25, 25, 10]), Some(Offset { ahead: 15, bound: Span::from_micros(1) }));
    }

    #[test]
    fn only_news_outdoes_what_is_known() {
        let known = Offset { ahead: 1_000, bound: Span::from_micros(100) };
        let other = |ahead, bound| Offset { ahead, bound: Span::from_micros(bound) };
        assert!(!known.is_outdone_by(other(1_100, 60)), "within the bound");
        assert!(known.is_outdone_by(other(1_101, 100)), "moved");
        assert!(known.is_outdone_by(other(1_000, 50)), "twice as well known");
        assert!(other(i64::MIN, 0).is_outdone_by(other(i64::MAX, 0)));
        assert_eq!(known.aged(Span::from_secs(80)).bound, Span::from_micros(8_100));
    }
}
