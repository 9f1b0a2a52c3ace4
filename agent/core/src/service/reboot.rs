//! Reboots: the last that can be tried, a few times at most, and never unheard.
//!
//! All services share one budget, which outlives the boot that it is for: its times count as uptime, since nobody knows how
//! long a host was off, and no calendar says when a day begins. The reboot is written down before it is ordered; the shell does
//! not begin it before that is on the disk. It is told, and the collector has [`FAREWELL`] to hear it. Where the budget is
//! spent, or the command fails, the remedy was not done and is passed over for the rest of the streak. What the service does
//! after the boot is proved as what came of it.

use super::files::INSTALL;
use super::moves::{Moving, Taken};
use super::slot::{Process, Slot, State, Verb, Wait};
use super::{Around, Services};
use picket_proto::{Mono, Name, Span};

/// How long the collector may take to hear of it: a link that was lost is tried again within that, as a rule.
const FAREWELL: Span = Span::from_secs(10);
/// How long a host may take to go down, before the command counts as having done nothing.
const GOES_DOWN: Span = Span::from_secs(300);
/// What is kept of earlier ones: the longest window that a configuration may name.
pub(super) const LONGEST: Span = Span::from_secs(7 * 86_400);

/// How often a host may be rebooted for its services.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reboots {
    /// So often at most, 1 to 32.
    pub most: u16,
    /// Within this time of uptime.
    pub per: Span,
}

/// How far a reboot has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// The budget is still to be asked.
    Asked,
    /// It is told, and the collector may still hear of it.
    Told,
    /// The host goes down.
    Ordered,
}

impl Services<'_> {
    /// Moves one service on that wants the host rebooted; false when there is none.
    pub(super) fn reboot_moves(&mut self, around: &mut Around<'_, '_>) -> bool {
        let now = around.now;
        let due = self.slots.each().find_map(|(ix, slot)| match slot.state {
            State::Waiting { wait: Wait::Reboot { step, until }, process } if until <= now => {
                Some((ix, step, process, slot.spec.reboots))
            }
            _ => None,
        });
        let Some((ix, step, process, reboots)) = due else { return false };
        let inner = around.again();
        match (step, reboots) {
            // One reboot is for all: who comes second waits for what comes of it, and spends nothing.
            (Step::Asked, Some(_)) if self.reboots_for().is_some() => {
                self.with(ix, |moving| moving.steps(Step::Asked, process, now.plus(GOES_DOWN)));
            }
            (Step::Asked, Some(Reboots { most, per })) if self.reboots.allows(now, most, per) => {
                self.reboots.spend(now);
                self.keep.changed(true);
                self.with(ix, |moving| moving.steps(Step::Told, process, now.plus(FAREWELL)));
            }
            (Step::Asked, _) => {
                let why = "the host was rebooted as often as it may be";
                self.with(ix, |moving| moving.not_rebooted(why, process, inner));
            }
            (Step::Told, _) if self.installs(now) => {
                self.with(ix, |moving| moving.steps(Step::Told, process, now.plus(FAREWELL)));
            }
            (Step::Told, _) => {
                let goes = self.with(ix, |moving| moving.order_reboot(process, inner));
                if goes != Some(true) {
                    self.reboot_is_called_off(now);
                }
            }
            (Step::Ordered, _) => {
                let why = "the host did not go down within 5 min";
                self.with(ix, |moving| moving.not_rebooted(why, process, inner));
            }
        }
        true
    }

    /// Whether packages are being installed, which a reboot would cut off. It waits for that as long as that may take.
    fn installs(&self, now: Mono) -> bool {
        let until = self.reboots.latest().map_or(now, |told| told.plus(INSTALL));
        now < until && self.slots.each().any(|(_, slot)| slot.packages.installs())
    }

    /// What was to be is no more: it counts as none, and who waited for what comes of it asks for its own.
    fn reboot_is_called_off(&mut self, now: Mono) {
        self.reboots.take_back();
        self.keep.changed(true);
        for service in 0..self.end() {
            self.with(service, |moving| {
                if let State::Waiting { process, wait: Wait::Reboot { step: Step::Asked, .. } } =
                    moving.slot.state
                {
                    moving.steps(Step::Asked, process, now);
                }
            });
        }
    }

    /// Whether a reboot was ordered for this one and not given up since.
    pub(crate) fn reboot_is_ordered(&self, service: super::ServiceIx) -> bool {
        let slot = self.slots.get(usize::from(service));
        slot.and_then(Slot::reboot_step) == Some(Step::Ordered)
    }

    /// The service for which the host is rebooted, if it is.
    pub(super) fn reboots_for(&self) -> Option<&Name> {
        let is_it = |slot: &Slot| matches!(slot.reboot_step(), Some(Step::Told | Step::Ordered));
        self.slots.each().find(|(_, slot)| is_it(slot)).map(|(_, slot)| &slot.spec.name)
    }

    /// Whether a reboot waits only for being heard of.
    pub(crate) fn says_farewell(&self) -> bool {
        self.reboots.latest().is_some()
            && !self.slots.each().any(|(_, slot)| slot.packages.installs())
            && self.slots.each().any(|(_, slot)| slot.reboot_step() == Some(Step::Told))
    }

    /// The collector has heard everything.
    pub(crate) fn farewell_is_heard(&mut self, now: Mono) {
        for service in 0..self.end() {
            self.with(service, |moving| {
                if let State::Waiting { process, wait: Wait::Reboot { step: Step::Told, .. } } =
                    moving.slot.state
                {
                    moving.steps(Step::Told, process, now);
                }
            });
        }
    }
}

impl Slot {
    /// How far a reboot for it has come; nothing where none is wanted.
    const fn reboot_step(&self) -> Option<Step> {
        match self.state {
            State::Waiting { wait: Wait::Reboot { step, .. }, .. } => Some(step),
            _ => None,
        }
    }
}

impl Moving<'_> {
    /// The host is to be rebooted, if it may be.
    pub(super) fn reboot(&mut self, process: Option<Process>, now: Mono) {
        self.steps(Step::Asked, process, now);
    }

    fn steps(&mut self, step: Step, process: Option<Process>, until: Mono) {
        self.slot.state = State::Waiting { process, wait: Wait::Reboot { step, until } };
    }

    /// The collector had its time; whether the host goes down. What has healed meanwhile is believed, and what a person
    /// has paused waits for the end of that, on the same rung.
    fn order_reboot(&mut self, process: Option<Process>, mut around: Around<'_, '_>) -> bool {
        let now = around.now;
        if let Some(process) = process.filter(|_| self.has_passed(around.checks)) {
            self.tell_not_done("it healed before the host went down", &mut around);
            self.believe(process, around);
        } else if self.is_held(now) {
            self.tell_not_done("remedies are paused", &mut around);
            self.slot.state = State::Waiting { process, wait: Wait::Restart { at: now } };
        } else {
            self.order = Some(Verb::Reboot);
            self.steps(Step::Ordered, process, now.plus(GOES_DOWN));
            return true;
        }
        false
    }

    fn not_rebooted(&mut self, why: &str, process: Option<Process>, around: Around<'_, '_>) {
        self.slot.rung.can_reboot = false;
        self.not_done(why, process, around);
    }

    /// The command that reboots the host has failed.
    pub(super) fn reboot_failed(&mut self, why: &str, around: Around<'_, '_>) -> Taken {
        match self.slot.state {
            State::Waiting { process, wait: Wait::Reboot { step: Step::Ordered, .. } } => {
                self.not_rebooted(why, process, around);
                Taken::Yes
            }
            _ => Taken::No,
        }
    }
}
