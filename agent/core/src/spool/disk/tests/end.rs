//! How an agent's end and the next run's beginning fit together.

use super::*;

#[test]
fn an_agent_that_ends_writes_what_waits_and_is_then_settled() {
    let mut bench = Bench::opened();
    bench.make(1_000, Rank::Routine);
    bench.0.leave(at(2_000));
    assert!(!bench.0.is_settled(at(2_000)));
    bench.writes(2_000, &[1]);
    assert_eq!(bench.next(2_000), None);
    assert!(bench.0.is_settled(at(2_000)));
    bench.make(2_100, Rank::Routine);
    assert!(!bench.0.is_settled(at(2_100)), "its last words too");
    bench.writes(2_100, &[2]);
}

#[test]
fn an_agent_that_ends_waits_one_second_for_its_disk_and_not_at_all_for_one_that_does_not_work() {
    let mut hung = Bench::opened();
    hung.make(1_000, Rank::Critical);
    hung.0.leave(at(2_000));
    assert!(hung.next(2_000).is_some());
    assert_eq!((hung.0.is_settled(at(2_999)), hung.0.deadline()), (false, at(3_000)));
    assert!(hung.0.is_settled(at(3_000)));
    assert_eq!((hung.next(3_000), hung.0.deadline()), (None, Mono::NEVER));
    let mut failed = Bench::opened();
    failed.make(1_000, Rank::Critical);
    failed.0.leave(at(2_000));
    assert!(failed.next(2_000).is_some());
    failed.fails(2_000, Trouble::ReadOnly);
    assert!(failed.0.is_settled(at(2_000)));
    let mut unopened = Bench::new(identity(), 8, 0);
    unopened.make(1_000, Rank::Critical);
    unopened.0.leave(at(2_000));
    assert!(unopened.0.is_settled(at(2_000)));
    let mut asked_twice = Bench::opened();
    asked_twice.make(1_000, Rank::Critical);
    asked_twice.0.leave(at(2_000));
    asked_twice.0.abandon();
    assert!(asked_twice.0.is_settled(at(2_000)), "who is asked twice waits for nothing");
}

/// What is kept of a run that made three frames, of which so many are acknowledged; with the next run, which has it.
fn successor(acked: u64) -> Bench {
    let mut bench = Bench::opened();
    for _ in 0..3 {
        bench.make(1_000, Rank::Critical);
    }
    bench.writes(1_100, &[1, 2, 3]);
    let mut known = Ranges::new();
    known.insert(SeqRange::new(Seq(1), Seq(acked)).unwrap()).unwrap();
    bench.0.acked(at(2_000), &known);
    assert_eq!((bench.next(6_999), bench.0.deadline()), (None, at(7_000)));
    let Some(Order::Keep { bytes }) = bench.next(7_000) else { panic!("it is kept after 5 s") };
    let bytes = bench.0.bytes(bytes).to_vec();
    let mut next = Bench::new(Identity { run: Run(10), ..identity() }, 8, u64::MAX);
    assert_eq!(next.next(1_000), Some(Order::Open));
    next.tell(1_000, Fact::Kept { bytes: &bytes });
    next.tell(1_000, Fact::Opened { damaged: 0 });
    next
}

#[test]
fn what_is_acknowledged_of_a_run_is_kept_for_the_next_one() {
    assert!(successor(2).0.misses(Run(9)));
    assert!(!successor(3).0.misses(Run(9)));
}

#[test]
fn an_agent_that_ends_waits_for_the_note_of_acks_and_for_a_disk_whose_rest_is_over() {
    let mut bench = Bench::opened();
    bench.make(1_000, Rank::Critical);
    bench.writes(1_100, &[1]);
    assert_eq!(bench.next(1_100), None);
    let mut known = Ranges::new();
    known.insert(SeqRange::one(Seq(1)).unwrap()).unwrap();
    bench.0.acked(at(2_000), &known);
    bench.0.leave(at(2_000));
    assert!(!bench.0.is_settled(at(2_000)));
    assert!(matches!(bench.next(2_000), Some(Order::Keep { .. })));
    bench.tell(2_000, Fact::Done { flash: SYNCED });
    assert!(bench.0.is_settled(at(2_000)));
    let mut failed = Bench::opened();
    failed.make(1_000, Rank::Critical);
    assert!(failed.next(1_100).is_some());
    failed.fails(1_100, Trouble::Full);
    failed.0.leave(at(11_099));
    assert!(failed.0.is_settled(at(11_099)));
    assert!(!failed.0.is_settled(at(11_100)), "it can be written again");
}
