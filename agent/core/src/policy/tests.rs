//! Budgets, deaths and breakers, each for itself.

use super::*;

#[test]
fn last_words_that_differ_in_numbers_only_are_the_same() {
    assert_eq!(gist("12:00:01 pid 77: bind"), gist("3:59:10 pid 1234: bind"));
    assert_ne!(gist("bind failed"), gist("open failed"));
    assert_ne!(gist("port 80a"), gist("port 80b"));
}

/// A death of status 1 with each of these last words; none where they did not come.
fn after(words: &[Option<&str>]) -> u16 {
    let mut deaths = Deaths::default();
    for (said, pid) in words.iter().zip(1..) {
        deaths.ended(pid, Exit::Code(1));
        match said {
            Some(said) => deaths.explained(pid, said),
            None => deaths.explain_without_words(),
        }
    }
    deaths.same()
}

#[test]
fn words_that_did_not_come_may_have_been_any() {
    assert_eq!(after(&[Some("bind"), None, Some("bind"), Some("")]), 4);
    assert_eq!(after(&[None, Some("bind"), Some("open")]), 1);
    assert_eq!(after(&[Some("bind"), None, Some("open")]), 1, "what was heard before counts on");
    assert_eq!(after(&[None, None, None]), 3);
}

#[test]
fn a_death_from_outside_is_counted_at_once_and_whatever_was_printed_last() {
    let mut deaths = Deaths::default();
    for pid in 1..=3 {
        deaths.ended(pid, Exit::Signal(9));
        assert!(!deaths.waits());
        deaths.explained(pid, ["GET /", "POST /x", "GET /y"][usize::try_from(pid).unwrap() - 1]);
    }
    assert_eq!(deaths.same(), 3);
}

#[test]
fn last_words_that_differ_in_one_letter_are_told_apart() {
    let gists: std::collections::BTreeSet<_> =
        ('a'..='z').map(|letter| gist(&std::format!("cannot open /etc/{letter}.conf"))).collect();
    assert_eq!(gists.len(), 26);
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

#[test]
fn a_death_waits_for_the_last_words_of_its_own_process_and_without_them_the_exit_alone_tells() {
    let mut deaths = Deaths::default();
    deaths.ended(7, Exit::Code(1));
    deaths.explained(8, "words of another process");
    assert_eq!((deaths.waits(), deaths.same()), (true, 0));
    deaths.explain_without_words();
    assert_eq!((deaths.waits(), deaths.same()), (false, 1));
    deaths.ended(8, Exit::Code(1));
    deaths.ended(9, Exit::Code(1));
    assert_eq!((deaths.waits(), deaths.same()), (true, 2), "the next death ends the waiting for words");
    deaths.explained(9, "");
    assert_eq!((deaths.waits(), deaths.same()), (false, 3));
}

#[test]
fn deaths_in_a_row_go_on_over_a_restart_where_their_check_is_still_there() {
    let mut deaths = Deaths::default();
    for _ in 0..2 {
        deaths.failed(4, Cause::Refused);
    }
    let kept = deaths.keep(|check| Some(check + 100));
    let restored = |number: Option<u16>| {
        let mut deaths = Deaths::default();
        deaths.restore(&kept, |name| number.filter(|_| *name == 104));
        deaths
    };
    assert_eq!(restored(None).same(), 0, "the configuration has it no more");
    let mut again = restored(Some(9));
    assert_eq!((again.waits(), again.same()), (false, 2));
    again.failed(9, Cause::Refused);
    assert_eq!(again.same(), 3);
    again.failed(4, Cause::Refused);
    assert_eq!(again.same(), 1, "another check has that number now");
}

#[test]
fn the_latest_remedy_of_a_budget_is_the_last_that_began() {
    let mut budget = Budget::default();
    assert_eq!(budget.latest(), None);
    for s in 1..=40 {
        let now = Mono::from_micros(s);
        budget.spend(now);
        assert_eq!(budget.latest(), Some(now));
    }
}
