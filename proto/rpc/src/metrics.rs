//! `/metrics` for both programs: figures in Prometheus' text format over the least of HTTP.
//!
//! A responder for one request per connection: `GET /metrics`, head of at most 4 KiB within 5 s, figures within 5 s, an
//! answer that is taken within 5 s, 4 connections; a fifth is closed at once. It reads and changes nothing. A full HTTP
//! server would cost 150 KiB of the agent's size.

mod text;

use std::io;
use std::sync::Arc;
use std::time::Duration;
pub use text::{Text, seconds};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::timeout;

/// Most connections at a time, so most pages that are asked for at once.
pub const CONNECTIONS: usize = 4;
/// Longest head of a request.
const HEAD_MAX: usize = 4 * 1024;
const PATIENCE: Duration = Duration::from_secs(5);

/// Answers for ever with what `page` makes; ends with its task. Where it makes nothing, `who` is said to be ending.
pub async fn serve<P, F>(listener: TcpListener, who: &'static str, page: P)
where
    P: Fn() -> F + Clone + Send + 'static,
    F: Future<Output = Option<String>> + Send + 'static,
{
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            // No descriptors left, most likely; trying at once would only burn the CPU.
            tokio::time::sleep(Duration::from_secs(1)).await;
            continue;
        };
        if let Ok(place) = Arc::clone(&places).try_acquire_owned() {
            let page = page.clone();
            tokio::spawn(async move {
                let _reader_is_gone = answer(stream, who, page).await;
                drop(place);
            });
        }
    }
}

async fn answer<F>(mut stream: TcpStream, who: &str, page: impl Fn() -> F) -> io::Result<()>
where
    F: Future<Output = Option<String>>,
{
    let (status, body) = match timeout(PATIENCE, head(&mut stream)).await?.as_deref().map(request) {
        Some(Ok(())) => match timeout(PATIENCE, page()).await.ok().flatten() {
            Some(page) => ("200 OK", page),
            None => {
                ("503 Service Unavailable", format!("the {who} is ending or did not answer within 5 s\n"))
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
    timeout(PATIENCE, async {
        stream.write_all(answer.as_bytes()).await?;
        stream.shutdown().await
    })
    .await?
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
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(serve(listener, "test", || async { Some("up 1\n".to_owned()) }));
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
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
