//! A TCP port: connect, say something, look for something in the first 4 KiB of the answer.
//!
//! The caller bounds the time. The socket is closed at once; nothing is kept between probes. `localhost` is the two
//! addresses of loopback (RFC 6761) and never asks the resolver, whose threads names of other hosts may hold.

use super::cause_of;
use picket_agent_core::check::Reading;
use picket_proto::event::Cause;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, lookup_host};

const ANSWER_MAX: usize = 4096;

/// Probes `address` once.
pub(crate) async fn read(address: &str, send: &[u8], expect: &[u8]) -> Reading {
    match exchange(address, send, expect).await {
        Ok(()) => Reading::Good,
        Err(cause) => Reading::Bad(cause),
    }
}

async fn exchange(address: &str, send: &[u8], expect: &[u8]) -> Result<(), Cause> {
    let mut stream = connect(address).await?;
    if !send.is_empty() {
        stream.write_all(send).await.map_err(|error| cause_of(&error))?;
    }
    if expect.is_empty() {
        return Ok(());
    }
    let mut answer = Vec::with_capacity(256);
    while answer.len() < ANSWER_MAX {
        let read = stream.read_buf(&mut answer).await.map_err(|error| cause_of(&error))?;
        if answer.windows(expect.len()).any(|found| found == expect) {
            return Ok(());
        }
        if read == 0 {
            return Err(if answer.is_empty() { Cause::Closed } else { Cause::Mismatch });
        }
    }
    Err(Cause::Mismatch)
}

/// The addresses of `localhost`, the one that fails with the more telling cause last.
pub(super) fn loopback(port: u16) -> [SocketAddr; 2] {
    [(Ipv6Addr::LOCALHOST, port).into(), (Ipv4Addr::LOCALHOST, port).into()]
}

async fn resolve(address: &str) -> Result<Vec<SocketAddr>, Cause> {
    let local = address.strip_prefix("localhost:").and_then(|port| port.parse().ok());
    if let Some(port) = local {
        return Ok(loopback(port).into());
    }
    lookup_host(address).await.map(Iterator::collect).map_err(|_| Cause::Unresolved)
}

/// Connects to the first address that accepts; a failure is the last one's.
async fn connect(address: &str) -> Result<TcpStream, Cause> {
    let mut cause = Cause::Unresolved;
    for address in resolve(address).await? {
        match TcpStream::connect(address).await {
            Ok(stream) => return Ok(stream),
            Err(error) => cause = cause_of(&error),
        }
    }
    Err(cause)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::net::TcpListener;

    async fn answer_with(said: &'static [u8], expect: &'static [u8]) -> Reading {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let server = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut asked = [0; 6];
            stream.read_exact(&mut asked).await.unwrap();
            stream.write_all(said).await.unwrap();
        });
        let reading = read(&address, b"PING\r\n", expect).await;
        server.await.unwrap();
        reading
    }

    #[tokio::test]
    async fn an_answer_is_good_only_if_it_is_the_expected_one() {
        assert_eq!(answer_with(b"+PONG\r\n", b"+PONG").await, Reading::Good);
        assert_eq!(answer_with(b"-LOADING\r\n", b"+PONG").await, Reading::Bad(Cause::Mismatch));
        assert_eq!(answer_with(b"", b"+PONG").await, Reading::Bad(Cause::Closed));
    }

    #[tokio::test]
    async fn a_port_where_nothing_listens_refuses() {
        let port = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        assert_eq!(read(&port.to_string(), b"", b"").await, Reading::Bad(Cause::Refused));
    }
}
