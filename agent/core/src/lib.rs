//! Picket's agent as a pure machine: readings, exits and answers go in, things to do come out.
//!
//! Grammar: [`Agent::handle`] takes the time and one [`Input`]; then [`Agent::poll`] until `None`; then
//! [`Agent::deadline`] says when to hand in [`Input::Time`] if nothing else comes before. No clock, no IO, no
//! allocation, no randomness but the seed: the same inputs give the same effects, bit for bit.
//!
//! This file only routes. Data runs one way: [`check`] (readings to verdicts) -> [`policy`] (what is due, budget,
//! breaker) -> [`service`] (one machine per service) -> [`spool`] (frames that wait) -> [`session`] (the link).
//! Storage is borrowed from the shell, which sizes it from the configuration; nothing here grows.
#![no_std]
#![forbid(unsafe_code)]
#![deny(missing_docs)]

pub mod check;
pub mod policy;
pub mod service;
pub mod session;
pub mod spool;
pub mod timer;

use picket_proto::{BootId, Mono, Now, Run, Seq, Text};
pub use timer::Reason;

/// What can happen to an agent. At most 10 variants: one per room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Input<'a> {
    /// A probe has seen something.
    Check(check::Fact),
    /// Something happened to a service's process.
    Service(service::Fact<'a>),
    /// Something happened to the link.
    Session(session::Fact<'a>),
    /// The deadline came.
    Time,
    /// The agent is asked to end. Comes once; a second one ends at once.
    Stop(Ending),
}

/// How an agent ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// Services stay alive; the next run adopts them.
    LeaveServices,
    /// Services are stopped first (`picket up`).
    StopServices,
}

/// What the shell has to do. At most 10 variants: one per room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Run a check's probe once; its answer is an [`Input::Check`].
    Probe(check::Probe),
    /// Do something to a service; its outcome is an [`Input::Service`].
    Act(service::Act),
    /// Do something on the link; its outcome is an [`Input::Session`].
    Link(session::Order),
    /// This frame was made: for the log. The bytes are valid until the next `handle`.
    Told(spool::Bytes),
    /// Everything is said and done: the process may exit.
    Ended,
}

const _: () = assert!(size_of::<Input<'_>>() <= 128);
const _: () = assert!(size_of::<Effect>() <= 128);

/// Memory that the shell lends for the process' life. Nothing in here grows.
pub struct Storage<'s> {
    /// One per check, in the configuration's order; at most 65,535.
    pub checks: &'s mut [check::Slot],
    /// One per service, in the configuration's order; at most 65,535.
    pub services: &'s mut [service::Slot],
    /// Where frames wait; at least [`spool::RING_MIN`] bytes and less than 4 GiB.
    pub ring: &'s mut [u8],
    /// One per frame that can wait, made with `Default`; one per 128 bytes of ring fits the usual mix.
    pub index: &'s mut [spool::Entry],
}

/// Who this agent is, for the life of the process.
#[derive(Debug, Clone)]
pub struct Identity {
    /// This start of the agent.
    pub run: Run,
    /// The boot it lives in.
    pub boot: BootId,
    /// The run before this one and its last durable frame, where still known.
    pub previous: Option<(Run, Seq)>,
    /// The agent's version.
    pub version: Text,
}

/// The agent.
pub struct Agent<'s> {
    storage: Storage<'s>,
    identity: Identity,
    seed: u64,
    synced: bool,
}

impl<'s> Agent<'s> {
    /// An agent that has seen nothing. `seed` is its only source of chance.
    pub fn new(seed: u64, identity: Identity, storage: Storage<'s>) -> Self {
        Self { storage, identity, seed, synced: false }
    }

    /// Whether the kernel calls the wall clock synchronised; goes into every later stamp.
    pub fn clock_synced(&mut self, synced: bool) {
        self.synced = synced;
    }

    /// Takes one input. The first one, whatever it is, also begins the run.
    pub fn handle(&mut self, now: Now, input: Input<'_>) {
        let _not_yet = (now, input, &self.identity, self.seed);
    }

    /// The next thing to do, or `None` when there is nothing until the next input.
    pub fn poll(&mut self) -> Option<Effect> {
        None
    }

    /// When to hand in [`Input::Time`], and why.
    pub fn deadline(&self) -> Option<(Mono, Reason)> {
        None
    }

    /// The frames at `range`; empty if it is not from this agent's last effects.
    pub fn bytes(&self, range: spool::Bytes) -> &[u8] {
        let start = range.start as usize;
        self.storage.ring.get(start..start.saturating_add(range.len as usize)).unwrap_or_default()
    }
}
