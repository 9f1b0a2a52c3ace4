//! A TLS server: the handshake, and how many whole hours are left until it is believed no longer: until the first
//! certificate that it needs of its chain ends.
//!
//! rustls decides whether the chain is believed and is for the name; what it refuses is told in words with the
//! certificate that was shown. Only where an end that has passed is all that it refuses, the reading is a level
//! still, below zero. A certificate that stands in the check's own `ca` file is believed as it is. Every look is a
//! handshake of its own, without resumption, so that it is the certificate of today that is seen.
//!
//! The system's CAs are loaded once, at the start, and only if some check needs them: they cost over a MiB. Not looked
//! at: revocation, and what is spoken inside TLS. A server that wants a certificate of its clients is read by TLS 1.3
//! alone: there the refusal comes after the handshake.

mod starttls;
mod verify;

use super::{Seen, cause_of, tcp};
use crate::config::{Check, Target, Tls};
use crate::{clock, words};
use picket_agent_core::check::Reading;
use picket_proto::event::Cause;
use rustls::{CertificateError, ClientConfig, Error, RootCertStore};
use std::io;
use std::sync::Arc;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use verify::{Shown, Verifier};

const HOUR: i64 = 3600;

/// The system's CAs.
#[derive(Debug, Clone)]
pub(super) struct Believed(Arc<RootCertStore>);

impl Believed {
    /// Loads them if one of these checks needs them. Those that can't be read are left out: a server that they vouch
    /// for is then refused, in words.
    pub(super) fn of(checks: &[Check]) -> Self {
        let mut roots = RootCertStore::empty();
        if Self::is_needed(checks) {
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
        Self(Arc::new(roots))
    }

    /// Whether one of these checks believes the system's CAs.
    pub(super) fn is_needed(checks: &[Check]) -> bool {
        let needs = |check: &Check| matches!(&check.target, Target::Tls(tls) if tls.ca.is_empty());
        checks.iter().any(needs)
    }

    /// Those that a check names, or else the system's.
    fn for_check(self, tls: &Tls) -> Arc<RootCertStore> {
        if tls.ca.is_empty() {
            return self.0;
        }
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(tls.ca.iter().cloned());
        Arc::new(roots)
    }
}

/// Looks once.
pub(super) async fn read(server: Tls, system: Believed) -> Seen {
    let roots = system.for_check(&server);
    if roots.is_empty() {
        let words = "this system has no CA certificates: install ca-certificates, or name a file in `ca`";
        return Seen::new(Reading::Bad(Cause::Local(libc::ENOENT)), words);
    }
    let stream = match tcp::dial(&server.address).await {
        Ok(stream) => stream,
        Err(cause) => return Reading::Bad(cause).into(),
    };
    let stream = match server.starttls {
        None => stream,
        Some(protocol) => match starttls::ask(protocol, stream).await {
            Ok(stream) => stream,
            Err(seen) => return seen,
        },
    };
    match Verifier::new(roots, &server.ca) {
        Ok(verifier) => handshake(&server, stream, Arc::new(verifier)).await,
        Err(error) => Seen::new(Reading::Bad(Cause::Tls), error.to_string()),
    }
}

async fn handshake(server: &Tls, stream: TcpStream, verifier: Arc<Verifier>) -> Seen {
    let config =
        ClientConfig::builder_with_provider(verifier.provider()).with_safe_default_protocol_versions();
    let config = match config {
        Ok(config) => config,
        Err(error) => return Seen::new(Reading::Bad(Cause::Tls), error.to_string()),
    };
    let config = config.dangerous().with_custom_certificate_verifier(Arc::<Verifier>::clone(&verifier));
    let connector = TlsConnector::from(Arc::new(config.with_no_client_auth()));
    let outcome = match connector.connect(server.server_name.clone(), stream).await {
        Ok(mut stream) => {
            // A server that is told goodbye logs no torn connection.
            let _it_has_answered_already = stream.shutdown().await;
            Ok(())
        }
        Err(error) => Err(error),
    };
    seen(outcome, verifier.shown())
}

fn seen(outcome: io::Result<()>, shown: Option<&Shown>) -> Seen {
    let error = match &outcome {
        Ok(()) => None,
        Err(io) => match io.get_ref().and_then(|inner| inner.downcast_ref::<Error>()) {
            Some(error) => Some(error),
            None => return Reading::Bad(cause_of(io)).into(),
        },
    };
    match (error, shown) {
        (None, None) => Seen::new(Reading::Bad(Cause::Tls), "its certificate can't be read"),
        (None, Some(shown)) => Seen::new(Reading::Level(left(shown.to)), shown.to_string()),
        (Some(error), Some(shown)) if is_expired(error) => {
            Seen::new(Reading::Level(left(shown.to)), shown.to_string())
        }
        (Some(error), shown) => Seen::new(Reading::Bad(Cause::Tls), words::plain(&why(error, shown))),
    }
}

/// Whether an end that has passed is what was refused.
const fn is_expired(error: &Error) -> bool {
    use CertificateError::{Expired, ExpiredContext};
    matches!(error, Error::InvalidCertificate(Expired | ExpiredContext { .. }))
}

/// Whole hours until then, below zero where it has passed.
pub(super) fn left(to: i64) -> i64 {
    to.saturating_sub(clock::now().wall.micros().div_euclid(1_000_000)).div_euclid(HOUR)
}

/// What was refused, and why.
fn why(error: &Error, shown: Option<&Shown>) -> String {
    let issuer = || shown.map_or("somebody", |shown| shown.issuer.as_str());
    let is_its_own = shown.is_some_and(|shown| shown.issuer == shown.subject);
    match error {
        // webpki refuses one that is its own CA in words of its own.
        Error::InvalidCertificate(CertificateError::UnknownIssuer | CertificateError::Other(_))
            if is_its_own =>
        {
            format!("nobody but itself vouches for the certificate of {}: `ca` may name its file", issuer())
        }
        Error::InvalidCertificate(CertificateError::UnknownIssuer) => {
            format!("nobody believed here has issued the certificate; it says it is by {}", issuer())
        }
        Error::InvalidCertificate(CertificateError::NotValidForNameContext { expected, presented }) => {
            let names: Vec<_> = presented.iter().map(|name| bare(name)).collect();
            format!("the certificate is for {}, not for {}", names.join(", "), expected.to_str())
        }
        Error::InvalidCertificate(CertificateError::NotValidYetContext { not_before, .. }) => {
            let from = i64::try_from(not_before.as_secs()).unwrap_or(i64::MAX);
            format!("the certificate is not valid yet: it begins {}", words::date(from))
        }
        Error::AlertReceived(alert) => format!("the server ended TLS: {alert:?}"),
        Error::InvalidMessage(_) => format!("what answers does not speak TLS ({error})"),
        other => other.to_string(),
    }
}

/// `DnsName("a.example")` as webpki prints it, without its wrapping.
fn bare(name: &str) -> &str {
    let inner = name.split_once('(').and_then(|(_, rest)| rest.strip_suffix(')'));
    inner.map_or(name, |inner| inner.trim_matches('"'))
}

#[cfg(test)]
mod tests;
