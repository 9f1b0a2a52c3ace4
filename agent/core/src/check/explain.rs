//! Who makes a level what it is: asked for only when it is bad, since finding out costs more than the level.
//!
//! After a bad level each probe is asked for words until one is good, so that the one that decides has them and a person
//! who asks later sees who it is now. Where the very first would decide (`fall = 1`) it is put off, once, for a second
//! look at the same moment.

use super::slot::Slot;
use super::verdict::{Way, way_of};
use super::{CheckKind, Reading};
use picket_proto::Mono;
use picket_proto::event::Verdict;

impl Slot {
    /// Whether somebody can be named for its level.
    pub(super) const fn is_explained(&self) -> bool {
        match self.spec.kind {
            CheckKind::Cpu
            | CheckKind::Memory
            | CheckKind::Load
            | CheckKind::Space
            | CheckKind::Pressure
            | CheckKind::Swap => true,
            CheckKind::Process
            | CheckKind::Tcp
            | CheckKind::Http
            | CheckKind::Exec
            | CheckKind::Tls
            | CheckKind::Expires
            | CheckKind::File
            | CheckKind::Log
            | CheckKind::Metric
            | CheckKind::Inodes
            | CheckKind::Mount
            | CheckKind::Net
            | CheckKind::Temperature
            | CheckKind::Job
            | CheckKind::Backup
            | CheckKind::Container => false,
        }
    }

    /// Whether a level that would decide for the worse was read without words: then it is looked at again, now.
    pub(super) fn puts_off(&mut self, now: Mono, reading: Reading, class: Verdict) -> bool {
        let is_bad_level =
            matches!(reading, Reading::Level(_)) && matches!(class, Verdict::Degraded | Verdict::Down);
        if self.explain || !self.is_explained() || !is_bad_level || class == self.base {
            return false;
        }
        let before = self.streak.filter(|streak| streak.way == Way::Worse).map_or(0, |streak| streak.count);
        let decides = way_of(self.base, class) == Way::Worse && before.saturating_add(1) >= self.spec.fall;
        if decides {
            (self.explain, self.due) = (true, now);
        }
        decides
    }
}
