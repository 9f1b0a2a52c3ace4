//! Being believed: from the start over the first pass of every check to a hold that has held.
//!
//! A hold is believed when every check passed within its later half. It is prolonged by a quarter at a time (20 ms at
//! least) while answers are missing, for the start timeout and three holds at most. A pause of the agent or the host
//! is no failure of the service: a deadline that is handled late begins anew. What follows a hold that broke is
//! decided by [`super::remedy`].

use super::Around;
use super::ladder::Rung;
use super::moves::Moving;
use super::slot::{Aim, Delays, FRESH, Process, Proof, Stage, State, Then, Why};
use crate::check::{CheckIx, Checks, LATE};
use picket_proto::event::{self, Cause, Outcome};
use picket_proto::{Mono, Span};

/// A process without checks that look inside counts as having passed when it has lived this long: a server with a
/// broken configuration ends within it.
const SETTLED: Span = Span::from_secs(1);
/// Pauses that one process is forgiven before it has proved itself: a host that is late each time is judged all
/// the same.
const PAUSES_MAX: u8 = 3;
/// Shortest step by which a hold is prolonged.
const HOLD_STEP: Span = Span::from_millis(20);

impl State {
    /// What the process under way is to prove, if anything.
    pub(super) const fn proof(self) -> Option<Proof> {
        match self {
            Self::Starting { aim: Aim::Verify(proof) } | Self::Verifying { proof, .. } => Some(proof),
            Self::Stopping { then: Then::Start, .. } => Some(Proof::Remedy),
            Self::Idle
            | Self::Starting { aim: Aim::End }
            | Self::Running { .. }
            | Self::Stopping { then: Then::End | Then::Rest | Then::Root, .. }
            | Self::Waiting { .. }
            | Self::Broken { .. }
            | Self::Awaiting { .. }
            | Self::Left
            | Self::Ended => None,
        }
    }
}

impl Moving<'_> {
    /// A process that has just started has so long to pass its checks.
    pub(super) fn rise(&mut self, process: Process, proof: Proof, checks: &mut Checks<'_>) {
        checks.started(process.since, self.ix);
        self.begins_with_files(process.since);
        self.slot.delays = Delays::default();
        let until = process.since.plus(self.slot.spec.start_timeout);
        self.slot.state = State::Verifying { process, proof, stage: Stage::Rising { until } };
        self.all_may_have_passed(process.since, checks);
    }

    /// Begins the hold if every check has passed since the start.
    pub(super) fn all_may_have_passed(&mut self, now: Mono, checks: &mut Checks<'_>) {
        if let State::Verifying { process, proof, .. } = self.slot.state
            && checks.unproven(self.ix, self.proves_from(process)).is_none()
        {
            checks.watch(now, self.ix, self.slot.spec.hold);
            self.hold(now, process, proof, now);
        }
    }

    /// Whether every check has passed since it failed.
    pub(super) fn has_passed(&self, checks: &Checks<'_>) -> bool {
        checks.unproven(self.ix, self.slot.streak.failed_at).is_none()
    }

    /// It passes again without a remedy: it must hold, and is left alone.
    pub(super) fn believe(&mut self, process: Process, around: Around<'_, '_>) {
        around.checks.watch(around.now, self.ix, self.slot.spec.hold);
        self.hold(around.now, process, Proof::Alone, around.now);
    }

    pub(super) fn hold(&mut self, now: Mono, process: Process, proof: Proof, passed: Mono) {
        let stage = Stage::Holding { passed, since: now, until: now.plus(self.slot.spec.hold) };
        self.slot.state = State::Verifying { process, proof, stage };
    }

    /// The hold's time is over. It is believed only if every check passed within its later half: a check that hangs
    /// in an unanswered probe proves nothing. Then the hold is prolonged, but not for ever.
    pub(super) fn hold_is_over(
        &mut self,
        process: Process,
        proof: Proof,
        times: (Mono, Mono, Mono),
        mut around: Around<'_, '_>,
    ) {
        let (passed, since, until) = times;
        let spec = &self.slot.spec;
        let half = Span::from_micros(spec.hold.micros() / 2);
        let fresh = since.max(Mono::from_micros(around.now.micros().saturating_sub(half.micros())));
        let Some(missing) = around.checks.unproven(self.ix, fresh) else {
            return self.held(process, proof, (passed, since), around);
        };
        let patience = spec.start_timeout.plus(spec.hold.times(3));
        let step = Span::from_micros(spec.hold.micros() / 4).max(HOLD_STEP);
        let mut next = until.max(around.now).plus(step);
        let mut passed = passed;
        if self.was_paused(until, &mut around) {
            passed = passed.plus(around.now.since(until));
        } else if around.now.since(passed) >= patience {
            match self.awaits(missing.0, &around) {
                Some(answer) => next = answer,
                None => return self.not_held(process, proof, missing, around),
            }
        }
        let stage = Stage::Holding { passed, since, until: next };
        self.slot.state = State::Verifying { process, proof, stage };
    }

    /// The start timeout is over.
    pub(super) fn rise_is_over(
        &mut self,
        process: Process,
        proof: Proof,
        until: Mono,
        mut around: Around<'_, '_>,
    ) {
        let Some(missing) = around.checks.unproven(self.ix, self.proves_from(process)) else {
            return self.all_may_have_passed(around.now, around.checks);
        };
        let until = if self.was_paused(until, &mut around) {
            Some(around.now.plus(self.slot.spec.start_timeout))
        } else {
            self.awaits(missing.0, &around)
        };
        match until {
            Some(until) => {
                self.slot.state = State::Verifying { process, proof, stage: Stage::Rising { until } };
            }
            None => self.not_held(process, proof, missing, around),
        }
    }

    /// Whether a deadline is handled so late that the agent or the whole host must have stood still: what was seen
    /// before tells nothing, so all checks are looked at now.
    fn was_paused(&mut self, until: Mono, around: &mut Around<'_, '_>) -> bool {
        let pauses = &mut self.slot.delays.pauses;
        if around.now.since(until) <= LATE || *pauses >= PAUSES_MAX {
            return false;
        }
        *pauses += 1;
        around.checks.look(around.now, self.ix);
        true
    }

    /// Until when the answer of a probe that is out is to be waited for; once per process, since a check that always
    /// hangs has a probe out most of the time.
    fn awaits(&mut self, check: CheckIx, around: &Around<'_, '_>) -> Option<Mono> {
        let answer = around.checks.answer_by(check).filter(|by| *by > around.now)?;
        let again = core::mem::replace(&mut self.slot.delays.awaited, true);
        (!again).then_some(answer)
    }

    fn held(&mut self, process: Process, proof: Proof, times: (Mono, Mono), mut around: Around<'_, '_>) {
        let (passed, since) = times;
        // A remedy that was told as not held may have helped late: nobody would else hear that it is over.
        let is_late = proof == Proof::Alone && self.slot.streak.attempt > 0;
        if proof == Proof::Remedy || is_late {
            let back_after = passed.since(self.slot.streak.failed_at);
            let held_for = around.now.since(since);
            let check = self.failed_check(around.checks);
            self.slot.tell_outcome(around.now, Outcome::Held { check, back_after, held_for }, around.out);
        }
        if self.slot.streak.is_told {
            self.tell_back((passed, since), &mut around);
        }
        if !self.slot.breaker.is_closed() {
            self.slot.breaker.close();
            self.slot.tell_breaker(event::Breaker::Closed, around.out);
        }
        // What a person has mended is a new case: the remedies before that are not counted against the next failure.
        if self.slot.streak.asked {
            self.slot.budget.clear();
        }
        self.slot.streak = FRESH;
        self.slot.rung = Rung::default();
        self.slot.ties.told = None;
        self.slot.delays = Delays::default();
        self.slot.deaths.passed();
        around.checks.relax(around.now, self.ix);
        self.well_with_files(around.now);
        self.slot.state = State::Running { process };
    }

    /// It lives, but did not pass or stopped passing.
    pub(super) fn not_held(
        &mut self,
        process: Process,
        proof: Proof,
        missing: (CheckIx, Cause),
        around: Around<'_, '_>,
    ) {
        let (check, cause) = missing;
        if proof == Proof::Remedy {
            let name = self.check_name(check, around.checks);
            let outcome = self.judged(name, cause, around.checks);
            self.slot.tell_outcome(around.now, outcome, around.out);
            self.slot.rung.did_not_hold();
        }
        self.undo_files();
        around.checks.relax(around.now, self.ix);
        self.check_failed(Why::Check(check, cause), process, around);
    }

    /// A pass between two deaths makes them two: only the budget limits those. Only a process that has lived for a
    /// while counts as one that passed: what answers within its first second may be somebody else on its port. If that was the first
    /// start of the run the service was up: what follows is the first restart of a streak, and waits for nothing.
    pub(super) fn forget_if_proven(
        &mut self,
        process: Process,
        proof: Proof,
        stage: Stage,
        around: &Around<'_, '_>,
    ) {
        let settled = around.now.since(process.since) >= SETTLED;
        if matches!(stage, Stage::Holding { .. }) && settled {
            self.slot.deaths.passed();
            if proof == Proof::First {
                self.slot.streak = FRESH;
            }
        }
    }
}
