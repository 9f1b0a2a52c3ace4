//! The last levels of the whole host: what its own checks read, kept for the heartbeat so that nothing is read twice, and
//! held against the lower limits of pressure where it matters whether the host is starved.

use super::slot::Slot;
use super::{Checks, Reading};
use picket_proto::event::CheckKind;
use picket_proto::{Mono, Name, Sample};

impl Checks<'_> {
    /// What the host's own checks read last; the rest of the sample is empty.
    pub(crate) const fn levels(&self) -> Sample {
        self.levels
    }

    /// The host's check that says that it is starved: of the pressures that were read in their last three intervals the
    /// first that has reached its lower limit.
    pub(crate) fn starved(&self, now: Mono) -> Option<&Name> {
        let starves = |slot: &Slot| {
            let fresh = slot.last.filter(|(at, _)| now.since(*at) <= slot.spec.interval.times(3));
            let (Some((_, Reading::Level(level))), Some(limits)) = (fresh, slot.spec.limits) else {
                return false;
            };
            level >= limits.degraded
        };
        let mut pressures = self.slots.each().filter(|(_, slot)| slot.spec.kind == CheckKind::Pressure);
        pressures.find(|(_, slot)| starves(slot)).map(|(_, slot)| &slot.spec.name)
    }
}

/// Keeps what a check of this kind read; a reading that failed leaves nothing.
pub(super) fn keep(levels: &mut Sample, kind: CheckKind, reading: Reading) {
    let level = match reading {
        Reading::Level(level) => u32::try_from(level).ok(),
        Reading::Good | Reading::Poor(_) | Reading::Bad(_) | Reading::Room { .. } => None,
    };
    match kind {
        CheckKind::Cpu => levels.cpu = level,
        CheckKind::Memory => levels.memory = level,
        CheckKind::Load => levels.load = level,
        CheckKind::Process
        | CheckKind::Tcp
        | CheckKind::Http
        | CheckKind::Space
        | CheckKind::Exec
        | CheckKind::Tls
        | CheckKind::Expires
        | CheckKind::File
        | CheckKind::Log
        | CheckKind::Metric
        | CheckKind::Pressure
        | CheckKind::Swap
        | CheckKind::Inodes
        | CheckKind::Mount
        | CheckKind::Net
        | CheckKind::Temperature
        | CheckKind::Job
        | CheckKind::Backup
        | CheckKind::Container => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use picket_proto::event::Cause;

    #[test]
    fn each_level_has_its_place_and_a_failed_reading_empties_it() {
        let mut levels = Sample::default();
        let kinds = [CheckKind::Cpu, CheckKind::Memory, CheckKind::Load, CheckKind::Space];
        for (kind, level) in kinds.into_iter().zip(1..) {
            keep(&mut levels, kind, Reading::Level(level));
        }
        assert_eq!((levels.cpu, levels.memory, levels.load), (Some(1), Some(2), Some(3)));
        keep(&mut levels, CheckKind::Cpu, Reading::Bad(Cause::Local(5)));
        assert_eq!((levels.cpu, levels.memory), (None, Some(2)));
    }
}
