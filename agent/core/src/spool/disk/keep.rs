//! What is known of runs, kept beside the segments: how far each came, and what of it is acknowledged.
//!
//! Layout, little endian, for each run: run u64, made u64, count u8, then that many times first u64 and last u64. The
//! shell adds a checksum and two slots. It only saves resending: what is missing here is asked of the collector.

use super::{Disk, Half, Order, PAGE};
use crate::spool::Spool;
use picket_proto::{Mono, Ranges, Run, Seq, SeqRange, Span};

/// How often what is acknowledged of earlier runs is kept.
const KEEP: Span = Span::from_secs(5);

impl Disk<'_> {
    /// What is known of runs has changed.
    pub(in crate::spool) fn keep_soon(&mut self, now: Mono) {
        self.keep_by(now.plus(KEEP));
    }

    /// The same, where it must not wait longer than until then.
    pub(in crate::spool) fn keep_by(&mut self, at: Mono) {
        if self.is_there() {
            self.keep_due = self.keep_due.min(at);
        }
    }

    /// The collector has less than was kept of this run: it is kept anew.
    pub(in crate::spool) fn doubt_kept(&mut self, now: Mono) {
        self.kept = Ranges::new();
        self.keep_soon(now);
    }
}

impl Spool<'_> {
    pub(super) fn keep(&mut self, now: Mono) -> Option<Order> {
        if self.disk.keep_due > now {
            return None;
        }
        self.disk.keep_due = Mono::NEVER;
        self.disk.kept = self.acked.clone();
        let mut end = 0;
        for past in self.late.runs() {
            end = put(&mut self.disk.pages[..PAGE], end, (past.run, past.made), &past.known);
        }
        end = put(&mut self.disk.pages[..PAGE], end, (self.identity.run, self.last), &self.acked);
        Some(Order::Keep { bytes: self.disk.page(Half::Written, 0, end as u32) })
    }

    pub(super) fn recall(&mut self, mut bytes: &[u8]) {
        while let Some((run, made, known, rest)) = take(bytes) {
            if run != self.identity.run {
                self.late.recall(run, made, known);
            }
            bytes = rest;
        }
    }
}

/// Writes one run behind `end`; leaves it out where it does not fit.
fn put(page: &mut [u8], end: usize, (run, made): (Run, Seq), known: &Ranges) -> usize {
    let len = 17 + 16 * known.iter().count();
    let Some(place) = page.get_mut(end..end + len) else { return end };
    place[..8].copy_from_slice(&run.0.to_le_bytes());
    place[8..16].copy_from_slice(&made.0.to_le_bytes());
    place[16] = known.iter().count() as u8;
    for (range, place) in known.iter().zip(place[17..].chunks_exact_mut(16)) {
        place[..8].copy_from_slice(&range.first().0.to_le_bytes());
        place[8..].copy_from_slice(&range.last().0.to_le_bytes());
    }
    end + len
}

fn take(bytes: &[u8]) -> Option<(Run, Seq, Ranges, &[u8])> {
    let (run, rest) = number(bytes)?;
    let (made, rest) = number(rest)?;
    let (count, mut rest) = rest.split_first()?;
    let mut known = Ranges::new();
    for _ in 0..*count {
        let (first, after) = number(rest)?;
        let (last, after) = number(after)?;
        known.insert(SeqRange::new(Seq(first), Seq(last))?).ok()?;
        rest = after;
    }
    Some((Run(run), Seq(made), known, rest))
}

fn number(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let (number, rest) = bytes.split_first_chunk()?;
    Some((u64::from_le_bytes(*number), rest))
}
