//! What a scenario expects of the fleet, asked as an operator would: over gRPC, with a deadline.

use super::world::{SILENCE, SOON, World};
use picket_rpc::v1;
use std::collections::BTreeSet;
use std::time::Duration;

/// The rule of incidents about hosts that nothing is heard of.
const SILENT: &str = "sev-host-silent";

impl World {
    /// A service serves again, and the one incident about its host says so.
    pub(super) fn recovered(&mut self, number: usize, service: &str, episode: u32) -> Result<(), String> {
        self.wait(&format!("the incident of h{number} is resolved"), SOON * 2, |world| {
            let own = world.incidents_of(number)?;
            match own.as_slice() {
                [] => Ok(false),
                [one] => Ok(one.state() == v1::IncidentState::Resolved && one.episode == episode),
                _ => Err(format!("{} incidents", own.len())),
            }
        })?;
        let outcome = self.incidents_of(number)?.pop().map_or_else(String::new, |found| found.outcome);
        if !outcome.starts_with("recovered") {
            return Err(format!("{service} of h{number}: {outcome}"));
        }
        self.active(number, service)
    }

    /// A unit is active, as its own systemd says.
    pub(super) fn active(&self, number: usize, unit: &str) -> Result<(), String> {
        let state = self.host(number).property(unit, "ActiveState");
        if state == "active" { Ok(()) } else { Err(format!("{unit} of h{number} is {state}")) }
    }

    /// No incident is about a host.
    pub(super) fn quiet_about(&mut self, number: usize) -> Result<(), String> {
        match self.incidents_of(number)?.first() {
            None => Ok(()),
            Some(found) => {
                Err(format!("an incident that is none: {} ({})", found.title, found.severity_rule))
            }
        }
    }

    /// No incident is open.
    pub(super) fn all_resolved(&mut self, limit: Duration) -> Result<(), String> {
        self.wait("all incidents are resolved", limit, |world| {
            let incidents = world.incidents()?;
            let open = incidents.iter().find(|found| found.state() != v1::IncidentState::Resolved);
            open.map_or(Ok(true), |found| Err(format!("{} is open", found.title)))
        })
    }

    /// A host is told silent, by one incident.
    pub(super) fn silent(&mut self, number: usize) -> Result<(), String> {
        let host = format!("h{number}");
        self.wait(&format!("{host} is told silent"), SILENCE, |world| {
            let incidents = world.incidents()?;
            Ok(incidents.iter().any(|found| found.hosts == [host.as_str()] && found.severity_rule == SILENT))
        })
    }

    /// Nobody was paged for silence.
    pub(super) fn never_silent(&mut self) -> Result<(), String> {
        match self.incidents()?.iter().find(|found| found.severity_rule == SILENT) {
            None => Ok(()),
            Some(found) => Err(format!("a page for silence: {}", found.title)),
        }
    }

    /// A host is connected again, and its incidents are resolved.
    pub(super) fn back(&mut self, number: usize) -> Result<(), String> {
        self.connected(number, SILENCE)?;
        self.wait(&format!("the incidents of h{number} are resolved"), SILENCE, |world| {
            let own = world.incidents_of(number)?;
            Ok(own.iter().all(|found| found.state() == v1::IncidentState::Resolved))
        })
    }

    /// A host is connected, and all its checks are up.
    pub(super) fn connected(&mut self, number: usize, limit: Duration) -> Result<(), String> {
        let host = format!("h{number}");
        self.wait(&format!("{host} is connected and well"), limit, |world| {
            let found = world.states()?.into_iter().find(|found| found.host == host);
            Ok(found
                .is_some_and(|found| found.state() == v1::HostState::Connected && found.checks_not_up == 0))
        })
    }

    /// The collector has an event of a host.
    pub(super) fn told(&mut self, number: usize, code: &str) -> Result<(), String> {
        let host = format!("h{number}");
        self.wait(&format!("{code} of {host} is told"), SOON, |world| {
            Ok(world.events(&host)?.iter().any(|event| event.code == code))
        })
    }

    /// How many such events of a service the collector has.
    pub(super) fn count_of(&mut self, number: usize, code: &str, service: &str) -> Result<usize, String> {
        let begin = format!("{service} ");
        let events = self.events(&format!("h{number}"))?;
        Ok(events.iter().filter(|event| event.code == code && event.text.starts_with(&begin)).count())
    }

    /// One more such event of a service comes than there were.
    pub(super) fn one_more(
        &mut self,
        number: usize,
        (code, service): (&str, &str),
        before: usize,
    ) -> Result<(), String> {
        self.wait(&format!("{code} of {service} on h{number} is told"), SOON, |world| {
            Ok(world.count_of(number, code, service)? > before)
        })
    }

    /// Every event of a host is there once.
    pub(super) fn each_once(&mut self, number: usize) -> Result<(), String> {
        let mut seen = BTreeSet::new();
        let events = self.events(&format!("h{number}"))?;
        match events.iter().find(|event| !seen.insert((event.run, event.seq))) {
            None => Ok(()),
            Some(twice) => Err(format!("event {} of h{number} is there twice: {}", twice.seq, twice.text)),
        }
    }

    /// A service as the collector knows it.
    pub(super) fn service(&mut self, number: usize, name: &str) -> Result<Option<v1::Service>, String> {
        let host = format!("h{number}");
        let mut all = self.services()?.into_iter();
        Ok(all.find(|found| found.host == host && found.service == name))
    }

    /// Remedies of a service rest, and somebody is paged for it.
    pub(super) fn not_healed(&mut self, number: usize, name: &str) -> Result<(), String> {
        self.wait(&format!("{name} of h{number} is said not to be healed, and why"), SOON * 6, |world| {
            Ok(world.service(number, name)?.is_some_and(|found| !found.not_healed_because.is_empty()))
        })?;
        let own = self.incidents_of(number)?;
        let pages = own.iter().any(|found| found.severity() == v1::Severity::P1);
        if pages { Ok(()) } else { Err(format!("nobody is paged: {own:?}")) }
    }

    /// What should be of a service is known.
    pub(super) fn intent(&mut self, number: usize, name: &str, wanted: v1::Intent) -> Result<(), String> {
        self.wait(&format!("what should be of {name} of h{number} is known"), SOON, |world| {
            Ok(world.service(number, name)?.is_some_and(|found| found.intent() == wanted))
        })
    }

    /// A unit's process is the one of before.
    pub(super) fn unchanged(&self, number: usize, unit: &str, before: &str) -> Result<(), String> {
        let after = self.life(number, unit);
        if after == before { Ok(()) } else { Err(format!("{unit} of h{number} was started again")) }
    }

    /// Which life of a unit this is.
    pub(super) fn life(&self, number: usize, unit: &str) -> String {
        self.host(number).property(unit, "InvocationID")
    }

    /// All incidents that a host is part of.
    pub(super) fn incidents_of(&mut self, number: usize) -> Result<Vec<v1::Incident>, String> {
        let host = format!("h{number}");
        let mut incidents = self.incidents()?;
        incidents.retain(|found| found.hosts.contains(&host));
        Ok(incidents)
    }
}
