//! Services under a new configuration: which stay, which come, which go.

use super::files::{Files, Kind};
use super::slot::{Slot, State};
use super::{Driver, ServiceIx, Services, Spec};
use crate::check::Stance;
use crate::shelf::{Full, Place, Seated};
use crate::timer;
use picket_proto::{Mono, Name, Span};

impl Slot {
    /// A place for a service that a later configuration may have. Such places stand behind the others.
    pub fn free() -> Self {
        let spec = Spec {
            name: "free".parse().expect("a constant of allowed characters"),
            needs: heapless::Vec::new(),
            ladder: heapless::Vec::new(),
            good: None,
            packages: None,
            reboots: None,
            driver: Driver::Spawn,
            observes: false,
            stop_timeout: Span::ZERO,
            start_timeout: Span::ZERO,
            hold: Span::ZERO,
            backoff_first: Span::ZERO,
            backoff_max: Span::ZERO,
            budget: 0,
            budget_window: Span::ZERO,
            same_deaths: 0,
            retry_after: Span::ZERO,
        };
        Self { place: Place::Free, ..Self::new(spec) }
    }
}

impl Services<'_> {
    /// The place of each of these. One that is gone stays bound to its name: its process may still live.
    pub(crate) fn seat(&self, names: &[Name], out: &mut [ServiceIx]) -> Result<(), Full> {
        let find = |name: &Name| {
            (0..).zip(self.slots.iter()).find(|(_, slot)| slot.spec.name == *name).map(|(at, _)| at)
        };
        self.slots.seat((names, out), find, |_| false)
    }

    /// How a service stands, for a check that comes to it.
    pub(crate) fn stance(&self, service: ServiceIx) -> Stance {
        let slot = self.slots.taken(service);
        match slot.map(|slot| &slot.state) {
            Some(State::Verifying { .. }) => Stance::Proving(slot.map_or(Span::ZERO, |slot| slot.spec.hold)),
            None | Some(State::Idle) => Stance::New,
            Some(State::Left) => Stance::Left,
            Some(
                State::Starting { .. }
                | State::Running { .. }
                | State::Stopping { .. }
                | State::Waiting { .. }
                | State::Broken { .. }
                | State::Awaiting { .. }
                | State::Ended,
            ) => Stance::Known,
        }
    }

    /// Takes the services of a new configuration. What is new waits to be told whether it lives.
    pub(crate) fn anew(&mut self, now: Mono, all: &[Seated<Spec>]) {
        let mut units_differ = false;
        for at in 0..self.end() {
            if self.slots.taken(at).is_some() && !all.iter().any(|seated| seated.ix == at) {
                units_differ |= self.go(at);
            }
        }
        for seated in all {
            let known = self.slots.taken(seated.ix).map(|slot| (&slot.spec.name, slot.spec.driver));
            match known {
                Some(known) if known == (&seated.spec.name, seated.spec.driver) => self.change(now, seated),
                Some(_) => self.refused = self.refused.saturating_add(1),
                None => units_differ |= self.come(seated),
            }
        }
        self.tied = super::roots::is_tied(&self.slots);
        if units_differ {
            self.units_anew(now);
        }
    }

    /// The configuration has it no more: its process is let alone. Whether it was a unit.
    fn go(&mut self, service: ServiceIx) -> bool {
        let at = usize::from(service);
        let slot = &mut self.slots[at];
        (slot.place, slot.state, slot.held) = (Place::Gone, State::Ended, None);
        (slot.order, slot.collect) = (None, None);
        (slot.files, slot.packages) = (Files::default(), Files::default());
        let is_unit = slot.spec.driver == Driver::Systemd;
        timer::moved(&mut self.slots, at);
        self.keep.changed(true);
        is_unit
    }

    fn come(&mut self, seated: &Seated<Spec>) -> bool {
        let mut slot = Slot::new(seated.spec.clone());
        slot.all_rest_until = self.held.as_ref().map_or_else(Mono::default, |held| held.until);
        let is_seated = self.slots.put(usize::from(seated.ix), slot);
        self.refused = self.refused.saturating_add(u32::from(!is_seated));
        self.with(seated.ix, |moving| moving.look_at_files());
        is_seated && seated.spec.driver == Driver::Systemd
    }

    /// Its limits are others: they count from the next step on. What is under way keeps its times.
    fn change(&mut self, now: Mono, seated: &Seated<Spec>) {
        self.with(seated.ix, |moving| {
            if moving.slot.spec != seated.spec {
                let old = &moving.slot.spec;
                let (files, packages) = (old.good != seated.spec.good, old.packages != seated.spec.packages);
                let observed = old.observes;
                moving.slot.spec = seated.spec.clone();
                if observed != seated.spec.observes {
                    moving.observes_or_heals(now);
                }
                for (kind, is_other) in [(Kind::Files, files), (Kind::Packages, packages)] {
                    if is_other {
                        moving.due_of(kind, now);
                    }
                }
            }
        });
    }
}
