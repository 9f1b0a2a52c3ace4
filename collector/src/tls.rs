//! The listener: TCP, then TLS 1.3 with ring, then a stream of connections that know their peer.
//!
//! tokio-rustls directly, because tonic's own TLS types can neither reload nor revoke. TLS 1.2 is off: both ends are
//! new, and gRPC's other implementations speak 1.3. A client certificate is asked for but not demanded, since Enrol
//! comes without one; what a peer without one may do is decided in `server`. Limits: a handshake gets 3 s; how many
//! run at once, and who makes room, stands in `handshakes`; at most 20,000 connections, one per host and some for
//! operators, and 64 of them without a certificate that holds, each for 30 s (an enrolment or a renewal is one call); what
//! is beyond is closed at once.
//!
//! **Resumption.** A client that asks for a ticket gets one (RFC 9149): agents over links that cost money do, since a
//! handshake with two certificates is most of what a reconnect costs them. What is kept stands in this process' memory
//! alone, of at most as many peers as there are connections (some 1.3 KB each), is good for one resumption, and is gone
//! with a restart. A resumed session is one like any other: the certificate that it began with is looked at again, for
//! its end and for whom it names, before anything is served, and whoever judges a peer judges that certificate.

mod grace;
mod handshakes;
mod pace;

pub(crate) use pace::Pace;

use crate::authority::ServerIdentity;
use crate::clock;
use crate::error::Failure;
use crate::peer::{Peer, has_ended, shown};
use grace::Graceful;
use handshakes::{Handshakes, SPEAKERS_EVERY, Source, Spoken};
use picket_collector_core::identity::Shown;
use rustls::server::{ServerSessionMemoryCache, StoresServerSessions, WebPkiClientVerifier};
use rustls::{HandshakeKind, RootCertStore, ServerConfig};
use rustls_pki_types::CertificateDer;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch};
use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::Sleep;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tonic::transport::server::Connected;

const HANDSHAKE_TIME: Duration = Duration::from_secs(3);
const CONNECTIONS_MAX: usize = 20_000;
/// A session with a host's chain has 1.3 KB; all that may be kept are 80 MB at this size.
const SESSION_BYTES: usize = 4096;
const STRANGERS_MAX: usize = 64;
const STRANGER_TIME: Duration = Duration::from_secs(30);
/// After a failed accept (no more file descriptors): long enough not to spin, short enough not to be noticed.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// The server's TLS configuration.
pub(crate) fn config(
    identity: ServerIdentity,
    ca: &CertificateDer<'static>,
) -> Result<Arc<ServerConfig>, Failure> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut roots = RootCertStore::empty();
    roots.add(ca.clone())?;
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider))
        .allow_unauthenticated()
        .build()
        .map_err(Failure::Verifier)?;
    let (chain, key) = identity;
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .with_client_cert_verifier(Arc::new(Graceful(verifier)))
        .with_single_cert(chain, key)?;
    config.alpn_protocols = vec![b"h2".to_vec()];
    (config.send_tls13_tickets, config.max_tls13_tickets) = (0, 1);
    config.session_storage = Arc::new(Sessions(ServerSessionMemoryCache::new(CONNECTIONS_MAX)));
    Ok(Arc::new(config))
}

/// TLS sessions that may be resumed. Each holds its client's whole chain, to which anyone may add what he likes: one that
/// is larger than a host's certificate and its CA's is not kept.
#[derive(Debug)]
struct Sessions(Arc<ServerSessionMemoryCache>);

impl StoresServerSessions for Sessions {
    fn put(&self, key: Vec<u8>, value: Vec<u8>) -> bool {
        value.len() <= SESSION_BYTES && self.0.put(key, value)
    }
    fn get(&self, key: &[u8]) -> Option<Vec<u8>> {
        self.0.get(key)
    }
    fn take(&self, key: &[u8]) -> Option<Vec<u8>> {
        self.0.take(key)
    }
    fn can_cache(&self) -> bool {
        self.0.can_cache()
    }
}

/// A connection whose peer is known.
pub(crate) struct Connection {
    stream: TlsStream<TcpStream>,
    peer: Peer,
    shown: Option<Shown>,
    pace: Pace,
    /// The pace that the socket follows.
    followed: u32,
    _place: OwnedSemaphorePermit,
    stranger: Option<Stranger>,
}

/// What a connection without a certificate, or with one that has ended, has besides.
struct Stranger {
    end: Pin<Box<Sleep>>,
    _place: OwnedSemaphorePermit,
}

impl Connection {
    fn new(
        stream: TlsStream<TcpStream>,
        (peer, shown): (Peer, Option<Shown>),
        place: OwnedSemaphorePermit,
    ) -> Self {
        let pace = Pace::default();
        let mut this = Self { stream, peer, shown, pace, followed: 0, _place: place, stranger: None };
        this.follow();
        this
    }

    fn follow(&mut self) {
        self.pace.follow(self.stream.get_ref().0, &mut self.followed);
    }
}

/// What a call knows of the connection that it came on.
#[derive(Debug, Clone)]
pub(crate) struct Wire {
    pub(crate) peer: Peer,
    /// The certificate that it showed.
    pub(crate) shown: Option<Shown>,
    pub(crate) pace: Pace,
}

impl Connected for Connection {
    type ConnectInfo = Wire;

    fn connect_info(&self) -> Wire {
        Wire { peer: self.peer.clone(), shown: self.shown.clone(), pace: self.pace.clone() }
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        // The server always waits to read, so this wakes it when the time is over.
        if let Some(stranger) = &mut self.stranger
            && stranger.end.as_mut().poll(cx).is_ready()
        {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.follow();
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

/// Accepts until told to stop.
pub(crate) async fn accept(
    listener: TcpListener,
    config: Arc<ServerConfig>,
    ready: mpsc::Sender<io::Result<Connection>>,
    mut stop: watch::Receiver<bool>,
) {
    let acceptor = TlsAcceptor::from(config);
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let strangers = Arc::new(Semaphore::new(STRANGERS_MAX));
    let mut handshakes = Handshakes::default();
    let mut tasks = JoinSet::new();
    loop {
        if handshakes.is_full() && !handshakes.close_silent() {
            tokio::select! {
                Some(ended) = tasks.join_next_with_id() => end(&mut handshakes, ended, (&ready, &strangers)),
                () = tokio::time::sleep(SPEAKERS_EVERY) => handshakes.close_any(),
            }
            continue;
        }
        let accepted = tokio::select! {
            _told_or_gone = stop.wait_for(|stop| *stop) => return,
            Some(ended) = tasks.join_next_with_id() => {
                end(&mut handshakes, ended, (&ready, &strangers));
                continue;
            }
            accepted = listener.accept() => accepted,
        };
        let (socket, address) = match accepted {
            Ok(accepted) => accepted,
            Err(failure) => {
                tracing::warn!(%failure, "could not accept a connection");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let Ok(place) = Arc::clone(&places).try_acquire_owned() else {
            tracing::warn!(limit = CONNECTIONS_MAX, "a connection was closed: the limit is reached");
            continue;
        };
        let spoken = Spoken::default();
        let task = tasks.spawn(shake(acceptor.clone(), socket, place, spoken.clone()));
        handshakes.add(Source::of(address.ip()), spoken, task);
        // Whoever has spoken already may be known for that before the next one comes.
        tokio::task::yield_now().await;
    }
}

/// A handshake ended: what came of it goes to the server.
fn end(
    handshakes: &mut Handshakes,
    ended: Result<(Id, Option<Connection>), JoinError>,
    (ready, strangers): (&mpsc::Sender<io::Result<Connection>>, &Arc<Semaphore>),
) {
    let (id, connection) = match ended {
        Ok((id, connection)) => (id, connection),
        Err(closed) => (closed.id(), None),
    };
    handshakes.ended(id);
    let Some(mut connection) = connection else { return };
    if matches!(connection.peer, Peer::Unknown | Peer::Late(_)) {
        let Ok(place) = Arc::clone(strangers).try_acquire_owned() else {
            tracing::debug!(
                limit = STRANGERS_MAX,
                "a connection without a certificate that holds was closed"
            );
            return;
        };
        let end = Box::pin(tokio::time::sleep(STRANGER_TIME));
        connection.stranger = Some(Stranger { end, _place: place });
    }
    let ready = ready.clone();
    // The server may be busy, and accepting may not wait for it; there are no more of these than connections.
    tokio::spawn(async move {
        let _server_may_be_ending = ready.send(Ok(connection)).await;
    });
}

async fn shake(
    acceptor: TlsAcceptor,
    socket: TcpStream,
    place: OwnedSemaphorePermit,
    spoken: Spoken,
) -> Option<Connection> {
    // Acks and challenges are small and wanted at once.
    if let Err(failure) = socket.set_nodelay(true) {
        tracing::debug!(%failure, "no TCP_NODELAY");
    }
    let shaken = tokio::time::timeout(HANDSHAKE_TIME, async {
        socket.readable().await?;
        spoken.set();
        acceptor.accept(socket).await
    });
    match shaken.await {
        Ok(Ok(stream)) => {
            let (_, session) = stream.get_ref();
            // A resumed session's certificate was verified when the first one began, and may have ended since.
            let (chain, now) = (session.peer_certificates(), clock::wall());
            if session.handshake_kind() == Some(HandshakeKind::Resumed) && has_ended(chain, now) {
                tracing::debug!("a session was resumed with a certificate that has ended");
                return None;
            }
            let peer = (Peer::of(chain, now), shown(chain, now));
            Some(Connection::new(stream, peer, place))
        }
        // Anybody can make these happen, so they are told only on request.
        Ok(Err(failure)) => {
            tracing::debug!(%failure, "a TLS handshake failed");
            None
        }
        Err(_elapsed) => {
            tracing::debug!("a TLS handshake took too long");
            None
        }
    }
}

#[cfg(test)]
mod tests;
