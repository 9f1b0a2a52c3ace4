//! Picket's collector as a pure machine: sessions, frames, commands and questions go in; records to journal, acks,
//! answers and changes come out.
//!
//! Grammar: [`Collector::handle`] takes the time and one [`Input`]; then [`Collector::poll`] until `None`; then
//! [`Collector::deadline`] says when to hand in [`Input::Time`]. Durability is never a state transition: `handle`
//! turns an input into zero or more [`Record`]s, `apply` (the only function that changes durable state) runs at once
//! on each, and what others may see of it is held until [`store::Fact::Journaled`]. Recovery is
//! [`Collector::replay`], a loop over `apply`.
//!
//! This file only routes. Data runs one way: [`ingest`] (sessions, duplicates, gaps) -> [`signal`] (one fingerprinted
//! condition) -> [`correlate`] (what belongs together, and its root) -> [`incident`] (life cycle) -> [`view`].
//! [`identity`] (tokens) stands beside them, [`record`] holds the words of the journal.
#![no_std]
#![forbid(unsafe_code)]
#![deny(missing_docs)]

extern crate alloc;

pub mod correlate;
pub mod identity;
pub mod incident;
pub mod ingest;
pub mod record;
pub mod signal;
pub mod store;
pub mod view;

use alloc::vec::Vec;
use picket_proto::{BootId, HostId, Mono, Now};

pub use record::Record;

/// What can happen to a collector. At most 10 variants: one per room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// Something happened on an agent's session.
    Session(ingest::Fact),
    /// These hosts were heard in the last 250 ms: heartbeats and any other message.
    Heard(Vec<HostId>),
    /// Tokens and enrolment.
    Identity(identity::Fact),
    /// An operator wants an incident changed.
    Command(incident::Command),
    /// An operator asks.
    Query(view::Query),
    /// Watchers come, go and read.
    Watch(view::Watch),
    /// What the journal did.
    Store(store::Fact),
    /// The deadline came.
    Time,
}

/// What the shell has to do. At most 10 variants: one per room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Say something on an agent's session.
    Session(ingest::Order),
    /// Answer about tokens and enrolment.
    Identity(identity::Answer),
    /// Answer a command.
    Command(incident::Answer),
    /// Answer a question.
    Reply(view::Reply),
    /// Tell watchers.
    Watch(view::Push),
    /// Journal.
    Store(store::Order),
    /// An incident changed and the change is durable: for the log.
    Told(incident::Change),
}

const _: () = assert!(size_of::<Input>() <= 128);
const _: () = assert!(size_of::<Effect>() <= 128);

/// A place to answer to; the shell keeps what it means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Token(pub u64);

/// Why a deadline is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// A challenged session has not answered.
    Challenge,
    /// A host may be silent.
    Silence,
    /// Something of durable state is due: a recovery held long enough, an agent overstayed its stop.
    Tick,
    /// The journal is to be tried again.
    Retry,
}

/// The collector's core.
pub struct Collector {
    seed: u64,
}

impl Collector {
    /// A collector that knows nothing. The seed makes its nonces; give it entropy.
    pub fn new(seed: u64) -> Self {
        Self { seed }
    }

    /// Applies one line of the journal, in its order; for recovery. Makes no effects.
    pub fn replay(&mut self, index: u64, now: Now, record: Record) {
        let _ = (index, now, record);
    }

    /// Begins on the replayed journal: every known host gets its full time to report afresh.
    pub fn begin(&mut self, now: Now, boot: BootId) {
        let _ = (now, boot);
    }

    /// Takes one input; then [`Self::poll`] until `None`.
    pub fn handle(&mut self, now: Now, input: Input) {
        let _ = (now, input);
    }

    /// The next thing to do.
    pub fn poll(&mut self) -> Option<Effect> {
        None
    }

    /// When to hand in [`Input::Time`], and why.
    pub fn deadline(&self) -> Option<(Mono, Reason)> {
        None
    }

    /// The durable state as bytes: equal bytes are equal state.
    pub fn snapshot(&self) -> Vec<u8> {
        self.seed.to_le_bytes().to_vec()
    }
}
