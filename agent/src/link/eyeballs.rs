//! Happy eyeballs (RFC 8305): tries that begin one after the other, of which the first to succeed wins.
//!
//! The next try begins when the one before has failed or 250 ms have passed (section 5: the recommended delay), so
//! that a dead one costs no more. Families alternate, beginning with the resolver's first choice (section 4), and of
//! one name at most 16 addresses are tried. Losers are dropped, which closes their sockets. Left out: the resolution
//! delay of section 3, since the C library brings both families at once.

use super::why::{Diagnosis, Step, broken};
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::TcpStream;

const STAGGER: Duration = Duration::from_millis(250);
/// Addresses of one name.
const ADDRESSES_MAX: usize = 16;

/// The first of `tries` to succeed; where none does, why each failed, in the order in which they did.
///
/// # Errors
/// All of them failed.
pub(super) async fn first<T, E, F>(tries: impl Iterator<Item = F>) -> Result<T, Vec<E>>
where
    F: Future<Output = Result<T, E>>,
{
    let mut waiting: VecDeque<F> = tries.collect();
    let (mut running, mut failed) = (FuturesUnordered::new(), Vec::new());
    running.extend(waiting.pop_front());
    loop {
        tokio::select! {
            ended = running.next() => match ended {
                Some(Ok(won)) => return Ok(won),
                Some(Err(error)) => failed.push(error),
                None => return Err(failed),
            },
            () = tokio::time::sleep(STAGGER), if !waiting.is_empty() => {}
        }
        running.extend(waiting.pop_front());
    }
}

/// A TCP connection to the first of `addresses` that takes one.
pub(super) async fn connect(addresses: Vec<SocketAddr>) -> Result<TcpStream, Diagnosis> {
    let one = |address: SocketAddr| async move {
        let connected = TcpStream::connect(address).await;
        connected.map_err(|error| {
            let why = broken(Step::Connect, &error);
            Diagnosis { detail: format!("{address}: {}", why.detail), ..why }
        })
    };
    let tries = alternating(addresses).into_iter().take(ADDRESSES_MAX).map(one);
    let stream = first(tries).await.map_err(|failed| {
        let none = || Diagnosis::new(Step::Resolve, "link-unresolved", "the name has no address");
        failed.into_iter().next().unwrap_or_else(none)
    })?;
    // A heartbeat is one small packet; waiting for more would only delay it.
    let _works_without = stream.set_nodelay(true);
    Ok(stream)
}

fn alternating(addresses: Vec<SocketAddr>) -> Vec<SocketAddr> {
    let first_is_v6 = addresses.first().is_some_and(SocketAddr::is_ipv6);
    let all = addresses.len();
    let (mut mine, mut other): (VecDeque<_>, VecDeque<_>) =
        addresses.into_iter().partition(|address| address.is_ipv6() == first_is_v6);
    let mut mixed = Vec::with_capacity(all);
    while mixed.len() < all {
        mixed.extend(mine.pop_front());
        mixed.extend(other.pop_front());
    }
    mixed
}

#[cfg(test)]
mod tests {
    use super::*;

    fn v4(last: u8) -> SocketAddr {
        SocketAddr::from(([192, 0, 2, last], 1))
    }

    fn v6(last: u16) -> SocketAddr {
        SocketAddr::from(([0x2001, 0xdb8, 0, 0, 0, 0, 0, last], 1))
    }

    #[test]
    fn families_alternate_beginning_with_the_resolvers_choice() {
        assert_eq!(alternating(vec![v6(1), v6(2), v6(3), v4(1)]), [v6(1), v4(1), v6(2), v6(3)]);
        assert_eq!(alternating(vec![v4(1), v6(1), v6(2)]), [v4(1), v6(1), v6(2)]);
        assert_eq!(alternating(Vec::new()), []);
    }

    #[tokio::test]
    async fn a_try_that_hangs_costs_the_stagger_and_one_that_fails_costs_nothing() {
        let begun = crate::clock::now().mono;
        let tries = ["hangs", "fails", "wins", "too late"].map(|what| async move {
            match what {
                "hangs" => std::future::pending().await,
                "fails" => Err(what),
                _ => Ok(what),
            }
        });
        assert_eq!(first(tries.into_iter()).await, Ok("wins"));
        let took = crate::clock::now().mono.since(begun).to_duration();
        assert!(took >= STAGGER, "{took:?}");
        assert!(took < STAGGER * 2, "the one that fails does not wait for the stagger: {took:?}");
    }

    #[tokio::test]
    async fn a_slow_try_still_wins_where_the_later_ones_fail() {
        let both_failed = std::sync::Arc::new(tokio::sync::Semaphore::new(0));
        let tries = [true, false, false].map(|is_slow| {
            let both_failed = std::sync::Arc::clone(&both_failed);
            async move {
                if !is_slow {
                    both_failed.add_permits(1);
                    return Err("failed");
                }
                let _both = both_failed.acquire_many(2).await;
                Ok("slow")
            }
        });
        assert_eq!(first(tries.into_iter()).await, Ok("slow"));
        let none: Result<(), Vec<()>> = first(std::iter::empty::<std::future::Ready<_>>()).await;
        assert_eq!(none, Err(Vec::new()));
    }
}
