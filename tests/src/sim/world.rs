//! The world: everything that there is, and the loop that lets one thing after the other happen.
//!
//! One thread, one queue, no clock but the queue's. A step is one happening; after each the invariants that can be
//! checked at that moment were checked by whoever did it ([`super::truth`]). What happens to a machine that is frozen
//! or a process that is stopped waits, and comes in its old order when it goes on, timers last: after a pause the
//! shells read what has come before they look at the time.

use super::happening::{Happening, Place, Queue};
use super::host::{Host, Power};
use super::keeper::Keeper;
use super::net::Net;
use super::shape::Shape;
use super::trace::Trace;
use super::truth::Truth;
use crate::dice::Dice;
use bumpalo::Bump;
use picket_proto::BootId;

/// How many happenings may come in a row without time going on: far more than a start after a long outage needs.
const AT_ONCE: u32 = 20_000;

/// See the module.
pub(super) struct World<'a> {
    pub(super) arena: &'a Bump,
    /// True time, microseconds since the world began.
    pub(super) now: u64,
    pub(super) queue: Queue,
    pub(super) hosts: Vec<Host<'a>>,
    pub(super) keepers: Vec<Keeper>,
    pub(super) net: Net,
    pub(super) truth: Truth,
    pub(super) dice: Dice,
    pub(super) trace: Trace,
    pub(super) lives: u64,
    pub(super) steps: u64,
    at_once: u32,
    /// Whether agents write a diary, so that a snapshot of them can be resumed.
    pub(super) diaries: bool,
    pub(super) snapshots: Vec<super::verbs::snapshot::Snapshot>,
}

impl<'a> World<'a> {
    /// A world in which everything is about to be switched on.
    pub(super) fn new(arena: &'a Bump, shape: &Shape, mut dice: Dice, trace: Trace) -> Self {
        let hosts = shape.hosts.iter().zip(0..);
        let hosts: Vec<Host<'a>> =
            hosts.map(|(host, at)| Host::new(at, host.clone(), shape.collectors, &mut dice)).collect();
        let keepers = (0..shape.collectors).map(|at| Keeper::new(at, &mut dice)).collect();
        let mut world = Self {
            arena,
            now: 0,
            queue: Queue::default(),
            net: Net::new(hosts.len()),
            truth: Truth::new(shape.collectors),
            hosts,
            keepers,
            dice,
            trace,
            lives: 0,
            steps: 0,
            at_once: 0,
            diaries: false,
            snapshots: Vec::new(),
        };
        world.switch_on();
        world
    }

    fn switch_on(&mut self) {
        for collector in 0..self.keepers.len() {
            self.queue.put(self.dice.below(100_000), Happening::Start(Place::Collector(collector)));
        }
        for host in 0..self.hosts.len() {
            self.start_units(host);
            self.queue.put(100_000 + self.dice.below(2_000_000), Happening::Start(Place::Host(host)));
        }
    }

    /// Lets what is due by `until` happen; false once something did not hold.
    pub(super) fn run(&mut self, until: u64) -> bool {
        while self.truth.holds() {
            let Some((at, happening)) = self.queue.next(until) else {
                self.now = until;
                return true;
            };
            self.at_once = if at == self.now { self.at_once + 1 } else { 0 };
            if self.at_once > AT_ONCE {
                self.truth.broken(at, format!("it spins: {happening:?} again and again"));
                break;
            }
            self.now = at;
            self.steps += 1;
            self.trace.step(at, &happening);
            if let Some(happening) = self.hold_back(happening) {
                self.happen(happening);
            }
        }
        false
    }

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Deed(deed) => self.do_deed(deed),
            Happening::Start(place) => self.start(place),
            Happening::Boot(place) => self.booted(place),
            Happening::Service(host, service, turn) => self.service_turns(host, service, turn),
            Happening::Agent(host, life, input) => self.agent_hears(host, life, input),
            Happening::AgentTimer(host, life, armed) => self.agent_timer(host, life, armed),
            Happening::Disk(host, life, work) => self.disk_answers(host, life, work),
            Happening::ReadUnit(host, life, service, wake) => self.read_unit(host, life, service, wake),
            Happening::Dial(stream) => self.dialled(stream),
            Happening::Up(stream, up) => self.up_arrives(stream, up),
            Happening::Down(stream, down) => self.down_arrives(stream, down),
            Happening::Ping(stream) => self.ping(stream),
            Happening::Collector(collector, life, input) => self.collector_hears(collector, life, input),
            Happening::CollectorTimer(collector, life, armed) => {
                self.collector_timer(collector, life, armed);
            }
        }
    }

    /// Keeps what can't happen now for later.
    fn hold_back(&mut self, happening: Happening) -> Option<Happening> {
        let place = match &happening {
            Happening::Agent(host, ..)
            | Happening::AgentTimer(host, ..)
            | Happening::Disk(host, ..)
            | Happening::ReadUnit(host, ..) => Place::Host(*host),
            Happening::Service(host, ..) => return self.hold_back_for_machine(*host, happening),
            Happening::Down(stream, _) => Place::Host(self.net.streams.get(stream)?.host),
            Happening::Up(stream, _) => Place::Collector(self.net.streams.get(stream)?.collector),
            Happening::Collector(collector, ..) | Happening::CollectorTimer(collector, ..) => {
                Place::Collector(*collector)
            }
            Happening::Deed(_)
            | Happening::Start(_)
            | Happening::Boot(_)
            | Happening::Dial(_)
            | Happening::Ping(_) => {
                return Some(happening);
            }
        };
        match self.pause_of(place) {
            Some(waiting) => {
                waiting.push(happening);
                None
            }
            None => Some(happening),
        }
    }

    fn hold_back_for_machine(&mut self, host: usize, happening: Happening) -> Option<Happening> {
        let host = &mut self.hosts[host];
        if host.power == Power::Frozen {
            host.waiting.push(happening);
            return None;
        }
        Some(happening)
    }

    /// Where what comes to a process waits, if it does.
    fn pause_of(&mut self, place: Place) -> Option<&mut Vec<Happening>> {
        match place {
            Place::Host(host) => {
                let host = &mut self.hosts[host];
                if host.power == Power::Frozen {
                    return Some(&mut host.waiting);
                }
                host.agent.as_mut().filter(|agent| agent.stopped).map(|agent| &mut agent.inbox)
            }
            Place::Collector(collector) => {
                let keeper = &mut self.keepers[collector];
                if keeper.power == Power::Frozen {
                    return Some(&mut keeper.waiting);
                }
                keeper.process.as_mut().filter(|process| process.stopped).map(|process| &mut process.inbox)
            }
        }
    }

    /// What waited comes now, timers last.
    pub(super) fn release(&mut self, mut waiting: Vec<Happening>) {
        let is_timer = |happening: &Happening| {
            matches!(happening, Happening::AgentTimer(..) | Happening::CollectorTimer(..))
        };
        waiting.sort_by_key(is_timer);
        for happening in waiting {
            self.queue.put(self.now, happening);
        }
    }

    /// The number of a new process, boot or run: never used before.
    pub(super) const fn new_life(&mut self) -> u64 {
        self.lives += 1;
        self.lives
    }

    pub(super) fn new_boot(&mut self) -> BootId {
        BootId(u128::from(self.new_life()))
    }

    /// A time from now on.
    pub(super) fn within(&mut self, from: u64, to: u64) -> u64 {
        self.now + from + self.dice.below(to.saturating_sub(from) + 1)
    }
}
