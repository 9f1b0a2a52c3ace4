//! Checks on virtual time: what readings make of a verdict, and when probes go out.

mod levels;
mod spread;
mod told;
mod trend;
mod unusual;
mod weeks;

use super::*;
use picket_proto::Span;
use picket_proto::event;
use std::vec::Vec as List;

fn spec(limits: Option<Limits>) -> Spec {
    Spec {
        name: "c".parse().unwrap(),
        kind: CheckKind::Tcp,
        service: None,
        interval: Span::from_secs(10),
        timeout: Span::from_secs(1),
        fall: 3,
        rise: 2,
        limits,
        full_within: Span::ZERO,
        unusual: Span::ZERO,
    }
}

fn at(seconds: u64) -> Mono {
    Mono::from_micros(seconds * 1_000_000)
}

/// Answers the probe that is due next, and what was told.
fn read(checks: &mut Checks<'_>, reading: Reading) -> (Mono, Option<(Verdict, Option<Cause>)>) {
    let now = checks.deadline();
    let probe = checks.next_probe(now).expect("due");
    let mut out = Facts::new();
    checks.on(now, Fact::new(probe.check, reading), Voice { owner: None, said: "", out: &mut out });
    let told = out.all().next().map(|fact| match fact {
        event::Fact::Verdict(change) => (change.to, change.cause),
        other => panic!("a check told {other:?}"),
    });
    (now, told)
}

fn verdicts(checks: &mut Checks<'_>, readings: &[Reading]) -> List<Option<Verdict>> {
    readings.iter().map(|reading| read(checks, *reading).1.map(|told| told.0)).collect()
}

const GOOD: Reading = Reading::Good;
const BAD: Reading = Reading::Bad(Cause::Refused);

#[test]
fn verdicts_change_after_enough_readings_in_a_row_and_not_before() {
    use Verdict::{Degraded, Down, Up};
    let limits = Some(Limits { degraded: 800, down: 900, bad: Side::Above });
    let (mid, high, low) = (Reading::Level(850), Reading::Level(950), Reading::Level(100));
    let blind = Reading::Bad(Cause::Local(13));
    let (warns, critical, lost) =
        (Reading::Poor(Cause::Plugin(1)), Reading::Bad(Cause::Plugin(2)), Reading::Bad(Cause::Plugin(3)));
    let left = Some(Limits { degraded: 30, down: 10, bad: Side::Below });
    let (ample, few, none) = (Reading::Level(31), Reading::Level(30), Reading::Level(-5));
    for (limits, readings, expected) in [
        (
            None,
            &[GOOD, BAD, BAD, GOOD, BAD, BAD, BAD][..],
            &[Some(Up), None, None, None, None, None, Some(Down)][..],
        ),
        (None, &[BAD, BAD, BAD, GOOD, GOOD], &[None, None, Some(Down), None, Some(Up)]),
        (
            limits,
            &[low, mid, high, mid, high, high, high],
            &[Some(Up), None, None, Some(Degraded), None, None, Some(Down)],
        ),
        (
            limits,
            &[high, high, high, mid, mid, low, low],
            &[None, None, Some(Down), None, Some(Degraded), None, Some(Up)],
        ),
        (None, &[GOOD, blind, blind, blind], &[Some(Up), None, None, Some(Verdict::Unknown)]),
        (limits, &[low, high, mid, mid], &[Some(Up), None, None, Some(Degraded)]),
        (None, &[warns, warns, warns, GOOD, GOOD], &[None, None, Some(Degraded), None, Some(Up)]),
        (None, &[GOOD, critical, warns, critical], &[Some(Up), None, None, Some(Degraded)]),
        (None, &[GOOD, lost, lost, lost], &[Some(Up), None, None, Some(Verdict::Unknown)]),
        (left, &[ample, few, none, few], &[Some(Up), None, None, Some(Degraded)]),
        (
            left,
            &[few, none, none, none, none, none, ample, ample],
            &[None, None, Some(Degraded), None, None, Some(Down), None, Some(Up)],
        ),
        // A failure on one look and no answer at all on the next: neither ends the other's streak.
        (None, &[GOOD, BAD, blind, BAD, blind, BAD], &[Some(Up), None, None, None, None, Some(Down)]),
        (None, &[GOOD, blind, BAD, blind, GOOD, blind], &[Some(Up), None, None, None, None, None]),
        (None, &[GOOD, blind, BAD, blind, blind], &[Some(Up), None, None, None, Some(Verdict::Unknown)]),
        (
            None,
            &[BAD, blind, BAD, blind, blind, BAD],
            &[None, None, None, None, Some(Verdict::Unknown), Some(Down)],
        ),
        // What can't be looked at from the start tells that once.
        (
            None,
            &[blind, blind, blind, blind, blind, GOOD, blind],
            &[None, None, Some(Verdict::Unknown), None, None, Some(Up), None],
        ),
        (limits, &[mid, mid, mid, high, low, low], &[None, None, Some(Degraded), None, None, Some(Up)]),
    ] {
        let mut slots = [Slot::new(spec(limits))];
        let mut checks = Checks::new(&mut slots);
        checks.begin(at(0), &mut Dice::new(1));
        assert_eq!(verdicts(&mut checks, readings), expected, "{readings:?}");
    }
}

#[test]
fn a_check_that_changes_six_times_in_ten_minutes_flaps_until_it_is_calm() {
    let mut slots = [Slot::new(Spec { fall: 1, rise: 1, ..spec(None) })];
    let mut checks = Checks::new(&mut slots);
    checks.begin(at(0), &mut Dice::new(1));
    assert_eq!(read(&mut checks, GOOD).1, Some((Verdict::Up, None)));
    assert_eq!(
        read(&mut checks, BAD).1,
        Some((Verdict::Down, Some(Cause::Refused))),
        "a failure has its cause"
    );
    assert_eq!(
        verdicts(&mut checks, &[GOOD, BAD, GOOD]),
        [Some(Verdict::Up), Some(Verdict::Down), Some(Verdict::Up)]
    );
    let told = verdicts(&mut checks, &[BAD, GOOD, BAD, GOOD]);
    assert_eq!(told[0], Some(Verdict::Flapping));
    assert!(told[1..].iter().all(Option::is_none), "what flaps is told once: {told:?}");
    let began = checks.deadline();
    let (calm, told) =
        (0..100).map(|_| read(&mut checks, GOOD)).find(|(_, told)| told.is_some()).expect("it calms");
    assert_eq!(told, Some((Verdict::Up, None)));
    assert!((280..=300).contains(&calm.since(began).secs()), "after {}", calm.since(began));
}

#[test]
fn probes_of_one_check_never_overlap_and_keep_their_beat() {
    let mut slots = [Slot::new(spec(None))];
    let mut checks = Checks::new(&mut slots);
    checks.begin(at(0), &mut Dice::new(1));
    let first = checks.deadline();
    let probe = checks.next_probe(first).expect("due");
    assert_eq!(checks.next_probe(first.plus(Span::from_secs(100))), None, "the answer is still out");
    let mut out = Facts::new();
    let late = first.plus(Span::from_secs(25));
    checks.on(late, Fact::new(probe.check, BAD), Voice { owner: None, said: "", out: &mut out });
    assert_eq!(checks.next_probe(late), Some(probe), "what took so long tells nothing: it is asked again");
    let later = late.plus(Span::from_secs(4));
    checks.on(later, Fact::new(probe.check, GOOD), Voice { owner: None, said: "", out: &mut out });
    assert_eq!(checks.deadline(), first.plus(Span::from_secs(30)));
}

#[test]
fn a_second_late_answer_in_a_row_counts() {
    let mut slots = [Slot::new(Spec { fall: 1, ..spec(None) })];
    let mut checks = Checks::new(&mut slots);
    checks.begin(at(0), &mut Dice::new(1));
    let mut now = checks.deadline();
    for told in [0, 1] {
        let check = checks.next_probe(now).expect("due").check;
        now = now.plus(Span::from_secs(25));
        let mut out = Facts::new();
        checks.on(now, Fact::new(check, BAD), Voice { owner: None, said: "", out: &mut out });
        assert_eq!(out.all().count(), told);
    }
}

#[test]
fn an_answer_about_a_process_that_is_gone_is_thrown_away() {
    let mut slots = [Slot::new(Spec { service: Some(0), kind: CheckKind::Process, ..spec(None) })];
    let mut checks = Checks::new(&mut slots);
    checks.begin(at(0), &mut Dice::new(1));
    let probe = checks.next_probe(at(10)).expect("due");
    let mut out = Facts::new();
    checks.died(at(11), 0, Voice { owner: None, said: "", out: &mut out });
    let seen =
        checks.on(at(12), Fact::new(probe.check, GOOD), Voice { owner: None, said: "", out: &mut out });
    assert_eq!(seen, None);
    assert_eq!(checks.get(0).unwrap().verdict(), Verdict::Down);
}

#[test]
fn a_failure_just_before_a_process_was_found_alive_does_not_count_with_the_one_just_after() {
    for answered in [true, false] {
        let mut slots = [Slot::new(Spec { service: Some(0), fall: 2, ..spec(None) })];
        let mut checks = Checks::new(&mut slots);
        checks.begin(at(0), &mut Dice::new(1));
        let now = checks.deadline();
        let read = |checks: &mut Checks<'_>| {
            let mut out = Facts::new();
            let fact = Fact::new(0, BAD);
            checks.on(now, fact, Voice { owner: None, said: "", out: &mut out });
            out.all().count()
        };
        assert!(checks.next_probe(now).is_some());
        if answered {
            assert_eq!(read(&mut checks), 0);
        }
        checks.adopted(now, 0);
        if !answered {
            assert_eq!(read(&mut checks), 0);
        }
        assert!(checks.next_probe(now).is_some(), "it is looked at once");
        assert_eq!(read(&mut checks), 0, "answered before: {answered}");
        assert!(checks.deadline() > now);
    }
}

/// A check of another kind and service.
fn of(service: u16, kind: CheckKind, name: &str) -> Slot {
    Slot::new(Spec { service: Some(service), kind, name: name.parse().unwrap(), ..spec(None) })
}

#[test]
fn the_checks_of_a_service_are_found_by_kind_and_by_name() {
    use CheckKind::{Process, Tcp};
    let mut slots = [of(1, Tcp, "a"), of(0, Process, "b"), of(1, Process, "c"), of(2, Tcp, "d")];
    let checks = Checks::new(&mut slots);
    assert_eq!([0, 1, 2].map(|service| checks.process_of(service)), [Some(1), Some(2), None]);
    let named = |name: &str| checks.named(&name.parse().unwrap());
    assert_eq!(["a", "c", "x"].map(named), [Some(0), Some(2), None]);
}

#[test]
fn a_check_that_passed_and_then_failed_proves_nothing_and_says_why() {
    let mut slots = [of(0, CheckKind::Tcp, "a")];
    let mut checks = Checks::new(&mut slots);
    checks.begin(at(0), &mut Dice::new(1));
    assert_eq!(checks.unproven(0, at(0)), Some((0, Cause::TimedOut)), "it was not read yet");
    let (passed, _) = read(&mut checks, GOOD);
    assert_eq!(checks.unproven(0, passed), None);
    assert!(checks.unproven(0, passed.plus(Span::from_micros(1))).is_some(), "that was before");
    read(&mut checks, BAD);
    assert_eq!(checks.unproven(0, at(0)), Some((0, Cause::Refused)));
    assert_eq!(checks.get(0).unwrap().cause(), Some(Cause::Refused));
    assert_eq!(checks.unproven(1, at(0)), None, "of another service");
}

#[test]
fn a_person_who_looks_gets_a_probe_at_once_or_the_one_that_is_out() {
    let mut slots = [of(0, CheckKind::Tcp, "a")];
    let mut checks = Checks::new(&mut slots);
    checks.begin(at(0), &mut Dice::new(1));
    read(&mut checks, GOOD);
    let now = checks.deadline().plus(Span::from_secs(1));
    read(&mut checks, GOOD);
    checks.look_now(now, 0);
    assert_eq!(checks.next_probe(now), Some(Probe { check: 0, explain: false }));
    checks.look_now(now, 0);
    assert_eq!((checks.next_probe(now), checks.deadline()), (None, Mono::NEVER), "one is out");
    checks.look_now(now, 1);
    assert_eq!(checks.refused(), 1, "there is no such check");
}

#[test]
fn after_a_pause_all_checks_of_the_service_are_looked_at_now() {
    let mut slots = [of(0, CheckKind::Tcp, "a"), of(1, CheckKind::Tcp, "b"), of(0, CheckKind::Process, "c")];
    let mut checks = Checks::new(&mut slots);
    checks.begin(at(0), &mut Dice::new(1));
    let now = Mono::from_micros(1);
    checks.look(now, 0);
    let mut due = [checks.next_probe(now), checks.next_probe(now), checks.next_probe(now)];
    due.sort_by_key(|probe| probe.map(|probe| probe.check));
    assert_eq!(
        due,
        [None, Some(Probe { check: 0, explain: false }), Some(Probe { check: 2, explain: false })]
    );
}

#[test]
fn answers_that_nobody_asked_for_are_counted_and_change_nothing() {
    let mut slots = [Slot::new(spec(None))];
    let mut checks = Checks::new(&mut slots);
    let mut out = Facts::new();
    for check in [0, 1, CheckIx::MAX] {
        checks.on(at(1), Fact::new(check, BAD), Voice { owner: None, said: "", out: &mut out });
    }
    assert_eq!(out.all().count(), 0);
    assert_eq!(checks.refused(), 3);
}

#[test]
fn a_slot_is_small() {
    std::println!(
        "check slot {} bytes, service slot {}",
        size_of::<Slot>(),
        size_of::<crate::service::Slot>()
    );
    assert!(size_of::<Slot>() <= 304);
}
