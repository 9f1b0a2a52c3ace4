//! The memory that the core works in: lent once at the start, never grown.

use crate::config::{Check, Service};
use picket_agent_core::baseline::{Lent, Rules, THINGS_MAX, Thing};
use picket_agent_core::{Storage, check, service, spool};

/// Bytes of frames in memory: some 1,500 events, what a busy minute makes while the disk writes.
const RING: usize = 256 * 1024;

/// A place per check and service, and the ring for frames with its index.
pub(super) struct Places {
    checks: Vec<check::Slot>,
    services: Vec<service::Slot>,
    ring: Vec<u8>,
    index: Vec<spool::Entry>,
    things: Vec<Thing>,
    rules: Rules,
    units: bool,
}

impl Places {
    /// Empty places for these; none for a baseline where none is learned.
    pub(super) fn new(checks: &[Check], services: &[Service], (rules, units): (Option<Rules>, bool)) -> Self {
        let things = if rules.is_some() { THINGS_MAX } else { 0 };
        Self {
            checks: checks.iter().map(|check| check::Slot::new(check.spec.clone())).collect(),
            services: services.iter().map(|service| service::Slot::new(service.spec.clone())).collect(),
            ring: vec![0; RING],
            index: vec![spool::Entry::default(); RING / 128],
            things: vec![Thing::default(); things],
            rules: rules.unwrap_or_default(),
            units,
        }
    }

    /// Lends them to a core, with what it is lent of the disk.
    pub(super) fn lend<'s>(&'s mut self, disk: spool::Lent<'s>) -> Storage<'s> {
        Storage {
            checks: &mut self.checks,
            services: &mut self.services,
            ring: &mut self.ring,
            index: &mut self.index,
            baseline: Lent { things: &mut self.things, rules: self.rules, units: self.units },
            disk,
        }
    }
}
