//! What is sent next, so that the collector never needs a ninth range.
//!
//! The session keeps `sent`: what the collector knows once everything sent so far has arrived, in the order in which
//! it was sent. A batch is frames in a row, and is tried on `sent` just as the collector will take it: first the
//! ranges that its gap frames close, then its own numbers. Gap frames go first, since they close holes; then the
//! live lane while that leaves at most 6 ranges; then the lowest frame that is missing, which mends the islands that
//! live frames and earlier sessions have left. Room for the last range is kept for gap frames.

use super::{BATCH_BYTES, BATCH_FRAMES, Batch, Bytes, Entry, Kept, Rank, Spool};
use picket_proto::{Ranges, Seq, SeqRange};

/// Most ranges that live frames may make: one is left for the backlog and one for gap frames.
const LIVE_MOST: usize = 6;
/// Most ranges that the backlog may make: one is left for gap frames.
const BACKLOG_MOST: usize = 7;
/// Most ranges that the collector keeps of a run.
const MOST: usize = 8;

/// A batch, and what the collector knows when it has it.
pub(crate) type Next = (Batch, Ranges);

impl Spool<'_> {
    /// The next batch that fits: none if all was sent, or if nothing fits.
    pub(crate) fn next_batch(&self, sent: &Ranges, boundary: Seq) -> Option<Next> {
        let live =
            || self.stretch(self.unsent(boundary.next(), sent)?, boundary, sent, (LIVE_MOST, Rank::Routine));
        self.next_gap(sent, boundary).or_else(live).or_else(|| self.lowest(sent, boundary))
    }

    /// The same where all that is wanted is a place for one more range: the lowest that is missing.
    pub(crate) fn next_lowest(&self, sent: &Ranges, boundary: Seq) -> Option<Next> {
        self.next_gap(sent, boundary).or_else(|| self.lowest(sent, boundary))
    }

    fn lowest(&self, sent: &Ranges, boundary: Seq) -> Option<Next> {
        self.stretch(self.unsent(Seq::FIRST, sent)?, boundary, sent, (BACKLOG_MOST, Rank::Routine))
    }

    /// The next batch of a link above its cap: only critical frames and gaps, live before backlog.
    pub(crate) fn next_critical(&self, sent: &Ranges, boundary: Seq) -> Option<Next> {
        let first =
            self.unsent_critical(boundary.next(), sent).or_else(|| self.unsent_critical(Seq::FIRST, sent))?;
        let fitting = || self.stretch(first, boundary, sent, (LIVE_MOST, Rank::Critical));
        self.next_gap(sent, boundary).or_else(fitting)
    }

    /// Whether the collector has a place for one more range of live frames.
    pub(crate) fn has_place(&self, sent: &Ranges) -> bool {
        sent.iter().count() < LIVE_MOST
    }

    pub(super) fn unsent_critical(&self, from: Seq, sent: &Ranges) -> Option<usize> {
        let is_due = |entry: &Entry| {
            matches!(entry.kept, Kept::Held(Rank::Critical | Rank::Gap)) && !sent.contains(Seq(entry.seq))
        };
        (self.place(from)..self.tail).find(|&at| is_due(&self.index[at]))
    }

    /// Whether all that was made after `boundary` is on its way, or named as lost.
    pub(crate) fn has_told_since(&self, boundary: Seq, sent: &Ranges) -> bool {
        let first = boundary.next();
        self.unsent(first, sent).is_none()
            && self.lowest_spilled(first, sent).is_none()
            && self.lost.last().is_none_or(|last| last < first)
    }

    /// The first gap frame that was not sent, with what follows it, if it fits.
    fn next_gap(&self, sent: &Ranges, boundary: Seq) -> Option<Next> {
        self.stretch(self.unsent_gap(sent)?, boundary, sent, (MOST, Rank::Routine))
    }

    /// The first gap frame that was not sent.
    pub(crate) fn unsent_gap(&self, sent: &Ranges) -> Option<usize> {
        if self.gaps == 0 {
            return None;
        }
        let is_unsent = |entry: &Entry| entry.kept == Kept::Held(Rank::Gap) && !sent.contains(Seq(entry.seq));
        (self.head..self.tail).find(|&at| is_unsent(&self.index[at]))
    }

    /// The first held frame from `from` on that was not sent.
    pub(super) fn unsent(&self, from: Seq, sent: &Ranges) -> Option<usize> {
        let mut at = self.place(from);
        while at < self.tail {
            let entry = self.index[at];
            let range = sent.iter().find(|range| range.contains(Seq(entry.seq)));
            match range {
                Some(range) => at = self.place(range.last().next()),
                None if entry.is_held() => return Some(at),
                None => at += 1,
            }
        }
        None
    }

    /// Frames in a row from place `at` on, within one lane, as many as fit in `most` ranges. Where there are more
    /// already, they may not get more. It ends before a frame of a lower rank than `least`.
    fn stretch(&self, at: usize, boundary: Seq, sent: &Ranges, (most, least): (usize, Rank)) -> Option<Next> {
        let (first, most) = (self.index[at], most.max(sent.iter().count()));
        let upto = if first.seq > boundary.0 { self.last } else { boundary };
        let (mut closed, mut next, mut len) = (sent.clone(), None, 0);
        for (seq, entry) in (first.seq..=upto.0).zip(&self.index[at..self.tail]).take(BATCH_FRAMES) {
            let grown = len + u32::from(entry.len);
            let follows = entry.is_held() && entry.seq == seq && entry.at == first.at + len;
            let counts = matches!(entry.kept, Kept::Held(rank) if rank >= least);
            if !follows || !counts || grown > BATCH_BYTES || sent.contains(Seq(seq)) {
                break;
            }
            if !self.closes(*entry, &mut closed) {
                break;
            }
            len = grown;
            // One frame more may reach the next range and so need a place less.
            if let Some(after) = with(&closed, first.seq, seq, most) {
                let bytes = Bytes { start: first.at, len };
                next = Some((Batch { bytes, first: Seq(first.seq), last: Seq(seq) }, after));
            }
        }
        next
    }

    /// Adds what this frame closes, if it is a gap frame; false where that does not fit.
    fn closes(&self, entry: Entry, closed: &mut Ranges) -> bool {
        if entry.kept != Kept::Held(Rank::Gap) {
            return true;
        }
        self.named_by(entry).is_some_and(|named| closed.insert(named).is_ok())
    }

    /// Whether a frame that was sent still waits for its ack.
    pub(super) fn awaits_acks(&self, sent: &Ranges) -> bool {
        let entries = &self.index[self.head..self.tail];
        entries.iter().any(|entry| entry.is_held() && sent.contains(Seq(entry.seq)))
    }
}

fn with(closed: &Ranges, first: u64, last: u64, most: usize) -> Option<Ranges> {
    let mut after = closed.clone();
    after.insert(SeqRange::new(Seq(first), Seq(last))?).ok()?;
    (after.iter().count() <= most).then_some(after)
}
