//! gRPC: which services there are, who may call them, and how a refusal looks.
//!
//! Agents call `Agents` (Enrol without a certificate, the rest with an agent's), operators call `Operator`; health
//! and reflection are open to either. Identity is the connection's certificate, never a field. A refusal is a status
//! whose message reads `CODE: meaning next`, from the one table of stable codes. Limits: an agent's message has at
//! most 640 KiB (a Hello with 4,096 checks of the longest names; batches are held to 64 KiB), an operator's 1 MiB; a
//! connection has at most 64 streams. Whether the peer still lives is TCP's to find out (`tls/pace.rs`): pings of HTTP/2 would
//! cost every agent the same, and one over a link that costs money more than all that it says.

mod agents;
mod operator;
mod render;
mod session;
mod watch;

pub(crate) use session::said::{Refused, Said, hello, report, said};

use crate::authority::Authority;
use crate::clock::{self, Clock};
use crate::error::Failure;
use crate::peer::Peer;
use crate::ports::{Answered, Ask, Inlet};
use crate::store::{Events, Health, Journaling};
use crate::tls::{Pace, Wire};
use picket_collector_core::view::{Answer, Question, Summary};
use picket_proto::{HostId, Name, Wall, code};
use picket_rpc::v1::agents_server::AgentsServer;
use picket_rpc::v1::operator_server::OperatorServer;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::{mpsc, oneshot};
use tonic::service::interceptor::InterceptedService;
use tonic::transport::Server;
use tonic::transport::server::Router;
use tonic::{Code, Request, Status};

const AGENT_MESSAGE_MAX: usize = 640 * 1024;
const OPERATOR_MESSAGE_MAX: usize = 1024 * 1024;
const STREAMS_MAX: u32 = 64;

/// The server's way to the core, the journal and the CA.
#[derive(Clone)]
pub(crate) struct Door {
    sessions: mpsc::Sender<Inlet>,
    asks: mpsc::Sender<Inlet>,
    events: Events,
    authority: Arc<Authority>,
    numbers: Arc<AtomicU64>,
    /// For the round trips that agents measure; the core gets its time with its inputs.
    clock: Clock,
    health: Arc<Health>,
    /// When this process began to serve.
    begun: Wall,
}

impl Door {
    /// A door onto the core's two channels.
    pub(crate) fn new(
        sessions: mpsc::Sender<Inlet>,
        asks: mpsc::Sender<Inlet>,
        events: Events,
        authority: Arc<Authority>,
        (clock, health): (Clock, Arc<Health>),
    ) -> Self {
        let numbers = Arc::new(AtomicU64::new(1));
        Self { sessions, asks, events, authority, numbers, clock, health, begun: clock::wall() }
    }

    /// A number for a session or a watcher, never used twice in this process.
    fn number(&self) -> u64 {
        self.numbers.fetch_add(1, Ordering::Relaxed)
    }

    /// How the collector stands, for metrics.
    pub(crate) async fn summary(&self) -> Option<(Box<Summary>, Journaling, Wall)> {
        match self.ask(Ask::View(Question::Summary)).await {
            Ok(Answered::View(Answer::Summary(summary))) => {
                Some((summary, self.health.look().await, self.begun))
            }
            Ok(_other) => None,
            Err(_ending) => None,
        }
    }

    /// Asks the core and waits for its answer.
    async fn ask(&self, ask: Ask) -> Result<Answered, Status> {
        let (reply, answer) = oneshot::channel();
        let ending = |_gone| refusal("shutting-down");
        self.asks.send(Inlet::Ask(ask, reply)).await.map_err(|_gone| refusal("shutting-down"))?;
        answer.await.map_err(ending)?.map_err(refusal)
    }
}

/// All services on one router.
pub(crate) async fn router(door: Door) -> Result<Router, Failure> {
    let (health, health_service) = tonic_health::server::health_reporter();
    let agents =
        AgentsServer::new(agents::Agents::new(door.clone())).max_decoding_message_size(AGENT_MESSAGE_MAX);
    let operator = OperatorServer::new(operator::Operator::new(door))
        .max_decoding_message_size(OPERATOR_MESSAGE_MAX)
        .max_encoding_message_size(usize::MAX);
    health.set_serving::<AgentsServer<agents::Agents>>().await;
    health.set_serving::<OperatorServer<operator::Operator>>().await;
    let describe = || {
        tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(picket_rpc::DESCRIPTORS)
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
    };
    let v1 = describe().build_v1().map_err(Failure::Reflection)?;
    let v1alpha = describe().build_v1alpha().map_err(Failure::Reflection)?;
    Ok(Server::builder()
        .max_concurrent_streams(STREAMS_MAX)
        .add_service(agents)
        .add_service(operator)
        .add_service(InterceptedService::new(health_service, anybody_known))
        .add_service(InterceptedService::new(v1, anybody_known))
        .add_service(InterceptedService::new(v1alpha, anybody_known)))
}

fn peer<T>(request: &Request<T>) -> &Peer {
    request.extensions().get::<Wire>().map_or(&Peer::Unknown, |wire| &wire.peer)
}

/// The pace of the connection that a call came on.
fn pace<T>(request: &Request<T>) -> Pace {
    request.extensions().get::<Wire>().map(|wire| wire.pace.clone()).unwrap_or_default()
}

/// The host that calls, by its certificate.
fn agent<T>(request: &Request<T>) -> Result<HostId, Status> {
    match peer(request) {
        Peer::Agent(host) => Ok(host.clone()),
        Peer::Late(_) => Err(refusal("certificate-ended")),
        Peer::Operator(_) => Err(refusal("not-an-agent")),
        Peer::Unknown => Err(refusal("no-certificate")),
    }
}

/// The operator who calls, by the certificate.
fn operator<T>(request: &Request<T>) -> Result<Name, Status> {
    match peer(request) {
        Peer::Operator(name) => Ok(name.clone()),
        Peer::Agent(_) | Peer::Late(_) => Err(refusal("not-an-operator")),
        Peer::Unknown => Err(refusal("no-certificate")),
    }
}

fn anybody_known(request: Request<()>) -> Result<Request<()>, Status> {
    match peer(&request) {
        Peer::Agent(_) | Peer::Operator(_) => Ok(request),
        Peer::Late(_) => Err(refusal("certificate-ended")),
        Peer::Unknown => Err(refusal("no-certificate")),
    }
}

/// The status of a stable code.
fn refusal(code: &'static str) -> Status {
    Status::new(grpc_code(code), words(code))
}

/// The status of a stable code, with what exactly was wrong in front of what to do.
fn refusal_because(code: &'static str, detail: &str) -> Status {
    Status::new(
        grpc_code(code),
        format!("{}: {detail}. {}", code, code::find(code).map_or("", |known| known.next)),
    )
}

fn words(code: &'static str) -> String {
    code::find(code)
        .map_or_else(|| code.to_owned(), |known| format!("{code}: {} {}", known.meaning, known.next))
}

fn grpc_code(code: &str) -> Code {
    match code {
        "no-certificate" | "certificate-ended" => Code::Unauthenticated,
        "not-an-operator" | "not-an-agent" | "token-unknown" | "token-used" | "quarantined" => {
            Code::PermissionDenied
        }
        "order-forbidden" | "key-replaced" => Code::PermissionDenied,
        "hello-first" | "hello-unknown" | "bad-message" | "bad-frame" | "too-large" | "bad-input" => {
            Code::InvalidArgument
        }
        "too-many" | "ranges-full" | "store-full" | "watch-cut" => Code::ResourceExhausted,
        "order-many" | "order-busy" | "order-budget" => Code::ResourceExhausted,
        "not-found" | "order-stranger" => Code::NotFound,
        "stale-revision" | "already-resolved" | "still-firing" => Code::FailedPrecondition,
        "order-away" | "order-unknown" | "order-over-cap" | "order-unreadable" => Code::FailedPrecondition,
        "order-expired" | "order-lost" => Code::Aborted,
        "resume-too-old" => Code::OutOfRange,
        "shutting-down" | "no-answer" | "frame-spoiled" => Code::Unavailable,
        // Codes are text here, and a new one from the core must reach the peer all the same.
        _ => Code::Unknown,
    }
}
