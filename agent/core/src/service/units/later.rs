//! What is waited for of a unit, and what of it is told and intended.

use super::*;

impl Moving<'_> {
    pub(super) fn later(&mut self, within: Span, now: Mono) {
        match self.slot.state {
            State::Starting { .. } | State::Stopping { .. } => {
                self.slot.state = State::Awaiting { until: now.plus(within) };
            }
            State::Idle
            | State::Verifying { .. }
            | State::Running { .. }
            | State::Waiting { .. }
            | State::Broken { .. }
            | State::Awaiting { .. }
            | State::Left
            | State::Ended => {}
        }
    }

    /// What somebody else was at did not bring it back.
    pub(in crate::service) fn awaited_in_vain(&mut self, around: Around<'_, '_>) {
        self.failed(self.slot.streak.why, None, around);
    }

    pub(super) fn wanted(&mut self, out: &mut crate::facts::Facts) {
        if self.slot.intent != Intent::Run {
            self.intend(Intent::Run, Witness::Job, out);
        }
    }

    pub(super) fn intend(&mut self, to: Intent, witness: Witness, out: &mut crate::facts::Facts) {
        let from = core::mem::replace(&mut self.slot.intent, to);
        let service = self.slot.spec.name.clone();
        out.tell(event::Fact::Intent(event::IntentChanged { service, from, to, witness }));
    }

    pub(in crate::service) fn tell_start(&self, pid: u32, adopted: bool, out: &mut crate::facts::Facts) {
        let service = self.slot.spec.name.clone();
        out.tell(event::Fact::Started(event::Started { service, pid, adopted }));
    }
}
