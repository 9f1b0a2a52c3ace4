//! A file that grows, over its rotations.
//!
//! What is read is held open: a file that was renamed is read to its end, those that came and went since the look
//! before (found among its siblings by what rotation calls them, by when they changed, and by that they were not there)
//! after it, the new one last.
//! A writer may go on in the old one for a while, so it is looked at for 60 s more unless it is deleted. A file that
//! was copied and truncated is shorter than it was read, or has other bytes before that point; the copy is found by
//! those bytes, and its rest is read. What was compressed before it was read is not: rotation should delay that
//! (logrotate's `delaycompress`).
//!
//! Of siblings only regular files that can be read count. One that was renamed and has no successor is absent after 60 s.
//!
//! The first start begins at the end. A restart looks for the file that it was at, by its number and bytes; where that
//! is gone, all of the file under the name is new. At most 16 files are held and 10,000 names read.

mod siblings;

use super::Counted;
use super::kept::Kept;
use super::lines::{self, Point};
use crate::clock;
use crate::config::Log;
use picket_proto::frame::Crc32c;
use picket_proto::{Mono, Span};
use siblings::Siblings;
use std::fs::{File, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// What may wait for one look; the newest of more.
const BACKLOG_MAX: u64 = 64 * 1024 * 1024;
const FILES_MAX: usize = 16;
/// Whoever rotates has made the new file by then, and a writer that is told of it afterwards has opened that.
const LINGER: Span = Span::from_secs(60);
/// Bytes after which the place is kept again, although nothing was counted.
const KEEP_AFTER: u64 = 4 * 1024 * 1024;

/// How far a file was read, as it is kept and known again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Mark {
    inode: u64,
    offset: u64,
    /// Over the bytes before.
    anchor: u32,
}

impl Mark {
    /// No file was there: the first that comes is new.
    const NONE: Self = Self { inode: 0, offset: 0, anchor: 0 };

    fn parse(line: &str) -> Option<Self> {
        let mut words = line.split(' ').map(|word| word.parse::<u64>().ok());
        let (inode, offset, anchor) = (words.next()??, words.next()??, words.next()??);
        Some(Self { inode, offset, anchor: u32::try_from(anchor).ok()? })
    }

    fn line(self) -> String {
        format!("{} {} {}", self.inode, self.offset, self.anchor)
    }

    fn of(inode: u64, point: &Point) -> Self {
        let mut crc = Crc32c::new();
        crc.add(&point.tail);
        Self { inode, offset: point.offset, anchor: crc.value() }
    }

    /// The point in this file, if it has grown from there.
    fn find_in(self, file: &File, of: &Metadata) -> io::Result<Option<Point>> {
        if of.len() < self.offset || (self.offset == 0 && of.ino() != self.inode) {
            return Ok(None);
        }
        let point = Point::at(file, self.offset)?;
        Ok((Self::of(self.inode, &point) == self).then_some(point))
    }
}

#[derive(Debug)]
struct Open {
    file: File,
    inode: u64,
    point: Point,
    /// Since when another one stands under the name.
    left: Option<Mono>,
}

impl Open {
    fn new(file: File, of: &Metadata, point: Point) -> Self {
        Self { file, inode: of.ino(), point, left: None }
    }

    fn mark(&self) -> Mark {
        Mark::of(self.inode, &self.point)
    }

    /// Bytes that are not read yet.
    fn waits(&self) -> io::Result<u64> {
        Ok(self.file.metadata()?.len().saturating_sub(self.point.offset))
    }
}

/// Follows one file.
#[derive(Debug)]
pub(super) struct Follower {
    path: PathBuf,
    kept: Kept,
    /// The last one stands under the name, or did.
    files: Vec<Open>,
    saved: Option<Mark>,
    /// What was there beside it when it last stood under the name; nothing before the first look of a run.
    beside: Option<Siblings>,
    /// Since when nothing stands under the name.
    missing: Option<Mono>,
}

impl Follower {
    pub(super) fn new(path: PathBuf, kept: Kept) -> Self {
        Self { path, kept, files: Vec::new(), saved: None, beside: None, missing: None }
    }

    /// Counts what is new, until then at the latest. Whether there is a file.
    ///
    /// # Errors
    /// Something can't be read; what was counted before stands.
    pub(super) fn look(&mut self, log: &Log, until: Mono, counted: &mut Counted) -> io::Result<bool> {
        let before = counted.matches;
        if self.saved.is_none() {
            self.begin()?;
        }
        self.mend()?;
        let is_there = self.chain(counted)?;
        self.skip(counted)?;
        let read = self.read(log, until, counted);
        self.save(counted.matches > before);
        read.map(|()| is_there)
    }

    /// Goes to where the run before was, or to the end.
    fn begin(&mut self) -> io::Result<()> {
        if let Some(mark) = self.kept.load().and_then(|line| Mark::parse(&line)) {
            self.files.extend(self.find(mark, None)?);
            self.saved = Some(mark);
            return Ok(());
        }
        if let Some((file, of)) = open(&self.path)? {
            let end = Point::at(&file, of.len())?;
            self.files.push(Open::new(file, &of, end));
        }
        let mark = self.files.last().map_or(Mark::NONE, Open::mark);
        self.kept.save(&mark.line());
        self.saved = Some(mark);
        Ok(())
    }

    /// The file that was read to this mark, under its own name or another, but not `but`.
    fn find(&self, mark: Mark, but: Option<u64>) -> io::Result<Option<Open>> {
        let mut like_it = None;
        let siblings = Siblings::of(&self.path);
        for (file, of) in open(&self.path)?.into_iter().chain(siblings.open()) {
            if Some(of.ino()) == but {
                continue;
            }
            let Some(point) = mark.find_in(&file, &of)? else { continue };
            let found = Open::new(file, &of, point);
            if of.ino() == mark.inode {
                return Ok(Some(found));
            }
            like_it = like_it.or(Some(found));
        }
        Ok(like_it)
    }

    /// A file that was truncated is read from its start, after the rest of its copy.
    fn mend(&mut self) -> io::Result<()> {
        let Some(last) = self.files.last() else { return Ok(()) };
        let mark = last.mark();
        if mark.find_in(&last.file, &last.file.metadata()?)?.is_some() {
            return Ok(());
        }
        let copy = self.find(mark, Some(mark.inode))?;
        let Some(last) = self.files.pop() else { return Ok(()) };
        self.files.extend(copy.map(|copy| Open { left: Some(Mono::from_micros(0)), ..copy }));
        self.files.push(Open { point: Point::default(), ..last });
        Ok(())
    }

    /// Takes up what came under the name, and what was there in between. Whether there is a file, or was until now.
    fn chain(&mut self, counted: &mut Counted) -> io::Result<bool> {
        // Before the file: what comes later is new at the next look.
        let siblings = Siblings::of(&self.path);
        let now = clock::now().mono;
        let Some((file, of)) = open(&self.path)? else {
            let since = *self.missing.get_or_insert(now);
            let last = self.files.last().map(|last| last.file.metadata()).transpose()?;
            return Ok(last.is_some_and(|last| last.nlink() > 0) && now.since(since) < LINGER);
        };
        self.missing = None;
        let before = self.beside.replace(siblings);
        let last = self.files.last().map(|last| Ok::<_, io::Error>((last.inode, last.file.metadata()?)));
        let last = last.transpose()?;
        if last.as_ref().is_some_and(|(inode, _)| *inode == of.ino()) {
            return Ok(true);
        }
        if let Some((_, last)) = last {
            let held: Vec<u64> = self.files.iter().map(|open| open.inode).chain([of.ino()]).collect();
            for (file, of) in Siblings::of(&self.path).since(before.as_ref(), &last, &held) {
                self.files.push(Open::new(file, &of, Point::default()));
            }
        }
        self.files.push(Open::new(file, &of, Point::default()));
        for older in self.files.iter_mut().rev().skip(1) {
            older.left = older.left.or(Some(now));
        }
        while self.files.len() > FILES_MAX {
            let lost = self.files.remove(0);
            counted.skipped += lost.waits()?;
        }
        Ok(true)
    }

    /// Passes over the oldest of what is more than one look may read.
    fn skip(&mut self, counted: &mut Counted) -> io::Result<()> {
        let all: Vec<u64> = self.files.iter().map(Open::waits).collect::<io::Result<_>>()?;
        let mut excess = all.iter().sum::<u64>().saturating_sub(BACKLOG_MAX);
        for (open, waits) in self.files.iter_mut().zip(all) {
            let passed = waits.min(excess);
            if passed > 0 {
                open.point = Point::at(&open.file, open.point.offset + passed)?;
            }
            (excess, counted.skipped) = (excess - passed, counted.skipped + passed);
        }
        Ok(())
    }

    /// Reads what is there, oldest first, and lets go of files that nobody writes to any more.
    fn read(&mut self, log: &Log, until: Mono, counted: &mut Counted) -> io::Result<()> {
        for open in &mut self.files {
            if !lines::read((&open.file, &mut open.point), log, until, counted)? {
                return Ok(());
            }
        }
        let now = clock::now().mono;
        let mut ended = Ok(());
        self.files.retain(|open| {
            let Some(left) = open.left else { return true };
            let is_deleted = open.file.metadata().is_ok_and(|of| of.nlink() == 0);
            let goes = is_deleted || now.since(left) >= LINGER;
            if goes && let Err(error) = lines::read_last((&open.file, &open.point), log, counted) {
                ended = Err(error);
            }
            !goes
        });
        ended
    }

    /// Keeps the place, if what was counted or much else lies behind the one that is kept.
    fn save(&mut self, has_counted: bool) {
        let is_behind = |open: &&Open| open.left.is_some() && open.waits().is_ok_and(|waits| waits > 0);
        let Some(first) = self.files.iter().find(is_behind).or_else(|| self.files.last()) else { return };
        let mark = first.mark();
        let is_far = self.saved.is_none_or(|saved| {
            saved.inode != mark.inode
                || mark.offset < saved.offset
                || mark.offset - saved.offset >= KEEP_AFTER
        });
        if is_far || (has_counted && self.saved != Some(mark)) {
            self.kept.save(&mark.line());
            self.saved = Some(mark);
        }
    }
}

/// The file under a name, if there is one.
fn open(path: &Path) -> io::Result<Option<(File, Metadata)>> {
    match crate::open::regular(path) {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests;
