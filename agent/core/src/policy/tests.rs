//! Budgets, deaths and breakers, each for itself.

use super::*;

#[test]
fn last_words_that_differ_in_numbers_only_are_the_same() {
    assert_eq!(gist("12:00:01 pid 77: bind"), gist("3:59:10 pid 1234: bind"));
    assert_ne!(gist("bind failed"), gist("open failed"));
}

#[test]
fn another_death_or_a_pass_between_starts_the_count_again() {
    let mut deaths = Deaths::default();
    for pid in 1..=2 {
        deaths.ended(pid, Exit::Code(1));
        deaths.explained(pid, "bad config line 3");
    }
    assert_eq!(deaths.same(), 2);
    deaths.failed(4, Cause::Refused);
    assert_eq!(deaths.same(), 1);
    deaths.passed();
    assert_eq!(deaths.same(), 0);
}

#[test]
fn a_budget_slides_with_the_time_and_never_grows() {
    let mut budget = Budget::default();
    let at = |s: u64| Mono::from_micros(s * 1_000_000);
    for s in 0..100 {
        budget.spend(at(s));
    }
    assert!(
        !budget.allows(at(100), u16::MAX, Span::from_secs(3600)),
        "more than it can remember is not allowed"
    );
    assert!(!budget.allows(at(105), 3, Span::from_secs(9)));
    assert!(budget.allows(at(106), 3, Span::from_secs(9)));
}

#[test]
fn a_rest_doubles_to_an_hour_and_not_beyond() {
    let (mut breaker, mut dice) = (Breaker::default(), Dice::new(3));
    let rests: std::vec::Vec<_> =
        (0..300).map(|_| breaker.open(Span::from_secs(60), &mut dice).secs()).collect();
    assert!((45..75).contains(&rests[0]) && (90..150).contains(&rests[1]));
    assert!(rests.iter().all(|rest| *rest <= 4_500));
    assert!(rests[299] >= 2_700);
}
