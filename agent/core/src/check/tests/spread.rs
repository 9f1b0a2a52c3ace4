//! When first probes go out, and which share a wake-up.

use super::*;

#[test]
fn first_probes_are_spread_over_the_interval_by_the_seed() {
    let firsts = |seed| {
        let mut slots: List<_> = (0..50).map(|_| Slot::new(spec(None))).collect();
        let mut checks = Checks::new(&mut slots);
        checks.begin(at(0), &mut Dice::new(seed));
        (0..50)
            .map(|_| (checks.deadline(), checks.next_probe(at(10)).map(|probe| probe.check)))
            .collect::<List<_>>()
    };
    let spread = firsts(1);
    assert!(spread.windows(2).all(|pair| pair[0].0 <= pair[1].0), "the heap gives the earliest first");
    assert!(spread[0].0 < at(2) && spread[49].0 > at(8) && spread[49].0 < at(10));
    assert_eq!(spread, firsts(1));
    assert_ne!(spread, firsts(2));
}

#[test]
fn probes_near_each_other_share_a_wake_up_none_is_late_and_all_keep_their_phase() {
    let mut slots: List<_> = (0..50).map(|_| Slot::new(spec(None))).collect();
    let mut checks = Checks::new(&mut slots);
    checks.begin(at(0), &mut Dice::new(3));
    let phases: List<_> = (0..50).map(|check| checks.get(check).unwrap().due).collect();
    let (mut times, mut wake_ups) = ([0_u64; 50], 0);
    while checks.deadline() < at(1_000) {
        let now = checks.deadline();
        wake_ups += 1;
        checks.wake();
        while let Some(Probe { check, .. }) = checks.next_probe(now) {
            let (time, phase) = (&mut times[usize::from(check)], phases[usize::from(check)]);
            let due = phase.plus(Span::from_secs(10 * *time));
            assert!(now <= due && due.since(now) <= Span::from_secs(5), "{check}: {now:?} for {due:?}");
            *time += 1;
            checks.on(now, Fact::new(check, GOOD), Voice { owner: None, said: "", out: &mut Facts::new() });
        }
    }
    assert!(times.iter().all(|times| (100..=101).contains(times)), "the last may be early: {times:?}");
    assert!(wake_ups < 320, "{wake_ups} wake-ups in 1,000 s for 5,000 probes");
}

#[test]
fn what_costs_more_than_a_wake_up_comes_in_no_crowds_and_no_wake_up_sends_out_too_many() {
    let asked = |kind, checks: usize| {
        let of_kind = || Slot::new(Spec { kind, ..spec(None) });
        let mut slots: List<_> = (0..checks).map(|_| of_kind()).collect();
        let mut checks = Checks::new(&mut slots);
        checks.begin(at(0), &mut Dice::new(5));
        let now = at(4);
        let due = (0..slots_of(&checks)).filter(|check| checks.get(*check).unwrap().due <= now).count();
        checks.wake();
        std::iter::from_fn(|| checks.next_probe(now)).count() - due
    };
    assert!(asked(CheckKind::Exec, 100) < 25, "those within 1.25 s");
    assert!(asked(CheckKind::Tcp, 50) > 15, "those within 5 s");
    assert_eq!(asked(CheckKind::Tcp, 500), 32);
}

fn slots_of(checks: &Checks<'_>) -> CheckIx {
    (0..).find(|check| checks.get(*check).is_none()).unwrap()
}
