//! The entry of the collector's core: a story of a few hosts whose sessions, frames, clocks, journal and operators do
//! anything in any order, restarts included.
//!
//! What is asserted: nothing panics and no deadline stands still; the journal's indexes run without holes; an ack and
//! a welcome name only numbers whose records were journaled before (as frames, or closed by a gap frame); changes are
//! told in order; a replay of the journal gives the state's bytes again, and so does a snapshot that is restored.
//! Frames that are refused leave no trace in the journal. At most 200 steps.

mod acks;
mod step;
mod world;

pub(super) use world::World;

use super::cursor::Cursor;
use picket_collector_core::Collector;

/// The entry's name.
pub const NAME: &str = "ingest";
/// Most steps of a story.
const STEPS: usize = 200;

/// Interprets any bytes.
pub fn run(bytes: &[u8]) {
    let mut world = World::new();
    world.story(&mut Cursor::new(bytes), STEPS);
    world.journaled(u64::MAX);
    let state = world.core.snapshot();
    let mut replayed = Collector::new(4);
    for entry in world.journal {
        replayed.replay(entry.index, entry.now, entry.record);
    }
    assert!(replayed.snapshot() == state, "the replay of the journal is another state");
    let restored = Collector::restore(5, &state).expect("a snapshot can be restored");
    assert!(restored.snapshot() == state, "a restored snapshot is another state");
}
