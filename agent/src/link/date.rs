//! What day it is, where the wall clock may not know: a board without a battery begins each boot at 1970, or at the day that
//! its firmware was made.
//!
//! Days that are over for sure, latest first: the one on which the collector made this run a certificate, carried on by
//! Mono, which no one sets; the first day of the host's own certificate and of its CA (`tls.rs` knows these); the day of this
//! release. A clock that shows less was never set. Nothing is kept on disk for this: what a run learned from a certificate stands
//! in that certificate. A clock that is ahead is not found out, but once this run has got a certificate it is not asked
//! any more when the next one is due, so that it has one made once per run and not at each connection.

use crate::identity::validity;
use picket_proto::{Mono, Now};
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

/// The newest entry of `packaging/changelog`, seconds after 1970: what runs was made on that day or later.
const RELEASED: i64 = 1_796_040_000;

/// What a run of the agent knows of the date. Times are seconds after 1970.
#[derive(Debug)]
pub(super) struct Dates {
    /// When the agent started.
    started: i64,
    /// The day of the release.
    released: i64,
    /// The collector's time less Mono, by the newest certificate that it made in this run; 0 before the first.
    learned: AtomicI64,
    /// The clock is behind, and that was told.
    told: AtomicBool,
}

impl Dates {
    /// Of an agent that starts at `now`.
    pub(super) const fn from(now: Mono) -> Self {
        let (learned, told) = (AtomicI64::new(0), AtomicBool::new(false));
        Self { started: seconds(now), released: RELEASED, learned, told }
    }

    /// Of a release of another day.
    #[cfg(test)]
    pub(super) const fn since(released: i64) -> Self {
        Self { released, ..Self::from(Mono::from_micros(0)) }
    }

    /// The collector made this certificate just now. It holds from an hour earlier on, so what is learned is that much behind.
    pub(super) fn learn(&self, certificate: &[u8], now: Mono) {
        if let Some((from, _)) = validity(certificate) {
            self.learned.store(from.saturating_sub(seconds(now)), Ordering::Relaxed);
        }
    }

    /// The latest time that is over, by the release and by what was learned.
    pub(super) fn floor(&self, now: Mono) -> i64 {
        self.carried_on(now).unwrap_or(i64::MIN).max(self.released)
    }

    /// Whether the certificate is to be renewed: two thirds of its life are over, but not all of it. That it has ended is the
    /// collector's to say, since a clock that says so may be ahead.
    pub(super) fn wants_renewal(&self, certificate: &[u8], now: Now) -> bool {
        let Some((from, to)) = validity(certificate) else { return false };
        let at = self.carried_on(now.mono).unwrap_or_else(|| {
            // The certificate was made before this run, which has lasted since.
            let lasted = seconds(now.mono).saturating_sub(self.started);
            let over = from.max(self.released).saturating_add(lasted);
            over.max(now.wall.micros().div_euclid(1_000_000))
        });
        is_late(from, to, at)
    }

    /// Notes whether the clock is behind what is over; whether that is news of a clock that is.
    pub(super) fn notes(&self, is_behind: bool) -> bool {
        !self.told.swap(is_behind, Ordering::Relaxed) && is_behind
    }

    fn carried_on(&self, now: Mono) -> Option<i64> {
        let learned = self.learned.load(Ordering::Relaxed);
        (learned != 0).then(|| learned.saturating_add(seconds(now)))
    }
}

const fn seconds(mono: Mono) -> i64 {
    (mono.micros() / 1_000_000).cast_signed()
}

const fn is_late(from: i64, to: i64, now: i64) -> bool {
    now.saturating_sub(from) >= to.saturating_sub(from) / 3 * 2 && now <= to
}

#[cfg(test)]
mod tests {
    use super::*;
    use picket_proto::{Raw, Wall};
    use rcgen::{CertificateParams, KeyPair};

    const DAY: i64 = 86_400;
    /// 2027-01-01
    const MADE: i64 = 1_798_761_600;

    /// A certificate for 90 days from that day on.
    fn made(at: i64) -> Vec<u8> {
        let mut params = CertificateParams::default();
        let seconds = std::time::Duration::from_secs(at.unsigned_abs());
        params.not_before = rcgen::date_time_ymd(1970, 1, 1) + seconds;
        params.not_after = params.not_before + std::time::Duration::from_secs(90 * 86_400);
        params.self_signed(&KeyPair::generate().unwrap()).unwrap().der().to_vec()
    }

    /// So many days after the agent's start, which was 1,000 s after the boot, with this wall clock.
    fn after(days: i64, wall: i64) -> Now {
        let mono = Mono::from_micros((1_000 + days * DAY).unsigned_abs() * 1_000_000);
        Now { mono, raw: Raw::from_micros(0), wall: Wall::from_micros(wall * 1_000_000) }
    }

    fn dates() -> Dates {
        Dates::from(after(0, 0).mono)
    }

    #[test]
    fn renewal_begins_at_two_thirds_of_the_life_and_is_the_collectors_word_after_its_end() {
        let (dates, own) = (dates(), made(MADE));
        for (day, wants) in [(0, false), (59, false), (60, true), (90, true), (91, false), (1_000, false)] {
            assert_eq!(dates.wants_renewal(&own, after(0, MADE + day * DAY)), wants, "{day}");
        }
    }

    #[test]
    fn a_clock_that_stays_at_1970_puts_no_renewal_off_for_longer_than_the_agent_was_off() {
        let (dates, own) = (dates(), made(MADE));
        for (day, wants) in [(0, false), (59, false), (60, true)] {
            assert_eq!(dates.wants_renewal(&own, after(day, day * DAY)), wants, "{day}");
        }
    }

    #[test]
    fn a_clock_that_is_ahead_has_one_certificate_made_per_run_and_then_the_next_in_its_time() {
        let (dates, mut own) = (dates(), made(MADE));
        let mut renewed = Vec::new();
        for day in 0..200 {
            let (now, collectors) = (after(day, MADE + (70 + day) * DAY), MADE + day * DAY);
            for _connection in 0..10 {
                if dates.wants_renewal(&own, now) {
                    own = made(collectors);
                    dates.learn(&own, now.mono);
                    renewed.push(day);
                }
            }
        }
        assert_eq!(renewed, [0, 60, 120, 180]);
    }

    #[test]
    fn what_was_learned_is_over_and_grows_with_mono_whatever_the_clock_says() {
        let dates = dates();
        assert_eq!(dates.floor(after(7, 0).mono), RELEASED);
        dates.learn(&made(MADE), after(0, 0).mono);
        assert_eq!(dates.floor(after(7, 0).mono), MADE + 7 * DAY);
        dates.learn(b"none", after(9, 0).mono);
        assert_eq!(dates.floor(after(9, 0).mono), MADE + 9 * DAY);
    }

    #[test]
    fn a_clock_that_is_behind_is_news_once_until_it_was_right_again() {
        let dates = dates();
        assert_eq!(
            [true, true, false, false, true].map(|is| dates.notes(is)),
            [true, false, false, false, true]
        );
    }

    #[test]
    fn the_day_of_the_release_is_that_of_its_changelog() {
        let log = concat!(env!("CARGO_MANIFEST_DIR"), "/../packaging/changelog");
        let log = std::fs::read_to_string(log).unwrap();
        let newest = log.lines().find(|line| line.starts_with(" -- ")).unwrap();
        let (_, date) = newest.split_once(">  ").unwrap();
        let date = jiff::fmt::rfc2822::parse(date).unwrap().timestamp().as_second();
        assert_eq!(RELEASED, date, "a release moves it");
    }
}
