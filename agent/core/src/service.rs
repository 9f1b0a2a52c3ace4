//! Services: one machine per service, from start to verified recovery.
//!
//! A remedy is a transaction: act, see every check pass, hold, and only then say that it held. The first remedy of a
//! streak waits for nothing; from the second on the last words of the dead are waited for (500 ms at most), then a
//! backoff. A first start of the run that never passed counts as a remedy that failed; one that had passed counts as
//! nothing, so that what was up comes back at once. A streak ends when a remedy holds. Between remedies the
//! [`crate::policy`] breaker rests. A service whose breaker is open but which lives is left alive, and is believed
//! when its checks pass and hold by themselves. How processes are started and killed is the shell's.

mod anew;
pub mod files;
mod found;
mod hold;
mod keep;
mod ladder;
mod moves;
mod order;
mod reboot;
mod remedy;
mod rest;
mod room;
mod roots;
mod shadow;
mod slot;
mod spec;
mod streak;
mod tell;
mod units;
mod view;
mod words;

pub use files::Kept;
pub use keep::{Away, Restored};
pub(crate) use order::Thrift;
pub use reboot::Reboots;
pub use slot::Slot;
pub use spec::{Driver, LADDER_MAX, Ladder, NEEDS_MAX, ServiceIx, Spec};
pub use view::{Ended, NextTry, Past, Phase, View};
pub use words::{Act, Fact};

use crate::check::{Checks, Reading, Seen};
use crate::facts::Facts;
use crate::hold::Held;
use crate::policy::Budget;
use crate::shelf::{Place, Shelf};
use crate::timer::{self, Dice, Reason};
use crate::unit::{self, bus::Bus};
use keep::{Due, Mark};
use moves::{Moving, Taken};
use order::Orders;
use picket_proto::event::Cause;
use picket_proto::{Mono, Name};
use slot::{State, Verb};

/// What surrounds a service while it moves.
pub(crate) struct Around<'a, 's> {
    /// When.
    pub(crate) now: Mono,
    /// The checks, its own among them.
    pub(crate) checks: &'a mut Checks<'s>,
    /// What is told.
    pub(crate) out: &'a mut Facts,
}

impl<'s> Around<'_, 's> {
    /// The same once more, for two steps after each other.
    fn again(&mut self) -> Around<'_, 's> {
        Around { now: self.now, checks: &mut *self.checks, out: &mut *self.out }
    }
}

/// All services.
pub(crate) struct Services<'s> {
    slots: Shelf<'s, Slot>,
    dice: Dice,
    /// The queue of orders, through the slots: one place per service, so it can't overflow.
    first: Option<ServiceIx>,
    last: Option<ServiceIx>,
    refused: u32,
    /// The hold of all.
    held: Option<Held>,
    keep: Due,
    bus: Bus,
    /// Whether any service needs another.
    tied: bool,
    /// The host's reboots.
    reboots: Budget,
    orders: Orders,
}

impl<'s> Services<'s> {
    /// Takes the slots.
    pub(crate) fn new(slots: &'s mut [Slot], dice: Dice) -> Self {
        let slots = Shelf::new(slots);
        let tied = roots::is_tied(&slots);
        Self {
            slots,
            dice,
            first: None,
            last: None,
            refused: 0,
            held: None,
            keep: Due::default(),
            bus: Bus::new(),
            tied,
            reboots: Budget::default(),
            orders: Orders::default(),
        }
    }

    /// Says of a service that it may be healed, if it may.
    pub(crate) fn tell_closed(&self, service: ServiceIx, out: &mut Facts) {
        let slot = self.slots.taken(service).filter(|slot| slot.breaker.is_closed());
        if let Some(slot) = slot {
            slot.tell_breaker(picket_proto::event::Breaker::Closed, out);
        }
    }

    /// Something happened to a service's process.
    pub(crate) fn on(&mut self, fact: Fact<'_>, around: Around<'_, '_>) {
        if let Fact::Printed { service, token, text } = fact {
            let is_awaited = self.printed((token, service), text, around);
            self.refused = self.refused.saturating_add(u32::from(!is_awaited));
            return;
        }
        let (Fact::Absent { service }
        | Fact::Lost { service, .. }
        | Fact::Started { service, .. }
        | Fact::Exited { service, .. }
        | Fact::Evidence { service, .. }
        | Fact::NotRebooted { service, .. }
        | Fact::Printed { service, .. }
        | Fact::Files { service, .. }) = fact;
        self.look_at_roots(service, around.checks);
        let taken = self.with(service, |service| match fact {
            Fact::Absent { .. } => service.absent(around),
            Fact::Lost { pid, .. } => service.lost(pid, around),
            Fact::Started { pid, adopted, .. } => service.started(pid, adopted, around),
            Fact::Exited { pid, exit, .. } => service.exited(pid, exit, around),
            Fact::Evidence { pid, last_line, .. } => service.evidence(pid, last_line, around),
            Fact::NotRebooted { why, .. } => service.reboot_failed(why, around),
            Fact::Files { kind, said, .. } => service.files_said(kind, said, around),
            Fact::Printed { .. } => Taken::No,
        });
        if taken != Some(Taken::Yes) {
            self.refused = self.refused.saturating_add(1);
        }
    }

    /// Whether this says that a unit's process is gone of which systemd, though it is heard, has not told so: after
    /// `systemctl restart` a check may look before the bus's word is here.
    pub(crate) fn is_ahead_of_systemd(&self, service: Option<u16>, reading: Reading) -> bool {
        let slot = service.and_then(|service| self.slots.taken(service));
        reading == Reading::Bad(Cause::NoProcess)
            && self.bus.is_open()
            && slot.is_some_and(|slot| slot.spec.driver == Driver::Systemd && slot.process().is_some())
    }

    /// A check of a service was read.
    pub(crate) fn see(&mut self, seen: Seen, mut around: Around<'_, '_>) {
        self.look_at_roots(seen.service, around.checks);
        self.doubt_roots(seen, &mut around);
        let slot = self.slots.taken(seen.service);
        if slot.is_some_and(|slot| slot.is_for_systemd(seen, around.checks)) {
            return self.bus.doubt(around.now);
        }
        self.with(seen.service, |service| service.see(seen, around));
    }

    /// Moves one service whose deadline has come; false when there is none.
    pub(crate) fn due(&mut self, mut around: Around<'_, '_>) -> bool {
        if self.bus_due(around.now) || self.rest_is_over(&mut around) || self.ties_move(&mut around) {
            return true;
        }
        if self.reboot_moves(&mut around) {
            return true;
        }
        let due = timer::first(&self.slots).filter(|(_, due)| *due <= around.now && *due != Mono::NEVER);
        let Some(service) = due.and_then(|(at, _)| ServiceIx::try_from(at).ok()) else { return false };
        self.look_at_roots(service, around.checks);
        self.with(service, |service| service.due(around)).is_some()
    }

    /// The agent ends and takes every service with it.
    pub(crate) fn stop_all(&mut self, now: Mono) {
        for service in 0..self.end() {
            self.with(service, |moving| moving.end(now));
        }
    }

    /// Kills everything that lives.
    pub(crate) fn kill_all(&mut self) {
        for at in 0..self.end() {
            let slot = &self.slots[usize::from(at)];
            if slot.place == Place::Taken && slot.spec.driver == Driver::Spawn && slot.process().is_some() {
                self.order(at, Some(Verb::Kill), None);
            }
        }
    }

    /// Whether nothing lives any more.
    pub(crate) fn all_ended(&self) -> bool {
        self.slots.each().all(|(_, slot)| matches!(slot.state, State::Ended))
    }

    /// The next thing to do.
    pub(crate) fn next_act(&mut self) -> Option<Act> {
        loop {
            let Some(service) = self.first else { return self.orders.next_act() };
            let slot = self.slots.get_mut(usize::from(service))?;
            if let Some(act) = slot.next_act(service) {
                return Some(act);
            }
            slot.is_queued = false;
            self.first = slot.link.take();
            if self.first.is_none() {
                self.last = None;
            }
        }
    }

    /// When the next service is due, and why.
    pub(crate) fn deadline(&self) -> (Mono, Reason) {
        let first = timer::first(&self.slots).and_then(|(at, _)| self.slots.get(at));
        let rest_over = self.held.as_ref().map_or(Mono::NEVER, |held| held.until);
        first
            .map_or((Mono::NEVER, Reason::Restart), Slot::deadline)
            .min((rest_over, Reason::HoldOver))
            .min((self.keep.at(), Reason::Keep))
            .min(self.bus.deadline())
    }

    /// A service's name.
    pub(crate) fn name(&self, service: ServiceIx) -> Option<&Name> {
        self.slots.taken(service).map(|slot| &slot.spec.name)
    }

    /// A look at one service.
    pub(crate) fn view(&self, service: ServiceIx) -> Option<View<'_>> {
        self.slots.taken(service).map(View)
    }

    /// The place behind the last one.
    pub(crate) fn end(&self) -> ServiceIx {
        ServiceIx::try_from(self.slots.len()).unwrap_or(ServiceIx::MAX)
    }

    /// How many there are.
    pub(crate) fn count(&self) -> u16 {
        u16::try_from(self.slots.each().count()).unwrap_or(u16::MAX)
    }

    /// How many facts were refused: about a service that there is not, or that its state can't take.
    pub(crate) const fn refused(&self) -> u32 {
        self.refused
    }

    /// Lets one service move, then queues its order and its deadline.
    fn with<T>(&mut self, ix: ServiceIx, step: impl FnOnce(&mut Moving<'_>) -> T) -> Option<T> {
        let slot = self.slots.get_mut(usize::from(ix)).filter(|slot| slot.place == Place::Taken)?;
        let before = Mark::of(slot);
        let keeps_words = self.orders.keeps_words;
        let mut moving = Moving { ix, slot, dice: &mut self.dice, order: None, collect: None, keeps_words };
        let answer = step(&mut moving);
        let (order, collect) = (moving.order, moving.collect);
        let after = Mark::of(moving.slot);
        if after != before {
            self.keep.changed(after.is_urgent(&before));
        }
        let files = self.slots[usize::from(ix)].has_orders();
        if order.is_some() || collect.is_some() || files {
            self.order(ix, order, collect);
        }
        timer::moved(&mut self.slots, usize::from(ix));
        Some(answer)
    }

    /// Queues what is to be done; what waits of the same sort is replaced.
    fn order(&mut self, ix: ServiceIx, verb: Option<Verb>, collect: Option<unit::Collect>) {
        let slot = &mut self.slots[usize::from(ix)];
        slot.order = verb.or(slot.order);
        slot.collect = collect.or(slot.collect);
        if core::mem::replace(&mut slot.is_queued, true) {
            return;
        }
        match self.last.replace(ix) {
            Some(before) => self.slots[usize::from(before)].link = Some(ix),
            None => self.first = Some(ix),
        }
    }
}
