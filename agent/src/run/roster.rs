//! Services and checks by their places: what the ports look up by the core's numbers.
//!
//! A place is bound to its name for the run. What the configuration has no more stays where it was, marked as gone: an
//! answer that is on its way may still be looked up.

use crate::config::{Check, Service, Target};
use crate::log::rfc3339;
use crate::plan::Plan;
use picket_agent_core::reload::{Full, Seated};
use picket_agent_core::{Agent, check, service};
use picket_proto::{Name, Wall};
use std::sync::Arc;

/// All services and checks of this run, by their places.
#[derive(Debug, Clone)]
pub(crate) struct Roster {
    pub(crate) services: Arc<[Service]>,
    pub(crate) checks: Arc<[Check]>,
    /// Which services the configuration has.
    pub(crate) serves: Arc<[bool]>,
    /// Which checks the configuration has.
    pub(crate) watches: Arc<[bool]>,
}

/// A new configuration, with places.
pub(super) struct Seating {
    pub(super) roster: Roster,
    pub(super) services: Vec<Seated<service::Spec>>,
    pub(super) checks: Vec<Seated<check::Spec>>,
    /// Services that were not there before.
    pub(super) new: Vec<u16>,
    /// Services that are there no more.
    pub(super) gone: Vec<u16>,
    /// Services whose command, folder or environment is another one.
    pub(super) other: Vec<u16>,
    /// Names of checks that came, went, or are others.
    pub(super) moved: Vec<String>,
}

impl Roster {
    /// As the agent starts: every place is its number in the file.
    pub(super) fn new(plan: &Plan) -> Self {
        Self {
            services: Arc::clone(&plan.services),
            checks: Arc::clone(&plan.checks),
            serves: vec![true; plan.services.len()].into(),
            watches: vec![true; plan.checks.len()].into(),
        }
    }

    /// Gives all of `plan` its places; changes nothing.
    ///
    /// # Errors
    /// They do not fit.
    pub(super) fn seat(&self, agent: &Agent<'_>, plan: &Plan) -> Result<Seating, (&'static str, Full)> {
        let names: Vec<Name> = plan.services.iter().map(|service| service.spec.name.clone()).collect();
        let mut places = vec![0; names.len()];
        agent.seat_services(&names, &mut places).map_err(|full| ("services", full))?;
        let names: Vec<Name> = plan.checks.iter().map(|check| check.spec.name.clone()).collect();
        let mut seats = vec![0; names.len()];
        agent.seat_checks(&names, &mut seats).map_err(|full| ("checks", full))?;
        let mut next = Draft::of(self);
        for (ix, service) in places.iter().zip(plan.services.iter()) {
            next.service(self, *ix, service, &places);
        }
        for (ix, check) in seats.iter().zip(plan.checks.iter()) {
            next.check(self, *ix, check, &places);
        }
        Ok(next.finish(self))
    }
}

impl Seating {
    /// What differs from `old`, which is in force since then, in words.
    pub(super) fn describe(&self, old: &Roster, since: Wall) -> String {
        let names = |places: &[u16]| {
            let all = places.iter().map(|at| self.roster.services[usize::from(*at)].spec.name.as_str());
            all.collect::<Vec<_>>().join(", ")
        };
        let was = |ix: u16| old.services.get(usize::from(ix));
        let kept = || self.services.iter().filter(|it| !self.new.contains(&it.ix));
        let (mut limits, mut observed, mut healed) = (Vec::new(), Vec::new(), Vec::new());
        for (it, was) in kept().filter_map(|it| Some((it, &was(it.ix)?.spec))) {
            match (was.observes, it.spec.observes) {
                (false, true) => observed.push(it.ix),
                (true, false) => healed.push(it.ix),
                (true, true) | (false, false) => {}
            }
            if *was != (service::Spec { observes: was.observes, ..it.spec.clone() }) {
                limits.push(it.ix);
            }
        }
        let mut said = Vec::new();
        for (what, places) in [
            ("new", &self.new),
            ("gone", &self.gone),
            ("with another command from their next start on", &self.other),
            ("with other limits", &limits),
            ("only observed from now on, nothing is done about them any more", &observed),
            ("that are healed from now on", &healed),
        ] {
            if !places.is_empty() {
                said.push(format!("services {what}: {}", names(places)));
            }
        }
        if !self.moved.is_empty() {
            said.push(format!("checks new, changed or gone: {}", self.moved.join(", ")));
        }
        let (services, checks) = (self.services.len(), self.checks.len());
        let what = match said.is_empty() {
            true => format!("nothing changed since {}, when it was read last", rfc3339(since)),
            false => said.join("; "),
        };
        format!("the configuration is read: {services} services, {checks} checks; {what}")
    }
}

#[derive(Default)]
struct Draft {
    services: Vec<Service>,
    checks: Vec<Check>,
    serves: Vec<bool>,
    watches: Vec<bool>,
    seated: (Vec<Seated<service::Spec>>, Vec<Seated<check::Spec>>),
    new: Vec<u16>,
    other: Vec<u16>,
    moved: Vec<String>,
}

impl Draft {
    fn of(old: &Roster) -> Self {
        Self {
            services: old.services.to_vec(),
            checks: old.checks.to_vec(),
            serves: vec![false; old.services.len()],
            watches: vec![false; old.checks.len()],
            ..Self::default()
        }
    }

    fn service(&mut self, old: &Roster, ix: u16, service: &Service, places: &[u16]) {
        let at = usize::from(ix);
        let mut service = service.clone();
        for need in &mut service.spec.needs {
            *need = place_of(*need, places);
        }
        let was = old.services.get(at).filter(|_| old.serves[at]);
        match was {
            None => self.new.push(ix),
            Some(was) if !was.runs_alike(&service) => self.other.push(ix),
            Some(_) => {}
        }
        self.seated.0.push(Seated { ix, spec: service.spec.clone(), is_same: true });
        put(&mut self.services, at, service);
        put(&mut self.serves, at, true);
    }

    fn check(&mut self, old: &Roster, ix: u16, check: &Check, places: &[u16]) {
        let at = usize::from(ix);
        let mut check = check.clone();
        check.spec.service = check.spec.service.map(|service| place_of(service, places));
        if let Target::Process(service) = &mut check.target {
            *service = place_of(*service, places);
        }
        let was = old.checks.get(at).filter(|_| old.watches[at]);
        let is_same = was.is_some_and(|was| was.target == check.target);
        if !is_same || was.is_some_and(|was| was.spec != check.spec) {
            self.moved.push(check.spec.name.to_string());
        }
        self.seated.1.push(Seated { ix, spec: check.spec.clone(), is_same });
        put(&mut self.checks, at, check);
        put(&mut self.watches, at, true);
    }

    fn finish(self, old: &Roster) -> Seating {
        let mut moved = self.moved;
        let left = old.checks.iter().enumerate().filter(|(at, _)| old.watches[*at] && !self.watches[*at]);
        moved.extend(left.map(|(_, check)| check.spec.name.to_string()));
        let gone = (0..).zip(old.serves.iter()).filter(|(at, was)| **was && !self.serves[usize::from(*at)]);
        let gone = gone.map(|(at, _)| at).collect();
        let roster = Roster {
            services: self.services.into(),
            checks: self.checks.into(),
            serves: self.serves.into(),
            watches: self.watches.into(),
        };
        let (services, checks) = self.seated;
        Seating { roster, services, checks, new: self.new, gone, other: self.other, moved }
    }
}

/// The place of the service that has this number in the file.
fn place_of(number: u16, places: &[u16]) -> u16 {
    places.get(usize::from(number)).copied().unwrap_or(number)
}

/// Puts a thing on its place, which is one that is there or the next.
fn put<T>(all: &mut Vec<T>, at: usize, thing: T) {
    match all.get_mut(at) {
        Some(place) => *place = thing,
        None => all.push(thing),
    }
}
