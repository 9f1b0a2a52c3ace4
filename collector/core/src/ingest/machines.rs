//! Hosts that say the same machine-id: copies of one image, which ought to have been sealed. Live state only.
//!
//! It is shown and changes nothing, since who a host is says its certificate; that two *live* machines have one certificate is
//! another matter ([`super::contest`]). One row per host with a session that says one, so no more than there are hosts.

use alloc::collections::{BTreeMap, BTreeSet};

/// See the module. Hosts are their slots.
#[derive(Debug)]
pub(crate) struct Machines {
    by_slot: BTreeMap<u32, u64>,
    all: BTreeSet<(u64, u32)>,
}

impl Machines {
    /// Nobody said one.
    pub(crate) const fn new() -> Self {
        Self { by_slot: BTreeMap::new(), all: BTreeSet::new() }
    }

    /// A host says this from now on; 0 is none.
    pub(crate) fn says(&mut self, slot: u32, machine: u64) {
        if let Some(before) = self.by_slot.remove(&slot) {
            self.all.remove(&(before, slot));
        }
        if machine != 0 {
            self.by_slot.insert(slot, machine);
            self.all.insert((machine, slot));
        }
    }

    /// The other hosts that say what this one does, by their slots.
    pub(crate) fn same(&self, slot: u32) -> impl Iterator<Item = u32> + '_ {
        let machine = self.by_slot.get(&slot).copied();
        let all = machine.map(|machine| self.all.range((machine, 0)..=(machine, u32::MAX)));
        all.into_iter().flatten().map(|(_, slot)| *slot).filter(move |other| *other != slot)
    }
}
