//! Enrolment and renewal: how a host comes to its certificate.
//!
//! A token is good for one enrolment; the key is made before it is spent and kept, so that after a lost
//! answer the same token works again for the same key, and for no other. A renewal that fails is told and left for the next connect: a third of the certificate's
//! life is left then.

use super::dial::{Peer, dial};
use super::tls;
use super::why::{Diagnosis, Step, refused};
use crate::config::Token;
use crate::identity::{Identity, certificates, wants_renewal};
use picket_proto::Wall;
use picket_rpc::v1;
use picket_rpc::v1::agents_client::AgentsClient;
use rustls::ClientConfig;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tonic::transport::Channel;

/// How long a renewal may take that the collector asked for; as long as a try of a session.
const RENEWAL_LIMIT: Duration = Duration::from_secs(10);

/// The host's identity, enrolling it first if it has none; `place` is the address to begin with.
pub(crate) async fn identity(peer: &Peer, place: usize) -> Result<Identity, Diagnosis> {
    if let Some(identity) = peer.identity.load().map_err(|error| local("identity", &error))? {
        return Ok(identity);
    }
    enrol(peer, place).await?;
    let enrolled = peer.identity.load().map_err(|error| local("identity", &error))?;
    enrolled.ok_or_else(|| Diagnosis::new(Step::Enrol, "link-identity", "the enrolment left no certificate"))
}

/// TLS as a host that is to enrol: without a certificate, with the CA that is given or pinned.
pub(super) fn stranger(peer: &Peer) -> Result<(&Token, ClientConfig), Diagnosis> {
    let Some(token) = &peer.collector.token else {
        let detail = "no certificate and no token: `picket token HOST` makes one";
        return Err(Diagnosis::new(Step::Enrol, "link-token", detail));
    };
    let config = match &peer.collector.ca {
        Some(file) => tls::with_ca(certificates(file).map_err(|error| local("CA file", &error))?),
        None => tls::with_pin(token.ca),
    };
    Ok((token, config.map_err(|error| Diagnosis::new(Step::Identity, "link-identity", error))?))
}

async fn enrol(peer: &Peer, place: usize) -> Result<(), Diagnosis> {
    let (token, config) = stranger(peer)?;
    let csr = peer.identity.request().map_err(|error| local("key", &error))?;
    let reached = dial(peer, place, Arc::new(config)).await?;
    let request = v1::EnrolRequest { host: peer.host.to_string(), secret: token.secret.clone(), csr };
    let answer = AgentsClient::new(reached.channel).enrol(request).await;
    let answer = answer.map_err(|status| {
        reached.fate.explain(asked_as(peer, refused(Step::Enrol, &status))).at(&reached.address)
    })?;
    let chain = answer.into_inner().chain;
    if !chain.last().is_some_and(|ca| tls::is_pinned(ca, &token.ca)) {
        let detail = "the collector's CA is not the one that the token names";
        return Err(Diagnosis::new(Step::Enrol, "link-ca", detail).at(&reached.address));
    }
    peer.identity.save(&chain).map_err(|error| local("identity", &error))?;
    tracing::info!(host = %peer.host, "enrolled");
    Ok(())
}

/// A token is for one host: most that are not known were made for another name than this one asks as.
fn asked_as(peer: &Peer, mut why: Diagnosis) -> Diagnosis {
    if why.code == "token-unknown" {
        why.detail = format!("{} (this host asked as {})", why.detail.trim_end(), peer.host);
    }
    why
}

/// Asks for a new certificate if the present one has lived two thirds of its life. Whether it has ended is not this host's
/// clock to say: then the collector asks for it ([`renew_ended`]).
pub(super) async fn renew(peer: &Peer, certificate: &[u8], now: Wall, channel: Channel) {
    if wants_renewal(certificate, now) {
        ask(peer, channel).await;
    }
}

/// Asks for a new certificate since the collector says that the present one has ended.
pub(super) async fn renew_ended(peer: &Peer, channel: Channel) {
    if tokio::time::timeout(RENEWAL_LIMIT, ask(peer, channel)).await.is_err() {
        tracing::warn!(
            "the certificate that had ended was not renewed in time; tried again at the next connection"
        );
    }
}

async fn ask(peer: &Peer, channel: Channel) {
    let renewed = async {
        let csr = peer.identity.request()?;
        let answer = AgentsClient::new(channel).renew(v1::RenewRequest { csr }).await;
        let answer = answer.map_err(|status| io::Error::other(status.message().to_owned()))?;
        peer.identity.save(&answer.into_inner().chain)
    };
    match renewed.await {
        Ok(()) => tracing::info!("the certificate was renewed; the next connection uses it"),
        Err(error) => {
            tracing::warn!(%error, "the certificate was not renewed; tried again at the next connection");
        }
    }
}

pub(super) fn local(what: &str, error: &io::Error) -> Diagnosis {
    let detail = match error.kind() {
        io::ErrorKind::PermissionDenied => {
            format!("{what}: permission denied: ask as root or as the agent's own user")
        }
        _ => format!("{what}: {error}"),
    };
    Diagnosis::new(Step::Identity, "link-identity", detail)
}
