//! Waiting for room: what a starved host means for services that live.
//!
//! Where everything waits for CPU, memory or disk, checks time out although nothing is wrong with what they look at, and
//! restarts are what such a host can bear least (most watchdog firings on record were starvation and no hang). So a
//! service that lives is not stopped while a pressure check has reached its lower limit; one whose process is gone is
//! started all the same, and so is the single try of an open breaker. The wait has an end, since the service itself may
//! be what starves the host. Without pressure checks (a kernel without PSI, `[host]` off) nothing waits.

use super::Around;
use super::moves::Moving;
use super::slot::{Process, State, Wait, Why};
use picket_proto::Span;
use picket_proto::event::Breaker;

/// How long a failure waits at most: a boot, a backup or a burst is over by then; a leak is not.
const LONGEST: Span = Span::from_secs(300);
/// From look to look: the kernel's shortest average is over ten seconds.
const AGAIN: Span = Span::from_secs(5);

impl Moving<'_> {
    /// A remedy begins, unless it would stop what lives on a starved host.
    pub(super) fn begin_where_there_is_room(&mut self, process: Option<Process>, around: Around<'_, '_>) {
        let (now, streak) = (around.now, &self.slot.streak);
        let may_wait = process.is_some()
            && matches!(streak.why, Why::Check(..))
            && now.since(streak.failed_at) < LONGEST;
        let check = if may_wait { around.checks.starved(now).cloned() } else { None };
        let Some(check) = check else { return self.begin(process, around) };
        if !core::mem::replace(&mut self.slot.streak.starved, true) {
            self.slot.tell_breaker(Breaker::Starved { check, longest: LONGEST }, around.out);
        }
        self.slot.state = State::Waiting { process, wait: Wait::Restart { at: now.plus(AGAIN) } };
    }
}
