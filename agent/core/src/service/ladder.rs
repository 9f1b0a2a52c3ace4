//! The ladder: which remedy is next, and what those are that are no restart.
//!
//! The first rung is the first remedy of a streak; where one does not hold the next one follows, and the last is
//! repeated. Budget, backoff and breaker stay in force, so a ladder never loops. A process that is not there can't be
//! reloaded: that rung is passed over, and so are packages that are known to be the good ones. With `isolate` on its ladder a service that still lives when its breaker opens is
//! stopped; the single try of an open breaker goes on with the rung that comes next, and begins anew once all were tried. A remedy after which more checks fail than
//! before made it worse, which is told. Which rung is next does not outlive the run: a new one begins at the first.

use super::Around;
use super::Driver;
use super::moves::Moving;
use super::slot::{Delays, Process, Proof, Stage, State, Then, Verb};
use crate::check::Checks;
use crate::unit;
use picket_proto::event::{Because, Cause, Exit, Outcome, Remedy};
use picket_proto::{Mono, Name};

/// Where a service stands on its ladder.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rung {
    /// The next one.
    next: u8,
    /// The remedy that was begun last.
    pub(super) remedy: Remedy,
    /// How many checks failed when it began.
    failing: u16,
    /// Whether a reboot may still be tried.
    pub(super) can_reboot: bool,
    /// From when on its process must pass its checks, where that is later than its start.
    since: Mono,
    /// Why it was given up as it was last stopped.
    given_up: Because,
}

impl Default for Rung {
    fn default() -> Self {
        Self {
            next: 0,
            remedy: Remedy::Restart,
            failing: 0,
            can_reboot: true,
            since: Mono::default(),
            given_up: Because::Isolated,
        }
    }
}

impl Rung {
    pub(super) const fn begins(&mut self, remedy: Remedy, failing: u16) {
        (self.remedy, self.failing) = (remedy, failing);
    }

    /// The next remedy is the first of the ladder.
    pub(super) const fn begins_anew(&mut self) {
        self.next = 0;
    }

    pub(super) const fn did_not_hold(&mut self) {
        self.next = self.next.saturating_add(1);
    }
}

impl Moving<'_> {
    /// The next remedy.
    pub(super) fn next_rung(&mut self, process: Option<Process>) -> Remedy {
        let ladder = &self.slot.spec.ladder;
        let (is_kept, tried) = (self.slot.spec.good.is_some(), self.slot.files.tried);
        let can_package = self.slot.spec.packages.is_some() && self.slot.packages.can_help();
        let can_reboot = self.slot.rung.can_reboot && self.slot.spec.reboots.is_some();
        let can = |remedy: &Remedy| match remedy {
            Remedy::Reload => process.is_some(),
            Remedy::Rollback => is_kept && !tried,
            Remedy::Package => can_package,
            Remedy::Reboot => can_reboot,
            Remedy::Restart | Remedy::Dependents | Remedy::Isolate => true,
        };
        let at = usize::from(self.slot.rung.next).min(ladder.len().saturating_sub(1));
        let found = (at..).zip(ladder.iter().skip(at)).find(|(_, remedy)| can(remedy));
        let Some((at, remedy)) = found else { return Remedy::Restart };
        self.slot.rung.next = u8::try_from(at).unwrap_or(u8::MAX);
        *remedy
    }

    /// Where the single try of an open breaker begins: what the budget or the same death over and over kept from being
    /// tried comes now. Once all were tried, or only isolation is left, it is the first rung again.
    pub(super) fn try_again(&mut self) {
        let next = self.slot.spec.ladder.get(usize::from(self.slot.rung.next));
        if next.is_none_or(|remedy| *remedy == Remedy::Isolate) {
            self.slot.rung.begins_anew();
        }
    }

    /// Whether it is stopped where its remedies rest.
    pub(super) fn is_isolated_in_the_end(&self) -> bool {
        self.slot.spec.ladder.contains(&Remedy::Isolate)
    }

    /// From when on a process must have passed its checks.
    pub(super) fn proves_from(&self, process: Process) -> Mono {
        process.since.max(self.slot.rung.since)
    }

    /// Has it read its configuration anew; the same process must pass its checks again.
    pub(super) fn reload(&mut self, process: Process, around: Around<'_, '_>) {
        self.order = Some(match self.slot.spec.driver {
            Driver::Spawn | Driver::Command => Verb::Reload,
            Driver::Systemd => Verb::Unit(unit::Verb::Reload),
        });
        self.slot.rung.since = around.now;
        self.slot.delays = Delays::default();
        self.reads_files(around.now);
        around.checks.started(around.now, self.ix);
        let until = around.now.plus(self.slot.spec.start_timeout);
        self.slot.state = State::Verifying { process, proof: Proof::Remedy, stage: Stage::Rising { until } };
    }

    /// The init system does not reload it; it lives on as it did.
    pub(super) fn reload_refused(&mut self, exit: Exit, around: Around<'_, '_>) {
        let State::Verifying { process, proof: Proof::Remedy, .. } = self.slot.state else { return };
        let why = match exit {
            Exit::NotStarted(_) => "its unit can't be reloaded",
            Exit::Code(_) | Exit::Signal(_) | Exit::Unknown | Exit::Ruled(_) => "its reload failed",
        };
        around.checks.relax(around.now, self.ix);
        self.not_done(why, Some(process), around);
    }

    /// Stops it and leaves it to a person, until its breaker's single try.
    pub(super) fn isolate(&mut self, process: Process, because: Because, mut around: Around<'_, '_>) {
        self.tell_begun(Remedy::Isolate, &mut around);
        self.slot.rung.given_up = because.isolated();
        self.stop(around.now, process, Then::Rest);
    }

    /// It is stopped.
    pub(super) fn rest(&mut self, around: Around<'_, '_>) {
        self.slot.past.isolated(around.now);
        self.open(None, self.slot.rung.given_up, around);
    }

    /// What came of a remedy after which a check fails.
    pub(super) fn judged(&self, check: Name, cause: Cause, checks: &Checks<'_>) -> Outcome {
        let (before, after) = (self.slot.rung.failing, checks.failing(self.ix));
        if after > before && before > 0 {
            return Outcome::Worse { before, after, check };
        }
        Outcome::StillFailing { check, cause }
    }
}
