//! A gRPC channel over mutual TLS, with credentials from a folder, and pages read to their end: what an operator's own
//! program would do.

use picket_rpc::v1;
use picket_rpc::v1::operator_client::OperatorClient;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tonic::transport::{Channel, Endpoint, Uri};

/// A client's side of TLS: the CA's certificate, and a certificate of its own if it has one.
///
/// # Panics
/// If the PEM files cannot be read.
pub fn tls(ca: &Path, own: Option<(&Path, &Path)>) -> ClientConfig {
    let mut roots = RootCertStore::empty();
    for cert in CertificateDer::pem_file_iter(ca).expect("the CA file is there") {
        roots.add(cert.expect("the CA file is PEM")).expect("the CA is a certificate");
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("ring has the default versions")
        .with_root_certificates(roots);
    let mut config = match own {
        None => builder.with_no_client_auth(),
        Some((cert, key)) => {
            let chain = CertificateDer::pem_file_iter(cert).expect("the certificate is there");
            let chain = chain.collect::<Result<Vec<_>, _>>().expect("the certificate is PEM");
            let key = PrivateKeyDer::from_pem_file(key).expect("the key is there");
            builder.with_client_auth_cert(chain, key).expect("certificate and key belong together")
        }
    };
    config.alpn_protocols = vec![b"h2".to_vec()];
    config
}

/// Connects to `address` (host:port).
///
/// # Errors
/// What tonic says.
pub async fn channel(address: &str, tls: ClientConfig) -> Result<Channel, tonic::transport::Error> {
    let connector = TlsConnector::from(Arc::new(tls));
    let address = address.to_owned();
    let endpoint =
        Endpoint::from_shared(format!("http://{address}"))?.connect_timeout(Duration::from_secs(10));
    let connect = tower::service_fn(move |_: Uri| {
        let (connector, address) = (connector.clone(), address.clone());
        async move {
            let stream = TcpStream::connect(&address).await?;
            stream.set_nodelay(true)?;
            let host = address.rsplit_once(':').map_or(address.as_str(), |(host, _)| host);
            let host = host.trim_matches(['[', ']']).to_owned();
            let name = ServerName::try_from(host).map_err(io::Error::other)?;
            Ok::<_, io::Error>(hyper_util::rt::TokioIo::new(connector.connect(name, stream).await?))
        }
    });
    endpoint.connect_with_connector(connect).await
}

/// An operator's client with the credentials in `folder` (cert.pem, key.pem, ca.pem).
///
/// # Errors
/// What tonic says.
pub async fn operator(
    address: &str,
    folder: &Path,
) -> Result<OperatorClient<Channel>, tonic::transport::Error> {
    let (cert, key) = (folder.join("cert.pem"), folder.join("key.pem"));
    let tls = tls(&folder.join("ca.pem"), Some((&cert, &key)));
    channel(address, tls).await.map(OperatorClient::new)
}

/// All journaled events, page by page, newest first.
///
/// # Errors
/// What the collector says.
pub async fn events(operator: &mut OperatorClient<Channel>) -> Result<Vec<v1::Event>, tonic::Status> {
    let (mut all, mut page_token) = (Vec::new(), String::new());
    loop {
        let request = v1::ListEventsRequest { page_token, ..Default::default() };
        let page = operator.list_events(request).await?.into_inner();
        all.extend(page.events);
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return Ok(all);
        }
    }
}

/// All incidents of one page with all that is told of each, newest first.
///
/// # Errors
/// What the collector says.
pub async fn incidents(
    operator: &mut OperatorClient<Channel>,
) -> Result<Vec<v1::GetIncidentResponse>, tonic::Status> {
    let listed = operator.list_incidents(v1::ListIncidentsRequest::default()).await?.into_inner();
    let mut all = Vec::new();
    for incident in listed.incidents {
        let asked = operator.get_incident(v1::GetIncidentRequest { id: incident.id }).await?;
        all.push(asked.into_inner());
    }
    Ok(all)
}

/// How many deaths of services these tell, and whether all of them are over.
pub fn deaths(all: &[v1::GetIncidentResponse]) -> (usize, bool) {
    let told = all.iter().flat_map(|one| &one.timeline).filter(|entry| entry.code == "service-died");
    let is_over = |incident: &v1::Incident| incident.state() == v1::IncidentState::Resolved;
    (told.count(), all.iter().all(|one| one.incident.as_ref().is_some_and(is_over)))
}
