//! A batch against what is known: which of it is new, which conflicts, and whether there is room for it.

use super::dedupe::{Novelty, Runs, Seen};
use super::taken::{Taken, span};
use alloc::vec::Vec;
use core::ops::Range;
use picket_proto::ranges::Full;
use picket_proto::{Fact, Ranges, Run};

/// What is to be journaled of a batch: stretches of frames in a row, in its order.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    pub(crate) stretches: Vec<(Novelty, Range<usize>)>,
}

/// Sorts a batch into stretches that are new and stretches that conflict; repeats are in none.
pub(crate) fn plan(seen: &Seen<'_>, taken: &[Taken]) -> Plan {
    let mut plan = Plan::default();
    for (at, frame) in taken.iter().enumerate() {
        let novelty = seen.novelty(frame.seq, frame.crc);
        if novelty == Novelty::Repeat {
            continue;
        }
        match plan.stretches.last_mut() {
            Some((same, range))
                if *same == novelty && range.end == at && taken[at - 1].seq.next() == frame.seq =>
            {
                range.end = at + 1;
            }
            Some(_) | None => plan.stretches.push((novelty, at..at + 1)),
        }
    }
    plan
}

/// Tries the whole plan on copies of the ranges, in the order in which it will be applied.
///
/// # Errors
/// [`Full`] if a ninth range would be needed somewhere.
pub(crate) fn fits(runs: &Runs, run: Run, plan: &Plan, taken: &[Taken]) -> Result<(), Full> {
    let mut tried: Vec<(Run, Ranges)> = Vec::new();
    for (_, range) in plan.stretches.iter().filter(|(novelty, _)| *novelty == Novelty::New) {
        let stretch = &taken[range.clone()];
        for event in stretch.iter().filter_map(|taken| taken.event.as_ref()) {
            if let Fact::Gap(gap) = &event.fact {
                copy(&mut tried, runs, gap.run).insert(gap.range)?;
            }
        }
        if let Some(span) = span(stretch) {
            copy(&mut tried, runs, run).insert(span)?;
        }
    }
    Ok(())
}

fn copy<'a>(tried: &'a mut Vec<(Run, Ranges)>, runs: &Runs, run: Run) -> &'a mut Ranges {
    let at = tried.iter().position(|(other, _)| *other == run).unwrap_or_else(|| {
        tried.push((run, runs.ranges(run)));
        tried.len() - 1
    });
    &mut tried[at].1
}
