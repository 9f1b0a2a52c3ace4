//! From addresses to an HTTP/2 channel: resolve, connect, the proxy's tunnel, TLS; each failure with its own reason.
//!
//! All addresses race as happy eyeballs do: the next one begins when the one before has failed or after 250 ms, and
//! the first whose TLS stands wins, so that a dead address costs no more than that. The first is the one that was
//! good last. TCP and TLS are done here and the finished stream is handed to tonic once: a second connection is
//! refused, so that tonic never connects on its own. One address gets 8 s; when to try again is the core's decision.

use super::date::Dates;
use super::eyeballs::{self, first};
use super::fate::{Fate, Noted};
use super::why::{Diagnosis, Step, Taken, Trail, broken, chain_of, unresolved};
use super::wire::{Carried, Wire};
use super::{tls, tunnel};
use crate::clock;
use crate::config::{Address, Collector, Proxy};
use crate::identity::Folder;
use crate::plan::Plan;
use hyper_util::rt::TokioIo;
use picket_proto::{HostId, Name, Span};
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
/// How long the collector may take to speak first; one round trip is usual.
const FIRST_WORD: Duration = Duration::from_secs(2);
/// For one address: the last of eight begins after 1.75 s and must end within the try's 10 s.
const ADDRESS_LIMIT: Duration = Duration::from_secs(8);

/// Whom to reach, and as whom.
pub(crate) struct Peer {
    pub(crate) collector: Collector,
    /// The way to each address of the collector, in the same order.
    pub(crate) ways: Vec<Way>,
    pub(crate) identity: Folder,
    pub(crate) host: HostId,
    /// The services' names, by their place.
    pub(crate) services: Vec<Name>,
    /// What its connections carry.
    pub(super) carried: Carried,
    pub(super) dates: Arc<Dates>,
}

impl Peer {
    /// The collector's peer of one start of the agent.
    pub(crate) fn of(plan: &Plan) -> Self {
        Self {
            collector: plan.collector.clone(),
            ways: plan.ways.clone(),
            identity: Folder::below(&plan.state),
            host: plan.host.clone(),
            services: plan.services.iter().map(|service| service.spec.name.clone()).collect(),
            carried: Carried::default(),
            dates: Arc::new(Dates::from(clock::now().mono)),
        }
    }
}

/// How an address is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Way {
    pub(crate) address: Address,
    pub(crate) proxy: Option<Proxy>,
}

/// A channel, and to which of the collector's addresses.
pub(super) struct Reached {
    pub(super) channel: Channel,
    pub(super) fate: Fate,
    pub(super) place: usize,
    pub(super) address: String,
}

/// Opens an HTTP/2 channel to the collector, beginning with the address at `place`.
pub(super) async fn dial(peer: &Peer, place: usize, config: Arc<ClientConfig>) -> Result<Reached, Diagnosis> {
    let all = peer.ways.len();
    let places = (0..all).map(|nth| (place + nth) % all);
    let tries =
        places.filter_map(|place| peer.ways.get(place).map(|way| (place, way))).map(|(place, way)| {
            let config = Arc::clone(&config);
            async move {
                let (secured, _) = secure(peer, way, config).await;
                secured.map(|stream| (place, way, stream))
            }
        });
    let (place, way, stream) = first(tries).await.map_err(furthest)?;
    let report = peer.collector.terms.report;
    let (channel, fate) = channel(stream, report).await.map_err(|why| why.at(&way.address))?;
    Ok(Reached { channel, fate, place, address: way.address.to_string() })
}

/// Of several failures the one that came furthest explains most; the others are named behind it.
fn furthest(failed: Vec<Diagnosis>) -> Diagnosis {
    let others = failed.len().saturating_sub(1);
    // The last of equals is what max_by_key finds, and the first address is the one that should have worked.
    let mut told =
        failed.into_iter().rev().max_by_key(|why| why.step).unwrap_or_else(|| {
            Diagnosis::new(Step::Connect, "link-unresolved", "there is no address to try")
        });
    if others > 0 {
        told.detail = format!("{}; {others} more of the addresses failed", told.detail);
    }
    told
}

/// TLS with one address, and the steps on the way.
pub(super) async fn secure(
    peer: &Peer,
    way: &Way,
    config: Arc<ClientConfig>,
) -> (Result<TlsStream<Wire>, Diagnosis>, Vec<Taken>) {
    let mut trail = Trail::new(way.address.to_string());
    let walked = tokio::time::timeout(ADDRESS_LIMIT, walk(peer, way, config, &mut trail)).await;
    let secured = match walked {
        Ok(Ok(stream)) => Ok(stream),
        Ok(Err(why)) => Err(trail.bad(why)),
        Err(_late) => Err(trail.late(ADDRESS_LIMIT.as_secs())),
    };
    (secured, trail.taken)
}

async fn walk(
    peer: &Peer,
    way: &Way,
    config: Arc<ClientConfig>,
    trail: &mut Trail,
) -> Result<TlsStream<Wire>, Diagnosis> {
    let stream = match &way.proxy {
        None => reach(&way.address, trail).await?,
        Some(proxy) => {
            let stream = reach(&proxy.address, trail).await.map_err(|why| {
                let detail = format!("the proxy {proxy} can't be reached: {}", why.detail);
                Diagnosis { code: "link-proxy-away", detail, ..why }
            })?;
            trail.enter(Step::Proxy);
            let stream = tunnel::open(stream, proxy, &way.address).await?;
            trail.good(format!("a tunnel through {proxy}"));
            stream
        }
    };
    trail.enter(Step::Tls);
    let name = peer.collector.server_name.as_deref().unwrap_or(&way.address.name);
    let counted = peer.collector.terms.cap.is_some().then(|| peer.carried.clone());
    let stream = handshake(Wire::new(stream, counted), name, config).await?;
    trail.good("the collector's certificate holds");
    Ok(stream)
}

async fn reach(address: &Address, trail: &mut Trail) -> Result<TcpStream, Diagnosis> {
    trail.enter(Step::Resolve);
    let found = lookup_host((address.name.as_str(), address.port)).await;
    let found: Vec<_> = found.map_err(|error| unresolved(&address.name, &error))?.collect();
    let words: Vec<String> = found.iter().map(|address| address.ip().to_string()).collect();
    trail.good(words.join(", "));
    trail.enter(Step::Connect);
    let stream = eyeballs::connect(found).await?;
    trail.good(stream.peer_addr().map_or_else(|_| String::new(), |peer| peer.to_string()));
    Ok(stream)
}

async fn handshake(tcp: Wire, name: &str, config: Arc<ClientConfig>) -> Result<TlsStream<Wire>, Diagnosis> {
    let server = ServerName::try_from(name.to_owned())
        .map_err(|error| Diagnosis::new(Step::Tls, "link-name", format!("{name}: {error}")))?;
    let stream = TlsConnector::from(config).connect(server, tcp).await.map_err(|error| {
        tls::below(&error).map_or_else(|| broken(Step::Tls, &error), |below| tls::why(Step::Tls, below))
    })?;
    if stream.get_ref().1.alpn_protocol() == Some(b"h2") {
        return Ok(stream);
    }
    Err(Diagnosis::new(Step::Tls, "link-not-picket", "what answers speaks TLS but not HTTP/2"))
}

/// When nothing was heard for so long, HTTP/2 asks. A link that costs money is asked only where the answer to a heartbeat,
/// which comes a tenth later at most, did not come.
fn ping_every(report: Span) -> Duration {
    PING_EVERY.max(report.to_duration() * 5 / 4)
}

/// HTTP/2 on a stream whose TLS stands, and where to read how that ended.
pub(super) async fn channel(stream: TlsStream<Wire>, report: Span) -> Result<(Channel, Fate), Diagnosis> {
    // With TLS 1.3 the other side judges this host's certificate only now, and either way it speaks first. Who writes
    // before that may find the connection closed and never read why.
    let _spoke_or_is_slow = tokio::time::timeout(FIRST_WORD, stream.get_ref().0.readable()).await;
    let (stream, fate) = Noted::new(stream);
    let mut once = Some(TokioIo::new(stream));
    let connector = tower::service_fn(move |_: Uri| {
        let stream = once.take().ok_or_else(|| io::Error::from(io::ErrorKind::NotConnected));
        std::future::ready(stream)
    });
    let connected = Endpoint::from_static("https://collector")
        .http2_keep_alive_interval(ping_every(report))
        .keep_alive_timeout(PING_LIMIT)
        .keep_alive_while_idle(true)
        .connect_with_connector(connector)
        .await;
    match connected {
        Ok(channel) => Ok((channel, fate)),
        Err(error) => Err(fate.explain(Diagnosis::new(Step::Session, "link-closed", chain_of(&error)))),
    }
}
