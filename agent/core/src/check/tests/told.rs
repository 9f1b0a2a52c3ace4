//! What is told of a check to those who come later: what it is, and why.

use super::*;

fn stands(checks: &Checks<'_>) -> (Verdict, Option<Cause>) {
    let slot = checks.get(0).unwrap();
    (slot.verdict(), slot.why())
}

#[test]
fn who_comes_later_is_told_why_and_of_an_unknown_one_whether_it_was_looked_at() {
    let blind = Reading::Bad(Cause::Local(13));
    let mut slots = [Slot::new(spec(None))];
    let mut checks = Checks::new(&mut slots);
    checks.begin(at(0), &mut Dice::new(1));
    for (reading, expected) in [
        (blind, (Verdict::Unknown, None)),
        (blind, (Verdict::Unknown, None)),
        (blind, (Verdict::Unknown, Some(Cause::Local(13)))),
        (Reading::Bad(Cause::Plugin(3)), (Verdict::Unknown, Some(Cause::Plugin(3)))),
        (BAD, (Verdict::Unknown, None)),
        (BAD, (Verdict::Unknown, None)),
        (BAD, (Verdict::Down, Some(Cause::Refused))),
        (Reading::Bad(Cause::TimedOut), (Verdict::Down, Some(Cause::TimedOut))),
        (blind, (Verdict::Down, None)),
        (GOOD, (Verdict::Down, None)),
        (GOOD, (Verdict::Up, None)),
        (blind, (Verdict::Up, None)),
    ] {
        read(&mut checks, reading);
        assert_eq!(stands(&checks), expected, "{reading:?}");
    }
    let (mut told, times) = (0, 6);
    for _ in 0..times {
        told += usize::from(read(&mut checks, blind).1.is_some());
    }
    assert_eq!(told, 1, "that it can't be looked at is told once");
    assert_eq!(stands(&checks), (Verdict::Unknown, Some(Cause::Local(13))));
    checks.slots[0].suspend(at(1_000));
    assert_eq!(stands(&checks), (Verdict::Unknown, None), "what rests is not blind");
}
