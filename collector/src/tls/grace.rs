//! Who may show a certificate: webpki's word, and a grace for agents whose certificate ended while they or the collector were
//! away.
//!
//! A host that was off for months would have to be enrolled anew by a person, though nothing is wrong but the date. So for
//! 90 days after its end, as long again as it was good, an agent's certificate still opens a connection, on which it may be
//! renewed and nothing else ([`Peer::Late`]). All else must hold as on its last day. Operators have no grace: they can be given
//! new credentials at any time, and theirs change things.

use crate::peer::{Peer, ended};
use picket_proto::Wall;
use rustls::client::danger::HandshakeSignatureValid;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{CertificateError, DigitallySignedStruct, DistinguishedName, Error, SignatureScheme};
use rustls_pki_types::{CertificateDer, UnixTime};
use std::sync::Arc;
use std::time::Duration;

/// How long after its end a certificate may be renewed: as long as it was good.
const GRACE: Duration = Duration::from_secs(90 * 86_400);

/// See the module.
#[derive(Debug)]
pub(super) struct Graceful(pub(super) Arc<dyn ClientCertVerifier>);

impl ClientCertVerifier for Graceful {
    fn verify_client_cert(
        &self,
        leaf: &CertificateDer<'_>,
        chain: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        let judged = self.0.verify_client_cert(leaf, chain, now);
        let Err(Error::InvalidCertificate(
            CertificateError::Expired | CertificateError::ExpiredContext { .. },
        )) = judged
        else {
            return judged;
        };
        last_day(leaf, now).map_or(judged, |then| self.0.verify_client_cert(leaf, chain, then))
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.0.root_hint_subjects()
    }

    fn client_auth_mandatory(&self) -> bool {
        self.0.client_auth_mandatory()
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.0.verify_tls12_signature(message, leaf, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.0.verify_tls13_signature(message, leaf, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_verify_schemes()
    }
}

/// The last second of an agent's certificate that ended within the grace.
fn last_day(leaf: &CertificateDer<'_>, now: UnixTime) -> Option<UnixTime> {
    let wall = Wall::from_micros(i64::try_from(now.as_secs()).ok()?.checked_mul(1_000_000)?);
    let Peer::Late(_) = Peer::of(Some(std::slice::from_ref(leaf)), wall) else { return None };
    let then = Duration::from_secs(u64::try_from(ended(leaf)?).ok()?);
    (Duration::from_secs(now.as_secs()) <= then + GRACE).then(|| UnixTime::since_unix_epoch(then))
}
