//! The upkeep behind the writer's back, at the lowest priority but for its first look: snapshots, retention, verification.
//!
//! A snapshot is made from the one before and the journal's tail by a second core that lives only that long, and that
//! reads the journal like a start does; so each one also proves that its predecessor can be used. It is due when
//! 128 MiB were journaled since the last (a second or so of replay at a start) or when an hour passed and something
//! was journaled. Retention follows it (`retention`), and sealed segments are read through once a day (`verify`).
//!
//! The writer rings when there may be work; a ring that finds one pending is dropped. Nothing waits for this thread:
//! what fails here is told, counted and tried again, and the journal goes on.

use super::health::Health;
use super::read::{Reading, behind};
use super::segment::{self, Sealed};
use super::verify::Verify;
use super::{Limits, retention, snapshot};
use crate::clock::Since;
use crate::error::Failure;
use picket_collector_core::Collector;
use picket_proto::Now;
use rustix::process::setpriority_process;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

const SNAPSHOT_EVERY: Duration = Duration::from_secs(3_600);
/// How soon a snapshot that failed is tried again.
const SNAPSHOT_AGAIN: Duration = Duration::from_secs(60);
const RETENTION_EVERY: Duration = Duration::from_secs(600);
/// Rows read at once: short enough that the writer's log is never held for long.
const ROWS_AT_ONCE: i64 = 1_024;
const LOWEST: i32 = 19;

/// See the module.
pub(super) struct Upkeep {
    pub(super) journal: PathBuf,
    pub(super) snapshots: PathBuf,
    pub(super) limits: Limits,
    pub(super) health: Arc<Health>,
    pub(super) verify: Verify,
    /// What [`Health`] counted when the last snapshot was made, less what it did not count before that.
    pub(super) bytes: i64,
    snapshot_at: Since,
    snapshot_wait: Duration,
    retention_at: Option<Since>,
    /// Whether the journal could not be written when this last looked.
    was_failing: bool,
}

impl Upkeep {
    /// `tail` are the bytes that were replayed behind the last snapshot.
    pub(super) fn new(
        journal: PathBuf,
        snapshots: PathBuf,
        limits: Limits,
        (health, tail): (Arc<Health>, u64),
    ) -> Self {
        Self {
            verify: Verify::new(journal.clone()),
            journal,
            snapshots,
            limits,
            health,
            bytes: 0_i64.saturating_sub_unsigned(tail),
            snapshot_at: Since::now(),
            snapshot_wait: SNAPSHOT_EVERY,
            retention_at: None,
            was_failing: false,
        }
    }

    /// Works until the writer is gone.
    pub(super) fn run(mut self, bell: &Receiver<()>) {
        // At once, and before it gives way to all others: old segments may be what makes room on a disk that is full.
        if retention::is_over(&self) {
            self.drop_old();
        }
        if let Err(failure) = setpriority_process(None, LOWEST) {
            tracing::debug!(%failure, "the journal's upkeep runs at the usual priority");
        }
        loop {
            match bell.recv_timeout(self.verify.wait()) {
                Ok(()) | Err(RecvTimeoutError::Timeout) => self.turn(),
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    /// Does what is due. Retention stands before the snapshot as well, since it may make the room for it.
    fn turn(&mut self) {
        let failing = self.health.failing().is_some();
        if failing || self.retention_at.is_none_or(|at| at.elapsed() >= RETENTION_EVERY) {
            self.drop_old();
        }
        if std::mem::replace(&mut self.was_failing, failing) && !failing {
            // What kept the journal from being written may have kept the snapshot.
            self.snapshot_wait = SNAPSHOT_EVERY;
        }
        if self.is_due() {
            self.snapshot_at = Since::now();
            match self.snapshot() {
                Ok(()) => {
                    self.snapshot_wait = SNAPSHOT_EVERY;
                    self.drop_old();
                }
                Err(failure) => {
                    Health::add(&self.health.snapshot_failures, 1);
                    self.snapshot_wait = SNAPSHOT_AGAIN;
                    tracing::error!(%failure, "could not make a snapshot; the one before stays, the next try is in a minute");
                }
            }
        }
        self.verify.turn(&self.health);
    }

    fn drop_old(&mut self) {
        self.retention_at = Some(Since::now());
        if let Err(failure) = retention::drop_old(self) {
            tracing::error!(%failure, "could not drop old segments of the journal");
        }
    }

    fn is_due(&self) -> bool {
        let changed = Health::get(&self.health.index) > Health::get(&self.health.snapshot_index);
        let written = Health::get(&self.health.bytes).cast_signed().saturating_sub(self.bytes);
        let many = written >= self.limits.snapshot.cast_signed() && self.snapshot_wait == SNAPSHOT_EVERY;
        changed && (many || self.snapshot_at.elapsed() >= self.snapshot_wait)
    }

    /// Makes one of all that is durable.
    pub(super) fn snapshot(&mut self) -> Result<(), Failure> {
        let since = Since::now();
        let written = Health::get(&self.health.bytes);
        let segments = segment::list(&self.journal)?;
        let oldest = segments.first().map_or(1, |segment| segment.first);
        let mut start = snapshot::choose(&self.snapshots, 0, oldest)?;
        let mut reading = Reading::behind(start.last.max(oldest - 1), start.time);
        let mut replay = |index, now, record| start.core.replay(index, now, record);
        let needed = behind(&segments, start.last);
        for (at, segment) in needed.iter().enumerate() {
            if at + 1 < needed.len() {
                reading.sealed(segment, &mut replay)?;
                continue;
            }
            // What is newest in this list may be sealed by now; then the next snapshot has the rest.
            let journal = segment.view(Sealed::No)?;
            while reading.rows(&journal, ROWS_AT_ONCE, &mut replay)? == ROWS_AT_ONCE {}
        }
        if start.core.index() == 0 {
            return Ok(());
        }
        let base = start.head.map(|head| head.index);
        self.write(&start.core, (reading.before, base))?;
        snapshot::prune(&self.snapshots, snapshot::KEPT)?;
        self.bytes = written.cast_signed();
        self.told(start.core.index(), since.elapsed());
        Ok(())
    }

    /// Writes it. On a full disk the older snapshot makes room, since `base`, the newer, has just proved to be sound.
    fn write(&self, core: &Collector, (time, base): (Now, Option<u64>)) -> Result<(), Failure> {
        let first = snapshot::write(&self.snapshots, core, time);
        let newest = snapshot::list(&self.snapshots)?.first().map(|(index, _)| *index);
        match first {
            Err(failure) if failure.is_full() && base.is_some() && newest == base => {
                tracing::warn!(%failure, "no room for a snapshot: the older one goes");
                snapshot::prune(&self.snapshots, 1)?;
                snapshot::write(&self.snapshots, core, time)
            }
            other => other,
        }
    }

    fn told(&self, index: u64, took: Duration) {
        let us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        Health::set(&self.health.snapshot_index, index);
        Health::set(&self.health.snapshot_wall, crate::clock::wall().micros().max(1).cast_unsigned());
        Health::set(&self.health.snapshot_us, us);
        tracing::info!(index, ms = us / 1_000, "snapshot made");
    }
}
