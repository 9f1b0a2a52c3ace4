//! The memory that the core works in: lent once at the start, never grown. A later configuration has places for as many
//! checks and services again as the first one, and for 64 checks and 16 services where that is more; never for more than
//! a file may have. Places for all that a file may have would be 0.7 MB that nearly every host touches in vain; who needs
//! more restarts the agent, which leaves services alone, and is told so.

use crate::config::{CHECKS_MAX, Check, MOUNTS_MAX, SERVICES_MAX, Service};
use picket_agent_core::baseline::{Lent, Rules, THINGS_MAX, Thing};
use picket_agent_core::{Storage, check, service, spool};

/// Bytes of frames in memory: some 1,500 events, what a busy minute makes while the disk writes.
const RING: usize = 256 * 1024;
/// Checks that can be added to the smallest configuration without a restart.
const MORE_CHECKS: usize = 64;
/// Services, likewise: a place is 2.1 KB.
const MORE_SERVICES: usize = 16;

/// A place per check and service, and the ring for frames with its index.
pub(super) struct Places {
    checks: Vec<check::Slot>,
    trends: Vec<check::Trend>,
    usuals: Vec<check::Usual>,
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
                room(checks.len(), MORE_CHECKS, CHECKS_MAX),
                check::Slot::free,
            ),
            trends: vec![check::Trend::FREE; 2 * MOUNTS_MAX],
            usuals: vec![check::Usual::FREE; check::USUALS],
            services: fill(
                services.iter().map(|it| service::Slot::new(it.spec.clone())),
                room(services.len(), MORE_SERVICES, SERVICES_MAX),
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
            trends: &mut self.trends,
            usuals: &mut self.usuals,
            services: &mut self.services,
            ring: &mut self.ring,
            index: &mut self.index,
            baseline: Lent { things: &mut self.things, rules: self.rules, units: self.units },
            disk,
        }
    }
}

/// How many places there are where so many are taken.
fn room(taken: usize, more: usize, most: usize) -> usize {
    (taken + taken.max(more)).min(most)
}

fn fill<T>(taken: impl Iterator<Item = T>, most: usize, free: fn() -> T) -> Vec<T> {
    taken.chain(std::iter::repeat_with(free)).take(most).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_room_for_as_many_again_and_never_for_more_than_a_file_may_have() {
        assert_eq!(room(0, MORE_CHECKS, CHECKS_MAX), 64);
        assert_eq!(room(50, MORE_CHECKS, CHECKS_MAX), 114);
        assert_eq!(room(200, MORE_CHECKS, CHECKS_MAX), 400);
        assert_eq!(room(1000, MORE_CHECKS, CHECKS_MAX), CHECKS_MAX);
        assert_eq!(room(2, MORE_SERVICES, SERVICES_MAX), 18);
    }
}
