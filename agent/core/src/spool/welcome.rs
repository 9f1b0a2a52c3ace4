//! What a collector knows of this run when a session begins, and what follows where that is less, or more, than it can be.
//!
//! Less than it had acknowledged: it goes on from an older backup. What the disk still holds is brought again, the rest
//! is lost to it and named. More than this run has made: the run was resumed from a snapshot, and another life of it
//! went on. Its numbers are taken, so numbering goes on behind them; what waits here under numbers that the collector
//! knows may be other frames than it has, and is named as such. A snapshot whose other life had made fewer frames
//! than this one by now can't be told from one that was never taken: of that only the checksums at the collector know.

use super::late::widen;
use super::{Kept, Rank, Spool};
use picket_proto::event::{Fact, Gap, GapReason};
use picket_proto::{Now, Ranges, Seq, SeqRange};

/// Why what is lost is lost, up to a number; beyond it, and usually, since there was no room.
#[derive(Debug, Clone, Copy)]
pub(super) struct Blame {
    upto: Seq,
    reason: GapReason,
}

impl Blame {
    /// There was no room.
    pub(super) const NONE: Self = Self { upto: Seq(0), reason: GapReason::SpoolFull };

    /// Why this range was lost.
    pub(super) fn of(self, range: SeqRange) -> GapReason {
        if range.last() <= self.upto { self.reason } else { GapReason::SpoolFull }
    }
}

impl Spool<'_> {
    /// A session begins with what the collector knows of this run. Whether another life of it has told more.
    pub(crate) fn welcomed(&mut self, now: Now, known: &Ranges) -> bool {
        let (had, made) = (self.acked.clone(), self.last);
        let theirs = known.last().filter(|top| *top > made);
        if let Some(top) = theirs {
            self.leap(now, known, top);
        }
        self.acked(now.mono, known);
        // Whoever acknowledged what was never made took nothing back.
        for range in had.iter().filter_map(|range| SeqRange::new(range.first(), range.last().min(made))) {
            each_outside(range, known, |gone| self.take_back(now, gone));
        }
        theirs.is_some()
    }

    /// An older backup knows nothing of these any more.
    fn take_back(&mut self, now: Now, gone: SeqRange) {
        // What is kept for the next run must not say that the collector has these.
        self.disk.doubt_kept(now.mono);
        self.blame = Blame { upto: self.last, reason: GapReason::RestoredFromBackup };
        if self.disk.is_there() {
            widen(&mut self.spilled, gone);
            widen(&mut self.critical, gone);
        } else {
            self.lose(Some(gone));
        }
    }

    /// Another life of this run has given numbers up to `top`.
    fn leap(&mut self, now: Now, known: &Ranges, top: Seq) {
        let made = self.last;
        self.last = top;
        self.blame = Blame { upto: top, reason: GapReason::Conflict };
        if let Some(theirs) = SeqRange::new(made.next(), top) {
            each_outside(theirs, known, |hole| self.lose(Some(hole)));
        }
        self.late.forget_names(top);
        // Their names must go out before an ack says that these numbers are known.
        for range in known.iter() {
            let left = self.spilled.iter().filter_map(|left| common(left, range)).reduce(hull);
            if let Some(shadowed) = self.shadowed(range).into_iter().chain(left).reduce(hull) {
                let gap = Gap { run: self.identity.run, range: shadowed, reason: GapReason::Conflict };
                self.append(now, Fact::Gap(gap));
            }
        }
    }

    /// Gives up what is held under these numbers; from the first to the last of them.
    fn shadowed(&mut self, range: SeqRange) -> Option<SeqRange> {
        let (mut first, mut last) = (None, None);
        for at in self.place(range.first())..self.tail {
            let entry = self.index[at];
            if entry.seq > range.last().0 {
                break;
            }
            if entry.is_held() {
                let named = if entry.kept == Kept::Held(Rank::Gap) { self.named_by(entry) } else { None };
                self.free(at);
                self.given_up = self.given_up.saturating_add(1);
                self.lose(named);
                first = first.or(Some(Seq(entry.seq)));
                last = Some(Seq(entry.seq));
            }
        }
        first.zip(last).and_then(|(first, last)| SeqRange::new(first, last))
    }
}

/// What both have.
fn common(one: SeqRange, other: SeqRange) -> Option<SeqRange> {
    SeqRange::new(one.first().max(other.first()), one.last().min(other.last()))
}

/// From the first to the last of both.
fn hull(one: SeqRange, other: SeqRange) -> SeqRange {
    SeqRange::new(one.first().min(other.first()), one.last().max(other.last())).unwrap_or(one)
}

/// The stretches of `range` that are not known.
pub(super) fn each_outside(range: SeqRange, known: &Ranges, mut take: impl FnMut(SeqRange)) {
    let mut from = range.first();
    for known in known.iter().filter(|known| known.last() >= range.first() && known.first() <= range.last()) {
        if let Some(before) = SeqRange::new(from, Seq(known.first().0.saturating_sub(1))) {
            take(before);
        }
        from = from.max(known.last().next());
    }
    if let Some(rest) = SeqRange::new(from, range.last()) {
        take(rest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec;
    use std::vec::Vec;

    fn ranges(spans: &[(u64, u64)]) -> Ranges {
        let mut ranges = Ranges::new();
        for (first, last) in spans {
            ranges.insert(SeqRange::new(Seq(*first), Seq(*last)).unwrap()).unwrap();
        }
        ranges
    }

    #[test]
    fn what_is_not_known_of_a_range_is_told_stretch_by_stretch() {
        let outside = |first, last, known: &[(u64, u64)]| {
            let mut all = Vec::new();
            let range = SeqRange::new(Seq(first), Seq(last)).unwrap();
            each_outside(range, &ranges(known), |gone| all.push((gone.first().0, gone.last().0)));
            all
        };
        assert_eq!(outside(3, 9, &[]), vec![(3, 9)]);
        assert_eq!(outside(3, 9, &[(1, 2), (10, 12)]), vec![(3, 9)]);
        assert_eq!(outside(3, 9, &[(1, 4), (6, 6), (9, 20)]), vec![(5, 5), (7, 8)]);
        assert_eq!(outside(3, 9, &[(1, 20)]), vec![]);
    }
}
