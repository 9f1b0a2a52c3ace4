//! Who is at the other end: read from the client certificate's URI SAN, and from nothing else.
//!
//! TLS has verified the chain before this is asked, so only certificates of our own CA arrive here. A certificate
//! with no Picket URI, or with more than one, is nobody's.

use picket_proto::{HostId, Name, Wall};
use rustls_pki_types::CertificateDer;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer, X509Certificate};

/// The URI's start for agents; the host's id follows.
pub(crate) const AGENT_URI: &str = "picket://agent/";
/// The URI's start for operators; the name follows.
pub(crate) const OPERATOR_URI: &str = "picket://operator/";

/// A peer as its certificate names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Peer {
    /// An agent of this host.
    Agent(HostId),
    /// An operator.
    Operator(Name),
    /// It showed no certificate, or one that names nobody: it may enrol and nothing else.
    Unknown,
}

impl Peer {
    /// The peer of a verified chain.
    pub(crate) fn of(chain: Option<&[CertificateDer<'_>]>) -> Self {
        chain.and_then(<[_]>::first).and_then(|leaf| named(leaf)).unwrap_or(Self::Unknown)
    }
}

/// Whether the certificate of a verified chain does not hold any more.
pub(crate) fn has_ended(chain: Option<&[CertificateDer<'_>]>, now: Wall) -> bool {
    let Some(leaf) = chain.and_then(<[_]>::first) else { return false };
    X509Certificate::from_der(leaf)
        .is_ok_and(|(_, leaf)| leaf.validity().not_after.timestamp() < now.micros().div_euclid(1_000_000))
}

fn named(leaf: &CertificateDer<'_>) -> Option<Peer> {
    let (_rest, parsed) = X509Certificate::from_der(leaf).ok()?;
    let names = parsed.subject_alternative_name().ok()??;
    let mut uris = names.value.general_names.iter().filter_map(|name| match name {
        GeneralName::URI(uri) => Some(*uri),
        _ => None,
    });
    let uri = uris.next()?;
    if uris.next().is_some() {
        return None;
    }
    if let Some(host) = uri.strip_prefix(AGENT_URI) {
        return host.parse().ok().map(Peer::Agent);
    }
    let operator = uri.strip_prefix(OPERATOR_URI)?;
    operator.parse().ok().map(Peer::Operator)
}
