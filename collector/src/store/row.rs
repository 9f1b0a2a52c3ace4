//! One row of the journal, and how an entry becomes one and back.
//!
//! Frames get a row with their own columns, so that queries can prune by host, run and time without decoding; the
//! blob is the frames as they came. Any other record is postcard in the blob; losses have the columns too, so that
//! queries find them among the frames. The crc32c covers every other column, so a flipped bit or a row in another's
//! place is found. Of a damaged row of frames, the columns still say what is lost ([`loss`]).

use crc::{CRC_32_ISCSI, Crc, Table};
use picket_collector_core::Record;
use picket_collector_core::ingest::Lane;
use picket_collector_core::store::Entry;
use picket_proto::event::GapReason;
use picket_proto::{HostId, Mono, Now, Raw, Run, Seq, SeqRange, Wall, frame};
use rusqlite::params;
use rusqlite::types::Value;
use std::fmt;

pub(super) static CRC32C: Crc<u32, Table<16>> = Crc::<u32, Table<16>>::new(&CRC_32_ISCSI);

const OTHER: u8 = 0;
const LIVE: u8 = 1;
const BACKLOG: u8 = 2;
/// Frames that are lost: Conflict or Damaged.
const LOSS: u8 = 3;
/// Most numbers that a damaged row is believed to have held: as many as the shortest frames fill a batch.
const LOSS_MAX: u64 = 64 * 1024 / frame::HEADER_LEN as u64;

pub(super) const SELECT_BEHIND: &str = "SELECT idx, mono, raw, wall, kind, host, run, first, last, class_mask, blob, crc \
     FROM journal WHERE idx > ?1 ORDER BY idx LIMIT ?2";
pub(super) const SELECT_FRAMES: &str = "SELECT idx, mono, raw, wall, kind, host, run, first, last, class_mask, blob, crc \
     FROM journal WHERE kind > 0 AND idx <= ?1 ORDER BY idx DESC";
pub(super) const SELECT_HOSTS_FRAMES: &str = "SELECT idx, mono, raw, wall, kind, host, run, first, last, class_mask, blob, crc \
     FROM journal WHERE kind > 0 AND idx <= ?1 AND host = ?2 ORDER BY idx DESC";
pub(super) const INSERT: &str = "INSERT INTO journal \
     (idx, mono, raw, wall, kind, host, run, first, last, class_mask, blob, crc) \
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)";

/// Why a row cannot be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Damage {
    /// The checksum does not match.
    Checksum,
    /// The checksum matches but the content is no record of this version.
    Content,
    /// A column does not hold what it is for.
    Column,
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Checksum => "the checksum does not match",
            Self::Content => "no record of this version stands there",
            Self::Column => "a column does not hold what it is for",
        })
    }
}

/// A row as it stands in the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) index: u64,
    pub(super) now: Now,
    kind: u8,
    pub(super) host: String,
    run: u64,
    first: u64,
    last: u64,
    class_mask: u8,
    pub(super) blob: Vec<u8>,
    crc: u32,
}

impl Row {
    /// The row of an entry.
    pub(super) fn of(entry: &Entry) -> Result<Self, postcard::Error> {
        let mut row = Self {
            index: entry.index,
            now: entry.now,
            kind: OTHER,
            host: String::new(),
            run: 0,
            first: 0,
            last: 0,
            class_mask: 0,
            blob: Vec::new(),
            crc: 0,
        };
        if let Record::Frames { host, run, lane, span, frames } = &entry.record {
            row.kind = match lane {
                Lane::Live => LIVE,
                Lane::Backlog => BACKLOG,
            };
            row.host = host.to_string();
            (row.run, row.first, row.last) = (run.0, span.first().0, span.last().0);
            row.class_mask = classes(frames);
            row.blob.clone_from(frames);
        } else {
            row.blob = postcard::to_stdvec(&entry.record)?;
        }
        if let Record::Conflict { host, run, range } | Record::Damaged { host, run, range } = &entry.record {
            row.kind = LOSS;
            row.host = host.to_string();
            (row.run, row.first, row.last) = (run.0, range.first().0, range.last().0);
        }
        row.crc = row.checksum();
        Ok(row)
    }

    /// The entry of a row.
    pub(super) fn entry(&self) -> Result<Entry, Damage> {
        self.verify()?;
        let record = match self.kind {
            OTHER | LOSS => postcard::from_bytes(&self.blob).map_err(|_| Damage::Content)?,
            LIVE => self.frames(Lane::Live)?,
            BACKLOG => self.frames(Lane::Backlog)?,
            _ => return Err(Damage::Content),
        };
        Ok(Entry { index: self.index, now: self.now, record })
    }

    /// Whether the row is what was written.
    pub(super) fn verify(&self) -> Result<(), Damage> {
        if self.checksum() == self.crc { Ok(()) } else { Err(Damage::Checksum) }
    }

    /// What is lost by it, if it is a row of lost frames.
    pub(super) fn gap(&self) -> Option<(Run, SeqRange, GapReason)> {
        if self.kind != LOSS {
            return None;
        }
        match postcard::from_bytes(&self.blob).ok()? {
            Record::Conflict { run, range, .. } => Some((run, range, GapReason::Conflict)),
            Record::Damaged { run, range, .. } => Some((run, range, GapReason::Damaged)),
            _other => None,
        }
    }

    /// Whether it holds frames.
    pub(super) const fn is_batch(&self) -> bool {
        matches!(self.kind, LIVE | BACKLOG)
    }

    /// Whether its frames came in the backlog.
    pub(super) const fn is_late(&self) -> bool {
        self.kind == BACKLOG
    }

    fn frames(&self, lane: Lane) -> Result<Record, Damage> {
        Ok(Record::Frames {
            host: self.host.parse().map_err(|_| Damage::Content)?,
            run: Run(self.run),
            lane,
            span: SeqRange::new(Seq(self.first), Seq(self.last)).ok_or(Damage::Content)?,
            frames: self.blob.clone(),
        })
    }

    fn checksum(&self) -> u32 {
        let mut digest = CRC32C.digest();
        let numbers =
            [self.index, self.now.mono.micros(), self.now.raw.micros(), self.run, self.first, self.last];
        for number in numbers {
            digest.update(&number.to_le_bytes());
        }
        digest.update(&self.now.wall.micros().to_le_bytes());
        digest.update(&[self.kind, self.class_mask]);
        digest.update(self.host.as_bytes());
        digest.update(&[0]);
        digest.update(&self.blob);
        digest.finalize()
    }

    pub(super) fn insert(&self, into: &mut rusqlite::Statement<'_>) -> rusqlite::Result<usize> {
        into.execute(params![
            self.index.cast_signed(),
            self.now.mono.micros().cast_signed(),
            self.now.raw.micros().cast_signed(),
            self.now.wall.micros(),
            self.kind,
            self.host,
            self.run.cast_signed(),
            self.first.cast_signed(),
            self.last.cast_signed(),
            self.class_mask,
            self.blob,
            self.crc,
        ])
    }

    /// The row of a journal's twelve values; `None` if a column does not hold what it is for.
    pub(super) fn of_values(values: &[Value]) -> Option<Self> {
        let [idx, mono, raw, wall, kind, host, run, first, last, class_mask, blob, crc] = values else {
            return None;
        };
        let signed = |value: &Value| if let Value::Integer(number) = value { Some(*number) } else { None };
        let number = |value| signed(value).map(i64::cast_unsigned);
        let (Value::Text(host), Value::Blob(blob)) = (host, blob) else { return None };
        Some(Self {
            index: number(idx)?,
            now: Now {
                mono: Mono::from_micros(number(mono)?),
                raw: Raw::from_micros(number(raw)?),
                wall: Wall::from_micros(signed(wall)?),
            },
            kind: signed(kind)?.try_into().ok()?,
            host: host.clone(),
            run: number(run)?,
            first: number(first)?,
            last: number(last)?,
            class_mask: signed(class_mask)?.try_into().ok()?,
            blob: blob.clone(),
            crc: signed(crc)?.try_into().ok()?,
        })
    }

    pub(super) fn read(row: &rusqlite::Row<'_>) -> rusqlite::Result<Self> {
        let number = |at| row.get::<_, i64>(at).map(i64::cast_unsigned);
        Ok(Self {
            index: number(0)?,
            now: Now {
                mono: Mono::from_micros(number(1)?),
                raw: Raw::from_micros(number(2)?),
                wall: Wall::from_micros(row.get(3)?),
            },
            kind: row.get(4)?,
            host: row.get(5)?,
            run: number(6)?,
            first: number(7)?,
            last: number(8)?,
            class_mask: row.get(9)?,
            blob: row.get(10)?,
            crc: row.get(11)?,
        })
    }
}

/// What is lost by a row of frames that is damaged, if its columns or its frames still say so. The frames are
/// believed first, since each has its own checksum; columns that name more than a batch can hold are not believed.
pub(super) fn loss(row: &rusqlite::Row<'_>) -> Option<Record> {
    let host: HostId = row.get::<_, String>(5).ok()?.parse().ok()?;
    let told = row.get::<_, Vec<u8>>(10).ok().and_then(|blob| span(&blob));
    let (run, range) = told.or_else(|| {
        let number = |at| row.get::<_, i64>(at).ok().map(i64::cast_unsigned);
        let range = SeqRange::new(Seq(number(7)?), Seq(number(8)?))?;
        (range.count() <= LOSS_MAX).then_some((Run(number(6)?), range))
    })?;
    Some(Record::Damaged { host, run, range })
}

/// The run and the numbers of frames of which every one is whole.
fn span(mut frames: &[u8]) -> Option<(Run, SeqRange)> {
    let (mut first, mut last) = (None, None);
    while !frames.is_empty() {
        let (frame, rest) = frame::split(frames).ok()?;
        first = first.or(Some(frame.header));
        last = Some(frame.header.seq);
        frames = rest;
    }
    let first = first?;
    Some((first.run, SeqRange::new(first.seq, last?)?))
}

/// One bit per class that occurs; the core has checked the frames, so what cannot be split is not counted.
fn classes(mut frames: &[u8]) -> u8 {
    let mut mask = 0;
    while let Ok((frame, rest)) = frame::split(frames) {
        mask |= 1 << frame.header.class as u8;
        frames = rest;
    }
    mask
}
