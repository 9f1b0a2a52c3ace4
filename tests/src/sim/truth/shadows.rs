//! Two lives of one run, after a snapshot was resumed: where the later one learns that the other has given more numbers
//! than itself, it must name what it had under those, since nobody else can tell it from what arrived.

use super::Truth;
use picket_proto::{Ranges, Run, Seq};
use std::collections::BTreeSet;

/// A frame, told from others under its number.
type Frame = (Run, Seq, u32);

/// See the module.
#[derive(Debug, Clone, Default)]
pub(super) struct Shadows {
    /// What is to be named, unless it arrived itself.
    due: BTreeSet<Frame>,
    arrived: BTreeSet<Frame>,
    /// Of lives before the present one.
    past: BTreeSet<Frame>,
}

impl Shadows {
    pub(super) fn arrived(&mut self, frame: Frame) {
        self.arrived.insert(frame);
    }

    /// Another life of a run begins; nobody asks any more for what the one before had.
    pub(super) fn forked(&mut self, twins: &BTreeSet<Frame>) {
        self.past.clone_from(twins);
    }

    /// A process that ends may take names along.
    pub(super) fn ends(&mut self, run: Run) {
        self.due.retain(|(of, ..)| *of != run);
    }
}

impl Truth {
    /// A session begins with what the collector knows of a run that has made frames up to `last`.
    pub(in crate::sim) fn welcomed(&mut self, at: usize, run: Run, known: &Ranges, last: Seq) {
        if self.doubled.contains(&at) || known.last().is_none_or(|top| top <= last) {
            return;
        }
        let waits = |frame: &&Frame| frame.0 == run && frame.1 <= last && known.contains(frame.1);
        let Shadows { arrived, past, .. } = &self.shadows;
        let is_there = |frame: &&Frame| !arrived.contains(*frame) && !past.contains(*frame);
        let waiting = self.twins.iter().filter(waits).filter(is_there);
        self.shadows.due.extend(waiting.copied().collect::<Vec<_>>());
    }

    /// At rest every one of them has its name.
    pub(in crate::sim) fn check_shadows(&mut self, now: u64) {
        let unnamed = self.shadows.due.iter().find(|(run, seq, _)| {
            let is_doubled = self.made.get(run).is_none_or(|made| self.doubled.contains(&made.host));
            !is_doubled && !self.books.iter().any(|book| book.names(*run, seq.0))
        });
        if let Some((run, seq, _)) = unnamed.copied() {
            self.broken(now, format!("what run {run} had under {seq} beside what arrived is not named"));
        }
    }
}
