//! Segments: the files of the journal, each a SQLite database named by the first index that it may hold.
//!
//! A segment is 256 MiB: large enough that a journal of 20 GiB is 80 files, small enough that retention, which unlinks
//! whole files, gives space back in steps that a disk feels. The newest alone is written, by one thread; the others
//! are sealed: their log is folded in, so that they open without locks, and on a full disk, and can be unlinked under
//! a reader. The folder is the only list of segments. What this leaves out: rows (`row`) and when to roll (`writer`).

use super::health::Health;
use crate::error::Failure;
use rusqlite::{Connection, ErrorCode, OpenFlags};
use std::ffi::OsString;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::Duration;

const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS journal (
  idx INTEGER PRIMARY KEY, mono INTEGER NOT NULL, raw INTEGER NOT NULL, wall INTEGER NOT NULL,
  kind INTEGER NOT NULL, host TEXT, run INTEGER, first INTEGER, last INTEGER,
  class_mask INTEGER NOT NULL, blob BLOB NOT NULL, crc INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS journal_host ON journal (host, idx) WHERE kind > 0;
CREATE TABLE IF NOT EXISTS damaged AS SELECT * FROM journal WHERE 0;
CREATE TABLE IF NOT EXISTS boot (id BLOB PRIMARY KEY, mono_offset INTEGER NOT NULL);
";

/// Boots whose clock offsets go along into the next segment: the present one counts, the rest is for a person.
const BOOTS: u32 = 8;

/// A file of the journal.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Segment {
    /// The lowest index that can stand in it.
    pub(crate) first: u64,
    pub(crate) path: PathBuf,
}

impl Segment {
    /// The segment of `folder` that begins with `first`.
    pub(super) fn at(folder: &Path, first: u64) -> Self {
        Self { first, path: folder.join(format!("journal-{first:012}.db")) }
    }

    fn of(path: PathBuf) -> Option<Self> {
        let number = path.file_name()?.to_str()?.strip_prefix("journal-")?.strip_suffix(".db")?;
        Some(Self { first: number.parse().ok()?, path })
    }

    /// Its bytes with its log; 0 of a file that is gone.
    pub(super) fn bytes(&self) -> u64 {
        let len = |path: &Path| fs::metadata(path).map_or(0, |found| found.len());
        len(&self.path).saturating_add(len(&beside(&self.path, "-wal")))
    }

    /// Opens it for queries. One that is sealed is opened as a file that nobody changes.
    pub(super) fn view(&self, state: Sealed) -> rusqlite::Result<Connection> {
        let log = fs::metadata(beside(&self.path, "-wal")).map_or(0, |log| log.len());
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = if state == Sealed::Yes && log == 0 {
            Connection::open_with_flags(unchanging(&self.path), flags | OpenFlags::SQLITE_OPEN_URI)?
        } else {
            Connection::open_with_flags(&self.path, flags)?
        };
        connection.busy_timeout(Duration::from_secs(5))?;
        Ok(connection)
    }
}

/// Whether a segment is one of the older ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sealed {
    Yes,
    No,
}

/// SQLite's name for a file that no process changes. What a URI reads as its own signs is written as numbers.
fn unchanging(path: &Path) -> OsString {
    use std::os::unix::ffi::{OsStrExt, OsStringExt};
    let mut name = b"file:".to_vec();
    for byte in path.as_os_str().as_bytes() {
        match byte {
            b'%' | b'?' | b'#' => name.extend(format!("%{byte:02X}").bytes()),
            other => name.push(*other),
        }
    }
    name.extend(b"?mode=ro&immutable=1");
    OsString::from_vec(name)
}

/// The segments of a folder, oldest first.
pub(super) fn list(folder: &Path) -> Result<Vec<Segment>, Failure> {
    let failed = |source| Failure::Io { doing: "read", path: folder.to_owned(), source };
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        found.extend(Segment::of(entry.map_err(failed)?.path()));
    }
    found.sort_unstable();
    Ok(found)
}

/// A file's companion.
pub(super) fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(ending);
    PathBuf::from(name)
}

/// Opens a segment to write, or makes it.
pub(super) fn connect(path: &Path) -> rusqlite::Result<Connection> {
    let writer = Connection::open(path)?;
    writer.busy_timeout(Duration::from_secs(5))?;
    let _mode: String = writer.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))?;
    writer.pragma_update(None, "synchronous", "FULL")?;
    prepare(&writer)?;
    Ok(writer)
}

/// Makes the tables where there are none.
pub(super) fn prepare(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch(SCHEMA)
}

/// Looks whether SQLite finds a file whole. That costs about as much as reading it.
pub(super) fn check(connection: &Connection) -> rusqlite::Result<()> {
    let mut check = connection.prepare("PRAGMA quick_check")?;
    for found in check.query_map([], |row| row.get::<_, String>(0))? {
        let found = found?;
        // A value of the wrong type is a damaged row, which reading finds; the file is whole.
        if found != "ok" && !found.contains(" value in ") {
            let code = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_CORRUPT);
            return Err(rusqlite::Error::SqliteFailure(code, Some(found)));
        }
    }
    Ok(())
}

/// Whether the file's content is at fault, and not its place, its disk or another process.
pub(super) fn is_damage(failure: &rusqlite::Error) -> bool {
    matches!(
        failure.sqlite_error_code(),
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase | ErrorCode::Unknown)
    )
}

/// The segment that is written.
pub(super) struct Newest {
    pub(super) connection: Connection,
    pub(super) segment: Segment,
    pub(super) folder: PathBuf,
    /// Bytes above which the next one begins.
    pub(super) limit: u64,
    /// Bytes above which making the next one is tried again after it failed.
    pub(super) again: u64,
}

impl Newest {
    /// Begins the next segment with `first` if this one is full. Where none can be made this one grows on, and it is
    /// tried again a sixteenth of a segment later: what is journaled matters more than the size of its file.
    pub(super) fn roll(&mut self, first: u64, health: &Health) {
        let bytes = self.bytes();
        if bytes < self.limit || bytes < self.again || first <= self.segment.first {
            return;
        }
        if let Err(failure) = self.begin(first, health) {
            self.again = bytes.saturating_add(self.limit / 16);
            tracing::warn!(%failure, first, "could not begin a segment; the one before grows on");
        }
    }

    /// Begins the next segment with `first`, which is behind all that is there.
    pub(super) fn begin(&mut self, first: u64, health: &Health) -> Result<(), Failure> {
        let next = Segment::at(&self.folder, first);
        let connection =
            begin(&next, &self.connection, &self.folder).inspect_err(|_| remove_all(&next.path))?;
        let old = std::mem::replace(&mut self.connection, connection);
        seal(old, &self.segment);
        self.again = 0;
        health.rolled();
        tracing::info!(path = %next.path.display(), "the journal goes on in a new segment");
        self.segment = next;
        Ok(())
    }

    /// The pages of the database as its last transaction left it.
    fn bytes(&self) -> u64 {
        let number = |pragma| self.connection.query_row(pragma, [], |row| row.get::<_, i64>(0)).unwrap_or(0);
        number("PRAGMA page_count").saturating_mul(number("PRAGMA page_size")).cast_unsigned()
    }
}

/// Makes a segment that the next process finds, with what must not be lost with the older ones.
fn begin(next: &Segment, old: &Connection, folder: &Path) -> Result<Connection, Failure> {
    remove_all(&next.path);
    let connection = connect(&next.path)?;
    let mut boots = old.prepare("SELECT id, mono_offset FROM boot ORDER BY rowid DESC LIMIT ?1")?;
    let kept = boots.query_map([BOOTS], |row| Ok((row.get::<_, Vec<u8>>(0)?, row.get::<_, i64>(1)?)))?;
    let mut kept = kept.collect::<Result<Vec<_>, _>>()?;
    kept.reverse();
    for boot in kept {
        connection.execute("INSERT INTO boot (id, mono_offset) VALUES (?1, ?2)", boot)?;
    }
    sync(folder)?;
    Ok(connection)
}

/// Makes the names in a folder durable.
pub(super) fn sync(folder: &Path) -> Result<(), Failure> {
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(Failure::io("sync", folder))
}

/// Folds the log into the file and closes it. While a query reads there, the log stays until [`sealed`] is called.
fn seal(connection: Connection, segment: &Segment) {
    let folded = connection.busy_timeout(Duration::ZERO).and_then(|()| {
        connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, i64>(0))
    });
    if folded != Ok(0) {
        tracing::debug!(path = %segment.path.display(), ?folded, "the segment's log stays for now");
    }
    // A log that could not be folded in is read with the file; closing fails only then.
    let _folded_or_left = connection.close();
}

/// Folds in a log that was left.
pub(super) fn sealed(segment: &Segment) {
    let log = fs::metadata(beside(&segment.path, "-wal")).map_or(0, |log| log.len());
    if log == 0 {
        return;
    }
    match Connection::open_with_flags(&segment.path, OpenFlags::SQLITE_OPEN_READ_WRITE) {
        Ok(connection) => seal(connection, segment),
        Err(failure) => tracing::debug!(%failure, path = %segment.path.display(), "the segment's log stays"),
    }
}

/// Removes a segment's file and its companions. What is gone already is no failure.
pub(super) fn remove_all(path: &Path) {
    for path in [path.to_owned(), beside(path, "-wal"), beside(path, "-shm"), beside(path, "-journal")] {
        match fs::remove_file(&path) {
            Err(failure) if failure.kind() != std::io::ErrorKind::NotFound => {
                tracing::warn!(%failure, path = %path.display(), "could not remove a file of the journal");
            }
            Ok(()) | Err(_) => {}
        }
    }
}
