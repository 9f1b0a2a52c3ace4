//! Retention: whole segments go, oldest first, by age and by bytes; never one that a start may still need.
//!
//! A segment may go once the older of the two snapshots has all of it: so a newest snapshot that turns out damaged
//! still costs nothing. On a full disk the newest that is sound suffices, since without room there is no other. They
//! are read through before anything is dropped for good. Age is the journal's own Mono, which
//! no wrong wall clock can set forward; time during which the collector was down does not count. The newest segment
//! never goes. What was dropped is told; a query that reaches there says since when events are kept.

use super::health::Health;
use super::segment::{self, Sealed, Segment};
use super::snapshot;
use super::upkeep::Upkeep;
use crate::error::Failure;
use picket_proto::{Mono, Span};
use rusqlite::OptionalExtension;

/// Whether there is too much, without opening anything.
pub(super) fn is_over(upkeep: &Upkeep) -> bool {
    let segments = segment::list(&upkeep.journal).unwrap_or_default();
    segments.iter().map(Segment::bytes).sum::<u64>() > upkeep.limits.keep_bytes
}

/// Drops what is too old or too much.
pub(super) fn drop_old(upkeep: &Upkeep) -> Result<(), Failure> {
    let segments = segment::list(&upkeep.journal)?;
    let Some((newest, older)) = segments.split_last() else { return Ok(()) };
    for sealed in older {
        segment::sealed(sealed);
    }
    let mut bytes: u64 = segments.iter().map(Segment::bytes).sum();
    let over = |bytes| bytes > upkeep.limits.keep_bytes;
    let state = |segment: &Segment| if segment == newest { Sealed::No } else { Sealed::Yes };
    let too_old = |next: &Segment, now: Mono| {
        edge((next, state(next)), Order::First).is_some_and(|end| now.since(end) > upkeep.limits.keep)
    };
    let end = |segment| edge((segment, state(segment)), Order::Last);
    let Some(now) = end(newest).or_else(|| end(older.last()?)) else { return Ok(()) };
    let mut needed = None;
    for (segment, next) in segments.iter().zip(&segments[1..]) {
        if !over(bytes) && !too_old(next, now) {
            return Ok(());
        }
        // Only now: reading snapshots through costs as much as they are long.
        let has = *needed.get_or_insert_with(|| sound(upkeep));
        if next.first > has.saturating_add(1) {
            tracing::debug!(path = %segment.path.display(), has, "a segment stays until two snapshots have it");
            return Ok(());
        }
        let freed = segment.bytes();
        segment::remove_all(&segment.path);
        bytes = bytes.saturating_sub(freed);
        Health::add(&upkeep.health.dropped_segments, 1);
        Health::add(&upkeep.health.dropped_bytes, freed);
        tracing::info!(first = segment.first, last = next.first - 1, bytes = freed, "dropped old events");
    }
    Ok(())
}

/// The last index that both snapshots have, or the newer on a full disk; 0 if they are not sound.
fn sound(upkeep: &Upkeep) -> u64 {
    let found = snapshot::list(&upkeep.snapshots).unwrap_or_default();
    let sound = found.iter().filter_map(|(index, path)| match snapshot::read(path) {
        Ok(snapshot) => Some(snapshot.head.index.min(*index)),
        Err(why) => {
            tracing::error!(path = %path.display(), %why, "a snapshot cannot be used, so nothing is dropped for it");
            None
        }
    });
    let sound: Vec<u64> = sound.collect();
    if upkeep.health.failing().is_some_and(|failing| failing.full) {
        return sound.into_iter().max().unwrap_or(0);
    }
    if sound.len() < snapshot::KEPT { 0 } else { sound.into_iter().min().unwrap_or(0) }
}

enum Order {
    First,
    Last,
}

/// When the first or the last entry of a segment was made; `None` of an empty one.
fn edge((segment, sealed): (&Segment, Sealed), order: Order) -> Option<Mono> {
    let ask = match order {
        Order::First => "SELECT mono FROM journal ORDER BY idx LIMIT 1",
        Order::Last => "SELECT mono FROM journal ORDER BY idx DESC LIMIT 1",
    };
    let journal = segment.view(sealed).ok()?;
    let found = journal.query_row(ask, [], |row| row.get::<_, i64>(0)).optional().ok()?;
    found.map(|mono| Mono::from_micros(mono.cast_unsigned()))
}

/// Days as a span.
pub(crate) const fn days(count: u64) -> Span {
    Span::from_secs(count.saturating_mul(86_400))
}
