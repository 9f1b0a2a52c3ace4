//! Checks under a new configuration: which stay, which come, which go.

use super::pace::Pace;
use super::slot::Slot;
use super::{CheckIx, Checks, Flight, Spec, trend};
use crate::shelf::{Full, Place, Seated};
use crate::timer::{self, Dice};
use picket_proto::{Mono, Name, Span};

/// How the service of a new check stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stance {
    /// Nothing is known of it yet: its start brings its checks along.
    New,
    /// It is looked after.
    Known,
    /// It must prove itself for so long: its checks are watched.
    Proving(Span),
    /// It is left alone.
    Left,
}

impl Checks<'_> {
    /// The place of each of these.
    pub(crate) fn seat(&self, names: &[Name], out: &mut [CheckIx]) -> Result<(), Full> {
        let find = |name: &Name| {
            (0..).zip(self.slots.iter()).find(|(_, slot)| slot.spec.name == *name).map(|(at, _)| at)
        };
        // What belonged to a service may still be the reason of its remedy, by its number.
        let spare = |slot: &Slot| {
            let is_home = slot.flight == Flight::Home && slot.spec.service.is_none();
            slot.place == Place::Gone && is_home && !names.contains(&slot.spec.name)
        };
        self.slots.seat((names, out), find, spare)
    }

    /// Takes the checks of a new configuration; whether a Hello would name others now.
    pub(crate) fn anew(
        &mut self,
        now: Mono,
        all: &[Seated<Spec>],
        (dice, stance): (&mut Dice, &dyn Fn(u16) -> Stance),
    ) -> bool {
        let mut differs = false;
        for at in 0..self.end() {
            if self.get(at).is_some() && !all.iter().any(|seated| seated.ix == at) {
                self.go(at);
                differs = true;
            }
        }
        for seated in all {
            differs |= match self.get(seated.ix) {
                Some(slot) if slot.spec.name == seated.spec.name => self.change(now, seated, dice),
                Some(_) => {
                    self.refused = self.refused.saturating_add(1);
                    false
                }
                None => self.come(now, seated, dice, stance),
            };
        }
        differs
    }

    /// The configuration has it no more. An answer that is out has nobody to come to.
    fn go(&mut self, check: CheckIx) {
        let at = usize::from(check);
        let slot = &mut self.slots[at];
        (slot.place, slot.pace, slot.due) = (Place::Gone, Pace::Rest, Mono::NEVER);
        trend::forget(self.trends, check);
        self.usuals.forget(check);
        timer::moved(&mut self.slots, at);
    }

    fn come(
        &mut self,
        now: Mono,
        seated: &Seated<Spec>,
        dice: &mut Dice,
        stance: &dyn Fn(u16) -> Stance,
    ) -> bool {
        let at = usize::from(seated.ix);
        let mut slot = Slot::new(seated.spec.clone());
        slot.since = now;
        slot.flight = self.slots.get(at).map_or(Flight::Home, |old| old.flight);
        slot.distrust_flight();
        slot.look_at(now.plus(dice.below(slot.interval())));
        match slot.spec.service.map(stance) {
            // What proves itself, or has, is not undone by a check that was not read yet.
            Some(Stance::Known) => {
                slot.good_at = Some(now);
                slot.look_at(now);
            }
            Some(Stance::Proving(hold)) => {
                slot.good_at = Some(now);
                slot.watch(now, hold);
            }
            Some(Stance::Left) => slot.suspend(now),
            Some(Stance::New) | None => {}
        }
        let is_seated = self.slots.put(at, slot);
        self.refused = self.refused.saturating_add(u32::from(!is_seated));
        is_seated
    }

    /// It is there already: what changed counts from the next reading on.
    fn change(&mut self, now: Mono, seated: &Seated<Spec>, dice: &mut Dice) -> bool {
        let at = usize::from(seated.ix);
        let slot = &mut self.slots[at];
        let (old, new) = (core::mem::replace(&mut slot.spec, seated.spec.clone()), &seated.spec);
        let is_other = (old.kind, old.service) != (new.kind, new.service);
        if is_other || !seated.is_same || new.full_within == Span::ZERO {
            trend::forget(self.trends, seated.ix);
        }
        if is_other || !seated.is_same || new.unusual == Span::ZERO {
            self.usuals.forget(seated.ix);
        }
        if is_other || !seated.is_same {
            slot.distrust_flight();
            (slot.streak, slot.bad, slot.blind) = (None, 0, false);
            slot.look_at(now);
        } else if old.limits != new.limits {
            slot.streak = None;
        }
        if old.interval != new.interval && slot.pace == Pace::Steady && seated.is_same {
            slot.look_at(now.plus(dice.below(slot.interval().max(Span::from_millis(1)))));
        }
        timer::moved(&mut self.slots, at);
        is_other
    }
}
