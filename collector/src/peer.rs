//! Who is at the other end: read from the client certificate's URI SAN, and from nothing else.
//!
//! TLS has verified the chain before this is asked, so only certificates of our own CA arrive here. A certificate
//! with no Picket URI, or with more than one, is nobody's.

use crate::authority::{hash, made};
use picket_collector_core::identity::Shown;
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
    /// An agent of this host whose certificate has ended: it may renew it for its own key, and nothing else.
    Late(HostId),
    /// It showed no certificate, or one that names nobody: it may enrol and nothing else.
    Unknown,
}

impl Peer {
    /// The peer of a verified chain at this time.
    pub(crate) fn of(chain: Option<&[CertificateDer<'_>]>, now: Wall) -> Self {
        let peer = chain.and_then(<[_]>::first).and_then(|leaf| named(leaf)).unwrap_or(Self::Unknown);
        match peer {
            Self::Agent(host) if has_ended(chain, now) => Self::Late(host),
            other => other,
        }
    }
}

/// What a verified chain's certificate means to whoever renews it.
pub(crate) fn shown(chain: Option<&[CertificateDer<'_>]>, now: Wall) -> Option<Shown> {
    let (_rest, leaf) = X509Certificate::from_der(chain?.first()?).ok()?;
    let since = leaf.validity().not_before.timestamp().saturating_mul(1_000_000);
    Some(Shown {
        key: hash(&leaf.public_key().subject_public_key.data),
        made: made(Wall::from_micros(since)),
        has_ended: has_ended(chain, now),
    })
}

/// When a certificate ends, seconds after 1970.
pub(crate) fn ended(leaf: &CertificateDer<'_>) -> Option<i64> {
    Some(X509Certificate::from_der(leaf).ok()?.1.validity().not_after.timestamp())
}

/// Whether the certificate of a verified chain does not hold any more.
pub(crate) fn has_ended(chain: Option<&[CertificateDer<'_>]>, now: Wall) -> bool {
    let end = chain.and_then(<[_]>::first).and_then(ended);
    end.is_some_and(|end| end < now.micros().div_euclid(1_000_000))
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
