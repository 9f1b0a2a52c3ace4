//! A tunnel through an HTTP proxy: CONNECT, Basic authentication, and its answer.
//!
//! The answer's head has at most 8 KiB and comes within 5 s, else the tunnel is given up. TLS runs inside, so that
//! the proxy sees the collector's name and port and nothing else. Written here because hyper-util's own tunnel
//! keeps the answer's status to itself, and the status is what a person needs; the head is parsed by httparse. Not
//! here: proxies that are spoken to over TLS, SOCKS, and other ways to authenticate.

use super::why::{Diagnosis, Step, broken};
use crate::config::{Address, Proxy};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const HEAD_MAX: usize = 8 * 1024;
const HEADERS_MAX: usize = 64;
const ANSWER_LIMIT: Duration = Duration::from_secs(5);
/// How much of a proxy's reason is told.
const REASON_MAX: usize = 160;

/// Asks the proxy at the other end of `stream` for a tunnel to `address`.
///
/// # Errors
/// It refuses, does not answer, or is no proxy.
pub(super) async fn open(
    mut stream: TcpStream,
    proxy: &Proxy,
    address: &Address,
) -> Result<TcpStream, Diagnosis> {
    let asked = tokio::time::timeout(ANSWER_LIMIT, ask(&mut stream, proxy, address)).await;
    asked.unwrap_or_else(|_| {
        let detail = format!("the proxy {proxy} did not answer within {} s", ANSWER_LIMIT.as_secs());
        Err(Diagnosis::new(Step::Proxy, "link-proxy", detail))
    })?;
    Ok(stream)
}

async fn ask(stream: &mut TcpStream, proxy: &Proxy, address: &Address) -> Result<(), Diagnosis> {
    let failed = |error: std::io::Error| {
        let why = broken(Step::Proxy, &error);
        Diagnosis { code: "link-proxy", detail: format!("the proxy {proxy}: {}", why.detail), ..why }
    };
    let mut request = format!("CONNECT {address} HTTP/1.1\r\nHost: {address}\r\n").into_bytes();
    if let Some(auth) = proxy.auth() {
        request.extend_from_slice(b"Proxy-Authorization: ");
        request.extend_from_slice(auth);
        request.extend_from_slice(b"\r\n");
    }
    request.extend_from_slice(b"\r\n");
    stream.write_all(&request).await.map_err(failed)?;
    let mut head = Vec::new();
    loop {
        if head.len() == HEAD_MAX {
            return Err(no_proxy(proxy, "its answer is longer than 8 KiB"));
        }
        let room = HEAD_MAX - head.len();
        let read = stream.take(room as u64).read_buf(&mut head).await.map_err(failed)?;
        if read == 0 {
            return Err(no_proxy(proxy, "it closed the connection without an answer"));
        }
        if let Some(answer) = parse(&head).map_err(|()| no_proxy(proxy, "what answers is no HTTP proxy"))? {
            return judge(proxy, address, &answer, head.len());
        }
    }
}

struct Answer {
    status: u16,
    reason: String,
    len: usize,
}

/// The answer's head, once it is whole.
fn parse(head: &[u8]) -> Result<Option<Answer>, ()> {
    let mut headers = [httparse::EMPTY_HEADER; HEADERS_MAX];
    let mut response = httparse::Response::new(&mut headers);
    match response.parse(head) {
        Ok(httparse::Status::Complete(len)) => {
            let reason = response.reason.unwrap_or_default().chars().filter(|c| !c.is_control());
            let reason = reason.take(REASON_MAX).collect();
            Ok(Some(Answer { status: response.code.unwrap_or_default(), reason, len }))
        }
        Ok(httparse::Status::Partial) => Ok(None),
        Err(_) => Err(()),
    }
}

fn judge(proxy: &Proxy, address: &Address, answer: &Answer, read: usize) -> Result<(), Diagnosis> {
    let said = format!("the proxy {proxy} answers {} {}", answer.status, answer.reason);
    let detail = match answer.status {
        // In a tunnel the collector speaks only after the agent has.
        200..=299 if read > answer.len => return Err(no_proxy(proxy, "it says more than its answer")),
        200..=299 => return Ok(()),
        407 if proxy.auth().is_some() => {
            let detail = format!("{said}: it does not take this user and password");
            return Err(Diagnosis::new(Step::Proxy, "link-proxy-auth", detail));
        }
        407 => {
            let detail = format!("{said}: it wants a user and a password");
            return Err(Diagnosis::new(Step::Proxy, "link-proxy-auth", detail));
        }
        403 | 405 => format!("{said}: it does not allow CONNECT to {address}"),
        502..=504 => format!("{said}: it can't reach {address}"),
        _ => said,
    };
    Err(Diagnosis::new(Step::Proxy, "link-proxy", detail))
}

fn no_proxy(proxy: &Proxy, why: &str) -> Diagnosis {
    Diagnosis::new(Step::Proxy, "link-proxy", format!("the proxy {proxy}: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::net::TcpListener;

    /// What comes of a proxy that says `answer`, and what it was asked.
    async fn against(answer: &[u8]) -> (Result<(), Diagnosis>, String) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let proxy = Proxy::parse(&format!("http://me:p%40ss@127.0.0.1:{port}"), None).unwrap();
        let address = "collector.example:7440".parse().unwrap();
        let answering = async {
            let (mut peer, _) = listener.accept().await.unwrap();
            let mut asked = Vec::new();
            while !asked.ends_with(b"\r\n\r\n") {
                assert_ne!(peer.read_buf(&mut asked).await.unwrap(), 0);
            }
            peer.write_all(answer).await.unwrap();
            String::from_utf8(asked).unwrap()
        };
        let opening = async {
            let stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
            open(stream, &proxy, &address).await.map(|_| ())
        };
        tokio::join!(opening, answering)
    }

    async fn refused(answer: &[u8]) -> (&'static str, String) {
        let why = against(answer).await.0.unwrap_err();
        (why.code, why.detail)
    }

    #[tokio::test]
    async fn a_tunnel_is_asked_for_with_the_user_and_opens() {
        let (opened, asked) = against(b"HTTP/1.1 200 Connection established\r\nVia: x\r\n\r\n").await;
        opened.unwrap();
        assert!(
            asked.starts_with("CONNECT collector.example:7440 HTTP/1.1\r\nHost: collector.example:7440\r\n")
        );
        assert!(asked.contains("Proxy-Authorization: Basic bWU6cEBzcw==\r\n"), "{asked}");
    }

    #[tokio::test]
    async fn each_refusal_is_told_with_its_status() {
        let (code, detail) = refused(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n").await;
        assert_eq!(code, "link-proxy-auth");
        assert!(detail.contains("407 Proxy Authentication Required"), "{detail}");
        let (code, detail) = refused(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno").await;
        assert_eq!(code, "link-proxy");
        assert!(
            detail.contains("403 Forbidden: it does not allow CONNECT to collector.example:7440"),
            "{detail}"
        );
        let (_, detail) = refused(b"HTTP/1.0 502 Bad Gateway\r\n\r\n").await;
        assert!(detail.contains("502 Bad Gateway: it can't reach"), "{detail}");
        assert!(!detail.contains("p@ss"), "no secret is told");
    }

    #[tokio::test]
    async fn what_is_no_proxy_is_said_to_be_none() {
        for (answer, words) in [
            (&b"SSH-2.0-OpenSSH\r\n"[..], "no HTTP proxy"),
            (b"", "closed the connection"),
            (b"HTTP/1.1 200 OK\r\n\r\nSSH-2.0", "says more than its answer"),
        ] {
            let (code, detail) = refused(answer).await;
            assert_eq!(code, "link-proxy");
            assert!(detail.contains(words), "{detail}");
        }
        let endless = [b"HTTP/1.1 200 OK\r\nX: ".to_vec(), vec![b'x'; HEAD_MAX]].concat();
        assert!(refused(&endless).await.1.contains("longer than 8 KiB"));
    }
}
