//! Enrolment and renewal: how a host comes to its certificate.
//!
//! A token is good for one enrolment; the key is made before it is spent and kept, so that after a lost
//! answer the same token works again for the same key, and for no other. A renewal that fails is told and left for the next connect: a third of the certificate's
//! life is left then.

use super::dial::{Failed, Peer, dial, failed_by};
use super::tls;
use crate::identity::{Identity, certificates, wants_renewal};
use picket_agent_core::session::Trouble;
use picket_proto::Wall;
use picket_rpc::v1;
use picket_rpc::v1::agents_client::AgentsClient;
use std::io;
use tonic::transport::Channel;

/// The host's identity, enrolling it first if it has none.
pub(super) async fn identity(peer: &Peer) -> Result<Identity, Failed> {
    if let Some(identity) = peer.identity.load().map_err(|error| local("identity", &error))? {
        return Ok(identity);
    }
    enrol(peer).await?;
    let enrolled = peer.identity.load().map_err(|error| local("identity", &error))?;
    enrolled.ok_or_else(|| Failed::new(Trouble::Denied, "the enrolment left no certificate"))
}

async fn enrol(peer: &Peer) -> Result<(), Failed> {
    let Some(token) = &peer.collector.token else {
        return Err(Failed::new(
            Trouble::Denied,
            "no certificate and no token: `picket token HOST` makes one",
        ));
    };
    let config = match &peer.collector.ca {
        Some(file) => tls::with_ca(certificates(file).map_err(|error| local("CA file", &error))?),
        None => tls::with_pin(token.ca),
    };
    let config = config.map_err(|error| Failed::new(Trouble::Tls, error))?;
    let csr = peer.identity.request().map_err(|error| local("key", &error))?;
    let channel = dial(&peer.collector, config).await?;
    let request = v1::EnrolRequest { host: peer.host.to_string(), secret: token.secret.clone(), csr };
    let answer = AgentsClient::new(channel).enrol(request).await.map_err(|status| failed_by(&status))?;
    let chain = answer.into_inner().chain;
    if !chain.last().is_some_and(|ca| tls::is_pinned(ca, &token.ca)) {
        return Err(Failed::new(Trouble::Tls, "the collector's CA is not the one that the token names"));
    }
    peer.identity.save(&chain).map_err(|error| local("identity", &error))?;
    tracing::info!(host = %peer.host, "enrolled");
    Ok(())
}

/// Asks for a new certificate if the present one has lived two thirds of its life.
pub(super) async fn renew(peer: &Peer, certificate: &[u8], now: Wall, channel: Channel) {
    if !wants_renewal(certificate, now) {
        return;
    }
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

fn local(what: &str, error: &io::Error) -> Failed {
    Failed::new(Trouble::Tls, format!("{what}: {error}"))
}
