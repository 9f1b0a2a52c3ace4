//! A machine with a collector: its journal, its snapshots, and the process around the core, or none.
//!
//! The journal is what SQLite makes of it: a group of entries becomes durable at once, with one commit, and a crash
//! leaves whole groups. What the process had applied beyond that is gone with it.

use super::clock::Clock;
use super::happening::{CollectorIn, Happening};
use super::host::Power;
use super::net::{Down, StreamId};
use super::world::World;
use crate::dice::Dice;
use picket_collector_core::ingest::{Close, Fact, Heard, Order, Report, SessionId};
use picket_collector_core::store::{self, Entry};
use picket_collector_core::{Collector, Effect, Input, Token, view};
use picket_proto::{BootId, HostId, Mono};
use std::collections::BTreeMap;

/// What is heard is handed in so often.
const HEARD_EVERY: u64 = 250_000;

/// See the module.
pub(super) struct Keeper {
    pub(super) clock: Clock,
    pub(super) power: Power,
    pub(super) process: Option<Process>,
    pub(super) waiting: Vec<Happening>,
    /// Everything that was appended; what lies behind `durable` goes with the process.
    pub(super) journal: Vec<Entry>,
    pub(super) durable: usize,
    /// A snapshot, and the index that it stands at.
    pub(super) snapshot: Option<(u64, Vec<u8>)>,
    pub(super) full: bool,
    /// How long a commit takes, microseconds.
    pub(super) slow: u64,
    /// Nobody starts the process.
    pub(super) halted: bool,
    /// It answers once for nothing, now and then, as a queue that repeats itself would.
    pub(super) repeats: bool,
}

/// The collector's process.
pub(super) struct Process {
    pub(super) core: Collector,
    pub(super) life: u64,
    pub(super) sessions: BTreeMap<SessionId, StreamId>,
    heard: BTreeMap<HostId, Option<Report>>,
    pub(super) timer: u64,
    pub(super) armed: u64,
    /// Up to here the commit that is under way goes.
    pub(super) committing: Option<usize>,
    /// The last commit failed; nothing is tried before the core says so.
    pub(super) failed: bool,
    /// Sessions that were refused in this turn: they are over.
    over: Vec<SessionId>,
    pub(super) stopped: bool,
    pub(super) inbox: Vec<Happening>,
    pub(super) watcher: super::watcher::Watcher,
    replies: Vec<(Token, view::Answer)>,
    tokens: u64,
}

impl Keeper {
    pub(super) fn new(at: usize, dice: &mut Dice) -> Self {
        let boot = BootId(1_000_000 + at as u128);
        Self {
            clock: Clock::new(boot, 0, 1_000_000 + dice.below(100_000_000)),
            power: Power::On,
            process: None,
            waiting: Vec::new(),
            journal: Vec::new(),
            durable: 0,
            snapshot: None,
            full: false,
            slow: 0,
            halted: false,
            repeats: dice.below(2) == 0,
        }
    }

    /// The state that the journal gives, and whether by a snapshot too it is the same.
    pub(super) fn replayed(&self, seed: u64) -> (Collector, bool) {
        let straight = self.replay(Collector::new(seed), 0);
        let Some((index, bytes)) = &self.snapshot else { return (straight, true) };
        let Ok(core) = Collector::restore(seed, bytes) else { return (straight, false) };
        let core = self.replay(core, *index);
        let same = core.snapshot() == straight.snapshot();
        (core, same)
    }

    fn replay(&self, mut core: Collector, behind: u64) -> Collector {
        for entry in self.journal.iter().filter(|entry| entry.index > behind) {
            core.replay(entry.index, entry.now, entry.record.clone());
        }
        core
    }
}

impl World<'_> {
    /// The init system starts the collector, unless it runs or can't.
    pub(super) fn start_collector(&mut self, at: usize) {
        let (seed, life) = (self.dice.throw(), self.new_life());
        let keeper = &mut self.keepers[at];
        if keeper.process.is_some() || keeper.power != Power::On || keeper.halted {
            return;
        }
        keeper.journal.truncate(keeper.durable);
        let (core, same) = keeper.replayed(seed);
        self.truth
            .expect(self.now, same, || format!("collector {at}: snapshot and tail differ from the journal"));
        let watcher = self.keepers[at].process.take().map(|process| process.watcher).unwrap_or_default();
        self.trace.say(self.now, &format!("collector {at} begins behind {}", core.index()));
        self.truth.vigil.began.insert(at, self.now);
        self.keepers[at].process = Some(Process {
            core,
            life,
            sessions: BTreeMap::new(),
            heard: BTreeMap::new(),
            timer: u64::MAX,
            armed: 0,
            committing: None,
            failed: false,
            over: Vec::new(),
            stopped: false,
            inbox: Vec::new(),
            watcher,
            replies: Vec::new(),
            tokens: 0,
        });
        self.collect(at, |process, now, boot| process.core.begin(now, boot));
        self.watch_again(at);
    }

    /// Something comes to a collector's process from its own machine, if it is still that one.
    pub(super) fn collector_hears(&mut self, at: usize, life: u64, input: CollectorIn) {
        if self.keepers[at].process.as_ref().is_none_or(|process| process.life != life) {
            return;
        }
        match input {
            CollectorIn::Committed => self.committed(at),
            CollectorIn::Hear => {
                self.collect(at, |process, now, _| {
                    let heard = std::mem::take(&mut process.heard).into_iter();
                    let heard = heard.map(|(host, report)| Heard { host, report }).collect();
                    process.core.handle(now, Input::Heard(heard));
                });
            }
            CollectorIn::Read(changes) => self.watcher_reads(at, changes),
            CollectorIn::Gone(session) => self.session_is_gone(at, session),
        }
    }

    pub(super) fn collector_timer(&mut self, at: usize, life: u64, armed: u64) {
        let process = self.keepers[at].process.as_mut();
        if let Some(process) = process.filter(|process| process.life == life && process.armed == armed) {
            process.timer = u64::MAX;
            self.collect(at, |process, now, _| process.core.handle(now, Input::Time));
        }
    }

    /// A fact of a session's.
    pub(super) fn session_says(&mut self, at: usize, fact: Fact) {
        self.collect(at, |process, now, _| process.core.handle(now, Input::Session(fact)));
    }

    /// Any other input.
    pub(super) fn collector_takes(&mut self, at: usize, input: Input) {
        self.collect(at, |process, now, _| process.core.handle(now, input));
    }

    /// A host was heard, perhaps with a report.
    pub(super) fn heard(&mut self, at: usize, host: HostId, report: Option<Report>) {
        let now = self.now;
        let Some(process) = &mut self.keepers[at].process else { return };
        if process.heard.is_empty() {
            self.queue.put(now + HEARD_EVERY, Happening::Collector(at, process.life, CollectorIn::Hear));
        }
        let newest = process.heard.entry(host).or_default();
        *newest = report.or(*newest);
    }

    /// Lets the core do one thing, then brings every effect to its place, then arms the timer.
    pub(super) fn collect(&mut self, at: usize, step: impl FnOnce(&mut Process, picket_proto::Now, BootId)) {
        let Some(mut process) = self.keepers[at].process.take() else { return };
        let keeper = &self.keepers[at];
        step(&mut process, keeper.clock.now(self.now), keeper.clock.boot);
        self.drain(at, &mut process);
        while let Some(session) = process.over.pop() {
            process.sessions.remove(&session);
            let now = self.keepers[at].clock.now(self.now);
            process.core.handle(now, Input::Session(Fact::Closed { session, how: Close::Broken }));
            self.drain(at, &mut process);
        }
        self.arm_collector(at, &mut process);
        self.keepers[at].process = Some(process);
    }

    fn drain(&mut self, at: usize, process: &mut Process) {
        while let Some(effect) = process.core.poll() {
            match effect {
                Effect::Session(order) => self.session_order(process, order),
                Effect::Store(store::Order::Append(entry)) => self.append(at, process, *entry),
                Effect::Store(store::Order::Retry) => {
                    process.failed = false;
                    self.commit(at, process);
                }
                Effect::Reply(reply) => process.replies.push((reply.reply, reply.answer)),
                Effect::Watch(push) => self.pushed(at, process, push),
                Effect::Told(change) => {
                    self.trace.mix(change.number);
                    if self.trace.has_words() {
                        let words = format!(
                            "  collector {at} #{}: {} {}",
                            change.incident.id.0, change.code, change.text
                        );
                        self.trace.say(self.now, &words);
                    }
                    self.truth.changed(self.now, &self.hosts, &self.net, &change);
                }
                Effect::Order(answer) => {
                    let words = format!("  collector {at} answers an order: {:?}", answer.result);
                    self.trace.say(self.now, &words);
                }
                Effect::Identity(_) | Effect::Command(_) => {}
            }
        }
    }

    fn arm_collector(&mut self, at: usize, process: &mut Process) {
        let clock = &self.keepers[at].clock;
        let due = process.core.deadline().map_or(u64::MAX, |(due, _)| clock.when(due).max(self.now));
        if due != process.timer {
            (process.timer, process.armed) = (due, process.armed + 1);
            self.queue.put(due, Happening::CollectorTimer(at, process.life, process.armed));
        }
    }

    /// Its clock runs otherwise now.
    pub(super) fn rearm_collector(&mut self, at: usize) {
        let Some(mut process) = self.keepers[at].process.take() else { return };
        process.timer = u64::MAX - 1;
        self.arm_collector(at, &mut process);
        self.keepers[at].process = Some(process);
    }

    fn session_order(&mut self, process: &mut Process, order: Order) {
        let stream_of = |session: SessionId| StreamId(session.0);
        match order {
            Order::Welcome { session, heartbeat, known, watched } => {
                self.welcome(stream_of(session), heartbeat, (known, watched));
            }
            Order::Ack { session, run, ranges } => {
                self.send_down(stream_of(session), Down::Ack { run, ranges });
            }
            Order::Ask { session, token, evidence_of } => {
                self.send_down(stream_of(session), Down::Order(token, evidence_of));
            }
            Order::Challenge { session, nonce } => self.send_down(stream_of(session), Down::Challenge(nonce)),
            Order::Refuse { session, code } => {
                self.truth.refused(code);
                self.send_down(stream_of(session), Down::Refuse(code));
                if let Some(stream) = self.net.streams.get_mut(&stream_of(session)) {
                    stream.up.open = false;
                }
                process.over.push(session);
            }
        }
    }

    /// Asks a collector, and waits for nothing but its journal.
    pub(super) fn ask(&mut self, at: usize, question: view::Question) -> Option<view::Answer> {
        let token = {
            let process = self.keepers[at].process.as_mut()?;
            process.tokens += 1;
            Token(process.tokens)
        };
        self.collect(at, |process, now, _| {
            process.core.handle(now, Input::Query(view::Query { reply: token, question }));
        });
        let process = self.keepers[at].process.as_mut()?;
        let place = process.replies.iter().position(|(reply, _)| *reply == token)?;
        Some(process.replies.swap_remove(place).1)
    }

    /// By the collector's own clock.
    pub(super) fn collector_mono(&self, at: usize) -> Mono {
        self.keepers[at].clock.now(self.now).mono
    }
}
