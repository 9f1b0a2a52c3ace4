//! Deadlines: why the next one is there, which slot is due next, and the chance that spreads them.
//!
//! With 1,024 checks a scan for the earliest deadline would touch 200 KiB for every input. So slots carry a binary
//! heap within themselves: slot `i` holds which slot sits on seat `i`, and on which seat it sits itself (4 bytes).
//! The earliest is then one look, a change is O(log n), and no further memory is lent. Slots that wait for nothing
//! are due at [`Mono::NEVER`]. Nothing is cancelled: whoever is due looks at its own state to see whether it still is.
//!
//! Whatever is tried again waits by one rule, `Backoff`: twice as long each time, within bounds, spread by chance.
//! Chance is splitmix64 (Steele, Lea, Flood 2014): 8 bytes of state, every seed is good, and jitter needs no more.

use picket_proto::{Mono, Span};

/// Why the next deadline is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// A probe is due.
    Probe,
    /// A restart is due.
    Restart,
    /// A stopping service is to be killed.
    Kill,
    /// A starting service must have passed its checks by now.
    StartTimeout,
    /// What has been passing has held.
    Held,
    /// An open breaker tries once.
    HalfOpen,
    /// Evidence did not come in time; the remedy goes on without it.
    Evidence,
    /// A service's files are looked at, or were to be put back by now.
    Files,
    /// The host is rebooted, or should be down by now.
    Reboot,
    /// A hold is over.
    HoldOver,
    /// What outlives the run is to be kept.
    Keep,
    /// What somebody else does about a service should have come by now.
    Awaited,
    /// What should be on the host is looked at, or what was learned of it is to be kept.
    Look,
    /// The link is tried again.
    Connect,
    /// A heartbeat is due.
    Heartbeat,
    /// Frames are due on the disk, or it is tried again.
    Disk,
    /// The farewell has taken long enough.
    Farewell,
}

/// A slot's part of the heap.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Seat {
    /// Which slot sits on the seat of this slot's number.
    holds: u16,
    /// On which seat this slot sits.
    at: u16,
}

/// A slot that can be due.
pub(crate) trait Timed {
    /// When it is due.
    fn due(&self) -> Mono;
    /// Its part of the heap.
    fn seat(&mut self) -> &mut Seat;
    /// The same, to look at.
    fn seated(&self) -> Seat;
}

/// Seats all slots; once, before anything else.
pub(crate) fn seat_all<T: Timed>(slots: &mut [T]) {
    for (place, slot) in (0..).zip(slots.iter_mut()) {
        *slot.seat() = Seat { holds: place, at: place };
    }
    for place in 0..slots.len() {
        moved(slots, place);
    }
}

/// Seats a slot that came to the others: the last one.
pub(crate) fn seat_last<T: Timed>(slots: &mut [T]) {
    let last = slots.len().saturating_sub(1);
    if let (Some(slot), Ok(place)) = (slots.last_mut(), u16::try_from(last)) {
        *slot.seat() = Seat { holds: place, at: place };
    }
}

/// The slot that is due first, if there are slots.
pub(crate) fn first<T: Timed>(slots: &[T]) -> Option<(usize, Mono)> {
    let slot = usize::from(slots.first()?.seated().holds);
    Some((slot, slots.get(slot)?.due()))
}

/// Restores the order after the due time of `slot` has changed.
pub(crate) fn moved<T: Timed>(slots: &mut [T], slot: usize) {
    let mut seat = usize::from(slots[slot].seated().at);
    while seat > 0 && due_at(slots, seat) < due_at(slots, (seat - 1) / 2) {
        swap(slots, seat, (seat - 1) / 2);
        seat = (seat - 1) / 2;
    }
    loop {
        let below = [2 * seat + 1, 2 * seat + 2];
        let earliest = below.into_iter().filter(|&at| at < slots.len()).min_by_key(|&at| due_at(slots, at));
        let Some(child) = earliest.filter(|&child| due_at(slots, child) < due_at(slots, seat)) else {
            return;
        };
        swap(slots, seat, child);
        seat = child;
    }
}

fn due_at<T: Timed>(slots: &[T], seat: usize) -> Mono {
    slots[usize::from(slots[seat].seated().holds)].due()
}

fn swap<T: Timed>(slots: &mut [T], one: usize, other: usize) {
    let (first, second) = (slots[one].seated().holds, slots[other].seated().holds);
    slots[one].seat().holds = second;
    slots[other].seat().holds = first;
    let (one_at, other_at) = (slots[usize::from(second)].seated().at, slots[usize::from(first)].seated().at);
    slots[usize::from(second)].seat().at = other_at;
    slots[usize::from(first)].seat().at = one_at;
}

/// A source of chance: splitmix64.
#[derive(Debug, Clone)]
pub(crate) struct Dice(u64);

impl Dice {
    /// The same seed gives the same throws.
    pub(crate) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A span from zero up to `limit`, `limit` excluded; zero if that is zero.
    pub(crate) const fn below(&mut self, limit: Span) -> Span {
        let throw = self.next() as u128 * limit.micros() as u128;
        Span::from_micros((throw >> 64) as u64)
    }

    /// `span`, give or take `percent` of it.
    pub(crate) const fn around(&mut self, span: Span, percent: u64) -> Span {
        let swing = Span::from_micros(span.micros() / 100).times(percent);
        Span::from_micros(span.micros().saturating_sub(swing.micros())).plus(self.below(swing.times(2)))
    }
}

/// How long to wait between tries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Backoff {
    /// The first wait.
    pub(crate) first: Span,
    /// The longest, before chance is added.
    pub(crate) most: Span,
}

impl Backoff {
    /// The wait after `times` earlier ones: doubled each time, give or take a quarter so that what fell together does
    /// not rise together.
    pub(crate) fn wait(self, times: u16, dice: &mut Dice) -> Span {
        dice.around(self.first.times(1 << times.min(30)).min(self.most), 25)
    }
}
