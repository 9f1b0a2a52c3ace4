//! Being only observed: what would be done is told, and nothing is done.
//!
//! A service that is only observed is watched, judged and told of like any other, but its remedies rest for good (as under
//! a hold of a person's that never ends). With each failure it is told which remedy would begin now, or that its budget or
//! the same death over and over would have it rest; once it is up again and has held, after how long it came back without
//! the agent. The budget is spent by what would have begun, so that the record is what the agent would really have done.
//! Only the first rung of a ladder is told, since nobody knows whether it had held; and nobody knows either whether a
//! service that came back had done so sooner. Once the configuration lets it be healed, what fails then is healed at once.

use super::Around;
use super::moves::Moving;
use super::slot::{Process, State, Wait, Why};
use picket_proto::Mono;
use picket_proto::event::{self, Outcome, ShadowStep};

impl Moving<'_> {
    /// Whether nothing is done about it. What the agent itself stopped, for another's sake, it brings back.
    pub(super) fn is_only_seen(&self) -> bool {
        self.slot.spec.observes && self.slot.streak.why != Why::Root
    }

    /// A remedy is due.
    pub(super) fn shadow(&mut self, process: Option<Process>, mut around: Around<'_, '_>) {
        let rests = self.slot.rests(around.now);
        let is_known = core::mem::replace(&mut self.slot.shadow_rests, rests.is_some());
        let last = self.trigger(around.checks);
        let step = match rests {
            // A check that flaps is told as flapping; that it would not be healed is told once.
            Some(_) if is_known => None,
            Some(because) => Some(ShadowStep::WouldRest { because, last }),
            None => {
                let remedy = self.next_rung(process);
                self.slot.budget.spend(around.now);
                self.slot.past.began(remedy, 0, around.now);
                Some(ShadowStep::Would { remedy, trigger: last })
            }
        };
        self.slot.streak.is_told = step.is_some();
        if let Some(step) = step {
            self.tell_shadow(step, &mut around);
        }
        self.slot.streak.shadowed = true;
        self.slot.state = State::Waiting { process, wait: Wait::Restart { at: around.now } };
    }

    /// It was not there at the agent's start, as its check says now. Where a person has its remedies rest nothing is told.
    pub(super) fn shadow_first(&mut self, why: Why, around: Around<'_, '_>) {
        if self.is_only_seen() {
            (self.slot.streak.failed_at, self.slot.streak.why) = (around.now, why);
            self.shadow(None, around);
        }
    }

    /// It came back without one: when all passed, and since when they hold.
    pub(super) fn tell_back(&mut self, (passed, since): (Mono, Mono), around: &mut Around<'_, '_>) {
        let after = passed.since(self.slot.streak.failed_at);
        let held_for = around.now.since(since);
        let check = self.failed_check(around.checks);
        self.slot.past.ended(around.now, &Outcome::Held { check, back_after: after, held_for });
        self.tell_shadow(ShadowStep::Back { after, held_for }, around);
    }

    /// A remedy is due while a person has them rest: told once in a streak, so that whoever is paged knows why nothing is done.
    pub(super) fn tell_rest(&mut self, around: &mut Around<'_, '_>) {
        if self.is_held(around.now) && !self.slot.streak.rest_told {
            self.slot.streak.rest_told = true;
            self.tell_shadow(ShadowStep::Rests { left: self.slot.rests_until().since(around.now) }, around);
        }
    }

    fn tell_shadow(&self, step: ShadowStep, around: &mut Around<'_, '_>) {
        let service = self.slot.spec.name.clone();
        around.out.tell(event::Fact::Shadow(event::Shadow { service, step }));
    }

    /// Whether it is only observed has changed: what would have been done is not what was done. One whose breaker is open
    /// waits from now on like any other that fails.
    pub(super) fn observes_or_heals(&mut self, now: Mono) {
        self.slot.budget.clear();
        (self.slot.streak.shadowed, self.slot.streak.is_told) = (false, false);
        self.slot.shadow_rests = false;
        if self.slot.breaker.is_closed() {
            self.slot.deaths.passed();
        }
        if let State::Broken { process, .. } = self.slot.state {
            self.slot.state = State::Waiting { process, wait: Wait::Restart { at: now } };
        }
        if matches!(self.slot.state, State::Waiting { .. }) {
            self.slot.streak.attempt = 0;
        }
    }
}
