//! What a service tells of itself: its ends, its remedies' outcomes, its breaker.

use super::slot::{Slot, State};
use crate::facts::Facts;
use crate::unit::Who;
use picket_proto::event::{self, Exit, Outcome};
use picket_proto::{Mono, Span};

impl Slot {
    pub(super) fn tell_exit(&mut self, now: Mono, pid: u32, exit: Exit, out: &mut Facts) {
        let who = if matches!(self.state, State::Stopping { .. }) { Who::Asked } else { Who::Itself };
        self.tell_end(now, (pid, exit), who, out);
    }

    pub(super) fn tell_end(&mut self, now: Mono, (pid, exit): (u32, Exit), who: Who, out: &mut Facts) {
        self.ended = Some((pid, now));
        let asked = who == Who::Asked;
        let seen = self.process().filter(|process| !process.found);
        let ran = seen.map_or(Span::ZERO, |process| now.since(process.since));
        let service = self.spec.name.clone();
        out.tell(event::Fact::Exited(event::Exited { service, pid, exit, ran, asked }));
    }

    pub(super) fn tell_outcome(&mut self, now: Mono, outcome: Outcome, out: &mut Facts) {
        self.past.ended(now, &outcome);
        let ended = event::RemedyEnded {
            service: self.spec.name.clone(),
            remedy: self.rung.remedy,
            attempt: self.streak.attempt,
            outcome,
            took: now.since(self.streak.failed_at),
        };
        out.tell(event::Fact::Outcome(ended));
    }

    pub(super) fn tell_breaker(&self, to: event::Breaker, out: &mut Facts) {
        out.tell(event::Fact::Breaker(event::BreakerMoved { service: self.spec.name.clone(), to }));
    }
}
