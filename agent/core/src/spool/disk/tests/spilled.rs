//! Frames of this run that have left the ring for the disk, and come back from there or are lost.

use super::*;

/// A spool of which some frames stand on the disk alone, all frames that were made, and those numbers.
fn spilled() -> (Bench, Vec<Vec<u8>>, SeqRange) {
    let (mut bench, mut frames, mut millis) = (Bench::opened(), Vec::new(), 1_000);
    while bench.0.spilled.is_empty() {
        bench.make(millis, Rank::Critical);
        let bytes = bench.0.next_told().expect("it was made");
        frames.push(bench.0.bytes(bytes).to_vec());
        millis += 200;
        while bench.next(millis).is_some() {
            bench.tell(millis, Fact::Done { flash: SYNCED });
        }
    }
    let range = bench.0.spilled.iter().next().unwrap();
    assert!(range.first() == Seq(1) && range.count() > 3, "{range}");
    (bench, frames, range)
}

const LATE: u64 = 900_000;

impl Bench {
    /// Brings back; the disk answers with this page.
    fn brings(&mut self, sent: &Ranges, from: u64, page: &[Vec<u8>]) {
        self.0.bring(now(LATE), sent);
        assert_eq!(self.next(LATE), Some(Order::Read { run: Run(9), from: Seq(from), only: None }));
        self.tell(LATE, Fact::Page { bytes: &page.concat(), damaged: 0 });
        self.0.bring(now(LATE), sent);
    }
}

fn all(spans: &[(u64, u64)]) -> Ranges {
    let mut ranges = Ranges::new();
    for (first, last) in spans {
        ranges.insert(SeqRange::new(Seq(*first), Seq(*last)).unwrap()).unwrap();
    }
    ranges
}

#[test]
fn what_was_spilled_comes_back_in_one_batch_that_ends_where_frames_are_held_or_sent() {
    let last = spilled().2.last().0;
    for (sent, boundary, expected, is_live) in [
        (Ranges::new(), 0, (1, last), true),
        (Ranges::new(), 1, (1, last), false),
        (all(&[(1, 1), (4, 9_000)]), 1, (2, 3), true),
    ] {
        let (mut bench, frames, _) = spilled();
        bench.brings(&sent, expected.0, &frames[expected.0 as usize - 1..]);
        let (bytes, live, after) = bench.0.late_batch(&sent, Seq(boundary)).expect("it is there");
        let batch = frames[expected.0 as usize - 1..expected.1 as usize].concat();
        assert!(bench.0.bytes(bytes) == batch.as_slice(), "frames {expected:?}");
        let mut known = sent.clone();
        known.insert(SeqRange::new(Seq(expected.0), Seq(expected.1)).unwrap()).unwrap();
        assert_eq!((live, after), (is_live, Some(known)));
    }
}

#[test]
fn nothing_more_is_read_while_a_batch_is_on_its_way() {
    let (mut bench, frames, range) = spilled();
    bench.brings(&Ranges::new(), 1, &frames[..1]);
    let (.., sent) = bench.0.late_batch(&Ranges::new(), Seq(0)).unwrap();
    let sent = sent.unwrap();
    bench.0.bring(now(LATE), &sent);
    assert_eq!(bench.next(LATE), None);
    bench.0.acked(at(LATE), &sent);
    bench.0.bring(now(LATE), &sent);
    assert_eq!(
        bench.next(LATE),
        Some(Order::Read { run: Run(9), from: Seq(2), only: None }),
        "{range} is there"
    );
}

#[test]
fn of_what_was_spilled_only_what_the_disk_has_lost_is_lost() {
    let (mut bench, frames, range) = spilled();
    bench.brings(&Ranges::new(), 1, &frames[2..]);
    assert_eq!(bench.0.lost, all(&[(1, 2)]), "the page begins with frame 3");
    let (.., sent) = bench.0.late_batch(&Ranges::new(), Seq(0)).expect("the rest is there");
    assert_eq!(sent, Some(all(&[(3, range.last().0)])));
}

#[test]
fn where_the_disk_has_nothing_more_all_is_lost_up_to_what_is_held_or_sent() {
    for sent in [Ranges::new(), all(&[(3, 3)])] {
        let (mut bench, _, range) = spilled();
        bench.0.bring(now(LATE), &sent);
        assert!(matches!(bench.next(LATE), Some(Order::Read { .. })));
        bench.fails(LATE, Trouble::Broken);
        bench.0.bring(now(LATE), &sent);
        let mut lost = all(&[(1, range.last().0)]);
        for sent in sent.iter() {
            lost.remove(sent).unwrap();
        }
        assert_eq!(bench.0.lost, lost);
        let held = range.last().next();
        assert!(bench.0.holds_any(held, held), "what is in the ring stays");
    }
}

#[test]
fn what_is_taken_for_spilled_and_is_still_in_the_ring_is_neither_read_nor_lost() {
    let (mut bench, _, range) = spilled();
    // Ranges that were joined are too wide.
    let (last, next) = (range.last().0, range.last().next());
    bench.0.spilled.insert(SeqRange::new(next, Seq(last + 2)).unwrap()).unwrap();
    bench.0.bring(now(LATE), &Ranges::new());
    assert!(matches!(bench.next(LATE), Some(Order::Read { from: Seq(1), .. })));
    bench.tell(LATE, Fact::Page { bytes: &[], damaged: 0 });
    bench.0.bring(now(LATE), &Ranges::new());
    assert_eq!(bench.next(LATE), None);
    assert_eq!(bench.0.lost, all(&[(1, last)]));
    assert!(bench.0.holds_any(next, next));
}

#[test]
fn a_batch_that_the_collector_has_no_range_for_is_lost_instead() {
    let (mut bench, frames, range) = spilled();
    // Seven ranges, far from what was spilled.
    let seven: Vec<_> = (0..7).map(|at| (1_000 + at * 10, 1_000 + at * 10)).collect();
    let sent = all(&seven);
    bench.brings(&sent, 1, &frames);
    assert!(bench.0.late_batch(&sent, Seq(0)).is_none());
    assert_eq!(bench.0.lost, all(&[(1, range.last().0)]));
    let (mut bench, frames, _) = spilled();
    let sent = all(&seven[..6]);
    bench.brings(&sent, 1, &frames);
    assert!(bench.0.late_batch(&sent, Seq(0)).is_some(), "the seventh has a place");
}

#[test]
fn a_frame_whose_segment_was_given_away_is_not_written_again_after_a_failure_of_its_class() {
    let mut bench = Bench::gives_a_segment_away();
    // The collector has the earlier run, and so there is room for notable frames.
    assert!(bench.0.acked_past(at(1_000), Run(5), &all(&[(1, 9)])));
    while let Some(order) = bench.next(1_000) {
        assert!(matches!(order, Order::Drop { .. } | Order::Keep { .. }), "{order:?}");
        bench.tell(1_000, Fact::Done { flash: 0 });
    }
    bench.make(900, Rank::Notable);
    let Some(Order::Begin { .. }) = bench.next(1_000) else { panic!("there is room") };
    bench.tell(1_000, Fact::Done { flash: SYNCED });
    assert!(bench.expects_write(1_000, &[4]).is_some());
    bench.fails(1_000, Trouble::Broken);
    let Some(Order::Begin { .. }) = bench.next(1_000) else { panic!("another segment") };
    bench.tell(1_000, Fact::Done { flash: SYNCED });
    bench.expects_write(1_000, &[4]);
}

#[test]
fn what_is_known_of_a_run_is_kept_at_once_when_it_is_done_and_after_five_seconds_else() {
    let keeps = |bench: &mut Bench, millis| matches!(bench.next(millis), Some(Order::Keep { .. }));
    for (known, at_once) in [(all(&[(1, 1)]), true), (all(&[(2, 2)]), false)] {
        let mut bench = Bench::with(64, u64::MAX, &[Class::Critical]);
        assert!(keeps(&mut bench, 1_000), "what was found");
        bench.tell(1_000, Fact::Done { flash: SYNCED });
        assert!(bench.0.acked_past(at(2_000), Run(5), &known));
        let drops = bench.next(2_000);
        if at_once {
            assert_eq!(drops, Some(Order::Drop { segment: 1 }));
            bench.tell(2_000, Fact::Done { flash: 0 });
            assert!(keeps(&mut bench, 2_000));
        } else {
            assert_eq!((drops, bench.next(6_999)), (None, None));
            assert!(keeps(&mut bench, 7_000));
        }
    }
}

#[test]
fn where_the_collector_knows_less_than_was_kept_the_note_is_made_anew() {
    let mut bench = Bench::opened();
    for _ in 0..3 {
        bench.make(1_000, Rank::Critical);
    }
    bench.writes(1_100, &[1, 2, 3]);
    bench.0.acked(at(2_000), &all(&[(1, 3)]));
    assert!(matches!(bench.next(7_000), Some(Order::Keep { .. })));
    bench.tell(7_000, Fact::Done { flash: SYNCED });
    assert_eq!(bench.next(60_000), None);
    bench.0.welcomed(now(60_000), &all(&[(1, 1)]));
    assert_eq!(bench.next(64_999), None);
    assert!(matches!(bench.next(65_000), Some(Order::Keep { .. })));
}

#[test]
fn a_disk_that_once_gave_nothing_is_read_again_for_what_is_spilled_later() {
    let (mut bench, _, range) = spilled();
    bench.0.bring(now(LATE), &Ranges::new());
    assert!(matches!(bench.next(LATE), Some(Order::Read { .. })));
    bench.fails(LATE, Trouble::Broken);
    bench.0.bring(now(LATE), &Ranges::new());
    assert_eq!(bench.0.lost, all(&[(1, range.last().0)]), "nothing could be read");
    let mut millis = LATE + 100_000;
    while bench.0.spilled.is_empty() {
        bench.make(millis, Rank::Critical);
        millis += 200;
        while bench.next(millis).is_some() {
            bench.tell(millis, Fact::Done { flash: SYNCED });
        }
    }
    let later = bench.0.spilled.iter().next().unwrap().first();
    bench.0.bring(now(millis), &Ranges::new());
    assert!(matches!(bench.next(millis), Some(Order::Read { from, .. }) if from == later));
}
