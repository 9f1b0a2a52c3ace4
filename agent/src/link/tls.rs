//! TLS of the link: mutual with the host's own certificate, or, for the enrolment only, without one and with the CA
//! that the token pins; and what a failure of it means.
//!
//! tokio-rustls with ring, TLS 1.2 and 1.3, ALPN `h2`. A pinned CA must be in the chain that the server sends, and
//! the server's certificate must verify against it and nothing else. A certificate that is not the CA's is refused as
//! ever, but who issued it is kept in the error: that tells a device that opens TLS from a wrong collector.
//!
//! **A clock that was never set** (1970 at each boot of a board without a battery) is known to be wrong where it is before a
//! day that is over: the first of the believed CA or of the host's own certificate, or one that `date.rs` knows. Then the
//! collector's certificate is judged as of the latest of these days and its own first one: the earliest time that it can be.
//! What that lets through besides is a certificate of the same CA that has ended since that day. A clock that may be right is
//! believed.
//!
//! **Resumption.** Over a link that costs money a session begins where the one before ended, if both ends still have it
//! in their memory: a third of the bytes of a whole handshake, and no signature. Only the sessions of one identity and
//! one set of CAs are resumed, since what is kept goes with the configuration that they began with, and each ticket is
//! used once. Elsewhere none is asked for: one session per stream of days, and tickets would only be memory and a
//! thing to leak.

mod why;

pub(super) use why::{below, why};

use super::date::Dates;
use crate::clock;
use crate::identity::{Identity, validity};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{Resumption, TicketRequest, WebPkiServerVerifier};
use rustls::crypto::{
    CryptoProvider, WebPkiSupportedAlgorithms, ring, verify_tls12_signature, verify_tls13_signature,
};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, OtherError, RootCertStore, SignatureScheme,
};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use sha2::{Digest, Sha256};
use std::sync::Arc;
use std::time::Duration;
use why::Foreign;

/// Names of collectors whose sessions are kept: one, and others where it was reached by another name.
const SESSIONS_KEPT: usize = 8;

/// TLS as this host, with the sessions that can be resumed.
#[derive(Debug, Clone)]
pub(crate) struct Kept {
    chain: Vec<CertificateDer<'static>>,
    ca: Vec<CertificateDer<'static>>,
    config: Arc<ClientConfig>,
}

impl Kept {
    /// What was kept, where the identity is still the same; else made anew.
    ///
    /// # Errors
    /// The identity's files don't fit together.
    pub(super) fn take_up(
        kept: Option<&Self>,
        identity: Identity,
        resumes: bool,
        dates: &Arc<Dates>,
    ) -> Result<Self, Error> {
        let same = kept.filter(|kept| kept.chain == identity.chain && kept.ca == identity.ca);
        if let Some(same) = same {
            return Ok(same.clone());
        }
        let (chain, ca) = (identity.chain.clone(), identity.ca.clone());
        let mut config = mutual(identity, dates)?;
        if resumes {
            config.resumption = Resumption::in_memory_sessions(SESSIONS_KEPT);
            config.send_ticket_request = Some(TicketRequest { new_session_count: 1, resumption_count: 1 });
        }
        Ok(Self { chain, ca, config: Arc::new(config) })
    }

    pub(super) fn config(&self) -> Arc<ClientConfig> {
        Arc::clone(&self.config)
    }

    /// The host's own certificate.
    pub(super) fn certificate(&self) -> Option<&[u8]> {
        self.chain.first().map(AsRef::as_ref)
    }
}

/// For a session: mutual.
///
/// # Errors
/// The identity's files don't fit together.
pub(super) fn mutual(identity: Identity, dates: &Arc<Dates>) -> Result<ClientConfig, Error> {
    let since = identity.chain.first().map_or(0, |own| begins(own));
    builder(Trust::Cas(identity.ca), (since, dates))?
        .with_client_auth_cert(identity.chain, identity.key)
        .map(with_h2)
}

/// For an enrolment with a CA file.
///
/// # Errors
/// The CA's certificate can't be used.
pub(super) fn with_ca(ca: Vec<CertificateDer<'static>>, dates: &Arc<Dates>) -> Result<ClientConfig, Error> {
    builder(Trust::Cas(ca), (0, dates)).map(|builder| with_h2(builder.with_no_client_auth()))
}

/// For an enrolment with nothing but the SHA-256 of the CA's certificate.
///
/// # Errors
/// The provider lacks a protocol version; never with ring.
pub(super) fn with_pin(ca: [u8; 32], dates: &Arc<Dates>) -> Result<ClientConfig, Error> {
    builder(Trust::Pin(ca), (0, dates)).map(|builder| with_h2(builder.with_no_client_auth()))
}

/// Whether `certificate` is the one that the token pins.
pub(super) fn is_pinned(certificate: &[u8], pin: &[u8; 32]) -> bool {
    Sha256::digest(certificate).as_slice() == pin
}

type Builder = rustls::ConfigBuilder<ClientConfig, rustls::client::WantsClientCert>;

/// `since` is a time, in seconds after 1970, that is over.
fn builder(trust: Trust, (since, dates): (i64, &Arc<Dates>)) -> Result<Builder, Error> {
    let provider = Arc::new(ring::default_provider());
    let verifier = Verifier {
        trust,
        since,
        dates: Arc::clone(dates),
        algorithms: provider.signature_verification_algorithms,
        provider: Arc::clone(&provider),
    };
    if let Trust::Cas(ca) = &verifier.trust {
        roots(ca.clone())?;
    }
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    Ok(builder.dangerous().with_custom_certificate_verifier(Arc::new(verifier)))
}

/// From when a certificate holds, seconds after 1970; 0 for what is none, which webpki refuses.
fn begins(certificate: &[u8]) -> i64 {
    validity(certificate).map_or(0, |(from, _)| from)
}

fn with_h2(mut config: ClientConfig) -> ClientConfig {
    config.alpn_protocols = vec![b"h2".to_vec()];
    config.resumption = Resumption::disabled();
    config.send_ticket_request = Some(TicketRequest { new_session_count: 0, resumption_count: 0 });
    config
}

fn roots(ca: Vec<CertificateDer<'static>>) -> Result<RootCertStore, Error> {
    let mut roots = RootCertStore::empty();
    for certificate in ca {
        roots.add(certificate)?;
    }
    Ok(roots)
}

/// Whom the verifier believes.
#[derive(Debug)]
enum Trust {
    Cas(Vec<CertificateDer<'static>>),
    Pin([u8; 32]),
}

/// webpki's verifier, with an error that says whose certificate it was.
#[derive(Debug)]
struct Verifier {
    trust: Trust,
    /// A time that is over, seconds after 1970.
    since: i64,
    dates: Arc<Dates>,
    algorithms: WebPkiSupportedAlgorithms,
    provider: Arc<CryptoProvider>,
}

impl Verifier {
    fn believed(&self, chain: &[CertificateDer<'_>]) -> Result<Vec<CertificateDer<'static>>, Error> {
        match &self.trust {
            Trust::Cas(ca) => Ok(ca.clone()),
            Trust::Pin(pin) => {
                let pinned = chain.iter().find(|certificate| is_pinned(certificate, pin));
                let ca = pinned.ok_or(Error::InvalidCertificate(CertificateError::UnknownIssuer))?;
                Ok(vec![ca.clone().into_owned()])
            }
        }
    }

    /// As of when the collector's certificate is judged: now, or where the clock was never set the earliest time that it can be.
    fn judged_at(&self, now: UnixTime, ca: &[CertificateDer<'_>], server: &CertificateDer<'_>) -> UnixTime {
        let over = self.since.max(self.dates.floor(clock::now().mono));
        let floor = ca.iter().map(|ca| begins(ca)).fold(over, i64::max);
        let is_behind = i64::try_from(now.as_secs()).unwrap_or(i64::MAX) < floor;
        let is_news = self.dates.notes(is_behind);
        if !is_behind {
            return now;
        }
        let at = u64::try_from(floor.max(begins(server))).unwrap_or(0);
        let at = UnixTime::since_unix_epoch(Duration::from_secs(at));
        if is_news {
            tracing::warn!(
                code = "link-clock",
                "this host's clock says {}, which is over: until it is set the collector's certificate is judged as of {}",
                why::date(now),
                why::date(at)
            );
        }
        at
    }

    fn own_cas(&self) -> &[CertificateDer<'static>] {
        match &self.trust {
            Trust::Cas(ca) => ca,
            Trust::Pin(_) => &[],
        }
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        server: &CertificateDer<'_>,
        chain: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let verified = self.believed(chain).and_then(|ca| {
            let now = self.judged_at(now, &ca, server);
            WebPkiServerVerifier::builder_with_provider(Arc::new(roots(ca)?), Arc::clone(&self.provider))
                .build()
                .map_err(|error| Error::General(error.to_string()))?
                .verify_server_cert(server, chain, name, ocsp, now)
        });
        verified.map_err(|error| match error {
            // A CA made anew has the name of the old one, so that its signature is what does not fit.
            Error::InvalidCertificate(CertificateError::UnknownIssuer | CertificateError::BadSignature) => {
                let foreign = Foreign::of(server, self.own_cas());
                Error::InvalidCertificate(CertificateError::Other(OtherError(Arc::new(foreign))))
            }
            other => other,
        })
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

#[cfg(test)]
mod tests;
