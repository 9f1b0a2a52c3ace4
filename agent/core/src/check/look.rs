//! Looking earlier than the interval says: while a recovery is watched, after a pause, and when a person asks.

use super::pace::Flight;
use super::{CheckIx, Checks};
use crate::shelf::Place;
use crate::timer;
use picket_proto::{Mono, Span};

impl Checks<'_> {
    /// A recovery is watched: look at least four times within `hold`.
    pub(crate) fn watch(&mut self, now: Mono, service: u16, hold: Span) {
        self.each_of(service, |slot| slot.watch(now, hold));
    }

    /// Looks at one check now; where a probe of it is out, that one's answer is the look. What counts news is not looked
    /// at for asking: its last reading is the answer.
    pub(crate) fn look_now(&mut self, now: Mono, check: CheckIx) {
        let at = usize::from(check);
        match self.slots.get_mut(at) {
            Some(slot) if slot.place != Place::Taken => self.refused = self.refused.saturating_add(1),
            Some(slot) if slot.spec.counts_news() => {}
            Some(slot) if slot.flight == Flight::Home => {
                slot.explain |= slot.words_stand();
                slot.due = now;
                timer::moved(&mut self.slots, at);
            }
            Some(_) => {}
            None => self.refused = self.refused.saturating_add(1),
        }
    }

    /// Looks at all checks of the service now.
    pub(crate) fn look(&mut self, now: Mono, service: u16) {
        self.each_of(service, |slot| slot.look_at(now));
    }
}
