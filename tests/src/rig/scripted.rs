//! A scripted agent: a real identity and a real session, and frames exactly as the test wants them.

use super::client;
use picket_proto::event::{Event, Fact};
use picket_proto::{BootId, Mono, Run, Seq, Stamp, Wall, frame};
use picket_rpc::convert;
use picket_rpc::v1::agents_client::AgentsClient;
use picket_rpc::v1::operator_client::OperatorClient;
use picket_rpc::v1::{self, agent_message, collector_message};
use rcgen::{CertificateParams, KeyPair};
use std::fs;
use std::path::{Path, PathBuf};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Streaming;
use tonic::transport::Channel;

/// Credentials of one host in a folder, enrolled with a token.
#[derive(Debug, Clone)]
pub struct Identity {
    folder: PathBuf,
    address: String,
}

impl Identity {
    /// Enrols `host` at the collector: an operator makes the token, the host shows it.
    ///
    /// # Panics
    /// If the collector refuses.
    pub async fn enrol(host: &str, address: &str, operator: &Path, folder: &Path) -> Self {
        let mut asked = client::operator(address, operator).await.expect("the collector answers");
        let token = mint(&mut asked, host).await;
        let secret = token.split('.').nth(1).expect("a token has three parts");
        let key = KeyPair::generate().expect("a key can be made");
        let csr = CertificateParams::default().serialize_request(&key).expect("a request can be made");
        let tls = client::tls(&operator.join("ca.pem"), None);
        let channel = client::channel(address, tls).await.expect("the collector answers");
        let request =
            v1::EnrolRequest { host: host.to_owned(), secret: unhex(secret), csr: csr.der().to_vec() };
        let credentials =
            AgentsClient::new(channel).enrol(request).await.expect("the token is good").into_inner();
        fs::create_dir_all(folder).expect("the folder can be made");
        let pem: String = credentials
            .chain
            .iter()
            .map(|der| pem::encode(&pem::Pem::new("CERTIFICATE", der.as_slice())))
            .collect();
        fs::write(folder.join("cert.pem"), pem).expect("the folder can be written");
        fs::write(folder.join("key.pem"), key.serialize_pem()).expect("the folder can be written");
        fs::copy(operator.join("ca.pem"), folder.join("ca.pem")).expect("the operator has the CA");
        Self { folder: folder.to_owned(), address: address.to_owned() }
    }

    /// The same identity towards another address: the collector was started anew.
    #[must_use]
    pub fn at(&self, address: &str) -> Self {
        Self { folder: self.folder.clone(), address: address.to_owned() }
    }

    /// Opens a session as `run` and says Hello; the first answer has not been read yet.
    ///
    /// # Errors
    /// The collector's status.
    pub async fn open(&self, run: Run) -> Result<Session, tonic::Status> {
        let (cert, key) = (self.folder.join("cert.pem"), self.folder.join("key.pem"));
        let tls = client::tls(&self.folder.join("ca.pem"), Some((&cert, &key)));
        let channel = client::channel(&self.address, tls)
            .await
            .map_err(|error| tonic::Status::unavailable(error.to_string()))?;
        let (send, receive) = mpsc::channel(64);
        let hello = v1::Hello {
            now: Some(convert::stamp_to_wire(stamp(run, 0))),
            version: "scripted".to_owned(),
            watched: vec![v1::Watched {
                check: "web:process".to_owned(),
                kind: v1::CheckKind::Process.into(),
                service: "web".to_owned(),
            }],
            ..v1::Hello::default()
        };
        let first = v1::AgentMessage { message: Some(agent_message::Message::Hello(hello)) };
        send.send(first).await.map_err(|_| tonic::Status::internal("the channel is new"))?;
        let answers = AgentsClient::new(channel).session(ReceiverStream::new(receive)).await?.into_inner();
        Ok(Session { send, answers, run, covered: 0 })
    }
}

/// A live session.
#[derive(Debug)]
pub struct Session {
    send: mpsc::Sender<v1::AgentMessage>,
    answers: Streaming<v1::CollectorMessage>,
    run: Run,
    /// The last number that the latest ack of this run covered.
    covered: u64,
}

impl Session {
    /// Sends a message; false if the session is gone.
    pub async fn say(&self, message: agent_message::Message) -> bool {
        self.send.send(v1::AgentMessage { message: Some(message) }).await.is_ok()
    }

    /// Sends frames as a batch; false if the session is gone.
    pub async fn batch(&self, lane: v1::Lane, frames: Vec<u8>) -> bool {
        self.say(agent_message::Message::Batch(v1::Batch { lane: lane.into(), frames })).await
    }

    /// The next thing the collector says.
    ///
    /// # Errors
    /// The status with which it ended the session.
    pub async fn hear(&mut self) -> Result<collector_message::Message, tonic::Status> {
        match self.answers.message().await? {
            Some(v1::CollectorMessage { message: Some(message) }) => Ok(message),
            Some(_) => Err(tonic::Status::internal("an empty message")),
            None => Err(tonic::Status::cancelled("the stream ended")),
        }
    }

    /// Hears until an ack covers `seq` of this run.
    ///
    /// # Errors
    /// The status with which the session ended before.
    pub async fn acked(&mut self, seq: u64) -> Result<Vec<v1::SeqRange>, tonic::Status> {
        loop {
            if let collector_message::Message::Ack(ack) = self.hear().await?
                && ack.run == self.run.0
                && ack.ranges.iter().any(|range| range.first <= seq && seq <= range.last)
            {
                self.covered = ack.ranges.iter().map(|range| range.last).max().unwrap_or(0);
                return Ok(ack.ranges);
            }
        }
    }

    /// Hears until an ack covered `seq`, unless one that was heard before did: an ack may cover more than was waited for.
    /// Right for numbers without holes.
    ///
    /// # Errors
    /// The status with which the session ended before.
    pub async fn reached(&mut self, seq: u64) -> Result<(), tonic::Status> {
        if self.covered < seq {
            self.acked(seq).await?;
        }
        Ok(())
    }
}

/// A stamp of `run` at `mono_us`.
pub fn stamp(run: Run, mono_us: u64) -> Stamp {
    Stamp {
        run,
        boot: BootId(7),
        mono: Mono::from_micros(mono_us),
        wall: Wall::from_micros(1_790_000_000_000_000 + mono_us.cast_signed()),
        synced: true,
    }
}

/// `fact` as frame `seq` of `run`.
///
/// # Panics
/// Never: every fact fits a frame.
pub fn frame(run: Run, seq: u64, fact: Fact) -> Vec<u8> {
    let mut out = [0; frame::FRAME_MAX];
    let event = Event { stamp: stamp(run, seq), fact };
    let len = frame::encode(Seq(seq), &event, &mut out).expect("every fact fits a frame");
    out[..len].to_vec()
}

/// Asks for a one-time token for `host`.
///
/// # Panics
/// If the collector refuses.
pub async fn mint(operator: &mut OperatorClient<Channel>, host: &str) -> String {
    let request = v1::CreateTokenRequest { host: host.to_owned() };
    operator.create_token(request).await.expect("operators may make tokens").into_inner().token
}

fn unhex(text: &str) -> Vec<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16).expect("a token is hex");
    let pairs = text.as_bytes().chunks_exact(2);
    pairs.map(|pair| u8::try_from(digit(pair[0]) * 16 + digit(pair[1])).expect("two hex digits")).collect()
}
