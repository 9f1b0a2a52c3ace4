//! Checks: from what a probe saw to what the check's history says, and when to look again.
//!
//! A verdict changes after `fall` or `rise` readings in a row, so that one lost packet is no failure; from Unknown
//! the first good reading is enough, since nothing speaks against it. A process check goes down at once when the
//! process ends. Probes of one check never overlap: a slow one delays the next, and an answer about a process that
//! is gone by now is thrown away, and so is one that a pause of the agent held up. What to do about a verdict is not decided here.

mod anew;
mod explain;
mod levels;
mod look;
mod pace;
mod slot;
mod spec;
mod trend;
mod usual;
mod verdict;

pub(crate) use anew::Stance;
pub use slot::Slot;
pub use spec::{Fact, Limits, Probe, Reading, Side, Spec};
pub use trend::Trend;
pub use usual::{Mark, USUALS, Usual, Usually, has_hours};

use crate::facts::Facts;
use crate::shelf::{Place, Shelf};
use crate::timer::{self, Dice};
pub(crate) use pace::LATE;
use pace::{Flight, Pace};
use picket_proto::event::{Cause, CheckKind, Verdict};
use picket_proto::{Mono, Name, Sample};
use usual::Usuals;

/// A check's place in the configuration; at most 1,024 by default.
pub type CheckIx = u16;

/// Where a check's facts go, and the service that they name.
pub(crate) struct Voice<'a> {
    /// The name of the service that the check belongs to.
    pub(crate) owner: Option<&'a Name>,
    /// What the probe said in words.
    pub(crate) said: &'a str,
    /// The facts so far.
    pub(crate) out: &'a mut Facts,
}

/// What a reading means for the check's service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sight {
    /// The first good one since the start.
    FirstPass,
    /// A good one.
    Passes,
    /// A bad one, which is not enough to say that it fails.
    Doubt,
    /// Enough bad ones in a row.
    Fails(Cause),
}

/// A reading of a service's check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Seen {
    /// Which check.
    pub(crate) check: CheckIx,
    /// Which service.
    pub(crate) service: u16,
    /// What it means.
    pub(crate) sight: Sight,
}

/// All checks.
pub(crate) struct Checks<'s> {
    slots: Shelf<'s, Slot>,
    trends: &'s mut [Trend],
    usuals: Usuals<'s>,
    /// The last levels of the whole host, for the heartbeat.
    levels: Sample,
    /// How many probes may still go out early before the next timer.
    early: u8,
    /// Facts that no check could have: another's number, or an answer that nobody asked for.
    refused: u32,
}

impl<'s> Checks<'s> {
    /// Takes the slots.
    pub(crate) fn new(slots: &'s mut [Slot]) -> Self {
        let (slots, trends, early) = (Shelf::new(slots), Default::default(), pace::EARLY_MOST);
        Self { slots, trends, usuals: Usuals::default(), levels: Sample::default(), early, refused: 0 }
    }

    /// With memory for what fills up, and for what is usual.
    pub(crate) fn with(self, trends: &'s mut [Trend], usuals: &'s mut [Usual]) -> Self {
        Self { trends, usuals: Usuals::new(usuals), ..self }
    }

    /// Gives every check a random point of its interval.
    pub(crate) fn begin(&mut self, now: Mono, dice: &mut Dice) {
        for at in 0..self.slots.len() {
            let slot = &mut self.slots[at];
            slot.since = now;
            slot.look_at(now.plus(dice.below(slot.interval())));
            timer::moved(&mut self.slots, at);
        }
    }

    /// A probe's answer.
    pub(crate) fn on(&mut self, now: Mono, fact: Fact<'_>, voice: Voice<'_>) -> Option<Seen> {
        let at = usize::from(fact.check);
        let Some(slot) = self.slots.get_mut(at).filter(|slot| slot.flight != Flight::Home) else {
            self.refused = self.refused.saturating_add(1);
            return None;
        };
        if slot.place == Place::Gone {
            slot.flight = Flight::Home;
            return None;
        }
        let (kind, reading) = (slot.spec.kind, fact.reading.leveled());
        let sight = if slot.is_worthless(now) {
            slot.due = if slot.pace == Pace::Rest { Mono::NEVER } else { now };
            None
        } else {
            let coming = trend::look(self.trends, (now, &fact), &slot.spec);
            let coming = coming.or_else(|| self.usuals.look(now, &fact, &slot.spec));
            slot.read(now, (reading, coming), voice)
        };
        let service = slot.spec.service;
        timer::moved(&mut self.slots, at);
        levels::keep(&mut self.levels, kind, reading);
        Some(Seen { check: fact.check, service: service?, sight: sight? })
    }

    /// A unit's process is gone, as this answer says before systemd has told what became of it: it is no verdict yet, but
    /// what else fails is to know of it. `None` where systemd was waited for long enough.
    pub(crate) fn withhold(&mut self, now: Mono, fact: Fact<'_>) -> Option<Seen> {
        let at = usize::from(fact.check);
        let slot = self.slots.get_mut(at).filter(|slot| slot.may_withhold(now))?;
        slot.withhold(now, fact.reading);
        let service = slot.spec.service;
        timer::moved(&mut self.slots, at);
        Some(Seen { check: fact.check, service: service?, sight: Sight::Fails(Cause::NoProcess) })
    }

    /// The next probe that is due, or may go out since the agent is awake.
    pub(crate) fn next_probe(&mut self, now: Mono) -> Option<Probe> {
        let (at, _due) = timer::first(&self.slots).filter(|(_, due)| *due != Mono::NEVER)?;
        let slot = &mut self.slots[at];
        let is_early = slot.due > now;
        if slot.ripe() > now || (is_early && self.early == 0) {
            return None;
        }
        self.early -= u8::from(is_early);
        slot.ask(now);
        let explain = slot.explain;
        timer::moved(&mut self.slots, at);
        CheckIx::try_from(at).ok().map(|check| Probe { check, explain })
    }

    /// A timer woke the agent.
    pub(crate) const fn wake(&mut self) {
        self.early = pace::EARLY_MOST;
    }

    /// When the next probe is due.
    pub(crate) fn deadline(&self) -> Mono {
        timer::first(&self.slots).map_or(Mono::NEVER, |(_, due)| due)
    }

    /// The service's process is new: its checks are probed at once, and until they pass they fail without verdict.
    pub(crate) fn started(&mut self, now: Mono, service: u16) {
        self.each_of(service, |slot| {
            slot.distrust_flight();
            (slot.good_at, slot.bad, slot.streak, slot.withheld) = (None, 0, None, 0);
            slot.pace = Pace::Ramp(0);
            slot.look_at(now);
        });
    }

    /// The service's process was found alive: its checks are probed at once, and count from here on. What was read just
    /// before would else make two failures of one moment.
    pub(crate) fn adopted(&mut self, now: Mono, service: u16) {
        self.each_of(service, |slot| {
            slot.distrust_flight();
            (slot.bad, slot.streak, slot.withheld) = (0, None, 0);
            slot.look_at(now);
        });
    }

    /// The service's process is gone: answers that are out are worthless.
    pub(crate) fn ended(&mut self, now: Mono, service: u16) {
        self.each_of(service, |slot| {
            slot.distrust_flight();
            slot.relax(now);
        });
    }

    /// The service's process ended by itself: its process check is down.
    pub(crate) fn died(&mut self, now: Mono, service: u16, voice: Voice<'_>) {
        self.ended(now, service);
        let Some(check) = self.process_of(service) else { return };
        let slot = &mut self.slots[usize::from(check)];
        (slot.base, slot.cause, slot.streak) = (Verdict::Down, Some(Cause::NoProcess), None);
        slot.bad = slot.bad.max(slot.spec.fall);
        slot.last = Some((now, Reading::Bad(Cause::NoProcess)));
        slot.say_it(now, now, Verdict::Down, voice);
    }

    /// The service is left alone: its checks rest, and nothing is known of them. That is told with the intent, since
    /// one call can't tell of any number of checks.
    pub(crate) fn suspend(&mut self, now: Mono, service: u16) {
        self.each_of(service, |slot| slot.suspend(now));
    }

    /// Until when an answer of this check is to be waited for, if a probe of it is out.
    pub(crate) fn answer_by(&self, check: CheckIx) -> Option<Mono> {
        let slot = self.get(check).filter(|slot| slot.flight != Flight::Home)?;
        Some(slot.answer_by())
    }

    /// Back to the regular pace; failures count.
    pub(crate) fn relax(&mut self, now: Mono, service: u16) {
        self.each_of(service, |slot| slot.relax(now));
    }

    /// The first check of the service whose last good reading is not from `since` on or was followed by a bad one.
    pub(crate) fn unproven(&self, service: u16, since: Mono) -> Option<(CheckIx, Cause)> {
        let of =
            self.slots.each().filter(|(_, slot)| slot.spec.service == Some(service) && slot.spec.proves());
        let mut missing = of.filter(|(_, slot)| slot.bad > 0 || slot.good_at.is_none_or(|good| good < since));
        missing.next().map(|(at, slot)| (at, slot.cause.unwrap_or(Cause::TimedOut)))
    }

    /// How many checks of the service failed when they were last read.
    pub(crate) fn failing(&self, service: u16) -> u16 {
        let failing = self.slots.iter().filter(|slot| slot.spec.service == Some(service) && slot.bad > 0);
        u16::try_from(failing.count()).unwrap_or(u16::MAX)
    }

    /// Whether the last reading of any check of the service was bad.
    pub(crate) fn is_doubted(&self, service: u16) -> bool {
        self.slots.iter().any(|slot| slot.spec.service == Some(service) && slot.bad > 0)
    }

    /// The process check of the service.
    pub(crate) fn process_of(&self, service: u16) -> Option<CheckIx> {
        let of = |slot: &Slot| slot.spec.service == Some(service) && slot.spec.kind == CheckKind::Process;
        self.slots.each().find(|(_, slot)| of(slot)).map(|(at, _)| at)
    }

    /// Whether the service's process was gone when it was last looked at.
    pub(crate) fn is_gone(&self, service: u16) -> bool {
        let last = self.process_of(service).and_then(|check| self.get(check)?.last);
        matches!(last, Some((_, Reading::Bad(Cause::NoProcess))))
    }

    /// The check of this name.
    pub(crate) fn named(&self, name: &Name) -> Option<CheckIx> {
        self.slots.each().find(|(_, slot)| slot.spec.name == *name).map(|(at, _)| at)
    }

    /// One check, to look at.
    pub(crate) fn get(&self, check: CheckIx) -> Option<&Slot> {
        self.slots.taken(check)
    }

    /// The first one from this place on.
    pub(crate) fn from(&self, check: CheckIx) -> Option<(CheckIx, &Slot)> {
        (check..self.end()).find_map(|at| Some((at, self.get(at)?)))
    }

    /// The place behind the last one.
    pub(crate) fn end(&self) -> CheckIx {
        CheckIx::try_from(self.slots.len()).unwrap_or(CheckIx::MAX)
    }

    /// How many there are.
    pub(crate) fn count(&self) -> u16 {
        u16::try_from(self.slots.each().count()).unwrap_or(u16::MAX)
    }

    /// How many facts were refused.
    pub(crate) const fn refused(&self) -> u32 {
        self.refused
    }

    fn each_of(&mut self, service: u16, mut change: impl FnMut(&mut Slot)) {
        for at in 0..self.slots.len() {
            let slot = &self.slots[at];
            if slot.place == Place::Taken && slot.spec.service == Some(service) {
                change(&mut self.slots[at]);
                timer::moved(&mut self.slots, at);
            }
        }
    }
}

#[cfg(test)]
mod tests;
