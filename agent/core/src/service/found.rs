//! What is found of a service at the agent's start: nothing, a process that lives, or one that died meanwhile.

use super::Around;
use super::keep::Left;
use super::moves::{Moving, Taken};
use super::slot::{Aim, Process, Proof, Slot, Stage, State, Wait};
use crate::check::Voice;
use picket_proto::Mono;
use picket_proto::event::Exit;

impl Slot {
    /// Names the process of a life whose number nobody knew; false if there is none.
    pub(super) fn names(&mut self, pid: u32) -> bool {
        let process = match &mut self.state {
            State::Idle | State::Starting { .. } | State::Awaiting { .. } | State::Left | State::Ended => {
                None
            }
            State::Verifying { process, .. }
            | State::Running { process }
            | State::Stopping { process, .. }
            | State::Waiting { process: Some(process), .. }
            | State::Broken { process: Some(process), .. } => Some(process),
            State::Waiting { process: None, .. } | State::Broken { process: None, .. } => None,
        };
        process.filter(|process| process.pid == 0).map(|process| process.pid = pid).is_some()
    }
}

impl Moving<'_> {
    /// There is no process at the agent's start: what follows depends on where an earlier run left it.
    pub(super) fn absent(&mut self, around: Around<'_, '_>) -> Taken {
        if !matches!(self.slot.state, State::Idle) {
            return Taken::No;
        }
        let now = around.now;
        if self.waits_on(None, now) {
            return Taken::Yes;
        }
        match self.slot.left.take() {
            Some(Left::Proving(proof)) => self.died(0, Exit::Unknown, proof, around),
            // Of one that is only observed its process check says so first.
            _ if self.is_held(now) => self.slot.state = State::Waiting { process: None, wait: Wait::First },
            _ => self.first_start(),
        }
        Taken::Yes
    }

    /// It waits on, and lives by now.
    pub(super) fn waits_with(&mut self, process: Process, wait: Wait, around: &mut Around<'_, '_>) {
        self.slot.state = State::Waiting { process: Some(process), wait };
        if self.is_believed(wait, around) {
            self.believe(process, around.again());
        }
    }

    /// Whether one that waits is believed before its time: all passes, and nothing else is to come of it.
    pub(super) fn is_believed(&self, wait: Wait, around: &Around<'_, '_>) -> bool {
        let waits_for_others = match wait {
            Wait::Root => true,
            Wait::Restart { .. } => self.is_held(around.now),
            Wait::Evidence { .. }
            | Wait::First
            | Wait::Reboot { .. }
            | Wait::Dependents { .. }
            | Wait::Files { .. } => false,
        };
        waits_for_others && self.has_passed(around.checks)
    }

    /// What an earlier run waited for is waited for on; false if that was nothing.
    pub(super) fn waits_on(&mut self, process: Option<Process>, now: Mono) -> bool {
        self.slot.state = match self.slot.left {
            Some(Left::Waiting(left)) => {
                State::Waiting { process, wait: Wait::Restart { at: now.plus(left) } }
            }
            Some(Left::Broken(left)) => State::Broken { process, retry_at: now.plus(left) },
            Some(Left::Settled | Left::Proving(_)) | None => return false,
        };
        self.slot.left = None;
        true
    }

    /// A process that an earlier run of this boot left running is gone at the agent's start: it died, and nobody saw
    /// how. What was to come anyway comes as it would have come.
    pub(super) fn lost(&mut self, pid: u32, around: Around<'_, '_>) -> Taken {
        if !matches!(self.slot.state, State::Idle) {
            return Taken::No;
        }
        let voice = Voice { owner: Some(&self.slot.spec.name), said: "", out: &mut *around.out };
        around.checks.died(around.now, self.ix, voice);
        self.slot.tell_exit(around.now, pid, Exit::Unknown, around.out);
        match self.slot.left {
            Some(Left::Waiting(_) | Left::Broken(_)) => return self.absent(around),
            Some(Left::Proving(proof)) => self.died(pid, Exit::Unknown, proof, around),
            Some(Left::Settled) | None => self.died(pid, Exit::Unknown, Proof::Alone, around),
        }
        self.slot.left = None;
        Taken::Yes
    }

    /// The first start of a run counts as a try: when it never passes, what follows waits as after a failed remedy.
    pub(super) fn first_start(&mut self) {
        self.slot.streak.tries = self.slot.streak.tries.max(1);
        self.start(Aim::Verify(self.slot.first));
    }

    /// A process is there at the agent's start: it goes on where an earlier run left it.
    pub(super) fn go_on(&mut self, process: Process, now: Mono) {
        if self.waits_on(Some(process), now) {
            return;
        }
        self.slot.state = match self.slot.left.take() {
            Some(Left::Proving(proof)) => {
                let until = now.plus(self.slot.spec.start_timeout);
                State::Verifying { process, proof, stage: Stage::Rising { until } }
            }
            // A boot came between, and something else started it: the remedy is proved all the same.
            _ if self.slot.first == Proof::Remedy => {
                self.slot.first = Proof::First;
                let until = now.plus(self.slot.spec.start_timeout);
                State::Verifying { process, proof: Proof::Remedy, stage: Stage::Rising { until } }
            }
            _ => {
                self.well_with_files(now);
                State::Running { process }
            }
        };
    }
}
