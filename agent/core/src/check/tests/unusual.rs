//! Levels against their hours: what is told, when, and when it is taken back; how often that is wrong is in [`weeks`].

mod weeks;

use super::*;
use crate::check::usual::{Usual, Usuals};
use picket_proto::{Now, Raw, Wall};
use proptest::prelude::*;
use std::vec;

const MINUTE: u64 = 60_000_000;
/// Monday, 2 March 2026, 00:00 UTC.
const MONDAY: i64 = 1_772_409_600_000_000;
const HOUR: u64 = 60;
const DAY: u64 = 24 * HOUR;
const WEEK: u64 = 7 * DAY;

pub(super) fn spec_of(kind: CheckKind) -> Spec {
    Spec { kind, interval: Span::from_secs(60), unusual: Span::from_secs(1800), ..spec(None) }
}

/// The clocks so many minutes after that Monday, where the wall clock is ahead by so many minutes.
fn clocks(minute: u64, ahead: i64) -> Now {
    let mono = 7 * MINUTE + minute * MINUTE;
    let wall = MONDAY + (minute * MINUTE).cast_signed() + ahead * MINUTE.cast_signed();
    Now { mono: Mono::from_micros(mono), raw: Raw::from_micros(mono), wall: Wall::from_micros(wall) }
}

/// A check that reads a level once a minute.
struct Host {
    memory: List<Usual>,
    spec: Spec,
    minute: u64,
    /// From these minutes on: by how many minutes the wall clock is ahead, and whether the kernel calls it synchronised.
    clock: List<(u64, i64, bool)>,
    /// When something else was told than before, and what.
    told: List<(u64, Option<(i64, i64)>)>,
}

impl Host {
    fn new(kind: CheckKind) -> Self {
        let memory = vec![Usual::FREE; 1];
        Self { memory, spec: spec_of(kind), minute: 0, clock: vec![(0, 0, true)], told: List::new() }
    }

    /// Lives on until that minute, with these levels; `None`: it was off, or nothing was read.
    fn live(mut self, until: u64, level: impl Fn(u64) -> Option<i64>) -> Self {
        let mut usuals = Usuals::new(&mut self.memory);
        let mut before = self.told.last().and_then(|told| told.1);
        for minute in self.minute..until {
            let Some(level) = level(minute) else { continue };
            let clock = self.clock.iter().rfind(|clock| clock.0 <= minute);
            let (ahead, is_synced) = clock.map_or((0, false), |clock| (clock.1, clock.2));
            let now = clocks(minute, ahead);
            usuals.turn(now);
            usuals.clock.synced(is_synced);
            let says = usuals.look(now.mono, &Fact::new(0, Reading::Level(level)), &self.spec);
            let says = says.map(|says| match says {
                (Verdict::Degraded, Cause::Unusual { level, usual, .. }) => (level, usual),
                other => panic!("{other:?}"),
            });
            if says.is_some() != before.is_some() {
                self.told.push((minute, says));
            }
            before = says;
        }
        self.minute = until;
        self
    }

    /// Another run of the agent, which has what this one kept.
    fn again(self) -> Self {
        let mut slots = [Slot::new(self.spec.clone())];
        let mut memory = self.memory;
        let mut bytes = vec![0; crate::KEEP_MAX];
        let mut checks = Checks::new(&mut slots).with(&mut [], &mut memory);
        let used = checks.keep_weeks(&|_| 7, &mut bytes);
        assert!(used > 600 && used < 760, "{used} bytes");
        let mut memory = vec![Usual::FREE; 1];
        checks = checks.with(&mut [], &mut memory);
        assert_eq!(checks.restore_weeks(&|_| 7, &bytes[..used]), Some(1));
        Self { memory, told: List::new(), ..Self { spec: self.spec, ..Self::new(CheckKind::Cpu) } }
            .at(self.minute)
    }

    fn at(self, minute: u64) -> Self {
        Self { minute, ..self }
    }
}

/// Busy from 8 to 18 on weekdays.
fn office(minute: u64) -> i64 {
    let (day, hour) = (minute / DAY % 7, minute / HOUR % 24);
    if day < 5 && (8..18).contains(&hour) { 500 } else { 20 }
}

#[test]
fn what_was_never_so_at_this_hour_is_told_after_half_an_hour_with_what_is_usual_and_taken_back_after_a_quarter()
 {
    let from = 2 * WEEK + 2 * DAY + 3 * HOUR;
    let odd = from..from + 2 * HOUR;
    let host = Host::new(CheckKind::Cpu);
    let host = host.live(3 * WEEK, |at| Some(if odd.contains(&at) { 500 } else { office(at) }));
    let [(told, Some((500, 20))), (back, None)] = host.told[..] else { panic!("{:?}", host.told) };
    assert!((25..=35).contains(&(told - from)), "{}", told - from);
    assert!((10..=20).contains(&(back - odd.end)), "{}", back - odd.end);
    // The same in the middle of a working day is usual; and so is less than a fifth of all cores at any time.
    let host = Host::new(CheckKind::Cpu).live(3 * WEEK, |at| Some(office(at) + i64::from(at > from) * 190));
    assert_eq!(host.told, []);
}

#[test]
fn what_is_missing_is_told_as_well_where_that_can_be_trouble() {
    let from = 2 * WEEK + 2 * DAY + 10 * HOUR;
    let shop = |at: u64| if (8..18).contains(&(at / HOUR % 24)) { 500 } else { 20 };
    let gone = |at: u64| Some(if (from..from + 120).contains(&at) { 5 } else { shop(at) });
    let told = Host::new(CheckKind::Cpu).live(3 * WEEK, gone).told;
    assert!(matches!(told[..], [(_, Some((5, 500))), (_, None)]), "{told:?}");
    assert_eq!(Host::new(CheckKind::Pressure).live(3 * WEEK, gone).told, []);
}

/// What goes on at night where nothing does, from this minute on.
fn at_night(from: u64) -> impl Fn(u64) -> Option<i64> {
    move |at| Some(if (from..from + 4 * HOUR).contains(&at) { 900 } else { office(at) })
}

#[test]
fn a_first_weekend_tells_nothing_nor_a_first_monday_and_no_day_does_before_three_are_known() {
    let quiet = Host::new(CheckKind::Load).live(2 * WEEK, |at| Some(office(at)));
    assert_eq!(quiet.told, []);
    // On the third day nothing can be compared, on the fourth only what never was at any hour.
    for (night, is_told) in [(2, false), (3, true)] {
        let odd = at_night(night * DAY + 2 * HOUR);
        assert_eq!(!Host::new(CheckKind::Cpu).live(6 * DAY, odd).told.is_empty(), is_told, "night {night}");
    }
    let as_by_day = |at: u64| Some(if at / HOUR == 4 * 24 + 2 { 500 } else { office(at) });
    assert_eq!(Host::new(CheckKind::Cpu).live(6 * DAY, as_by_day).told, []);
}

#[test]
fn what_goes_on_is_usual_from_the_third_day_on() {
    let from = 2 * WEEK + 2 * HOUR;
    let told = Host::new(CheckKind::Memory).live(4 * WEEK, |at| Some(if at < from { 300 } else { 700 })).told;
    let [(_, Some((700, 300))), (back, None)] = told[..] else { panic!("{told:?}") };
    assert!((2 * DAY - HOUR..2 * DAY + 2 * HOUR).contains(&(back - from)), "{}", back - from);
}

#[test]
fn hours_without_an_agent_are_not_known_and_a_restart_keeps_the_others() {
    let from = 2 * WEEK + DAY + 3 * HOUR;
    let host = Host::new(CheckKind::Cpu).live(2 * WEEK, |at| Some(office(at)));
    let host = host.again().live(3 * WEEK, at_night(from));
    assert!((25..=35).contains(&(host.told[0].0 - from)), "{:?}", host.told);
    // Away for five days: too little is known of each hour, for one day more.
    for (away, is_told) in [(4, true), (5, false), (9, false)] {
        let host = Host::new(CheckKind::Cpu).live(2 * WEEK, |at| Some(office(at)));
        let from = 2 * WEEK + away * DAY + 3 * HOUR;
        let host = host.again().at(2 * WEEK + away * DAY).live(from + 3 * HOUR, at_night(from));
        assert_eq!(!host.told.is_empty(), is_told, "{away} days");
    }
}

#[test]
fn an_hour_of_which_less_than_half_was_seen_is_not_known() {
    // From the half hour that makes the first mean on.
    for (minutes, is_told) in [(45, false), (60, true)] {
        let is_on = |at: u64| at >= 9 * DAY || (600..600 + minutes).contains(&(at % DAY));
        let level = |at: u64| is_on(at).then_some(if at < 9 * DAY { 20 } else { 900 });
        let host = Host::new(CheckKind::Cpu).live(9 * DAY + 12 * HOUR, level);
        assert_eq!(!host.told.is_empty(), is_told, "{minutes} min");
    }
}

#[test]
fn a_clock_that_was_never_set_or_was_stepped_compares_nothing() {
    let from = 2 * WEEK + DAY + 3 * HOUR;
    for (clock, is_told) in [
        (vec![(0, 0, true)], true),
        (vec![(0, 0, true), (DAY, 0, false)], true),
        (vec![(0, 0, false)], false),
        (vec![(0, 0, true), (from, 300, false)], false),
    ] {
        let host = Host { clock: clock.clone(), ..Host::new(CheckKind::Cpu) };
        assert_eq!(!host.live(3 * WEEK, at_night(from)).told.is_empty(), is_told, "{clock:?}");
    }
    // Set wrong and right again, each time with the kernel's word: what was learned meanwhile is forgotten, and no hour is taken
    // for another.
    for (ahead, lasts) in [(300, 40), (-300, 40), (1440 * 400, 300), (-1440 * 400, 300)] {
        let clock = vec![(0, 0, true), (2 * WEEK, ahead, true), (2 * WEEK + lasts, 0, true)];
        let host = Host { clock, ..Host::new(CheckKind::Cpu) };
        assert_eq!(host.live(4 * WEEK, |at| Some(office(at))).told, [], "{ahead} min ahead");
    }
}

#[test]
fn a_point_that_is_missing_now_and_then_does_no_harm_and_a_pause_begins_anew() {
    let from = 2 * WEEK + DAY + 3 * HOUR;
    let some = |at: u64| at_night(from)(at).filter(|_| at % 17 > 6);
    let told = Host::new(CheckKind::Cpu).live(3 * WEEK, some).told;
    assert!((25..=40).contains(&(told[0].0 - from)), "{told:?}");
    let paused = |at: u64| at_night(from)(at).filter(|_| !(from + 20..from + 60).contains(&at));
    let told = Host::new(CheckKind::Cpu).live(3 * WEEK, paused).told;
    assert!((60 + 25..=60 + 40).contains(&(told[0].0 - from)), "{told:?}");
}

/// A page that was away for hours says nothing of what was told before: it must be so for that time again.
#[test]
fn what_was_told_is_taken_back_by_a_pause_as_long_as_it_takes_to_tell_it() {
    let from = 2 * WEEK + DAY + 2 * HOUR;
    for (pause, is_over) in [(20, false), (90, true)] {
        let paused = |at: u64| at_night(from)(at).filter(|_| !(from + 40..from + 40 + pause).contains(&at));
        let told = Host::new(CheckKind::Cpu).live(2 * WEEK + DAY + 5 * HOUR, paused).told;
        let back = told.get(1).filter(|told| told.0 <= from + 40 + pause + 5);
        assert_eq!(back.is_some(), is_over, "{told:?}");
        assert!(!is_over || told[2].0 >= from + 40 + pause + 25, "{told:?}");
    }
}

#[test]
fn only_who_asks_for_it_and_finds_memory_is_held_against_the_past() {
    let mut memory = vec![Usual::FREE; 1];
    let mut usuals = Usuals::new(&mut memory);
    let asks = spec_of(CheckKind::Cpu);
    let none = Spec { unusual: Span::ZERO, ..asks.clone() };
    for (check, spec) in [(0, &none), (1, &asks), (2, &asks)] {
        assert_eq!(usuals.look(at(60), &Fact::new(check, Reading::Level(5)), spec), None);
    }
    let is_its = |check: CheckIx, usuals: &Usuals<'_>| usuals.all.iter().any(|usual| usual.is_of(check));
    assert_eq!([0, 1, 2].map(|check| is_its(check, &usuals)), [false, true, false]);
    usuals.forget(1);
    assert_eq!(usuals.look(at(60), &Fact::new(2, Reading::Bad(Cause::Refused)), &asks), None);
    assert!(!is_its(2, &usuals), "it has no level");
    usuals.look(at(60), &Fact::new(2, Reading::Level(5)), &asks);
    assert!(is_its(2, &usuals));
}

proptest! {
    #![proptest_config(crate::tests::replay::cases(48))]

    /// Whatever is read, whenever, by whatever clock: it comes to something, to the same again, and is never down.
    #[test]
    fn no_reading_does_harm(
        readings in prop::collection::vec((0u64..10_000_000_000, any::<i64>(), any::<i64>(), 0u32..64, any::<bool>()), 1..300),
        unusual in any::<u64>(),
        interval in any::<u64>(),
        (limit, hours) in (any::<i64>(), prop::collection::vec(any::<u8>(), 4..80)),
    ) {
        let spec = Spec {
            unusual: Span::from_micros(unusual >> (unusual % 50)),
            interval: Span::from_micros(interval >> (interval % 50)),
            limits: Some(Limits { degraded: limit, down: limit, bad: Side::Above }),
            ..spec_of(CheckKind::Metric)
        };
        let kept = |checks: &Checks<'_>| {
            let mut bytes = vec![0; 1000];
            let used = checks.keep_weeks(&|_| 0, &mut bytes);
            let body = used.saturating_sub(680);
            (body..used).for_each(|at| bytes[at] = hours[at % hours.len()]);
            bytes.truncate(used);
            bytes
        };
        let run = || {
            let (mut memory, mut slots) = (vec![Usual::FREE; 2], [Slot::new(spec.clone())]);
            let (mut checks, mut mono) = (Checks::new(&mut slots).with(&mut [], &mut memory), 0);
            checks.usuals.look(Mono::default(), &Fact::new(0, Reading::Level(0)), &spec);
            let kept = kept(&checks);
            checks.usuals.forget(0);
            let is_asked = spec.unusual > Span::ZERO;
            assert_eq!(checks.restore_weeks(&|_| 0, &kept), Some(u16::from(is_asked)));
            let look = |(pause, wall, level, cut, synced): &(u64, i64, i64, u32, bool)| {
                mono += *pause;
                let now = Now { mono: Mono::from_micros(mono), raw: Raw::from_micros(0), wall: Wall::from_micros(wall >> cut) };
                checks.turn(now);
                checks.synced(*synced);
                checks.usuals.look(now.mono, &Fact::new(0, Reading::Level(level >> cut)), &spec)
            };
            readings.iter().map(look).collect::<List<_>>()
        };
        let told = run();
        prop_assert!(told.iter().flatten().all(|told| told.0 == Verdict::Degraded));
        prop_assert_eq!(told, run());
    }
}
