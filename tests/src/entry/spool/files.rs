//! The files of a state folder, written as an agent does.

use crate::entry::cursor::Cursor;
use crate::entry::said;
use picket_agent::entry::Spool;
use picket_agent_core::spool::{Bytes, Fact, Order, SEGMENT_FRAMES, SegmentId, Shape};
use picket_proto::frame::{self, Class, Crc32c};
use picket_proto::{Event, Run, Seq};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

const CLASSES: [Class; 3] = [Class::Critical, Class::Notable, Class::Routine];

/// What was written and said to be durable: by run and number, the segment and the frame.
#[derive(Debug, Default)]
pub(super) struct Written(pub(super) BTreeMap<(Run, Seq), (SegmentId, Vec<u8>)>);

impl Written {
    /// Nothing is promised of these segments any more.
    pub(super) fn forget(&mut self, touched: &[String]) {
        self.0.retain(|_, (segment, _)| !touched.contains(&name_of(*segment)));
    }

    /// The runs.
    pub(super) fn runs(&self) -> Vec<Run> {
        let mut runs: Vec<Run> = self.0.keys().map(|(run, _)| *run).collect();
        runs.dedup();
        runs
    }
}

/// The name of a segment's file.
pub(super) fn name_of(segment: SegmentId) -> String {
    format!("{segment:08x}.seg")
}

/// Does an order; the facts that came, in words, and whether it was done.
pub(super) fn ask(spool: &mut Spool, order: Order, bytes: &[u8], tell: &mut dyn FnMut(Fact<'_>)) -> bool {
    let (mut done, mut told) = (false, 0);
    spool.obey(order, bytes, &mut |fact| {
        done |= matches!(fact, Fact::Done { .. } | Fact::Opened { .. });
        told += 1;
        tell(fact);
    });
    assert!(told > 0, "every order is answered");
    done
}

/// Whether what is kept of runs is true.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kept {
    True,
    Anything,
}

/// Up to three runs one after the other, each with groups of frames and what it keeps of runs.
pub(super) fn write(state: &Path, cursor: &mut Cursor<'_>, kept: Kept) -> Written {
    let mut written = Written::default();
    for run in 1..=1 + cursor.below(3) as u64 {
        let mut spool = Spool::new(state);
        let (mut next, mut open) = (0, [None; 3]);
        ask(&mut spool, Order::Open, &[], &mut |fact| {
            if let Fact::Found { segment, class, shape, .. } = fact {
                next = next.max(segment);
                if let Shape::Open(used) = shape {
                    open[class as usize] = Some((segment, used));
                }
            }
        });
        let mut seq = Seq(0);
        for _ in 0..cursor.below(12) {
            group(&mut spool, cursor, (&mut next, &mut open), (Run(run), &mut seq), &mut written);
        }
        if cursor.flag() {
            let bytes = Bytes { start: 0, len: 0 };
            assert!(ask(&mut spool, Order::Keep { bytes }, &runs(cursor, kept, (run, seq)), &mut |_| {}));
        }
    }
    written
}

type Open = [Option<(SegmentId, u32)>; 3];

/// Frames of one class into the segment that is open, or a new one.
fn group(
    spool: &mut Spool,
    cursor: &mut Cursor<'_>,
    (next, open): (&mut SegmentId, &mut Open),
    (run, seq): (Run, &mut Seq),
    written: &mut Written,
) {
    let class = cursor.one_of(&CLASSES);
    let frames = frames(cursor, class, run, seq);
    let bytes = frames.concat();
    let place = open[class as usize]
        .filter(|(_, used)| *used as usize + bytes.len() <= SEGMENT_FRAMES as usize && cursor.below(8) > 0);
    let (segment, used) = place.unwrap_or_else(|| {
        *next += 1;
        assert!(ask(spool, Order::Begin { segment: *next, class }, &[], &mut |_| {}), "there is room");
        (*next, 0)
    });
    let order = Order::Write { segment, bytes: Bytes { start: 0, len: 0 } };
    assert!(ask(spool, order, &bytes, &mut |_| {}), "there is room");
    open[class as usize] = Some((segment, used + bytes.len() as u32));
    for bytes in frames {
        let (frame, _) = frame::split(&bytes).expect("it was encoded");
        written.0.insert((run, frame.header.seq), (segment, bytes));
    }
}

/// Frames of a class; one of another is left out, as its number is: it is on another disk.
fn frames(cursor: &mut Cursor<'_>, class: Class, run: Run, seq: &mut Seq) -> Vec<Vec<u8>> {
    let stamp = said::stamp(cursor, run);
    let facts: Vec<_> = (0..=cursor.below(6)).map(|_| said::fact(cursor, run)).collect();
    let events = facts.into_iter().map(|fact| Event { stamp, fact });
    let mut frames = Vec::new();
    // The same ones again and again: a small input fills a segment.
    let count = cursor.one_of(&[1, 8, 200]);
    for event in events.cycle().take(1 + cursor.below(count)) {
        *seq = seq.next();
        if frame::class_of(&event.fact) == class {
            frames.push(said::framed(*seq, &event));
        }
    }
    frames
}

/// What an agent keeps of runs.
fn runs(cursor: &mut Cursor<'_>, kept: Kept, (run, seq): (u64, Seq)) -> Vec<u8> {
    if kept == Kept::Anything && cursor.flag() {
        return cursor.some(1).to_vec();
    }
    let mut bytes = Vec::new();
    for number in [run, seq.0] {
        bytes.extend(number.to_le_bytes());
    }
    let count = if kept == Kept::Anything { cursor.below(3) } else { 0 };
    bytes.push(count as u8);
    for _ in 0..count {
        let range = said::range(cursor);
        bytes.extend(range.first().0.to_le_bytes());
        bytes.extend(range.last().0.to_le_bytes());
    }
    bytes
}

/// The claims of the runs before, newest first, as the agent writes them; at times spoiled.
pub(super) fn claim(state: &Path, cursor: &mut Cursor<'_>, written: &Written) {
    let mut text = Vec::new();
    for run in written.runs().into_iter().rev() {
        let made = written.0.range((run, Seq(0))..=(run, Seq(u64::MAX))).map(|((_, seq), _)| seq.0).max();
        let claim = format!("{run} {:020}", made.unwrap_or(0) + cursor.number() % 200);
        let mut crc = Crc32c::new();
        crc.add(claim.as_bytes());
        text.extend(format!("{claim} {:08x}\n", crc.value()).bytes());
    }
    if cursor.below(4) == 3 {
        cursor.spoil(&mut text);
    }
    fs::write(state.join("run"), text).expect("room");
}
