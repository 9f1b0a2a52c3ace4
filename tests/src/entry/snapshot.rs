//! The entry of snapshots: a state's bytes and a folder of snapshot files, as they were, spoiled, or anything.
//!
//! What is asserted: bytes are refused, or are a state that goes on through any story, can be written again and read
//! back as itself. A spoiled file is never taken: a start takes the newest whole one that was written, or begins
//! empty, whatever stands beside it; a state that is none is passed over although its file's checksums are right.

use super::cursor::Cursor;
use super::ingest::World;
use picket_collector_core::Collector;
use picket_proto::Now;
use std::path::Path;

/// The entry's name.
pub const NAME: &str = "snapshot";
/// Steps before the state is written, and after it was read.
const STEPS: usize = 40;

/// Interprets any bytes.
pub fn run(bytes: &[u8]) {
    let mut cursor = Cursor::new(bytes);
    match cursor.below(4) {
        0 => goes_on(cursor.rest(), &mut Cursor::new(&[])),
        1 | 2 => spoiled(&mut cursor),
        _ => files(&mut cursor),
    }
}

/// A state that was spoiled is refused or goes on.
fn spoiled(cursor: &mut Cursor<'_>) {
    let mut spoil = Cursor::new(cursor.some(1));
    let after = cursor.some(4);
    let mut state = state(cursor).snapshot();
    spoil.spoil(&mut state);
    goes_on(&state, &mut Cursor::new(after));
}

/// A collector that has lived through a story.
fn state(cursor: &mut Cursor<'_>) -> Collector {
    let mut world = World::new();
    world.story(cursor, STEPS);
    world.core
}

/// Any bytes are refused, or are a state that any story can go on from.
fn goes_on(state: &[u8], story: &mut Cursor<'_>) {
    let Ok(core) = Collector::restore(1, state) else { return };
    // postcard reads numbers that are longer than they need be, so another state may stand for these bytes.
    let first = core.snapshot();
    assert_eq!(Collector::restore(2, &first).map(|core| core.snapshot()).as_ref(), Ok(&first));
    let mut world = World::on(core);
    world.story(story, STEPS);
    let after = world.core.snapshot();
    assert!(Collector::restore(3, &after).is_ok(), "what it became can't be read back");
}

/// Two snapshots in a folder with spoiled ones and alien files.
fn files(cursor: &mut Cursor<'_>) {
    let folder = super::spool::folder();
    let folder = folder.path();
    let mut known = vec![Collector::new(1).snapshot()];
    for _ in 0..1 + cursor.below(2) {
        let mut part = Cursor::new(cursor.some(4));
        let core = state(&mut part);
        let path = folder.join(format!("snapshot-{:012}", core.index()));
        picket_collector::entry::write_snapshot(folder, &core, Now::default()).expect("there is room");
        let mut bytes = std::fs::read(&path).expect("it was written");
        if cursor.flag() && cursor.spoil(&mut bytes) {
            std::fs::write(&path, &bytes).expect("there is room");
        } else {
            known.push(core.snapshot());
        }
    }
    alien(cursor, folder, &mut known);
    let oldest = cursor.number();
    let core = picket_collector::entry::choose(folder, 1, oldest).expect("the folder can be read");
    let taken = core.snapshot();
    assert!(known.contains(&taken), "a state was taken that nobody wrote");
    World::on(core).story(cursor, STEPS);
}

/// A file that no collector wrote: any bytes, or any bytes as a state under a right header.
fn alien(cursor: &mut Cursor<'_>, folder: &Path, known: &mut Vec<Vec<u8>>) {
    let (bytes, index) = (cursor.some(4), cursor.number());
    let path = folder.join(format!("snapshot-{index:012}"));
    let is_sealed = cursor.flag();
    let file = if is_sealed {
        picket_collector::entry::snapshot_file(index, Now::default(), bytes)
    } else {
        bytes.to_vec()
    };
    // One that has the name of a good one takes its place; that one may then not be there.
    std::fs::write(path, file).expect("there is room");
    if is_sealed {
        known.extend(Collector::restore(1, bytes).map(|core| core.snapshot()));
    }
}
