//! The segments in a folder: found, made, appended to, read and removed, as the core says.
//!
//! Opening reads 64 bytes and 512 of each closed segment; only what has no summary is looked through (the newest of
//! each class, and what a power cut left). Files in which nothing can be read are put aside as `.bad`, at most 4 of
//! them, the oldest is removed. At most 8,192 files are looked at. No damage is an error: it is skipped and counted.

mod page;

use super::files::Files;
use super::segment::{self, Frames, HEAD, LEN, SUMMARY, SUMMARY_AT, Segment};
use super::slots::Slots;
use super::{Told, trouble_of};
use page::Cursor;
use picket_agent_core::spool::{Order, SegmentId, Shape, Trouble};
use picket_proto::frame::{self, Class};
use std::collections::BTreeMap;
use std::io;

const BAD_MAX: usize = 4;
/// Twice what the largest spool has in segments.
const FILES_MAX: usize = 8192;
const CLASSES: [Class; 3] = [Class::Critical, Class::Notable, Class::Routine];

/// The segments.
pub(crate) struct Store<F: Files> {
    files: F,
    segments: BTreeMap<SegmentId, Segment>,
    /// Files that are appended to.
    open: BTreeMap<SegmentId, F::File>,
    slots: Slots,
    cursor: Option<Cursor>,
    /// Bytes written by orders, where the kernel does not count them.
    counted: u64,
}

impl<F: Files> Store<F> {
    pub(crate) fn new(files: F) -> Self {
        Self {
            files,
            segments: BTreeMap::new(),
            open: BTreeMap::new(),
            slots: Slots::default(),
            cursor: None,
            counted: 0,
        }
    }

    /// Does one order and answers it.
    pub(crate) fn obey(&mut self, order: Order, bytes: &[u8], tell: &mut dyn FnMut(Told)) {
        let before = self.files.written();
        let counted = self.counted;
        let done = match order {
            Order::Open => match self.look(tell) {
                Ok(damaged) => return tell(Told::Opened { damaged }),
                Err(error) => Err(error),
            },
            Order::Read { run, from, only } => {
                let (bytes, damaged) = self.page((run, from, only));
                return tell(Told::Page { bytes, damaged });
            }
            Order::Begin { segment, class } => self.begin(segment, class),
            Order::Write { segment, .. } => self.append(segment, bytes),
            Order::Drop { segment } => {
                self.drop(segment);
                Ok(())
            }
            Order::Keep { .. } => {
                self.counted += 4096;
                self.slots.write(&mut self.files, bytes)
            }
        };
        let flash = match (before, self.files.written()) {
            (Some(before), Some(after)) => after.saturating_sub(before),
            (None, _) | (_, None) => self.counted - counted,
        };
        match done {
            Ok(()) => tell(Told::Done { flash }),
            Err(error) => {
                let trouble = trouble_of(&error);
                // What is only full or read-only is told once, by its mode.
                if trouble == Trouble::Broken {
                    tracing::warn!(?order, %error, "the spool's disk fails");
                }
                tell(Told::Failed { trouble });
            }
        }
    }

    /// Looks what is there.
    fn look(&mut self, tell: &mut dyn FnMut(Told)) -> io::Result<u32> {
        self.segments.clear();
        self.open.clear();
        self.cursor = None;
        let mut names = self.files.list()?;
        names.truncate(FILES_MAX);
        names.sort_unstable();
        let mut damaged = 0;
        for name in &names {
            let Some(id) = id_of(name) else { continue };
            match self.find(name) {
                Some((segment, holes)) if !segment.held.is_empty() => {
                    damaged += holes;
                    self.segments.insert(id, segment);
                }
                Some(_) => {
                    let _found_again_next_time = self.files.remove(name);
                }
                None => {
                    damaged += 1;
                    self.put_aside(name);
                }
            }
        }
        if let Some(bytes) = self.slots.read(&mut self.files) {
            tell(Told::Kept { bytes });
        }
        for (id, segment) in &self.segments {
            let is_newest = self.newest(segment.class) == Some(*id);
            let shape = if segment.is_closed || !is_newest {
                Shape::Closed
            } else {
                Shape::Open(segment.end - HEAD as u32)
            };
            for held in &segment.held {
                tell(Told::Found {
                    segment: *id,
                    class: segment.class,
                    shape,
                    run: held.run,
                    first: held.first,
                    last: held.last,
                    frames: held.frames,
                });
            }
        }
        Ok(damaged)
    }

    fn newest(&self, class: Class) -> Option<SegmentId> {
        self.segments.iter().rev().find(|(_, segment)| segment.class == class).map(|(id, _)| *id)
    }

    /// What stands in a file, and in how many places it is damaged; `None` if nothing can be made of it. A file of
    /// zeros alone holds nothing.
    fn find(&mut self, name: &str) -> Option<(Segment, u32)> {
        let file = self.files.open(name).ok()?;
        let mut head = [0; HEAD];
        let len = self.files.read(&file, 0, &mut head).unwrap_or(0);
        let class = segment::class_in(&head[..len]);
        let mut end = [0; SUMMARY];
        let whole = self.files.read(&file, SUMMARY_AT, &mut end).is_ok_and(|len| len == SUMMARY);
        if let Some(segment) = class.filter(|_| whole).and_then(|class| Segment::from_summary(class, &end)) {
            return Some((segment, 0));
        }
        let mut bytes = vec![0; SUMMARY_AT as usize];
        let len = self.files.read(&file, 0, &mut bytes).unwrap_or(0);
        let body = bytes.get(HEAD..len).unwrap_or_default();
        let mut frames = Frames::new(body);
        let mut found: Option<Segment> = class.map(Segment::new);
        while let Some((at, frame)) = frames.next() {
            let segment = found.get_or_insert_with(|| Segment::new(frame.header.class));
            segment.note(&frame.header, (HEAD + at) as u32);
            segment.end = (HEAD + frames.end) as u32;
        }
        if found.is_none() && bytes[..len].iter().all(|byte| *byte == 0) {
            found = Some(Segment::new(Class::Routine));
        }
        found.map(|segment| (segment, frames.damaged))
    }

    fn put_aside(&mut self, name: &str) {
        let mut bad: Vec<String> = self.files.list().unwrap_or_default();
        bad.retain(|name| name.ends_with(".bad"));
        bad.sort_unstable();
        while bad.len() >= BAD_MAX {
            let _found_again_next_time = self.files.remove(&bad.remove(0));
        }
        let _found_again_next_time = self.files.rename(name, &format!("{name}.bad"));
        tracing::warn!(file = name, "nothing in this file of the spool can be read; it is put aside as .bad");
    }

    fn begin(&mut self, id: SegmentId, class: Class) -> io::Result<()> {
        let name = name_of(id);
        let file = self.files.create(&name)?;
        let made = self.make(&file, id, class);
        if made.is_err() {
            let _found_empty_next_time = self.files.remove(&name);
        }
        made?;
        // Only now, since the one before goes on where no new one can be made.
        self.close(class);
        self.segments.insert(id, Segment::new(class));
        self.open.insert(id, file);
        Ok(())
    }

    fn make(&mut self, file: &F::File, id: SegmentId, class: Class) -> io::Result<()> {
        self.counted += 4096;
        self.files.reserve(file, 0, LEN)?;
        self.files.write(file, 0, &segment::header(id, class))?;
        self.files.sync(file)?;
        self.files.sync_folder()
    }

    /// Sums up the open segments of a class. Without a summary a segment is looked through at the next start.
    fn close(&mut self, class: Class) {
        let of_class = |id: &SegmentId| self.segments.get(id).is_some_and(|segment| segment.class == class);
        let open: Vec<SegmentId> = self.open.keys().copied().filter(of_class).collect();
        for id in open {
            let (Some(file), Some(segment)) = (self.open.remove(&id), self.segments.get_mut(&id)) else {
                continue;
            };
            segment.is_closed = true;
            if let Some(summary) = segment.summary() {
                self.counted += 4096;
                let _looked_through_instead = self.files.write(&file, SUMMARY_AT, &summary);
            }
        }
    }

    fn append(&mut self, id: SegmentId, bytes: &[u8]) -> io::Result<()> {
        let Some(end) = self.segments.get(&id).map(|segment| segment.end) else {
            return Err(io::ErrorKind::NotFound.into());
        };
        if u64::from(end) + bytes.len() as u64 > SUMMARY_AT {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        if !self.open.contains_key(&id) {
            let file = self.files.open(&name_of(id))?;
            // What a torn write left behind the last frame must not be found behind the next one.
            self.files.reserve(&file, u64::from(end), LEN)?;
            self.open.insert(id, file);
        }
        self.counted += (bytes.len() as u64).next_multiple_of(4096);
        let written = match self.open.get(&id) {
            Some(file) => self.files.write(file, end.into(), bytes).and_then(|()| self.files.sync(file)),
            None => Ok(()),
        };
        if let Err(error) = written {
            // After a failed sync nobody knows what is there: it is never written again.
            self.open.remove(&id);
            return Err(error);
        }
        let Some(segment) = self.segments.get_mut(&id) else { return Ok(()) };
        let (mut at, mut rest) = (end, bytes);
        while let Ok((frame, after)) = frame::split(rest) {
            segment.note(&frame.header, at);
            at += frame.bytes.len() as u32;
            rest = after;
        }
        segment.end = at;
        Ok(())
    }

    fn drop(&mut self, id: SegmentId) {
        self.open.remove(&id);
        self.segments.remove(&id);
        let removed = self.files.remove(&name_of(id)).and_then(|()| self.files.sync_folder());
        let _found_again_next_time = removed;
    }
}

fn name_of(id: SegmentId) -> String {
    format!("{id:08x}.seg")
}

fn id_of(name: &str) -> Option<SegmentId> {
    let hex = name.strip_suffix(".seg").filter(|hex| hex.len() == 8)?;
    SegmentId::from_str_radix(hex, 16).ok()
}

#[cfg(test)]
mod tests;
