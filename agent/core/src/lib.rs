//! Picket's agent as a pure machine: readings, exits and answers go in, things to do come out.
//!
//! Grammar: [`Agent::handle`] takes the time and one [`Input`]; then [`Agent::poll`] until `None`; then
//! [`Agent::deadline`] says when to hand in [`Input::Time`] if nothing else comes before. No clock, no IO, no
//! allocation, no randomness but the seed: the same inputs give the same effects, bit for bit.
//!
//! This file only routes. Data runs one way: [`check`] (readings to verdicts) -> [`policy`] (what is due, budget,
//! breaker) -> [`mod@unit`] (what systemd does) -> [`baseline`] (what should be there) -> [`service`] (one machine per service) -> [`spool`] (frames that wait) -> [`session`] (the link).
//! Storage is borrowed from the shell, which sizes it from the configuration; nothing here grows.
#![no_std]
#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod asked;
pub mod baseline;
pub mod check;
mod facts;
pub mod hold;
mod keep;
mod life;
pub mod past;
pub mod policy;
pub mod reload;
pub mod service;
pub mod session;
mod shelf;
pub mod spool;
mod storage;
pub mod timer;
pub mod unit;
mod view;
mod walk;

pub use asked::Asked;
pub use keep::{KEEP_MAX, Kept};
pub use life::Ending;
use life::Life;
use picket_proto::{Mono, Now};
use service::Services;
pub use spool::Identity;
pub use storage::Storage;
pub use timer::Reason;

/// What can happen to an agent. At most 10 variants: one per room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Input<'a> {
    /// A probe has seen something.
    Check(check::Fact<'a>),
    /// Something happened to a service's process.
    Service(service::Fact<'a>),
    /// Something was heard of a unit, or of the bus.
    Unit(unit::Fact),
    /// Something happened to the link.
    Session(session::Fact<'a>),
    /// A person asks for something.
    Asked(Asked<'a>),
    /// Something was seen of what should be on this host.
    Baseline(baseline::Fact<'a>),
    /// Something came from the disk.
    Disk(spool::Fact<'a>),
    /// The deadline came.
    Time,
    /// The configuration is another one.
    Reload(reload::Fact<'a>),
    /// The agent is asked to end. Comes once; a second one ends at once.
    Stop(Ending),
}

/// What the shell has to do. At most 10 variants: one per room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Run a check's probe once; its answer is an [`Input::Check`].
    Probe(check::Probe),
    /// Do something to a service; its outcome is an [`Input::Service`].
    Act(service::Act),
    /// Do something about the bus; its outcome is an [`Input::Unit`].
    Unit(unit::Order),
    /// Do something on the link; its outcome is an [`Input::Session`].
    Link(session::Order),
    /// Write this, so that the next run can have it back.
    Keep(Kept),
    /// Do something about what should be on this host; its outcome is an [`Input::Baseline`].
    Baseline(baseline::Order),
    /// Do something on the spool's disk; its outcome is an [`Input::Disk`].
    Disk(spool::Order),
    /// This frame was made: for the log. The bytes are valid until the next `handle`.
    Told(spool::Bytes),
    /// Everything is said and done: the process may exit.
    Ended,
}

const _: () = assert!(size_of::<Input<'_>>() <= 128);
const _: () = assert!(size_of::<Effect>() <= 128);

/// The agent.
pub struct Agent<'s> {
    checks: check::Checks<'s>,
    services: Services<'s>,
    baseline: baseline::Baseline<'s>,
    spool: spool::Spool<'s>,
    session: session::Session,
    dice: timer::Dice,
    life: Life,
    now: Mono,
}

impl<'s> Agent<'s> {
    /// An agent that has seen nothing. `seed` is its only source of chance.
    pub fn new(seed: u64, identity: Identity, storage: Storage<'s>) -> Self {
        Self {
            checks: check::Checks::new(storage.checks).with(storage.trends, storage.usuals),
            // Each room throws its own dice, so that a probe more does not move a backoff.
            services: Services::new(storage.services, timer::Dice::new(seed ^ 0x5E)),
            baseline: baseline::Baseline::new(storage.baseline),
            spool: spool::Spool::new((storage.ring, storage.index), storage.disk, identity),
            session: session::Session::new(timer::Dice::new(seed ^ 0x11_4C)),
            dice: timer::Dice::new(seed),
            life: Life::New,
            now: Mono::default(),
        }
    }

    /// Takes one input. The first one, whatever it is, also begins the run.
    pub fn handle(&mut self, now: Now, input: Input<'_>) {
        self.now = now.mono;
        if self.life.begins() {
            self.checks.begin(now.mono, &mut self.dice);
            self.services.begin(now.mono, self.baseline.lists_units());
            self.baseline.begin(now.mono);
            self.spool.begin(now, self.checks.count(), self.services.count());
        }
        match input {
            Input::Check(fact) => self.check(now, fact),
            Input::Service(fact) => self.tell(now, |rooms, around| rooms.on(fact, around)),
            Input::Unit(fact) => self.tell(now, |rooms, around| rooms.heard(fact, around)),
            Input::Session(fact) => self.session(now, fact),
            Input::Asked(Asked::Hold(fact)) => self.tell(now, |rooms, around| rooms.hold(fact, around)),
            Input::Baseline(fact) => self.seen(now, fact),
            Input::Asked(Asked::Try { service, goes_on }) => {
                self.services.try_now(now.mono, service, goes_on);
            }
            Input::Asked(Asked::Look(check)) => self.checks.look_now(now.mono, check),
            Input::Disk(fact) => self.spool.on_disk(now, fact),
            Input::Time => self.checks.wake(),
            Input::Reload(fact) => self.reload(now, fact),
            Input::Stop(ending) => self.stop(now, ending),
        }
        if self.services.says_farewell() && self.spool.view(now.mono).frames == 0 {
            self.services.farewell_is_heard(now.mono);
        }
        // Every step sets its deadline later or waits for an input; the bound is there for configurations of zeros.
        let mut steps = 0..4 * (1 + usize::from(self.services.end()));
        while steps.next().is_some() && self.tell(now, Services::due) {}
        self.baseline.due(now.mono);
        if self.life == Life::Stopping && self.services.all_ended() {
            self.life = Life::Leaving;
            self.services.keep_in_time();
            self.leave(now.mono);
        }
        self.session.settle(now, &mut self.spool);
    }

    /// The next thing to do, or `None` when there is nothing until the next input.
    pub fn poll(&mut self) -> Option<Effect> {
        if let Some(act) = self.services.next_act() {
            return Some(Effect::Act(act));
        }
        if let Some(kept) = self.next_kept() {
            return Some(Effect::Keep(kept));
        }
        if self.life == Life::Over {
            return None;
        }
        if let Some(order) = self.services.next_order() {
            return Some(Effect::Unit(order));
        }
        if let Some(order) = self.baseline.next_order(self.now) {
            return Some(Effect::Baseline(order));
        }
        if let Some(probe) = self.checks.next_probe(self.now) {
            return Some(Effect::Probe(probe));
        }
        if let Some(order) = self.session.next_order(self.now, &mut self.spool, &self.checks) {
            return Some(Effect::Link(order));
        }
        if let Some(order) = self.spool.next_disk(self.now) {
            return Some(Effect::Disk(order));
        }
        if let Some(bytes) = self.spool.next_told() {
            return Some(Effect::Told(bytes));
        }
        (self.session.is_over() && self.spool.is_settled(self.now)).then(|| {
            self.life = Life::Over;
            Effect::Ended
        })
    }
}

#[cfg(test)]
extern crate std;
#[cfg(test)]
mod tests;
