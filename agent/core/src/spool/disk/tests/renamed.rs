//! Names of an earlier run that are themselves lost, pages that are not what was asked for, and whose turn it is.

use super::named::{OLD, after, both, frames, gap, page, ranges};
use super::*;
use picket_proto::event::GapReason;

/// An agent that has named frames 2 and 3 of the run before, by the frame of this number.
fn with_a_name() -> (Bench, u64) {
    let frames = frames(4);
    let mut bench = after(4, &[1, 4]);
    bench.reads(1, &page(&frames, &[1, 4]), 0);
    assert_eq!(bench.sends_late(), [1]);
    bench.acks(&ranges(1, 1));
    assert_eq!(bench.names(), [gap(2, 3, GapReason::AgentEnded)]);
    let name = bench.0.last().0;
    (bench, name)
}

#[test]
fn a_name_that_was_lost_is_made_anew_although_its_number_counts_as_arrived() {
    let (mut bench, name) = with_a_name();
    bench.0.lose(SeqRange::one(Seq(name)));
    bench.0.acked(at(3_000), &ranges(1, name));
    bench.0.bring(now(3_000), &Ranges::new());
    assert_eq!(bench.names(), [gap(2, 3, GapReason::AgentEnded)]);
}

#[test]
fn a_name_under_a_number_of_another_life_is_made_anew_behind_that() {
    let (mut bench, name) = with_a_name();
    assert!(bench.0.welcomed(now(3_000), &ranges(1, name + 5)));
    bench.0.bring(now(3_000), &Ranges::new());
    let of_old: Vec<_> = bench.names().into_iter().filter(|gap| gap.run == OLD).collect();
    assert_eq!(of_old, [gap(2, 3, GapReason::AgentEnded)]);
    assert!(bench.0.last().0 > name + 5);
}

#[test]
fn a_page_is_believed_as_far_as_it_is_one_run_in_ascending_order() {
    let old = frames(3);
    let mut other = Bench::new(identity(), 8, 0);
    other.make(0, Rank::Critical);
    other.make(0, Rank::Critical);
    let _first = other.0.next_told();
    let bytes = other.0.next_told().unwrap();
    let second = other.0.bytes(bytes).to_vec();
    for strange in [&old[0], &second] {
        let mut bench = after(3, &[1, 2, 3]);
        bench.reads(1, &[&old[0], strange, &old[2]], 0);
        assert_eq!(bench.sends_late(), [1]);
        bench.acks(&ranges(1, 1));
        bench.reads(2, &page(&old, &[2, 3]), 0);
        assert_eq!(bench.sends_late(), [2, 3]);
    }
}

#[test]
fn runs_come_oldest_first_and_the_run_before_this_one_last() {
    let mut bench = after(3, &[]);
    for run in [3, 4] {
        bench.0.late.recall(Run(run), Seq(2), both(Ranges::new(), (2, 2)));
    }
    let order: Vec<_> = bench.0.late.runs().iter().map(|past| past.run).collect();
    assert_eq!(order, [Run(3), Run(4), OLD]);
}
