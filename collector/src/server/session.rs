//! One agent's stream: messages become inputs, orders become messages, acks go out as the latest value.
//!
//! One task per session. It waits for the core's channel when that is full, which stops reading and pushes back into
//! the agent's spool. A message that the agent does not take within 20 s ends the session, as does a Hello that does
//! not come within 10 s. Any message marks the host as heard. Whatever ends the task, the core hears Closed, once.

pub(crate) mod said;

use super::{Door, refusal, refusal_because};
use crate::ports::{Acks, Inlet, SessionPort, WORDS_OUT, Word};
use crate::tls::Pace;
use picket_collector_core::ingest::{Close, Fact, Heard, Hello, Report, SessionId, Terms};
use picket_proto::{HostId, Mono, Ranges, Run};
use picket_rpc::convert;
use picket_rpc::v1::{self, AgentMessage, CollectorMessage, agent_message, collector_message};
use said::{Refused, Said};
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Status, Streaming};

const HELLO_TIME: Duration = Duration::from_secs(10);
const SEND_TIME: Duration = Duration::from_secs(20);
/// Messages between this task and the connection's.
const OUT_MAX: usize = 4;

type Out = mpsc::Sender<Result<CollectorMessage, Status>>;

/// Starts the session's task.
pub(super) fn open(
    door: Door,
    host: HostId,
    pace: Pace,
    messages: Streaming<AgentMessage>,
) -> ReceiverStream<Result<CollectorMessage, Status>> {
    let (out, stream) = mpsc::channel(OUT_MAX);
    let session = SessionId(door.number());
    tokio::spawn(live(Session { door, host, session, pace, out }, messages));
    ReceiverStream::new(stream)
}

struct Session {
    door: Door,
    host: HostId,
    session: SessionId,
    /// Of the connection that it came on.
    pace: Pace,
    out: Out,
}

/// When a message came, and by its own word when it left: the first three times of a round trip.
#[derive(Clone, Copy)]
struct Came {
    echo: Mono,
    at: Mono,
}

/// Why a session ends.
enum End {
    /// The agent closed it in order.
    Ended,
    /// The transport failed, the agent does not read, or the collector is ending.
    Broken,
    /// With this status.
    Refused(Box<Status>),
}

impl From<Status> for End {
    fn from(status: Status) -> Self {
        Self::Refused(Box::new(status))
    }
}

impl From<Refused> for End {
    fn from(Refused(status): Refused) -> Self {
        Self::Refused(status)
    }
}

async fn live(this: Session, mut messages: Streaming<AgentMessage>) {
    let end = match hello(&mut messages).await {
        Ok(hello) => {
            let came = Came { echo: hello.0.stamp.mono, at: this.door.clock.now().mono };
            this.opened((hello, came), &mut messages).await
        }
        Err(end) => end,
    };
    if let End::Refused(status) = end {
        tracing::debug!(host = %this.host, %status, "session refused");
        let _agent_may_be_gone = timeout(SEND_TIME, this.out.send(Err(*status))).await;
    }
}

async fn hello(messages: &mut Streaming<AgentMessage>) -> Result<Box<(Hello, Terms)>, End> {
    let first = timeout(HELLO_TIME, messages.message()).await.map_err(|_elapsed| refusal("hello-first"))?;
    match first.map_err(|_broken| End::Broken)?.ok_or(End::Ended)?.message {
        Some(agent_message::Message::Hello(hello)) => Ok(Box::new(said::hello(hello)?)),
        _ => Err(refusal("hello-first").into()),
    }
}

impl Session {
    async fn opened(
        &self,
        (hello, came): (Box<(Hello, Terms)>, Came),
        messages: &mut Streaming<AgentMessage>,
    ) -> End {
        let (words, mut told) = mpsc::channel(WORDS_OUT);
        let (acks, mut acked) = watch::channel(Acks::default());
        let port = SessionPort { words, acks };
        let opened = Inlet::Opened { session: self.session, host: self.host.clone(), hello, port };
        if self.door.sessions.send(opened).await.is_err() {
            return refusal("shutting-down").into();
        }
        let end = match self.talk(messages, (&mut told, came), &mut acked).await {
            Ok(never) => match never {},
            Err(end) => end,
        };
        let how = match end {
            End::Ended => Close::Ended,
            End::Broken | End::Refused(_) => Close::Broken,
        };
        let _core_may_be_gone = self.tell(Fact::Closed { session: self.session, how }).await;
        end
    }

    async fn talk(
        &self,
        messages: &mut Streaming<AgentMessage>,
        (told, came): (&mut mpsc::Receiver<Word>, Came),
        acked: &mut watch::Receiver<Acks>,
    ) -> Result<std::convert::Infallible, End> {
        let mut sent = Acks::default();
        loop {
            tokio::select! {
                word = told.recv() => self.say(word.ok_or(End::Broken)?, came).await?,
                // The port's end is told by the words' channel; an error here is the same end.
                changed = acked.changed() => match changed {
                    Ok(()) => self.acknowledge(acked, &mut sent).await?,
                    Err(_gone) => return Err(told.recv().await.map_or(End::Broken, last_word)),
                },
                message = messages.message() => match message {
                    Ok(Some(message)) => self.take(message).await?,
                    Ok(None) => return Err(End::Ended),
                    // tonic refuses what is longer than its limit or no protobuf; the rest is the transport.
                    Err(status) => return Err(broken(status)),
                },
                () = self.out.closed() => return Err(End::Broken),
            }
        }
    }

    async fn say(&self, word: Word, came: Came) -> Result<(), End> {
        let message = match word {
            Word::Welcome { heartbeat, known, watched } => {
                self.pace.set(heartbeat);
                collector_message::Message::Welcome(v1::Welcome {
                    heartbeat_ms: u32::try_from(heartbeat.millis()).unwrap_or(u32::MAX),
                    known: convert::ranges_to_wire(&known),
                    clock: Some(self.beat(came)),
                    watched_digest: Some(watched),
                })
            }
            Word::Challenge { nonce } => collector_message::Message::Challenge(v1::Challenge { nonce }),
            Word::Order { token, evidence_of } => {
                let what = Some(v1::order::What::EvidenceOf(evidence_of.to_string()));
                collector_message::Message::Order(v1::Order { token, what })
            }
            Word::Refuse { code } => return Err(refusal(code).into()),
        };
        self.send(message).await
    }

    /// Sends what is newer than the last time, per run.
    async fn acknowledge(&self, acked: &mut watch::Receiver<Acks>, sent: &mut Acks) -> Result<(), End> {
        let newest = acked.borrow_and_update().clone();
        for new in newest.newest.iter().filter(|ack| !sent.newest.contains(ack)) {
            self.send(ack(new.run, &new.ranges)).await?;
        }
        *sent = newest;
        Ok(())
    }

    async fn send(&self, message: collector_message::Message) -> Result<(), End> {
        let message = CollectorMessage { message: Some(message) };
        match timeout(SEND_TIME, self.out.send(Ok(message))).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(End::Broken),
        }
    }

    async fn take(&self, message: AgentMessage) -> Result<(), End> {
        let fact = match said::said(self.session, message)? {
            Said::Hello(_) => return Err(refusal_because("bad-message", "a session has one Hello").into()),
            Said::Beat(beat) => return self.beats(beat).await,
            Said::Fact(fact) => fact,
        };
        self.tell(fact).await?;
        self.heard(None).await
    }

    /// A heartbeat is answered here, past the core and the journal: what waits there would blur the measurement.
    async fn beats(&self, beat: v1::Heartbeat) -> Result<(), End> {
        let now = self.door.clock.now();
        let report = said::report(now, beat)?;
        let answer = self.beat(Came { echo: report.stamp.mono, at: now.mono });
        self.send(collector_message::Message::Beat(answer)).await?;
        self.heard(Some(report)).await
    }

    fn beat(&self, came: Came) -> v1::Beat {
        v1::Beat {
            echo_us: came.echo.micros(),
            received_us: came.at.micros(),
            sent_us: self.door.clock.now().mono.micros(),
        }
    }

    async fn heard(&self, report: Option<Report>) -> Result<(), End> {
        let heard = Box::new(Heard { host: self.host.clone(), report });
        self.door.sessions.send(Inlet::Heard(heard)).await.map_err(|_gone| End::Broken)
    }

    async fn tell(&self, fact: Fact) -> Result<(), End> {
        self.door.sessions.send(Inlet::Session(fact)).await.map_err(|_gone| End::Broken)
    }
}

fn last_word(word: Word) -> End {
    match word {
        Word::Refuse { code } => refusal(code).into(),
        Word::Welcome { .. } | Word::Challenge { .. } | Word::Order { .. } => End::Broken,
    }
}

fn broken(status: Status) -> End {
    match status.code() {
        tonic::Code::OutOfRange | tonic::Code::ResourceExhausted => refusal("too-large").into(),
        tonic::Code::Internal if status.message().contains("decode") => refusal("bad-message").into(),
        _ => End::Broken,
    }
}

fn ack(run: Run, ranges: &Ranges) -> collector_message::Message {
    collector_message::Message::Ack(v1::Ack { run: run.0, ranges: convert::ranges_to_wire(ranges) })
}
