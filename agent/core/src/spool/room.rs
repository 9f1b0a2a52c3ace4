//! Room in the ring: who may fill how much of it, who goes first, and how holes are closed.
//!
//! The last eighth is for critical frames alone. What is given up at once is a 32nd of the ring, so that one move to
//! the front is paid for by many frames.

use super::late::widen;
use super::{Entry, Kept, LONGEST, Rank, Spool, Stored};
use picket_proto::event::Event;
use picket_proto::frame::{self, FRAME_MAX};
use picket_proto::{Seq, SeqRange};

impl Spool<'_> {
    /// Bytes that frames of this rank may fill.
    pub(super) fn capacity(&self, rank: Rank) -> (u32, usize) {
        let (bytes, frames) = (self.ring.len() as u32, self.index.len());
        match rank {
            Rank::Routine | Rank::Notable => (bytes - bytes / 8, frames - frames / 8),
            Rank::Critical | Rank::Gap => (bytes, frames),
        }
    }

    /// Whether one more frame of any length fits, with `spare` bytes (and as great a part of the index) to follow.
    pub(super) fn fits(&self, capacity: (u32, usize), spare: u32) -> bool {
        let spare_frames = if spare == 0 { 0 } else { self.index.len() / 32 };
        let bytes = u64::from(self.held) + u64::from(LONGEST) + u64::from(spare);
        bytes <= u64::from(capacity.0) && self.frames + spare_frames < capacity.1
    }

    /// Makes room for one frame. What is given up is a 32nd of the ring at a time, so that the move that closes
    /// the holes is paid for by many frames.
    pub(super) fn make_room(&mut self, rank: Rank) -> bool {
        let capacity = self.capacity(rank);
        if !self.fits(capacity, 0) {
            self.shed(rank, capacity);
        }
        let tight = self.end as usize + FRAME_MAX > self.ring.len() || self.tail == self.index.len();
        if tight {
            self.close_holes();
        }
        self.fits(capacity, 0)
    }

    fn shed(&mut self, rank: Rank, capacity: (u32, usize)) {
        let spare = (self.ring.len() / 32) as u32;
        self.spill(capacity, spare);
        for victim in [Rank::Routine, Rank::Notable, Rank::Critical, Rank::Gap] {
            for at in self.head..self.tail {
                if victim > rank || self.fits(capacity, spare) {
                    return;
                }
                if self.index[at].kept == Kept::Held(victim) {
                    self.give_up(at);
                }
            }
        }
    }

    /// What is on the disk as well leaves the ring, what is critical last, each oldest first; but for gap frames, which
    /// are sent first.
    fn spill(&mut self, capacity: (u32, usize), spare: u32) {
        for is_critical in [false, true] {
            for at in self.head..self.tail {
                if self.fits(capacity, spare) {
                    return;
                }
                let entry = self.index[at];
                // What is on its way there counts too: if it does not arrive it is not found, and then it is lost.
                let is_there = matches!(entry.stored, Stored::Yes | Stored::Asked);
                let is_next = entry.is_held() && is_critical == (entry.kept == Kept::Held(Rank::Critical));
                if is_there && is_next && entry.kept != Kept::Held(Rank::Gap) {
                    self.free(at);
                    self.spilled_one(Seq(entry.seq), is_critical);
                }
            }
        }
    }

    fn spilled_one(&mut self, seq: Seq, is_critical: bool) {
        let Some(one) = SeqRange::one(seq) else { return };
        widen(&mut self.spilled, one);
        self.late.doubt_page(self.identity.run, seq);
        if is_critical {
            widen(&mut self.critical, one);
        }
    }

    pub(super) fn write(&mut self, seq: Seq, event: &Event) -> Option<u16> {
        let room = self.ring.get_mut(self.end as usize..)?;
        frame::encode(seq, event, room).ok().and_then(|len| u16::try_from(len).ok())
    }

    pub(super) fn note(&mut self, seq: Seq, len: u16, rank: Rank) {
        self.index[self.tail] =
            Entry { seq: seq.0, at: self.end, len, kept: Kept::Held(rank), stored: Stored::No };
        self.tail += 1;
        self.end += u32::from(len);
        self.held += u32::from(len);
        self.frames += 1;
        self.gaps += usize::from(rank == Rank::Gap);
    }

    pub(super) fn free(&mut self, at: usize) {
        let entry = &mut self.index[at];
        if entry.is_held() {
            self.gaps -= usize::from(entry.kept == Kept::Held(Rank::Gap));
            entry.kept = Kept::Gone;
            self.held -= u32::from(entry.len);
            self.frames -= 1;
        }
    }

    pub(super) fn trim(&mut self) {
        while self.head < self.tail && !self.index[self.head].is_held() {
            self.head += 1;
        }
        if self.head == self.tail {
            (self.head, self.tail, self.end) = (0, 0, 0);
        }
    }

    fn close_holes(&mut self) {
        let (mut to, mut end) = (0, 0);
        for at in self.head..self.tail {
            let entry = self.index[at];
            if entry.is_held() {
                let from = entry.at as usize;
                self.ring.copy_within(from..from + usize::from(entry.len), end as usize);
                self.index[to] = Entry { at: end, ..entry };
                to += 1;
                end += u32::from(entry.len);
            }
        }
        (self.head, self.tail, self.end) = (0, to, end);
    }
}
