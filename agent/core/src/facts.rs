//! Facts on their way to the spool: what the rooms tell in one call, in the order in which it was told.
//!
//! At most 8 fit. The most that one call brings is eight, of what a service printed last and somebody asked for; else six, of losses that a person accepts or a session hears again; else
//! four: a process ends during the hold, which is a verdict, an exit, an outcome, and the breaker or the next remedy.
//! When they happened is stamped by the spool.

use heapless::Vec;
use picket_proto::event::Fact;

/// The facts of one call.
#[derive(Debug)]
pub(crate) struct Facts(Vec<Fact, 8>);

impl Facts {
    /// Nothing was told yet.
    pub(crate) const fn new() -> Self {
        Self(Vec::new())
    }

    /// Adds a fact; the module says why there is room.
    pub(crate) fn tell(&mut self, fact: Fact) {
        let kept = self.0.push(fact);
        debug_assert!(kept.is_ok(), "one call tells at most 8 facts");
    }

    /// All of them, the earliest first.
    pub(crate) fn all(self) -> impl Iterator<Item = Fact> {
        self.0.into_iter()
    }
}
