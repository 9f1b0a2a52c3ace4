//! The baseline: what should be on this host is learned, and what of it vanished is told with what changed just before.
//!
//! | rule | number |
//! |---|---|
//! | what is learned | units that are enabled and run (services, timers, sockets), ports of such units, mounts that last |
//! | when | once it was there without a break for [`Rules::learn`] (60 s): what comes up in a boot settles by then |
//! | settled | nothing of it changed for [`Rules::settle`] (3 s), or 60 s passed since the first of it went |
//! | a port whose unit runs | ten times as long: a program may take its time to listen after a restart |
//! | a timer or a socket that is only stopped | 15 min: an operator's stop is no loss before it overstays |
//! | the package manager is at work | and [`Rules::packages`] (60 s) after: only the final state is judged |
//! | what changed just before | at most 10 min before the first of it went, the package manager first |
//!
//! What goes by one change of the world is one loss with a number of its own. It ends when all of it is back, or when a
//! person takes the host as it is. A service that an operator stops is not gone while its unit is enabled: that is
//! [`crate::service`]'s to tell. It looks at nothing itself: it says when to look, and is handed whole listings.

mod judge;
mod keep;
mod look;
#[cfg(test)]
mod tests;
mod thing;

pub use judge::{Loss, Trace};
pub use thing::{File, Place, Runs, Sight, Sighting, Standing, Thing};

use crate::facts::Facts;
use crate::timer::Reason;
use heapless::Vec;
use judge::LOSSES_MAX;
use picket_proto::{Mono, Now, Span};

/// Things that are kept: a host with 100 enabled units, their ports and mounts, threefold. What is beyond is counted.
pub const THINGS_MAX: usize = 384;

/// The numbers that a host may have otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    /// How long nothing may change before the state counts as settled.
    pub settle: Span,
    /// How long a thing must have been there before it should be.
    pub learn: Span,
    /// How long after the package manager's work nothing is judged.
    pub packages: Span,
}

impl Default for Rules {
    fn default() -> Self {
        Self { settle: Span::from_secs(3), learn: Span::from_secs(60), packages: Span::from_secs(60) }
    }
}

/// What the room is lent; without places for things nothing is learned and nothing is looked at.
#[derive(Debug, Default)]
pub struct Lent<'s> {
    /// Places, made with `Default`; [`THINGS_MAX`] of them.
    pub things: &'s mut [Thing],
    /// Its numbers.
    pub rules: Rules,
    /// Whether there is a systemd whose units are to be listed.
    pub units: bool,
}

/// Which listing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// Units of systemd.
    Units,
    /// Ports that somebody listens on.
    Ports,
    /// Mounts.
    Mounts,
}

/// Something was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fact<'a> {
    /// Something may have changed: a unit's file, a job, a mount.
    Stirred,
    /// All that there is of one source. Units come before ports.
    Seen {
        /// Of which.
        source: Source,
        /// All of them.
        things: &'a [Sighting],
    },
    /// A look is over, whatever it could see. Answers [`Order::Look`].
    Looked {
        /// How long ago the package manager was last at work; zero while it holds its lock.
        packages: Option<Span>,
    },
    /// What changed lately. Answers [`Order::Trace`].
    Traced(&'a [Trace]),
    /// A person takes the host as it is for what should be.
    Accept {
        /// Who.
        by: &'a str,
    },
}

/// Something to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// List what there is; the units too, where that is said.
    Look {
        /// Whether units are to be listed.
        units: bool,
    },
    /// Find out what changed around what vanished.
    Trace,
    /// Write what [`crate::Agent::keep_baseline`] gives.
    Keep,
}

/// Where a loss that is to be told stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tracing {
    No,
    /// It is to be asked what changed.
    Wanted,
    /// That was asked.
    Asked,
}

/// The baseline.
#[derive(Debug)]
pub(crate) struct Baseline<'s> {
    things: &'s mut [Thing],
    rules: Rules,
    units: bool,
    /// Losses that are not over, the oldest first.
    losses: Vec<Loss, LOSSES_MAX>,
    /// The number of the last loss.
    number: u32,
    /// Things that found no place.
    left_out: u16,
    /// When the run began; nothing is judged before it has looked on for as long as it takes to learn.
    began: Mono,
    /// When something of it last changed.
    changed: Mono,
    /// Until when the package manager is given time.
    packages: Mono,
    looks: look::Looks,
    tracing: Tracing,
    keep: look::Keep,
}

impl<'s> Baseline<'s> {
    /// Nothing is known yet.
    pub(crate) fn new(lent: Lent<'s>) -> Self {
        let Lent { things, rules, units } = lent;
        Self {
            things,
            rules,
            units,
            losses: Vec::new(),
            number: 0,
            left_out: 0,
            began: Mono::default(),
            changed: Mono::default(),
            packages: Mono::default(),
            looks: look::Looks::new(),
            tracing: Tracing::No,
            keep: look::Keep::default(),
        }
    }

    /// Whether anything is learned here.
    fn is_on(&self) -> bool {
        !self.things.is_empty()
    }

    /// Whether it needs the bus.
    pub(crate) fn lists_units(&self) -> bool {
        self.is_on() && self.units
    }

    /// The run begins.
    pub(crate) fn begin(&mut self, now: Mono) {
        (self.began, self.changed) = (now, now);
        if self.is_on() {
            self.looks.at(now);
        }
    }

    /// Something was seen.
    pub(crate) fn on(&mut self, now: Now, fact: Fact<'_>, out: &mut Facts) {
        if !self.is_on() {
            return;
        }
        match fact {
            Fact::Stirred => self.looks.stirred(now.mono),
            Fact::Seen { source, things } => self.seen(now, source, things),
            Fact::Looked { packages } => {
                if let Some(ago) = packages.filter(|ago| *ago < self.rules.packages) {
                    let left = self.rules.packages.micros() - ago.micros();
                    self.packages = now.mono.plus(Span::from_micros(left));
                }
                self.learn(now);
                self.judge(now.mono, out);
                let pace = self.pace(now.mono);
                self.looks.over(now.mono, (pace, self.rules));
            }
            Fact::Traced(traces) => self.traced(now.mono, traces, out),
            Fact::Accept { by } => self.accept(now, by, out),
        }
    }

    /// Its deadline may have come.
    pub(crate) fn due(&mut self, now: Mono) {
        self.looks.due(now);
    }

    /// The next thing to do.
    pub(crate) fn next_order(&mut self, now: Mono) -> Option<Order> {
        if self.keep.is_due(now) {
            return Some(Order::Keep);
        }
        if self.tracing == Tracing::Wanted {
            self.tracing = Tracing::Asked;
            return Some(Order::Trace);
        }
        self.looks.next(self.units)
    }

    /// When it is due, and why.
    pub(crate) fn deadline(&self) -> (Mono, Reason) {
        (self.looks.deadline().min(self.keep.deadline()), Reason::Look)
    }

    /// What is known, in the order of its places.
    pub(crate) fn things(&self) -> impl Iterator<Item = &Thing> {
        self.things.iter().filter(|thing| thing.name.is_some())
    }

    /// Losses that are not over.
    pub(crate) fn losses(&self) -> &[Loss] {
        &self.losses
    }

    /// Things that found no place.
    pub(crate) const fn left_out(&self) -> u16 {
        self.left_out
    }

    /// A whole listing: what is new becomes known, what is missing in it is gone.
    fn seen(&mut self, now: Now, source: Source, sightings: &[Sighting]) {
        for thing in self.things.iter_mut().filter(|thing| thing.source() == Some(source)) {
            thing.unseen();
        }
        for sighting in sightings.iter().filter(|sighting| sighting.source() == source) {
            match self.things.iter().position(|thing| thing.is(sighting)) {
                Some(at) => self.things[at].sighted(sighting),
                None if self.is_worth(sighting) => self.enter(now, sighting),
                None => {}
            }
        }
        for at in 0..self.things.len() {
            if self.things[at].source() == Some(source) {
                let owner = self.owner(at);
                if self.things[at].turn(now.mono, owner) {
                    self.changed = now.mono;
                }
            }
        }
    }

    /// How the unit stands that a port belongs to.
    fn owner(&self, at: usize) -> Option<Standing> {
        let port = &self.things[at];
        let of = port.of.as_ref().filter(|_| port.source() == Some(Source::Ports))?;
        self.things.iter().find(|thing| thing.is_unit(of)).map(Thing::standing)
    }

    /// Whether something new may become part of the baseline; a port is worth what its unit is.
    fn is_worth(&self, sighting: &Sighting) -> bool {
        let owner = |name| self.things.iter().any(|thing| thing.is_unit(name) && thing.runs());
        sighting.is_lasting() && sighting.of_port().is_none_or(|of| of.is_some_and(owner))
    }

    fn enter(&mut self, now: Now, sighting: &Sighting) {
        match self.things.iter_mut().find(|thing| thing.name.is_none()) {
            Some(place) => *place = Thing::new(now, sighting),
            None => self.left_out = self.left_out.saturating_add(1),
        }
    }

    /// What was there for long enough should be from now on.
    fn learn(&mut self, now: Now) {
        let is_quiet = self.packages <= now.mono;
        let learn = self.rules.learn;
        let ripe = |thing: &&mut Thing| thing.is_ripe(now.mono, learn);
        for thing in self.things.iter_mut().filter(ripe).filter(|_| is_quiet) {
            thing.learned(now.wall);
            self.keep.soon(now.mono);
        }
    }
}
