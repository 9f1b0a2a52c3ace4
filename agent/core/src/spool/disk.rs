//! The disk behind the ring: what is written when, which segments there are, and what goes when they are full.
//!
//! Nothing is written that is acknowledged first. A critical or notable frame that is not is durable at most 100 ms
//! after it was made (the shell's write and sync come on top), a routine one after 20 s, or at once where the ring is
//! more than half full. One order is out at a time: a disk that hangs holds up no loop, frames just stay in the ring.
//!
//! Segments are files of 256 KiB, each of one class, at most as many as the shell allows; an eighth of them (at least
//! one) is for critical frames alone. When all are used, the oldest of the lowest class goes, never for the sake of a
//! lower one. A failed write is not repeated on its file: what it held is written again, if it is still in the ring,
//! to another. Three failures in a row, or a read-only file system, let writing rest for a minute (RAM mode).
//! Routine frames stay in memory for the rest of a day (24 h since the start) whose flash budget is used up.

mod gather;
mod keep;
mod segments;
mod words;

pub use segments::Part;
use segments::Segments;
pub use words::{Fact, Order, SegmentId, Shape, Trouble};

use super::Bytes;
use picket_proto::frame::Class;
use picket_proto::{Mono, Ranges, Run, Span};

/// Bytes of a page: one for what is written, one for what was read.
pub const PAGE: usize = 16 * 1024;
/// Bytes of frames that a segment holds: its file without the header and the summary at its end.
pub const SEGMENT_FRAMES: u32 = 256 * 1024 - 64 - 512;
/// The classes, the one that is written first in front.
pub(super) const CLASSES: [Class; 3] = [Class::Critical, Class::Notable, Class::Routine];

/// How long a critical or notable frame may stay unwritten.
const URGENT: Span = Span::from_millis(100);
/// The same for a routine one.
const ROUTINE: Span = Span::from_secs(20);
/// Until what failed is tried again: a folder that can't be opened, a disk that is read-only or broken.
const REST: Span = Span::from_secs(60);
/// The same where only room is missing.
const REST_FULL: Span = Span::from_secs(10);
/// Failed writes in a row before writing rests.
const FAILURES: u8 = 3;
/// An order that takes longer is told as a disk that does not answer.
const SILENT: Span = Span::from_secs(10);
/// What the flash budget is for.
const DAY: Span = Span::from_secs(24 * 3600);
/// How long an agent that ends waits for its disk.
const FAREWELL: Span = Span::from_secs(1);

/// Memory and limits that the shell lends for the disk. Without parts there is no disk.
#[derive(Debug)]
pub struct Lent<'s> {
    /// What a segment holds of a run, one each: four per segment are enough, and so is one per segment and four per place in
    /// `runs`, since a run begins once in each class. Where they run out the oldest segment of the lowest class goes.
    pub parts: &'s mut [Part],
    /// Runs that came before and are not done: what is claimed of them in front, the oldest first; at least one place
    /// stays free for the last run.
    pub runs: &'s mut [super::Past],
    /// Two pages of [`PAGE`] bytes.
    pub pages: &'s mut [u8],
    /// Most segments.
    pub segments: u32,
    /// Most bytes that may be written in a day before routine frames stay in memory.
    pub budget: u64,
}

impl Lent<'_> {
    /// No disk: frames are kept in memory only.
    pub const fn none() -> Self {
        Self { parts: &mut [], runs: &mut [], pages: &mut [], segments: 0, budget: 0 }
    }
}

/// Whether frames are made durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// It was not opened yet.
    Opening,
    /// They are.
    Disk,
    /// They are kept in memory only, and why.
    Ram(Trouble),
}

/// The disk as the core sees it.
#[derive(Debug)]
pub(super) struct Disk<'s> {
    pub(super) segments: Segments<'s>,
    pub(super) pages: &'s mut [u8],
    /// Where the pages lie behind the ring.
    base: u32,
    opened: bool,
    /// Times that opening failed.
    pub(super) tries: u8,
    trouble: Option<Trouble>,
    failures: u8,
    /// Nothing is written before.
    rest: Mono,
    /// When frames of a class must be written: critical, notable, routine.
    due: [Mono; 3],
    asked: Option<Order>,
    asked_at: Mono,
    keep_due: Mono,
    /// What the collector has of this run, as it was kept last.
    kept: Ranges,
    budget: u64,
    day: Mono,
    written: u64,
    pub(super) damaged: u32,
    /// The agent ends: what is unwritten is written now, within this time.
    leaving: Option<Mono>,
}

impl<'s> Disk<'s> {
    pub(super) fn new(base: u32, parts: &'s mut [Part], pages: &'s mut [u8], limits: (u32, u64)) -> Self {
        let trouble = (parts.is_empty() || pages.len() < 2 * PAGE).then_some(Trouble::Absent);
        let rest = if trouble.is_some() { Mono::NEVER } else { Mono::default() };
        Self {
            segments: Segments::new(parts, limits.0),
            pages,
            base,
            opened: false,
            tries: 0,
            trouble,
            failures: 0,
            rest,
            due: [Mono::NEVER; 3],
            asked: None,
            asked_at: Mono::default(),
            keep_due: Mono::NEVER,
            kept: Ranges::new(),
            budget: limits.1,
            day: Mono::default(),
            written: 0,
            damaged: 0,
            leaving: None,
        }
    }

    /// Whether there is a disk at all.
    pub(super) const fn is_there(&self) -> bool {
        self.rest.micros() != Mono::NEVER.micros()
    }

    /// Whether what was there is known.
    pub(super) const fn is_opened(&self) -> bool {
        self.opened
    }

    /// How durable frames are now.
    pub(super) fn mode(&self, now: Mono) -> Mode {
        match self.trouble {
            Some(trouble) => Mode::Ram(trouble),
            None if self.asked.is_some() && now.since(self.asked_at) >= SILENT => Mode::Ram(Trouble::Silent),
            None if self.opened => Mode::Disk,
            None => Mode::Opening,
        }
    }

    /// Bytes written today.
    pub(super) const fn written(&self) -> u64 {
        self.written
    }

    /// Whether the day's budget is used up.
    pub(super) const fn is_over_budget(&self) -> bool {
        self.written >= self.budget
    }

    /// A frame of this class was made.
    pub(super) fn owe(&mut self, class: Class, now: Mono, is_tight: bool) {
        let wait = match class {
            Class::Critical | Class::Notable | Class::Routine if self.leaving.is_some() => Span::ZERO,
            Class::Critical | Class::Notable => URGENT,
            Class::Routine if is_tight => Span::ZERO,
            Class::Routine => ROUTINE,
        };
        let due = &mut self.due[place(class)];
        *due = (*due).min(now.plus(wait));
    }

    /// Whether frames of this class are to be written now.
    fn is_due(&mut self, class: Class, now: Mono) -> bool {
        if now.since(self.day) >= DAY {
            (self.day, self.written) = (now, 0);
        }
        let is_over = class == Class::Routine && self.is_over_budget();
        let due = &mut self.due[place(class)];
        if is_over && *due <= now {
            *due = self.day.plus(DAY);
        }
        *due <= now
    }

    /// The agent ends: nothing waits for more to come.
    pub(super) fn leave(&mut self, now: Mono) {
        self.leaving.get_or_insert_with(|| now.plus(FAREWELL));
        for due in self.due.iter_mut().filter(|due| **due != Mono::NEVER) {
            *due = now;
        }
        if self.keep_due != Mono::NEVER {
            self.keep_due = now;
        }
    }

    /// It has waited long enough.
    pub(super) fn leave_now(&mut self) {
        self.leaving = Some(Mono::default());
    }

    /// Whether an agent that ends need not wait: all is written, or nothing can be.
    pub(super) fn is_settled(&self, now: Mono) -> bool {
        let idle = self.asked.is_none() && self.due.iter().all(|due| *due > now) && self.keep_due > now;
        !self.opened || idle || self.rest > now || self.leaving.is_none_or(|until| until <= now)
    }

    /// Whether an ack can tell of frames on the disk that are not kept as acknowledged. An agent whose frames are
    /// acknowledged before they are written has nothing to keep, and writes nothing.
    pub(super) fn is_news_of(&self, run: Run) -> bool {
        let mut parts = self.segments.parts().iter().filter(|part| part.run == run);
        parts.any(|part| !super::covers(&self.kept, part.first, part.last))
    }

    /// Notes that an order goes out.
    fn ask(&mut self, now: Mono, order: Order) -> Order {
        (self.asked, self.asked_at) = (Some(order), now);
        order
    }

    /// When something is due.
    pub(super) fn deadline(&self) -> Mono {
        let leaving = self.leaving.filter(|until| *until != Mono::default()).unwrap_or(Mono::NEVER);
        if !self.is_there() || self.asked.is_some() {
            return leaving;
        }
        if !self.opened {
            return self.rest;
        }
        let first = self.due.iter().copied().min().unwrap_or(Mono::NEVER);
        first.min(self.keep_due).max(self.rest).min(leaving)
    }

    fn failed(&mut self, now: Mono, trouble: Trouble) {
        self.failures = self.failures.saturating_add(1);
        match trouble {
            Trouble::Full => self.rest = now.plus(REST_FULL),
            Trouble::Broken if self.failures < FAILURES => return,
            Trouble::Broken | Trouble::ReadOnly | Trouble::Absent | Trouble::Silent => {
                self.rest = now.plus(REST);
            }
        }
        self.trouble = Some(trouble);
    }

    fn worked(&mut self) {
        (self.failures, self.trouble) = (0, None);
    }

    /// The page for what is written, and the one that was read.
    pub(super) fn page(&self, half: Half, start: u32, len: u32) -> Bytes {
        let offset = match half {
            Half::Written => 0,
            Half::Read => PAGE as u32,
        };
        Bytes { start: self.base + offset + start, len }
    }

    /// The bytes of a stretch behind the ring.
    pub(super) fn bytes(&self, range: Bytes) -> &[u8] {
        let start = range.start.wrapping_sub(self.base) as usize;
        self.pages.get(start..start.saturating_add(range.len as usize)).unwrap_or_default()
    }
}

/// Which of the two pages.
#[derive(Debug, Clone, Copy)]
pub(super) enum Half {
    Written,
    Read,
}

const fn place(class: Class) -> usize {
    match class {
        Class::Critical => 0,
        Class::Notable => 1,
        Class::Routine => 2,
    }
}

#[cfg(test)]
mod tests;
