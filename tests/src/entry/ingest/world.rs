//! A collector's core with its journal and its clock, and what is asserted of every effect.

use super::acks::Journaled;
use super::step;
use crate::entry::cursor::Cursor;
use picket_collector_core::ingest::{Order, SessionId};
use picket_collector_core::store::Entry;
use picket_collector_core::{Collector, Effect, Input, store};
use picket_proto::{BootId, HostId, Mono, Now, Raw, Run, Seq, Span, Wall};
use std::collections::BTreeMap;

/// A deadline that is due so many times in a row without time going by stands still.
const TURNS: usize = 4_096;
/// Beyond this no time passes: some 35,000 years.
const END: u64 = 1 << 60;

/// An agent as far as the story needs it.
#[derive(Debug)]
pub(super) struct Agent {
    pub(super) host: HostId,
    pub(super) run: Run,
    pub(super) seq: Seq,
    pub(super) session: SessionId,
    /// The last batch, for sending it again.
    pub(super) sent: Vec<u8>,
}

/// See the module.
pub(crate) struct World {
    pub(crate) core: Collector,
    pub(crate) journal: Vec<Entry>,
    pub(super) now: Now,
    pub(super) agents: Vec<Agent>,
    /// Whose session each is, and of which run; `None` where the number was given twice.
    pub(super) sessions: BTreeMap<SessionId, (HostId, Option<Run>)>,
    /// Numbers are not given anew after a restart, so each is of one host.
    pub(super) last_session: u64,
    pub(super) nonces: Vec<(SessionId, u64)>,
    /// The order that went out last.
    pub(super) ordered: u64,
    durable: u64,
    /// Records before the first of the journal: those of a snapshot.
    before: u64,
    held: Journaled,
    told: u64,
    is_followed: bool,
}

impl World {
    /// A collector that begins on an empty journal.
    pub(crate) fn new() -> Self {
        let mut world = Self::on(Collector::new(1));
        world.is_followed = true;
        world
    }

    /// One that goes on from a state of which nothing is known but that it was taken.
    pub(crate) fn on(core: Collector) -> Self {
        let agent = |at: u64| Agent {
            host: format!("h-{at}").parse().expect("a constant of allowed characters"),
            run: Run(at + 1),
            seq: Seq(0),
            session: SessionId(at + 1),
            sent: Vec::new(),
        };
        let before = core.index();
        let (mono, wall) = (Mono::from_micros(1_000_000), Wall::from_micros(1_700_000_000_000_000));
        let mut world = Self {
            core,
            journal: Vec::new(),
            now: Now { mono, raw: Raw::default(), wall },
            agents: (0..3).map(agent).collect(),
            sessions: BTreeMap::new(),
            last_session: 9,
            nonces: Vec::new(),
            ordered: 0,
            durable: before,
            before,
            held: Journaled::default(),
            told: 0,
            is_followed: false,
        };
        world.core.begin(world.now, BootId(7));
        world.drain();
        world
    }

    /// Takes steps out of the bytes until they end.
    pub(crate) fn story(&mut self, cursor: &mut Cursor<'_>, steps: usize) {
        for _ in 0..steps {
            if cursor.is_done() {
                return;
            }
            step::step(self, cursor);
        }
    }

    pub(super) fn input(&mut self, input: Input) {
        self.core.handle(self.now, input);
        self.drain();
    }

    fn drain(&mut self) {
        while let Some(effect) = self.core.poll() {
            match effect {
                Effect::Store(store::Order::Append(entry)) => {
                    let next = self.before + self.journal.len() as u64 + 1;
                    assert_eq!(entry.index, next, "indexes run without holes");
                    self.journal.push(*entry);
                }
                Effect::Session(order) if self.is_followed => self.said(&order),
                Effect::Told(change) if self.is_followed => {
                    assert!(change.number > self.told, "changes are told in order");
                    self.told = change.number;
                }
                Effect::Session(_) | Effect::Told(_) | Effect::Store(store::Order::Retry) => {}
                Effect::Order(answer) => {
                    let why = answer.result.err();
                    let is_told = why.is_none_or(|code| picket_proto::code::find(code).is_some());
                    assert!(is_told, "{why:?} is not in the table of codes");
                }
                Effect::Identity(_) | Effect::Command(_) | Effect::Reply(_) | Effect::Watch(_) => {}
            }
        }
    }

    fn said(&mut self, order: &Order) {
        match order {
            Order::Ack { session, run, ranges } => {
                let (host, _) = self.sessions.get(session).expect("an ack goes to a session that was opened");
                self.held.holds(host, *run, ranges);
            }
            Order::Welcome { session, known, .. } => {
                let (host, run) = self.sessions.get(session).expect("so does a welcome");
                if let Some(run) = run {
                    self.held.holds(host, *run, known);
                }
            }
            Order::Ask { token, .. } => self.ordered = *token,
            Order::Challenge { session, nonce } => self.nonces.push((*session, *nonce)),
            Order::Refuse { code, .. } => {
                assert!(picket_proto::code::find(code).is_some(), "{code} is not in the table of codes");
            }
        }
    }

    /// The journal has this record and those before it.
    pub(crate) fn journaled(&mut self, upto: u64) {
        let last = self.before + self.journal.len() as u64;
        while self.durable < upto.min(last) {
            let at = usize::try_from(self.durable - self.before).expect("the journal is in memory");
            self.held.add(&self.journal[at]);
            self.durable += 1;
        }
        self.input(Input::Store(store::Fact::Journaled { upto }));
    }

    /// How far the journal got.
    pub(super) const fn durable(&self) -> u64 {
        self.durable
    }

    /// Time goes by, with every deadline on the way.
    pub(super) fn pass(&mut self, span: Span) {
        let until = Mono::from_micros(self.now.mono.plus(span).micros().min(END));
        let mut turns = 0;
        while let Some((due, reason)) = self.core.deadline().filter(|(due, _)| *due <= until) {
            turns = if due > self.now.mono { 0 } else { turns + 1 };
            assert!(turns < TURNS, "{reason:?} stays due");
            self.to(due.max(self.now.mono));
            self.input(Input::Time);
        }
        self.to(until.max(self.now.mono));
    }

    fn to(&mut self, mono: Mono) {
        let step = mono.since(self.now.mono).micros();
        self.now.mono = mono;
        self.now.wall = Wall::from_micros(self.now.wall.micros().saturating_add_unsigned(step));
    }

    /// The process dies with what was not journaled, and the next one replays what was.
    pub(super) fn restart(&mut self, seed: u64) {
        if self.before > 0 {
            // What the snapshot held is not in this journal.
            return;
        }
        self.journal.truncate(usize::try_from(self.durable).expect("the journal is in memory"));
        self.core = Collector::new(seed);
        for entry in self.journal.clone() {
            self.core.replay(entry.index, entry.now, entry.record);
        }
        self.sessions.clear();
        self.told = 0;
        self.core.begin(self.now, BootId(u128::from(seed)));
        self.drain();
    }
}
