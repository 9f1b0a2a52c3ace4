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
//! [`identity`] (tokens) and [`order`] (what goes to hosts) stand beside them, [`record`] holds the words of the journal.
#![no_std]
#![forbid(unsafe_code)]
#![deny(missing_docs)]

extern crate alloc;

pub mod correlate;
pub mod identity;
pub mod incident;
pub mod ingest;
pub mod order;
pub mod record;
pub mod signal;
pub mod store;
pub mod view;

mod backlog;
mod host;
mod live;
mod state;
mod table;

use alloc::vec::Vec;
use picket_proto::{BootId, Mono, Now};
use state::machine::Live;
use state::{At, State};

pub use record::Record;
pub use state::{LOGIC, LOGIC_READ, Unreadable};

/// What can happen to a collector. At most 10 variants: one per room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// Something happened on an agent's session.
    Session(ingest::Fact),
    /// These hosts were heard in the last 250 ms: heartbeats and any other message.
    Heard(Vec<ingest::Heard>),
    /// Tokens and enrolment.
    Identity(identity::Fact),
    /// An operator wants an incident changed.
    Command(incident::Command),
    /// An operator wants something of a host.
    Order(order::Ask),
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
    /// Answer what was wanted of a host.
    Order(order::Answer),
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
    /// An order was not answered.
    Order,
    /// Something of durable state is due: a recovery held long enough, an agent overstayed its stop.
    Tick,
    /// The journal is to be tried again.
    Retry,
}

/// The collector's core.
pub struct Collector {
    state: State,
    live: Live,
}

impl Collector {
    /// A collector that knows nothing. The seed makes its nonces; give it entropy.
    pub fn new(seed: u64) -> Self {
        Self { state: State::new(), live: Live::new(seed) }
    }

    /// Applies one line of the journal, in its order; for recovery. Makes no effects.
    pub fn replay(&mut self, index: u64, now: Now, record: Record) {
        let mut taken = core::mem::take(&mut self.live.scratch);
        taken.clear();
        if let Record::Frames { frames, .. } = &record {
            // What a live batch could not have been, a damaged journal holds: the frames before it count.
            let _frames_that_are_whole = ingest::taken::take_apart(frames, &mut taken);
        }
        self.state.apply(At { index, now }, &record, &taken);
        self.live.scratch = taken;
        self.live.out.replayed(index);
        for change in self.changes() {
            self.live.watchers.keep(change);
        }
    }

    /// Goes on behind `index` at least: what stands before it is gone, or was never there.
    pub fn pass(&mut self, index: u64) {
        self.state.index = self.state.index.max(index);
        self.live.out.replayed(self.state.index);
    }

    /// The index of the last record applied; 0 before the first.
    pub fn index(&self) -> u64 {
        self.state.index
    }

    /// Begins on the replayed journal: every known host gets its full time to report afresh.
    pub fn begin(&mut self, now: Now, boot: BootId) {
        self.live.ahead = self.state.mono.since(now.mono);
        let now = self.local(now);
        self.commit(now, Record::Resumed { boot }, &[]);
        self.expect_all(now);
    }

    /// Takes one input; then [`Self::poll`] until `None`.
    pub fn handle(&mut self, now: Now, input: Input) {
        let now = self.local(now);
        match input {
            Input::Session(fact) => self.on_session(now, fact),
            Input::Heard(hosts) => self.on_heard(now, hosts),
            Input::Identity(fact) => self.on_identity(now, fact),
            Input::Command(command) => self.on_command(now, command),
            Input::Order(ask) => self.on_order(now, ask),
            Input::Query(query) => self.on_query(&query),
            Input::Watch(watch) => {
                let Live { watchers, out, .. } = &mut self.live;
                watchers.on(watch, self.state.changes, self.state.index, out);
            }
            Input::Store(fact) => self.live.out.on(now.mono, fact, self.state.index),
            Input::Time => self.on_time(now),
        }
    }

    /// The next thing to do.
    pub fn poll(&mut self) -> Option<Effect> {
        self.live.out.poll()
    }

    /// When to hand in [`Input::Time`], and why.
    pub fn deadline(&self) -> Option<(Mono, Reason)> {
        let due = [
            (self.live.sessions.challenge_at(), Reason::Challenge),
            (self.live.sessions.silence_at(), Reason::Silence),
            (self.live.orders.due(), Reason::Order),
            (self.state.due(), Reason::Tick),
            (self.live.out.deadline(), Reason::Retry),
        ];
        let first = due.into_iter().filter_map(|(at, reason)| at.map(|at| (at, reason))).min()?;
        Some((Mono::from_micros(first.0.micros().saturating_sub(self.live.ahead.micros())), first.1))
    }
}

#[cfg(test)]
extern crate std;
#[cfg(test)]
mod tests;
