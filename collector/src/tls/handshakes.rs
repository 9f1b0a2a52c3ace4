//! The handshakes under way: who began them, who has said something, and who has to make room.
//!
//! Anybody can begin a handshake, so the one who must not suffer is the peer who means it. Room is made at the cost of
//! whoever holds most: of the peers that have sent nothing, a source (an IPv4 address, an IPv6 /64) may have 64 (what a fleet behind one address has in the
//! milliseconds between connecting and speaking); for
//! one more its oldest is closed. All together may be 512; for one more the oldest silent one of the source that has
//! most is closed, or where all speak the oldest of them, at most one per 5 ms, so that a fleet behind one address
//! that comes back at once is worked off (about a millisecond each) and not thrown out by itself.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::task::{AbortHandle, Id};

/// Silent handshakes of one source.
pub(super) const SILENT_MAX: usize = 64;
/// Handshakes of all.
pub(super) const ALL_MAX: usize = 512;
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

    /// Closes the oldest silent one of the source that has most of those. False if all speak.
    pub(super) fn close_silent(&mut self) -> bool {
        let silent = |shake: &Shake| !shake.spoken.get();
        let Some(source) = self.greediest(silent) else { return false };
        self.close(|shake| shake.source == source && silent(shake));
        true
    }

    /// Closes the oldest one of the source that has most.
    pub(super) fn close_any(&mut self) {
        if let Some(source) = self.greediest(|_any| true) {
            self.close(|shake| shake.source == source);
        }
    }

    fn greediest(&self, counts: impl Fn(&Shake) -> bool) -> Option<Source> {
        let mut sources: Vec<Source> =
            self.0.iter().filter(|shake| counts(shake)).map(|shake| shake.source).collect();
        sources.sort_unstable();
        sources.chunk_by(|one, other| one == other).max_by_key(|same| same.len()).map(|same| same[0])
    }

    fn close(&mut self, which: impl Fn(&Shake) -> bool) {
        if let Some(at) = self.0.iter().position(which) {
            self.0.remove(at).task.abort();
        }
    }
}
