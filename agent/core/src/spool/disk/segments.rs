//! Which segments there are, what each holds of which run, which one is appended to, and which one goes next.
//!
//! Segments are not a table of their own: a segment is the parts that carry its number, and the open ones. Scans are
//! over all parts (four per segment at most), once per write or removed segment.

use super::{CLASSES, Order, SEGMENT_FRAMES, SegmentId, Shape, place};
use picket_proto::frame::Class;
use picket_proto::{Run, Seq};

/// Runs in one segment before it is closed: its summary has places for so many.
const RUNS_IN_SEGMENT: usize = 8;

/// What one segment holds of one run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    pub(in crate::spool) segment: SegmentId,
    pub(in crate::spool) class: Class,
    pub(in crate::spool) run: Run,
    pub(in crate::spool) first: Seq,
    pub(in crate::spool) last: Seq,
    pub(in crate::spool) frames: u32,
}

impl Default for Part {
    fn default() -> Self {
        Self { segment: 0, class: Class::Routine, run: Run(0), first: Seq(0), last: Seq(0), frames: 0 }
    }
}

/// A segment that is appended to.
#[derive(Debug, Clone, Copy)]
pub(in crate::spool) struct Open {
    pub(in crate::spool) segment: SegmentId,
    pub(in crate::spool) used: u32,
}

/// What to do for a place to write to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::spool) enum Way {
    /// Append here, at most so many bytes.
    Append(SegmentId, u32),
    Order(Order),
    /// All is taken by what matters more.
    None,
}

/// The segments.
#[derive(Debug)]
pub(in crate::spool) struct Segments<'s> {
    parts: &'s mut [Part],
    count: usize,
    most: u32,
    open: [Option<Open>; 3],
    next: SegmentId,
}

impl<'s> Segments<'s> {
    pub(super) fn new(parts: &'s mut [Part], most: u32) -> Self {
        Self { parts, count: 0, most: most.max(4), open: [None; 3], next: 1 }
    }

    /// All parts.
    pub(in crate::spool) fn parts(&self) -> &[Part] {
        &self.parts[..self.count]
    }

    /// Forgets all, before the folder is looked at anew.
    pub(super) fn clear(&mut self) {
        (self.count, self.open) = (0, [None; 3]);
    }

    /// How many there are.
    pub(in crate::spool) fn count(&self) -> u32 {
        let parts = self.parts();
        let firsts = parts
            .iter()
            .enumerate()
            .filter(|(at, part)| !parts[..*at].iter().any(|before| before.segment == part.segment));
        let empty =
            self.open.iter().flatten().filter(|open| !parts.iter().any(|part| part.segment == open.segment));
        u32::try_from(firsts.count() + empty.count()).unwrap_or(u32::MAX)
    }

    /// A segment was found to hold this, as the shell says it.
    pub(super) fn found(&mut self, part: Part, shape: Shape) {
        self.next = self.next.max(part.segment.saturating_add(1));
        let open = &mut self.open[place(part.class)];
        match shape {
            Shape::Open(used) if open.is_none_or(|open| open.segment <= part.segment) => {
                *open = Some(Open { segment: part.segment, used });
            }
            Shape::Open(_) | Shape::Closed => {}
        }
        self.add(part);
    }

    fn add(&mut self, part: Part) {
        let same = |old: &&mut Part| old.segment == part.segment && old.run == part.run;
        if let Some(old) = self.parts[..self.count].iter_mut().find(same) {
            old.first = old.first.min(part.first);
            old.last = old.last.max(part.last);
            old.frames = old.frames.saturating_add(part.frames);
        } else if let Some(free) = self.parts.get_mut(self.count) {
            *free = part;
            self.count += 1;
        }
    }

    /// Frames were appended.
    pub(super) fn wrote(&mut self, part: Part, bytes: u32) {
        if let Some(open) = &mut self.open[place(part.class)]
            && open.segment == part.segment
        {
            open.used = open.used.saturating_add(bytes);
        }
        self.add(part);
    }

    /// A segment was made.
    pub(super) fn began(&mut self, segment: SegmentId, class: Class) {
        self.open[place(class)] = Some(Open { segment, used: 0 });
    }

    /// A segment is not written any more.
    pub(super) fn shut(&mut self, segment: SegmentId) -> Option<Class> {
        let at = self.open.iter().position(|open| open.is_some_and(|open| open.segment == segment))?;
        self.open[at] = None;
        Some(CLASSES[at])
    }

    /// Where a frame of this class and length goes. `is_short`: the file system had no room for a new segment.
    pub(super) fn way(&mut self, class: Class, (run, len): (Run, u32), is_short: bool) -> Way {
        if let Some(open) = self.open[place(class)] {
            let room = SEGMENT_FRAMES.saturating_sub(open.used);
            let of_it = || self.parts().iter().filter(|part| part.segment == open.segment);
            let has_place = of_it().any(|part| part.run == run)
                || (of_it().count() < RUNS_IN_SEGMENT && self.count < self.parts.len());
            if room >= len && has_place {
                return Way::Append(open.segment, room);
            }
        }
        let reserve = if class == Class::Critical { 0 } else { (self.most / 8).max(1) };
        let is_full = self.count() + reserve >= self.most || self.count == self.parts.len();
        let lowest = if is_short { CLASSES.iter().find(|low| **low < class) } else { Some(&class) };
        if is_full || is_short {
            match lowest.and_then(|lowest| self.victim(*lowest)) {
                Some(segment) => return Way::Order(Order::Drop { segment }),
                None if is_full => return Way::None,
                None => {}
            }
        }
        let segment = self.next;
        self.next = self.next.wrapping_add(1).max(1);
        Way::Order(Order::Begin { segment, class })
    }

    /// The oldest segment of the lowest class, none above `upto`.
    fn victim(&self, upto: Class) -> Option<SegmentId> {
        let parts = self.parts().iter().filter(|part| part.class <= upto);
        parts.min_by_key(|part| (part.class, part.segment)).map(|part| part.segment)
    }

    /// A closed segment of which every part is done.
    pub(super) fn finished(&self, is_done: impl Fn(&Part) -> bool) -> Option<SegmentId> {
        let is_open = |id: SegmentId| self.open.iter().flatten().any(|open| open.segment == id);
        let ended = |id: SegmentId| self.parts().iter().filter(|part| part.segment == id).all(&is_done);
        let closed = self.parts().iter().map(|part| part.segment).filter(|id| !is_open(*id));
        closed.into_iter().find(|id| ended(*id))
    }

    /// More segments than allowed, as after a change of the configuration: the one that goes.
    pub(super) fn surplus(&self) -> Option<SegmentId> {
        if self.count() > self.most { self.victim(Class::Critical) } else { None }
    }

    /// Takes a segment's parts out, each of them through `lost`.
    pub(super) fn remove(&mut self, segment: SegmentId, mut lost: impl FnMut(&Part)) {
        self.shut(segment);
        let mut kept = 0;
        for at in 0..self.count {
            let part = self.parts[at];
            if part.segment == segment {
                lost(&part);
            } else {
                self.parts[kept] = part;
                kept += 1;
            }
        }
        self.count = kept;
    }

    /// The highest number of a run in any segment.
    pub(in crate::spool) fn last_of(&self, run: Run) -> Option<Seq> {
        self.parts().iter().filter(|part| part.run == run).map(|part| part.last).max()
    }
}
