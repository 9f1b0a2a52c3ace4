//! The journal: SQLite in DATA/journal/, written by one thread in groups, read by another for event queries.
//!
//! WAL with synchronous=FULL: a transaction that committed survives kill -9 and power loss, and only then does the
//! writer say Journaled. Group commit: whatever waits goes into one transaction, at most 1,024 entries or 4 MiB, so
//! that a burst costs one fsync and not a thousand.
//!
//! | port | what a full channel means |
//! |---|---|
//! | appends (core to writer) | never full: see [`Store::append`] for the bound |
//! | facts (writer to core) | 16; the writer waits, the core task never does, so this drains |
//! | queries (server to reader) | 4; the question is refused with `too-many` |
//!
//! A failed write keeps its entries in order and waits for the core's Retry; how often that comes is the core's
//! affair. Damage never refuses the start: a row of frames that does not verify becomes a [`Record::Damaged`] in its
//! place, which closes and counts what is lost; what nobody can name is counted and logged; a file that SQLite calls
//! malformed is put aside and its sound rows are taken over (`salvage`). Left out here: segments of 256 MiB with retention, snapshots and projections; the file is numbered so
//! that they fit.

mod events;
mod row;
mod salvage;
mod writer;

use crate::authority::make_private;
use crate::error::Failure;
use picket_collector_core::Record;
use picket_collector_core::store::{Entry, Fact, Order};
use picket_proto::{BootId, Mono, Now, Raw, Wall};
use rusqlite::{Connection, ErrorCode, OptionalExtension, params};
use std::path::{Path, PathBuf};
use std::thread::{self, JoinHandle};
use std::time::Duration;
use tokio::sync::mpsc;

pub(crate) use events::{Events, Found, NoPage, Page, Place, Question};

/// How many queries may run or wait: a fifth would wait longer than a person does.
const QUERIES_MAX: usize = 4;
const FACTS_MAX: usize = 16;
/// Most rows mended at one start (some MiB); what is beyond reads the same and is mended at the next.
const MENDS_MAX: usize = 65_536;
/// How far behind the row before it a damaged row is believed to stand: its place may be what is damaged.
const STEP_MAX: u64 = 4_096;

const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS journal (
  idx INTEGER PRIMARY KEY, mono INTEGER NOT NULL, raw INTEGER NOT NULL, wall INTEGER NOT NULL,
  kind INTEGER NOT NULL, host TEXT, run INTEGER, first INTEGER, last INTEGER,
  class_mask INTEGER NOT NULL, blob BLOB NOT NULL, crc INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS journal_host ON journal (host, idx) WHERE kind > 0;
CREATE TABLE IF NOT EXISTS damaged AS SELECT * FROM journal WHERE 0;
CREATE TABLE IF NOT EXISTS boot (id BLOB PRIMARY KEY, mono_offset INTEGER NOT NULL);
";

/// The journal before the core begins: read it, then [`Journal::start`] the threads.
pub(crate) struct Journal {
    writer: Connection,
    path: PathBuf,
    mends: Vec<Entry>,
}

/// What reading the whole journal found.
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

impl Journal {
    /// Opens or makes the journal of `data`.
    pub(crate) fn open(data: &Path) -> Result<Self, Failure> {
        let folder = data.join("journal");
        make_private(&folder)?;
        let path = folder.join("journal-000000000001.db");
        salvage::finish(&path)?;
        let writer = match connect(&path) {
            Err(failure) if is_damage(&failure) => {
                tracing::error!(%failure, path = %path.display(), "the journal's file is damaged");
                salvage::salvage(&path)?;
                connect(&path)?
            }
            other => other?,
        };
        Ok(Self { writer, path, mends: Vec::new() })
    }

    /// Hands every entry to `take`, in order; what is damaged as what it loses, if that can be told.
    pub(crate) fn read(&mut self, mut take: impl FnMut(u64, Now, Record)) -> Result<Read, Failure> {
        let mut read = Read::default();
        let mut before =
            Now { mono: Mono::from_micros(0), raw: Raw::from_micros(0), wall: Wall::from_micros(0) };
        let Self { writer, mends, .. } = self;
        mends.clear();
        let mut statement = writer.prepare(row::SELECT_ALL)?;
        let mut rows = statement.query([])?;
        while let Some(found) = rows.next()? {
            let index = found.get::<_, i64>(0)?.cast_unsigned();
            let entry = row::Row::read(found).map_err(|_| row::Damage::Column).and_then(|row| row.entry());
            let entry = match entry {
                Ok(entry) => entry,
                Err(damage) => {
                    read.damaged += 1;
                    let near = index > read.last && index - read.last <= STEP_MAX;
                    let lost = row::loss(found).filter(|_| near);
                    tracing::error!(index, %damage, ?lost, "journal entry damaged");
                    let Some(record) = lost else { continue };
                    let entry = Entry { index, now: before, record };
                    if mends.len() < MENDS_MAX {
                        mends.push(entry.clone());
                    }
                    entry
                }
            };
            let missing = index.saturating_sub(read.last.saturating_add(1));
            if missing > 0 {
                tracing::error!(
                    first = read.last + 1,
                    last = index - 1,
                    "journal entries missing or unreadable"
                );
                read.missing = read.missing.saturating_add(missing);
            }
            read.entries += 1;
            read.last = index;
            read.mono = read.mono.max(entry.now.mono);
            before = entry.now;
            take(index, entry.now, entry.record);
        }
        Ok(read)
    }

    /// Writes what [`Journal::read`] took for damaged rows into their places, and makes room behind the last entry
    /// for the core's next. The damaged rows go into the table `damaged`: none of it is thrown away.
    pub(crate) fn mend(&mut self, last: u64) -> Result<(), Failure> {
        let last = last.cast_signed();
        let transaction = self.writer.transaction()?;
        for entry in self.mends.drain(..) {
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
        Ok(self.writer.query_row(find, [boot.0.to_be_bytes()], |row| row.get(0)).optional()?)
    }

    /// Keeps the offset for this boot.
    pub(crate) fn keep_offset(&self, boot: BootId, offset: i64) -> Result<(), Failure> {
        let keep = "INSERT OR REPLACE INTO boot (id, mono_offset) VALUES (?1, ?2)";
        self.writer.execute(keep, params![boot.0.to_be_bytes(), offset])?;
        Ok(())
    }

    /// Starts the writer and the reader.
    pub(crate) fn start(self) -> Result<Store, Failure> {
        let reader = events::open(&self.path)?;
        let (append, appends) = mpsc::unbounded_channel();
        let (fact, facts) = mpsc::channel(FACTS_MAX);
        let (ask, asked) = mpsc::channel(QUERIES_MAX);
        let connection = self.writer;
        let writer = spawn("journal", move || writer::write(connection, appends, &fact))?;
        let _ends_with_its_channel = spawn("events", move || events::answer(&reader, asked))?;
        Ok(Store { append, facts, events: Events(ask), writer })
    }
}

/// Opens the file, and looks whether SQLite finds it whole: reading the journal costs more than that.
fn connect(path: &Path) -> rusqlite::Result<Connection> {
    let writer = Connection::open(path)?;
    writer.busy_timeout(Duration::from_secs(5))?;
    let _mode: String = writer.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))?;
    writer.pragma_update(None, "synchronous", "FULL")?;
    let mut check = writer.prepare("PRAGMA quick_check")?;
    for found in check.query_map([], |row| row.get::<_, String>(0))? {
        let found = found?;
        // A value of the wrong type is a damaged row, which reading finds; the file is whole.
        if found != "ok" && !found.contains(" value in ") {
            let code = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_CORRUPT);
            return Err(rusqlite::Error::SqliteFailure(code, Some(found)));
        }
    }
    drop(check);
    writer.execute_batch(SCHEMA)?;
    Ok(writer)
}

/// Whether the file's content is at fault, and not its place, its disk or another process.
fn is_damage(failure: &rusqlite::Error) -> bool {
    matches!(
        failure.sqlite_error_code(),
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase | ErrorCode::Unknown)
    )
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
