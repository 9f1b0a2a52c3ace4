//! The link to the collector: one try per order, then one stream; when to try again is the core's decision.
//!
//! | channel | places | full means |
//! |---|---|---|
//! | orders out | 64 | can't be: the core keeps at most 40 with us; if it is, the stream is cut and Lost is told |
//! | words in | 16 | the task waits, and HTTP/2's flow control holds the collector back |
//! | sent | a counter | latest value wins: counts add up until the loop takes them |
//!
//! A try goes to all addresses as `dial.rs` says, beginning with the one that took the last session; after one that
//! opened there and was never welcomed, with the address behind it. A try has 10 s from the first packet to the open stream.
//! HTTP/2 pings every 10 s, also when idle, and a peer that is silent for 20 s is lost; over a link that costs money it pings
//! only where an answer to a heartbeat did not come, and TLS sessions are resumed (`tls.rs`). Words of a stream that was given up are recognised by its number and dropped.
//! Opened is told once TLS stands and before the collector has said anything, because it speaks only after Hello.

mod date;
mod dial;
mod enrol;
mod eyeballs;
mod fate;
mod hello;
mod stream;
mod tls;
mod trial;
mod tunnel;
mod why;
mod wire;
mod word;

pub(crate) use dial::{Peer, Way};
pub(crate) use enrol::identity;
pub(crate) use stream::words;
pub(crate) use trial::diagnose;
pub(crate) use why::{Diagnosis, Step, Taken};
pub(crate) use word::{Heard, Sent, Word};

use crate::config::Check;
use picket_agent_core::check::CheckIx;
use picket_agent_core::session::{Lane, Order};
use picket_proto::event::{Cause, Verdict};
use picket_proto::{Name, Sample, Stamp, Text};
use picket_rpc::{convert, v1};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use v1::agent_message::Message;

/// There while a package or install.sh takes the agent off its host; in memory, so that looking never waits for a disk.
const REMOVAL: &str = "/run/picket-agent.removed";
const ORDERS: usize = 64;
const WORDS: usize = 16;
const FLUSH_LIMIT: Duration = Duration::from_secs(1);

/// A message on its way out, and how many orders it fulfils of those that the core counts.
type Outgoing = (u16, v1::AgentMessage);

/// The link.
pub(crate) struct Link {
    peer: Arc<Peer>,
    checks: Arc<[Check]>,
    /// Which of them the configuration has.
    watches: Arc<[bool]>,
    /// The services' names, by their place.
    services: Vec<Name>,
    attempt: u64,
    open: Option<Open>,
    /// Which address the next try begins with.
    place: usize,
    /// The address that took the last session.
    taken_by: String,
    /// A stream that has said goodbye and is still being flushed.
    leaving: Option<JoinHandle<()>>,
    standing: Vec<v1::StandingCheck>,
    words: mpsc::Sender<Heard>,
    sent: Arc<Sent>,
    /// TLS of the last try that opened: the next one resumes it.
    kept: Option<tls::Kept>,
}

struct Open {
    orders: mpsc::Sender<Outgoing>,
    task: JoinHandle<()>,
    /// Which address it goes to, once that is known.
    place: usize,
}

impl Link {
    /// A link that is not open, and what comes out of it.
    pub(crate) fn new(peer: Peer, checks: Arc<[Check]>) -> (Self, mpsc::Receiver<Heard>) {
        let (words, heard) = mpsc::channel(WORDS);
        let sent = Arc::new(Sent::default());
        let (services, watches) = (peer.services.clone(), vec![true; checks.len()].into());
        let peer = Arc::new(peer);
        (
            Self {
                peer,
                checks,
                watches,
                services,
                attempt: 0,
                open: None,
                place: 0,
                taken_by: String::new(),
                leaving: None,
                standing: Vec::new(),
                words,
                sent,
                kept: None,
            },
            heard,
        )
    }

    /// Takes services and checks by their places; the next Hello says so.
    pub(crate) fn anew(&mut self, checks: Arc<[Check]>, watches: Arc<[bool]>, services: Vec<Name>) {
        (self.checks, self.watches, self.services) = (checks, watches, services);
    }

    /// The count of what the transport has taken.
    pub(crate) fn sent(&self) -> Arc<Sent> {
        Arc::clone(&self.sent)
    }

    /// Takes one order. `now` is the stamp for messages that carry one; `frames` the bytes of a Send, `said` what the
    /// probe of a Standing's check said last.
    pub(crate) fn obey(&mut self, order: Order, now: Stamp, (frames, said): (&[u8], &str)) {
        match order {
            Order::Connect => self.connect(),
            Order::Hello { report, known } => self.put(1, Message::Hello(self.hello(now, report, known))),
            Order::Send { lane, bytes: _ } => {
                let lane = convert::lane_to_wire(to_convert(lane)).into();
                self.put(1, Message::Batch(v1::Batch { lane, frames: frames.to_vec() }));
            }
            Order::Standing { check, verdict, since, cause } => {
                self.stand(check, (verdict, now.back_to(since)), (cause, said));
            }
            Order::StandingEnd { up, digest } => {
                self.flush();
                self.put(1, Message::StandingEnd(v1::StandingEnd { up: up.into(), digest }));
            }
            Order::Heartbeat { sample, offset } => {
                let sample = Sample { rss_kib: crate::probe::own_rss_kib(), ..sample };
                self.put(
                    1,
                    Message::Heartbeat(v1::Heartbeat {
                        now: Some(convert::stamp_to_wire(now)),
                        sample: Some(convert::sample_to_wire(sample)),
                        offset: offset.map(convert::offset_to_wire),
                    }),
                );
            }
            Order::Answer { nonce } => self.put(1, Message::Answer(v1::Answer { nonce })),
            Order::Goodbye => {
                let is_removed = std::path::Path::new(REMOVAL).exists();
                let reason = if is_removed { v1::GoodbyeReason::Removed } else { v1::GoodbyeReason::Stopped };
                self.put(1, Message::Goodbye(v1::Goodbye { reason: reason.into() }));
                self.hang_up();
            }
            Order::Close => self.cut(),
        }
    }

    /// Sends what was gathered in this turn: several Standing travel in one message.
    pub(crate) fn flush(&mut self) {
        if self.standing.is_empty() {
            return;
        }
        let checks = std::mem::take(&mut self.standing);
        // The core keeps at most 40 orders with us, so the count fits.
        let orders = u16::try_from(checks.len()).unwrap_or(u16::MAX);
        self.put(orders, Message::Standing(v1::Standing { checks }));
    }

    /// What was heard, unless it belongs to a stream that was given up.
    pub(crate) fn sort(&mut self, heard: Heard) -> Option<Word> {
        if heard.attempt != self.attempt {
            return None;
        }
        match &heard.word {
            Word::Opened { place, kept } => {
                self.kept = Some(kept.clone());
                self.opened(*place);
            }
            Word::Welcomed { .. } => self.welcomed(),
            Word::Lost { .. } => self.forget(),
            Word::Acked { .. } | Word::Beat { .. } | Word::Challenged { .. } | Word::Ordered { .. } => {}
        }
        Some(heard.word)
    }

    /// The address that took the last session; empty before the first.
    pub(crate) fn taken_by(&self) -> &str {
        &self.taken_by
    }

    /// A stream that is not welcomed speaks against its address.
    fn opened(&mut self, place: usize) {
        self.place = (place + 1) % self.peer.ways.len().max(1);
        if let Some(open) = &mut self.open {
            open.place = place;
        }
    }

    fn welcomed(&mut self) {
        let Some(open) = &self.open else { return };
        self.place = open.place;
        let way = self.peer.ways.get(open.place);
        self.taken_by = way.map(|way| way.address.to_string()).unwrap_or_default();
    }

    fn connect(&mut self) {
        self.cut();
        self.attempt += 1;
        let (orders, out) = mpsc::channel(ORDERS);
        let line = stream::Line {
            attempt: self.attempt,
            words: self.words.clone(),
            sent: Arc::clone(&self.sent),
            kept: self.kept.clone(),
        };
        let task = tokio::spawn(stream::run(Arc::clone(&self.peer), self.place, out, line));
        self.open = Some(Open { orders, task, place: self.place });
    }

    fn put(&mut self, orders: u16, message: Message) {
        let Some(open) = &self.open else { return };
        let message = v1::AgentMessage { message: Some(message) };
        if open.orders.try_send((orders, message)).is_err() && !open.orders.is_closed() {
            tracing::error!("the link has more orders than places; it is cut and opened anew");
            open.task.abort();
            let words = self.words.clone();
            let attempt = self.attempt;
            let diagnosis = Diagnosis::new(Step::Session, "link-closed", "more orders than places");
            tokio::spawn(async move {
                let lost = Heard { attempt, word: Word::Lost { diagnosis } };
                let _loop_is_ending_when_nobody_listens = words.send(lost).await;
            });
            self.open = None;
        }
    }

    /// Words without a cause are of another reading than the one that is told.
    fn stand(
        &mut self,
        check: CheckIx,
        (verdict, since): (Verdict, Stamp),
        (cause, said): (Option<Cause>, &str),
    ) {
        let Some(found) = self.checks.get(usize::from(check)) else { return };
        self.standing.push(v1::StandingCheck {
            check: found.spec.name.to_string(),
            service: self.service_of(found),
            kind: convert::check_kind_to_wire(found.spec.kind).into(),
            verdict: convert::verdict_to_wire(verdict).into(),
            since: Some(convert::stamp_to_wire(since)),
            cause: convert::cause_to_wire(cause),
            said: if cause.is_some() { Text::new(said).to_string() } else { String::new() },
        });
    }

    /// What was carried since the last time that somebody asked.
    pub(crate) fn carried(&self) -> u64 {
        self.peer.carried.take()
    }

    /// Ends our side of the stream; what is on its way still goes.
    fn hang_up(&mut self) {
        self.leaving = self.open.take().map(|open| open.task);
    }

    /// Waits until a goodbye is out, or a second has passed: an agent that ends must end.
    pub(crate) async fn finish(mut self) {
        if let Some(leaving) = self.leaving.take() {
            let _flushed_or_late = tokio::time::timeout(FLUSH_LIMIT, leaving).await;
        }
    }

    /// Ends the stream now. Its last words, if any, are dropped by their number.
    fn cut(&mut self) {
        if let Some(open) = self.open.take() {
            open.task.abort();
        }
        self.attempt += 1;
        self.forget();
    }

    fn forget(&mut self) {
        self.open = None;
        self.standing.clear();
        self.sent.forget();
    }
}

const fn to_convert(lane: Lane) -> convert::Lane {
    match lane {
        Lane::Live => convert::Lane::Live,
        Lane::Backlog => convert::Lane::Backlog,
    }
}
