//! TLS of the link: mutual with the host's own certificate, or, for the enrolment only, without one and with the CA
//! that the token pins.
//!
//! tokio-rustls with ring, TLS 1.2 and 1.3, ALPN `h2`. A pinned CA must be in the chain that the server sends, and
//! the server's certificate must verify against it and nothing else.

use crate::identity::Identity;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{
    CryptoProvider, WebPkiSupportedAlgorithms, ring, verify_tls12_signature, verify_tls13_signature,
};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use sha2::{Digest, Sha256};
use std::sync::Arc;

/// For a session: mutual.
///
/// # Errors
/// The identity's files don't fit together.
pub(super) fn mutual(identity: Identity) -> Result<ClientConfig, Error> {
    let config = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots(identity.ca)?)
        .with_client_auth_cert(identity.chain, identity.key)?;
    Ok(with_h2(config))
}

/// For an enrolment with a CA file.
///
/// # Errors
/// The CA's certificate can't be used.
pub(super) fn with_ca(ca: Vec<CertificateDer<'static>>) -> Result<ClientConfig, Error> {
    let config = ClientConfig::builder_with_provider(provider()).with_safe_default_protocol_versions()?;
    Ok(with_h2(config.with_root_certificates(roots(ca)?).with_no_client_auth()))
}

/// For an enrolment with nothing but the SHA-256 of the CA's certificate.
///
/// # Errors
/// The provider lacks a protocol version; never with ring.
pub(super) fn with_pin(ca: [u8; 32]) -> Result<ClientConfig, Error> {
    let provider = provider();
    let verifier = Pinned {
        ca,
        algorithms: provider.signature_verification_algorithms,
        provider: Arc::clone(&provider),
    };
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    let config = config.dangerous().with_custom_certificate_verifier(Arc::new(verifier));
    Ok(with_h2(config.with_no_client_auth()))
}

/// Whether `certificate` is the one that the token pins.
pub(super) fn is_pinned(certificate: &[u8], pin: &[u8; 32]) -> bool {
    Sha256::digest(certificate).as_slice() == pin
}

fn with_h2(mut config: ClientConfig) -> ClientConfig {
    config.alpn_protocols = vec![b"h2".to_vec()];
    // One session per stream of days: tickets would only be memory and a thing to leak.
    config.resumption = rustls::client::Resumption::disabled();
    config
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

fn roots(ca: Vec<CertificateDer<'static>>) -> Result<RootCertStore, Error> {
    let mut roots = RootCertStore::empty();
    for certificate in ca {
        roots.add(certificate)?;
    }
    Ok(roots)
}

#[derive(Debug)]
struct Pinned {
    ca: [u8; 32],
    algorithms: WebPkiSupportedAlgorithms,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        server: &CertificateDer<'_>,
        chain: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let pinned = chain.iter().find(|certificate| is_pinned(certificate, &self.ca));
        let ca = pinned.ok_or(Error::InvalidCertificate(CertificateError::UnknownIssuer))?;
        let roots = Arc::new(roots(vec![ca.clone().into_owned()])?);
        WebPkiServerVerifier::builder_with_provider(roots, Arc::clone(&self.provider))
            .build()
            .map_err(|error| Error::General(error.to_string()))?
            .verify_server_cert(server, chain, name, ocsp, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        server: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, server, signature, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        server: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, server, signature, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}
