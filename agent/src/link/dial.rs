//! One try to reach the collector: resolve, connect, TLS, HTTP/2; each failure with its own trouble.
//!
//! TCP and TLS are done here and the finished stream is handed to tonic once: a second connection is refused, so
//! that tonic never connects on its own. It has no retries and no time limit: its caller bounds it.

use crate::config::Collector;
use crate::identity::Folder;
use hyper_util::rt::TokioIo;
use picket_agent_core::session::Trouble;
use picket_proto::{HostId, Name};
use rustls::ClientConfig;
use rustls_pki_types::ServerName;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpStream, lookup_host};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tonic::transport::{Channel, Endpoint, Uri};

const PING_EVERY: Duration = Duration::from_secs(10);
const PING_LIMIT: Duration = Duration::from_secs(20);

/// Whom to reach, and as whom.
pub(crate) struct Peer {
    pub(crate) collector: Collector,
    pub(crate) identity: Folder,
    pub(crate) host: HostId,
    /// The services' names, by their place.
    pub(crate) services: Vec<Name>,
}

/// Why a try failed: for the core, and in words for the log.
pub(super) struct Failed {
    pub(super) trouble: Trouble,
    pub(super) detail: String,
}

impl Failed {
    pub(super) fn new(trouble: Trouble, detail: impl ToString) -> Self {
        Self { trouble, detail: detail.to_string() }
    }
}

/// Opens an HTTP/2 channel to the collector.
pub(super) async fn dial(collector: &Collector, config: ClientConfig) -> Result<Channel, Failed> {
    let tcp = connect(&collector.name, collector.port).await?;
    let tls = handshake(tcp, &collector.name, config).await?;
    let mut once = Some(TokioIo::new(tls));
    let connector = tower::service_fn(move |_: Uri| {
        let stream = once.take().ok_or_else(|| io::Error::from(io::ErrorKind::NotConnected));
        std::future::ready(stream)
    });
    Endpoint::from_static("https://collector")
        .http2_keep_alive_interval(PING_EVERY)
        .keep_alive_timeout(PING_LIMIT)
        .keep_alive_while_idle(true)
        .connect_with_connector(connector)
        .await
        .map_err(|error| Failed::new(Trouble::Closed, chain_of(&error)))
}

async fn connect(name: &str, port: u16) -> Result<TcpStream, Failed> {
    let mut failed = Failed::new(Trouble::Unresolved, "the name has no address");
    let found = lookup_host((name, port)).await.map_err(|error| Failed::new(Trouble::Unresolved, error))?;
    for address in found {
        match TcpStream::connect(address).await {
            Ok(stream) => {
                // A heartbeat is one small packet; waiting for more would only delay it.
                let _works_without = stream.set_nodelay(true);
                return Ok(stream);
            }
            Err(error) => failed = Failed::new(trouble_of(&error), error),
        }
    }
    Err(failed)
}

async fn handshake(tcp: TcpStream, name: &str, config: ClientConfig) -> Result<TlsStream<TcpStream>, Failed> {
    let server =
        ServerName::try_from(name.to_owned()).map_err(|error| Failed::new(Trouble::Unresolved, error))?;
    let connecting = TlsConnector::from(Arc::new(config)).connect(server, tcp);
    connecting.await.map_err(|error| Failed::new(tls_or(&error), error))
}

fn tls_or(error: &io::Error) -> Trouble {
    if error.get_ref().is_some_and(|inner| inner.is::<rustls::Error>()) {
        Trouble::Tls
    } else {
        trouble_of(error)
    }
}

fn trouble_of(error: &io::Error) -> Trouble {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => Trouble::Refused,
        io::ErrorKind::TimedOut => Trouble::TimedOut,
        io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => Trouble::Unreachable,
        _ => Trouble::Closed,
    }
}

/// What a status means: a refusal of the collector, or a transport that failed.
pub(super) fn failed_by(status: &tonic::Status) -> Failed {
    use tonic::Code;
    let trouble = match status.code() {
        Code::PermissionDenied | Code::FailedPrecondition | Code::Unauthenticated => Trouble::Denied,
        Code::DeadlineExceeded => Trouble::TimedOut,
        _ if rests_on_tls(status) => Trouble::Tls,
        _ => Trouble::Closed,
    };
    let words = if status.message().is_empty() { chain_of(status) } else { status.message().to_owned() };
    Failed::new(trouble, words)
}

/// Whether a TLS alert lies below: with TLS 1.3 a server refuses a client's certificate only after the handshake.
fn rests_on_tls(status: &tonic::Status) -> bool {
    sources(status).any(|error| {
        let io = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        error.is::<rustls::Error>() || io.is_some_and(|inner| inner.is::<rustls::Error>())
    })
}

fn sources<'e>(
    error: &'e (dyn std::error::Error + 'static),
) -> impl Iterator<Item = &'e (dyn std::error::Error + 'static)> {
    std::iter::successors(Some(error), |error| error.source())
}

fn chain_of(error: &(dyn std::error::Error + 'static)) -> String {
    sources(error).map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
