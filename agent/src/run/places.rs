//! The memory that the core works in: lent once at the start, never grown. There is a place for every check and service
//! that a configuration can have, so that a later one finds its own.

use crate::config::{CHECKS_MAX, Check, SERVICES_MAX, Service};
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
    /// Places for these, and free ones behind them; none for a baseline where none is learned.
    pub(super) fn new(checks: &[Check], services: &[Service], (rules, units): (Option<Rules>, bool)) -> Self {
        let things = if rules.is_some() { THINGS_MAX } else { 0 };
        Self {
            checks: fill(
                checks.iter().map(|it| check::Slot::new(it.spec.clone())),
                CHECKS_MAX,
                check::Slot::free,
            ),
            services: fill(
                services.iter().map(|it| service::Slot::new(it.spec.clone())),
                SERVICES_MAX,
                service::Slot::free,
            ),
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

fn fill<T>(taken: impl Iterator<Item = T>, most: usize, free: fn() -> T) -> Vec<T> {
    taken.chain(std::iter::repeat_with(free)).take(most).collect()
}
