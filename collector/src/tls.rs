//! The listener: TCP, then TLS 1.3 with ring, then a stream of connections that know their peer.
//!
//! tokio-rustls directly, because tonic's own TLS types can neither reload nor revoke. TLS 1.2 is off: both ends are
//! new, and gRPC's other implementations speak 1.3. A client certificate is asked for but not demanded, since Enrol
//! comes without one; what a peer without one may do is decided in `server`. Limits: a handshake gets 10 s; 64 run
//! at once (each is about a millisecond of CPU, so this is a second's work for two cores); at most 20,000
//! connections, one per host and some for operators; what is beyond is closed at once.

use crate::authority::ServerIdentity;
use crate::error::Failure;
use crate::peer::Peer;
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use rustls_pki_types::CertificateDer;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tonic::transport::server::Connected;

const HANDSHAKE_TIME: Duration = Duration::from_secs(10);
const HANDSHAKES_MAX: usize = 64;
const CONNECTIONS_MAX: usize = 20_000;
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
        .with_client_cert_verifier(verifier)
        .with_single_cert(chain, key)?;
    config.alpn_protocols = vec![b"h2".to_vec()];
    Ok(Arc::new(config))
}

/// A connection whose peer is known.
pub(crate) struct Connection {
    stream: TlsStream<TcpStream>,
    peer: Peer,
    _place: OwnedSemaphorePermit,
}

impl Connected for Connection {
    type ConnectInfo = Peer;

    fn connect_info(&self) -> Peer {
        self.peer.clone()
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

/// Accepts until told to stop or until nobody takes connections any more.
pub(crate) async fn accept(
    listener: TcpListener,
    config: Arc<ServerConfig>,
    ready: mpsc::Sender<io::Result<Connection>>,
    mut stop: watch::Receiver<bool>,
) {
    let acceptor = TlsAcceptor::from(config);
    let handshakes = Arc::new(Semaphore::new(HANDSHAKES_MAX));
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    loop {
        let accepted = tokio::select! {
            _told_or_gone = stop.wait_for(|stop| *stop) => return,
            accepted = next(&listener, &handshakes) => accepted,
        };
        let (socket, handshake) = match accepted {
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
        tokio::spawn(shake(acceptor.clone(), socket, (handshake, place), ready.clone()));
    }
}

async fn next(
    listener: &TcpListener,
    handshakes: &Arc<Semaphore>,
) -> io::Result<(TcpStream, OwnedSemaphorePermit)> {
    let permit = Arc::clone(handshakes).acquire_owned().await.map_err(io::Error::other)?;
    let (socket, _address) = listener.accept().await?;
    Ok((socket, permit))
}

async fn shake(
    acceptor: TlsAcceptor,
    socket: TcpStream,
    (handshake, place): (OwnedSemaphorePermit, OwnedSemaphorePermit),
    ready: mpsc::Sender<io::Result<Connection>>,
) {
    // Acks and challenges are small and wanted at once.
    if let Err(failure) = socket.set_nodelay(true) {
        tracing::debug!(%failure, "no TCP_NODELAY");
    }
    let shaken = tokio::time::timeout(HANDSHAKE_TIME, acceptor.accept(socket)).await;
    drop(handshake);
    match shaken {
        Ok(Ok(stream)) => {
            let peer = Peer::of(stream.get_ref().1.peer_certificates());
            let _server_may_be_ending = ready.send(Ok(Connection { stream, peer, _place: place })).await;
        }
        // Anybody can make these happen, so they are told only on request.
        Ok(Err(failure)) => tracing::debug!(%failure, "a TLS handshake failed"),
        Err(_elapsed) => tracing::debug!("a TLS handshake took too long"),
    }
}
