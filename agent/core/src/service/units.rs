//! Services that are units: what each turn of a unit does in each state, and what is heard of the bus.
//!
//! A unit has the same machine as a spawned service; only its beginnings and ends come from systemd. Whatever somebody
//! else does about it wins: a life that began elsewhere is verified like any start, what was stopped is left alone,
//! and systemd's own restarts are waited for. A turn that a state can't take changes nothing.

mod installing;
mod later;

use super::keep::Left;
use super::moves::Moving;
use super::slot::{Delays, FRESH, Process, Proof, State, Then, Why};
use super::{Around, Driver, Services};
use crate::check::Voice;
use crate::unit::{self, Fact, Order, Turn, Who};
use picket_proto::event::{self, Exit, Intent, Outcome, Witness};
use picket_proto::{Mono, Span};

impl Services<'_> {
    /// Something was heard of a unit, or of the bus.
    pub(crate) fn heard(&mut self, fact: Fact, around: Around<'_, '_>) {
        match fact {
            Fact::Opened => self.compare_all(around.now),
            Fact::Lost => self.lost(around),
            Fact::Read { unit, wake, seen, done } => {
                let Around { now, checks, out } = around;
                self.look_at_roots(unit, checks);
                let inner = Around { now, checks, out: &mut *out };
                let compared = self.with(unit, |service| {
                    let (turn, compared) = service.slot.unit.read(wake, seen, done);
                    service.turn(turn, inner);
                    compared
                });
                if let Some(compared) = compared {
                    self.bus.compared(now, compared, out);
                }
            }
            Fact::Answered { unit, answer } => {
                self.look_at_roots(unit, around.checks);
                self.with(unit, |service| {
                    let turn = service.slot.unit.answered(answer);
                    service.turn(turn, around);
                });
            }
        }
    }

    /// The run begins. The bus is wanted where a service is a unit, or somebody else wants to hear it.
    pub(crate) fn begin(&mut self, now: Mono, wanted: bool) {
        if wanted || self.units() > 0 {
            self.bus.begin(now);
        }
        for service in 0..self.end() {
            self.with(service, |moving| moving.look_at_files());
        }
    }

    /// The next thing to do about the bus.
    pub(crate) fn next_order(&mut self) -> Option<Order> {
        self.bus.next_order()
    }

    /// Whether every unit was read, or there is no bus to read them from.
    pub(crate) fn units_settled(&self) -> bool {
        self.bus.is_settled()
    }

    /// Lets the bus' deadline pass; whether something followed.
    pub(super) fn bus_due(&mut self, now: Mono) -> bool {
        let units = self.units();
        let looks = self.bus.due(now, units);
        if looks {
            self.await_looks();
        }
        looks
    }

    fn compare_all(&mut self, now: Mono) {
        self.bus.opened(now, self.units());
        self.await_looks();
    }

    /// There are other units than before: all are read once more.
    pub(super) fn units_anew(&mut self, now: Mono) {
        let units = self.units();
        if self.bus.anew(now, units) {
            self.await_looks();
        }
    }

    fn await_looks(&mut self) {
        for slot in self.slots.iter_mut().filter(|slot| slot.spec.driver == Driver::Systemd) {
            slot.unit.await_look();
        }
    }

    fn lost(&mut self, around: Around<'_, '_>) {
        let Around { now, checks, out } = around;
        self.bus.lost(now, &mut self.dice);
        for at in 0..self.end() {
            let inner = Around { now, checks: &mut *checks, out: &mut *out };
            self.with(at, |service| {
                let turn = service.slot.unit.lost();
                service.turn(turn, inner);
            });
        }
    }

    pub(super) fn units(&self) -> u16 {
        let units = self.slots.each().filter(|(_, slot)| slot.spec.driver == Driver::Systemd).count();
        u16::try_from(units).unwrap_or(u16::MAX)
    }
}

impl Moving<'_> {
    /// What a reading of its unit means for it.
    fn turn(&mut self, turn: Turn, mut around: Around<'_, '_>) {
        if matches!(self.slot.state, State::Ended) {
            return;
        }
        if self.slot.packages.installs() && self.turns_meanwhile(turn, &mut around) {
            return;
        }
        match turn {
            Turn::Nothing => {}
            Turn::Found { pid } => self.found(pid, around),
            Turn::Up { pid } => self.came_up(pid, around),
            Turn::Still { pid } => {
                if matches!(
                    self.slot.state,
                    State::Starting { .. } | State::Stopping { .. } | State::Awaiting { .. }
                ) {
                    self.came_up(pid, around);
                }
            }
            Turn::Replaced { old, pid, who } => self.replaced(old, pid, who, around),
            Turn::Died { pid, exit } => self.unit_died(pid, exit, around),
            Turn::Restarting { pid, exit, within } => self.restarts_itself(pid, exit, within, around),
            Turn::Left { exit, to, witness } => self.leave(exit, (to, witness), around),
            Turn::Later { within } => self.later(within, around.now),
        }
    }

    /// How a unit is started: the single try of an open breaker must not be refused by a start limit.
    pub(super) fn start_verb(&self) -> unit::Verb {
        if self.slot.breaker.is_closed() { unit::Verb::Start } else { unit::Verb::ResetAndStart }
    }

    fn found(&mut self, pid: u32, around: Around<'_, '_>) {
        if !matches!(self.slot.state, State::Idle) {
            return;
        }
        let process = Process { pid, since: around.now, found: true };
        around.checks.adopted(around.now, self.ix);
        self.go_on(process, around.now);
        self.wanted(around.out);
        self.tell_start(pid, true, around.out);
    }

    /// It runs: by our call, by systemd's own restart, or because somebody started it.
    fn came_up(&mut self, pid: u32, around: Around<'_, '_>) {
        // A life that takes another's place proves nothing of what that one was to prove.
        let open =
            if matches!(self.slot.state, State::Verifying { .. }) { None } else { self.slot.state.proof() };
        self.wanted(around.out);
        self.tell_start(pid, false, around.out);
        let process = Process { pid, since: around.now, found: false };
        self.rise(process, open.unwrap_or(Proof::Alone), around.checks);
    }

    fn replaced(&mut self, old: u32, pid: u32, who: Who, around: Around<'_, '_>) {
        let Around { now, checks, out } = around;
        checks.ended(now, self.ix);
        if who == Who::Itself {
            self.slot.deaths.ended(old, Exit::Unknown);
            self.ask_for_words(old, Exit::Unknown);
        }
        self.slot.tell_end(now, (old, Exit::Unknown), who, out);
        self.came_up(pid, Around { now, checks, out });
    }

    fn unit_died(&mut self, pid: u32, exit: Exit, around: Around<'_, '_>) {
        if pid == 0 && matches!(self.slot.state, State::Verifying { .. }) {
            return self.reload_refused(exit, around);
        }
        let Around { now, checks, out } = around;
        checks.died(now, self.ix, Voice { owner: Some(&self.slot.spec.name), said: "", out: &mut *out });
        self.ask_for_words(pid, exit);
        let around = Around { now, checks, out };
        match self.slot.state {
            State::Stopping { then: Then::Rest, .. } => {
                self.slot.tell_end(now, (pid, exit), Who::Asked, around.out);
                self.rest(around);
            }
            State::Stopping { then: Then::Root, .. } => {
                self.slot.tell_end(now, (pid, exit), Who::Asked, around.out);
                self.wait_for_root(None, around);
            }
            // The crash itself was told when systemd began to restart it.
            State::Awaiting { .. } => self.failed(Why::Exit(exit), None, around),
            State::Idle => {
                self.slot.tell_end(now, (pid, exit), Who::Itself, around.out);
                if !self.waits_on(None, now) {
                    self.slot.left = None;
                    self.died(pid, exit, Proof::Alone, around);
                }
            }
            State::Stopping { .. } => {
                self.slot.tell_end(now, (pid, exit), Who::Asked, around.out);
                self.died(pid, exit, Proof::Remedy, around);
            }
            State::Starting { .. }
            | State::Verifying { .. }
            | State::Running { .. }
            | State::Waiting { .. }
            | State::Broken { .. } => {
                self.slot.tell_end(now, (pid, exit), Who::Itself, around.out);
                self.exited_unasked(pid, exit, around);
            }
            State::Left | State::Ended => {}
        }
    }

    /// systemd restarts it: told, and waited for.
    fn restarts_itself(&mut self, pid: u32, exit: Exit, within: Span, around: Around<'_, '_>) {
        let Around { now, checks, out } = around;
        checks.died(now, self.ix, Voice { owner: Some(&self.slot.spec.name), said: "", out: &mut *out });
        self.slot.tell_end(now, (pid, exit), Who::Itself, out);
        self.slot.deaths.ended(pid, exit);
        self.ask_for_words(pid, exit);
        // One that was being stopped has not been started by its remedy yet.
        let is_stopping = matches!(self.slot.state, State::Stopping { .. });
        let is_proving = !is_stopping && self.slot.state.proof() == Some(Proof::Remedy);
        if is_proving {
            self.slot.tell_outcome(now, Outcome::Died(exit), out);
        }
        if !is_stopping {
            self.undo_files();
        }
        (self.slot.streak.failed_at, self.slot.streak.why) = (now, Why::Exit(exit));
        self.slot.ties.has_failed = true;
        // systemd would begin what is being replaced.
        if self.waits_for_undoing(None, now) {
            if is_proving {
                self.slot.rung.did_not_hold();
            }
            return;
        }
        self.slot.state = State::Awaiting { until: now.plus(within) };
    }

    /// Has the last words of the life that ended looked for. One that was ended from outside had nothing to say about it,
    /// and what systemd's refusal said comes with it.
    fn ask_for_words(&mut self, pid: u32, exit: Exit) {
        let is_told = matches!(exit, Exit::NotStarted(_));
        if !is_told && !exit.is_from_outside() {
            self.collect = Some(unit::Collect { pid, invocation: self.slot.unit.ended_life() });
        }
    }

    /// It should not run: nothing is healed and nothing is probed until somebody starts it.
    fn leave(&mut self, exit: Exit, (to, witness): (Intent, Witness), around: Around<'_, '_>) {
        if matches!(self.slot.state, State::Left) {
            return;
        }
        if let Some(process) = self.slot.process() {
            self.slot.tell_end(around.now, (process.pid, exit), Who::Asked, around.out);
        }
        if self.was_taken_along(to, around.now) {
            let Around { now, checks, out } = around;
            checks.died(now, self.ix, Voice { owner: Some(&self.slot.spec.name), said: "", out: &mut *out });
            return self.goes_with_its_root(exit, Around { now, checks, out });
        }
        // It was down when that was kept: an earlier run had stopped it for its root or to isolate it, or it had ended in
        // a way that systemd takes for well. One whose check had failed lived, and one that had crashed would be `failed`:
        // what is inactive then was stopped by a person since.
        let is_isolated = matches!(self.slot.left, Some(Left::Broken(_))) && self.is_isolated_in_the_end();
        let was_down = is_isolated || matches!(self.slot.streak.why, Why::Root | Why::Exit(Exit::Code(0)));
        let is_ours = to == Intent::Unknown && self.slot.intent == Intent::Run && was_down;
        if is_ours && matches!(self.slot.state, State::Idle) && self.waits_on(None, around.now) {
            return self.slot.unit.is_down();
        }
        // What was known to be stopped before stays so: that it does not run is nothing new.
        let known = to == Intent::Unknown && self.slot.intent != Intent::Run;
        if !known {
            self.intend(to, witness, around.out);
        }
        around.checks.suspend(around.now, self.ix);
        self.slot.streak = FRESH;
        self.slot.delays = Delays::default();
        self.slot.deaths.passed();
        self.slot.ties.left_at = around.now;
        self.slot.state = State::Left;
    }
}
