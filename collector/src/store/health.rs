//! How the journal does, in numbers that its threads write and metrics and operators read.
//!
//! Every number stands alone: nobody decides by two of them at once, so relaxed order is enough. Counters begin
//! with the process.

use super::segment::{self, Segment};
use crate::clock;
use picket_proto::Wall;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

const ORDER: Ordering = Ordering::Relaxed;

/// Upper bounds of the commit time's buckets, in microseconds: from a fast disk's fsync to one that hangs.
pub(crate) const COMMIT_BOUNDS: [u64; 10] =
    [250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 100_000, 500_000, 2_500_000];

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Health {
    /// The journal's folder.
    folder: PathBuf,
    /// The last durable index.
    pub(super) index: AtomicU64,
    /// Bytes of all records written.
    pub(super) bytes: AtomicU64,
    /// Batches of frames written.
    pub(super) batches: AtomicU64,
    commits: [AtomicU64; COMMIT_BOUNDS.len() + 1],
    commit_us: AtomicU64,
    failures: AtomicU64,
    /// Since when (wall, us) nothing can be written; 0 while it can.
    failing_since: AtomicU64,
    /// Whether that is for want of space.
    full: AtomicU64,
    rolled: AtomicU64,
    pub(super) damaged: AtomicU64,
    pub(super) missing: AtomicU64,
    pub(super) dropped_segments: AtomicU64,
    pub(super) dropped_bytes: AtomicU64,
    pub(super) snapshot_index: AtomicU64,
    /// When (wall, us) the newest snapshot was made; 0 without one.
    pub(super) snapshot_wall: AtomicU64,
    pub(super) snapshot_us: AtomicU64,
    pub(super) snapshot_failures: AtomicU64,
    pub(super) verified: AtomicU64,
}

/// The commit times: how many took at most each bound, how many there were, and their sum.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Commits {
    /// By [`COMMIT_BOUNDS`], each with all before it.
    pub(crate) upto: [u64; COMMIT_BOUNDS.len()],
    pub(crate) count: u64,
    pub(crate) us: u64,
}

/// Since when the journal cannot be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Failing {
    pub(crate) since: Wall,
    /// Whether for want of space.
    pub(crate) full: bool,
}

/// What is in the journal's folder and on its disk.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Disk {
    pub(crate) segments: u32,
    pub(crate) bytes: u64,
    /// The first index that can be there.
    pub(crate) oldest: u64,
    /// Bytes that its file system has free.
    pub(crate) free: u64,
}

/// All of it at one moment, or nearly so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Journaling {
    pub(crate) index: u64,
    pub(crate) bytes: u64,
    pub(crate) batches: u64,
    pub(crate) commits: Commits,
    pub(crate) failures: u64,
    pub(crate) failing: Option<Failing>,
    pub(crate) disk: Disk,
    pub(crate) rolled: u64,
    pub(crate) damaged: u64,
    pub(crate) missing: u64,
    pub(crate) dropped_segments: u64,
    pub(crate) dropped_bytes: u64,
    pub(crate) snapshot_index: u64,
    /// `None` without one.
    pub(crate) snapshot_made: Option<Wall>,
    pub(crate) snapshot_us: u64,
    pub(crate) snapshot_failures: u64,
    pub(crate) verified: u64,
}

fn wall(us: u64) -> Option<Wall> {
    (us > 0).then(|| Wall::from_micros(us.cast_signed()))
}

/// Looks into the folder; what cannot be read counts as nothing.
fn disk(folder: &Path) -> Disk {
    let segments = segment::list(folder).unwrap_or_default();
    let free = rustix::fs::statvfs(folder).map_or(0, |found| found.f_bavail.saturating_mul(found.f_frsize));
    Disk {
        segments: u32::try_from(segments.len()).unwrap_or(u32::MAX),
        bytes: segments.iter().map(Segment::bytes).sum(),
        oldest: segments.first().map_or(0, |segment| segment.first),
        free,
    }
}

impl Health {
    /// Of the journal in `folder`.
    pub(super) fn of(folder: PathBuf) -> Self {
        Self { folder, ..Self::default() }
    }

    /// All of it. The disk is asked on a thread of its own, since one that hangs must hold nobody else.
    pub(crate) async fn look(&self) -> Journaling {
        let folder = self.folder.clone();
        let disk = tokio::task::spawn_blocking(move || disk(&folder)).await.unwrap_or_default();
        Journaling {
            index: Self::get(&self.index),
            bytes: Self::get(&self.bytes),
            batches: Self::get(&self.batches),
            commits: self.commits(),
            failures: Self::get(&self.failures),
            failing: self.failing(),
            disk,
            rolled: Self::get(&self.rolled),
            damaged: Self::get(&self.damaged),
            missing: Self::get(&self.missing),
            dropped_segments: Self::get(&self.dropped_segments),
            dropped_bytes: Self::get(&self.dropped_bytes),
            snapshot_index: Self::get(&self.snapshot_index),
            snapshot_made: wall(Self::get(&self.snapshot_wall)),
            snapshot_us: Self::get(&self.snapshot_us),
            snapshot_failures: Self::get(&self.snapshot_failures),
            verified: Self::get(&self.verified),
        }
    }

    /// A transaction is durable.
    pub(super) fn committed(&self, upto: u64, bytes: usize, batches: u64, took: Duration) {
        let us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let bucket = COMMIT_BOUNDS.iter().position(|bound| us <= *bound).unwrap_or(COMMIT_BOUNDS.len());
        self.commits[bucket].fetch_add(1, ORDER);
        self.commit_us.fetch_add(us, ORDER);
        self.bytes.fetch_add(bytes as u64, ORDER);
        self.batches.fetch_add(batches, ORDER);
        self.index.store(upto, ORDER);
        self.failing_since.store(0, ORDER);
    }

    /// A write failed.
    pub(super) fn failed(&self, full: bool) {
        self.failures.fetch_add(1, ORDER);
        self.full.store(u64::from(full), ORDER);
        let now = clock::wall().micros().max(1).cast_unsigned();
        // The first failure of a row of them is the one that counts.
        let _was_failing = self.failing_since.compare_exchange(0, now, ORDER, ORDER);
    }

    /// A segment began.
    pub(super) fn rolled(&self) {
        self.rolled.fetch_add(1, ORDER);
    }

    /// One of its numbers.
    pub(super) fn get(number: &AtomicU64) -> u64 {
        number.load(ORDER)
    }

    /// Adds to one of its numbers.
    pub(super) fn add(number: &AtomicU64, more: u64) {
        number.fetch_add(more, ORDER);
    }

    /// Sets one of its numbers.
    pub(super) fn set(number: &AtomicU64, value: u64) {
        number.store(value, ORDER);
    }

    /// Since when it cannot be written; `None` while it can.
    pub(super) fn failing(&self) -> Option<Failing> {
        let since = wall(Self::get(&self.failing_since))?;
        Some(Failing { since, full: Self::get(&self.full) == 1 })
    }

    /// How long commits took.
    fn commits(&self) -> Commits {
        let mut sum = 0;
        let upto = std::array::from_fn(|at| {
            sum += Self::get(&self.commits[at]);
            sum
        });
        let count = sum + Self::get(&self.commits[COMMIT_BOUNDS.len()]);
        Commits { upto, count, us: Self::get(&self.commit_us) }
    }
}
