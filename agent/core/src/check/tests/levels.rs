//! Levels and words: what is told with a verdict.

use super::*;

#[test]
fn a_verdict_is_told_in_the_words_of_the_reading_that_decides_it() {
    let mut slots = [Slot::new(spec(None))];
    let mut checks = Checks::new(&mut slots);
    let mut told = std::vec::Vec::new();
    for (second, said) in (0..).zip(["first", "second", "third", "fourth"]) {
        let mut out = Facts::new();
        checks.look_now(at(second), 0);
        let probe = checks.next_probe(at(second)).unwrap();
        let reading = if second < 3 { BAD } else { GOOD };
        checks.on(
            at(second),
            Fact { said, ..Fact::new(probe.check, reading) },
            Voice { owner: None, said, out: &mut out },
        );
        told.extend(out.all().map(|fact| match fact {
            event::Fact::Verdict(change) => (change.to, std::string::ToString::to_string(&change.said)),
            other => panic!("{other:?}"),
        }));
    }
    assert_eq!(told, [(Verdict::Down, "third".into())], "fall is 3, rise is 2");
}

/// What the oldest readers of the wire know is said so that they can read it.
#[test]
fn a_level_beyond_its_limit_is_told_with_both_in_the_oldest_words_that_can_say_it() {
    let above = Limits { degraded: 800, down: 900, bad: Side::Above };
    assert_eq!(verdict::weigh_level(901, above).1, Some(Cause::Above { level: 901, limit: 900 }));
    let huge = i64::from(u32::MAX) + 1;
    assert_eq!(verdict::weigh_level(huge, above).1, Some(Cause::Beyond { level: huge, limit: 900 }));
    let below = Limits { degraded: 30, down: 10, bad: Side::Below };
    assert_eq!(verdict::weigh_level(30, below).1, Some(Cause::Beyond { level: 30, limit: 30 }));
    assert_eq!(verdict::weigh_level(-1, below).1, Some(Cause::Beyond { level: -1, limit: 10 }));
}

#[test]
fn what_is_degraded_is_told_with_the_limit_of_degraded_whatever_was_read_last() {
    let limits = Limits { degraded: 800, down: 900, bad: Side::Above };
    let mut slots = [Slot::new(spec(Some(limits)))];
    let mut checks = Checks::new(&mut slots);
    checks.begin(at(0), &mut Dice::new(1));
    read(&mut checks, Reading::Level(850));
    read(&mut checks, Reading::Level(850));
    let told = read(&mut checks, Reading::Level(950)).1;
    assert_eq!(told, Some((Verdict::Degraded, Some(Cause::Above { level: 950, limit: 800 }))));
}
