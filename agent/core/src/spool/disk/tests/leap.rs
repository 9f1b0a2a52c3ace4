//! A leap over another life's numbers, of which some of ours stand on the disk alone.

use super::*;
use crate::spool::Bytes;
use picket_proto::Event;
use picket_proto::event::{Fact as Said, GapReason};
use picket_proto::frame::Content;

/// The ranges that gap frames name which are held, because of other content.
fn named(spool: &Spool<'_>) -> Vec<SeqRange> {
    let held = spool.index[spool.head..spool.tail].iter().filter(|entry| entry.is_held());
    let gaps = held.filter_map(|entry| {
        let bytes = spool.bytes(Bytes { start: entry.at, len: u32::from(entry.len) });
        match frame::split(bytes).unwrap().0.content() {
            Ok(Content::Known(Event { fact: Said::Gap(gap), .. })) if gap.reason == GapReason::Conflict => {
                Some(gap.range)
            }
            Ok(_) | Err(_) => None,
        }
    });
    gaps.collect()
}

#[test]
fn what_was_spilled_under_numbers_of_another_life_is_named_as_well() {
    let mut bench = Bench::opened();
    let mut millis = 1_000;
    while bench.0.spilled.is_empty() {
        bench.make(millis, Rank::Critical);
        millis += 200;
        while bench.next(millis).is_some() {
            bench.tell(millis, Fact::Done { flash: SYNCED });
        }
    }
    let made = bench.0.last();
    let spilled: Vec<_> = bench.0.spilled.iter().collect();
    let mut known = Ranges::new();
    known.insert(SeqRange::new(Seq(1), Seq(made.0 + 5)).unwrap()).unwrap();
    bench.0.welcomed(now(millis), &known);
    let named = named(&bench.0);
    let is_named = |range: &SeqRange| {
        named.iter().any(|name| name.contains(range.first()) && name.contains(range.last()))
    };
    assert!(spilled.iter().all(is_named), "{spilled:?} stood on the disk alone, and {named:?} was named");
}
