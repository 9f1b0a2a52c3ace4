//! The TCP connection of the link, and how many bytes it carries: both ways, as the kernel counts them.
//!
//! Counted is what a provider counts: what TCP carried and carried again, and for each of its packets the headers of IP
//! and TCP. Left out, since nobody here sees it: names that are looked up, tries that no address answered, and what a
//! proxy's owner counts otherwise. A connection that carried nothing for 30 s of what was said is given up: over a link
//! where nobody pings that is how a dead way is noticed before the kernel's own quarter of an hour.

use crate::sys;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// IP, TCP and its timestamps; IPv6 has 20 bytes more.
const HEADERS: u64 = 52;
const HEADERS_V6: u64 = 72;
/// Packets that end a connection after it was last looked at.
const LAST_PACKETS: u64 = 4;
/// What is sent is acknowledged within this.
const UNHEARD_MS: u32 = 30_000;

/// What the link carried and nobody has asked for yet.
#[derive(Debug, Clone, Default)]
pub(crate) struct Carried(Arc<AtomicU64>);

impl Carried {
    fn add(&self, bytes: u64) {
        self.0.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Takes it.
    pub(crate) fn take(&self) -> u64 {
        self.0.swap(0, Ordering::Relaxed)
    }
}

/// A TCP connection; counted where somebody wants to know.
#[derive(Debug)]
pub(super) struct Wire {
    tcp: TcpStream,
    carried: Option<Carried>,
    headers: u64,
    told: u64,
    /// The kernel does not count, and that was told.
    is_blind: bool,
}

impl Wire {
    pub(super) fn new(tcp: TcpStream, carried: Option<Carried>) -> Self {
        let is_v6 = tcp.peer_addr().is_ok_and(|peer| peer.is_ipv6());
        let _as_long_as_the_kernel_likes = rustix::net::sockopt::set_tcp_user_timeout(&tcp, UNHEARD_MS);
        Self { tcp, carried, headers: if is_v6 { HEADERS_V6 } else { HEADERS }, told: 0, is_blind: false }
    }

    /// Ready when something can be read.
    pub(super) async fn readable(&self) -> io::Result<()> {
        self.tcp.readable().await
    }

    fn count<T>(&mut self, polled: Poll<T>) -> Poll<T> {
        if polled.is_ready() {
            self.tell(0);
        }
        polled
    }

    fn tell(&mut self, packets_to_come: u64) {
        let Some(carried) = &self.carried else { return };
        let Some((bytes, packets)) = sys::tcp_traffic(&self.tcp) else {
            if !std::mem::replace(&mut self.is_blind, true) {
                tracing::warn!("this kernel does not say what a connection carries: the cap is not kept");
            }
            return;
        };
        let all = bytes + (packets + packets_to_come) * self.headers;
        carried.add(all.saturating_sub(self.told));
        self.told = self.told.max(all);
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.tell(LAST_PACKETS);
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.tcp).poll_read(cx, buf);
        self.count(polled)
    }
}

impl AsyncWrite for Wire {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.tcp).poll_write(cx, bytes);
        self.count(polled)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    #[tokio::test]
    async fn what_goes_both_ways_is_counted_with_its_headers() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (tcp, accepted) = tokio::join!(TcpStream::connect(address), listener.accept());
        let carried = Carried::default();
        let mut wire = Wire::new(tcp.unwrap(), Some(carried.clone()));
        let mut other = accepted.unwrap().0;
        wire.write_all(&[1; 3_000]).await.unwrap();
        let mut read = vec![0; 3_000];
        other.read_exact(&mut read).await.unwrap();
        other.write_all(&[2; 2_000]).await.unwrap();
        wire.read_exact(&mut read[..2_000]).await.unwrap();
        let so_far = carried.take();
        // At least the handshake's two and one packet each way; few more than those and their acknowledgements.
        assert!((5_000 + 4 * HEADERS..=5_000 + 14 * HEADERS).contains(&so_far), "{so_far}");
        drop(wire);
        assert!((4 * HEADERS..=8 * HEADERS).contains(&carried.take()), "the end, and what came late");
        assert_eq!(carried.take(), 0);
    }
}
