//! A trial of the link: the steps of a real try at each address, one after the other, each with its time and outcome.
//!
//! It takes the same steps as a try (`dial.rs`) and stops before Hello: a second session of one certificate would be
//! challenged as a clone. That the collector takes the certificate is seen by a renewal that asks for nothing: it is
//! refused as `bad-input`, and only after the collector has seen whose certificate it is. A host that is not enrolled yet gets as far as TLS: a token is good for one enrolment, so a trial must not
//! spend it.

use super::dial::{Peer, channel, secure};
use super::why::{Diagnosis, Step, Taken, refused};
use super::wire::Wire;
use super::{enrol, tls};
use crate::clock;
use picket_rpc::v1::RenewRequest;
use picket_rpc::v1::agents_client::AgentsClient;
use rustls::ClientConfig;
use std::sync::Arc;

const CALL_LIMIT: std::time::Duration = std::time::Duration::from_secs(5);

/// Tries every address, and says what each step came to, under the address as the configuration names it.
pub(crate) async fn diagnose(peer: &Peer) -> Vec<(String, Vec<Taken>)> {
    let since = clock::now().mono;
    let as_whom = known(peer);
    let took = clock::now().mono.since(since);
    let (config, is_known, words) = match as_whom {
        Ok(found) => found,
        Err(why) => {
            let taken = Taken { step: why.step, took, outcome: Err(why) };
            return vec![(peer.collector.to_string(), vec![taken])];
        }
    };
    let identity = Taken { step: Step::Identity, took, outcome: Ok(words) };
    let mut all = Vec::new();
    for way in &peer.ways {
        let mut taken = vec![identity.clone()];
        let (secured, steps) = secure(peer, way, Arc::clone(&config)).await;
        taken.extend(steps);
        if let (Ok(stream), true) = (secured, is_known) {
            let since = clock::now().mono;
            let called = tokio::time::timeout(CALL_LIMIT, call(stream, peer.collector.terms.report)).await;
            let late =
                |_| Err(Diagnosis::new(Step::Session, "link-timed-out", "the collector does not answer"));
            let outcome = called.unwrap_or_else(late).map_err(|why| why.at(&way.address));
            taken.push(Taken { step: Step::Session, took: clock::now().mono.since(since), outcome });
        }
        all.push((way.address.to_string(), taken));
    }
    all
}

/// TLS as this host, or as one that is to enrol.
fn known(peer: &Peer) -> Result<(Arc<ClientConfig>, bool, String), Diagnosis> {
    let Some(identity) = peer.identity.load().map_err(|error| enrol::local("identity", &error))? else {
        let (_, config) = enrol::stranger(peer)?;
        return Ok((
            Arc::new(config),
            false,
            "not enrolled yet; a token is there; it is not tried, since that would spend it".to_owned(),
        ));
    };
    let config = tls::mutual(identity, &peer.dates)
        .map_err(|error| Diagnosis::new(Step::Identity, "link-identity", error))?;
    Ok((Arc::new(config), true, format!("enrolled as {}", peer.host)))
}

async fn call(
    stream: tokio_rustls::client::TlsStream<Wire>,
    report: picket_proto::Span,
) -> Result<String, Diagnosis> {
    let (channel, fate) = channel(stream, report).await?;
    let asked = AgentsClient::new(channel).renew(RenewRequest { csr: Vec::new() }).await;
    let why = match asked {
        Ok(_) => None,
        Err(status) => Some(fate.explain(refused(Step::Session, &status))),
    };
    match why.filter(|why| why.code != "bad-input") {
        None => Ok("the collector takes this host's certificate".to_owned()),
        Some(why) => Err(why),
    }
}
