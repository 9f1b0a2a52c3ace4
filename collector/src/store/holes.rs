//! Holes: entries that are not in the journal although later ones are, or were; found anew at each start.
//!
//! A start reads only behind its snapshot, so a file that somebody removed from among the older ones would never be
//! missed. Here the folder itself is looked at: a segment's name is the first index it may hold, so between the last
//! row of each file and the name of the next there is nothing, or a hole. That is one seek in each file: 80 of them at
//! 20 GiB. What retention drops goes from the old end and is no hole. Left out: holes within a file, which reading and
//! the daily verification find.

use super::health::Health;
use super::segment::{self, Sealed, Segment};
use super::{Journal, salvage};
use crate::error::Failure;
use rusqlite::Connection;
use std::fs;
use std::path::Path;

/// Holes that are told one by one; more are counted.
const TOLD_MAX: usize = 16;

/// Entries that are missing: the first and the last of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Hole {
    pub(super) first: u64,
    pub(super) last: u64,
}

impl Hole {
    /// Between two entries that are there.
    pub(super) fn between(before: u64, behind: u64) -> Option<Self> {
        let hole = Self { first: before.saturating_add(1), last: behind.saturating_sub(1) };
        (hole.first <= hole.last).then_some(hole)
    }
}

/// How many entries are missing, each counted once however many of the holes have it.
pub(super) fn count(mut holes: Vec<Hole>) -> u64 {
    holes.sort_unstable();
    let (mut sum, mut upto) = (0_u64, 0);
    for hole in holes {
        let first = hole.first.max(upto + 1);
        if first <= hole.last {
            sum = sum.saturating_add(hole.last - first + 1);
            upto = hole.last;
        }
    }
    sum
}

/// The last entry below `next` of an open segment; `first - 1` if it has none.
fn last(journal: &Connection, (first, next): (u64, u64)) -> rusqlite::Result<u64> {
    let below = i64::try_from(next).unwrap_or(i64::MAX);
    let ask = "SELECT max(idx) FROM journal WHERE idx < ?1";
    let found: Option<i64> = journal.query_row(ask, [below], |row| row.get(0))?;
    Ok(found.map_or(0, i64::cast_unsigned).max(first - 1))
}

/// The holes between segments, and between the newest and `next`, the index that will be written.
fn between(segments: &[Segment], (newest, next): (&Connection, u64)) -> Vec<Hole> {
    let ends = segments.iter().skip(1).map(|segment| segment.first).chain([next]);
    let mut holes = Vec::new();
    for (at, (segment, end)) in segments.iter().zip(ends).enumerate() {
        let found =
            if at + 1 == segments.len() { last(newest, (segment.first, end)) } else { sealed(segment, end) };
        match found {
            Ok(last) => holes.extend(Hole::between(last, end)),
            // Reading or verification says what is the matter with it and counts what is lost.
            Err(failure) => {
                tracing::warn!(%failure, path = %segment.path.display(), "could not look for holes behind a segment");
            }
        }
    }
    holes
}

fn sealed(segment: &Segment, end: u64) -> rusqlite::Result<u64> {
    // Nothing stands in a file of no bytes, not even tables.
    if segment.bytes() == 0 {
        Ok(segment.first - 1)
    } else {
        last(&segment.view(Sealed::Yes)?, (segment.first, end))
    }
}

/// Tells each hole and what it costs.
fn tell(holes: &[Hole], folder: &Path) {
    for Hole { first, last } in holes.iter().take(TOLD_MAX) {
        let file = Segment::at(folder, *first).path;
        let state = match fs::metadata(&file) {
            Ok(found) if found.len() == 0 => "is empty",
            Ok(_) => "has fewer entries than were written",
            Err(_) => "is not there",
        };
        tracing::warn!(
            "journal entries {first} to {last} are missing: segment file {} {state}. Events that agents delivered in \
             them are gone; put the file back from a backup if you have one and start the collector again",
            file.display()
        );
    }
    if holes.len() > TOLD_MAX {
        tracing::warn!(more = holes.len() - TOLD_MAX, "further holes in the journal");
    }
}

impl Journal {
    /// How many entries before `next` are missing; tells which. `from` is the snapshot's last record.
    pub(super) fn missing(&mut self, from: u64, next: u64) -> Result<u64, Failure> {
        let segments = segment::list(&self.newest.folder)?;
        let mut holes = between(&segments, (&self.newest.connection, next));
        if from > 0 {
            holes.extend(segments.first().and_then(|oldest| Hole::between(from, oldest.first)));
        }
        tell(&holes, &self.newest.folder);
        holes.append(&mut self.holes);
        let missing = count(holes);
        Health::set(&self.health.missing, missing);
        Ok(missing)
    }

    /// Makes the newest segment end where `next` is the next index: behind a hole another one begins, so that its name
    /// shows the hole to every later start.
    pub(crate) fn go_on(&mut self, next: u64) -> Result<(), Failure> {
        let first = self.newest.segment.first;
        if last(&self.newest.connection, (first, next))?.saturating_add(1) < next {
            self.newest.begin(next, &self.health)?;
        }
        Ok(())
    }
}

/// Looks for a newest segment of no bytes. SQLite would take it for a new one and drop a log that still holds entries.
pub(super) fn emptied(segment: &Segment) -> Result<(), Failure> {
    if !fs::metadata(&segment.path).is_ok_and(|found| found.len() == 0) {
        return Ok(());
    }
    tracing::warn!(
        "segment file {} is empty: journal entries from {} on are gone, if it had any. Put the file back from a backup \
         if you have one and start the collector again",
        segment.path.display(),
        segment.first
    );
    if segment.bytes() > 0 { salvage::salvage(&segment.path) } else { Ok(()) }
}
