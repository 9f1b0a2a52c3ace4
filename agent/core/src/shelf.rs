//! Slots that are lent once: used from the front, never moved, so that a number means the same thing for the whole run.
//!
//! What the configuration has no more leaves its slot gone, and bound to its name: who comes back under it gets its old
//! place. So an answer or a notice that was on its way can be about nothing else. Nothing here knows what a slot is of.

use crate::timer::{self, Timed};
use core::ops::{Deref, DerefMut};
use picket_proto::Name;

/// Whose a slot is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// Nobody's yet.
    Free,
    /// Something's that the configuration has.
    Taken,
    /// Something's that the configuration has no more.
    Gone,
}

/// A slot on a shelf.
pub(crate) trait Placed: Timed {
    /// Whose it is.
    fn place(&self) -> Place;
}

/// One thing of a new configuration, with its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seated<S> {
    /// Its place, as `Agent::seats` gave it.
    pub ix: u16,
    /// What it is now.
    pub spec: S,
    /// Whether what the core does not know of it (where a probe looks) is as it was.
    pub is_same: bool,
}

/// There are not enough places.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Full {
    /// How many there are.
    pub places: usize,
    /// How many are bound to names that the configuration has no more.
    pub gone: usize,
}

/// Slots: those in use are what it looks like.
#[derive(Debug)]
pub(crate) struct Shelf<'s, T> {
    all: &'s mut [T],
    used: usize,
}

impl<'s, T: Placed> Shelf<'s, T> {
    /// Takes the slots; those that are free stand behind the others. More than 65,535 are left alone, since a number
    /// can't name them.
    pub(crate) fn new(all: &'s mut [T]) -> Self {
        let named = all.len().min(usize::from(u16::MAX));
        let all = &mut all[..named];
        let used = all.iter().take_while(|slot| slot.place() != Place::Free).count();
        timer::seat_all(&mut all[..used]);
        Self { all, used }
    }

    /// Puts a slot on its place: over one that is gone, or on the next free one. False where it is neither.
    pub(crate) fn put(&mut self, at: usize, mut slot: T) -> bool {
        if at == self.used && at < self.all.len() {
            self.used += 1;
            self.all[at] = slot;
            timer::seat_last(&mut self.all[..self.used]);
        } else if self.get(at).is_some_and(|old| old.place() == Place::Gone) {
            *slot.seat() = self.all[at].seated();
            self.all[at] = slot;
        } else {
            return false;
        }
        timer::moved(&mut self.all[..self.used], at);
        true
    }

    /// Gives each of `names` a place: its own by `find`, else a free one, else one that is gone and may be another's by
    /// `spare`.
    pub(crate) fn seat(
        &self,
        (names, out): (&[Name], &mut [u16]),
        find: impl Fn(&Name) -> Option<u16>,
        spare: impl Fn(&T) -> bool,
    ) -> Result<(), Full> {
        let gone = self.iter().filter(|slot| slot.place() == Place::Gone).count();
        let full = Full { places: self.all.len(), gone };
        let mut free = self.used..self.all.len();
        let mut spares = (0..self.used).filter(|at| self.get(*at).is_some_and(&spare));
        for (name, out) in names.iter().zip(out) {
            let place = find(name).map(usize::from).or_else(|| free.next()).or_else(|| spares.next());
            *out = place.and_then(|place| u16::try_from(place).ok()).ok_or(full)?;
        }
        Ok(())
    }

    /// One that the configuration has.
    pub(crate) fn taken(&self, at: u16) -> Option<&T> {
        self.get(usize::from(at)).filter(|slot| slot.place() == Place::Taken)
    }

    /// All that the configuration has, with their numbers.
    pub(crate) fn each(&self) -> impl Iterator<Item = (u16, &T)> {
        (0..).zip(self.iter()).filter(|(_, slot)| slot.place() == Place::Taken)
    }
}

impl<T> Deref for Shelf<'_, T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.all[..self.used]
    }
}

impl<T> DerefMut for Shelf<'_, T> {
    fn deref_mut(&mut self) -> &mut [T] {
        &mut self.all[..self.used]
    }
}
