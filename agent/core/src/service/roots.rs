//! What services need of each other: a root that is not well explains its dependents' failures.
//!
//! A root is well while it runs and its last readings were good; one of which nothing is known yet counts as well. What
//! fails while something that it needs is not well waits for that, is told once, and spends neither budget nor breaker.
//! The first bad reading of a dependent has its roots looked at, so that a root whose failure is read later is known
//! in time. Once all its roots are well, a dependent without process is started, and one that lives has as long as its
//! hold to come back by itself. Only direct needs are asked: a root that waits for its own root is not well either.
//!
//! With the rung `dependents` those that need a service, and those that need them, are stopped before it is restarted, and come
//! back as after any failure of their root: once it has held. One that rests is left alone, and the stop is waited for for a minute.
//!
//! Units are taken along by systemd when what they require fails, by a stop that looks like an operator's, or by a start
//! that is not tried at all. Within 10 s of the root's failure that is laid to the root, and the unit is started again
//! with it; a root that an operator stopped takes nobody along.

use super::moves::Moving;
use super::slot::{FRESH, Process, State, Then, Wait, Why};
use super::{Around, ServiceIx, Services};
use crate::check::{Checks, Seen, Sight};
use picket_proto::event::{self, Exit, Intent, Remedy, Ruling};
use picket_proto::{Mono, Name, Span};

/// How near to its root's failure a unit's stop is laid to it: systemd queues both at once, and a start that waits for
/// a root's is given up the moment that this fails.
const TAKEN_ALONG: Span = Span::from_secs(10);
/// How long dependents may take to stop: ten seconds and a kill each by default, all at once.
const STOPPING: Span = Span::from_secs(60);

/// What binds one service to others.
#[derive(Debug, Default)]
pub(super) struct Ties {
    /// The first of those that it needs that is not well, and when it failed; as it was before this move.
    pub(super) ailing: Option<(ServiceIx, Mono)>,
    /// The name of that one.
    name: Option<Name>,
    /// What it was told to wait for; nothing once it was well since.
    pub(super) told: Option<ServiceIx>,
    /// The name of the one for which it was stopped.
    stopped_for: Option<Name>,
    /// It failed in this move: those that were taken along are still to be found.
    pub(super) has_failed: bool,
    /// When it was last left alone.
    pub(super) left_at: Mono,
}

impl Ties {
    /// The service for which it was stopped, if it was.
    pub(super) fn root(&self) -> Option<Name> {
        self.stopped_for.clone()
    }

    /// The name of the one of those that it needs that was not well when it last moved.
    pub(super) const fn ailing(&self) -> Option<&Name> {
        self.name.as_ref()
    }

    /// It is stopped while `root` is restarted.
    pub(super) fn stopped_for(&mut self, root: Name) {
        self.stopped_for = Some(root);
    }
}

/// Whether any of them needs another, or would stop those that need it.
pub(super) fn is_tied(slots: &[super::Slot]) -> bool {
    slots.iter().any(|slot| !slot.spec.needs.is_empty() || slot.spec.ladder.contains(&Remedy::Dependents))
}

/// Whether those that need it are being stopped, or were.
fn takes_along(slot: &super::Slot) -> bool {
    match slot.state {
        State::Waiting { wait: Wait::Dependents { .. }, .. } | State::Stopping { then: Then::Root, .. } => {
            true
        }
        State::Waiting { wait: Wait::Root, .. } => slot.streak.why == Why::Root,
        _ => false,
    }
}

impl Services<'_> {
    /// Notes which of those that a service needs is not well, for the move that follows.
    pub(super) fn look_at_roots(&mut self, service: ServiceIx, checks: &Checks<'_>) {
        if !self.tied {
            return;
        }
        let Some(slot) = self.slots.get(usize::from(service)) else { return };
        let ailing = slot.spec.needs.iter().copied().find(|need| !self.is_well(*need, checks));
        let root = ailing.and_then(|root| self.slots.get(usize::from(root)));
        let name = root.map(|slot| slot.spec.name.clone());
        let ailing = ailing.zip(root.map(|slot| slot.streak.failed_at));
        let ties = &mut self.slots[usize::from(service)].ties;
        (ties.ailing, ties.name) = (ailing, name);
    }

    fn is_well(&self, service: ServiceIx, checks: &Checks<'_>) -> bool {
        self.slots.get(usize::from(service)).is_none_or(|slot| match slot.state {
            State::Idle => true,
            State::Running { .. } => !checks.is_doubted(service),
            State::Starting { .. }
            | State::Verifying { .. }
            | State::Stopping { .. }
            | State::Waiting { .. }
            | State::Broken { .. }
            | State::Awaiting { .. }
            | State::Left
            | State::Ended => false,
        })
    }

    /// A bad reading of a service has those that it needs looked at.
    pub(super) fn doubt_roots(&mut self, seen: Seen, around: &mut Around<'_, '_>) {
        let slot = self.slots.get(usize::from(seen.service)).filter(|_| seen.sight == Sight::Doubt);
        for need in slot.map_or(&[][..], |slot| &slot.spec.needs) {
            around.checks.look(around.now, *need);
        }
    }

    /// Lets one service move whose root is well again, or has just failed; false when there is none.
    pub(super) fn ties_move(&mut self, around: &mut Around<'_, '_>) -> bool {
        if !self.tied {
            return false;
        }
        if let Some(failed) = self.slots.iter().position(|slot| slot.ties.has_failed) {
            self.slots[failed].ties.has_failed = false;
            self.find_taken_along(failed, around);
            return true;
        }
        if self.dependents_move(around) {
            return true;
        }
        let waits = |slot: &super::Slot| match slot.state {
            State::Waiting { process, wait: Wait::Root } => Some(process),
            _ => None,
        };
        let is_free = |needs: &[ServiceIx]| needs.iter().all(|need| self.is_well(*need, around.checks));
        let mut waiting = (0..).zip(self.slots.iter());
        let freed = waiting.find_map(|(ix, slot)| {
            waits(slot).filter(|_| is_free(&slot.spec.needs)).map(|process| (ix, process))
        });
        let Some((ix, process)) = freed else { return false };
        self.look_at_roots(ix, around.checks);
        self.with(ix, |service| service.root_is_well(process, around.again()));
        true
    }

    /// Stops one that needs a service which is to be restarted without those; that goes on once all are down.
    fn dependents_move(&mut self, around: &mut Around<'_, '_>) -> bool {
        let waits =
            |slot: &super::Slot| matches!(slot.state, State::Waiting { wait: Wait::Dependents { .. }, .. });
        let Some((root, _)) = self.slots.each().find(|(_, slot)| waits(slot)) else { return false };
        let goes = |slot: &super::Slot| {
            let lives = match slot.state {
                State::Verifying { .. } | State::Running { .. } | State::Waiting { process: Some(_), .. } => {
                    true
                }
                State::Idle
                | State::Starting { .. }
                | State::Stopping { .. }
                | State::Waiting { process: None, .. }
                | State::Broken { .. }
                | State::Awaiting { .. }
                | State::Left
                | State::Ended => false,
            };
            let root = slot.spec.needs.iter().find(|need| self.slots.taken(**need).is_some_and(takes_along));
            root.copied().filter(|_| lives && around.now >= slot.rests_until())
        };
        let next = self.slots.each().find_map(|(ix, slot)| goes(slot).map(|root| (ix, root)));
        if let Some((ix, root)) = next {
            let name = self.slots[usize::from(root)].spec.name.clone();
            return self.with(ix, |service| service.stop_for(name, around.now)).is_some();
        }
        let stops = |slot: &super::Slot| matches!(slot.state, State::Stopping { then: Then::Root, .. });
        if self.slots.each().any(|(_, slot)| stops(slot)) {
            return false;
        }
        self.with(root, |service| service.restart(service.slot.process(), around.now)).is_some()
    }

    /// Units that were stopped with a root that was read as failed only after them.
    fn find_taken_along(&mut self, failed: usize, around: &mut Around<'_, '_>) {
        for ix in 0..self.count() {
            let slot = &self.slots[usize::from(ix)];
            let needs_it = slot.spec.needs.iter().any(|need| usize::from(*need) == failed);
            let recently = around.now.since(slot.ties.left_at) < TAKEN_ALONG;
            let may = match slot.intent {
                Intent::Stopped => true,
                Intent::Unknown => slot.unit.is_wanted(),
                Intent::Run | Intent::Masked => false,
            };
            if matches!(slot.state, State::Left) && needs_it && recently && may {
                self.look_at_roots(ix, around.checks);
                self.with(ix, |service| {
                    service.goes_with_its_root(Exit::Ruled(Ruling::Dependency), around.again());
                });
            }
        }
    }
}

impl Moving<'_> {
    /// Nothing is done about it while what it needs is not well.
    pub(super) fn wait_for_root(&mut self, process: Option<Process>, around: Around<'_, '_>) {
        let ties = &mut self.slot.ties;
        if let Some((root, _)) = ties.ailing
            && ties.told.replace(root) != Some(root)
            && let Some(root) = ties.name.clone()
        {
            self.slot.tell_breaker(event::Breaker::Waits { root }, around.out);
        }
        self.slot.state = State::Waiting { process, wait: Wait::Root };
    }

    /// Those that need it are stopped before it is restarted.
    pub(super) fn stop_dependents(&mut self, process: Option<Process>, now: Mono) {
        self.slot.state = State::Waiting { process, wait: Wait::Dependents { until: now.plus(STOPPING) } };
    }

    /// It is stopped, since what it needs is restarted.
    fn stop_for(&mut self, root: Name, now: Mono) {
        let Some(process) = self.slot.process() else { return };
        self.slot.streak = FRESH;
        (self.slot.streak.failed_at, self.slot.streak.why) = (now, Why::Root);
        self.slot.ties.stopped_for(root);
        self.stop(now, process, Then::Root);
    }

    /// What it needs is well: its own streak begins anew.
    fn root_is_well(&mut self, process: Option<Process>, around: Around<'_, '_>) {
        self.slot.ties.told = None;
        self.slot.deaths.passed();
        self.slot.streak.tries = 0;
        match process {
            // What was stopped here is brought back here, whatever rests or is only observed by now.
            None if !self.is_held(around.now) || self.slot.streak.why == Why::Root => {
                self.begin(None, around);
            }
            None => self.slot.state = State::Waiting { process, wait: Wait::Restart { at: around.now } },
            Some(_) => {
                around.checks.watch(around.now, self.ix, self.slot.spec.hold);
                let wait = Wait::Restart { at: around.now.plus(self.slot.spec.hold) };
                self.slot.state = State::Waiting { process, wait };
            }
        }
    }

    /// Whether a stop is laid to its root's failure: then it waits for that instead of being left alone.
    pub(super) fn was_taken_along(&self, to: Intent, now: Mono) -> bool {
        let root_failed = self.slot.ties.ailing.map_or(Mono::NEVER, |(_, failed_at)| failed_at);
        let recently = root_failed <= now && now.since(root_failed) < TAKEN_ALONG;
        let may = to == Intent::Stopped || (to == Intent::Unknown && self.slot.unit.is_wanted());
        self.slot.ties.ailing.is_some() && recently && may
    }

    /// It was stopped, or not started, because its root failed.
    pub(super) fn goes_with_its_root(&mut self, exit: Exit, around: Around<'_, '_>) {
        self.slot.unit.is_down();
        self.slot.streak = FRESH;
        (self.slot.streak.failed_at, self.slot.streak.why) = (around.now, Why::Exit(exit));
        self.wait_for_root(None, around);
    }
}
