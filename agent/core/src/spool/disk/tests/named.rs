//! What is named of an earlier run, and why it is said to be missing.

use super::*;
use picket_proto::Event;
use picket_proto::event::{Fact as Said, Gap, GapReason};
use picket_proto::frame::Content;

const OLD: Run = Run(5);

fn ranges(first: u64, last: u64) -> Ranges {
    let mut ranges = Ranges::new();
    ranges.insert(SeqRange::new(Seq(first), Seq(last)).unwrap()).unwrap();
    ranges
}

/// The first frames of the earlier run, byte for byte.
fn frames(count: u64) -> Vec<Vec<u8>> {
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
    fn reads(&mut self, from: u64, page: &[&[u8]], damaged: u32) {
        self.0.bring(now(2_000), &Ranges::new());
        assert_eq!(self.next(2_000), Some(Order::Read { run: OLD, from: Seq(from) }));
        self.tell(2_000, Fact::Page { bytes: &page.concat(), damaged });
        self.0.bring(now(2_000), &Ranges::new());
    }

    /// The numbers of the batch that goes out.
    fn sends_late(&mut self) -> Vec<u64> {
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
    fn acks(&mut self, known: &Ranges) {
        assert!(self.0.acked_past(at(2_000), OLD, known));
        self.0.bring(now(2_000), &Ranges::new());
    }

    /// The gaps that were made since this was asked last.
    fn names(&mut self) -> Vec<Gap> {
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

fn gap(first: u64, last: u64, reason: GapReason) -> Gap {
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
