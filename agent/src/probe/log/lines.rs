//! From bytes to lines: whole ones only, until the file's end, the time's or the budget's.
//!
//! A line of more than 256 KiB counts as what its first 256 KiB are; the rest of it is passed over, also what is written
//! later. So is the end of a line in whose middle reading begins. What is no UTF-8 is
//! read as if it were marked so. The last line, without an end, waits for it: its writer may be in the middle.

use super::Counted;
use crate::clock;
use crate::config::Log;
use crate::words;
use picket_proto::Mono;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

/// Bytes before the point read to by which a file is known again.
const TAIL_MAX: usize = 256;
const LINE_MAX: usize = 256 * 1024;
/// Of a line that is told, before it is made plain: a frame holds less.
const TOLD_MAX: usize = 512;

/// How far a file was read, and the last 256 bytes before that: as they were read, since they may be gone by now.
#[derive(Debug, Default)]
pub(super) struct Point {
    pub(super) offset: u64,
    pub(super) tail: Vec<u8>,
}

impl Point {
    /// A point of a file; fewer bytes lie before it if the file is shorter.
    ///
    /// # Errors
    /// It can't be read.
    pub(super) fn at(file: &File, offset: u64) -> io::Result<Self> {
        let mut tail = vec![0; usize::try_from(offset).unwrap_or(usize::MAX).min(TAIL_MAX)];
        let mut filled = 0;
        while filled < tail.len() {
            let from = offset - (tail.len() - filled) as u64;
            match file.read_at(&mut tail[filled..], from)? {
                0 => break,
                read => filled += read,
            }
        }
        tail.truncate(filled);
        Ok(Self { offset, tail })
    }

    /// Whether it is in the middle of a line: only the rest of one that has been counted or passed over comes next.
    fn is_within(&self) -> bool {
        self.tail.last().is_some_and(|byte| *byte != b'\n')
    }

    fn pass(&mut self, bytes: &[u8]) {
        self.offset += bytes.len() as u64;
        self.tail.extend_from_slice(&bytes[bytes.len().saturating_sub(TAIL_MAX)..]);
        self.tail.drain(..self.tail.len().saturating_sub(TAIL_MAX));
    }
}

/// Reads from a point on, and moves it behind the last whole line. Whether the end was reached.
///
/// # Errors
/// The file can't be read; the point stands where it was read to.
pub(super) fn read(
    (file, point): (&File, &mut Point),
    log: &Log,
    until: Mono,
    counted: &mut Counted,
) -> io::Result<bool> {
    let mut buffer = vec![0; LINE_MAX];
    let mut filled = 0;
    loop {
        let read = file.read_at(&mut buffer[filled..], point.offset + filled as u64)?;
        if read == 0 {
            return Ok(true);
        }
        filled += read;
        let mut whole = buffer[..filled].iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let lines = buffer[..whole].split_inclusive(|byte| *byte == b'\n');
        lines.skip(usize::from(point.is_within())).for_each(|line| count(line, log, counted));
        if whole == 0 && filled == LINE_MAX {
            if !point.is_within() {
                count(&buffer, log, counted);
            }
            whole = filled;
        }
        point.pass(&buffer[..whole]);
        buffer.copy_within(whole..filled, 0);
        filled -= whole;
        if clock::now().mono >= until {
            return Ok(false);
        }
    }
}

/// Counts what stands behind a point as a line, although it has no end: nobody writes on.
///
/// # Errors
/// The file can't be read.
pub(super) fn read_last((file, point): (&File, &Point), log: &Log, counted: &mut Counted) -> io::Result<()> {
    if point.is_within() {
        return Ok(());
    }
    let mut buffer = vec![0; LINE_MAX];
    let read = file.read_at(&mut buffer, point.offset)?;
    if read > 0 {
        count(&buffer[..read], log, counted);
    }
    Ok(())
}

pub(super) fn count(line: &[u8], log: &Log, counted: &mut Counted) {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    let line = String::from_utf8_lossy(line);
    if log.counts(&line) {
        counted.matches = counted.matches.saturating_add(1);
        counted.last = words::plain(&line[..line.floor_char_boundary(TOLD_MAX)]);
    }
}
