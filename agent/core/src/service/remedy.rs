//! Being restarted: from a failure to the next remedy, or to rest.
//!
//! The first remedy of a streak begins with the failure itself. Later ones wait for last words (500 ms at most) and
//! then for the backoff; where the budget is used up or deaths are the same, the breaker opens instead. What has
//! healed while it waited is not restarted.

use super::Around;
use super::files::Kind;
use super::moves::Moving;
use super::slot::{Process, Proof, Slot, State, Wait, Why};
use crate::check::{CheckIx, Checks};
use crate::timer::Backoff;
use picket_proto::event::{self, Because, Exit, Outcome, Remedy, Trigger};
use picket_proto::{Mono, Name, Span};

/// How long last words are waited for: 500 ms is ample for a pipe's rest, and no outage gets noticeably longer.
const EVIDENCE_WAIT: Span = Span::from_millis(500);

impl Slot {
    /// Why remedies must rest now, if they must.
    pub(super) fn rests(&self, now: Mono) -> Option<Because> {
        let spec = &self.spec;
        if spec.same_deaths > 0 && self.deaths.same() >= spec.same_deaths {
            return Some(Because::SameDeath(self.deaths.same()));
        }
        let used_up = Because::Budget { allowed: spec.budget, window: spec.budget_window };
        let allowed = self.budget.allows(now, spec.budget, spec.budget_window);
        // A single try of an open breaker that did not hold opens it again, whatever the budget says.
        let again = (!self.breaker.is_closed()).then_some(Because::SameDeath(self.deaths.same()));
        if allowed { again } else { Some(used_up) }
    }
}

impl Moving<'_> {
    pub(super) fn died(&mut self, pid: u32, exit: Exit, proof: Proof, around: Around<'_, '_>) {
        self.slot.deaths.ended(pid, exit);
        if proof == Proof::Remedy {
            self.slot.tell_outcome(around.now, Outcome::Died(exit), around.out);
            self.slot.rung.did_not_hold();
        }
        self.undo_files();
        self.failed(Why::Exit(exit), None, around);
    }

    pub(super) fn check_failed(&mut self, why: Why, process: Process, around: Around<'_, '_>) {
        if let Why::Check(check, cause) = why {
            self.slot.deaths.failed(check, cause);
        }
        self.failed(why, Some(process), around);
    }

    /// It failed: at once a remedy, or a wait.
    pub(super) fn failed(&mut self, why: Why, process: Option<Process>, around: Around<'_, '_>) {
        self.slot.streak.failed_at = around.now;
        self.slot.streak.why = why;
        self.slot.ties.has_failed = true;
        self.look_at_files();
        if self.waits_for_undoing(process, around.now) {
            return;
        }
        if self.slot.ties.ailing.is_some() {
            return self.wait_for_root(process, around);
        }
        let at_once = self.slot.streak.tries == 0 && !self.is_held(around.now);
        if at_once && self.slot.rests(around.now).is_none() {
            self.begin_where_there_is_room(process, around);
        } else if self.slot.deaths.waits() || self.slot.awaits_looks() {
            let wait = Wait::Evidence { until: around.now.plus(EVIDENCE_WAIT) };
            self.slot.state = State::Waiting { process, wait };
        } else {
            self.decide(process, around);
        }
    }

    /// All that can be known about the failure is known: rest, or restart after the backoff.
    pub(super) fn decide(&mut self, process: Option<Process>, mut around: Around<'_, '_>) {
        if self.slot.ties.ailing.is_some() {
            return self.wait_for_root(process, around);
        }
        if self.is_only_seen() {
            return self.shadow(process, around);
        }
        self.tell_rest(&mut around);
        if let Some(because) = self.slot.rests(around.now) {
            return self.open(process, because, around);
        }
        let backoff = Backoff { first: self.slot.spec.backoff_first, most: self.slot.spec.backoff_max };
        let delay = backoff.wait(self.slot.streak.tries.saturating_sub(1), self.dice);
        let at = self.slot.streak.failed_at.plus(delay);
        self.slot.state = State::Waiting { process, wait: Wait::Restart { at } };
    }

    pub(super) fn open(&mut self, process: Option<Process>, because: Because, around: Around<'_, '_>) {
        let stops = self.is_isolated_in_the_end() && !self.is_held(around.now);
        if let Some(process) = process.filter(|_| stops) {
            return self.isolate(process, because, around);
        }
        self.slot.streak.asked = false;
        let retry_in = self.slot.breaker.open(self.slot.spec.retry_after, self.dice);
        let last = self.trigger(around.checks);
        let attempts = self.slot.streak.attempt;
        self.slot.tell_breaker(event::Breaker::Open { because, attempts, last, retry_in }, around.out);
        self.slot.state = State::Broken { process, retry_at: around.now.plus(retry_in) };
    }

    /// A restart is due; but what has healed meanwhile is not restarted.
    pub(super) fn remedy_or_believe(&mut self, process: Option<Process>, around: Around<'_, '_>) {
        if let Some(process) = process.filter(|_| self.has_passed(around.checks)) {
            return self.believe(process, around);
        }
        if self.slot.ties.ailing.is_some() {
            return self.wait_for_root(process, around);
        }
        if self.is_only_seen() {
            return self.shadow(process, around);
        }
        self.begin_where_there_is_room(process, around);
    }

    /// A remedy begins.
    pub(super) fn begin(&mut self, process: Option<Process>, mut around: Around<'_, '_>) {
        // One that was stopped for its root has no failure of its own.
        let is_own = self.slot.streak.why != Why::Root;
        let remedy = if is_own { self.next_rung(process) } else { Remedy::Restart };
        if remedy == Remedy::Isolate {
            return match process {
                Some(process) => self.isolate(process, Because::Isolated, around),
                None => self.open(None, Because::Isolated, around),
            };
        }
        self.slot.budget.spend(around.now);
        self.tell_begun(remedy, &mut around);
        match (remedy, process) {
            (Remedy::Reload, Some(process)) => self.reload(process, around),
            (Remedy::Rollback, process) => self.roll_back(Kind::Files, process, around.now),
            (Remedy::Package, process) => self.roll_back(Kind::Packages, process, around.now),
            (Remedy::Reboot, process) => self.reboot(process, around.now),
            (Remedy::Dependents, process) => self.stop_dependents(process, around.now),
            (_, process) => self.restart(process, around.now),
        }
    }

    /// Tells that a remedy begins, and counts it.
    pub(super) fn tell_begun(&mut self, remedy: Remedy, around: &mut Around<'_, '_>) {
        self.slot.rung.begins(remedy, around.checks.failing(self.ix));
        let streak = &mut self.slot.streak;
        streak.tries = streak.tries.saturating_add(1);
        streak.attempt = streak.attempt.saturating_add(1);
        let (attempt, delay) = (streak.attempt, around.now.since(streak.failed_at));
        self.slot.past.began(remedy, attempt, around.now);
        let begun = event::RemedyBegun {
            service: self.slot.spec.name.clone(),
            remedy,
            attempt,
            trigger: self.trigger(around.checks),
            delay,
        };
        around.out.tell(event::Fact::Remedy(begun));
    }

    pub(super) fn trigger(&self, checks: &Checks<'_>) -> Trigger {
        let (files, packages) = (&self.slot.files, &self.slot.packages);
        // Which version was put back is told in any case.
        let installs = self.slot.rung.remedy == Remedy::Package && !packages.tried;
        let killed = matches!(self.slot.streak.why, Why::Exit(exit) if exit.is_from_outside() && !installs);
        // Where it failed with the good ones too, a change was not the cause. Packages bring files.
        let changed = packages
            .changed
            .as_ref()
            .filter(|_| !packages.tried && self.slot.rung.remedy != Remedy::Rollback);
        let changed = changed.or_else(|| files.changed.as_ref().filter(|_| !files.tried));
        match (self.slot.streak.why, changed) {
            (Why::Exit(_) | Why::Check(..), Some(file)) if !killed => Trigger::Changed(file.clone()),
            (Why::Exit(exit), _) => Trigger::Exit(exit),
            (Why::Root, _) => self.slot.ties.root().map_or(Trigger::Exit(Exit::Unknown), Trigger::Root),
            (Why::Check(check, cause), _) => Trigger::Check { check: self.check_name(check, checks), cause },
        }
    }

    /// The check that had failed: an exit is the process check's failure.
    pub(super) fn failed_check(&self, checks: &Checks<'_>) -> Name {
        let process = checks.process_of(self.ix);
        match (self.slot.streak.why, process) {
            (Why::Check(check, _), _) | (Why::Exit(_) | Why::Root, Some(check)) => {
                self.check_name(check, checks)
            }
            (Why::Exit(_) | Why::Root, None) => self.slot.spec.name.clone(),
        }
    }

    pub(super) fn check_name(&self, check: CheckIx, checks: &Checks<'_>) -> Name {
        checks.get(check).map_or_else(|| self.slot.spec.name.clone(), |slot| slot.spec().name.clone())
    }
}
