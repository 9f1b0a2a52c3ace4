//! The handshakes under way: who began them, who has said something, and who has to make room.
//!
//! Anybody can begin a handshake, so the one who must not suffer is the peer who means it. Room is made at the cost of
//! whoever holds most: of the peers that have sent nothing, a source (an IPv4 address, an IPv6 /64) may have 64 (what a
//! fleet behind one address has in the milliseconds between connecting and speaking); for one more its oldest is closed.
//! All together may be 512; for one more the oldest silent one of the source that has most is closed, but none of the 32
//! that came last: a peer needs time to speak, and a busy collector to hear it. Where none else is silent the oldest of
//! them all is closed, at most one per 5 ms, so that a fleet behind one address that comes back at once is worked off
//! (about a millisecond each) and not thrown out by itself, and whoever came last has 160 ms at least.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::task::{AbortHandle, Id};

/// Silent handshakes of one source.
pub(super) const SILENT_MAX: usize = 64;
/// Handshakes of all.
pub(super) const ALL_MAX: usize = 512;
/// The newest, of which none is closed for being silent.
pub(super) const NEW: usize = 32;
/// Between two that speak and are closed.
pub(super) const SPEAKERS_EVERY: Duration = Duration::from_millis(5);

/// Where a connection comes from, as far as one machine can choose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Source(u64);

impl Source {
    /// Of an address.
    pub(super) const fn of(address: IpAddr) -> Self {
        match address.to_canonical() {
            // Its high half is no global unicast prefix, so it meets no IPv6 network.
            IpAddr::V4(address) => Self(address.to_bits() as u64),
            IpAddr::V6(address) => Self((address.to_bits() >> 64) as u64),
        }
    }
}

/// Set once a peer has sent something.
#[derive(Debug, Clone, Default)]
pub(super) struct Spoken(Arc<AtomicBool>);

impl Spoken {
    pub(super) fn set(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    fn get(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

struct Shake {
    source: Source,
    spoken: Spoken,
    task: AbortHandle,
}

/// All handshakes under way, oldest first.
#[derive(Default)]
pub(super) struct Handshakes(Vec<Shake>);

impl Handshakes {
    /// Takes one in, and makes the source's silent ones make room for it.
    pub(super) fn add(&mut self, source: Source, spoken: Spoken, task: AbortHandle) {
        let silent = |shake: &Shake| shake.source == source && !shake.spoken.get();
        if self.0.iter().filter(|shake| silent(shake)).count() >= SILENT_MAX {
            self.close(silent);
        }
        self.0.push(Shake { source, spoken, task });
    }

    /// One ended, however.
    pub(super) fn ended(&mut self, id: Id) {
        self.0.retain(|shake| shake.task.id() != id);
    }

    /// Whether one must make room before the next.
    pub(super) fn is_full(&self) -> bool {
        self.0.len() >= ALL_MAX
    }

    /// Closes the oldest silent one of the source that has most of those. False if all but the newest speak.
    pub(super) fn close_silent(&mut self) -> bool {
        let silent = |shake: &Shake| !shake.spoken.get();
        let old = &self.0[..self.0.len().saturating_sub(NEW)];
        let Some(source) = greediest(old, silent) else { return false };
        self.close(|shake| shake.source == source && silent(shake));
        true
    }

    /// Closes the oldest one of the source that has most, the newest left aside: they had no time yet.
    pub(super) fn close_any(&mut self) {
        let old = &self.0[..self.0.len().saturating_sub(NEW)];
        if let Some(source) = greediest(old, |_any| true) {
            self.close(|shake| shake.source == source);
        }
    }

    fn close(&mut self, which: impl Fn(&Shake) -> bool) {
        if let Some(at) = self.0.iter().position(which) {
            self.0.remove(at).task.abort();
        }
    }
}

/// The source that has most of those that count; of equals the one whose first has waited longest.
fn greediest(shakes: &[Shake], counts: impl Fn(&Shake) -> bool) -> Option<Source> {
    let mut sources = BTreeMap::<Source, usize>::new();
    for shake in shakes.iter().filter(|shake| counts(shake)) {
        *sources.entry(shake.source).or_default() += 1;
    }
    let most = sources.values().copied().max()?;
    shakes.iter().map(|shake| shake.source).find(|source| sources.get(source) == Some(&most))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    fn of(host: u8) -> Source {
        Source::of(Ipv4Addr::new(192, 0, 2, host).into())
    }

    /// `count` handshakes of one host that have spoken or not.
    fn come(shakes: &mut Handshakes, host: u8, count: usize, has_spoken: bool) {
        for _ in 0..count {
            let spoken = Spoken::default();
            if has_spoken {
                spoken.set();
            }
            shakes.add(of(host), spoken, tokio::spawn(std::future::pending::<()>()).abort_handle());
        }
    }

    fn count(shakes: &Handshakes, host: u8) -> usize {
        shakes.0.iter().filter(|shake| shake.source == of(host)).count()
    }

    #[tokio::test]
    async fn who_came_last_is_not_closed_before_it_could_speak() {
        let mut shakes = Handshakes::default();
        come(&mut shakes, 1, ALL_MAX - 1, true);
        come(&mut shakes, 2, 1, false);
        assert!(shakes.is_full() && !shakes.close_silent());
        shakes.close_any();
        assert_eq!((count(&shakes, 1), count(&shakes, 2)), (ALL_MAX - 2, 1));
        come(&mut shakes, 3, NEW, true);
        assert!(shakes.close_silent(), "others came since, and it still is silent");
        assert_eq!(count(&shakes, 2), 0);
    }

    #[tokio::test]
    async fn of_equals_the_oldest_goes_and_never_one_of_the_newest() {
        let mut shakes = Handshakes::default();
        for host in 1..=100 {
            come(&mut shakes, host, 1, true);
        }
        shakes.close_any();
        assert_eq!((count(&shakes, 1), count(&shakes, 2), count(&shakes, 100)), (0, 1, 1));
    }

    #[tokio::test]
    async fn of_the_silent_the_source_with_most_makes_room() {
        let mut shakes = Handshakes::default();
        come(&mut shakes, 1, 3, false);
        come(&mut shakes, 2, 5, false);
        come(&mut shakes, 3, NEW, true);
        assert!(shakes.close_silent());
        assert_eq!((count(&shakes, 1), count(&shakes, 2), count(&shakes, 3)), (3, 4, NEW));
    }

    #[tokio::test]
    async fn one_source_has_64_silent_ones_at_most() {
        let mut shakes = Handshakes::default();
        come(&mut shakes, 1, SILENT_MAX + 1, false);
        assert_eq!(count(&shakes, 1), SILENT_MAX);
    }
}
