//! `/metrics` of the agent: its own figures in Prometheus' text format, on a loopback address, off by default.
//!
//! A responder for one request per connection: `GET /metrics`, head of at most 4 KiB within 5 s, an answer that is
//! taken within 5 s, 4 connections; a fifth is closed at once. It reads and changes nothing. Figures come from the
//! loop, between two inputs, like every other answer about the agent; there is no series per check or service, so
//! that a scrape costs the same on every host. A full HTTP server would cost 150 KiB of the agent's size.

mod figures;
mod text;

pub(crate) use figures::Figures;

use crate::local::{Answer, Ask, Question};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::time::timeout;

/// Most connections at a time.
pub(crate) const CONNECTIONS: usize = 4;
/// Longest head of a request.
const HEAD_MAX: usize = 4 * 1024;
const PATIENCE: Duration = Duration::from_secs(5);

/// Listens at `address` and answers from what the loop says to `asks`; ends with its task.
///
/// # Errors
/// The address can't be listened at.
pub(crate) async fn listen(address: SocketAddr, asks: mpsc::Sender<Ask>) -> io::Result<SocketAddr> {
    let listener = TcpListener::bind(address).await?;
    let bound = listener.local_addr()?;
    tokio::spawn(accept(listener, asks));
    Ok(bound)
}

async fn accept(listener: TcpListener, asks: mpsc::Sender<Ask>) {
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            // No descriptors left, most likely; trying at once would only burn the CPU.
            tokio::time::sleep(Duration::from_secs(1)).await;
            continue;
        };
        if let Ok(place) = Arc::clone(&places).try_acquire_owned() {
            let asks = asks.clone();
            tokio::spawn(async move {
                serve(stream, asks).await;
                drop(place);
            });
        }
    }
}

async fn serve(mut stream: TcpStream, asks: mpsc::Sender<Ask>) {
    let Ok(head) = timeout(PATIENCE, head(&mut stream)).await else { return };
    let (status, body) = match head.as_deref().map(request) {
        Some(Ok(())) => match figures(&asks).await {
            Some(body) => ("200 OK", body),
            None => {
                ("503 Service Unavailable", "the agent is ending or did not answer within 5 s\n".to_owned())
            }
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

async fn figures(asks: &mpsc::Sender<Ask>) -> Option<String> {
    let (reply, answer) = oneshot::channel();
    let ask = Ask { question: Question::Figures, by: "metrics".to_owned(), reply };
    asks.try_send(ask).ok()?;
    match timeout(PATIENCE, answer).await.ok()?.ok()? {
        Answer::Whole(text) => Some(text),
        Answer::Lines(..) => None,
    }
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

    #[tokio::test]
    async fn figures_are_read_over_http_and_a_fifth_connection_is_closed() {
        let (asks, mut asked) = mpsc::channel::<Ask>(CONNECTIONS);
        let address = listen("127.0.0.1:0".parse().unwrap(), asks).await.unwrap();
        let answering = tokio::spawn(async move {
            let ask = asked.recv().await.unwrap();
            assert!(ask.reply.send(Answer::Whole("up 1\n".to_owned())).is_ok());
        });
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answering.await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.ends_with("\r\n\r\nup 1\n"), "{answer}");
        let mut silent = Vec::new();
        for _ in 0..CONNECTIONS {
            silent.push(TcpStream::connect(address).await.unwrap());
        }
        let mut fifth = TcpStream::connect(address).await.unwrap();
        let mut nothing = [0; 1];
        assert!(matches!(fifth.read(&mut nothing).await, Ok(0) | Err(_)), "the fifth is closed");
    }
}
