//! The thread that writes: takes what waits, commits it as one, says so; or says why not and waits for Retry.

use super::health::Health;
use super::row::{INSERT, Row};
use super::segment::Newest;
use crate::clock::Since;
use picket_collector_core::store::{Entry, Fact, Order};
use rusqlite::ErrorCode;
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::mpsc::SyncSender;
use tokio::sync::mpsc;

/// Most entries in one transaction; at 1 ms per fsync this is a million entries a second.
const GROUP_ENTRIES: usize = 1_024;
/// Most bytes in one transaction, so that the write-ahead log stays a few times that.
const GROUP_BYTES: usize = 4 * 1024 * 1024;

/// Entries that were left unwritten at the end.
pub(super) struct Left(pub(super) usize);

/// Bytes after which the upkeep is rung: it then looks whether something is due.
const RING_EVERY: u64 = 4 * 1024 * 1024;

/// Where the writer says what it did.
pub(super) struct Outlets {
    facts: mpsc::Sender<Fact>,
    health: Arc<Health>,
    bell: SyncSender<()>,
    ring_every: u64,
    /// Bytes written when it last rang.
    rung: u64,
}

impl Outlets {
    /// The upkeep is rung at least as often as its snapshots are due.
    pub(super) fn new(
        facts: mpsc::Sender<Fact>,
        health: Arc<Health>,
        (bell, snapshot): (SyncSender<()>, u64),
    ) -> Self {
        Self { facts, health, bell, ring_every: snapshot.min(RING_EVERY), rung: 0 }
    }

    /// Rings the upkeep if there may be something to do: much was written, or the disk is full and old segments can
    /// make room.
    fn ring(&mut self, fact: Fact) {
        let bytes = Health::get(&self.health.bytes);
        if matches!(fact, Fact::Failed { .. }) || bytes - self.rung >= self.ring_every {
            self.rung = bytes;
            let _one_that_waits_is_enough = self.bell.try_send(());
        }
    }
}

enum State {
    Writing,
    /// A write failed: nothing is tried until the core says so.
    Failed,
}

/// Writes until the channel closes and everything that can be written is.
pub(super) fn write(
    mut journal: Newest,
    mut orders: mpsc::UnboundedReceiver<Order>,
    mut out: Outlets,
) -> Left {
    let mut waiting: VecDeque<Box<Entry>> = VecDeque::new();
    let mut state = State::Writing;
    loop {
        if !collect(&mut orders, &mut waiting, &mut state) {
            break;
        }
        if matches!(state, State::Failed) || waiting.is_empty() {
            continue;
        }
        let fact = commit(&mut journal, &mut waiting, &out.health);
        if matches!(fact, Fact::Failed { .. }) {
            state = State::Failed;
        }
        if out.facts.blocking_send(fact).is_err() {
            break;
        }
        if let Fact::Journaled { upto } = fact {
            journal.roll(upto + 1, &out.health);
        }
        out.ring(fact);
    }
    // The core is gone: one last try for what waits, whose acks nobody will see.
    while !waiting.is_empty()
        && matches!(commit(&mut journal, &mut waiting, &out.health), Fact::Journaled { .. })
    {}
    Left(waiting.len())
}

/// Waits for an order unless there is work, then takes what else is there. False once the core is gone.
fn collect(
    orders: &mut mpsc::UnboundedReceiver<Order>,
    waiting: &mut VecDeque<Box<Entry>>,
    state: &mut State,
) -> bool {
    let idle = waiting.is_empty() || matches!(state, State::Failed);
    if idle {
        match orders.blocking_recv() {
            Some(order) => take(order, waiting, state),
            None => return false,
        }
    }
    while waiting.len() < GROUP_ENTRIES {
        match orders.try_recv() {
            Ok(order) => take(order, waiting, state),
            Err(_empty_or_closed) => break,
        }
    }
    true
}

fn take(order: Order, waiting: &mut VecDeque<Box<Entry>>, state: &mut State) {
    match order {
        Order::Append(entry) => waiting.push_back(entry),
        Order::Retry => *state = State::Writing,
    }
}

/// Commits one group from the front; on failure everything stays.
fn commit(journal: &mut Newest, waiting: &mut VecDeque<Box<Entry>>, health: &Health) -> Fact {
    let since = Since::now();
    match insert(journal, waiting) {
        Ok(group) => {
            waiting.drain(..group.entries);
            health.committed(group.upto, group.bytes, group.batches, since.elapsed());
            Fact::Journaled { upto: group.upto }
        }
        Err(failure) => {
            let full = is_full(&failure);
            health.failed(full);
            tracing::error!(full, %failure, waiting = waiting.len(), "could not write the journal");
            Fact::Failed { full }
        }
    }
}

/// What one transaction took.
#[derive(Default)]
struct Group {
    entries: usize,
    upto: u64,
    bytes: usize,
    batches: u64,
}

fn insert(journal: &mut Newest, waiting: &VecDeque<Box<Entry>>) -> rusqlite::Result<Group> {
    let transaction = journal.connection.transaction()?;
    let mut group = Group::default();
    {
        let mut statement = transaction.prepare(INSERT)?;
        for entry in waiting.iter().take(GROUP_ENTRIES) {
            let row = Row::of(entry).map_err(|bad| rusqlite::Error::ToSqlConversionFailure(Box::new(bad)))?;
            if group.entries > 0 && group.bytes + row.blob.len() > GROUP_BYTES {
                break;
            }
            row.insert(&mut statement)?;
            group.bytes += row.blob.len();
            group.batches += u64::from(row.is_batch());
            (group.entries, group.upto) = (group.entries + 1, entry.index);
        }
    }
    transaction.commit()?;
    Ok(group)
}

fn is_full(failure: &rusqlite::Error) -> bool {
    match failure.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => true,
        // Some file systems tell a full disk or quota as a failed write of the log.
        Some(ErrorCode::SystemIoFailure) => true,
        _ => false,
    }
}
