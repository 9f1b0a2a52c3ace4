//! Verification: sealed segments are read through once a day, so that damage is found before it is needed.
//!
//! Slowly: 256 rows ten times a second (about 1 to 10 MiB/s by the size of batches), beginning a minute after the
//! start. Every row's checksum is compared; a file that SQLite calls malformed is salvaged here. When a segment was
//! last read is kept in memory only, so a start begins anew with the oldest.

use super::health::Health;
use super::read::{BEGINNING, Reading};
use super::salvage;
use super::segment::{self, Sealed, Segment, is_damage};
use crate::clock::Since;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

const ROWS: i64 = 256;
const PACE: Duration = Duration::from_millis(100);
const REST: Duration = Duration::from_secs(60);
const EVERY: Duration = Duration::from_secs(86_400);

/// See the module.
pub(super) struct Verify {
    folder: PathBuf,
    begun: Since,
    /// When each was last read through, and how many damaged rows it had.
    done: BTreeMap<u64, (Since, u64)>,
    now: Option<(Segment, Reading)>,
}

impl Verify {
    /// Nothing was read yet.
    pub(super) fn new(folder: PathBuf) -> Self {
        Self { folder, begun: Since::now(), done: BTreeMap::new(), now: None }
    }

    /// How long until it has something to do.
    pub(super) fn wait(&self) -> Duration {
        if self.now.is_some() { PACE } else { REST }
    }

    /// Reads a little on, or looks whether something is due.
    pub(super) fn turn(&mut self, health: &Health) {
        match self.now.take() {
            Some((segment, reading)) => self.read_on(segment, reading, health),
            None if self.begun.elapsed() >= REST => self.begin(),
            None => {}
        }
    }

    /// Chooses the first segment that is due.
    pub(super) fn begin(&mut self) {
        let Ok(segments) = segment::list(&self.folder) else { return };
        let oldest = segments.first().map_or(0, |segment| segment.first);
        self.done.retain(|first, _| *first >= oldest);
        let sealed = segments.len().saturating_sub(1);
        let is_due =
            |segment: &Segment| self.done.get(&segment.first).is_none_or(|(at, _)| at.elapsed() >= EVERY);
        let due = segments.into_iter().take(sealed).find(is_due);
        self.now = due.map(|segment| {
            let reading = Reading::behind(segment.first - 1, BEGINNING);
            (segment, reading)
        });
    }

    fn read_on(&mut self, segment: Segment, mut reading: Reading, health: &Health) {
        let rows =
            segment.view(Sealed::Yes).and_then(|journal| reading.rows(&journal, ROWS, &mut |_, _, _| {}));
        match rows {
            Ok(ROWS) => self.now = Some((segment, reading)),
            Ok(_fewer) => self.end(&segment, &reading, health),
            Err(_gone) if !segment.path.exists() => {}
            Err(failure) if is_damage(&failure) => {
                tracing::error!(%failure, path = %segment.path.display(), "a segment of the journal is damaged");
                if let Err(failure) = salvage::salvage(&segment.path) {
                    tracing::error!(%failure, path = %segment.path.display(), "it could not be salvaged; tried again in a day");
                    Health::add(&health.damaged, 1);
                    self.done.insert(segment.first, (Since::now(), 0));
                }
            }
            Err(failure) => {
                tracing::warn!(%failure, path = %segment.path.display(), "could not verify a segment; tried again in a day");
                self.done.insert(segment.first, (Since::now(), 0));
            }
        }
    }

    fn end(&mut self, segment: &Segment, reading: &Reading, health: &Health) {
        let found = reading.read.damaged + reading.read.missing;
        let before = self.done.insert(segment.first, (Since::now(), found)).map_or(0, |(_, before)| before);
        Health::add(&health.damaged, found.saturating_sub(before));
        Health::add(&health.verified, 1);
        let path = segment.path.display();
        tracing::debug!(%path, entries = reading.read.entries, found, "verified");
    }
}
