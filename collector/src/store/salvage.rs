//! A journal that SQLite calls malformed: the file goes aside, and every row that still verifies goes into a new one.
//!
//! SQLite gives up where a page is broken, so the pages are read here by SQLite's published file format: leaf pages of
//! tables, their cells, overflow chains, and the committed pages of the write-ahead log over them. Guessing is safe,
//! because each row has its own checksum: a row is taken if that matches. Of the rest, rows whose columns can be read
//! are taken as they are where no sound row has the place, so that recovery can name what they lose. Nothing is
//! thrown away: the damaged file stays as `NAME.damaged-1` to `-3`; a fourth damage replaces the
//! third, so that a bad disk does not fill itself. A crash anywhere leaves either the old file or the new one in
//! place. Rows of other tables (the clock's offset, rows set aside before) stay in the damaged file.

use super::read::STEP_MAX;
use super::row::Row;
use super::segment::{beside, prepare};
use crate::error::Failure;
use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::Path;

/// Damaged files that are kept.
const KEPT: u32 = 3;
/// SQLite's own choice, for a header that does not say.
const PAGE: usize = 4_096;
const COLUMNS: usize = 12;
/// Longest row: a Hello of 4,096 checks with the longest names is 640 KiB.
const PAYLOAD_MAX: usize = 2 * 1024 * 1024;
const TABLE_LEAF: u8 = 0x0d;
const WAL_HEADER: u64 = 32;
const WAL_FRAME_HEADER: u64 = 24;

/// Ends a salvage that was cut off between its two renames, and removes one that was cut off before.
pub(super) fn finish(path: &Path) -> Result<(), Failure> {
    let new = beside(path, ".salvage");
    if !new.exists() {
        return Ok(());
    }
    if path.exists() {
        return remove(&new);
    }
    fs::rename(&new, path).map_err(Failure::io("rename", &new))
}

/// Puts the damaged file aside and a new one with its readable rows into its place.
pub(super) fn salvage(path: &Path) -> Result<(), Failure> {
    let new = beside(path, ".salvage");
    let taken = copy(path, &new)?;
    let kept = (1..KEPT).map(|nth| beside(path, &format!(".damaged-{nth}"))).find(|kept| !kept.exists());
    let kept = kept.unwrap_or_else(|| beside(path, &format!(".damaged-{KEPT}")));
    let log = beside(path, "-wal");
    if log.exists() {
        let kept = beside(&kept, "-wal");
        fs::rename(&log, &kept).map_err(Failure::io("rename", &log))?;
    }
    remove(&beside(path, "-shm"))?;
    fs::rename(path, &kept).map_err(Failure::io("rename", path))?;
    fs::rename(&new, path).map_err(Failure::io("rename", &new))?;
    tracing::error!(
        sound = taken.sound,
        unsound = taken.unsound,
        damaged_file = %kept.display(),
        "the journal was damaged: its readable entries stand in a new file and the collector goes on; what follows \
         says which are gone. Check the disk; restore a backup if you have a newer one; delete the damaged file once \
         you do not need it"
    );
    Ok(())
}

fn remove(path: &Path) -> Result<(), Failure> {
    match fs::remove_file(path) {
        Err(failure) if failure.kind() != std::io::ErrorKind::NotFound => {
            Err(Failure::Io { doing: "remove", path: path.to_owned(), source: failure })
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

struct Taken {
    sound: u64,
    unsound: u64,
}

/// Copies what can be read: sound rows first, so that no other takes their place.
fn copy(from: &Path, to: &Path) -> Result<Taken, Failure> {
    remove(to)?;
    let pages = Pages::open(from)?;
    let mut journal = Connection::open(to)?;
    journal.pragma_update(None, "synchronous", "FULL")?;
    prepare(&journal)?;
    let mut taken = Taken { sound: 0, unsound: 0 };
    let transaction = journal.transaction()?;
    {
        let mut insert = transaction.prepare(
            "INSERT OR IGNORE INTO journal (idx, mono, raw, wall, kind, host, run, first, last, class_mask, blob, crc) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
        )?;
        let (mut lowest, mut highest) = (u64::MAX, 0);
        let mut failed = None;
        pages.each_row(|values| {
            let Some(row) = Row::of_values(values).filter(|row| row.verify().is_ok()) else { return };
            (lowest, highest) = (lowest.min(row.index), highest.max(row.index));
            match insert.execute(params_from_iter(values)) {
                Ok(count) => taken.sound += count as u64,
                Err(failure) => failed = Some(failure),
            }
        });
        pages.each_row(|values| {
            let near = matches!(values[0], Value::Integer(index)
                if (1..=highest.saturating_add(STEP_MAX)).contains(&index.cast_unsigned()));
            // A row that the table cannot take has nothing to name either.
            if near && let Ok(count) = insert.execute(params_from_iter(values)) {
                taken.unsound += count as u64;
            }
        });
        if let Some(failure) = failed {
            return Err(failure.into());
        }
    }
    transaction.commit()?;
    journal.close().map_err(|(_connection, failure)| failure)?;
    Ok(taken)
}

/// The pages of a database, the newest committed version of each.
struct Pages {
    file: File,
    count: u32,
    size: usize,
    log: Option<File>,
    /// Where in the log the newest version of a page stands.
    logged: BTreeMap<u32, u64>,
}

impl Pages {
    fn open(path: &Path) -> Result<Self, Failure> {
        let file = File::open(path).map_err(Failure::io("read", path))?;
        let len = file.metadata().map_err(Failure::io("read", path))?.len();
        let mut header = [0; 18];
        let said =
            file.read_exact_at(&mut header, 0).ok().filter(|()| header.starts_with(b"SQLite format 3\0"));
        let said = said.map(|()| usize::from(u16::from_be_bytes([header[16], header[17]])));
        let size = said.filter(|size| size.is_power_of_two() && *size >= 512).unwrap_or(PAGE);
        let log = File::open(beside(path, "-wal")).ok();
        let logged = log.as_ref().map(|log| committed(log, size)).unwrap_or_default();
        let whole = u32::try_from(len.div_ceil(size as u64)).unwrap_or(u32::MAX);
        let count = whole.max(logged.last_key_value().map_or(0, |(page, _)| *page));
        Ok(Self { file, count, size, log, logged })
    }

    fn page(&self, number: u32) -> Option<Vec<u8>> {
        let mut page = vec![0; self.size];
        match (self.logged.get(&number), &self.log) {
            (Some(at), Some(log)) => log.read_exact_at(&mut page, *at).ok()?,
            _in_the_file => {
                let at = u64::from(number.checked_sub(1)?) * self.size as u64;
                self.file.read_exact_at(&mut page, at).ok()?;
            }
        }
        Some(page)
    }

    /// Hands over the values of every cell that reads like a row of the journal. Page 1 holds the schema only.
    fn each_row(&self, mut take: impl FnMut(&[Value])) {
        for number in 2..=self.count {
            let Some(page) = self.page(number).filter(|page| page[0] == TABLE_LEAF) else { continue };
            let cells = usize::from(u16::from_be_bytes([page[3], page[4]]));
            let places = page[8..].chunks_exact(2).take(cells);
            for place in places {
                let at = usize::from(u16::from_be_bytes([place[0], place[1]]));
                if let Some(values) = self.row(&page, at) {
                    take(&values);
                }
            }
        }
    }

    fn row(&self, page: &[u8], at: usize) -> Option<Vec<Value>> {
        let mut rest = page.get(at..)?;
        let length = usize::try_from(varint(&mut rest)?).ok().filter(|length| *length <= PAYLOAD_MAX)?;
        let index = varint(&mut rest)?;
        let payload = self.payload(rest, length)?;
        let mut values = record(&payload)?;
        // The journal's first column is the row's number and stands as NULL; rows set aside have it as a value.
        if values.len() != COLUMNS || values[0] != Value::Null {
            return None;
        }
        values[0] = Value::Integer(index.cast_signed());
        Some(values)
    }

    /// The payload of a cell: what fits stands on its page, the rest in a chain of others.
    fn payload(&self, cell: &[u8], length: usize) -> Option<Vec<u8>> {
        let most = self.size - 35;
        if length <= most {
            return cell.get(..length).map(<[u8]>::to_vec);
        }
        let least = (self.size - 12) * 32 / 255 - 23;
        let even = least + (length - least) % (self.size - 4);
        let local = if even <= most { even } else { least };
        let mut payload = cell.get(..local)?.to_vec();
        let mut next = number(cell.get(local..local + 4)?)?;
        // Every page of the chain adds something, so a chain that runs in a circle ends too.
        while payload.len() < length {
            let page = self.page(next).filter(|_| next != 0)?;
            next = number(&page[..4])?;
            let more = (length - payload.len()).min(page.len() - 4);
            payload.extend_from_slice(&page[4..4 + more]);
        }
        Some(payload)
    }
}

/// Where the newest committed version of each page stands in a write-ahead log. Frames of an earlier round of the
/// log have other salts; what follows the last commit was never acknowledged.
fn committed(log: &File, size: usize) -> BTreeMap<u32, u64> {
    let (mut found, mut open) = (BTreeMap::new(), Vec::new());
    let mut header = [0; 32];
    if log.read_exact_at(&mut header, 0).is_err() {
        return found;
    }
    let salts = &header[16..24];
    let mut at = WAL_HEADER;
    let mut frame = [0; 24];
    while log.read_exact_at(&mut frame, at).is_ok() && frame[8..16] == *salts {
        let (Some(page), Some(commit)) = (number(&frame[..4]), number(&frame[4..8])) else { break };
        open.push((page, at + WAL_FRAME_HEADER));
        if commit != 0 {
            found.extend(open.drain(..));
        }
        at += WAL_FRAME_HEADER + size as u64;
    }
    found
}

fn number(bytes: &[u8]) -> Option<u32> {
    bytes.try_into().ok().map(u32::from_be_bytes)
}

/// A record's values, in SQLite's record format.
fn record(payload: &[u8]) -> Option<Vec<Value>> {
    let mut header = payload;
    let length = usize::try_from(varint(&mut header)?).ok()?;
    let mut body = payload.get(length..)?;
    let mut types = payload.get(payload.len() - header.len()..length)?;
    let mut values = Vec::with_capacity(COLUMNS);
    while !types.is_empty() && values.len() <= COLUMNS {
        let kind = varint(&mut types)?;
        values.push(value(kind, &mut body)?);
    }
    Some(values)
}

fn value(kind: u64, body: &mut &[u8]) -> Option<Value> {
    let mut take = |length: usize| {
        let (taken, rest) = body.split_at_checked(length)?;
        *body = rest;
        Some(taken)
    };
    Some(match kind {
        0 => Value::Null,
        1..=6 => {
            let length = [1, 2, 3, 4, 6, 8][usize::try_from(kind - 1).ok()?];
            let bytes = take(length)?;
            let sign = if bytes[0] & 0x80 == 0 { 0_i64 } else { -1 };
            Value::Integer(bytes.iter().fold(sign, |sum, byte| (sum << 8) | i64::from(*byte)))
        }
        7 => Value::Real(f64::from_be_bytes(take(8)?.try_into().ok()?)),
        8 => Value::Integer(0),
        9 => Value::Integer(1),
        10 | 11 => return None,
        text_or_blob => {
            let length = usize::try_from((text_or_blob - 12) / 2).ok()?;
            let bytes = take(length)?.to_vec();
            if text_or_blob % 2 == 0 {
                Value::Blob(bytes)
            } else {
                Value::Text(String::from_utf8(bytes).ok()?)
            }
        }
    })
}

/// SQLite's varint: 7 bits a byte, highest first, the ninth byte whole.
fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut sum = 0;
    for nth in 0..9 {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        if nth == 8 {
            return Some((sum << 8) | u64::from(*byte));
        }
        sum = (sum << 7) | u64::from(*byte & 0x7f);
        if *byte < 0x80 {
            return Some(sum);
        }
    }
    None
}
