//! What a failure of TLS means: whose certificate it was, what the clock has to do with it, or that it is no TLS.

use crate::identity::x509;
use crate::link::why::{Diagnosis, Step, sources};
use rustls::{AlertDescription, CertificateError, Error};
use rustls_pki_types::{CertificateDer, UnixTime};
use std::fmt;
use std::io;

/// What Picket's own CAs are called, in every collector.
const OWN_CA: &str = "CN=Picket CA";

/// How much of a name is told.
const NAME_MAX: usize = 100;

/// A certificate that the believed CA has not issued.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Foreign {
    issuer: String,
    /// The issuer bears the name of a Picket CA, but is another one.
    is_another_collectors: bool,
}

impl Foreign {
    pub(super) fn of(server: &CertificateDer<'_>, own: &[CertificateDer<'_>]) -> Self {
        let issuer = x509::read(server)
            .map_or_else(|| "nobody that can be read".to_owned(), |server| named(server.issuer));
        let own = own.iter().filter_map(|ca| x509::read(ca));
        let mut names = own.map(|ca| named(ca.subject));
        let is_another_collectors = issuer == OWN_CA || names.any(|name| name == issuer);
        Self { issuer, is_another_collectors }
    }
}

/// The common name, without what could drive a terminal; whole names would need a table of all that they can hold.
fn named(common: Option<&str>) -> String {
    let clean =
        common.map(|common| common.chars().filter(|c| !c.is_control()).take(NAME_MAX).collect::<String>());
    clean.map_or_else(|| "a CA without a common name".to_owned(), |common| format!("CN={common}"))
}

impl fmt::Display for Foreign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let issuer = &self.issuer;
        if self.is_another_collectors {
            return write!(
                f,
                "the certificate presented is issued by another {issuer} than the one that this host believes"
            );
        }
        write!(
            f,
            "the certificate presented is issued by {issuer}, not by this collector's CA: something on the way opens TLS"
        )
    }
}

impl std::error::Error for Foreign {}

/// The TLS error that this one rests on: with TLS 1.3 a server refuses a client's certificate only after the
/// handshake, and it arrives as the failure of the first call.
pub(in crate::link) fn below<'e>(error: &'e (dyn std::error::Error + 'static)) -> Option<&'e Error> {
    sources(error).find_map(|error| {
        let inner = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        error.downcast_ref().or_else(|| inner.and_then(|inner| inner.downcast_ref()))
    })
}

/// What it means.
pub(in crate::link) fn why(step: Step, error: &Error) -> Diagnosis {
    let (code, detail) = match error {
        Error::InvalidCertificate(bad) => certificate(bad),
        Error::AlertReceived(alert) => alerted(*alert),
        Error::InvalidMessage(_) => ("link-not-tls", format!("what answers does not speak TLS ({error})")),
        Error::NoApplicationProtocol => {
            ("link-not-picket", "what answers speaks TLS but not HTTP/2".to_owned())
        }
        other => ("link-tls", other.to_string()),
    };
    Diagnosis::new(step, code, detail)
}

fn certificate(bad: &CertificateError) -> (&'static str, String) {
    match bad {
        CertificateError::NotValidYetContext { time, not_before } => (
            "link-clock",
            format!(
                "the collector's certificate holds from {} on and this host's clock says {}: set the clock",
                date(*not_before),
                date(*time)
            ),
        ),
        CertificateError::ExpiredContext { time, not_after } => (
            "link-expired",
            format!(
                "the collector's certificate held until {} and this host's clock says {}",
                date(*not_after),
                date(*time)
            ),
        ),
        CertificateError::NotValidForNameContext { expected, presented } => (
            "link-name",
            format!(
                "the certificate is for {}, not for {}",
                presented.iter().map(|name| bare(name)).collect::<Vec<_>>().join(", "),
                expected.to_str()
            ),
        ),
        CertificateError::Other(other) => match other.0.downcast_ref::<Foreign>() {
            Some(foreign) if foreign.is_another_collectors => ("link-ca", foreign.to_string()),
            Some(foreign) => ("link-intercepted", foreign.to_string()),
            None => ("link-tls", other.to_string()),
        },
        other => ("link-tls", other.to_string()),
    }
}

/// `DnsName("a.example")` as webpki prints it, without its wrapping.
fn bare(name: &str) -> &str {
    let inner = name.split_once('(').and_then(|(_, rest)| rest.strip_suffix(')'));
    inner.map_or(name, |inner| inner.trim_matches('"'))
}

/// What the collector said against this host's certificate.
fn alerted(alert: AlertDescription) -> (&'static str, String) {
    match alert {
        AlertDescription::CertificateExpired => {
            ("link-own-expired", "the collector says that this host's certificate has run out".to_owned())
        }
        AlertDescription::CertificateRevoked => {
            ("link-revoked", "the collector says that this host's certificate is revoked".to_owned())
        }
        AlertDescription::UnknownCA
        | AlertDescription::DecryptError
        | AlertDescription::BadCertificate
        | AlertDescription::CertificateUnknown
        | AlertDescription::CertificateRequired
        | AlertDescription::AccessDenied => {
            ("link-revoked", format!("the collector does not accept this host's certificate ({alert:?})"))
        }
        AlertDescription::NoApplicationProtocol => {
            ("link-not-picket", "what answers speaks TLS but not HTTP/2".to_owned())
        }
        AlertDescription::ProtocolVersion => {
            ("link-not-picket", "what answers speaks only other versions of TLS".to_owned())
        }
        other => ("link-tls", format!("the other side ended TLS: {other:?}")),
    }
}

pub(super) fn date(at: UnixTime) -> String {
    let seconds = i64::try_from(at.as_secs()).unwrap_or(i64::MAX);
    jiff::Timestamp::from_second(seconds)
        .map_or_else(|_| format!("{seconds} s after 1970"), |at| at.to_string())
}
