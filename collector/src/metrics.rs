//! `/metrics` of the collector: its own figures, on a loopback address, off by default.
//!
//! Figures come from the core's task like an operator's question, and from the counters of the journal's threads. There
//! is no series per host: those are for `picket hosts`.

mod figures;

use crate::counts::Counts;
use crate::error::Failure;
use crate::server::Door;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::TcpListener;

/// Where figures come from.
#[derive(Clone)]
pub(crate) struct Source {
    pub(crate) door: Door,
    pub(crate) counts: Arc<Counts>,
}

/// An address for the figures: they name no secret, but nobody outside has to read them either.
pub(crate) fn address(text: &str) -> Result<SocketAddr, String> {
    let next = "give a loopback address and a port, such as 127.0.0.1:9440";
    let address: SocketAddr = text.parse().map_err(|_| format!("no address with a port; {next}"))?;
    if address.ip().is_loopback() {
        Ok(address)
    } else {
        Err(format!(
            "{address} can be reached from outside; {next}, and a proxy that asks who reads in front of it"
        ))
    }
}

/// Binds the address.
pub(crate) async fn bind(address: SocketAddr) -> Result<TcpListener, Failure> {
    TcpListener::bind(address).await.map_err(|source| Failure::Bind { address: address.to_string(), source })
}

/// Answers for ever; ends with its task.
pub(crate) async fn serve(listener: TcpListener, source: Source) {
    picket_rpc::metrics::serve(listener, "collector", move || figures(source.clone())).await;
}

async fn figures(source: Source) -> Option<String> {
    let (summary, journal, begun) = source.door.summary().await?;
    Some(figures::page(&summary, &journal, (begun, &source.counts)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_loopback_addresses_are_taken() {
        for text in ["127.0.0.1:9440", "127.9.9.9:1", "[::1]:9440"] {
            assert!(address(text).is_ok(), "{text}");
        }
        for text in ["0.0.0.0:9440", "192.0.2.1:9440", "[::]:1", "localhost:9440", "9440", "127.0.0.1"] {
            assert!(address(text).unwrap_err().contains("such as 127.0.0.1:9440"), "{text}");
        }
    }
}
