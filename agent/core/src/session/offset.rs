//! How the collector's clock lies to ours, by the round trips of this session.
//!
//! The last 8 trips are kept, 80 s of heartbeats, and the one that bounds the offset best speaks (the clock filter of
//! RFC 5905, section 10, with the delay's half and the age as its measure). It is told when it says something that
//! the one told before does not. A new session begins anew: another collector may answer it.

use heapless::Deque;
use picket_proto::beat::Trip;
use picket_proto::{Mono, Offset};

/// As many as the clock filter of RFC 5905 keeps.
const TRIPS: usize = 8;

/// The trips of a session.
#[derive(Debug, Default)]
pub(super) struct Offsets {
    trips: Deque<(Mono, Offset), TRIPS>,
    told: Option<Offset>,
}

impl Offsets {
    /// A round trip ended; one whose times contradict each other is left out.
    pub(super) fn on(&mut self, trip: Trip) {
        let Some(offset) = Offset::of(trip) else { return };
        if self.trips.is_full() {
            self.trips.pop_front();
        }
        let _there_is_a_place = self.trips.push_back((trip.heard, offset));
    }

    /// What is known now, if anything.
    pub(super) fn best(&self, now: Mono) -> Option<Offset> {
        let aged = self.trips.iter().map(|(at, offset)| offset.aged(now.since(*at)));
        aged.min_by_key(|offset| offset.bound)
    }

    /// What is known now, if it is news; counts as told.
    pub(super) fn news(&mut self, now: Mono) -> Option<Offset> {
        let best = self.best(now)?;
        let news = self.told.is_none_or(|told| told.is_outdone_by(best));
        news.then(|| *self.told.insert(best))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use picket_proto::Span;

    fn trip(at: u64, ahead: u64, delay: u64) -> Trip {
        let us = Mono::from_micros;
        let there = at + ahead + delay / 2;
        Trip { sent: us(at), received: us(there), answered: us(there), heard: us(at + delay) }
    }

    #[test]
    fn the_tightest_trip_speaks_until_it_is_too_old_and_only_news_is_told() {
        let mut offsets = Offsets::default();
        assert_eq!(offsets.news(Mono::default()), None);
        offsets.on(trip(0, 5_000, 90_000));
        let first = offsets.news(Mono::from_micros(90_000)).unwrap();
        assert_eq!((first.ahead, first.bound), (5_000, Span::from_micros(45_001)));
        offsets.on(trip(10_000_000, 5_200, 1_000));
        let now = Mono::from_micros(10_001_000);
        assert_eq!(offsets.news(now).unwrap().ahead, 5_200, "it is known much better");
        for beat in 2..9 {
            offsets.on(trip(beat * 10_000_000, 5_400, 80_000));
            assert_eq!(offsets.news(Mono::from_micros(beat * 10_000_000 + 80_000)), None, "beat {beat}");
        }
        offsets.on(trip(90_000_000, 95_000, 80_000));
        let moved = offsets.best(Mono::from_micros(90_080_000)).unwrap();
        assert!(moved.bound >= Span::from_micros(40_000), "the tight one is forgotten: {moved:?}");
        for beat in 10..18 {
            offsets.on(trip(beat * 10_000_000, 95_000, 1_000));
        }
        assert_eq!(offsets.news(Mono::from_micros(170_001_000)).unwrap().ahead, 95_000, "the clocks moved");
    }
}
