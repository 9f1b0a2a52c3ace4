//! Reading the journal in order: every entry, and in the place of what is damaged what it loses, if that can be told.
//!
//! The same words serve a start, a snapshot and the slow verification, so that all three find the same. Segments are
//! read one after the other behind an index; a sealed one that SQLite cannot read is salvaged on the way, the newest
//! was checked when it was opened.

use super::holes::Hole;
use super::row;
use super::salvage;
use super::segment::{Sealed, Segment, is_damage};
use crate::error::Failure;
use picket_collector_core::Record;
use picket_collector_core::store::Entry;
use picket_proto::{Mono, Now, Raw, Wall};
use rusqlite::{Connection, params};

/// Most rows mended at one start (some MiB); what is beyond reads the same and is mended at the next.
const MENDS_MAX: usize = 65_536;
/// Holes that are remembered one by one; what is beyond is told and not counted.
const HOLES_MAX: usize = 65_536;
/// How far behind the row before it a damaged row is believed to stand: its place may be what is damaged.
pub(super) const STEP_MAX: u64 = 4_096;

/// What reading found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Read {
    /// Entries taken.
    pub(crate) entries: u64,
    /// The index of the last entry taken.
    pub(crate) last: u64,
    /// The highest Mono.
    pub(crate) mono: Mono,
    /// Rows whose checksum or content is wrong, each named in the log. Those that say which frames they held are
    /// taken as [`Record::Damaged`], the others are skipped.
    pub(crate) damaged: u64,
    /// Entries that are not there at all.
    pub(crate) missing: u64,
}

/// A reading under way.
pub(super) struct Reading {
    pub(super) read: Read,
    /// The last row looked at, taken or not.
    at: u64,
    pub(super) before: Now,
    /// Bytes of the records taken, as [`super::Health`] counts them; what holds no frames counts as nothing.
    pub(super) bytes: u64,
    /// What stands for damaged rows.
    pub(super) mends: Vec<Entry>,
    /// What is missing.
    pub(super) holes: Vec<Hole>,
}

impl Reading {
    /// A reading that goes on behind `last`, whose time is `before`.
    pub(super) fn behind(last: u64, before: Now) -> Self {
        let read = Read { last, mono: before.mono, ..Read::default() };
        Self { read, at: last, before, bytes: 0, mends: Vec::new(), holes: Vec::new() }
    }

    /// Takes at most `limit` rows of one segment; says how many there were.
    pub(super) fn rows(
        &mut self,
        journal: &Connection,
        limit: i64,
        take: &mut impl FnMut(u64, Now, Record),
    ) -> rusqlite::Result<i64> {
        let mut statement = journal.prepare(row::SELECT_BEHIND)?;
        let mut rows = statement.query(params![self.at.cast_signed(), limit])?;
        let mut count = 0;
        while let Some(found) = rows.next()? {
            count += 1;
            let index = found.get::<_, i64>(0)?.cast_unsigned();
            self.at = index;
            let entry = row::Row::read(found).map_err(|_| row::Damage::Column).and_then(|row| row.entry());
            let entry = match entry {
                Ok(entry) => Some(entry),
                Err(damage) => self.damaged(found, (index, damage)),
            };
            if let Some(entry) = entry {
                self.taken(entry, take);
            }
        }
        Ok(count)
    }

    fn damaged(&mut self, found: &rusqlite::Row<'_>, (index, damage): (u64, row::Damage)) -> Option<Entry> {
        self.read.damaged += 1;
        let near = index > self.read.last && index - self.read.last <= STEP_MAX;
        let lost = row::loss(found).filter(|_| near);
        tracing::error!(index, %damage, ?lost, "journal entry damaged");
        let entry = Entry { index, now: self.before, record: lost? };
        if self.mends.len() < MENDS_MAX {
            self.mends.push(entry.clone());
        }
        Some(entry)
    }

    fn taken(&mut self, entry: Entry, take: &mut impl FnMut(u64, Now, Record)) {
        let read = &mut self.read;
        if let Some(hole) = Hole::between(read.last, entry.index) {
            let Hole { first, last } = hole;
            tracing::error!(first, last, "journal entries missing or unreadable: events in them are gone");
            read.missing = read.missing.saturating_add(last - first + 1);
            if self.holes.len() < HOLES_MAX {
                self.holes.push(hole);
            }
        }
        read.entries += 1;
        read.last = entry.index;
        read.mono = read.mono.max(entry.now.mono);
        self.before = entry.now;
        if let Record::Frames { frames, .. } = &entry.record {
            self.bytes += frames.len() as u64;
        }
        take(entry.index, entry.now, entry.record);
    }

    /// Takes all that is left of a sealed segment. One that SQLite calls malformed is salvaged and read on.
    pub(super) fn sealed(
        &mut self,
        segment: &Segment,
        take: &mut impl FnMut(u64, Now, Record),
    ) -> Result<(), Failure> {
        let damage = match segment.view(Sealed::Yes).and_then(|journal| self.rows(&journal, ALL, take)) {
            Ok(_count) => return Ok(()),
            Err(failure) if is_damage(&failure) => failure,
            Err(failure) => return Err(failure.into()),
        };
        tracing::error!(failure = %damage, path = %segment.path.display(), "a segment of the journal is damaged");
        let salvaged = salvage::salvage(&segment.path)
            .and_then(|()| Ok(self.rows(&segment.view(Sealed::Yes)?, ALL, take)?));
        if let Err(failure) = salvaged {
            // What follows counts its entries as missing; a collector that does not start would lose more.
            tracing::error!(%failure, path = %segment.path.display(), "the segment could not be salvaged; it is passed over");
        }
        Ok(())
    }
}

/// No limit, in SQLite's words.
pub(super) const ALL: i64 = -1;

/// The time before the first entry.
pub(super) const BEGINNING: Now =
    Now { mono: Mono::from_micros(0), raw: Raw::from_micros(0), wall: Wall::from_micros(0) };

/// The segments that hold something behind `last`: those before are not needed.
pub(super) fn behind(segments: &[Segment], last: u64) -> &[Segment] {
    let from = segments.partition_point(|segment| segment.first <= last.saturating_add(1));
    &segments[from.saturating_sub(1)..]
}
