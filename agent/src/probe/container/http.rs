//! One GET by HTTP/1.1 on a stream that is there already: the client of `http` checks can't talk to a Unix socket.
//!
//! Limits: a head of 8 KiB and 32 fields, 1 MiB in all, which is ten times what engines say of one container. The
//! stream is used once. The body's length comes from Content-Length, from chunks, or from the stream's end.

use std::io;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

const HEAD: usize = 8 * 1024;
const FIELDS: usize = 32;
const WHOLE: usize = 1024 * 1024;

/// How long a body is.
enum Length {
    Known(usize),
    Chunks,
    Rest,
}

/// Its status and body.
///
/// # Errors
/// The stream fails or ends early, or what comes is no answer or too long.
pub(super) async fn get(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    path: &str,
) -> io::Result<(u16, Vec<u8>)> {
    let host = "Host: localhost\r\nConnection: close\r\nAccept: application/json";
    stream.write_all(format!("GET {path} HTTP/1.1\r\n{host}\r\n\r\n").as_bytes()).await?;
    let mut bytes = Vec::new();
    let (status, at, length) = loop {
        if let Some(head) = head(&bytes)? {
            break head;
        }
        more(&mut stream, &mut bytes, HEAD).await?;
    };
    let mut body = bytes.split_off(at);
    match length {
        Length::Known(length) if length > WHOLE => Err(odd("the answer is too long")),
        Length::Known(length) => {
            while body.len() < length {
                more(&mut stream, &mut body, WHOLE).await?;
            }
            body.truncate(length);
            Ok((status, body))
        }
        Length::Chunks => loop {
            if let Some(whole) = unchunk(&body)? {
                return Ok((status, whole));
            }
            more(&mut stream, &mut body, WHOLE).await?;
        },
        Length::Rest => {
            let left = u64::try_from(WHOLE - body.len().min(WHOLE)).unwrap_or(0);
            stream.take(left).read_to_end(&mut body).await?;
            Ok((status, body))
        }
    }
}

fn odd(why: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}

async fn more(stream: &mut (impl AsyncRead + Unpin), bytes: &mut Vec<u8>, most: usize) -> io::Result<()> {
    if bytes.len() >= most {
        return Err(odd("the answer is too long"));
    }
    match stream.read_buf(bytes).await? {
        0 => Err(io::ErrorKind::UnexpectedEof.into()),
        _ => Ok(()),
    }
}

/// The status, where the head ends, and how long the body is; none while the head is not whole.
fn head(bytes: &[u8]) -> io::Result<Option<(u16, usize, Length)>> {
    let mut fields = [httparse::EMPTY_HEADER; FIELDS];
    let mut answer = httparse::Response::new(&mut fields);
    let at = match answer.parse(bytes).map_err(|_| odd("the answer is no HTTP"))? {
        httparse::Status::Complete(at) => at,
        httparse::Status::Partial => return Ok(None),
    };
    let field = |name: &str| {
        let found = answer.headers.iter().find(|field| field.name.eq_ignore_ascii_case(name));
        found.map(|field| String::from_utf8_lossy(field.value).trim().to_ascii_lowercase())
    };
    let length = match (field("transfer-encoding"), field("content-length")) {
        (Some(coding), _) if coding == "chunked" => Length::Chunks,
        (Some(_), _) => return Err(odd("the answer is coded in an unknown way")),
        (None, Some(length)) => Length::Known(length.parse().map_err(|_| odd("the answer has no length"))?),
        (None, None) => Length::Rest,
    };
    Ok(Some((answer.code.unwrap_or(0), at, length)))
}

/// A body out of its chunks; none while the last one is not there.
fn unchunk(mut bytes: &[u8]) -> io::Result<Option<Vec<u8>>> {
    let mut whole = Vec::new();
    loop {
        let chunk = httparse::parse_chunk_size(bytes).map_err(|_| odd("the answer's chunks are broken"))?;
        let httparse::Status::Complete((at, length)) = chunk else { return Ok(None) };
        if length == 0 {
            return Ok(Some(whole));
        }
        let length = usize::try_from(length).ok().filter(|length| *length <= WHOLE);
        let length = length.ok_or_else(|| odd("the answer is too long"))?;
        let Some(rest) = bytes.get(at + length + 2..) else { return Ok(None) };
        if &bytes[at + length..at + length + 2] != b"\r\n" {
            return Err(odd("the answer's chunks are broken"));
        }
        whole.extend_from_slice(&bytes[at..at + length]);
        bytes = rest;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is made of an answer that comes in pieces of so many bytes.
    async fn answer(said: &[u8], piece: usize) -> io::Result<(u16, Vec<u8>)> {
        let (near, mut far) = tokio::io::duplex(64);
        let said = said.to_vec();
        let peer = tokio::spawn(async move {
            let mut asked = Vec::new();
            while !asked.ends_with(b"\r\n\r\n") {
                far.read_buf(&mut asked).await.unwrap();
            }
            for piece in said.chunks(piece) {
                if far.write_all(piece).await.is_err() {
                    break;
                }
            }
            asked
        });
        let got = get(near, "/containers/web/json").await;
        let asked = String::from_utf8(peer.await.unwrap()).unwrap();
        assert!(asked.starts_with("GET /containers/web/json HTTP/1.1\r\nHost: "), "{asked}");
        got
    }

    #[tokio::test]
    async fn each_kind_of_length_is_read_in_pieces_of_any_size() {
        let known = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbody and more";
        let chunks = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nbod\r\n1\r\ny\r\n0\r\n\r\n";
        let rest = b"HTTP/1.0 200 OK\r\n\r\nbody";
        for said in [&known[..], chunks, rest] {
            for piece in [1, 2, 7, 1000] {
                assert_eq!(answer(said, piece).await.unwrap(), (200, b"body".to_vec()));
            }
        }
        assert_eq!(
            answer(b"HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n", 9).await.unwrap(),
            (404, Vec::new())
        );
    }

    #[tokio::test]
    async fn what_is_cut_too_long_or_no_http_is_an_error() {
        for said in [
            &b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nbody"[..],
            b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffff\r\n",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nbody\r\n",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
            b"SSH-2.0-OpenSSH\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nContent",
        ] {
            assert!(answer(said, 1000).await.is_err(), "{}", said.escape_ascii());
        }
        let endless = [b"HTTP/1.1 200 OK\r\nA: ".as_slice(), &[b'x'; 2 * HEAD]].concat();
        assert!(answer(&endless, 1000).await.is_err());
    }
}
