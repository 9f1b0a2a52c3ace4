//! A unit while its packages are put back: what their scripts do with it is nobody's wish, and proves nothing yet.

use super::super::files::Kind;
use super::*;

impl Moving<'_> {
    /// Takes what would else be a start, a stop or a restart of somebody's; false where it is told as ever.
    pub(super) fn turns_meanwhile(&mut self, turn: Turn, around: &mut Around<'_, '_>) -> bool {
        match self.slot.state {
            State::Waiting { .. } => self.turns_while_waiting(turn, around),
            // Nobody waits for it: it was left by an earlier run, or took longer than it may.
            State::Starting { .. }
            | State::Verifying { .. }
            | State::Running { .. }
            | State::Awaiting { .. }
            | State::Broken { .. } => self.is_stopped_meanwhile(turn, around),
            State::Idle | State::Stopping { .. } | State::Left | State::Ended => false,
        }
    }

    fn turns_while_waiting(&mut self, turn: Turn, around: &mut Around<'_, '_>) -> bool {
        let now = around.now;
        let (exit, up) = match turn {
            Turn::Nothing | Turn::Found { .. } | Turn::Still { .. } | Turn::Later { .. } => return true,
            Turn::Died { .. } => return false,
            Turn::Up { pid } | Turn::Replaced { pid, .. } => (Exit::Unknown, Some(pid)),
            Turn::Restarting { exit, .. } | Turn::Left { exit, .. } => (exit, None),
        };
        self.ends_meanwhile(exit, around);
        if let Some(pid) = up {
            self.tell_start(pid, false, around.out);
        }
        if let State::Waiting { process, .. } = &mut self.slot.state {
            *process = up.map(|pid| Process { pid, since: now, found: false });
        }
        true
    }

    /// A stop is waited out with the installation; a start needs no other answer than ever.
    fn is_stopped_meanwhile(&mut self, turn: Turn, around: &mut Around<'_, '_>) -> bool {
        let exit = match turn {
            Turn::Left { exit, .. } => exit,
            Turn::Nothing
            | Turn::Found { .. }
            | Turn::Still { .. }
            | Turn::Later { .. }
            | Turn::Died { .. }
            | Turn::Up { .. }
            | Turn::Replaced { .. }
            | Turn::Restarting { .. } => return false,
        };
        self.ends_meanwhile(exit, around);
        match &mut self.slot.state {
            State::Broken { process, .. } => *process = None,
            State::Idle
            | State::Starting { .. }
            | State::Verifying { .. }
            | State::Running { .. }
            | State::Stopping { .. }
            | State::Waiting { .. }
            | State::Awaiting { .. }
            | State::Left
            | State::Ended => self.wait_for_files(Kind::Packages, None, around.now),
        }
        true
    }

    fn ends_meanwhile(&mut self, exit: Exit, around: &mut Around<'_, '_>) {
        if let Some(process) = self.slot.process() {
            around.checks.ended(around.now, self.ix);
            self.slot.tell_end(around.now, (process.pid, exit), Who::Asked, around.out);
        }
    }
}
