//! What the disk is asked and when, told by a disk that answers what the story says.

mod end;
mod leap;
mod named;
mod renamed;
mod segments;
mod spilled;

use super::super::tests::{fact, identity};
use super::super::{Entry, Identity, Mode, Past, RING_MIN, Rank, Spool};
use super::*;
use picket_proto::{Now, Ranges, Run, Seq, SeqRange, frame};
use std::vec::Vec;

const SYNCED: u64 = 4096;

struct Bench(Spool<'static>);

fn leak<T: Clone>(one: T, count: usize) -> &'static mut [T] {
    std::vec![one; count].leak()
}

fn at(millis: u64) -> Mono {
    Mono::from_micros(millis * 1000)
}

fn now(millis: u64) -> Now {
    Now { mono: at(millis), ..Now::default() }
}

impl Bench {
    /// A spool whose disk was not looked at yet.
    fn new(identity: Identity, segments: u32, budget: u64) -> Self {
        let (parts, runs) = (leak(Part::default(), 64), leak(Past::default(), 8));
        let lent = Lent { parts, runs, pages: leak(0, 2 * PAGE), segments, budget };
        Self(Spool::new((leak(0, RING_MIN), leak(Entry::default(), 256)), lent, identity))
    }

    /// A disk with room, opened at 1 s; these closed segments of an earlier run are on it.
    fn with(segments: u32, budget: u64, found: &[Class]) -> Self {
        let mut bench = Self::new(identity(), segments, budget);
        assert_eq!(bench.next(1_000), Some(Order::Open));
        for (segment, class) in (1..).zip(found) {
            let seq = Seq(u64::from(segment));
            let (class, shape, run) = (*class, Shape::Closed, Run(5));
            bench.tell(1_000, Fact::Found { segment, class, shape, run, first: seq, last: seq, frames: 1 });
        }
        bench.tell(1_000, Fact::Opened { damaged: 0 });
        bench
    }

    fn opened() -> Self {
        Self::with(64, u64::MAX, &[])
    }

    fn make(&mut self, millis: u64, rank: Rank) {
        self.0.append(now(millis), fact(rank, 90));
    }

    fn tell(&mut self, millis: u64, fact: Fact<'_>) {
        self.0.on_disk(now(millis), fact);
    }

    fn next(&mut self, millis: u64) -> Option<Order> {
        self.0.next_disk(at(millis))
    }

    fn fails(&mut self, millis: u64, trouble: Trouble) {
        self.tell(millis, Fact::Failed { trouble });
    }

    fn mode(&self, millis: u64) -> Mode {
        self.0.view(at(millis)).mode
    }

    /// Expects that a segment is begun and frames with these numbers are written to it, and does it.
    fn writes(&mut self, millis: u64, seqs: &[u64]) {
        if let Some(Order::Begin { .. }) = self.expects_write(millis, seqs) {
            self.tell(millis, Fact::Done { flash: SYNCED });
            self.expects_write(millis, seqs);
        }
        self.tell(millis, Fact::Done { flash: SYNCED });
    }

    fn expects_write(&mut self, millis: u64, seqs: &[u64]) -> Option<Order> {
        let order = self.next(millis);
        match order {
            Some(Order::Begin { .. }) => {}
            Some(Order::Write { bytes, .. }) => {
                let (mut rest, mut found) = (self.0.bytes(bytes), Vec::new());
                while !rest.is_empty() {
                    let (frame, after) = frame::split(rest).expect("whole frames");
                    found.push(frame.header.seq.0);
                    rest = after;
                }
                assert_eq!(found, seqs);
            }
            other => panic!("{other:?} instead of a write of {seqs:?}"),
        }
        order
    }
}

#[test]
fn a_frame_that_matters_is_written_after_100_ms_and_a_routine_one_after_20_s() {
    for (rank, class, wait) in [
        (Rank::Critical, Class::Critical, 100),
        (Rank::Notable, Class::Notable, 100),
        (Rank::Routine, Class::Routine, 20_000),
    ] {
        let mut bench = Bench::opened();
        bench.make(1_000, rank);
        assert_eq!((bench.0.deadline(), bench.next(999 + wait)), (at(1_000 + wait), None));
        assert_eq!(bench.next(1_000 + wait), Some(Order::Begin { segment: 1, class }));
        assert_eq!(
            (bench.0.deadline(), bench.next(1_000 + wait)),
            (Mono::NEVER, None),
            "one order at a time"
        );
        bench.tell(1_000 + wait, Fact::Done { flash: SYNCED });
        bench.writes(1_000 + wait, &[1]);
        assert_eq!((bench.next(90_000), bench.0.deadline()), (None, Mono::NEVER), "it is written once");
        assert_eq!(bench.0.view(at(90_000)).on_disk, 1);
    }
}

#[test]
fn a_routine_frame_is_written_at_once_where_the_ring_is_more_than_half_full() {
    let mut bench = Bench::opened();
    while bench.0.view(at(1_000)).bytes * 2 <= RING_MIN as u32 {
        assert!(bench.0.last() == Seq(0) || bench.0.deadline() == at(21_000));
        bench.make(1_000, Rank::Routine);
    }
    assert_eq!(bench.0.deadline(), at(1_000));
    let all: Vec<u64> = (1..=bench.0.last().0).collect();
    bench.writes(1_000, &all);
}

#[test]
fn what_is_acknowledged_first_is_never_written() {
    let mut bench = Bench::opened();
    bench.make(1_000, Rank::Critical);
    let mut known = Ranges::new();
    known.insert(SeqRange::one(Seq(1)).unwrap()).unwrap();
    bench.0.acked(at(1_050), &known);
    assert_eq!((bench.next(1_100), bench.0.deadline()), (None, Mono::NEVER));
}

#[test]
fn a_used_up_budget_keeps_routine_frames_in_memory_for_the_rest_of_the_day() {
    const DAY_MS: u64 = 24 * 3600 * 1000;
    let mut bench = Bench::with(64, 2 * SYNCED, &[]);
    bench.make(1_000, Rank::Routine);
    assert!(!bench.0.view(at(1_000)).is_over_budget);
    bench.writes(21_000, &[1]);
    let view = bench.0.view(at(21_000));
    assert_eq!((view.written, view.is_over_budget), (2 * SYNCED, true));
    bench.make(21_000, Rank::Routine);
    bench.make(21_000, Rank::Critical);
    bench.writes(21_100, &[3]);
    assert_eq!((bench.next(41_000), bench.0.deadline()), (None, at(DAY_MS)));
    assert_eq!(bench.next(DAY_MS - 1), None);
    bench.writes(DAY_MS, &[2]);
    assert_eq!(bench.0.view(at(DAY_MS)).written, SYNCED, "a new day is counted from its own start");
}

#[test]
fn the_mode_says_whether_frames_are_made_durable_and_why_not() {
    let none = Spool::new((leak(0, RING_MIN), leak(Entry::default(), 8)), Lent::none(), identity());
    assert_eq!(none.view(at(1_000)).mode, Mode::Ram(Trouble::Absent));
    assert_eq!(Bench::new(identity(), 8, 0).mode(1_000), Mode::Opening);
    let mut bench = Bench::opened();
    assert_eq!(bench.mode(90_000), Mode::Disk);
    bench.make(1_000, Rank::Critical);
    assert!(bench.next(1_100).is_some());
    assert_eq!(bench.mode(11_099), Mode::Disk);
    assert_eq!(bench.mode(11_100), Mode::Ram(Trouble::Silent));
    bench.tell(11_200, Fact::Done { flash: SYNCED });
    assert_eq!(bench.mode(11_200), Mode::Disk);
}

#[test]
fn after_a_failure_writing_rests_and_is_then_tried_again() {
    for (trouble, failures, rest) in
        [(Trouble::Broken, 3, 60_000), (Trouble::ReadOnly, 1, 60_000), (Trouble::Full, 1, 10_000)]
    {
        let mut bench = Bench::opened();
        bench.make(1_000, Rank::Critical);
        for _ in 0..failures {
            assert_eq!(bench.mode(1_100), Mode::Disk, "{trouble:?}");
            assert!(matches!(bench.next(1_100), Some(Order::Begin { .. })), "{trouble:?}");
            bench.fails(1_100, trouble);
        }
        assert_eq!((bench.mode(1_100), bench.0.deadline()), (Mode::Ram(trouble), at(1_100 + rest)));
        assert_eq!(bench.next(1_099 + rest), None);
        bench.writes(1_100 + rest, &[1]);
        assert_eq!(bench.mode(1_100 + rest), Mode::Disk);
    }
}

#[test]
fn what_a_failed_write_and_its_segment_held_is_written_again_elsewhere() {
    let mut bench = Bench::opened();
    bench.make(1_000, Rank::Critical);
    bench.make(1_000, Rank::Notable);
    bench.writes(1_100, &[1]);
    bench.writes(1_100, &[2]);
    bench.make(1_100, Rank::Critical);
    assert!(matches!(bench.expects_write(1_200, &[3]), Some(Order::Write { segment: 1, .. })));
    bench.fails(1_200, Trouble::Broken);
    // Frame 2 stands in another segment, which is sound.
    assert_eq!(bench.next(1_200), Some(Order::Begin { segment: 3, class: Class::Critical }));
    bench.tell(1_200, Fact::Done { flash: SYNCED });
    bench.writes(1_200, &[1, 3]);
    assert_eq!(bench.next(90_000), None);
}

#[test]
fn the_lowest_class_goes_first_and_never_for_a_lower_one() {
    use Class::{Critical, Notable, Routine};
    let dropped = |segment| Some(Order::Drop { segment });
    let begun = |segment, class| Some(Order::Begin { segment, class });
    for (found, rank, expected) in [
        (&[Critical, Notable, Routine, Routine][..], Rank::Critical, dropped(3)),
        (&[Critical, Notable, Critical, Notable], Rank::Critical, dropped(2)),
        (&[Critical, Critical, Notable], Rank::Critical, begun(4, Critical)),
        (&[Critical, Critical, Notable], Rank::Notable, dropped(3)),
        (&[Critical, Notable], Rank::Notable, begun(3, Notable)),
        (&[Notable, Notable, Routine], Rank::Notable, dropped(3)),
    ] {
        let mut bench = Bench::with(4, u64::MAX, found);
        bench.make(900, rank);
        assert_eq!(bench.next(1_000), expected, "{found:?} for {rank:?}");
    }
    let mut bench = Bench::with(4, u64::MAX, &[Notable, Critical, Critical]);
    bench.make(1_000, Rank::Routine);
    assert!(matches!(bench.next(21_000), Some(Order::Keep { .. })), "no place for it");
    bench.tell(21_000, Fact::Done { flash: SYNCED });
    assert_eq!(bench.0.deadline(), at(31_000));
}

#[test]
fn of_more_segments_than_are_allowed_the_least_one_goes_at_once() {
    let found = [Class::Critical, Class::Notable, Class::Critical, Class::Critical, Class::Notable];
    let mut bench = Bench::with(4, u64::MAX, &found);
    assert_eq!(bench.next(1_000), Some(Order::Drop { segment: 2 }));
    bench.tell(1_000, Fact::Done { flash: 0 });
    assert!(matches!(bench.next(1_000), Some(Order::Keep { .. })));
    assert_eq!(bench.0.view(at(1_000)).segments, 4);
}
