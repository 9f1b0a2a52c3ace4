//! Levels and their limits, and the words that a verdict is told with.

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

/// Answers the probe that is due with a level; whether it was asked for words, and the verdict told.
fn level(checks: &mut Checks<'_>, level: i64) -> (bool, Option<Verdict>) {
    let now = checks.deadline();
    let probe = checks.next_probe(now).expect("due");
    let mut out = Facts::new();
    let voice = Voice { owner: None, said: "mysqld 212 %", out: &mut out };
    checks.on(now, Fact::new(probe.check, Reading::Level(level)), voice);
    let told = out.all().next().map(|fact| match fact {
        event::Fact::Verdict(change) => change.to,
        other => panic!("a check told {other:?}"),
    });
    (probe.explain, told)
}

#[test]
fn the_reading_that_decides_for_the_worse_was_asked_for_words_and_a_good_one_was_not() {
    use Verdict::{Down, Up};
    let limits = Some(Limits { degraded: 800, down: 900, bad: Side::Above });
    let mut slots = [Slot::new(Spec { kind: CheckKind::Cpu, ..spec(limits) })];
    let mut checks = Checks::new(&mut slots);
    checks.begin(at(0), &mut Dice::new(1));
    let told = [100, 950, 950, 950, 950, 100, 100, 100].map(|it| level(&mut checks, it));
    let calm = (false, None);
    assert_eq!(
        told,
        [(false, Some(Up)), calm, (true, None), (true, Some(Down)), calm, calm, (false, Some(Up)), calm]
    );
}

#[test]
fn while_a_level_stays_bad_one_reading_a_minute_brings_words_and_so_does_one_that_a_person_asks_for() {
    let limits = Some(Limits { degraded: 800, down: 900, bad: Side::Above });
    let ten = Span::from_secs(10);
    let mut slots = [Slot::new(Spec { kind: CheckKind::Cpu, interval: ten, ..spec(limits) })];
    let mut checks = Checks::new(&mut slots);
    checks.begin(at(0), &mut Dice::new(1));
    for _ in 0..3 {
        level(&mut checks, 950);
    }
    let asked = [0; 24].map(|_| level(&mut checks, 950).0);
    assert_eq!(asked.iter().filter(|asked| **asked).count(), 4, "{asked:?}");
    let spoken: std::vec::Vec<_> = (0..).zip(asked).filter(|(_, asked)| *asked).map(|(at, _)| at).collect();
    assert!(spoken.windows(2).all(|two| two[1] - two[0] == 6), "{spoken:?}");
    level(&mut checks, 950);
    let now = checks.deadline();
    checks.look_now(Mono::from_micros(now.micros() - 5_000_000), 0);
    assert!(level(&mut checks, 950).0, "a person asks");
    level(&mut checks, 100);
    checks.look_now(checks.deadline(), 0);
    assert!(!level(&mut checks, 100).0, "there is nothing to explain");
}

#[test]
fn where_the_first_bad_reading_decides_it_is_looked_at_again_at_once() {
    let limits = Some(Limits { degraded: 800, down: 900, bad: Side::Above });
    let mut slots = [Slot::new(Spec { kind: CheckKind::Space, fall: 1, rise: 1, ..spec(limits) })];
    let mut checks = Checks::new(&mut slots);
    checks.begin(at(0), &mut Dice::new(1));
    assert_eq!(level(&mut checks, 100), (false, Some(Verdict::Up)));
    let due = checks.deadline();
    assert_eq!(level(&mut checks, 950), (false, None));
    assert_eq!(checks.deadline(), due, "at the same moment");
    assert_eq!(level(&mut checks, 950), (true, Some(Verdict::Down)));
    assert!(checks.deadline() > due);
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
