//! What stands between the server's tasks and the core's task: the words that go in, and the places that effects
//! go out to.
//!
//! | port | holds | what a full channel means |
//! |---|---|---|
//! | sessions in | 256 messages (at most 16 MiB of batches) | the session's task waits, so its agent is not read: back-pressure by TCP |
//! | asks in | 256 | the caller waits |
//! | answers out | 1,024 open questions | those whose asker left go first; then the next is refused with `too-many` |
//! | acks out | one slot per run, 8 runs per session | the latest value wins |
//! | words out (welcome, challenge, order, refusal) | 8 per session; the core has at most 2 orders on one | the session is cut |
//! | changes out | 257 per watcher; the core counts to 256 | the watcher is cut and resumes with its token |
//!
//! Everything here belongs to the core's task; the server's tasks hold the other ends.

mod acks;

pub(crate) use acks::Acks;

use crate::counts::Counts;
use picket_collector_core::identity::{KeyHash, SecretHash, Shown};
use picket_collector_core::incident::{Change, IncidentId, Verb};
use picket_collector_core::ingest::{Fact, Heard, Hello, Order, SessionId, Terms};
use picket_collector_core::view::{Push, Question, Watch, WatcherId};
use picket_collector_core::{Effect, Input, Token, identity, incident, order, store, view};
use picket_proto::{HostId, Name, Ranges, Span};
use std::collections::HashMap;
use std::sync::Arc;
use tokio::sync::{mpsc, oneshot, watch};

pub(crate) const SESSIONS_IN: usize = 256;
pub(crate) const ASKS_IN: usize = 256;
pub(crate) const WORDS_OUT: usize = 8;
pub(crate) const CHANGES_OUT: usize = 257;
const OPEN_ASKS_MAX: usize = 1_024;

/// What the server's tasks tell the core's task.
pub(crate) enum Inlet {
    /// A session said Hello; here is how to talk back.
    Opened { session: SessionId, host: HostId, hello: Box<(Hello, Terms)>, port: SessionPort },
    /// Something happened on a session.
    Session(Fact),
    /// A host said something.
    Heard(Box<Heard>),
    /// Somebody wants an answer.
    Ask(Ask, oneshot::Sender<Answer>),
    /// A watcher came; here is where its changes go. `seated` is told as it is taken: whatever comes after that, it sees.
    Watcher {
        watcher: WatcherId,
        after: Option<u64>,
        changes: mpsc::Sender<Pushed>,
        seated: oneshot::Sender<()>,
    },
    /// A watcher read.
    Read(WatcherId),
    /// A watcher left.
    Left(WatcherId),
}

/// What can be asked of the core.
pub(crate) enum Ask {
    View(Question),
    Change { operator: Box<Name>, incident: IncidentId, revision: Option<u32>, verb: Verb },
    Order { operator: Box<Name>, host: Box<HostId>, service: Box<Name> },
    Mint { operator: Box<Name>, host: Box<HostId>, hash: Box<SecretHash> },
    Enrol { host: Box<HostId>, hash: Box<SecretHash>, key: Box<KeyHash> },
    Renew { host: Box<HostId>, shown: Box<Shown> },
}

/// The answer, or the stable code of the refusal.
pub(crate) type Answer = Result<Answered, &'static str>;

/// What was asked for.
pub(crate) enum Answered {
    View(view::Answer),
    Incident(Box<view::Incident>),
    Evidence(Box<order::Evidence>),
    Allowed,
}

/// What a watcher gets: a change, or the stable code of why it is cut.
pub(crate) type Pushed = Result<Box<Change>, &'static str>;

/// The way back to a session's task.
pub(crate) struct SessionPort {
    pub(crate) words: mpsc::Sender<Word>,
    pub(crate) acks: watch::Sender<Acks>,
}

/// What is said to a session besides acks.
pub(crate) enum Word {
    Welcome { heartbeat: Span, known: Box<Ranges>, watched: u32 },
    Challenge { nonce: u64 },
    Order { token: u64, evidence_of: Box<Name> },
    Refuse { code: &'static str },
}

/// All places that effects go out to.
#[derive(Default)]
pub(crate) struct Ports {
    sessions: HashMap<SessionId, SessionPort>,
    asks: HashMap<Token, oneshot::Sender<Answer>>,
    watchers: HashMap<WatcherId, mpsc::Sender<Pushed>>,
    last_token: u64,
    ending: bool,
    counts: Arc<Counts>,
}

impl Ports {
    /// Takes in what the server's tasks tell. `None`: it was answered here, or is no input by itself.
    pub(crate) fn take(&mut self, inlet: Inlet) -> Option<Input> {
        match inlet {
            Inlet::Opened { session, host, hello, port } => {
                if self.ending {
                    refuse(&port, "shutting-down");
                    return None;
                }
                self.sessions.insert(session, port);
                let (hello, terms) = *hello;
                Some(Input::Session(Fact::Opened { session, host, hello: Box::new(hello), terms }))
            }
            Inlet::Session(fact) => {
                if let Fact::Closed { session, .. } = &fact {
                    self.sessions.remove(session);
                }
                Some(Input::Session(fact))
            }
            Inlet::Heard(heard) => Some(Input::Heard(vec![*heard])),
            Inlet::Ask(ask, answer) => self.ask(ask, answer),
            Inlet::Watcher { watcher, after, changes, seated } => {
                let _watcher_may_be_gone = seated.send(());
                if self.ending {
                    let _watcher_may_be_gone = changes.try_send(Err("shutting-down"));
                    return None;
                }
                self.watchers.insert(watcher, changes);
                Some(Input::Watch(Watch::Come { watcher, after }))
            }
            Inlet::Read(watcher) => Some(Input::Watch(Watch::Read { watcher, changes: 1 })),
            Inlet::Left(watcher) => {
                self.watchers.remove(&watcher);
                Some(Input::Watch(Watch::Gone { watcher }))
            }
        }
    }

    fn ask(&mut self, ask: Ask, answer: oneshot::Sender<Answer>) -> Option<Input> {
        if self.asks.len() >= OPEN_ASKS_MAX {
            // Commands are held while the journal fails, and whoever gave up on one must not keep others from asking.
            self.asks.retain(|_token, asker| !asker.is_closed());
        }
        let refusal = match self.asks.len() {
            _any if self.ending => Some("shutting-down"),
            0..OPEN_ASKS_MAX => None,
            _more => Some("too-many"),
        };
        if let Some(code) = refusal {
            let _asker_may_be_gone = answer.send(Err(code));
            return None;
        }
        self.last_token += 1;
        let reply = Token(self.last_token);
        self.asks.insert(reply, answer);
        Some(match ask {
            Ask::View(question) => Input::Query(view::Query { reply, question }),
            Ask::Change { operator, incident, revision, verb } => {
                Input::Command(incident::Command { reply, operator, incident, revision, verb })
            }
            Ask::Order { operator, host, service } => {
                Input::Order(order::Ask { reply, operator, host, service })
            }
            Ask::Mint { operator, host, hash } => {
                Input::Identity(identity::Fact::Mint { reply, operator, host, hash })
            }
            Ask::Enrol { host, hash, key } => {
                Input::Identity(identity::Fact::Enrol { reply, host, hash, key })
            }
            Ask::Renew { host, shown } => Input::Identity(identity::Fact::Renew { reply, host, shown }),
        })
    }

    /// Brings one effect to its place; the journal's come back, since the store is the caller's.
    pub(crate) fn bring(&mut self, effect: Effect) -> Option<store::Order> {
        match effect {
            Effect::Session(order) => self.say(order),
            Effect::Identity(answer) => self.identify(answer),
            Effect::Command(answer) => self.answer(answer.reply, answer.result.map(Answered::Incident)),
            Effect::Order(answer) => self.answer(answer.reply, answer.result.map(Answered::Evidence)),
            Effect::Reply(reply) => self.answer(reply.reply, Ok(Answered::View(reply.answer))),
            Effect::Watch(push) => self.push(push),
            Effect::Told(change) => told(&change),
            Effect::Store(order) => return Some(order),
        }
        None
    }

    /// What is counted here.
    pub(crate) fn counts(&self) -> Arc<Counts> {
        Arc::clone(&self.counts)
    }

    fn say(&mut self, order: Order) {
        let (session, word) = match order {
            Order::Ack { session, run, ranges } => {
                self.counts.acked();
                if let Some(port) = self.sessions.get(&session) {
                    port.acks.send_modify(|acks| acks.put(run, *ranges));
                }
                return;
            }
            Order::Welcome { session, heartbeat, known, watched } => {
                (session, Word::Welcome { heartbeat, known, watched })
            }
            Order::Challenge { session, nonce } => (session, Word::Challenge { nonce }),
            Order::Ask { session, token, evidence_of } => (session, Word::Order { token, evidence_of }),
            Order::Refuse { session, code } => {
                self.counts.refused(code);
                (session, Word::Refuse { code })
            }
        };
        let full = self.sessions.get(&session).is_some_and(|port| port.words.try_send(word).is_err());
        if full {
            // Dropping the port ends the session's task, which reports Closed.
            self.sessions.remove(&session);
        }
    }

    fn identify(&mut self, answer: identity::Answer) {
        match answer {
            identity::Answer::Minted { reply } | identity::Answer::Granted { reply, .. } => {
                self.answer(reply, Ok(Answered::Allowed));
            }
            identity::Answer::Refused { reply, code } => self.answer(reply, Err(code)),
        }
    }

    fn answer(&mut self, reply: Token, answer: Answer) {
        if let Err(code) = &answer {
            self.counts.refused(code);
        }
        if let Some(asker) = self.asks.remove(&reply) {
            let _asker_may_be_gone = asker.send(answer);
        }
    }

    fn push(&mut self, push: Push) {
        match push {
            Push::Change { watcher, change } => {
                let full = self.watchers.get(&watcher).is_some_and(|to| to.try_send(Ok(change)).is_err());
                if full {
                    // The core counts what waits, so this is a watcher that is gone and has not said so yet.
                    self.watchers.remove(&watcher);
                }
            }
            Push::Cut { watcher, code } => {
                self.counts.refused(code);
                if let Some(to) = self.watchers.remove(&watcher) {
                    let _place_257_is_kept_for_this = to.try_send(Err(code));
                }
            }
        }
    }

    /// Tells everybody that the collector is ending, and refuses what comes from now on.
    pub(crate) fn end(&mut self) {
        self.ending = true;
        for port in self.sessions.values() {
            refuse(port, "shutting-down");
        }
        for (_watcher, changes) in self.watchers.drain() {
            let _watcher_may_be_gone = changes.try_send(Err("shutting-down"));
        }
    }
}

fn refuse(port: &SessionPort, code: &'static str) {
    let _a_full_session_ends_with_its_connection = port.words.try_send(Word::Refuse { code });
}

fn told(change: &Change) {
    let incident = &change.incident;
    tracing::info!(
        incident = incident.id.0,
        revision = incident.revision,
        state = ?incident.state,
        severity = ?incident.severity,
        code = change.code,
        title = incident.title,
        "{}",
        change.text
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn askers_who_left_make_room_and_those_who_wait_do_not() {
        let mut ports = Ports::default();
        let ask = |ports: &mut Ports| {
            let (reply, answer) = oneshot::channel();
            let host = Box::new("web-1".parse().unwrap());
            let shown =
                Box::new(Shown { key: [0; 32], made: picket_proto::Wall::from_micros(0), has_ended: false });
            let input = ports.take(Inlet::Ask(Ask::Renew { host, shown }, reply));
            (input.is_some(), answer)
        };
        let mut waiting: Vec<_> = (0..OPEN_ASKS_MAX).map(|_| ask(&mut ports)).collect();
        let (taken, mut answer) = ask(&mut ports);
        assert!(!taken);
        assert!(matches!(answer.try_recv(), Ok(Err("too-many"))));
        waiting.truncate(3);
        assert!(ask(&mut ports).0);
        assert_eq!(ports.asks.len(), 4);
    }
}
