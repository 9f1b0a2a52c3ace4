//! A collector on virtual time, with its journal, and agents that speak to it: the vocabulary of the tests.

mod agent;
mod beside;
mod blind;
mod bounds;
mod clocks;
mod contest;
mod cut;
mod damaged;
mod durable;
mod explained;
mod failures;
mod filling;
mod fleet;
mod ingest;
mod intent;
mod kept;
mod late;
mod limits;
mod machines;
mod metered;
mod needs;
mod orders;
mod outlived;
mod people;
mod random;
mod remarks;
mod renewals;
mod restored;
mod shown;
mod summary;
mod together;
mod told;
mod unread;
mod vanished;
mod whose;
mod words;

pub(crate) use agent::*;
pub(crate) use words::*;

use crate::ingest::{Close, Fact, Hello, Lane, Order, SessionId, Standing, Stands, Terms, Watched};
use crate::store::Entry;
use crate::view::{Answer, Detail, Incident, Question};
use crate::{Collector, Effect, Input, Token, incident, store, view};
use alloc::boxed::Box;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;
use picket_proto::Fact as Said;
use picket_proto::event::*;
use picket_proto::{
    BootId, Event, HostId, Mono, Name, Now, Ranges, Raw, Run, Seq, SeqRange, Span, Stamp, Text, Wall, frame,
};

pub(crate) const BOOT: BootId = BootId(7);

pub(crate) fn name(text: &str) -> Name {
    text.parse().unwrap()
}

pub(crate) fn host_id(text: &str) -> HostId {
    text.parse().unwrap()
}

/// Whether the journal answers by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Disk {
    Quick,
    Held,
}

pub(crate) struct World {
    pub(crate) core: Collector,
    pub(crate) now: Now,
    pub(crate) journal: Vec<Entry>,
    pub(crate) effects: Vec<Effect>,
    pub(crate) disk: Disk,
    tokens: u64,
}

impl World {
    pub(crate) fn new() -> Self {
        let now = Now {
            mono: Mono::from_micros(1_000_000),
            raw: Raw::default(),
            wall: Wall::from_micros(1_700_000_000_000_000),
        };
        let mut world = Self {
            core: Collector::new(1),
            now,
            journal: vec![],
            effects: vec![],
            disk: Disk::Quick,
            tokens: 0,
        };
        world.core.begin(now, BOOT);
        world.drain();
        world
    }

    pub(crate) fn input(&mut self, input: Input) {
        self.core.handle(self.now, input);
        self.drain();
    }

    pub(crate) fn drain(&mut self) {
        while let Some(effect) = self.core.poll() {
            match effect {
                Effect::Store(store::Order::Append(entry)) => {
                    assert_eq!(entry.index, self.journal.len() as u64 + 1, "indexes run without holes");
                    self.journal.push(*entry);
                    if self.disk == Disk::Quick {
                        self.journaled();
                    }
                }
                other => self.effects.push(other),
            }
        }
    }

    /// Everything that was appended is durable.
    pub(crate) fn journaled(&mut self) {
        self.input(Input::Store(store::Fact::Journaled { upto: self.journal.len() as u64 }));
    }

    fn to(&mut self, mono: Mono) {
        let step = mono.since(self.now.mono).micros();
        self.now.mono = mono;
        self.now.wall = Wall::from_micros(self.now.wall.micros() + i64::try_from(step).unwrap());
    }

    /// Lets time pass, and hands in the deadlines on the way. One that is not served would be due for ever.
    pub(crate) fn pass(&mut self, span: Span) {
        let end = self.now.mono.plus(span);
        let mut served = 0;
        while let Some((at, reason)) = self.core.deadline().filter(|(at, _)| *at <= end) {
            served += 1;
            assert!(served < 50_000, "{reason:?} is due again and again");
            self.to(at.max(self.now.mono));
            self.input(Input::Time);
        }
        self.to(end);
    }

    /// Lets time pass while these hosts are heard.
    pub(crate) fn pass_heard(&mut self, span: Span, hosts: &[&Agent]) {
        for _ in 0..span.secs() {
            self.pass(Span::from_secs(1));
            self.input(Input::Heard(hosts.iter().map(|agent| heard(agent)).collect()));
        }
    }

    /// The collector dies and another one begins on its journal.
    pub(crate) fn restart(&mut self) {
        let before = self.core.snapshot();
        self.core = Collector::new(99);
        for entry in self.journal.clone() {
            self.core.replay(entry.index, entry.now, entry.record);
        }
        assert_eq!(self.core.snapshot(), before, "a replay gives the same state");
        let restored = Collector::restore(99, &before).expect("a snapshot can be read back");
        assert_eq!(restored.snapshot(), before, "a snapshot gives the same state");
        self.core.begin(self.now, BOOT);
        self.drain();
    }

    pub(crate) fn take_effects(&mut self) -> Vec<Effect> {
        core::mem::take(&mut self.effects)
    }

    /// What was told since the last look, for the log as for watchers: codes and words.
    pub(crate) fn told(&mut self) -> Vec<(&'static str, String)> {
        let told = |effect| match effect {
            Effect::Told(change) => Some((change.code, change.text)),
            _ => None,
        };
        self.take_effects().into_iter().filter_map(told).collect()
    }

    pub(crate) fn session_orders(&mut self) -> Vec<Order> {
        let session = |effect| match effect {
            Effect::Session(order) => Some(order),
            _ => None,
        };
        self.take_effects().into_iter().filter_map(session).collect()
    }

    pub(crate) fn ask(&mut self, question: Question) -> Answer {
        self.tokens += 1;
        let token = Token(self.tokens);
        self.effects.retain(|effect| !matches!(effect, Effect::Reply(_)));
        self.input(Input::Query(view::Query { reply: token, question }));
        let reply = self.effects.iter().find_map(|effect| match effect {
            Effect::Reply(reply) if reply.reply == token => Some(reply.answer.clone()),
            _ => None,
        });
        reply.expect("the question is answered")
    }

    pub(crate) fn incidents(&mut self) -> Vec<Incident> {
        match self.ask(Question::Incidents { open_only: false, host: None, before: None, limit: 500 }) {
            Answer::Incidents(incidents, _) => incidents,
            other => panic!("{other:?}"),
        }
    }

    /// The one incident there is.
    pub(crate) fn the_incident(&mut self) -> Detail {
        let all = self.incidents();
        assert_eq!(all.len(), 1, "{all:#?}");
        self.detail(all[0].id)
    }

    pub(crate) fn detail(&mut self, id: incident::IncidentId) -> Detail {
        match self.ask(Question::Incident(id)) {
            Answer::Incident(Some(detail)) => *detail,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn host(&mut self, host: &HostId) -> view::Host {
        match self.ask(Question::Hosts { after: None, limit: 500 }) {
            Answer::Hosts(hosts, _) => hosts.into_iter().find(|found| found.host == *host).unwrap(),
            other => panic!("{other:?}"),
        }
    }

    /// A host, though the journal holds everything back.
    pub(crate) fn host_now(&mut self, host: &HostId) -> view::Host {
        self.disk = Disk::Quick;
        self.journaled();
        self.host(host)
    }

    pub(crate) fn services(&mut self, host: &HostId) -> Vec<view::Service> {
        match self.ask(Question::Services { host: Some(Box::new(host.clone())), after: None, limit: 500 }) {
            Answer::Services(services, _) => services,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn command(
        &mut self,
        id: incident::IncidentId,
        revision: Option<u32>,
        verb: incident::Verb,
    ) -> Result<Box<Incident>, &'static str> {
        self.tokens += 1;
        let reply = Token(self.tokens);
        let operator = Box::new(name("ann"));
        self.input(Input::Command(incident::Command { reply, operator, incident: id, revision, verb }));
        let answer = self.effects.iter().find_map(|effect| match effect {
            Effect::Command(answer) if answer.reply == reply => Some(answer.result.clone()),
            _ => None,
        });
        answer.expect("the command is answered")
    }
}

pub(crate) fn ranges(spans: &[(u64, u64)]) -> Ranges {
    let mut ranges = Ranges::new();
    for (first, last) in spans {
        ranges.insert(SeqRange::new(Seq(*first), Seq(*last)).unwrap()).unwrap();
    }
    ranges
}

pub(crate) fn codes(detail: &Detail) -> Vec<&'static str> {
    detail.timeline.iter().map(|entry| entry.code).collect()
}

pub(crate) fn texts(detail: &Detail) -> String {
    detail.timeline.iter().map(|entry| entry.text.as_str()).collect::<Vec<_>>().join("\n")
}
