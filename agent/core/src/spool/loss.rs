//! Losses: what was given up, until gap frames name it.
//!
//! At most 8 ranges of numbers wait to be named. Where a ninth would be needed, the two nearest become one, and what
//! lies between them is given up too: a loss that is named too widely is honest, one that is forgotten is not.

use super::welcome::each_outside;
use super::{Bytes, Entry, Kept, Rank, Spool};
use heapless::Vec;
use picket_proto::event::{Event, Fact};
use picket_proto::frame::{self, Content};
use picket_proto::{Seq, SeqRange};

impl Spool<'_> {
    /// A held frame is lost, and with a gap frame what it named.
    pub(super) fn give_up(&mut self, at: usize) {
        let entry = self.index[at];
        let named = if entry.kept == Kept::Held(Rank::Gap) { self.named_by(entry) } else { None };
        self.free(at);
        self.given_up = self.given_up.saturating_add(1);
        self.lose(SeqRange::one(Seq(entry.seq)));
        self.each_unacked(named, |spool, range| spool.lose(Some(range)));
    }

    /// What a gap frame named and the collector has not acknowledged since: it arrived late, or another name of it did.
    fn each_unacked(&mut self, named: Option<SeqRange>, mut take: impl FnMut(&mut Self, SeqRange)) {
        let acked = self.acked.clone();
        if let Some(named) = named {
            each_outside(named, &acked, |range| take(self, range));
        }
    }

    /// Adds to what is lost. Where that would need a ninth range, what lies between the two nearest ones is given
    /// up too; a gap frame among that takes along what it named.
    pub(super) fn lose(&mut self, range: Option<SeqRange>) {
        let Some(range) = range else { return };
        self.late.unname(range);
        if self.lost.insert(range).is_ok() {
            return;
        }
        self.merge_in(range);
        // Every turn gives up one frame, so it comes to an end.
        while let Some(at) = self.held_but_lost() {
            let named = if self.index[at].kept == Kept::Held(Rank::Gap) {
                self.named_by(self.index[at])
            } else {
                None
            };
            SeqRange::one(Seq(self.index[at].seq)).into_iter().for_each(|range| self.late.unname(range));
            self.free(at);
            self.given_up = self.given_up.saturating_add(1);
            self.each_unacked(named, Self::merge_in);
        }
    }

    pub(super) fn named_by(&self, entry: Entry) -> Option<SeqRange> {
        let bytes = self.bytes(Bytes { start: entry.at, len: u32::from(entry.len) });
        match frame::split(bytes).ok()?.0.content().ok()? {
            Content::Known(Event { fact: Fact::Gap(gap), .. }) => Some(gap.range),
            Content::Known(_) | Content::Unknown => None,
        }
    }

    /// Joins the nearest ranges until `range` has a place; each turn leaves one range less.
    fn merge_in(&mut self, range: SeqRange) {
        while self.lost.insert(range).is_err() {
            let bridge = self.nearest(range);
            let _touches_a_range_so_it_fits = self.lost.insert(bridge);
        }
    }

    fn held_but_lost(&self) -> Option<usize> {
        (self.head..self.tail)
            .find(|&at| self.index[at].is_held() && self.lost.contains(Seq(self.index[at].seq)))
    }

    /// The shortest stretch of numbers that joins two neighbours among the lost ranges and `new`.
    fn nearest(&self, new: SeqRange) -> SeqRange {
        let mut all: Vec<SeqRange, 9> = self.lost.iter().collect();
        let at = all.iter().take_while(|range| range.first() < new.first()).count();
        let _nine_places = all.insert(at, new);
        let between = |pair: &[SeqRange]| {
            SeqRange::new(pair[0].last().next(), Seq(pair[1].first().0.saturating_sub(1)))
        };
        all.windows(2).filter_map(between).min_by_key(|range| range.count()).unwrap_or(new)
    }
}
