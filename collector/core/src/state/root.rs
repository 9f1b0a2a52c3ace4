//! What an incident shows as its root follows what fires.
//!
//! Once a record is applied, an incident whose root is over while others fire takes the first of those by the rules
//! of [`crate::correlate`]. A death stays the root of its service's checks as long as a remedy for it is under way:
//! they are on their way back. Where one of them took its place for a time, the death is shown again once everything
//! is over, so that a resolved incident tells what it came from. The fleet's incident has one root, whoever is back.

use super::firing::{Said, root_of};
use super::{At, State, fleet, presence, stops};
use crate::correlate::{self, Fires, Relation};
use crate::host::{Healing, Host};
use crate::incident::IncidentId;
use crate::incident::life::{Incident, Phase, Root, Scope, Shown};
use crate::live::check_said;
use crate::live::healing::not_healed_said;
use crate::live::vanished;
use crate::signal::{Depth, Key, Owned, What};
use picket_proto::event::CheckKind;

/// Lets every incident follow whose conditions the record changed.
pub(super) fn follow(state: &mut State, at: At) {
    while let Some(id) = state.incidents.pop_shaken() {
        follow_one(state, at, id);
    }
}

fn follow_one(state: &mut State, at: At, id: IncidentId) {
    let Some(incident) = state.incidents.get(id) else { return };
    if incident.scope != Scope::Host {
        return;
    }
    let Some(host) = state.hosts.get(incident.root.key.host) else { return };
    if incident.firing.is_empty() {
        return all_over(state, at, id);
    }
    if matches!(incident.phase, Phase::Resolved { .. }) || stays(host, incident) {
        return;
    }
    let Some((key, rule)) = choose(host, incident) else { return };
    if key == incident.root.key {
        return;
    }
    let said = said_of(host, key, at);
    let relation = relation(host, incident.root.key.what, key.what);
    let root = root_of(state, key, said.cause, rule);
    let Some(incident) = state.incidents.get_mut(id) else { return };
    let is_symptom = relation == Relation::SameSubject && root.depth < incident.root.depth;
    let was = Shown { root: incident.root.clone(), title: incident.title.clone() };
    let behind = if is_symptom { incident.behind.take().or(Some(was)) } else { None };
    incident.show(root, said.title, relation);
    incident.behind = behind;
    incident.revised(at.now);
}

/// Nothing fires any more: the death behind the last root is what it came from.
fn all_over(state: &mut State, at: At, id: IncidentId) {
    let Some(incident) = state.incidents.get_mut(id) else { return };
    if let Some(Shown { root, title }) = incident.behind.take() {
        incident.show(root, title, Relation::SameSubject);
        incident.revised(at.now);
    }
}

/// Whether the root may stay what it is.
fn stays(host: &Host, incident: &Incident) -> bool {
    let root = &incident.root;
    let here = || incident.firing.iter().filter(|key| key.host == root.key.host);
    if root.key.what.is_blind() && here().any(|key| !key.what.is_blind()) {
        return false;
    }
    if fires(host, root) {
        let is_level = host.service_of(root.key.what).is_none() && root.depth < Depth::Host;
        let depends = here().any(|key| host.needs(root.key.what, key.what));
        return !depends && (!is_level || here().all(|key| host.service_of(key.what).is_none()));
    }
    let service = host.service_of(root.key.what).and_then(|service| host.services.get(service));
    service.is_some_and(|service| service.healing == Healing::Underway)
        && here().any(|key| host.same_subject(key.what, root.key.what))
}

/// Whether a root fires: a death that the backlog told of does as long as its process check stands as down.
pub(crate) fn fires(host: &Host, root: &Root) -> bool {
    let is_its_process = |what: &What| {
        let kind = what.check().and_then(|check| host.checks.get(check)).map(|check| check.kind);
        kind == Some(CheckKind::Process) && host.same_subject(*what, root.key.what)
    };
    host.signals.contains_key(&root.key.what)
        || (root.depth == Depth::Exit && host.signals.keys().any(is_its_process))
}

fn choose(host: &Host, incident: &Incident) -> Option<(Key, &'static str)> {
    let slot = incident.root.key.host;
    let fires = incident.firing.iter().filter(|key| key.host == slot).filter_map(|key| {
        let signal = host.signals.get(&key.what)?;
        let kind = key.what.check().and_then(|check| host.checks.get(check)).map(|check| check.kind);
        let owned = if host.service_of(key.what).is_some() { Owned::ByService } else { Owned::ByNone };
        let depends =
            incident.firing.iter().any(|other| other.host == slot && host.needs(key.what, other.what));
        let (depth, blind) = (key.what.depth(kind), key.what.is_blind());
        Some(Fires { id: *key, depth, owned, since: signal.since, depends, blind })
    });
    correlate::root(fires, |one, other| host.same_subject(one.what, other.what))
}

fn relation(host: &Host, one: What, other: What) -> Relation {
    if host.same_subject(one, other) { Relation::SameSubject } else { Relation::SameHost }
}

/// A condition that fires, in words.
fn said_of(host: &Host, key: Key, at: At) -> Said {
    match key.what {
        What::Down(check) | What::Degraded(check) | What::Flapping(check) | What::Blind(check) => {
            check_said(host, check, at.now.wall)
        }
        What::Died(service) => {
            let death = host.services.get(service).map(|service| service.death.clone()).unwrap_or_default();
            Said { title: death.title, cause: death.cause, at: at.now.wall }
        }
        What::NotHealed(service) => not_healed_said(host, service, at.now.wall),
        What::Vanished(number) => vanished::said(host, number, at.now.wall),
        What::StopOverstay(service) => stops::said(host, service, at.now.wall),
        What::HostSilent => fleet::silence(host, at),
        What::AgentOverstay => presence::overstays(host, at),
        What::DuplicateIdentity => presence::two_machines(host, at),
    }
}
