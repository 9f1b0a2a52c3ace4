//! A TCP port: connect, say something, look for something in the first 4 KiB of the answer.
//!
//! The caller bounds the time. The socket is closed at once; nothing is kept between probes. `localhost` is the two
//! addresses of loopback (RFC 6761) and never asks the resolver, whose threads names of other hosts may hold.
//!
//! Loopback accepts or refuses while `connect` is called, so a port that only has to accept is read in four system
//! calls, without a task, a timer or the poller; what takes longer is waited for.

use super::{Seen, cause_of};
use picket_agent_core::check::Reading;
use picket_proto::event::Cause;
use rustix::fd::OwnedFd;
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType};
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::vec::IntoIter;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, lookup_host};

const ANSWER_MAX: usize = 4096;

/// What is left of a probe that could not be answered at once.
pub(crate) enum Begun {
    /// The address has to be resolved first.
    Unresolved,
    /// A connect is under way, with the addresses that come after it; or it is done and there is something to say.
    Underway(OwnedFd, IntoIter<SocketAddr>),
}

/// Begins a probe of `address`: its reading, if nothing has to be waited for.
pub(crate) fn begin(address: &str, send: &[u8], expect: &[u8]) -> Result<Reading, Begun> {
    let mut cause = Cause::Unresolved;
    let mut addresses = known(address).ok_or(Begun::Unresolved)?.into_iter();
    while let Some(address) = addresses.next() {
        match connect_now(address) {
            Ok((_, true)) if send.is_empty() && expect.is_empty() => return Ok(Reading::Good),
            Ok((socket, _)) => return Err(Begun::Underway(socket, addresses)),
            Err(error) => cause = cause_of(&error),
        }
    }
    Ok(Reading::Bad(cause))
}

/// Brings a probe of `address` to its end.
pub(crate) async fn finish(begun: Begun, address: &str, send: &[u8], expect: &[u8]) -> Seen {
    let connected = match begun {
        Begun::Unresolved => match resolve(address).await {
            Ok(addresses) => connect(addresses, Cause::Unresolved).await,
            Err(cause) => Err(cause),
        },
        Begun::Underway(socket, others) => match connected(socket).await {
            Ok(stream) => Ok(stream),
            Err(error) => connect(others, cause_of(&error)).await,
        },
    };
    match connected {
        Ok(stream) => match exchange(stream, send, expect).await {
            Ok(()) => Reading::Good.into(),
            Err((cause, said)) => Seen::new(Reading::Bad(cause), said),
        },
        Err(cause) => Reading::Bad(cause).into(),
    }
}

/// Connects to `address`, whatever that takes.
///
/// # Errors
/// Why none of its addresses accepts.
pub(super) async fn dial(address: &str) -> Result<TcpStream, Cause> {
    match known(address) {
        Some(addresses) => connect(addresses.into_iter(), Cause::Unresolved).await,
        None => connect(resolve(address).await?, Cause::Unresolved).await,
    }
}

/// Says and hears what is to be; else why not, with what came where that is not the expected.
async fn exchange(mut stream: TcpStream, send: &[u8], expect: &[u8]) -> Result<(), (Cause, String)> {
    let failed = |error: io::Error| (cause_of(&error), String::new());
    if !send.is_empty() {
        stream.write_all(send).await.map_err(failed)?;
    }
    if expect.is_empty() {
        return Ok(());
    }
    let mut answer = Vec::with_capacity(256);
    while answer.len() < ANSWER_MAX {
        let read = stream.read_buf(&mut answer).await.map_err(failed)?;
        if answer.windows(expect.len()).any(|found| found == expect) {
            return Ok(());
        }
        if read == 0 && answer.is_empty() {
            return Err((Cause::Closed, String::new()));
        }
        if read == 0 {
            break;
        }
    }
    Err((Cause::Mismatch, format!("{} came, {} should be in it", shown(&answer), shown(expect))))
}

/// The beginning of what was said, as it is written in the configuration.
fn shown(bytes: &[u8]) -> String {
    const MOST: usize = 48;
    let begin = &bytes[..bytes.len().min(MOST)];
    format!("\"{}\"{}", begin.escape_ascii(), if bytes.len() > MOST { ".." } else { "" })
}

/// The addresses of `localhost`, the one that fails with the more telling cause last.
pub(super) fn loopback(port: u16) -> [SocketAddr; 2] {
    [(Ipv6Addr::LOCALHOST, port).into(), (Ipv4Addr::LOCALHOST, port).into()]
}

/// The addresses, if nobody has to be asked for them.
fn known(address: &str) -> Option<Vec<SocketAddr>> {
    if let Ok(address) = address.parse() {
        return Some(vec![address]);
    }
    let port = address.strip_prefix("localhost:")?.parse().ok()?;
    Some(loopback(port).into())
}

async fn resolve(address: &str) -> Result<impl Iterator<Item = SocketAddr>, Cause> {
    lookup_host(address).await.map_err(|_| Cause::Unresolved)
}

/// Begins to connect; whether that is done already.
fn connect_now(address: SocketAddr) -> io::Result<(OwnedFd, bool)> {
    let family = if address.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
    let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
    let socket = rustix::net::socket_with(family, SocketType::STREAM, flags, None)?;
    match rustix::net::connect(&socket, &address) {
        Ok(()) => return Ok((socket, true)),
        Err(Errno::INPROGRESS) => {}
        Err(error) => return Err(error.into()),
    }
    // A second call tells how the first one fares.
    match rustix::net::connect(&socket, &address) {
        Ok(()) | Err(Errno::ISCONN) => Ok((socket, true)),
        Err(Errno::ALREADY | Errno::INPROGRESS) => Ok((socket, false)),
        Err(error) => Err(error.into()),
    }
}

/// Waits until a connect that was begun is done.
async fn connected(socket: OwnedFd) -> io::Result<TcpStream> {
    let stream = TcpStream::from_std(socket.into())?;
    stream.writable().await?;
    stream.take_error()?.map_or(Ok(stream), Err)
}

/// Connects to the first address that accepts; a failure is the last one's, `cause` if there is none.
async fn connect(addresses: impl Iterator<Item = SocketAddr>, mut cause: Cause) -> Result<TcpStream, Cause> {
    for address in addresses {
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

    async fn read(address: &str, send: &[u8], expect: &[u8]) -> Seen {
        match begin(address, send, expect) {
            Ok(reading) => reading.into(),
            Err(begun) => finish(begun, address, send, expect).await,
        }
    }

    async fn answer_with(said: &'static [u8], expect: &'static [u8]) -> Seen {
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
        assert_eq!(answer_with(b"+PONG\r\n", b"+PONG").await, Reading::Good.into());
        let words = r#""-LOADING\r\n" came, "+PONG" should be in it"#;
        let other = answer_with(b"-LOADING\r\n", b"+PONG").await;
        assert_eq!(other, Seen::new(Reading::Bad(Cause::Mismatch), words));
        assert_eq!(answer_with(b"", b"+PONG").await, Reading::Bad(Cause::Closed).into());
        let long = answer_with(&[b'\xff'; 5_000], b"+PONG").await;
        assert!(long.said.starts_with(r#""\xff\xff"#) && long.said.contains("\".. came"), "{}", long.said);
    }

    #[tokio::test]
    async fn a_port_where_nothing_listens_refuses() {
        let port = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        assert_eq!(read(&port.to_string(), b"", b"").await, Reading::Bad(Cause::Refused).into());
    }

    #[tokio::test]
    async fn a_port_that_accepts_at_once_needs_no_waiting_and_localhost_is_either_loopback() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        for address in [format!("127.0.0.1:{port}"), format!("localhost:{port}")] {
            assert!(matches!(begin(&address, b"", b""), Ok(Reading::Good)), "{address}");
        }
    }

    #[tokio::test]
    async fn a_connect_that_takes_its_time_is_waited_for_and_then_the_next_address_is_tried() {
        // A full backlog leaves the third connect unanswered, until one of those before it is accepted.
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let listener = socket.listen(1).unwrap();
        let address = listener.local_addr().unwrap();
        let full = [connect_now(address).unwrap(), connect_now(address).unwrap()];
        let Err(begun) = begin(&address.to_string(), b"", b"") else {
            panic!("the backlog is full: {full:?}")
        };
        let reading = tokio::spawn(async move { finish(begun, "", b"", b"").await });
        listener.accept().await.unwrap();
        assert_eq!(reading.await.unwrap(), Reading::Good.into());
        let refused = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let listening = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let both = [refused, listening.local_addr().unwrap()];
        let reached = connect(both.into_iter(), Cause::Unresolved).await;
        assert!(reached.is_ok(), "the next one accepts");
    }
}
