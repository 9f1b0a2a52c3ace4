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

/// Why the next deadline is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// A probe is due.
    Probe,
    /// A restart is due.
    Restart,
    /// A stopping service is to be killed.
    Kill,
    /// A starting service must have passed its checks by now.
    StartTimeout,
    /// What has been passing has held.
    Held,
    /// An open breaker tries once.
    HalfOpen,
    /// Evidence did not come in time; the remedy goes on without it.
    Evidence,
    /// The link is tried again.
    Connect,
    /// A heartbeat is due.
    Heartbeat,
    /// The farewell has taken long enough.
    Farewell,
}
