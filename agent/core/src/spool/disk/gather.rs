//! What the disk is asked next, and what follows from its answers.
//!
//! Frames are gathered by class into a page, so that one write and one sync make many durable. In order: what is
//! overdue, segments that are done, what the link wants to read, what is known of earlier runs.

use super::segments::Way;
use super::{CLASSES, Fact, Half, Order, PAGE, Part, Trouble};
use crate::spool::{Entry, Kept, Spool, Stored};
use picket_proto::event::GapReason;
use picket_proto::frame::Class;
use picket_proto::{Mono, Now, Ranges, Seq};

impl Spool<'_> {
    /// Something came from the disk.
    pub(crate) fn on_disk(&mut self, now: Now, fact: Fact<'_>) {
        match fact {
            Fact::Kept { bytes } => self.recall(bytes),
            Fact::Found { segment, class, shape, run, first, last, frames } => {
                self.disk.segments.found(Part { segment, class, run, first, last, frames }, shape);
            }
            Fact::Opened { damaged } => self.opened(now, damaged),
            Fact::Done { flash } => self.done(flash),
            Fact::Page { bytes, damaged } => self.read(bytes, damaged),
            Fact::Failed { trouble } => self.failed(now.mono, trouble),
        }
    }

    /// The next thing to do on the disk.
    pub(crate) fn next_disk(&mut self, now: Mono) -> Option<Order> {
        if self.disk.leaving.is_some_and(|until| until <= now) {
            self.disk.leave_now();
        }
        if self.disk.asked.is_some() || !self.disk.is_there() {
            return None;
        }
        let order = if self.disk.opened { self.choose(now) } else { self.open(now) }?;
        Some(self.disk.ask(now, order))
    }

    fn open(&mut self, now: Mono) -> Option<Order> {
        self.disk.segments.clear();
        (self.disk.rest <= now).then_some(Order::Open)
    }

    fn choose(&mut self, now: Mono) -> Option<Order> {
        let writes = self.disk.rest <= now;
        let write = if writes { self.write_due(now) } else { None };
        let write = write.or_else(|| if writes { self.tidy() } else { None });
        write.or_else(|| self.late.wanted()).or_else(|| if writes { self.keep(now) } else { None })
    }

    fn write_due(&mut self, now: Mono) -> Option<Order> {
        for class in CLASSES {
            if !self.disk.is_due(class, now) {
                continue;
            }
            let Some(first) = self.first_unwritten(class) else {
                self.disk.due[super::place(class)] = Mono::NEVER;
                continue;
            };
            let is_short = self.disk.trouble == Some(Trouble::Full);
            let whose = (self.identity.run, u32::from(first.len));
            match self.disk.segments.way(class, whose, is_short) {
                Way::Append(segment, room) => {
                    let len = self.gather(class, room);
                    return Some(Order::Write { segment, bytes: self.disk.page(Half::Written, 0, len) });
                }
                Way::Order(Order::Drop { segment }) => return Some(self.give_away(segment)),
                Way::Order(order) => return Some(order),
                Way::None => self.disk.due[super::place(class)] = now.plus(super::REST_FULL),
            }
        }
        None
    }

    /// Removes a segment for its room: what it held and is not acknowledged is lost.
    fn give_away(&mut self, segment: u32) -> Order {
        let run = self.identity.run;
        let (late, index) = (&mut self.late, &mut self.index[self.head..self.tail]);
        self.disk.segments.remove(segment, |part| {
            if part.run == run {
                for entry in index.iter_mut().filter(|entry| is_in(entry, part)) {
                    entry.stored = Stored::Spent;
                }
            } else if !late.knows(part) {
                late.blame(part.run, GapReason::SpoolFull);
            }
        });
        Order::Drop { segment }
    }

    /// A segment that nobody waits for any more, or one that is too many.
    fn tidy(&mut self) -> Option<Order> {
        if let Some(segment) = self.disk.segments.surplus() {
            return Some(self.give_away(segment));
        }
        let (run, acked, late) = (self.identity.run, &self.acked, &self.late);
        let is_done = |part: &Part| {
            if part.run == run {
                super::super::covers(acked, part.first, part.last)
            } else {
                late.knows(part)
            }
        };
        let segment = self.disk.segments.finished(is_done)?;
        self.disk.segments.remove(segment, |_| {});
        Some(Order::Drop { segment })
    }

    fn first_unwritten(&self, class: Class) -> Option<Entry> {
        let entries = &self.index[self.head..self.tail];
        entries.iter().find(|entry| entry.is_unwritten(class)).copied()
    }

    /// Copies unwritten frames of a class to the page, as many as fit in `room`, and says how many bytes.
    fn gather(&mut self, class: Class, room: u32) -> u32 {
        let room = room.min(PAGE as u32);
        let mut len = 0;
        for at in self.head..self.tail {
            let entry = self.index[at];
            if !entry.is_unwritten(class) {
                continue;
            }
            if len + u32::from(entry.len) > room {
                break;
            }
            let (from, to, size) = (entry.at as usize, len as usize, usize::from(entry.len));
            self.disk.pages[to..to + size].copy_from_slice(&self.ring[from..from + size]);
            self.index[at].stored = Stored::Asked;
            len += u32::from(entry.len);
        }
        len
    }

    fn done(&mut self, flash: u64) {
        let Some(order) = self.disk.asked.take() else { return };
        self.disk.written = self.disk.written.saturating_add(flash);
        match order {
            Order::Begin { segment, class } => {
                self.disk.segments.began(segment, class);
                self.disk.worked();
            }
            Order::Write { segment, bytes } => self.wrote(segment, bytes.len),
            Order::Open | Order::Read { .. } | Order::Drop { .. } | Order::Keep { .. } => {}
        }
    }

    fn wrote(&mut self, segment: u32, bytes: u32) {
        self.disk.worked();
        let mut part: Option<Part> = None;
        for entry in &mut self.index[self.head..self.tail] {
            if entry.stored == Stored::Asked {
                entry.stored = Stored::Yes;
            }
        }
        let mut rest = self.disk.pages.get(..bytes as usize).unwrap_or_default();
        while let Ok((frame, after)) = picket_proto::frame::split(rest) {
            let (seq, class) = (frame.header.seq, frame.header.class);
            let part = part.get_or_insert(Part {
                segment,
                class,
                run: self.identity.run,
                first: seq,
                last: seq,
                frames: 0,
            });
            (part.last, part.frames) = (seq, part.frames + 1);
            rest = after;
        }
        if let Some(part) = part {
            self.disk.segments.wrote(part, bytes);
        }
    }

    fn failed(&mut self, now: Mono, trouble: Trouble) {
        match self.disk.asked.take() {
            Some(Order::Open) => self.disk.tries = self.disk.tries.saturating_add(1),
            // What was written to it may be there or not: what is still in memory is written again elsewhere.
            Some(Order::Write { segment, .. }) => {
                let class = self.disk.segments.shut(segment);
                for entry in &mut self.index[self.head..self.tail] {
                    let is_of_it = class.is_some_and(|class| entry.class() == Some(class));
                    if entry.stored == Stored::Asked || (entry.stored == Stored::Yes && is_of_it) {
                        entry.stored = Stored::No;
                    }
                }
            }
            Some(Order::Read { .. }) => self.late.read_nothing(),
            Some(Order::Keep { .. }) => self.disk.kept = Ranges::new(),
            Some(Order::Begin { .. } | Order::Drop { .. }) | None => {}
        }
        self.disk.failed(now, trouble);
    }

    fn opened(&mut self, now: Now, damaged: u32) {
        self.disk.asked = None;
        self.disk.opened = true;
        self.disk.worked();
        self.disk.damaged = self.disk.damaged.saturating_add(damaged);
        self.meet_runs(now);
        if !self.late.runs().is_empty() {
            // A run that ends before it has said anything must not take the memory of the one before along.
            self.disk.keep_due = now.mono;
        }
        if damaged > 0 {
            self.late.blame_all(GapReason::Damaged);
        }
    }

    fn read(&mut self, bytes: &[u8], damaged: u32) {
        let Some(Order::Read { run, from, only }) = self.disk.asked else { return };
        self.disk.asked = None;
        self.disk.damaged = self.disk.damaged.saturating_add(damaged);
        if damaged > 0 {
            self.late.blame(run, GapReason::Damaged);
        }
        let bytes = bytes.get(..bytes.len().min(PAGE)).unwrap_or_default();
        self.disk.pages[PAGE..PAGE + bytes.len()].copy_from_slice(bytes);
        self.late.read_page((run, from, only), bytes.len() as u32);
    }
}

fn is_in(entry: &Entry, part: &Part) -> bool {
    let class = entry.class() == Some(part.class);
    class && entry.stored == Stored::Yes && part.first <= Seq(entry.seq) && Seq(entry.seq) <= part.last
}

impl Entry {
    /// What the frame's header says; `None` where it is not held.
    pub(in crate::spool) const fn class(&self) -> Option<Class> {
        match self.kept {
            Kept::Gone => None,
            Kept::Held(rank) => Some(rank.class()),
        }
    }

    fn is_unwritten(&self, class: Class) -> bool {
        self.stored == Stored::No && self.class() == Some(class)
    }
}
