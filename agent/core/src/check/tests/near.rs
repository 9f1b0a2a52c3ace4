//! Probes that share a wake-up.

use super::*;

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
        while let Some(Probe { check }) = checks.next_probe(now) {
            let (time, phase) = (&mut times[usize::from(check)], phases[usize::from(check)]);
            let due = phase.plus(Span::from_secs(10 * *time));
            assert!(now <= due && due.since(now) <= Span::from_millis(1250), "{check}: {now:?} for {due:?}");
            *time += 1;
            checks.on(now, Fact::new(check, GOOD), Voice { owner: None, said: "", out: &mut Facts::new() });
        }
    }
    assert!(times.iter().all(|times| (100..=101).contains(times)), "the last may be early: {times:?}");
    assert!(wake_ups < 900, "{wake_ups} wake-ups in 1,000 s for 5,000 probes");
}
