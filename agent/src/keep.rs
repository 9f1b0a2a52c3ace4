//! The two-slot file `STATE/keep.0`, `STATE/keep.1`: what the core remembers over restarts beside the spool.
//!
//! Writes alternate between the slots, in place and with fdatasync, so that a write that a power cut tears leaves the
//! other slot as it was. A slot is 56 bytes of head (magic, crc32c, length, generation, boot, Mono) and the core's own
//! bytes, 60 KiB at most; behind its length it may hold the rest of a longer one. The newest slot that is whole is
//! taken; of a damaged one only the loss of its last change is told, and with both damaged the agent starts afresh and
//! says so. It is never a reason not to start.
//!
//! When to write is the core's decision, about twice per remedy and not at rest. The write is done by a thread of the
//! runtime's pool, since a flash may pause for 200 ms; a change that comes meanwhile is written after it. One that
//! fails is told once and tried again with the next change.

use crate::local::written_here;
use picket_agent_core::service::{Away, Restored};
use picket_agent_core::{Agent, KEEP_MAX};
use picket_proto::frame::Crc32c;
use picket_proto::{BootId, Mono, Now};
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::task::JoinHandle;

const MAGIC: &[u8; 8] = b"PKTKEEP1";
const HEAD: usize = 56;
/// The buffer that is tried first: what 20 services fill in a storm.
const FIRST: usize = 8 * 1024;
/// More than anything that the core keeps is long (a week of a check, below 2 KiB): with so much left, nothing was left out.
const RECORD: usize = 2 * 1024;
/// An agent that ends waits so long for its last write.
pub(crate) const LAST_WRITE: Duration = Duration::from_secs(2);

/// A slot's content.
#[derive(Debug, PartialEq, Eq)]
struct Slot {
    generation: u64,
    boot: BootId,
    /// When it was kept.
    at: Mono,
    bytes: Vec<u8>,
}

/// What was found at the start.
#[derive(Debug, PartialEq, Eq)]
enum Found {
    /// Neither slot is there.
    Nothing,
    /// A slot, and whether the other one is damaged.
    Slot(Slot, Other),
    /// Slots are there, and none is whole.
    Damaged,
}

/// The slot that was not taken.
#[derive(Debug, PartialEq, Eq)]
enum Other {
    Fine,
    Damaged,
}

/// Who keeps.
pub(crate) struct Keeper {
    folder: PathBuf,
    boot: BootId,
    generation: u64,
    /// A write under way; it tells how many bytes the disk got.
    writing: Option<JoinHandle<io::Result<u64>>>,
    /// Something changed while a write was under way.
    owed: bool,
    /// That it can't be written was told.
    told: bool,
}

/// What the core has to keep, in a buffer that fits it: of how much there was no room in [`KEEP_MAX`]. It is asked for
/// at every death, and 60 KiB each time would be the largest thing that a storm leaves in the allocator's hands.
pub(crate) fn fitted(put: impl Fn(&mut [u8]) -> (usize, u16)) -> (Vec<u8>, u16) {
    let mut len = FIRST;
    loop {
        let mut bytes = vec![0; len];
        let (used, left_out) = put(&mut bytes);
        if len == KEEP_MAX || (left_out == 0 && used + RECORD <= len) {
            bytes.truncate(used);
            return (bytes, left_out);
        }
        len = KEEP_MAX.min(2 * len);
    }
}

impl Keeper {
    /// Gives the agent back what an earlier run kept; before its first input.
    pub(crate) fn open(folder: &Path, boot: BootId, now: Mono, agent: &mut Agent<'_>) -> Self {
        let found = find(folder);
        let generation = if let Found::Slot(slot, _) = &found { slot.generation } else { 0 };
        tell(folder, &found, restore(&found, boot, now, agent));
        Self { folder: folder.to_path_buf(), boot, generation, writing: None, owed: false, told: false }
    }

    /// Keeps what the agent remembers now; behind a write that is under way.
    pub(crate) fn keep(&mut self, agent: &Agent<'_>, now: Now) {
        if self.writing.is_some() {
            self.owed = true;
            return;
        }
        let (bytes, left_out) = fitted(|out| agent.keep(out));
        if left_out > 0 {
            tracing::warn!(
                left_out,
                "the state file is full: of some services nothing outlives a restart of the agent"
            );
        }
        self.generation += 1;
        let slot = Slot { generation: self.generation, boot: self.boot, at: now.mono, bytes };
        let path = path_of(&self.folder, self.generation);
        self.owed = false;
        self.writing = Some(tokio::task::spawn_blocking(move || write(&path, &slot)));
    }

    /// Whether all that was to be kept is on the disk; nothing while that is not known.
    pub(crate) fn is_kept(&self) -> Option<bool> {
        (self.writing.is_none() && !self.owed).then_some(!self.told)
    }

    /// Waits for the end of a write that is under way; for ever, where there is none. Whether another one is owed,
    /// and how many bytes the disk got.
    pub(crate) async fn written(&mut self) -> (bool, u64) {
        let Some(writing) = &mut self.writing else { return std::future::pending().await };
        let done = writing.await.unwrap_or_else(|error| Err(io::Error::other(error)));
        self.writing = None;
        match done {
            Ok(bytes) => {
                self.told = false;
                return (std::mem::take(&mut self.owed), bytes);
            }
            Err(error) => {
                // The slot of this write may be torn now; the other one must not be next.
                self.generation -= 1;
                if !std::mem::replace(&mut self.told, true) {
                    let folder = self.folder.display();
                    tracing::warn!(%folder, %error, "breakers, budgets and holds will not outlive this run");
                }
            }
        }
        (std::mem::take(&mut self.owed), 0)
    }

    /// The last write, if one is under way or owed.
    pub(crate) async fn finish(mut self, agent: &Agent<'_>, now: Now) {
        while self.writing.is_some() {
            match tokio::time::timeout(LAST_WRITE, self.written()).await {
                Ok((true, _)) => self.keep(agent, now),
                Ok((false, _)) => {}
                Err(_) => return,
            }
        }
    }
}

fn restore(found: &Found, boot: BootId, now: Mono, agent: &mut Agent<'_>) -> Option<Restored> {
    let Found::Slot(slot, _) = found else { return None };
    let away = if slot.boot == boot { Away::SameBoot(now.since(slot.at)) } else { Away::OtherBoot };
    Some(agent.restore(now, away, &slot.bytes))
}

fn tell(folder: &Path, found: &Found, restored: Option<Restored>) {
    let folder = folder.display();
    if let Found::Slot(_, Other::Damaged) = found {
        tracing::warn!(%folder, "a slot of the state file is damaged; the other one is whole and was taken");
    }
    let damaged = *found == Found::Damaged || restored.is_some_and(|restored| restored.damaged);
    if damaged {
        tracing::warn!(%folder, "the state file is damaged: breakers, budgets and holds of what can't be read start afresh");
    }
    if let Some(Restored { services, unknown, .. }) = restored.filter(|it| it.services + it.unknown > 0) {
        tracing::info!(services, unknown, "services go on where the run before left them");
    }
}

fn path_of(folder: &Path, generation: u64) -> PathBuf {
    folder.join(if generation.is_multiple_of(2) { "keep.0" } else { "keep.1" })
}

fn find(folder: &Path) -> Found {
    let slots = [0, 1].map(|slot| std::fs::read(path_of(folder, slot)).ok());
    let there = slots.iter().flatten().count();
    let whole: Vec<Slot> = slots.iter().flatten().filter_map(|bytes| parse(bytes)).collect();
    let other = if whole.len() == there { Other::Fine } else { Other::Damaged };
    match whole.into_iter().max_by_key(|slot| slot.generation) {
        Some(newest) => Found::Slot(newest, other),
        None if there > 0 => Found::Damaged,
        None => Found::Nothing,
    }
}

fn write(path: &Path, slot: &Slot) -> io::Result<u64> {
    let before = written_here();
    let file: File = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path)?;
    file.write_all_at(&encode(slot), 0)?;
    file.sync_data()?;
    Ok(written_here().saturating_sub(before))
}

/// Writes these bytes as one generation's.
pub(crate) fn put(
    folder: &Path,
    (generation, boot, at): (u64, BootId, Mono),
    bytes: &[u8],
) -> io::Result<()> {
    let slot = Slot { generation, boot, at, bytes: bytes.to_vec() };
    write(&path_of(folder, generation), &slot).map(|_written| ())
}

fn encode(slot: &Slot) -> Vec<u8> {
    let mut body = Vec::with_capacity(HEAD + slot.bytes.len());
    body.extend_from_slice(&u32::try_from(slot.bytes.len()).unwrap_or(u32::MAX).to_le_bytes());
    body.extend_from_slice(&slot.generation.to_le_bytes());
    body.extend_from_slice(&slot.boot.0.to_le_bytes());
    body.extend_from_slice(&slot.at.micros().to_le_bytes());
    // Room for what a later version may need in the head.
    body.extend_from_slice(&[0; 8]);
    body.extend_from_slice(&slot.bytes);
    let mut crc = Crc32c::new();
    crc.add(&body);
    [&MAGIC[..], &crc.value().to_le_bytes(), &body].concat()
}

/// A slot that is whole; `None` of any other.
fn parse(file: &[u8]) -> Option<Slot> {
    let (head, rest) = file.split_at_checked(HEAD)?;
    let word = |at: usize| <[u8; 8]>::try_from(&head[at..at + 8]).map(u64::from_le_bytes).ok();
    let half = |at: usize| <[u8; 4]>::try_from(&head[at..at + 4]).map(u32::from_le_bytes).ok();
    let bytes = rest.get(..half(12)? as usize)?;
    let mut crc = Crc32c::new();
    crc.add(&head[12..]);
    crc.add(bytes);
    if head[..8] != *MAGIC || crc.value() != half(8)? {
        return None;
    }
    let boot = u128::from(word(24)?) | u128::from(word(32)?) << 64;
    let (generation, at) = (word(16)?, Mono::from_micros(word(40)?));
    Some(Slot { generation, boot: BootId(boot), at, bytes: bytes.to_vec() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_is_as_large_as_it_must_be_and_never_beyond_the_limit() {
        // Records of 100 bytes; one that does not fit is left out, and the core may not always say so.
        let put = |records: usize, says: bool| {
            move |out: &mut [u8]| {
                let fitting = records.min(out.len() / 100);
                out[..fitting * 100].fill(7);
                let left_out = if says { records - fitting } else { 0 };
                (fitting * 100, u16::try_from(left_out).unwrap())
            }
        };
        for says in [true, false] {
            for records in [0, 1, 61, 62, 81, 82, 163, 614] {
                let (bytes, left_out) = fitted(put(records, says));
                assert_eq!((bytes, left_out), (vec![7; records * 100], 0), "{records} records");
            }
        }
        assert!(fitted(put(61, true)).0.capacity() <= FIRST);
        assert_eq!(fitted(put(700, true)), (vec![7; 61_400], 86));
    }

    fn slot(generation: u64, len: usize) -> Slot {
        let byte = u8::try_from(generation % 251).unwrap();
        Slot { generation, boot: BootId(u128::MAX - 7), at: Mono::from_micros(42), bytes: vec![byte; len] }
    }

    fn write_all(folder: &Path, slots: &[Slot]) {
        for slot in slots {
            write(&path_of(folder, slot.generation), slot).unwrap();
        }
    }

    #[test]
    fn the_newest_of_two_whole_slots_is_taken_also_where_a_longer_one_was() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(find(folder.path()), Found::Nothing);
        write_all(folder.path(), &[slot(1, 900), slot(2, 400), slot(3, 10)]);
        assert_eq!(find(folder.path()), Found::Slot(slot(3, 10), Other::Fine));
    }

    #[test]
    fn a_write_that_was_torn_anywhere_leaves_the_slot_before() {
        let folder = tempfile::tempdir().unwrap();
        write_all(folder.path(), &[slot(4, 300), slot(5, 300)]);
        let (old, new) = (encode(&slot(4, 300)), encode(&slot(6, 200)));
        for torn in 0..new.len() {
            let mut bytes = old.clone();
            bytes[..torn].copy_from_slice(&new[..torn]);
            std::fs::write(folder.path().join("keep.0"), bytes).unwrap();
            let Found::Slot(found, _) = find(folder.path()) else { panic!("torn at {torn}") };
            assert_eq!(found, slot(5, 300), "torn at {torn}");
        }
        std::fs::write(folder.path().join("keep.0"), new).unwrap();
        assert_eq!(find(folder.path()), Found::Slot(slot(6, 200), Other::Fine));
    }

    #[test]
    fn any_flipped_bit_of_one_slot_is_noticed_and_the_other_is_taken() {
        let folder = tempfile::tempdir().unwrap();
        write_all(folder.path(), &[slot(7, 20), slot(8, 20)]);
        let whole = encode(&slot(8, 20));
        for bit in 0..whole.len() * 8 {
            let mut bytes = whole.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            std::fs::write(folder.path().join("keep.0"), bytes).unwrap();
            assert_eq!(find(folder.path()), Found::Slot(slot(7, 20), Other::Damaged), "bit {bit}");
        }
    }

    #[test]
    fn two_damaged_slots_are_told_apart_from_none() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("keep.1"), "").unwrap();
        assert_eq!(find(folder.path()), Found::Damaged);
        std::fs::write(folder.path().join("keep.0"), [0; 4096]).unwrap();
        assert_eq!(find(folder.path()), Found::Damaged);
    }
}
