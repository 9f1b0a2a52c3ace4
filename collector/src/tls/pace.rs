//! How a connection finds out that its peer is gone: by TCP's own probes, which follow how often the peer is heard.
//!
//! A peer that says nothing for 10 s is probed, and again every 10 s; one that answers to nothing for 30 s is gone. What is
//! said to it and not acknowledged for 30 s means the same. A probe is one packet each way and wakes no program. An agent
//! that is heard less often, over a link that costs money, is not probed before 2.5 of its intervals have passed: until
//! then its own words show whether it is there, and the core judges it by the same span. A process that hangs while its
//! kernel answers is not noticed here: of an agent the core notices it, and a watcher that does not read is cut.

use picket_proto::Span;
use rustix::net::sockopt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use tokio::net::TcpStream;

/// As often as agents report where nothing else was agreed, in seconds.
const USUAL: u32 = 10;
/// Between two probes.
const AGAIN: Duration = Duration::from_secs(10);
/// Probes without an answer, on kernels that do not go by time alone where the span below is set.
const PROBES: u32 = 2;
/// What was said is acknowledged within this, or the peer is gone.
const UNHEARD_MS: u32 = 30_000;

/// How often the peer is heard, in seconds: a session sets it, its connection follows.
#[derive(Debug, Clone)]
pub(crate) struct Pace(Arc<AtomicU32>);

impl Default for Pace {
    fn default() -> Self {
        Self(Arc::new(AtomicU32::new(USUAL)))
    }
}

impl Pace {
    /// The peer is heard as often as this.
    pub(crate) fn set(&self, report: Span) {
        let seconds = u32::try_from(report.millis() / 1_000).unwrap_or(u32::MAX);
        self.0.store(seconds.max(USUAL), Ordering::Relaxed);
    }

    /// Has the socket follow, if it does not yet.
    pub(super) fn follow(&self, socket: &TcpStream, followed: &mut u32) {
        let seconds = self.0.load(Ordering::Relaxed);
        if *followed == seconds {
            return;
        }
        *followed = seconds;
        if let Err(failure) = probe(socket, seconds) {
            // Then a peer that is gone keeps its place until something is said to it.
            tracing::debug!(%failure, "the kernel takes no keepalive");
        }
    }
}

fn probe(socket: &TcpStream, seconds: u32) -> rustix::io::Result<()> {
    let after = if seconds <= USUAL { seconds } else { seconds.saturating_mul(5) / 2 };
    sockopt::set_tcp_keepidle(socket, Duration::from_secs(after.into()))?;
    sockopt::set_tcp_keepintvl(socket, AGAIN)?;
    sockopt::set_tcp_keepcnt(socket, PROBES)?;
    sockopt::set_tcp_user_timeout(socket, UNHEARD_MS)?;
    sockopt::set_socket_keepalive(socket, true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::net::TcpListener;

    #[tokio::test]
    async fn the_socket_follows_what_the_session_agreed() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (socket, _) = tokio::join!(TcpStream::connect(address), listener.accept());
        let (socket, pace, mut followed) = (socket.unwrap(), Pace::default(), 0);
        let idle = |socket: &TcpStream| sockopt::tcp_keepidle(socket).unwrap().as_secs();
        pace.follow(&socket, &mut followed);
        assert_eq!((idle(&socket), sockopt::socket_keepalive(&socket)), (10, Ok(true)));
        pace.clone().set(Span::from_secs(900));
        assert_eq!(idle(&socket), 10, "the session only says so");
        pace.follow(&socket, &mut followed);
        assert_eq!(idle(&socket), 2_250);
        pace.set(Span::from_millis(200));
        pace.follow(&socket, &mut followed);
        assert_eq!(idle(&socket), 10, "no more often than usual");
    }
}
