//! Who makes a level what it is: asked for only when it is bad, since finding out costs more than the level.
//!
//! The probe that may decide and the one before it are asked for words, since what somebody took is seen between two walks; and while a level stays bad one probe a minute, so that a person who asks
//! later sees who it is by then; so is the look that a person asks for. Finding out walks over all processes: at every
//! look of a second it would cost a host that has nothing left more than all else together. Where a reading would decide that
//! came without words it is put off, once, for a second look at the same moment.

use super::slot::Slot;
use super::verdict::{Way, way_of};
use super::{CheckKind, Reading};
use picket_proto::event::Verdict;
use picket_proto::{Mono, Span};

/// While a level stays bad it is found out this often who makes it that.
const REFRESH: Span = Span::from_secs(60);

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

    /// Whether the words of an earlier reading stand, although the last one came without: its level is as bad as then.
    pub fn words_stand(&self) -> bool {
        self.is_explained() && self.cause.is_some()
    }

    /// Whether the probe after this reading is to bring words.
    pub(super) fn wants_words(&self, now: Mono, class: Verdict) -> bool {
        self.is_explained()
            && matches!(class, Verdict::Degraded | Verdict::Down)
            && (self.decides(class, 2) || self.is_refreshed(now))
    }

    /// Whether so many more readings like this change the verdict for the worse.
    fn decides(&self, class: Verdict, more: u8) -> bool {
        let before = self.streak.filter(|streak| streak.way == Way::Worse).map_or(0, |streak| streak.count);
        way_of(self.base, class) == Way::Worse && before.saturating_add(more) >= self.spec.fall
    }

    /// Whether a minute is over by the next reading, counted since its verdict began.
    fn is_refreshed(&self, now: Mono) -> bool {
        let minutes = |at: Mono| at.since(self.since).micros() / REFRESH.micros();
        minutes(now.plus(self.interval())) > minutes(now)
    }

    /// Whether a level that would decide for the worse was read without words: then it is looked at again, now.
    pub(super) fn puts_off(&mut self, now: Mono, reading: Reading, class: Verdict) -> bool {
        let is_bad_level =
            matches!(reading, Reading::Level(_)) && matches!(class, Verdict::Degraded | Verdict::Down);
        if self.explain || !self.is_explained() || !is_bad_level || class == self.base {
            return false;
        }
        let decides = self.decides(class, 1);
        if decides {
            (self.explain, self.due) = (true, now);
        }
        decides
    }
}
