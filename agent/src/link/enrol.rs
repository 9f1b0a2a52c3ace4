//! Enrolment and renewal: how a host comes to its certificate.
//!
//! A token is good for one enrolment; the key is made before it is spent and kept, so that after a lost
//! answer the same token works again for the same key, and for no other. A renewal that fails is told and left for the next connect, or for the next
//! look while a session lasts: a third of the certificate's life is left then.

use super::dial::{Peer, dial};
use super::tls;
use super::why::{Diagnosis, Step, refused};
use crate::clock;
use crate::config::Token;
use crate::identity::{Identity, certificates};
use picket_rpc::v1;
use picket_rpc::v1::agents_client::AgentsClient;
use rustls::ClientConfig;
use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tonic::transport::Channel;

/// How long a renewal may take; as long as a try of a session.
const RENEWAL_LIMIT: Duration = Duration::from_secs(10);
/// While a session lasts: a quarter of a day in a life of 90.
const LOOK_EVERY: Duration = Duration::from_secs(6 * 3_600);

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
        Some(file) => {
            tls::with_ca(certificates(file).map_err(|error| local("CA file", &error))?, &peer.dates)
        }
        None => tls::with_pin(token.ca, &peer.dates),
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
    keep(peer, &chain)?;
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

/// Asks for a new certificate if it is time. Whether the present one has ended is not this host's clock to say: then the
/// collector asks for it ([`renew_ended`]).
pub(super) async fn renew(peer: &Peer, certificate: &[u8], channel: &Channel) {
    if !peer.dates.wants_renewal(certificate, clock::now()) {
        return;
    }
    if let Err(why) = ask(peer, channel).await {
        tracing::warn!("the certificate was not renewed, which is tried again at the next connection: {why}");
    }
}

/// Renews the certificate in its time while a session lasts: one that lasts for longer than certificate and grace would leave
/// the host with nothing to come back with.
pub(super) async fn keep_fresh(peer: &Peer, channel: &Channel) -> Infallible {
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        if let Ok(Some(identity)) = peer.identity.load()
            && let Some(certificate) = identity.chain.first()
        {
            let renewed = renew(peer, certificate, channel);
            let _late_is_tried_again = tokio::time::timeout(RENEWAL_LIMIT, renewed).await;
        }
    }
}

/// Asks for a new certificate since the collector says that the present one has ended; why there is none, if that was the
/// collector's word.
pub(super) async fn renew_ended(peer: &Peer, channel: &Channel) -> Option<Diagnosis> {
    match tokio::time::timeout(RENEWAL_LIMIT, ask(peer, channel)).await {
        Ok(Ok(())) => None,
        Ok(Err(why)) => Some(why),
        Err(_late) => {
            let detail = "the certificate has ended and was not renewed in time";
            Some(Diagnosis::new(Step::Session, "link-timed-out", detail))
        }
    }
}

async fn ask(peer: &Peer, channel: &Channel) -> Result<(), Diagnosis> {
    let csr = peer.identity.request().map_err(|error| local("key", &error))?;
    let answer = AgentsClient::new(channel.clone()).renew(v1::RenewRequest { csr }).await;
    let chain = answer.map_err(|status| refused(Step::Session, &status))?.into_inner().chain;
    keep(peer, &chain)?;
    tracing::info!("the certificate was renewed; the next connection uses it");
    Ok(())
}

/// Keeps what the collector made just now, which tells the date.
fn keep(peer: &Peer, chain: &[Vec<u8>]) -> Result<(), Diagnosis> {
    peer.identity.save(chain).map_err(|error| local("identity", &error))?;
    if let Some(certificate) = chain.first() {
        peer.dates.learn(certificate, clock::now().mono);
    }
    Ok(())
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
