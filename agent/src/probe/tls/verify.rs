//! webpki's verifier, which also keeps what the server has shown, believed or not: of that the certificate with whose
//! end it is believed no longer.
//!
//! Servers send certificates that nobody needs, an old root signed by an older one among them. Which are needed is
//! webpki's word, too: it is asked at the ends of the chain, the last first, when it still believes. That costs one more
//! look at the signatures where another certificate ends before the server's own, and eight at most.

use crate::identity::x509;
use crate::words;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::crypto::{CryptoProvider, ring};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use std::cmp::Reverse;
use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// How many ends webpki is asked about.
const ASKED: usize = 8;

/// The certificate of a chain that is needed and ends first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Shown {
    /// When it ends, seconds after 1970.
    pub(super) to: i64,
    pub(super) subject: String,
    pub(super) issuer: String,
    /// It is the server's own, not one of those above it.
    is_own: bool,
}

impl Shown {
    /// Of what is believed at no end the first one.
    fn of(
        server: &CertificateDer<'_>,
        chain: &[CertificateDer<'_>],
        is_believed: impl Fn(UnixTime) -> bool,
    ) -> Option<Self> {
        let own = x509::read(server)?;
        let above = chain.iter().filter_map(|above| x509::read(above)).filter(|above| above.to < own.to);
        let mut ends: Vec<_> =
            std::iter::once((true, own)).chain(above.map(|above| (false, above))).collect();
        ends.sort_by_key(|(_, said)| Reverse(said.to));
        ends.dedup_by_key(|(_, said)| said.to);
        let first = ends.pop()?;
        let (is_own, end) =
            ends.into_iter().take(ASKED).find(|(_, said)| is_believed(at(said.to))).unwrap_or(first);
        let named = |name: Option<&str>| name.map_or_else(|| "a nameless one".to_owned(), words::plain);
        Some(Self { to: end.to, subject: named(end.subject), issuer: named(end.issuer), is_own })
    }
}

/// Seconds after 1970.
fn at(seconds: i64) -> UnixTime {
    UnixTime::since_unix_epoch(Duration::from_secs(seconds.max(0).unsigned_abs()))
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { to, subject, issuer, is_own } = self;
        let above = if *is_own { "" } else { "in the chain: " };
        write!(f, "{above}{subject}, by {issuer}, until {}", words::date(*to))
    }
}

#[derive(Debug)]
pub(super) struct Verifier {
    webpki: Arc<WebPkiServerVerifier>,
    provider: Arc<CryptoProvider>,
    /// Believed as they are.
    known: Vec<CertificateDer<'static>>,
    shown: OnceLock<Option<Shown>>,
}

impl Verifier {
    /// Believes what these vouch for, and `known` themselves.
    ///
    /// # Errors
    /// There is nobody to believe.
    pub(super) fn new(
        roots: Arc<RootCertStore>,
        known: &[CertificateDer<'static>],
    ) -> Result<Self, rustls::client::VerifierBuilderError> {
        let provider = Arc::new(ring::default_provider());
        let webpki = WebPkiServerVerifier::builder_with_provider(roots, Arc::clone(&provider)).build()?;
        Ok(Self { webpki, provider, known: known.to_vec(), shown: OnceLock::new() })
    }

    pub(super) fn provider(&self) -> Arc<CryptoProvider> {
        Arc::clone(&self.provider)
    }

    /// What the server showed, once it has.
    pub(super) fn shown(&self) -> Option<&Shown> {
        self.shown.get()?.as_ref()
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
        if !self.known.contains(server) {
            let believed = |at| self.webpki.verify_server_cert(server, chain, name, ocsp, at);
            self.shown.get_or_init(|| Shown::of(server, chain, |at| believed(at).is_ok()));
            return believed(now);
        }
        self.shown.get_or_init(|| Shown::of(server, &[], |_| true));
        holds(server, now)?;
        verify_server_name(&ParsedCertificate::try_from(server)?, name)?;
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        server: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.webpki.verify_tls12_signature(message, server, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        server: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.webpki.verify_tls13_signature(message, server, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.webpki.supported_verify_schemes()
    }
}

/// Whether the certificate holds now.
fn holds(certificate: &CertificateDer<'_>, time: UnixTime) -> Result<(), Error> {
    let said = x509::read(certificate).ok_or(Error::InvalidCertificate(CertificateError::BadEncoding))?;
    let (not_before, not_after) = (at(said.from), at(said.to));
    if time > not_after {
        return Err(CertificateError::ExpiredContext { time, not_after }.into());
    }
    if time < not_before {
        return Err(CertificateError::NotValidYetContext { time, not_before }.into());
    }
    Ok(())
}
