//! The journal: SQLite files in DATA/journal/, written by one thread in groups, read by another for event queries.
//!
//! WAL with synchronous=FULL: a transaction that committed survives kill -9 and power loss, and only then does the
//! writer say Journaled. Group commit: whatever waits goes into one transaction, at most 1,024 entries or 4 MiB, so
//! that a burst costs one fsync and not a thousand. One file per 256 MiB (`segment`); the newest alone is written.
//!
//! | port | what a full channel means |
//! |---|---|
//! | appends (core to writer) | never full: see [`Store::append`] for the bound |
//! | facts (writer to core) | 16; the writer waits, the core task never does, so this drains |
//! | queries (server to reader) | 4; the question is refused with `too-many` |
//!
//! A failed write keeps its entries in order and waits for the core's Retry; how often that comes is the core's
//! affair. Damage never refuses the start: a row of frames that does not verify becomes a [`Record::Damaged`] in its
//! place, which closes and counts what is lost (`read`); what nobody can name is counted and logged; a file that
//! SQLite calls malformed is put aside and its sound rows are taken over (`salvage`); a file that is gone is told at
//! every start, and no index is given twice (`holes`). Behind the writer's back a third
//! thread makes snapshots, drops what is too old and reads old segments through (`upkeep`). Left out here: projections.

mod events;
mod health;
mod holes;
mod read;
mod retention;
mod row;
mod salvage;
mod segment;
pub(crate) mod snapshot;
mod upkeep;
mod verify;
mod writer;

use crate::authority::make_private;
use crate::error::Failure;
use holes::Hole;
use picket_collector_core::store::{Entry, Fact, Order};
use picket_collector_core::{Collector, Record};
use picket_proto::{BootId, Now, Span};
use read::{ALL, BEGINNING, Reading, behind};
use rusqlite::{OptionalExtension, params};
use segment::{Newest, Segment};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::thread::{self, JoinHandle};
use tokio::sync::mpsc;
use upkeep::Upkeep;
use writer::Outlets;

pub(crate) use events::{Events, Found, NoPage, Page, Place, Question};
pub(crate) use health::{COMMIT_BOUNDS, Health, Journaling};
pub(crate) use read::Read;
pub(crate) use retention::days;

/// How many queries may run or wait: a fifth would wait longer than a person does.
const QUERIES_MAX: usize = 4;
const FACTS_MAX: usize = 16;

/// How large the journal's parts may become.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// Bytes of a segment.
    pub(crate) segment: u64,
    /// Bytes of records between two snapshots.
    pub(crate) snapshot: u64,
    /// Bytes of all segments, above which the oldest go.
    pub(crate) keep_bytes: u64,
    /// Age at which a segment goes.
    pub(crate) keep: Span,
}

impl Default for Limits {
    fn default() -> Self {
        // 128 MiB replay in about a second; 20 GiB are some 200 million events and fit the smallest usual disk; a
        // quarter of a year is as far as a review of past incidents looks back.
        Self { segment: 256 << 20, snapshot: 128 << 20, keep_bytes: 20 << 30, keep: days(90) }
    }
}

/// The journal before the core begins: read it, then [`Journal::start`] the threads.
pub(crate) struct Journal {
    newest: Newest,
    snapshots: PathBuf,
    limits: Limits,
    mends: Vec<Entry>,
    /// What reading missed.
    holes: Vec<Hole>,
    /// Bytes of records read behind the snapshot.
    tail: u64,
    health: Arc<Health>,
}

/// What a start found.
pub(crate) struct Recovered {
    pub(crate) core: Collector,
    /// The last record of the snapshot it began with; 0 without one.
    pub(crate) from: u64,
    pub(crate) read: Read,
}

impl Journal {
    /// Opens or makes the journal of `data`. Only the newest segment is looked at whole: the others are when they are
    /// read.
    pub(crate) fn open(data: &Path, limits: Limits) -> Result<Self, Failure> {
        let folder = data.join("journal");
        make_private(&folder)?;
        finish_salvages(&folder)?;
        let segment = segment::list(&folder)?.pop().unwrap_or_else(|| Segment::at(&folder, 1));
        holes::emptied(&segment)?;
        let checked =
            || segment::connect(&segment.path).and_then(|journal| segment::check(&journal).map(|()| journal));
        let connection = match checked() {
            Err(failure) if segment::is_damage(&failure) => {
                tracing::error!(%failure, path = %segment.path.display(), "the journal's file is damaged");
                salvage::salvage(&segment.path)?;
                segment::connect(&segment.path)?
            }
            other => other?,
        };
        let newest = Newest { connection, segment, folder, limit: limits.segment, again: 0 };
        let health = Arc::new(Health::of(newest.folder.clone()));
        Ok(Self {
            newest,
            snapshots: data.join("snapshots"),
            limits,
            mends: Vec::new(),
            holes: Vec::new(),
            tail: 0,
            health,
        })
    }

    /// The core as the newest snapshot and the journal behind it have it.
    pub(crate) fn recover(&mut self, seed: u64) -> Result<Recovered, Failure> {
        let start = snapshot::choose(&self.snapshots, seed, self.oldest()?)?;
        if let Some(head) = start.head {
            Health::set(&self.health.snapshot_index, head.index);
            Health::set(&self.health.snapshot_wall, head.made.micros().max(1).cast_unsigned());
        }
        let mut core = start.core;
        let mut read =
            self.read((start.last, start.time), |index, now, record| core.replay(index, now, record))?;
        // An index is never given twice, whatever of snapshots, rows and files is gone.
        core.pass(read.last.max(self.newest.segment.first - 1));
        read.missing = self.missing(start.last, core.index() + 1)?;
        Ok(Recovered { core, from: start.last, read })
    }

    /// The first index that can stand in the journal.
    pub(crate) fn oldest(&self) -> Result<u64, Failure> {
        Ok(segment::list(&self.newest.folder)?.first().map_or(1, |segment| segment.first))
    }

    /// Hands every entry behind `last` to `take`, in order; what is damaged as what it loses, if that can be told.
    /// `before` is the time of `last`.
    pub(crate) fn read(
        &mut self,
        (last, before): (u64, Now),
        mut take: impl FnMut(u64, Now, Record),
    ) -> Result<Read, Failure> {
        let segments = segment::list(&self.newest.folder)?;
        let oldest = segments.first().map_or(1, |segment| segment.first);
        if oldest > last + 1 {
            tracing::warn!(
                from = last + 1,
                oldest,
                "the journal begins later than asked: what was before is gone"
            );
        }
        let mut reading = Reading::behind(last.max(oldest - 1), before);
        for segment in behind(&segments, last) {
            if *segment == self.newest.segment {
                reading.rows(&self.newest.connection, ALL, &mut take)?;
            } else {
                reading.sealed(segment, &mut take)?;
            }
        }
        Health::add(&self.health.damaged, reading.read.damaged);
        Health::set(&self.health.index, reading.read.last);
        (self.mends, self.holes, self.tail) = (reading.mends, reading.holes, reading.bytes);
        Ok(reading.read)
    }

    /// Hands every entry there is to `take`.
    pub(crate) fn read_all(&mut self, take: impl FnMut(u64, Now, Record)) -> Result<Read, Failure> {
        self.read((0, BEGINNING), take)
    }

    /// Writes what [`Journal::read`] took for damaged rows of the newest segment into their places, and makes room
    /// behind the last entry for the core's next. The damaged rows go into the table `damaged`: none of it is thrown
    /// away. A sealed segment stays as it is: it reads the same every time.
    pub(crate) fn mend(&mut self, last: u64) -> Result<(), Failure> {
        let last = last.cast_signed();
        let transaction = self.newest.connection.transaction()?;
        for entry in self.mends.drain(..).filter(|entry| entry.index >= self.newest.segment.first) {
            let row =
                row::Row::of(&entry).map_err(|bad| rusqlite::Error::ToSqlConversionFailure(Box::new(bad)))?;
            let index = entry.index.cast_signed();
            transaction.execute("INSERT INTO damaged SELECT * FROM journal WHERE idx = ?1", [index])?;
            transaction.execute("DELETE FROM journal WHERE idx = ?1", [index])?;
            row.insert(&mut transaction.prepare(row::INSERT)?)?;
        }
        transaction.execute("INSERT INTO damaged SELECT * FROM journal WHERE idx > ?1", [last])?;
        transaction.execute("DELETE FROM journal WHERE idx > ?1", [last])?;
        transaction.commit()?;
        Ok(())
    }

    /// The offset of the core's Mono that was kept for this boot.
    pub(crate) fn offset(&self, boot: BootId) -> Result<Option<i64>, Failure> {
        let find = "SELECT mono_offset FROM boot WHERE id = ?1";
        let found = self.newest.connection.query_row(find, [boot.0.to_be_bytes()], |row| row.get(0));
        Ok(found.optional()?)
    }

    /// Keeps the offset for this boot.
    pub(crate) fn keep_offset(&self, boot: BootId, offset: i64) -> Result<(), Failure> {
        let keep = "INSERT OR REPLACE INTO boot (id, mono_offset) VALUES (?1, ?2)";
        self.newest.connection.execute(keep, params![boot.0.to_be_bytes(), offset])?;
        Ok(())
    }

    /// Starts the writer, the reader and the upkeep.
    pub(crate) fn start(self) -> Result<Store, Failure> {
        let Self { newest, snapshots, limits, tail, health, .. } = self;
        let folder = newest.folder.clone();
        let (append, appends) = mpsc::unbounded_channel();
        let (fact, facts) = mpsc::channel(FACTS_MAX);
        let (ask, asked) = mpsc::channel(QUERIES_MAX);
        let (bell, rung) = sync_channel(1);
        let upkeep = Upkeep::new(folder.clone(), snapshots, limits, (Arc::clone(&health), tail));
        let outlets = Outlets::new(fact, Arc::clone(&health), (bell, limits.snapshot));
        let writer = spawn("journal", move || writer::write(newest, appends, outlets))?;
        let _ends_with_its_channel = spawn("events", move || events::answer(&folder, asked))?;
        let _ends_with_the_writer = spawn("upkeep", move || upkeep.run(&rung))?;
        Ok(Store { append, facts, events: Events(ask), health, writer })
    }
}

/// Ends salvages of any segment that were cut off.
fn finish_salvages(folder: &Path) -> Result<(), Failure> {
    let failed = |source| Failure::Io { doing: "read", path: folder.to_owned(), source };
    for entry in fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.extension().is_some_and(|ending| ending == "salvage") {
            salvage::finish(&path.with_extension(""))?;
        }
    }
    Ok(())
}

fn spawn<T: Send + 'static>(
    name: &str,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<JoinHandle<T>, Failure> {
    let builder = thread::Builder::new().name(name.to_owned());
    builder.spawn(work).map_err(|source| Failure::System { doing: "start a thread", source })
}

/// The running journal as the core's task sees it.
pub(crate) struct Store {
    append: mpsc::UnboundedSender<Order>,
    /// What the writer did.
    pub(crate) facts: mpsc::Receiver<Fact>,
    /// For the server.
    pub(crate) events: Events,
    /// How it does.
    pub(crate) health: Arc<Health>,
    writer: JoinHandle<writer::Left>,
}

impl Store {
    /// Hands an order to the writer. Nothing may be dropped here and the core may not wait, so the channel has no
    /// limit of its own; its bound is the core's: batches, commands and enrolments are refused once 4,096 entries or
    /// 16 MiB wait, and what else becomes a record is at most a handful per live session (20,000 of them).
    pub(crate) fn append(&self, order: Order) {
        if self.append.send(order).is_err() {
            // Only a panic ends the writer early; then nothing is acknowledged any more and the loop ends by `facts`.
            tracing::error!("the journal's thread is gone");
        }
    }

    /// Lets the writer finish and waits for it.
    ///
    /// # Errors
    /// [`Failure::Unflushed`] if entries are left that could not be written.
    pub(crate) async fn flush(self) -> Result<(), Failure> {
        let Self { append, mut facts, writer, .. } = self;
        drop(append);
        while facts.recv().await.is_some() {}
        match writer.join() {
            Ok(writer::Left(0)) => Ok(()),
            Ok(writer::Left(_)) | Err(_) => Err(Failure::Unflushed),
        }
    }
}

#[cfg(test)]
mod tests;
