//! A segment: 256 KiB of which the file system gave all at once, so that a full disk shows when it is made.
//!
//! | offset | size | field |
//! |---|---|---|
//! | 0 | 8 | `PKSEG001` |
//! | 8 | 4 | number |
//! | 12 | 1 | class |
//! | 60 | 4 | crc32c over 0..60 |
//! | 64 | | frames, one after the other, then zeros |
//! | 261632 | 512 | summary, written when the segment is closed: `PKSUM001`, u32 end of the frames, u32 count, then for each run u64 run, u64 first, u64 last, u32 frames, u32 offset of the first one; crc32c at 508 |
//!
//! All little endian. Frames carry magic, length, checksum, run and number, so nothing stands between them. What is no
//! frame is skipped up to the next one and counted. A torn tail is what no frame follows; it is cut off before the
//! segment is written again. The header only names what the frames and the file's name say as well.

use picket_agent_core::spool::{SEGMENT_FRAMES, SegmentId};
use picket_proto::frame::{self, Class, Crc32c, Header};
use picket_proto::{Run, Seq};

/// Bytes of the file.
pub(super) const LEN: u64 = 256 * 1024;
/// Bytes before the first frame.
pub(super) const HEAD: usize = 64;
/// Bytes of the summary.
pub(super) const SUMMARY: usize = 512;
/// Where the summary stands.
pub(super) const SUMMARY_AT: u64 = LEN - SUMMARY as u64;
/// Runs that fit in a summary.
const RUNS: usize = 8;

const _: () = assert!(SEGMENT_FRAMES as u64 + HEAD as u64 == SUMMARY_AT);

/// What a segment holds of one run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Held {
    pub(super) run: Run,
    pub(super) first: Seq,
    pub(super) last: Seq,
    pub(super) frames: u32,
    /// Where its first frame stands in the file.
    pub(super) at: u32,
}

/// A segment as it is known.
#[derive(Debug, Clone)]
pub(super) struct Segment {
    pub(super) class: Class,
    pub(super) is_closed: bool,
    /// Where the next frame goes in the file.
    pub(super) end: u32,
    pub(super) held: Vec<Held>,
}

impl Segment {
    pub(super) const fn new(class: Class) -> Self {
        Self { class, is_closed: false, end: HEAD as u32, held: Vec::new() }
    }

    /// A frame stands at `at`.
    pub(super) fn note(&mut self, header: &Header, at: u32) {
        let (run, seq) = (header.run, header.seq);
        match self.held.iter_mut().find(|held| held.run == run) {
            Some(held) => {
                (held.first, held.last) = (held.first.min(seq), held.last.max(seq));
                held.frames += 1;
            }
            None => self.held.push(Held { run, first: seq, last: seq, frames: 1, at }),
        }
    }

    /// The summary; `None` where there are more runs than places, so that it is looked through instead.
    pub(super) fn summary(&self) -> Option<[u8; SUMMARY]> {
        let mut bytes = [0; SUMMARY];
        let count = u32::try_from(self.held.len()).ok().filter(|count| *count as usize <= RUNS)?;
        bytes[..8].copy_from_slice(b"PKSUM001");
        bytes[8..12].copy_from_slice(&self.end.to_le_bytes());
        bytes[12..16].copy_from_slice(&count.to_le_bytes());
        for (held, place) in self.held.iter().zip(bytes[16..].chunks_exact_mut(32)) {
            place[..8].copy_from_slice(&held.run.0.to_le_bytes());
            place[8..16].copy_from_slice(&held.first.0.to_le_bytes());
            place[16..24].copy_from_slice(&held.last.0.to_le_bytes());
            place[24..28].copy_from_slice(&held.frames.to_le_bytes());
            place[28..].copy_from_slice(&held.at.to_le_bytes());
        }
        seal(&mut bytes);
        Some(bytes)
    }

    /// A closed segment by its summary, if that is whole.
    pub(super) fn from_summary(class: Class, bytes: &[u8]) -> Option<Self> {
        if !is_sealed(bytes, b"PKSUM001") {
            return None;
        }
        let (end, count) = (short(bytes, 8), short(bytes, 12) as usize);
        let held = bytes[16..].chunks_exact(32).take(count.min(RUNS)).map(|place| Held {
            run: Run(long(place, 0)),
            first: Seq(long(place, 8)),
            last: Seq(long(place, 16)),
            frames: short(place, 24),
            at: short(place, 28),
        });
        Some(Self { class, is_closed: true, end, held: held.collect() })
    }
}

/// The first bytes of a segment.
pub(super) fn header(segment: SegmentId, class: Class) -> [u8; HEAD] {
    let mut bytes = [0; HEAD];
    bytes[..8].copy_from_slice(b"PKSEG001");
    bytes[8..12].copy_from_slice(&segment.to_le_bytes());
    bytes[12] = class as u8;
    seal(&mut bytes);
    bytes
}

/// The class that a header says; `None` where it is no whole header.
pub(super) fn class_in(bytes: &[u8]) -> Option<Class> {
    if !is_sealed(bytes, b"PKSEG001") {
        return None;
    }
    match bytes[12] {
        0 => Some(Class::Routine),
        1 => Some(Class::Notable),
        2 => Some(Class::Critical),
        _ => None,
    }
}

/// Frames one after the other in `bytes`: each with its offset. What is no frame is skipped.
pub(super) struct Frames<'b> {
    bytes: &'b [u8],
    at: usize,
    /// Stretches that were skipped and followed by a frame.
    pub(super) damaged: u32,
    /// Behind the last frame.
    pub(super) end: usize,
}

impl<'b> Frames<'b> {
    pub(super) const fn new(bytes: &'b [u8]) -> Self {
        Self { bytes, at: 0, damaged: 0, end: 0 }
    }

    /// The next frame and where it stands.
    pub(super) fn next(&mut self) -> Option<(usize, frame::Frame<'b>)> {
        let mut at = self.at;
        loop {
            let rest = self.bytes.get(at..)?;
            if let Ok((frame, _)) = frame::split(rest) {
                self.damaged += u32::from(at > self.at);
                self.at = at + frame.bytes.len();
                self.end = self.at;
                return Some((at, frame));
            }
            // The next place where a frame may begin.
            at += 1 + next_magic(rest.get(1..)?)?;
        }
    }
}

/// Where a frame may begin. Most of what is no frame is zeros, which are passed over many at a time.
fn next_magic(bytes: &[u8]) -> Option<usize> {
    const ZEROS: [u8; 1024] = [0; 1024];
    for (start, some) in (0..).step_by(ZEROS.len()).zip(bytes.chunks(ZEROS.len())) {
        if *some != ZEROS[..some.len()] {
            let magic = |(at, byte): (usize, &u8)| *byte == b'P' && bytes.get(start + at + 1) == Some(&b'K');
            if let Some(at) = some.iter().enumerate().position(magic) {
                return Some(start + at);
            }
        }
    }
    None
}

/// The checksum over all but the last four bytes, put there.
pub(super) fn seal(bytes: &mut [u8]) {
    if let Some((all, crc)) = bytes.split_last_chunk_mut::<4>() {
        *crc = checksum(all).to_le_bytes();
    }
}

/// Whether the bytes begin with `magic` and end with their checksum.
pub(super) fn is_sealed(bytes: &[u8], magic: &[u8; 8]) -> bool {
    let Some((all, crc)) = bytes.split_last_chunk::<4>() else { return false };
    all.starts_with(magic) && checksum(all).to_le_bytes() == *crc
}

fn checksum(bytes: &[u8]) -> u32 {
    let mut sum = Crc32c::new();
    sum.add(bytes);
    sum.value()
}

/// A u32 at an offset; 0 outside.
pub(super) fn short(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..).and_then(|rest| rest.first_chunk()).map_or(0, |bytes| u32::from_le_bytes(*bytes))
}

/// A u64 at an offset; 0 outside.
pub(super) fn long(bytes: &[u8], at: usize) -> u64 {
    bytes.get(at..).and_then(|rest| rest.first_chunk()).map_or(0, |bytes| u64::from_le_bytes(*bytes))
}
