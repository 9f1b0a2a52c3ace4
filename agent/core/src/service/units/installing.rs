//! A unit while its packages are put back: what their scripts do with it is nobody's wish, and proves nothing yet.

use super::super::files::Kind;
use super::super::slot::Wait;
use super::*;

impl Moving<'_> {
    pub(super) const fn is_installing(&self) -> bool {
        matches!(self.slot.state, State::Waiting { wait: Wait::Files { kind: Kind::Packages, .. }, .. })
    }

    /// Takes what would else be a start, a stop or a restart of somebody's; false where it is told as ever.
    pub(super) fn turns_meanwhile(&mut self, turn: Turn, around: &mut Around<'_, '_>) -> bool {
        let now = around.now;
        let (exit, up) = match turn {
            Turn::Nothing | Turn::Found { .. } | Turn::Still { .. } | Turn::Later { .. } => return true,
            Turn::Died { .. } => return false,
            Turn::Up { pid } | Turn::Replaced { pid, .. } => (Exit::Unknown, Some(pid)),
            Turn::Restarting { exit, .. } | Turn::Left { exit, .. } => (exit, None),
        };
        if let Some(process) = self.slot.process() {
            around.checks.ended(now, self.ix);
            self.slot.tell_end(now, (process.pid, exit), Who::Asked, around.out);
        }
        if let Some(pid) = up {
            self.tell_start(pid, false, around.out);
        }
        if let State::Waiting { process, .. } = &mut self.slot.state {
            *process = up.map(|pid| Process { pid, since: now });
        }
        true
    }
}
