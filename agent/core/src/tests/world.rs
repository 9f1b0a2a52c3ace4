//! A small world around one agent: services that live, die or refuse, and a collector that acks or not.

mod deeds;

pub(super) use super::sim::{self, Sim, check_spec, ms, spec};
use crate::check::{self, Reading};
use crate::service::files::Kind;
use crate::service::{self, Act};
use crate::session::{self, Lane, Order};
use crate::{Agent, Effect, Ending, Identity, Input, Kept, Storage, spool};
use deeds::Answer;
use picket_proto::event::{Cause, CheckKind, Exit, Fact};
use picket_proto::frame::{self, Content};
use picket_proto::{BootId, Mono, Now, Ranges, Raw, Run, Seq, Span, Text, Wall};
use std::boxed::Box;
use std::format;
use std::string::{String, ToString};
use std::vec::Vec;

pub(super) const RUN: Run = Run(7);

pub(super) struct World {
    pub(super) agent: Agent<'static>,
    pub(super) at: u64,
    pub(super) sims: Vec<Sim>,
    /// What checks without a service read, while anything answers for them.
    pub(super) level: Option<i64>,
    pub(super) next_pid: u32,
    /// What comes at which time, in order of insertion.
    pending: Vec<(u64, Coming)>,
    /// Events told, with the time.
    pub(super) told: Vec<(u64, Fact)>,
    /// Acts ordered, with the time.
    pub(super) acts: Vec<(u64, Act)>,
    pub(super) probes: Vec<(u64, u16)>,
    pub(super) orders: Vec<(u64, Order)>,
    /// Frames that reached the collector: lane and number.
    pub(super) sent: Vec<(Lane, u64)>,
    pub(super) ended: bool,
    pub(super) kept: Option<(u64, Vec<u8>)>,
    /// The effects in words, for comparing two worlds.
    pub(super) log: String,
}

#[derive(Debug, Clone)]
enum Coming {
    Answer(check::Fact<'static>),
    Exit(u16, u32, Exit, String),
    Started(u16, u32),
    Files(u16, Kind, Answer),
}

impl World {
    pub(super) fn new(seed: u64, services: Vec<service::Spec>) -> Self {
        let mut checks = Vec::new();
        for (at, service) in (0..).zip(&services) {
            checks.push(check_spec(&format!("{}.process", service.name), CheckKind::Process, at));
            checks.push(check_spec(&format!("{}.tcp", service.name), CheckKind::Tcp, at));
        }
        let sims = services.iter().map(|_| Sim::healthy()).collect();
        Self { sims, ..Self::with(seed, checks, services, 64 * 1024) }
    }

    pub(super) fn with(
        seed: u64,
        checks: Vec<check::Spec>,
        services: Vec<service::Spec>,
        ring: usize,
    ) -> Self {
        Self::roomy(seed, checks, services, (ring, 0))
    }

    /// The same with so many free places for checks and for services.
    pub(super) fn roomy(
        seed: u64,
        checks: Vec<check::Spec>,
        services: Vec<service::Spec>,
        (ring, free): (usize, usize),
    ) -> Self {
        let checks = checks.into_iter().map(check::Slot::new);
        let checks: Vec<_> = checks.chain((0..free).map(|_| check::Slot::free())).collect();
        let services = services.into_iter().map(service::Slot::new);
        let services: Vec<_> = services.chain((0..free).map(|_| service::Slot::free())).collect();
        let identity = Identity { run: RUN, boot: BootId(1), previous: None, version: Text::new("test") };
        let storage = Storage {
            checks: Box::leak(checks.into_boxed_slice()),
            trends: &mut [],
            usuals: &mut [],
            services: Box::leak(services.into_boxed_slice()),
            ring: Box::leak(std::vec![0; ring].into_boxed_slice()),
            index: Box::leak(std::vec![spool::Entry::default(); ring / 64].into_boxed_slice()),
            baseline: Default::default(),
            disk: spool::Lent::none(),
        };
        Self {
            agent: Agent::new(seed, identity, storage),
            at: 1_000_000,
            sims: Vec::new(),
            level: None,
            next_pid: 100,
            pending: Vec::new(),
            told: Vec::new(),
            acts: Vec::new(),
            probes: Vec::new(),
            orders: Vec::new(),
            sent: Vec::new(),
            ended: false,
            kept: None,
            log: String::new(),
        }
    }

    /// A world whose services have come up from nothing and are proved.
    pub(super) fn running(seed: u64, services: Vec<service::Spec>) -> Self {
        let mut world = Self::new(seed, services);
        for service in 0..world.sims.len() {
            world.input(Input::Service(service::Fact::Absent { service: service as u16 }));
        }
        world.run(20_000);
        world
    }

    pub(super) fn now(&self) -> Now {
        Now {
            mono: Mono::from_micros(self.at),
            raw: Raw::from_micros(self.at),
            wall: Wall::from_micros(self.at as i64),
        }
    }

    pub(super) fn input(&mut self, input: Input<'_>) {
        self.agent.handle(self.now(), input);
        let mut effects = 0;
        while let Some(effect) = self.agent.poll() {
            effects += 1;
            assert!(effects < 100_000, "poll must come to an end");
            self.log.push_str(&format!("{} {effect:?}\n", self.at));
            self.obey(effect);
        }
    }

    fn obey(&mut self, effect: Effect) {
        match effect {
            Effect::Probe(probe) => {
                self.probes.push((self.at, probe.check));
                self.answer(probe.check);
            }
            Effect::Act(act) => {
                self.acts.push((self.at, act));
                self.act(act);
            }
            Effect::Link(order) => {
                if let Order::Send { lane, bytes } = order {
                    let seqs: Vec<u64> = frames(self.agent.bytes(bytes)).iter().map(|one| one.0.0).collect();
                    self.sent.extend(seqs.into_iter().map(|seq| (lane, seq)));
                }
                self.orders.push((self.at, order));
            }
            Effect::Disk(order) => panic!("{order:?} without a disk"),
            Effect::Told(bytes) => {
                let facts = frames(self.agent.bytes(bytes));
                assert_eq!(facts.len(), 1, "one frame is told at a time");
                self.log.push_str(&format!("{facts:?}\n"));
                self.told.extend(facts.into_iter().map(|(_, fact)| (self.at, fact)));
            }
            Effect::Keep(Kept::State) => self.kept = Some((self.at, sim::kept(&self.agent))),
            Effect::Keep(Kept::Weeks) => panic!("no level is held against its past"),
            // Stories about units look at the log of acts and hand in readings themselves.
            Effect::Unit(_) => {}
            Effect::Baseline(order) => panic!("{order:?} without a baseline"),
            Effect::Ended => self.ended = true,
        }
    }

    /// Lets the world run for so many milliseconds.
    pub(super) fn run(&mut self, millis: u64) {
        let until = self.at + millis * 1_000;
        for _ in 0..200_000 {
            if !self.step(until) {
                self.at = until;
                return;
            }
        }
        panic!("the agent spins at {} us for {:?}", self.at, self.agent.deadline());
    }

    /// The next that comes or is due, unless that is after `until`.
    pub(super) fn step(&mut self, until: u64) -> bool {
        let coming = self.pending.iter().map(|(at, _)| *at).min();
        let deadline = self.agent.deadline().map(|(at, _)| at.micros());
        let next = coming.into_iter().chain(deadline).min().filter(|next| *next <= until);
        let Some(next) = next else { return false };
        self.at = next.max(self.at);
        match self.pending.iter().position(|(at, _)| *at <= self.at) {
            Some(place) => {
                let (_, coming) = self.pending.remove(place);
                self.come(coming);
            }
            None => self.input(Input::Time),
        }
        true
    }

    fn come(&mut self, coming: Coming) {
        match coming {
            Coming::Answer(fact) => self.input(Input::Check(fact)),
            Coming::Started(service, pid) => {
                self.input(Input::Service(service::Fact::Started { service, pid, adopted: false }));
            }
            Coming::Files(service, kind, answer) => {
                let said = answer.said();
                self.input(Input::Service(service::Fact::Files { service, kind, said }));
            }
            Coming::Exit(service, pid, exit, words) => {
                if self.sims[usize::from(service)].alive != Some(pid) {
                    return;
                }
                self.sims[usize::from(service)].alive = None;
                self.input(Input::Service(service::Fact::Exited { service, pid, exit }));
                self.input(Input::Service(service::Fact::Evidence { service, pid, last_line: &words }));
            }
        }
    }

    /// kill -9, now.
    pub(super) fn kill(&mut self, service: u16) {
        let pid = self.sims[usize::from(service)].alive.expect("it lives");
        self.come(Coming::Exit(service, pid, Exit::Signal(9), String::new()));
    }

    /// Goes on to the next deadline and orders what is due then, but nothing answers yet.
    pub(super) fn order_what_is_due(&mut self) {
        let (due, _) = self.agent.deadline().expect("something is due");
        self.at = due.micros().max(self.at);
        self.input(Input::Time);
    }

    /// The whole host stands still for so long. The timer is first to notice, then every probe that was out has
    /// timed out.
    pub(super) fn pause(&mut self, millis: u64) {
        self.at += millis * 1_000;
        for sim in &mut self.sims {
            sim.listens_at = sim.listens_at.saturating_add(millis * 1_000);
        }
        for (at, coming) in &mut self.pending {
            *at = (*at).max(self.at);
            if let Coming::Answer(fact) = coming {
                fact.reading = Reading::Bad(Cause::TimedOut);
            }
        }
        self.input(Input::Time);
    }

    pub(super) fn opened(&mut self) {
        self.input(Input::Session(session::Fact::Opened));
        self.welcomed(&Ranges::new());
    }

    pub(super) fn welcomed(&mut self, known: &Ranges) {
        self.input(Input::Session(session::Fact::Welcomed {
            heartbeat: Span::from_secs(10),
            known,
            watched: None,
        }));
    }

    pub(super) fn acked(&mut self, ranges: &Ranges) {
        self.input(Input::Session(session::Fact::Acked { run: RUN, ranges }));
    }

    pub(super) fn all_sent(&mut self) {
        self.input(Input::Session(session::Fact::Sent { messages: u16::MAX }));
    }

    pub(super) fn stop(&mut self, ending: Ending) {
        self.input(Input::Stop(ending));
    }

    /// The facts told since `from` in words, without what only checks say.
    pub(super) fn story(&self, from: u64) -> Vec<String> {
        let told = self.told.iter().filter(|(at, _)| *at >= from);
        told.filter(|(_, fact)| !matches!(fact, Fact::Verdict(_))).map(|(_, fact)| fact.to_string()).collect()
    }
}

/// The frames in `bytes`: number and fact.
pub(super) fn frames(mut bytes: &[u8]) -> Vec<(Seq, Fact)> {
    let mut found = Vec::new();
    while !bytes.is_empty() {
        let (frame, rest) = frame::split(bytes).expect("whole frames");
        let Content::Known(event) = frame.content().expect("a known body") else {
            panic!("an unknown frame")
        };
        found.push((frame.header.seq, event.fact));
        bytes = rest;
    }
    found
}
