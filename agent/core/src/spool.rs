//! The spool: frames that wait until the collector has journaled them, in memory that the shell lends.
//!
//! Every number of the run is acknowledged, still held, or lost; what is lost is named by gap frames, in at most 8
//! ranges at a time. When the memory is full the lowest class goes first, oldest first, and never for the sake of a
//! lower one; the last eighth is for critical frames alone. Frames are laid one after the other and never wrap.
//! Space that acks and losses free in the middle is won back by moving what is left to the front, which costs at
//! most one pass over the memory for each 1/32 of it that is appended. Behind the ring stands the disk: frames that are
//! durable leave the ring before any is lost, and come back from there; so do the frames of earlier runs.

mod disk;
mod entry;
mod late;
mod loss;
mod name;
mod next;
mod room;
mod view;
mod welcome;

pub use disk::{Fact, Lent, Mode, Order, PAGE, Part, SEGMENT_FRAMES, SegmentId, Shape, Trouble};
pub use entry::Entry;
pub use late::Past;
pub use view::View;

use crate::facts::Facts;
use disk::Disk;
use entry::{Kept, Rank, Stored, rank_of};
use late::Late;
use picket_proto::event::{self, Began, Event};
use picket_proto::frame::FRAME_MAX;
use picket_proto::{BootId, Mono, Now, Ranges, Run, Seq, SeqRange, Stamp, Text};

/// Who this agent is, for the life of the process.
#[derive(Debug, Clone)]
pub struct Identity {
    /// This start of the agent.
    pub run: Run,
    /// The boot it lives in.
    pub boot: BootId,
    /// The run before this one and its last durable frame, where still known.
    pub previous: Option<(Run, Seq)>,
    /// The agent's version.
    pub version: Text,
}

/// A stretch of the spool's ring, never wrapped: whole frames, one after the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bytes {
    /// Where it starts.
    pub start: u32,
    /// How many bytes.
    pub len: u32,
}

/// Smallest ring that works: room for a few frames of the longest kind.
pub const RING_MIN: usize = 8 * 1024;
/// Longest batch in bytes: a quarter of what the wire allows, so that a live batch never waits long behind another.
pub(crate) const BATCH_BYTES: u32 = 16 * 1024;
/// Most frames in a batch: what the collector journals as one row.
const BATCH_FRAMES: usize = 256;
/// `FRAME_MAX` as the ring counts.
const LONGEST: u32 = FRAME_MAX as u32;

/// The stretch of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Batch {
    pub(crate) bytes: Bytes,
    pub(crate) first: Seq,
    pub(crate) last: Seq,
}

/// The frames that wait.
pub(crate) struct Spool<'s> {
    ring: &'s mut [u8],
    index: &'s mut [Entry],
    identity: Identity,
    synced: bool,
    /// Entries from `head` to `tail` are in use, in the order of their numbers.
    head: usize,
    tail: usize,
    /// Where the next frame is laid.
    end: u32,
    /// Bytes and frames that are held.
    held: u32,
    frames: usize,
    /// Gap frames that are held.
    gaps: usize,
    last: Seq,
    told: Seq,
    /// Lost and not yet named.
    lost: Ranges,
    blame: welcome::Blame,
    /// Frames given up so far.
    given_up: u64,
    /// What the collector has of this run.
    acked: Ranges,
    /// What left the ring for the disk. Too wide rather than too narrow: it is looked for there.
    spilled: Ranges,
    /// Of that, what is critical; too wide rather than too narrow as well.
    critical: Ranges,
    disk: Disk<'s>,
    late: Late<'s>,
}

impl<'s> Spool<'s> {
    /// An empty spool. Of a ring of 4 GiB or more the rest is left alone.
    pub(crate) fn new(
        (ring, index): (&'s mut [u8], &'s mut [Entry]),
        lent: Lent<'s>,
        identity: Identity,
    ) -> Self {
        // The two pages lie behind it in the same 32 bits.
        let used = ring.len().min(u32::MAX as usize - 2 * PAGE);
        let disk = Disk::new(used as u32, lent.parts, lent.pages, (lent.segments, lent.budget));
        Self {
            ring: &mut ring[..used],
            index,
            identity,
            synced: false,
            head: 0,
            tail: 0,
            end: 0,
            held: 0,
            frames: 0,
            gaps: 0,
            last: Seq(0),
            told: Seq(0),
            lost: Ranges::new(),
            blame: welcome::Blame::NONE,
            given_up: 0,
            acked: Ranges::new(),
            spilled: Ranges::new(),
            critical: Ranges::new(),
            disk,
            late: Late::new(lent.runs),
        }
    }

    /// Who this agent is.
    pub(crate) const fn identity(&self) -> &Identity {
        &self.identity
    }

    /// Whether the wall clock is synchronised, from now on.
    pub(crate) const fn set_synced(&mut self, synced: bool) {
        self.synced = synced;
    }

    /// The number given last.
    pub(crate) const fn last(&self) -> Seq {
        self.last
    }

    /// The run's first frame: who speaks, and how many checks and services it knows.
    pub(crate) fn begin(&mut self, now: Now, checks: u16, services: u16) {
        let Identity { boot, previous, version, .. } = self.identity.clone();
        self.meet_previous();
        self.append(now, event::Fact::Began(Began { boot, previous, version, checks, services }));
    }

    /// What was told in one call, in that order.
    pub(crate) fn append_all(&mut self, now: Now, facts: Facts) {
        for fact in facts.all() {
            self.append(now, fact);
        }
    }

    /// Encodes a fact as the next frame. If there is no room for it, it is lost and counted as such.
    pub(crate) fn append(&mut self, now: Now, fact: event::Fact) {
        let Identity { run, boot, .. } = self.identity;
        let stamp = Stamp { run, boot, mono: now.mono, wall: now.wall, synced: self.synced };
        let rank = rank_of(&fact, run);
        self.last = self.last.next();
        let seq = self.last;
        let written = if self.make_room(rank) { self.write(seq, &Event { stamp, fact }) } else { None };
        match written {
            Some(len) => {
                self.note(seq, len, rank);
                if self.disk.is_there() {
                    let is_tight = u64::from(self.held) * 2 > self.ring.len() as u64;
                    self.disk.owe(rank.class(), now.mono, is_tight);
                }
            }
            None => {
                self.given_up = self.given_up.saturating_add(1);
                self.lose(SeqRange::one(seq));
            }
        }
    }

    /// These frames of an earlier run are journaled; false if that run is none of those kept.
    pub(crate) fn acked_past(&mut self, now: Mono, run: Run, ranges: &Ranges) -> bool {
        let is_kept = self.late.acked(run, ranges);
        // The claim on a run that is done is given up in this turn: what stands on the disk of it must not outlive that, or
        // a later run would name what arrived.
        let is_done = self.late.runs().iter().any(|past| past.run == run && past.is_done());
        if is_done {
            self.disk.keep_by(now);
        } else {
            self.disk.keep_soon(now);
        }
        is_kept
    }

    /// These frames are journaled.
    pub(crate) fn acked(&mut self, now: Mono, ranges: &Ranges) {
        self.acked = ranges.clone();
        if self.disk.is_news_of(self.identity.run) {
            self.disk.keep_soon(now);
        }
        for range in ranges.iter() {
            let mut at = self.place(range.first());
            while at < self.tail && self.index[at].seq <= range.last().0 {
                self.free(at);
                at += 1;
            }
            // What was given up on its way arrived after all; if that would split a range too many it stays named.
            let _named_although_it_arrived = self.lost.remove(range);
            let _looked_for_although_it_arrived = self.spilled.remove(range);
            let _looked_for_although_it_arrived = self.critical.remove(range);
        }
        self.trim();
    }

    /// Whether any frame from `first` to `last` is still held.
    pub(crate) fn holds_any(&self, first: Seq, last: Seq) -> bool {
        self.index[self.place(first)..self.tail]
            .iter()
            .take_while(|entry| entry.seq <= last.0)
            .any(Entry::is_held)
    }

    /// How many frames wait.
    pub(crate) fn waiting(&self) -> u32 {
        u32::try_from(self.frames).unwrap_or(u32::MAX)
    }

    /// How many frames of this run were ever given up.
    pub(crate) const fn given_up(&self) -> u64 {
        self.given_up
    }

    /// The next frame that was made and not told yet.
    pub(crate) fn next_told(&mut self) -> Option<Bytes> {
        let entry =
            self.index[self.place(self.told.next())..self.tail].iter().find(|entry| entry.is_held())?;
        self.told = Seq(entry.seq);
        Some(Bytes { start: entry.at, len: u32::from(entry.len) })
    }

    /// The lowest number above `seq` that is held.
    fn first_held(&self, seq: Seq) -> Option<Seq> {
        let above = &self.index[self.place(seq.next())..self.tail];
        above.iter().find(|entry| entry.is_held()).map(|entry| Seq(entry.seq))
    }

    /// The agent ends: what waits is made durable now.
    pub(crate) fn leave(&mut self, now: Mono) {
        self.disk.leave(now);
    }

    /// It ends at once.
    pub(crate) fn abandon(&mut self) {
        self.disk.leave_now();
    }

    /// Whether the end need not wait for the disk.
    pub(crate) fn is_settled(&self, now: Mono) -> bool {
        self.disk.is_settled(now)
    }

    /// When the disk wants the time.
    pub(crate) fn deadline(&self) -> Mono {
        self.disk.deadline()
    }

    /// The bytes there; none if that is outside.
    pub(crate) fn bytes(&self, range: Bytes) -> &[u8] {
        if range.start as usize >= self.ring.len() {
            return self.disk.bytes(range);
        }
        let start = range.start as usize;
        self.ring.get(start..start.saturating_add(range.len as usize)).unwrap_or_default()
    }

    /// The first entry in use whose number is not below `seq`.
    fn place(&self, seq: Seq) -> usize {
        self.head + self.index[self.head..self.tail].partition_point(|entry| entry.seq < seq.0)
    }
}

/// Whether all numbers from `first` to `last` are known; true where there are none.
fn covers(known: &Ranges, first: Seq, last: Seq) -> bool {
    last < first || known.iter().any(|range| range.contains(first) && range.contains(last))
}

#[cfg(test)]
mod tests;
