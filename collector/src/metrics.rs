//! `/metrics` of the collector: its own figures in Prometheus' text format, on a loopback address, off by default.
//!
//! A responder for one request per connection: `GET /metrics`, head of at most 4 KiB within 5 s, an answer that is
//! taken within 5 s, 4 connections; a fifth is closed at once. It reads and changes nothing. Figures come from the
//! core's task like an operator's question, and from the counters of the journal's threads. There is no series per
//! host: those are for `picket hosts`.

mod figures;
mod text;

use crate::counts::Counts;
use crate::error::Failure;
use crate::server::Door;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::timeout;

/// Most connections at a time.
const CONNECTIONS: usize = 4;
/// Longest head of a request.
const HEAD_MAX: usize = 4 * 1024;
const PATIENCE: Duration = Duration::from_secs(5);

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
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            // No descriptors left, most likely; trying at once would only burn the CPU.
            tokio::time::sleep(Duration::from_secs(1)).await;
            continue;
        };
        if let Ok(place) = Arc::clone(&places).try_acquire_owned() {
            let source = source.clone();
            tokio::spawn(async move {
                answer(stream, &source).await;
                drop(place);
            });
        }
    }
}

async fn answer(mut stream: TcpStream, source: &Source) {
    let Ok(head) = timeout(PATIENCE, head(&mut stream)).await else { return };
    let (status, body) = match head.as_deref().map(request) {
        Some(Ok(())) => match figures(source).await {
            Some(body) => ("200 OK", body),
            None => (
                "503 Service Unavailable",
                "the collector is ending or did not answer within 5 s\n".to_owned(),
            ),
        },
        Some(Err(status)) => (status, "there is GET /metrics and nothing else\n".to_owned()),
        None => ("400 Bad Request", "the head of a request is at most 4 KiB\n".to_owned()),
    };
    let answer = format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\nContent-Length: {}\r\n\
         Connection: close\r\n\r\n{body}",
        body.len()
    );
    let _reader_is_gone = timeout(PATIENCE, async {
        stream.write_all(answer.as_bytes()).await?;
        stream.shutdown().await
    })
    .await;
}

/// The head of a request; `None` where it is too long or does not end.
async fn head(stream: &mut TcpStream) -> Option<Vec<u8>> {
    let mut head = Vec::new();
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        let mut piece = [0; 512];
        let read = stream.read(&mut piece).await.ok()?;
        head.extend_from_slice(&piece[..read]);
        if read == 0 || head.len() > HEAD_MAX {
            return None;
        }
    }
    Some(head)
}

/// Whether a head asks for the figures.
fn request(head: &[u8]) -> Result<(), &'static str> {
    let line = head.split(|byte| *byte == b'\r').next().unwrap_or_default();
    let mut words = line.split(|byte| *byte == b' ');
    let (method, target, version) = (words.next(), words.next(), words.next());
    if !version.is_some_and(|version| version.starts_with(b"HTTP/1.")) {
        return Err("400 Bad Request");
    }
    if method != Some(b"GET") {
        return Err("405 Method Not Allowed");
    }
    let path = target.and_then(|target| target.split(|byte| *byte == b'?').next());
    if path == Some(b"/metrics") { Ok(()) } else { Err("404 Not Found") }
}

async fn figures(source: &Source) -> Option<String> {
    let (summary, journal, begun) = timeout(PATIENCE, source.door.summary()).await.ok()??;
    Some(figures::page(&summary, &journal, (begun, &source.counts)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_get_of_metrics_is_answered() {
        for (head, answer) in [
            ("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n", Ok(())),
            ("GET /metrics?format=text HTTP/1.0\r\n\r\n", Ok(())),
            ("GET / HTTP/1.1\r\n\r\n", Err("404 Not Found")),
            ("POST /metrics HTTP/1.1\r\n\r\n", Err("405 Method Not Allowed")),
            ("GET /metrics\r\n\r\n", Err("400 Bad Request")),
            ("PRI * HTTP/2.0\r\n\r\n", Err("400 Bad Request")),
            ("\r\n\r\n", Err("400 Bad Request")),
        ] {
            assert_eq!(request(head.as_bytes()), answer, "{head:?}");
        }
    }

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
