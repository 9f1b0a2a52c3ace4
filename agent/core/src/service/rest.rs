//! Resting because a person asked: what a hold means for services.
//!
//! While it lasts no remedy begins and nothing is started; what is under way is brought to its end. A failure is told
//! and waits, a breaker opens and waits. When the hold ends what still fails is healed; what passes again by then is
//! believed and left alone.

use super::moves::Moving;
use super::slot::{State, Wait};
use super::view::{NextTry, View};
use super::{Around, ServiceIx, Services};
use crate::hold::{Fact, Held};
use picket_proto::event::{self, HoldChanged};
use picket_proto::{Mono, Name, Text};

/// Who ends a hold whose time is over.
const TIME: &str = "its time being over";

impl Services<'_> {
    /// A person asks for a hold, or for its end.
    pub(crate) fn hold(&mut self, fact: Fact<'_>, mut around: Around<'_, '_>) {
        let known = fact.service.is_none_or(|service| self.slots.taken(service).is_some());
        if !(known && fact.is_sound()) {
            self.refused = self.refused.saturating_add(1);
            return;
        }
        let now = around.now;
        match fact.service {
            Some(service) => {
                self.with(service, |moving| moving.hold_for(fact, around));
            }
            None => {
                let ended = self.held.is_some();
                self.rest_all(
                    fact.lasts.map(|lasts| Held { until: now.plus(lasts), by: Text::new(fact.by) }),
                );
                if ended || fact.lasts.is_some() {
                    tell(None, fact, around.again());
                }
                if fact.lasts.is_none() {
                    self.end_each(fact, around);
                }
            }
        }
    }

    /// A person has a service tried now that would be tried later. It begins with the first rung, unless they say that it
    /// goes on with the next: what they have mended is not to be rolled back before it was tried.
    pub(crate) fn try_now(&mut self, now: Mono, service: ServiceIx, goes_on: bool) {
        let tried = self.with(service, |moving| {
            let slot = &mut moving.slot;
            let is_to_come = matches!(View(slot).next_try(now), NextTry::At(_));
            match &mut slot.state {
                State::Broken { retry_at: at, .. } | State::Waiting { wait: Wait::Restart { at }, .. }
                    if is_to_come =>
                {
                    *at = now;
                    slot.streak.asked = true;
                    if !goes_on {
                        slot.rung.begins_anew();
                    }
                    // What kept its packages from being put back may be mended too.
                    slot.packages.tried = false;
                    true
                }
                _ => false,
            }
        });
        if tried != Some(true) {
            self.refused = self.refused.saturating_add(1);
        }
    }

    /// Who ends the hold of all wants everything healed: the services' own holds end too.
    fn end_each(&mut self, fact: Fact<'_>, mut around: Around<'_, '_>) {
        for service in 0..self.end() {
            self.with(service, |moving| moving.hold_for(fact, around.again()));
        }
    }

    /// Ends the hold of all when its time is over; whether it was.
    pub(super) fn rest_is_over(&mut self, around: &mut Around<'_, '_>) -> bool {
        let over = self.held.as_ref().is_some_and(|held| held.until <= around.now);
        if over {
            self.rest_all(None);
            tell(None, END, around.again());
        }
        over
    }

    /// The hold of all.
    pub(crate) const fn held(&self) -> Option<&Held> {
        self.held.as_ref()
    }

    pub(super) fn rest_all(&mut self, held: Option<Held>) {
        let until = held.as_ref().map_or_else(Mono::default, |held| held.until);
        if self.held != held {
            self.keep.changed(true);
        }
        self.held = held;
        for service in 0..self.end() {
            self.with(service, |moving| moving.slot.all_rest_until = until);
        }
    }
}

const END: Fact<'static> = Fact { service: None, lasts: None, by: TIME };

impl Moving<'_> {
    fn hold_for(&mut self, fact: Fact<'_>, around: Around<'_, '_>) {
        let until = fact.lasts.map(|lasts| around.now.plus(lasts));
        let ended = self.slot.held.take().is_some();
        self.slot.held = until.map(|until| Held { until, by: Text::new(fact.by) });
        if ended || until.is_some() {
            tell(Some(self.slot.spec.name.clone()), fact, around);
        }
    }

    /// Ends this service's own hold when its time is over; whether it was.
    pub(super) fn hold_is_up(&mut self, around: &mut Around<'_, '_>) -> bool {
        let over = self.slot.held.as_ref().is_some_and(|held| held.until <= around.now);
        if over {
            self.hold_for(END, around.again());
        }
        over
    }

    /// Whether remedies rest now.
    pub(super) fn is_held(&self, now: Mono) -> bool {
        now < self.slot.rests_until()
    }
}

fn tell(service: Option<Name>, fact: Fact<'_>, around: Around<'_, '_>) {
    let changed = HoldChanged { service, lasts: fact.lasts, by: Text::new(fact.by) };
    around.out.tell(event::Fact::Hold(changed));
}
