//! What is read back from segments.

use super::files::{Written, ask};
use picket_agent::entry::Spool;
use picket_agent_core::spool::{Fact, Order, PAGE};
use picket_proto::{Run, Seq, frame};
use std::collections::BTreeMap;
use std::path::Path;

/// Reading ends after so many pages: more than all files together hold.
const PAGES: usize = 10_000;

/// Everything that was written and not touched is given back.
pub(super) fn back(state: &Path, written: &Written) {
    let mut spool = Spool::new(state);
    assert!(ask(&mut spool, Order::Open, &[], &mut |_| {}), "it opens");
    for run in written.runs() {
        let read = read_all(&mut spool, run, Seq::FIRST);
        for ((_, seq), (segment, frame)) in written.0.range((run, Seq(0))..=(run, Seq(u64::MAX))) {
            assert_eq!(read.get(seq), Some(frame), "{run:?} {seq} of segment {segment} is lost");
        }
        // From the middle on, without the pages before.
        let middle = read.keys().nth(read.len() * 3 / 4).copied().unwrap_or(Seq::FIRST);
        let rest: BTreeMap<_, _> = read.into_iter().filter(|(seq, _)| *seq >= middle).collect();
        assert!(read_all(&mut spool, run, middle) == rest, "{run:?} from {middle} on is something else");
    }
}

fn read_all(spool: &mut Spool, run: Run, mut from: Seq) -> BTreeMap<Seq, Vec<u8>> {
    let mut all = BTreeMap::new();
    for _ in 0..PAGES {
        let mut page = Vec::new();
        ask(spool, Order::Read { run, from, only: None }, &[], &mut |fact| {
            if let Fact::Page { bytes, .. } = fact {
                page.extend_from_slice(bytes);
            }
        });
        if page.is_empty() {
            return all;
        }
        from = whole(&page, run, from, &mut |frame| {
            all.insert(frame.header.seq, frame.bytes.to_vec());
        });
    }
    panic!("reading never ends");
}

/// Whole frames of the run, ascending; the number behind the last.
fn whole(page: &[u8], run: Run, mut from: Seq, take: &mut dyn FnMut(&frame::Frame<'_>)) -> Seq {
    assert!(page.len() <= PAGE, "a page of {} bytes", page.len());
    let mut rest = page;
    while !rest.is_empty() {
        let (frame, after) = frame::split(rest).expect("whole frames");
        assert!(frame.header.run == run && frame.header.seq >= from, "ascending, of one run");
        from = frame.header.seq.next();
        take(&frame);
        rest = after;
    }
    from
}
