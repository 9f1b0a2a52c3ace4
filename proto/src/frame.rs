//! Frames: an event encoded once; the same bytes stand in the spool, on disk and on the wire.
//!
//! Layout, little endian, 32 bytes of header and then the body:
//!
//! | offset | size | field |
//! |---|---|---|
//! | 0 | 2 | magic `PK` |
//! | 2 | 1 | header version, 1 |
//! | 3 | 1 | kind version |
//! | 4 | 2 | kind |
//! | 6 | 2 | length of the body in bytes, at most 992 |
//! | 8 | 1 | class: 0 routine, 1 notable, 2 critical |
//! | 9 | 3 | zero |
//! | 12 | 8 | run |
//! | 20 | 8 | seq, neither 0 nor 2^64 - 1 |
//! | 28 | 4 | crc32c (Castagnoli, RFC 3720) over bytes 0..28 and the body |
//!
//! The body is postcard of `(stamp, the kind's fields)`. A body is fixed by (kind, kind version) for ever; a reader
//! that doesn't know a pair gets [`Content::Unknown`], which is no error: it is kept, acknowledged, and decoded
//! after an upgrade. Bytes after the fields that it knows are an error in a known version, since versions are exact.
//! There is no compression and no encryption here.

mod body;

pub use body::class_of;

use crate::event::Event;
use crate::id::{Run, Seq};
use crate::time::Stamp;
use core::fmt;
use crc::{CRC_32_ISCSI, Crc, Digest, Table};
use serde::{Deserialize, Serialize};

/// Bytes of a header.
pub const HEADER_LEN: usize = 32;
/// Longest frame in bytes, header included: a batch of a few fits one packet, a slot of the ring stays small.
pub const FRAME_MAX: usize = 1024;
/// The header version that this code writes and reads.
pub const HEADER_VERSION: u8 = 1;
const MAGIC: [u8; 2] = *b"PK";
const CRC_AT: usize = 28;
static CRC32C: Crc<u32, Table<16>> = Crc::<u32, Table<16>>::new(&CRC_32_ISCSI);

/// How much a frame matters when not all can be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Class {
    /// Evidence and other context: dropped first.
    Routine,
    /// What explains: remedies, starts, intents, verdicts that are not down.
    Notable,
    /// What pages or is needed for exact accounting: down, exits, outcomes, breakers, gaps, the first frame.
    Critical,
}

/// The fields of a frame's header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// What the body is.
    pub kind: u16,
    /// Which version of that kind.
    pub kind_version: u8,
    /// How much the frame matters.
    pub class: Class,
    /// The agent's run.
    pub run: Run,
    /// The frame's number in the run.
    pub seq: Seq,
    /// Bytes of body.
    pub body_len: u16,
    /// The checksum; two frames with the same (host, run, seq) and another crc are a conflict, never a repeat.
    pub crc: u32,
}

/// One whole frame in a buffer that others own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frame<'a> {
    /// The parsed header.
    pub header: Header,
    /// The frame's bytes, header included.
    pub bytes: &'a [u8],
}

/// What a frame says.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "there is no allocation here, and almost every frame is known")]
pub enum Content {
    /// An event of a known kind and version.
    Known(Event),
    /// A kind or version from a newer agent: keep it, acknowledge it.
    Unknown,
}

/// Why bytes are not a frame. The reader's position is unchanged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BadFrame {
    /// Fewer bytes than the header or its length asks for: a torn tail.
    Short,
    /// The magic or the zero bytes are wrong.
    NoMagic,
    /// A header version that this code does not read.
    HeaderVersion(u8),
    /// The class is none of the known.
    Class(u8),
    /// The length is above the limit.
    TooLong(u16),
    /// The checksum does not match.
    Checksum,
    /// The checksum matches but the body is not what its kind and version say.
    Body,
    /// The seq is 0, which no agent writes, or the last one that 64 bits hold: it has no next, which whoever reads on
    /// behind a frame relies on.
    Seq,
}

impl fmt::Display for BadFrame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Short => f.write_str("the frame is cut short"),
            Self::NoMagic => f.write_str("no frame starts here"),
            Self::HeaderVersion(version) => write!(f, "header version {version} is not known"),
            Self::Class(class) => write!(f, "class {class} is not known"),
            Self::TooLong(len) => write!(f, "a body of {len} bytes is longer than allowed"),
            Self::Checksum => f.write_str("the checksum does not match"),
            Self::Body => f.write_str("the body is not what its kind says"),
            Self::Seq => f.write_str("the sequence number is 0 or has no next"),
        }
    }
}

impl core::error::Error for BadFrame {}

/// The event does not fit the buffer or the frame limit; nothing usable was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooLarge;

/// Encodes `event` as frame `seq` into the start of `out` and returns the frame's length. The run is the stamp's.
///
/// # Errors
/// [`TooLarge`] if `out` or [`FRAME_MAX`] is too small for it. With [`FRAME_MAX`] bytes no event of this version is
/// too large: names and text are bounded.
pub fn encode(seq: Seq, event: &Event, out: &mut [u8]) -> Result<usize, TooLarge> {
    let room = out.len().min(FRAME_MAX);
    let (head, rest) =
        out.get_mut(..room).and_then(|all| all.split_at_mut_checked(HEADER_LEN)).ok_or(TooLarge)?;
    let body_len = body::encode_body(event, rest)?;
    let body_len_field = u16::try_from(body_len).map_err(|_| TooLarge)?;
    head[..2].copy_from_slice(&MAGIC);
    head[2] = HEADER_VERSION;
    head[3] = event.fact.version();
    head[4..6].copy_from_slice(&event.fact.kind().to_le_bytes());
    head[6..8].copy_from_slice(&body_len_field.to_le_bytes());
    head[8] = class_of(&event.fact) as u8;
    head[9..12].fill(0);
    head[12..20].copy_from_slice(&event.stamp.run.0.to_le_bytes());
    head[20..28].copy_from_slice(&seq.0.to_le_bytes());
    let crc = checksum(&head[..CRC_AT], &rest[..body_len]);
    head[CRC_AT..].copy_from_slice(&crc.to_le_bytes());
    Ok(HEADER_LEN + body_len)
}

/// Splits the first frame off `bytes`, checking everything but the body's meaning.
///
/// # Errors
/// [`BadFrame`] says what is wrong; nothing is consumed.
pub fn split(bytes: &[u8]) -> Result<(Frame<'_>, &[u8]), BadFrame> {
    let head: &[u8; HEADER_LEN] = bytes.first_chunk().ok_or(BadFrame::Short)?;
    if head[..2] != MAGIC || head[9..12] != [0; 3] {
        return Err(BadFrame::NoMagic);
    }
    if head[2] != HEADER_VERSION {
        return Err(BadFrame::HeaderVersion(head[2]));
    }
    let body_len = u16::from_le_bytes([head[6], head[7]]);
    let len = HEADER_LEN + usize::from(body_len);
    if len > FRAME_MAX {
        return Err(BadFrame::TooLong(body_len));
    }
    let (whole, rest) = bytes.split_at_checked(len).ok_or(BadFrame::Short)?;
    let crc = u32::from_le_bytes([head[28], head[29], head[30], head[31]]);
    if checksum(&whole[..CRC_AT], &whole[HEADER_LEN..]) != crc {
        return Err(BadFrame::Checksum);
    }
    let header = Header {
        kind: u16::from_le_bytes([head[4], head[5]]),
        kind_version: head[3],
        class: class_from(head[8])?,
        run: Run(u64::from_le_bytes(field(head, 12))),
        seq: Seq(u64::from_le_bytes(field(head, 20))),
        body_len,
        crc,
    };
    let is_sound = header.seq > Seq(0) && header.seq < header.seq.next();
    if is_sound { Ok((Frame { header, bytes: whole }, rest)) } else { Err(BadFrame::Seq) }
}

impl Frame<'_> {
    /// Decodes the body.
    ///
    /// # Errors
    /// [`BadFrame::Body`] if a known kind and version holds something else, or another run than the header.
    pub fn content(&self) -> Result<Content, BadFrame> {
        let Header { kind, kind_version, .. } = self.header;
        if !body::knows(kind, kind_version) {
            return Ok(Content::Unknown);
        }
        let body = &self.bytes[HEADER_LEN..];
        let (stamp, fields) = postcard::take_from_bytes::<Stamp>(body).map_err(|_| BadFrame::Body)?;
        let Some(fact) = body::decode_fact((kind, kind_version), fields)? else {
            return Ok(Content::Unknown);
        };
        // What an older version can say is written in that one: a body is fixed by its version, both ways.
        if stamp.run == self.header.run && fact.version() == kind_version {
            Ok(Content::Known(Event { stamp, fact }))
        } else {
            Err(BadFrame::Body)
        }
    }
}

/// A running crc32c, for a digest over pieces that come one by one.
#[derive(Clone)]
pub struct Crc32c(Digest<'static, u32, Table<16>>);

impl Crc32c {
    /// Over nothing yet.
    pub fn new() -> Self {
        Self(CRC32C.digest())
    }

    /// Over `piece` too.
    pub fn add(&mut self, piece: &[u8]) {
        self.0.update(piece);
    }

    /// The checksum over all pieces in order.
    pub fn value(&self) -> u32 {
        self.0.clone().finalize()
    }
}

impl Default for Crc32c {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Crc32c {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Crc32c({:08x})", self.value())
    }
}

fn checksum(head: &[u8], body: &[u8]) -> u32 {
    let mut digest = CRC32C.digest();
    digest.update(head);
    digest.update(body);
    digest.finalize()
}

fn field(head: &[u8; HEADER_LEN], at: usize) -> [u8; 8] {
    let mut bytes = [0; 8];
    bytes.copy_from_slice(&head[at..at + 8]);
    bytes
}

const fn class_from(byte: u8) -> Result<Class, BadFrame> {
    match byte {
        0 => Ok(Class::Routine),
        1 => Ok(Class::Notable),
        2 => Ok(Class::Critical),
        other => Err(BadFrame::Class(other)),
    }
}

#[cfg(test)]
mod tests;
