//! One session's stream: opened, then what the collector says is turned into words until it ends.
//!
//! Every end is told once, with its trouble. A message that `convert.rs` refuses ends the stream.

use super::dial::{Peer, Reached, dial};
use super::tls::Kept;
use super::why::{Diagnosis, ENDED, Step, refused};
use super::{Heard, Outgoing, Sent, Word, enrol};
use futures_util::StreamExt;
use picket_proto::{Run, Span};
use picket_rpc::convert::{self, BadMessage};
use picket_rpc::v1;
use picket_rpc::v1::agents_client::AgentsClient;
use picket_rpc::v1::collector_message::Message;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::Channel;

const TRY_LIMIT: Duration = Duration::from_secs(10);

/// Where the stream's words go.
pub(super) struct Line {
    pub(super) attempt: u64,
    pub(super) words: mpsc::Sender<Heard>,
    pub(super) sent: Arc<Sent>,
    /// TLS of the try before.
    pub(super) kept: Option<Kept>,
}

impl Line {
    async fn say(&self, word: Word) {
        let _loop_is_ending_when_nobody_listens =
            self.words.send(Heard { attempt: self.attempt, word }).await;
    }
}

/// One try, which begins with the address at `place`, and, if it succeeds, one stream.
pub(super) async fn run(peer: Arc<Peer>, place: usize, orders: mpsc::Receiver<Outgoing>, line: Line) {
    let late = || {
        let detail = format!("no session within {} s", TRY_LIMIT.as_secs());
        Diagnosis::new(Step::Session, "link-timed-out", detail)
    };
    let opening = open(&peer, place, line.kept.as_ref());
    let opened = tokio::time::timeout(TRY_LIMIT, opening).await.unwrap_or_else(|_| Err(late()));
    let diagnosis = match opened {
        Ok((Reached { channel, fate, place, address }, kept)) => {
            line.say(Word::Opened { place, kept }).await;
            let why = tokio::select! {
                why = talk(channel.clone(), orders, &line) => why,
                never = enrol::keep_fresh(&peer, &channel) => match never {},
            };
            let not_renewed =
                if why.code == ENDED { enrol::renew_ended(&peer, &channel).await } else { None };
            fate.explain(not_renewed.unwrap_or(why)).at(address)
        }
        Err(diagnosis) => diagnosis,
    };
    line.say(Word::Lost { diagnosis }).await;
}

async fn open(peer: &Peer, place: usize, kept: Option<&Kept>) -> Result<(Reached, Kept), Diagnosis> {
    let identity = enrol::identity(peer, place).await?;
    let kept = Kept::take_up(kept, identity, peer.collector.terms.is_metered(), &peer.dates)
        .map_err(|error| Diagnosis::new(Step::Identity, "link-identity", error))?;
    let reached = dial(peer, place, kept.config()).await?;
    if let Some(certificate) = kept.certificate() {
        enrol::renew(peer, certificate, &reached.channel).await;
    }
    Ok((reached, kept))
}

/// Speaks and listens until the stream ends; says why it did.
async fn talk(channel: Channel, orders: mpsc::Receiver<Outgoing>, line: &Line) -> Diagnosis {
    let sent = Arc::clone(&line.sent);
    let outgoing = ReceiverStream::new(orders).map(move |(orders, message)| {
        sent.add(orders);
        message
    });
    let answer = match AgentsClient::new(channel).session(outgoing).await {
        Ok(answer) => answer,
        Err(status) => return refused(Step::Session, &status),
    };
    let mut incoming = answer.into_inner();
    loop {
        match incoming.message().await {
            Ok(Some(message)) => match words(message) {
                Ok(words) => {
                    for word in words.into_iter().flatten() {
                        line.say(word).await;
                    }
                }
                Err(bad) => return closed(bad),
            },
            Ok(None) => return closed("the collector ended the stream"),
            Err(status) => return refused(Step::Session, &status),
        }
    }
}

fn closed(detail: impl ToString) -> Diagnosis {
    Diagnosis::new(Step::Session, "link-closed", detail)
}

/// What a message says; a welcome also ends the first round trip. An order of a sort that is not known says nothing.
pub(crate) fn words(message: v1::CollectorMessage) -> Result<[Option<Word>; 2], BadMessage> {
    let missing = BadMessage { field: "message", problem: convert::Problem::Missing };
    let word = match message.message.ok_or(missing)? {
        Message::Welcome(welcome) => {
            let word = Word::Welcomed {
                heartbeat: Span::from_millis(welcome.heartbeat_ms.into()),
                known: convert::ranges("welcome.known", &welcome.known)?,
                watched: welcome.watched_digest,
            };
            return Ok([Some(word), welcome.clock.map(beat)]);
        }
        Message::Beat(answer) => beat(answer),
        Message::Ack(ack) => {
            Word::Acked { run: Run(ack.run), ranges: convert::ranges("ack.ranges", &ack.ranges)? }
        }
        Message::Challenge(challenge) => Word::Challenged { nonce: challenge.nonce },
        Message::Order(v1::Order { token, what: Some(v1::order::What::EvidenceOf(service)) }) => {
            Word::Ordered { token, service: convert::name("order.evidence_of", &service)? }
        }
        Message::Order(v1::Order { what: None, .. }) => return Ok([None, None]),
    };
    Ok([Some(word), None])
}

fn beat(beat: v1::Beat) -> Word {
    let [echo, received, answered] =
        [beat.echo_us, beat.received_us, beat.sent_us].map(picket_proto::Mono::from_micros);
    Word::Beat { echo, received, answered }
}
