//! Forecasts of one mount: what is told, when, and when it is taken back. How often they are wrong is in [`super::weeks`].

use super::*;
use crate::check::trend::{self as judge, Trend};
use proptest::prelude::*;

const OF: u64 = 100 << 20;
/// With four hours ahead: a point takes 160 s, the short window 80 min.
const WINDOW: u64 = 80;

fn spec_of(full_within: Span) -> Spec {
    let limits = Some(Limits { degraded: 900, down: 970, bad: Side::Above });
    Spec {
        kind: CheckKind::Space,
        name: "space:/srv".parse().unwrap(),
        fall: 1,
        rise: 1,
        full_within,
        ..spec(limits)
    }
}

/// What is told, minute by minute, where so much is in use of [`OF`]; `None`: it was not read.
fn told(used: impl Fn(u64) -> Option<u64>, minutes: u64) -> List<(u64, Verdict)> {
    let (mut trends, mut told) = ([Trend::FREE], List::new());
    let spec = spec_of(Span::from_secs(4 * 3600));
    let mut before = Verdict::Up;
    for minute in 0..minutes {
        let Some(used) = used(minute) else { continue };
        let fact = Fact::new(0, Reading::Room { left: OF.saturating_sub(used), of: OF });
        let says = judge::look(&mut trends, (at(1_000_000 + minute * 60), &fact), &spec);
        let verdict = says.map_or(Verdict::Up, |(verdict, _)| verdict);
        if verdict != before {
            told.push((minute, verdict));
        }
        before = verdict;
    }
    told
}

#[test]
fn steady_growth_is_told_four_hours_before_it_is_full_and_down_within_the_last_one() {
    // Full after 20 hours.
    let told = told(|minute| Some(OF / 1200 * minute), 1200);
    let [(degraded, Verdict::Degraded), (down, Verdict::Down)] = told[..] else { panic!("{told:?}") };
    assert!((1200 - 240..1200 - 225).contains(&degraded), "{degraded}");
    assert!((1200 - 60..1200 - 45).contains(&down), "{down}");
}

#[test]
fn what_grows_faster_and_faster_is_told_before_it_is_full() {
    let told = told(|minute| Some(OF * minute / 1200 * minute / 1200), 1200);
    assert!(told[0].0 < 1200 - 180 && told[0].1 == Verdict::Degraded, "{told:?}");
    assert_eq!(told.last().unwrap().1, Verdict::Down);
}

#[test]
fn what_is_over_by_itself_is_never_told() {
    let gib = 1 << 20;
    let hill = |at: u64, takes: u64, height: u64| if at < takes { height * at / takes } else { 0 };
    let shapes: [(&str, &dyn Fn(u64) -> u64); 7] = [
        ("nothing", &|_| 50 * gib),
        ("less", &|at| 90 * gib - at * gib / 100),
        ("a sawtooth of 40 min", &|at| 60 * gib + hill(at % 40, 40, 35 * gib)),
        ("a rotation at night", &|at| {
            60 * gib + hill(at % 1440, 1440, 20 * gib) + hill(at % 1440, 30, 10 * gib)
        }),
        ("a package", &|at| 60 * gib + hill(at.min(503).saturating_sub(500), 4, 20 * gib)),
        ("a burst, then flat", &|at| 40 * gib + at.clamp(500, 550) * gib / 2),
        ("builds of 50 min", &|at| 40 * gib + hill(at % 240, 50, 55 * gib)),
    ];
    for (name, used) in shapes {
        assert_eq!(told(|at| Some(used(at)), 4 * 1440), [], "{name}");
    }
}

#[test]
fn growth_that_stops_and_files_that_are_deleted_take_it_back() {
    let grows = |minute: u64| OF / 1200 * minute;
    let stops = told(|minute| Some(grows(minute.min(1000))), 1200);
    let [(_, Verdict::Degraded), (back, Verdict::Up)] = stops[..] else { panic!("{stops:?}") };
    assert!((1000..1000 + WINDOW).contains(&back), "{stops:?}");
    let deleted = told(|minute| Some(grows(minute) - if minute < 1000 { 0 } else { OF / 2 }), 1200);
    let [(_, Verdict::Degraded), (back, Verdict::Up)] = deleted[..] else { panic!("{deleted:?}") };
    assert!((1000..1015).contains(&back), "{deleted:?}");
}

#[test]
fn readings_that_are_missing_change_nothing_and_a_long_pause_begins_anew() {
    let grows = |minute: u64| OF / 1200 * minute;
    let some = told(|minute| (minute % 7 > 3).then(|| grows(minute)), 1200);
    assert!((955..975).contains(&some[0].0), "{some:?}");
    // Suspended for 11 hours: nothing is read, and grows.
    let pause = |minute: u64| if minute < 300 { minute } else { minute.saturating_sub(660).max(300) };
    let paused = told(|minute| (!(300..960).contains(&minute)).then(|| grows(pause(minute))), 1860);
    assert!((1860 - 240..1860 - 225).contains(&paused[0].0), "{paused:?}");
    let late = told(|minute| (!(300..1000).contains(&minute)).then(|| grows(minute)), 1200);
    assert!((1000 + WINDOW - 15..1000 + WINDOW + 15).contains(&late[0].0), "seen anew first: {late:?}");
}

#[test]
fn another_mount_in_its_place_is_looked_at_anew() {
    let (mut trends, spec) = ([Trend::FREE], spec_of(Span::from_secs(4 * 3600)));
    let mut look = |minute: u64, left: u64, of: u64| {
        let fact = Fact::new(0, Reading::Room { left, of });
        judge::look(&mut trends, (at(minute * 60), &fact), &spec).is_some()
    };
    let mut is_told = false;
    for minute in 0..1000 {
        is_told = look(minute, OF - OF / 1200 * minute, OF);
    }
    assert!(is_told);
    assert!(!look(1000, OF / 50, OF * 2), "another size");
    assert!((1001..1100).all(|minute| !look(minute, OF / 50, OF * 2)), "and it stands");
}

#[test]
fn where_it_went_twice_and_came_back_it_is_not_told_a_third_time_unless_it_goes_on() {
    // Three hours up to 80 % at the same time each day; on the fifth day it does not stop.
    let day = |at: u64| if at < 180 { OF * at / 225 } else { 0 };
    let used =
        |minute: u64| if minute < 4 * 1440 { day(minute % 1440) } else { OF * (minute - 4 * 1440) / 225 };
    let told = told(|minute| Some(used(minute).min(OF)), 4 * 1440 + 225);
    let begun: List<u64> = told.iter().filter(|it| it.1 == Verdict::Degraded).map(|it| it.0 / 1440).collect();
    assert_eq!(begun, [0, 1, 4], "{told:?}");
    assert!(told.last().unwrap().0 < 4 * 1440 + 225 - 25, "before it is full: {told:?}");
}

/// Answers the probe that is due; what was told.
fn answer(checks: &mut Checks<'_>, left: u64) -> Option<(Verdict, Option<Cause>)> {
    read(checks, Reading::Room { left, of: OF }).1
}

#[test]
fn a_check_is_degraded_by_what_comes_and_says_how_fast_how_soon_and_since_when() {
    let (mut slots, mut trends) = ([Slot::new(spec_of(Span::from_secs(1200)))], [Trend::FREE]);
    let mut checks = Checks::new(&mut slots).with(&mut trends, &mut []);
    checks.begin(at(1_000_000), &mut Dice::new(1));
    assert_eq!(answer(&mut checks, OF), Some((Verdict::Up, None)));
    let begun = checks.deadline();
    // Half of it in an hour.
    let left = |now: Mono| OF - OF * now.since(begun).secs() / 7200;
    let told = loop {
        let now = checks.deadline();
        if let Some(told) = answer(&mut checks, left(now)) {
            break (now, told);
        }
    };
    let (now, (Verdict::Degraded, Some(Cause::Filling { left: secs, rate, grown }))) = told else {
        panic!("{told:?}")
    };
    assert!((1200u64 - 60..=1200).contains(&u64::from(secs)), "{secs} s");
    assert!((OF / 2 - OF / 50..OF / 2 + OF / 50).contains(&rate), "{rate} KiB an hour");
    assert!(now.since(begun).secs().abs_diff(u64::from(grown)) < 120, "{grown} s");
    let slot = checks.get(0).unwrap();
    assert!(matches!(slot.last(), Some((_, Reading::Level(830..850)))), "{:?}", slot.last());
    assert!(matches!(slot.why(), Some(Cause::Filling { .. })));
    // A quarter of the time that is looked ahead before it is full: down.
    let told = loop {
        let now = checks.deadline();
        if let Some(told) = answer(&mut checks, left(now)) {
            break (now, told.0);
        }
    };
    assert_eq!(told.1, Verdict::Down);
    assert!(
        (7200 - 300..7200 - 200).contains(&told.0.since(begun).secs()),
        "at the limit of its level: {told:?}"
    );
}

#[test]
fn a_check_without_memory_or_that_is_asked_for_none_is_judged_by_its_level_alone() {
    let none = spec_of(Span::ZERO);
    for (spec, mut trends) in
        [(none, List::from([Trend::FREE])), (spec_of(Span::from_secs(1200)), List::new())]
    {
        let mut slots = [Slot::new(spec)];
        let mut checks = Checks::new(&mut slots).with(&mut trends, &mut []);
        checks.begin(at(1_000_000), &mut Dice::new(1));
        let begun = checks.deadline();
        let mut told = List::new();
        while checks.deadline().since(begun).secs() < 7200 {
            let now = checks.deadline();
            told.extend(answer(&mut checks, OF - OF * now.since(begun).secs() / 7200));
        }
        let levels = told.iter().map(|told| told.1);
        let expected = [
            None,
            Some(Cause::Above { level: 900, limit: 900 }),
            Some(Cause::Above { level: 970, limit: 970 }),
        ];
        assert!(levels.eq(expected), "{told:?}");
    }
}

proptest! {
    #![proptest_config(crate::tests::replay::cases(48))]

    /// Whatever comes back within half a window never makes a forecast, however full it is and whatever goes beside.
    #[test]
    fn what_never_grows_over_a_window_is_never_told(
        shape in prop::collection::vec(0..OF / 2, 1..=(WINDOW / 2) as usize),
        base in 0..OF / 2,
        goes in 0u64..OF / 4000,
    ) {
        let used = |at: u64| (base + shape[at as usize % shape.len()]).saturating_sub(goes * at);
        let all = told(|at| Some(used(at)), 1500);
        prop_assert!(all.is_empty(), "{:?}", all);
    }

    /// Whatever is read, whenever: it comes to something, and to the same again.
    #[test]
    fn no_reading_does_harm(
        readings in prop::collection::vec((0u64..1 << 40, any::<u64>(), any::<u64>(), 0u32..64), 1..200),
        full_within in any::<u64>(),
        interval in any::<u64>(),
    ) {
        let spec = Spec { interval: Span::from_micros(interval), ..spec_of(Span::from_micros(full_within)) };
        let run = || {
            let (mut trends, mut now) = ([Trend::FREE], 0u64);
            let look = |(pause, left, of, cut): &(u64, u64, u64, u32)| {
                now = now.saturating_add(*pause);
                let fact = Fact::new(0, Reading::Room { left: left >> cut, of: of >> cut });
                judge::look(&mut trends, (Mono::from_micros(now), &fact), &spec)
            };
            readings.iter().map(look).collect::<List<_>>()
        };
        prop_assert_eq!(run(), run());
    }

    /// Whatever grows steadily is told four hours before it is full, give or take a seventh of that, by noise of up to a
    /// sixteenth of what grows in a window; where it is full sooner, once it was seen for long enough.
    #[test]
    fn what_grows_steadily_is_told_in_time(
        noise in prop::collection::vec(0u64..1000, 61),
        takes in 150u64..4000,
        before in 0u64..300,
    ) {
        let most = OF * WINDOW / takes / 16;
        let used = |at: u64| OF * at.saturating_sub(before) / takes + most * noise[at as usize % 61] / 1000;
        let full = (0..).find(|at| used(*at) >= OF).unwrap();
        let told = told(|at| Some(used(at)), full);
        let first = told.first().map(|first| first.0);
        let due = (full.saturating_sub(240)).max(before + WINDOW);
        prop_assert!(first.is_some_and(|first| first.abs_diff(due) <= 34), "{:?}, due {}, full {}", told, due, full);
    }
}
