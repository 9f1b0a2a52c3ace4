//! Which segment is appended to, and which one is not needed any more.

use super::*;

impl Bench {
    /// Opens a disk on which this open segment of an earlier run stands.
    fn with_open(found: &[(SegmentId, Shape)]) -> Self {
        let mut bench = Self::new(identity(), 64, u64::MAX);
        assert_eq!(bench.next(1_000), Some(Order::Open));
        for (segment, shape) in found {
            let (segment, shape, class, first) = (*segment, *shape, Class::Critical, Seq(1));
            bench.tell(
                1_000,
                Fact::Found { segment, class, shape, run: Run(5), first, last: first, frames: 1 },
            );
        }
        bench.tell(1_000, Fact::Opened { damaged: 0 });
        bench
    }

    /// Frame 1, a notable one, was in the only segment of its class, which went so that frames 2 and 3 could be written.
    pub(super) fn gives_a_segment_away() -> Self {
        let mut bench = Self::with(4, u64::MAX, &[Class::Critical, Class::Critical]);
        bench.make(900, Rank::Notable);
        bench.writes(1_000, &[1]);
        bench.make(900, Rank::Critical);
        bench.writes(1_000, &[2]);
        bench.make(900, Rank::Critical);
        assert!(matches!(bench.expects_write(1_000, &[3]), Some(Order::Write { .. })));
        bench.fails(1_000, Trouble::Broken);
        assert_eq!(bench.next(1_000), Some(Order::Drop { segment: 3 }), "the one that frame 1 stands in");
        bench.tell(1_000, Fact::Done { flash: 0 });
        bench.writes(1_000, &[2, 3]);
        bench
    }

    /// Where the next critical frame goes.
    fn place_of_next(&mut self, millis: u64) -> Option<Order> {
        self.make(millis, Rank::Critical);
        self.next(millis + 100)
    }
}

#[test]
fn a_new_run_appends_to_the_newest_open_segment_as_long_as_the_frames_fit() {
    let len = {
        let mut bench = Bench::opened();
        bench.make(1_000, Rank::Critical);
        bench.0.view(at(1_000)).bytes
    };
    let used = SEGMENT_FRAMES - len;
    let mut bench = Bench::with_open(&[(2, Shape::Open(0)), (7, Shape::Open(used)), (5, Shape::Open(0))]);
    assert!(matches!(bench.place_of_next(1_000), Some(Order::Write { segment: 7, .. })));
    bench.tell(1_100, Fact::Done { flash: SYNCED });
    assert_eq!(bench.place_of_next(1_200), Some(Order::Begin { segment: 8, class: Class::Critical }));
    for shape in [Shape::Open(used + 1), Shape::Closed] {
        let mut bench = Bench::with_open(&[(7, shape)]);
        assert!(matches!(bench.place_of_next(1_000), Some(Order::Begin { segment: 8, .. })), "{shape:?}");
    }
}

#[test]
fn a_segment_takes_frames_of_eight_runs_and_no_more() {
    for (runs, appends) in [(7, true), (8, false)] {
        let mut bench = Bench::new(identity(), 64, u64::MAX);
        assert_eq!(bench.next(1_000), Some(Order::Open));
        for run in 0..runs {
            let (segment, class, shape, run) = (1, Class::Critical, Shape::Open(0), Run(100 + run));
            let (first, last) = (Seq(1), Seq(1));
            bench.tell(1_000, Fact::Found { segment, class, shape, run, first, last, frames: 1 });
        }
        bench.tell(1_000, Fact::Opened { damaged: 0 });
        let order = bench.place_of_next(1_000);
        assert_eq!(matches!(order, Some(Order::Write { segment: 1, .. })), appends, "{runs} runs");
    }
}

#[test]
fn segments_are_counted_with_those_that_are_still_empty() {
    let mut bench = Bench::with_open(&[(1, Shape::Open(9)), (2, Shape::Closed)]);
    assert_eq!(bench.0.view(at(1_000)).segments, 2);
    bench.make(900, Rank::Notable);
    assert!(matches!(bench.next(1_000), Some(Order::Begin { segment: 3, .. })));
    bench.tell(1_000, Fact::Done { flash: SYNCED });
    assert_eq!(bench.0.view(at(1_000)).segments, 3);
}

#[test]
fn a_closed_segment_goes_when_all_of_it_is_acknowledged_and_an_open_one_stays() {
    let mut bench = Bench::opened();
    bench.make(1_000, Rank::Critical);
    bench.writes(1_100, &[1]);
    bench.make(1_100, Rank::Critical);
    assert!(matches!(bench.expects_write(1_200, &[2]), Some(Order::Write { segment: 1, .. })));
    bench.fails(1_200, Trouble::Broken);
    bench.writes(1_200, &[1, 2]);
    let mut known = Ranges::new();
    known.insert(SeqRange::one(Seq(2)).unwrap()).unwrap();
    bench.0.acked(at(1_300), &known);
    assert_eq!(bench.next(1_300), None, "frame 1 is not acknowledged");
    known.insert(SeqRange::one(Seq(1)).unwrap()).unwrap();
    bench.0.acked(at(1_300), &known);
    assert_eq!(bench.next(1_300), Some(Order::Drop { segment: 1 }));
    bench.tell(1_300, Fact::Done { flash: 0 });
    assert_eq!(bench.next(1_300), None, "the other one is appended to");
    assert_eq!(bench.0.view(at(1_300)).segments, 1);
}

#[test]
fn where_the_file_system_is_full_a_segment_of_a_lower_class_makes_room_and_no_other() {
    let (critical, notable) = (Class::Critical, Class::Notable);
    for (found, expected) in [
        (&[critical, notable][..], Order::Drop { segment: 2 }),
        (&[critical], Order::Begin { segment: 3, class: critical }),
    ] {
        let mut bench = Bench::with(64, u64::MAX, found);
        assert!(matches!(bench.place_of_next(1_000), Some(Order::Begin { .. })));
        bench.fails(1_100, Trouble::Full);
        assert_eq!(bench.next(11_100), Some(expected), "{found:?}");
    }
}

#[test]
fn a_frame_whose_segment_had_to_go_is_not_written_a_second_time() {
    let mut bench = Bench::gives_a_segment_away();
    assert!(matches!(bench.next(1_000), Some(Order::Keep { .. })), "nothing is left to be written");
}

#[test]
fn a_folder_that_is_looked_at_twice_counts_once_and_its_damage_is_shown() {
    let mut bench = Bench::new(identity(), 64, u64::MAX);
    let (class, shape, run, seq) = (Class::Critical, Shape::Closed, Run(5), Seq(1));
    let found = Fact::Found { segment: 1, class, shape, run, first: seq, last: seq, frames: 1 };
    assert_eq!(bench.next(1_000), Some(Order::Open));
    bench.tell(1_000, found);
    bench.fails(1_000, Trouble::ReadOnly);
    assert_eq!((bench.next(60_999), bench.0.deadline()), (None, at(61_000)));
    assert_eq!(bench.next(61_000), Some(Order::Open));
    bench.tell(61_000, found);
    bench.tell(61_000, Fact::Opened { damaged: 2 });
    let view = bench.0.view(at(61_000));
    assert_eq!((view.segments, view.on_disk, view.damaged, view.runs), (1, 1, 2, 1));
}
