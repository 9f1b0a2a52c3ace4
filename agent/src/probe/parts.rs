//! Parts of the host beside its levels, and which of them may hang: mounts do, and a sensor may sit on a slow bus.
//!
//! Kept per interface: what its counters said at the last look. One that was set back (its driver was loaded anew)
//! counts from zero.

use super::host::Host;
use super::{Seen, inodes, mount, net, pressure, temperature};
use crate::config::Part;
use picket_agent_core::check::{CheckIx, Reading};
use picket_proto::event::Cause;
use std::collections::BTreeMap;

/// What counters said last.
#[derive(Debug, Default)]
pub(super) struct Parts {
    counted: BTreeMap<CheckIx, u64>,
}

/// Whether it is read at once.
pub(super) const fn is_quick(part: &Part) -> bool {
    matches!(part, Part::Pressure(_) | Part::Swap | Part::Net { .. })
}

impl Parts {
    /// Reads what is read at once.
    pub(super) fn read(&mut self, check: CheckIx, part: &Part, host: &mut Host) -> Reading {
        match part {
            Part::Pressure(resource) => pressure::read(*resource),
            Part::Swap => host.swap(),
            Part::Net { interface } => net::read(interface, |count| self.since_last(check, count)),
            Part::Inodes { .. } | Part::Mount { .. } | Part::Temperature(_) => read(part).reading,
        }
    }

    /// This check looks at something else from now on.
    pub(super) fn forget(&mut self, check: CheckIx) {
        self.counted.remove(&check);
    }

    fn since_last(&mut self, check: CheckIx, count: u64) -> u64 {
        let last = self.counted.insert(check, count).unwrap_or(count);
        count.checked_sub(last).unwrap_or(count)
    }
}

/// Reads what may hang; in a thread of its own.
pub(super) fn read(part: &Part) -> Seen {
    match part {
        Part::Inodes { mount } => inodes::read(mount),
        Part::Mount { mount, writable } => mount::read(mount, *writable),
        Part::Temperature(sensor) => temperature::read(&sensor.folder).into(),
        Part::Pressure(_) | Part::Swap | Part::Net { .. } => Reading::Bad(Cause::Local(libc::EINVAL)).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_count_from_the_first_look_and_from_zero_when_set_back() {
        let mut parts = Parts::default();
        assert_eq!([7, 9, 9, 3].map(|count| parts.since_last(0, count)), [0, 2, 0, 3]);
        assert_eq!(parts.since_last(1, 50), 0, "each check has its own");
    }
}
