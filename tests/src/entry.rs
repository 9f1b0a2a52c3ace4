//! Entries: where bytes from outside come in, each as one function that interprets any bytes and asserts what must
//! hold whatever they are.
//!
//! | entry | what comes in |
//! |---|---|
//! | [`frame`] | frames, a batch of them, ranges |
//! | [`spool`] | what an earlier run left in the agent's state folder |
//! | [`config`] | the agent's file |
//! | [`rpc`] | messages of either side of a session, and a request to enrol |
//! | [`ingest`] | whole stories of agents that talk to a collector |
//! | [`snapshot`] | snapshots, as state and as files |
//!
//! The same functions are run by a property test with bounds, by the program `entries` for as long as one likes
//! ([`runner`]), and by libFuzzer (`tests/fuzz`). A panic is a failure, and nothing else is; so an entry has no result,
//! no clock and no chance of its own: the same bytes do the same. Bytes are read by a [`cursor`] that gives zeros
//! where they end, so that every input means something and a shorter one means less.

pub mod cases;
pub mod config;
pub mod cursor;
pub mod frame;
pub mod host;
pub mod ingest;
pub mod numbers;
pub mod rpc;
pub mod runner;
pub mod said;
pub mod snapshot;
pub mod spool;

use std::path::{Path, PathBuf};

/// An entry.
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    /// Its name: that of its module, of its folder in the corpus, and of libFuzzer's target.
    pub name: &'static str,
    /// Interprets any bytes; panics where something does not hold.
    pub run: fn(&[u8]),
}

/// All entries.
pub const ALL: [Entry; 6] = [
    Entry { name: frame::NAME, run: frame::run },
    Entry { name: spool::NAME, run: spool::run },
    Entry { name: config::NAME, run: config::run },
    Entry { name: rpc::NAME, run: rpc::run },
    Entry { name: ingest::NAME, run: ingest::run },
    Entry { name: snapshot::NAME, run: snapshot::run },
];

/// The entry of this name.
pub fn find(name: &str) -> Option<Entry> {
    ALL.into_iter().find(|entry| entry.name == name)
}

impl Entry {
    /// The inputs that are kept for it, by path: small ones to begin with, and one for each failure that was mended.
    pub fn corpus(self) -> Vec<(PathBuf, Vec<u8>)> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(self.name);
        let entries = std::fs::read_dir(folder).into_iter().flatten();
        let mut paths: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
        paths.sort();
        paths.into_iter().filter_map(|path| std::fs::read(&path).ok().map(|bytes| (path, bytes))).collect()
    }
}
