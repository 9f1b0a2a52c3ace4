//! What is named of an earlier run, and why it is said to be missing.

use super::*;
use picket_proto::Event;
use picket_proto::event::{Fact as Said, Gap, GapReason};
use picket_proto::frame::Content;

pub(super) const OLD: Run = Run(5);

pub(super) fn ranges(first: u64, last: u64) -> Ranges {
    let mut ranges = Ranges::new();
    ranges.insert(SeqRange::new(Seq(first), Seq(last)).unwrap()).unwrap();
    ranges
}

/// The first frames of the earlier run, byte for byte.
pub(super) fn frames(count: u64) -> Vec<Vec<u8>> {
    let mut old = Bench::new(Identity { run: OLD, ..identity() }, 8, 0);
    let one = |_| {
        old.make(0, Rank::Critical);
        let bytes = old.0.next_told().expect("it was made");
        old.0.bytes(bytes).to_vec()
    };
    (1..=count).map(one).collect()
}

/// Opens a disk of four segments, on which these frames of the earlier run stand, each in a segment of its own.
fn found(frames: &[(Class, u64)], damaged: u32) -> Bench {
    let mut bench = Bench::new(identity(), 4, u64::MAX);
    assert_eq!(bench.next(1_000), Some(Order::Open));
    for (segment, (class, seq)) in (1..).zip(frames) {
        let (class, shape, seq) = (*class, Shape::Closed, Seq(*seq));
        bench.tell(1_000, Fact::Found { segment, class, shape, run: OLD, first: seq, last: seq, frames: 1 });
    }
    bench.tell(1_000, Fact::Opened { damaged });
    bench
}

impl Bench {
    /// Reads the earlier run from a number on; these frames come.
    pub(super) fn reads(&mut self, from: u64, page: &[&[u8]], damaged: u32) {
        self.0.bring(now(2_000), &Ranges::new());
        let mut order = self.next(2_000);
        // What the collector has goes from the disk first.
        while let Some(Order::Drop { .. }) = order {
            self.tell(2_000, Fact::Done { flash: 0 });
            order = self.next(2_000);
        }
        assert_eq!(order, Some(Order::Read { run: OLD, from: Seq(from), only: None }));
        self.tell(2_000, Fact::Page { bytes: &page.concat(), damaged });
        self.0.bring(now(2_000), &Ranges::new());
    }

    /// The numbers of the batch that goes out.
    pub(super) fn sends_late(&mut self) -> Vec<u64> {
        let (bytes, ..) = self.0.late_batch(&Ranges::new(), Seq(0)).expect("a batch from the disk");
        let (mut rest, mut sent) = (self.0.bytes(bytes), Vec::new());
        while let Ok((frame, after)) = frame::split(rest) {
            assert_eq!(frame.header.run, OLD);
            sent.push(frame.header.seq.0);
            rest = after;
        }
        sent
    }

    /// The collector says what it has of the earlier run.
    pub(super) fn acks(&mut self, known: &Ranges) {
        assert!(self.0.acked_past(at(2_000), OLD, known));
        self.0.bring(now(2_000), &Ranges::new());
    }

    /// The gaps that were made since this was asked last.
    pub(super) fn names(&mut self) -> Vec<Gap> {
        let mut gaps = Vec::new();
        while let Some(bytes) = self.0.next_told() {
            match frame::split(self.0.bytes(bytes)).unwrap().0.content() {
                Ok(Content::Known(Event { fact: Said::Gap(gap), .. })) => gaps.push(gap),
                Ok(_) => {}
                Err(error) => panic!("{error:?}"),
            }
        }
        gaps
    }
}

pub(super) fn gap(first: u64, last: u64, reason: GapReason) -> Gap {
    Gap { run: OLD, range: SeqRange::new(Seq(first), Seq(last)).unwrap(), reason }
}

#[test]
fn a_hole_in_an_earlier_run_says_whether_its_segment_was_given_away_or_was_damaged_or_never_was() {
    let frames = frames(4);
    let (critical, routine) = (Class::Critical, Class::Routine);
    let whole = [(critical, 1), (routine, 2), (critical, 3), (critical, 4)];
    let holed = [(critical, 1), (critical, 3), (critical, 4)];
    for (found_there, damaged_folder, damaged_page, reason) in [
        (&whole[..], 0, 0, GapReason::SpoolFull),
        (&holed, 1, 0, GapReason::Damaged),
        (&holed, 0, 1, GapReason::Damaged),
        (&holed, 0, 0, GapReason::AgentEnded),
    ] {
        let mut bench = found(found_there, damaged_folder);
        if found_there.len() == 4 {
            bench.make(900, Rank::Critical);
            assert_eq!(bench.next(1_000), Some(Order::Drop { segment: 2 }));
            bench.tell(1_000, Fact::Done { flash: 0 });
            bench.writes(1_000, &[1]);
        }
        bench.reads(1, &[&frames[0], &frames[2], &frames[3]], damaged_page);
        assert_eq!(bench.sends_late(), [1]);
        assert_eq!(bench.names(), []);
        bench.acks(&ranges(1, 1));
        assert_eq!(bench.names(), [gap(2, 2, reason)]);
    }
}

#[test]
fn what_an_earlier_run_made_behind_its_last_durable_frame_ended_with_it() {
    let frames = frames(2);
    let previous = Some((OLD, Seq(5)));
    let mut bench = Bench::new(Identity { previous, ..identity() }, 4, u64::MAX);
    bench.0.begin(now(900), 0, 0);
    assert_eq!(bench.next(1_000), Some(Order::Open));
    let (class, shape, run) = (Class::Critical, Shape::Closed, OLD);
    bench.tell(1_000, Fact::Found { segment: 1, class, shape, run, first: Seq(1), last: Seq(2), frames: 2 });
    bench.tell(1_000, Fact::Opened { damaged: 1 });
    bench.0.acked(at(1_000), &ranges(1, 1));
    bench.reads(1, &[&frames[0], &frames[1]], 0);
    assert_eq!(bench.sends_late(), [1, 2]);
    bench.acks(&ranges(1, 2));
    assert_eq!(bench.names(), [gap(3, 5, GapReason::AgentEnded)]);
}

/// An agent whose run before made so many frames, of which these are on the disk; the collector has heard of it.
pub(super) fn after(made: u64, on_disk: &[u64]) -> Bench {
    let previous = Some((OLD, Seq(made)));
    let mut bench = Bench::new(Identity { previous, ..identity() }, 8, u64::MAX);
    bench.0.begin(now(900), 0, 0);
    assert_eq!(bench.next(1_000), Some(Order::Open));
    for (segment, seq) in (1..).zip(on_disk) {
        let (class, shape, seq) = (Class::Critical, Shape::Closed, Seq(*seq));
        bench.tell(1_000, Fact::Found { segment, class, shape, run: OLD, first: seq, last: seq, frames: 1 });
    }
    bench.tell(1_000, Fact::Opened { damaged: 0 });
    bench.0.acked(at(1_000), &ranges(1, 1));
    bench
}

/// Everything that one frame after the other says.
pub(super) fn page<'a>(frames: &'a [Vec<u8>], seqs: &[u64]) -> Vec<&'a [u8]> {
    seqs.iter().map(|seq| frames[*seq as usize - 1].as_slice()).collect()
}

pub(super) fn both(one: Ranges, (first, last): (u64, u64)) -> Ranges {
    let mut all = one;
    all.insert(SeqRange::new(Seq(first), Seq(last)).unwrap()).unwrap();
    all
}

#[test]
fn all_holes_of_an_earlier_run_are_named_at_once_and_never_what_is_there_or_arrived() {
    let frames = frames(6);
    let mut bench = after(9, &[1, 4, 6]);
    bench.reads(1, &page(&frames, &[1, 4, 6]), 1);
    assert_eq!(bench.sends_late(), [1]);
    // Frame 8 arrived by an earlier session, and went from the disk since.
    bench.acks(&both(ranges(1, 1), (8, 8)));
    let (damaged, ended) = (GapReason::Damaged, GapReason::AgentEnded);
    assert_eq!(bench.names(), [gap(2, 3, damaged), gap(5, 5, damaged), gap(7, 7, ended), gap(9, 9, ended)]);
    assert!(bench.0.late_batch(&Ranges::new(), Seq(0)).is_none(), "their acks are waited for");
    bench.0.acked(at(2_100), &ranges(1, bench.0.last().0));
    bench.0.bring(now(2_100), &Ranges::new());
    assert_eq!(bench.sends_late(), [4, 6], "what stands between them is known by now");
    bench.acks(&ranges(1, 9));
    assert_eq!((bench.names(), bench.0.misses(OLD)), (Vec::new(), false));
}

#[test]
fn a_batch_of_an_earlier_run_goes_over_what_the_collector_has_and_over_nothing_else() {
    let frames = frames(5);
    for (known, sent) in
        [(both(Ranges::new(), (3, 3)), &[1, 2, 4, 5][..]), (both(Ranges::new(), (5, 5)), &[1, 2])]
    {
        let mut bench = after(5, &[1, 2, 4, 5]);
        assert!(bench.0.acked_past(at(1_500), OLD, &known));
        bench.reads(1, &page(&frames, &[1, 2, 4, 5]), 0);
        assert_eq!(bench.sends_late(), sent, "{known} is known");
    }
}

#[test]
fn what_the_collector_does_not_take_is_sent_three_times_and_then_named() {
    let frames = frames(3);
    let mut bench = after(3, &[1, 2, 3]);
    bench.reads(1, &page(&frames, &[1, 2, 3]), 0);
    for time in 1..=3 {
        assert_eq!(bench.names(), [], "time {time}");
        assert_eq!(bench.sends_late(), [1, 2, 3], "time {time}");
        bench.acks(&Ranges::new());
    }
    assert_eq!(bench.names(), [gap(1, 1, GapReason::Conflict)]);
    bench.0.acked(at(2_100), &ranges(1, bench.0.last().0));
    bench.0.bring(now(2_100), &Ranges::new());
    assert_eq!(bench.sends_late(), [2, 3], "one frame at a time");
}

#[test]
fn a_taken_batch_makes_earlier_refusals_forgotten() {
    let frames = frames(3);
    let mut bench = after(3, &[1, 2, 3]);
    bench.reads(1, &page(&frames, &[1, 2]), 0);
    for known in [Ranges::new(), Ranges::new(), ranges(1, 2)] {
        assert_eq!(bench.sends_late(), [1, 2]);
        bench.acks(&known);
    }
    bench.reads(3, &page(&frames, &[3]), 0);
    for _ in 0..2 {
        assert_eq!(bench.sends_late(), [3]);
        bench.acks(&ranges(1, 2));
    }
    assert_eq!(bench.names(), []);
}

#[test]
fn what_cannot_be_read_is_named() {
    let mut bench = after(2, &[1, 2]);
    bench.0.bring(now(2_000), &Ranges::new());
    assert!(matches!(bench.next(2_000), Some(Order::Read { from: Seq(1), .. })));
    bench.fails(2_000, Trouble::Broken);
    bench.0.bring(now(2_000), &Ranges::new());
    assert_eq!(bench.names(), [gap(1, 2, GapReason::AgentEnded)]);
}

#[test]
fn of_the_run_before_nothing_is_said_until_the_collector_has_said_what_it_has() {
    let mut bench = Bench::new(Identity { previous: Some((OLD, Seq(3))), ..identity() }, 8, u64::MAX);
    bench.0.begin(now(900), 0, 0);
    bench.0.late.recall(OLD, Seq(3), ranges(1, 3));
    assert!(bench.next(1_000).is_some());
    bench.tell(1_000, Fact::Opened { damaged: 0 });
    bench.0.bring(now(1_000), &Ranges::new());
    assert!(bench.0.misses(OLD), "an older backup may know less than was kept");
    bench.0.acked(at(1_100), &ranges(1, 1));
    bench.0.bring(now(1_100), &Ranges::new());
    assert_eq!((bench.0.misses(OLD), bench.names()), (false, Vec::new()));
}

#[test]
fn where_there_are_more_runs_than_places_the_one_with_the_fewest_frames_is_named_whole() {
    for (made_by_ninth, given_up, made) in [(50, 102, 12), (5, 108, 5), (12, 108, 12)] {
        let mut bench = Bench::new(identity(), 64, u64::MAX);
        assert_eq!(bench.next(1_000), Some(Order::Open));
        for at in 0..9 {
            let (segment, class, shape, run) =
                (at + 1, Class::Critical, Shape::Closed, Run(100 + u64::from(at)));
            let last = Seq(if at == 8 { made_by_ninth } else { u64::from(10 + (at + 6) % 8 + 2) });
            bench.tell(1_000, Fact::Found { segment, class, shape, run, first: Seq(1), last, frames: 1 });
        }
        bench.tell(1_000, Fact::Opened { damaged: 0 });
        let range = SeqRange::new(Seq(1), Seq(made)).unwrap();
        assert_eq!(bench.names(), [Gap { run: Run(given_up), range, reason: GapReason::SpoolFull }]);
        assert!(
            !bench.0.misses(Run(given_up)) && bench.0.misses(Run(if given_up == 108 { 102 } else { 108 }))
        );
    }
}

#[test]
fn a_run_that_is_done_gives_its_place_before_any_other() {
    let mut bench = Bench::new(identity(), 64, u64::MAX);
    for run in 0..8 {
        bench.0.late.recall(Run(100 + run), Seq(10), ranges(1, if run == 3 { 10 } else { 9 }));
    }
    assert_eq!(bench.next(1_000), Some(Order::Open));
    let (segment, class, shape, run) = (1, Class::Critical, Shape::Closed, Run(200));
    bench.tell(1_000, Fact::Found { segment, class, shape, run, first: Seq(1), last: Seq(1), frames: 1 });
    bench.tell(1_000, Fact::Opened { damaged: 0 });
    assert!(bench.0.misses(Run(200)) && bench.0.misses(Run(100)));
}

#[test]
fn a_run_that_is_claimed_at_the_start_is_missed() {
    let runs = leak(Past::default(), 4);
    runs[0] = Past::claimed(OLD, Seq(4));
    let lent =
        Lent { parts: leak(Part::default(), 8), runs, pages: leak(0, 2 * PAGE), segments: 8, budget: 0 };
    let spool = Spool::new((leak(0, RING_MIN), leak(Entry::default(), 64)), lent, identity());
    assert!(spool.misses(OLD) && !spool.misses(Run(0)));
}
