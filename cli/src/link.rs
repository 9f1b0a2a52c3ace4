//! The connection to the collector: TCP, mutual TLS by a connector of our own (tonic's TLS types can neither reload
//! nor tell why), HTTP/2.
//!
//! The stream is opened here, before tonic sees it, so that each step fails with its own words. A [`Link`] is one
//! connection; it does not reconnect (the watch does, by making a new one). Every step and every question has
//! [`PATIENCE`]; a watch has none but HTTP/2's keepalive, which ends a dead one within 30 s.

use crate::failure::{Exit, Failure, plainly};
use crate::place::Place;
use hyper_util::rt::TokioIo;
use picket_rpc::v1::operator_client::OperatorClient;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use std::future::Future;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::{self, ClientConfig, RootCertStore};
use tonic::transport::{Channel, Endpoint};
use tonic::{Response, Status};

/// How long a step of connecting and a question may take: a person waits in front of it.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long a host may take that is asked: the collector gives it 60 s.
const ORDERED: Duration = Duration::from_secs(70);
/// How often an idle connection is probed, and how long the answer may take.
const KEEPALIVE: (Duration, Duration) = (Duration::from_secs(10), Duration::from_secs(20));

/// What to do where a change stays unanswered on a connection that stands.
const UNWRITTEN: &str = "It may be unable to write its journal (disk full; see `picket explain store-full`): look at \
     its log and at the free space of its data folder. The change may still happen: look before you repeat it.";

/// One connection to the collector.
pub(crate) type Link = OperatorClient<Channel>;

/// Opens a connection.
pub(crate) async fn open(place: &Place) -> Result<Link, Failure> {
    let stream = tls(place).await?;
    let endpoint = Endpoint::from_shared(format!("http://{}", place.address))
        .map_err(|_| not_an_address(&place.address))?
        .http2_keep_alive_interval(KEEPALIVE.0)
        .keep_alive_timeout(KEEPALIVE.1)
        .keep_alive_while_idle(true);
    let mut once = Some(TokioIo::new(stream));
    let connector = tower::service_fn(move |_| {
        let stream = once.take().ok_or_else(|| io::Error::from(io::ErrorKind::NotConnected));
        async move { stream }
    });
    let channel = within(endpoint.connect_with_connector(connector))
        .await?
        .map_err(|error| broken(&place.address, &innermost(&error)))?;
    Ok(OperatorClient::new(channel))
}

/// Waits for an answer, but not for ever.
pub(crate) async fn answer<T>(
    question: impl Future<Output = Result<Response<T>, Status>>,
) -> Result<T, Failure> {
    within(question).await?.map(Response::into_inner).map_err(|status| Failure::from_status(&status))
}

/// Waits for the answer to a change, which is given when the change is journaled.
pub(crate) async fn changed<T>(
    change: impl Future<Output = Result<Response<T>, Status>>,
) -> Result<T, Failure> {
    let answer = patient(change, PATIENCE, UNWRITTEN).await?;
    answer.map(Response::into_inner).map_err(|status| Failure::from_status(&status))
}

/// Waits for the answer of a host that the collector asks: that takes a minute at most.
pub(crate) async fn ordered<T>(
    order: impl Future<Output = Result<Response<T>, Status>>,
) -> Result<T, Failure> {
    let next =
        "It may be unable to write its journal: look at its log and at the free space of its data folder.";
    let answer = patient(order, ORDERED, next).await?;
    answer.map(Response::into_inner).map_err(|status| Failure::from_status(&status))
}

async fn within<T>(step: impl Future<Output = T>) -> Result<T, Failure> {
    patient(step, PATIENCE, "Look at the network between, and at the collector's load.").await
}

async fn patient<T>(step: impl Future<Output = T>, patience: Duration, next: &str) -> Result<T, Failure> {
    timeout(patience, step).await.map_err(|_| {
        Failure::unreachable(format!("the collector did not answer within {} s", patience.as_secs()), next)
    })
}

async fn tls(place: &Place) -> Result<TlsStream<TcpStream>, Failure> {
    let address = &place.address;
    let name = name(address)?;
    let connector = TlsConnector::from(Arc::new(client(&place.credentials)?));
    let tcp = within(TcpStream::connect(address)).await?.map_err(|error| {
        Failure::unreachable(
            format!("the collector at {address} can't be reached: {error}"),
            "Is it running, and is the port right?",
        )
    })?;
    let _only_slower = tcp.set_nodelay(true);
    within(connector.connect(name, tcp)).await?.map_err(|error| broken(address, &error.to_string()))
}

/// The name that the certificate must have, from HOST:PORT.
pub(crate) fn name(address: &str) -> Result<ServerName<'static>, Failure> {
    let (name, port) = address.rsplit_once(':').ok_or_else(|| not_an_address(address))?;
    if port.parse::<u16>().ok().is_none_or(|port| port == 0) {
        return Err(not_an_address(address));
    }
    ServerName::try_from(name.trim_matches(['[', ']']).to_owned()).map_err(|_| not_an_address(address))
}

fn not_an_address(text: &str) -> Failure {
    Failure::new(
        Exit::Usage,
        format!("{text:?} is no collector's address"),
        "Give HOST:PORT, for example collector.example:7440.",
    )
}

fn broken(address: &str, why: &str) -> Failure {
    Failure::unreachable(
        format!("no TLS with the collector at {address}: {}", plainly(why)),
        "Compare ca.pem and the host's name with the collector's certificate, and both clocks with its dates.",
    )
}

fn innermost(error: &tonic::transport::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.to_string()
}

/// TLS with the operator's certificate, trusting the collector's own CA and nobody else.
fn client(folder: &Path) -> Result<ClientConfig, Failure> {
    let unusable = |file: &Path, why: &dyn std::fmt::Display| {
        Failure::failed(
            format!("cannot use {}: {why}", file.display()),
            "--credentials names a folder with cert.pem, key.pem and ca.pem.",
        )
    };
    let (cert, key, ca) = (folder.join("cert.pem"), folder.join("key.pem"), folder.join("ca.pem"));
    let mut roots = RootCertStore::empty();
    for root in certificates(&ca).map_err(|error| unusable(&ca, &error))? {
        roots.add(root).map_err(|error| unusable(&ca, &error))?;
    }
    let chain = certificates(&cert).map_err(|error| unusable(&cert, &error))?;
    let secret = PrivateKeyDer::from_pem_file(&key).map_err(|error| unusable(&key, &error))?;
    let mut config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| unusable(folder, &error))?
        .with_root_certificates(roots)
        .with_client_auth_cert(chain, secret)
        .map_err(|error| unusable(&key, &error))?;
    config.alpn_protocols = vec![b"h2".to_vec()];
    Ok(config)
}

fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, rustls_pki_types::pem::Error> {
    CertificateDer::pem_file_iter(file)?.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_unanswered_change_points_at_the_journal_and_not_at_the_network() {
        let moment = Duration::from_millis(1);
        let never = std::future::pending::<()>();
        let told = patient(never, moment, UNWRITTEN).await.unwrap_err().to_string();
        assert!(
            told.starts_with("the collector did not answer within 0 s. It may be unable to write"),
            "{told}"
        );
        assert!(picket_proto::code::find("store-full").is_some());
    }
}
