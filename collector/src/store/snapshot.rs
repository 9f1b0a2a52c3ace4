//! Snapshots of the core's state: DATA/snapshots/snapshot-INDEX, so that a start replays only what came after.
//!
//! A file is a header (magic, format, logic version, index and time of the last record, when it was made, length and
//! SHA-256 of the state, crc32c over the header) and the state's bytes. It is written beside, synced and renamed, so
//! that a name stands for a whole file. The newest two stay. Which one a start takes: the newest that is sound, of
//! this logic version, and whose tail the journal still holds; else the whole journal; else, where retention dropped
//! the beginning, the newest of a version whose bytes this one can read, which is said; else what the journal holds.

use super::row::CRC32C;
use super::segment::sync;
use crate::authority::{make_private, write_private};
use crate::clock;
use crate::error::Failure;
use picket_collector_core::{Collector, LOGIC, LOGIC_READ};
use picket_proto::{Mono, Now, Raw, Wall};
use sha2::{Digest, Sha256};
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

/// Snapshots that stay: the second is for the case that the first is damaged.
pub(super) const KEPT: usize = 2;
const MAGIC: &[u8; 8] = b"PICKETSN";
const FORMAT: u32 = 1;
pub(super) const HEADER: usize = 8 + 4 + 4 + 8 * 6 + 32 + 4;

/// What a header says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) logic: u32,
    /// The last record applied.
    pub(crate) index: u64,
    /// When that was.
    pub(crate) time: Now,
    /// When the snapshot was made.
    pub(crate) made: Wall,
    length: u64,
    hash: [u8; 32],
}

/// A snapshot as it was read back.
pub(crate) struct Snapshot {
    pub(crate) head: Head,
    state: Vec<u8>,
}

/// Why a file is no snapshot that can be taken.
#[derive(Debug)]
pub(crate) enum Unsound {
    Io(std::io::Error),
    /// Not whole, flipped, or none at all.
    Damaged,
    /// Of a format that this version does not know.
    Format(u32),
}

impl fmt::Display for Unsound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(source) => write!(f, "it could not be read: {source}"),
            Self::Damaged => f.write_str("it is damaged"),
            Self::Format(format) => write!(f, "it has format {format}, and this version knows {FORMAT}"),
        }
    }
}

impl Head {
    fn bytes(&self) -> [u8; HEADER] {
        let mut bytes = Vec::with_capacity(HEADER);
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(&FORMAT.to_le_bytes());
        bytes.extend_from_slice(&self.logic.to_le_bytes());
        let Now { mono, raw, wall } = self.time;
        let (wall, made) = (wall.micros().cast_unsigned(), self.made.micros().cast_unsigned());
        for number in [self.index, mono.micros(), raw.micros(), wall, made, self.length] {
            bytes.extend_from_slice(&number.to_le_bytes());
        }
        bytes.extend_from_slice(&self.hash);
        bytes.extend_from_slice(&CRC32C.checksum(&bytes).to_le_bytes());
        bytes.try_into().unwrap_or([0; HEADER])
    }

    fn of(bytes: &[u8]) -> Result<Self, Unsound> {
        let header = bytes.get(..HEADER).ok_or(Unsound::Damaged)?;
        let small = |at: usize| header[at..at + 4].try_into().map_or(0, u32::from_le_bytes);
        let number = |nth: usize| header[16 + nth * 8..][..8].try_into().map_or(0, u64::from_le_bytes);
        if !header.starts_with(MAGIC) || CRC32C.checksum(&header[..HEADER - 4]) != small(HEADER - 4) {
            return Err(Unsound::Damaged);
        }
        if small(8) != FORMAT {
            return Err(Unsound::Format(small(8)));
        }
        Ok(Self {
            logic: small(12),
            index: number(0),
            time: Now {
                mono: Mono::from_micros(number(1)),
                raw: Raw::from_micros(number(2)),
                wall: Wall::from_micros(number(3).cast_signed()),
            },
            made: Wall::from_micros(number(4).cast_signed()),
            length: number(5),
            hash: header[64..96].try_into().map_err(|_| Unsound::Damaged)?,
        })
    }
}

/// Reads one and checks all of it.
pub(super) fn read(path: &Path) -> Result<Snapshot, Unsound> {
    let mut bytes = fs::read(path).map_err(Unsound::Io)?;
    let head = Head::of(&bytes)?;
    let state = bytes.split_off(HEADER);
    if state.len() as u64 != head.length || Sha256::digest(&state)[..] != head.hash {
        return Err(Unsound::Damaged);
    }
    Ok(Snapshot { head, state })
}

/// Writes the state of `core`, whose last record was made at `time`. What could not be written leaves nothing behind.
pub(crate) fn write(folder: &Path, core: &Collector, time: Now) -> Result<(), Failure> {
    make_private(folder)?;
    let bytes = file(core.index(), time, &core.snapshot());
    let path = folder.join(format!("snapshot-{:012}", core.index()));
    let written = write_private(&path, &bytes);
    if written.is_err() {
        let _nothing_was_made = fs::remove_file(path.with_extension("new"));
    }
    written
}

/// The whole file of a state.
pub(crate) fn file(index: u64, time: Now, state: &[u8]) -> Vec<u8> {
    let hash = Sha256::digest(state);
    let head = Head {
        logic: LOGIC,
        index,
        time,
        made: clock::wall(),
        length: state.len() as u64,
        hash: std::array::from_fn(|at| hash[at]),
    };
    let mut bytes = head.bytes().to_vec();
    bytes.extend_from_slice(state);
    bytes
}

/// The snapshots of a folder by their names, newest first. A folder that is not there has none.
pub(super) fn list(folder: &Path) -> Result<Vec<(u64, PathBuf)>, Failure> {
    let failed = |source| Failure::Io { doing: "read", path: folder.to_owned(), source };
    let entries = match fs::read_dir(folder) {
        Err(failure) if failure.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        other => other.map_err(failed)?,
    };
    let mut found = Vec::new();
    for entry in entries {
        let path = entry.map_err(failed)?.path();
        let name =
            path.file_name().and_then(|name| name.to_str()).and_then(|name| name.strip_prefix("snapshot-"));
        if let Some(index) = name.and_then(|number| number.parse().ok()) {
            found.push((index, path));
        }
    }
    found.sort_unstable_by(|one, other| other.cmp(one));
    Ok(found)
}

/// Removes all but the newest `kept`, and what a crash left half written.
pub(super) fn prune(folder: &Path, kept: usize) -> Result<(), Failure> {
    let old = list(folder)?.into_iter().skip(kept).map(|(_, path)| path);
    let halves = fs::read_dir(folder).map_err(Failure::io("read", folder))?;
    let halves = halves.filter_map(|entry| Some(entry.ok()?.path()));
    let halves = halves.filter(|path| path.extension().is_some_and(|ending| ending == "new"));
    for path in old.chain(halves) {
        fs::remove_file(&path).map_err(Failure::io("remove", &path))?;
    }
    sync(folder)
}

/// Where a replay begins.
pub(crate) struct Start {
    pub(crate) core: Collector,
    /// The last record that is in it, and when that was.
    pub(crate) last: u64,
    pub(crate) time: Now,
    /// The header of the snapshot taken.
    pub(crate) head: Option<Head>,
}

impl Start {
    fn empty(seed: u64) -> Self {
        Self { core: Collector::new(seed), last: 0, time: super::BEGINNING, head: None }
    }

    /// A snapshot's state, if it is one of a version that this one can read and reads back as the same bytes.
    fn of(seed: u64, snapshot: &Snapshot) -> Option<Self> {
        let Head { index: last, time, .. } = snapshot.head;
        let core = Collector::restore(seed, &snapshot.state).ok()?;
        let same = core.index() == last && core.snapshot() == snapshot.state;
        same.then_some(Self { core, last, time, head: Some(snapshot.head) })
    }
}

/// Chooses where to begin; `oldest` is the first index that the journal holds. See the module.
pub(crate) fn choose(folder: &Path, seed: u64, oldest: u64) -> Result<Start, Failure> {
    let mut others = Vec::new();
    for (_, path) in list(folder)? {
        let snapshot = match read(&path) {
            Ok(snapshot) => snapshot,
            Err(why) => {
                tracing::error!(path = %path.display(), %why, "a snapshot cannot be used; an older one or the journal is");
                continue;
            }
        };
        let Head { logic, index, .. } = snapshot.head;
        if logic != LOGIC || index.saturating_add(1) < oldest {
            others.push((path, snapshot));
            continue;
        }
        match Start::of(seed, &snapshot) {
            Some(start) => return Ok(start),
            None => {
                tracing::error!(path = %path.display(), "a snapshot is sound but is no state of this version; passed over");
            }
        }
    }
    if oldest > 1 { Ok(last_resort(seed, others)) } else { Ok(Start::empty(seed)) }
}

/// The beginning of the journal was dropped and no snapshot fits: the newest that can be read at all is nearer to the
/// truth than none.
fn last_resort(seed: u64, others: Vec<(PathBuf, Snapshot)>) -> Start {
    for (path, snapshot) in others.into_iter().filter(|(_, other)| LOGIC_READ.contains(&other.head.logic)) {
        let (path, logic) = (path.display(), snapshot.head.logic);
        if let Some(start) = Start::of(seed, &snapshot) {
            tracing::warn!(%path, logic, this = LOGIC, "the journal's beginning was dropped: going on from a snapshot of another version or with a hole behind it");
            return start;
        }
    }
    tracing::error!(
        "the journal's beginning was dropped and no snapshot can be used: going on with what the journal holds; hosts \
         come back when their agents connect, tokens that were not used and open incidents may be gone. Restore \
         DATA/snapshots from a backup if you have one"
    );
    Start::empty(seed)
}
