//! What is found of a service at the agent's start: nothing, a process that lives, or one that died meanwhile.

use super::Around;
use super::keep::Left;
use super::moves::{Moving, Taken};
use super::slot::{Aim, Process, Proof, Stage, State, Wait};
use crate::check::Voice;
use picket_proto::Mono;
use picket_proto::event::Exit;

impl Moving<'_> {
    /// There is no process at the agent's start: what follows depends on where an earlier run left it.
    pub(super) fn absent(&mut self, around: Around<'_, '_>) -> Taken {
        if !matches!(self.slot.state, State::Idle) {
            return Taken::No;
        }
        let now = around.now;
        match self.slot.left.take() {
            Some(Left::Proving(proof)) => self.died(0, Exit::Unknown, proof, around),
            Some(Left::Waiting(left)) => {
                self.slot.state =
                    State::Waiting { process: None, wait: Wait::Restart { at: now.plus(left) } };
            }
            Some(Left::Broken(left)) => {
                self.slot.state = State::Broken { process: None, retry_at: now.plus(left) };
            }
            Some(Left::Settled) | None if self.is_held(now) => {
                self.slot.state = State::Waiting { process: None, wait: Wait::First };
            }
            Some(Left::Settled) | None => self.first_start(),
        }
        Taken::Yes
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
        self.slot.state = match self.slot.left.take() {
            Some(Left::Proving(proof)) => {
                let until = now.plus(self.slot.spec.start_timeout);
                State::Verifying { process, proof, stage: Stage::Rising { until } }
            }
            Some(Left::Waiting(left)) => {
                State::Waiting { process: Some(process), wait: Wait::Restart { at: now.plus(left) } }
            }
            Some(Left::Broken(left)) => State::Broken { process: Some(process), retry_at: now.plus(left) },
            // A boot came between, and something else started it: the remedy is proved all the same.
            Some(Left::Settled) | None if self.slot.first == Proof::Remedy => {
                self.slot.first = Proof::First;
                let until = now.plus(self.slot.spec.start_timeout);
                State::Verifying { process, proof: Proof::Remedy, stage: Stage::Rising { until } }
            }
            Some(Left::Settled) | None => {
                self.well_with_files(now);
                State::Running { process }
            }
        };
    }
}
