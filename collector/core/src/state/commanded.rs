//! What operators did to an incident or wanted of a host, once it is a record.

use super::ending::resolve;
use super::{At, State};
use crate::host::Trust;
use crate::incident::life::Ending;
use crate::incident::timeline::Entry;
use crate::incident::{IncidentId, Verb};
use crate::live::{note, related};
use crate::signal::{Key, What};
use alloc::format;
use alloc::vec::Vec;
use picket_proto::{HostId, Name};

impl State {
    pub(super) fn commanded(&mut self, at: At, operator: &Name, id: IncidentId, verb: &Verb) {
        let Some(incident) = self.incidents.get_mut(id) else { return };
        match verb {
            Verb::Acknowledge => {
                incident.acknowledged_by = Some(operator.clone());
                let entry = Entry::said(at.now.wall, "incident-acknowledged", format!("taken by {operator}"));
                note(self, at, Some(id), entry);
            }
            Verb::Note(text) => {
                let entry = Entry::said(at.now.wall, "incident-note", format!("{operator}: {text}"));
                note(self, at, Some(id), entry);
            }
            Verb::Resolve(why) => {
                self.lift(at, id);
                let why = if why.is_empty() { why.clone() } else { format!(": {why}") };
                resolve(self, at, id, Ending::Decision, format!("resolved by {operator}{why}"));
            }
        }
    }

    /// That somebody looked into it stands in the service's incident, once for each who did; what came is among the events.
    pub(super) fn evidence_asked(&mut self, at: At, operator: &Name, host: &HostId, service: &Name) {
        let Some(slot) = self.hosts.find(host.as_str()) else { return };
        let Some(host) = self.hosts.get(slot) else { return };
        let Some(of) = host.services.find(service.as_str()) else { return };
        let id = related(self, slot, Some(of), None);
        let text = format!("evidence of {service} asked for by {operator}");
        let entry = Entry::said(at.now.wall, "evidence-asked", text);
        let is_known = |old: &Entry| old.code == entry.code && old.text == entry.text;
        let incident = id.and_then(|id| self.incidents.get(id));
        if incident.is_some_and(|incident| !incident.timeline.iter().any(is_known)) {
            note(self, at, id, entry);
        }
    }

    /// An operator who resolves the incident of a quarantine lifts it.
    fn lift(&mut self, at: At, id: IncidentId) {
        let Some(incident) = self.incidents.get(id) else { return };
        let is_duplicate = |key: &&Key| key.what == What::DuplicateIdentity;
        let keys: Vec<Key> = incident.firing.iter().filter(is_duplicate).copied().collect();
        for key in keys {
            let Some(host) = self.hosts.get_mut(key.host) else { continue };
            host.trust = Trust::Full;
            let text = format!("{} may connect again", host.id);
            note(self, at, Some(id), Entry::said(at.now.wall, "quarantine-lifted", text));
            if let Some(host) = self.hosts.get_mut(key.host)
                && host.signals.remove(&key.what).is_some()
            {
                self.firing = self.firing.saturating_sub(1);
            }
            if let Some(incident) = self.incidents.get_mut(id) {
                incident.clear(key);
            }
        }
    }
}
