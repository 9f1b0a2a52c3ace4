//! An incident as it is shown: its title, its outcome, its timeline and its finding, in words.

use super::{Detail, Entry, Incident};
use crate::incident::life::{self, Phase, Root, Scope};
use crate::incident::timeline::{Arrival, Clock};
use crate::incident::{IncidentId, State as Standing};
use crate::ingest::sessions::HEARTBEAT;
use crate::signal::{Key, What};
use crate::state::State;
use crate::state::root::fires;
use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use picket_proto::Name;

/// Most hosts and services that an incident names; its title has their count.
const NAMED_MAX: usize = 64;
/// Most symptoms that a finding names.
const SYMPTOMS_MAX: usize = 200;
/// Most services whose remedies rest that an outcome explains; the rest are counted.
const EXPLAINED_MAX: usize = 3;

/// An incident for a list.
pub(crate) fn of_incident(state: &State, incident: &life::Incident) -> Incident {
    let host = |slot: &u32| state.hosts.get(*slot).map(|host| host.id.clone());
    let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    Incident {
        id: incident.id,
        revision: incident.revision,
        state: standing(incident),
        severity: incident.severity,
        severity_rule: incident.rule,
        title: title(state, incident),
        cause: cause(state, incident),
        outcome: outcome(state, incident),
        hosts: incident.hosts.iter().take(NAMED_MAX).filter_map(host).collect(),
        services: services(state, incident),
        opened: incident.opened,
        changed: incident.changed,
        resolved: match incident.phase {
            Phase::Resolved { wall, .. } => Some(wall),
            Phase::Open | Phase::Verifying { .. } => None,
        },
        episode: incident.episode,
        acknowledged_by: incident.acknowledged_by.clone(),
        firing: count(incident.firing.len()),
        signals: count(incident.members.len()).saturating_add(incident.more_members),
        late: incident.scope == Scope::Late,
    }
}

/// The root's service.
fn root_service(state: &State, incident: &life::Incident) -> Option<(u32, u32)> {
    let key = incident.root.key;
    Some((key.host, state.hosts.get(key.host)?.service_of(key.what)?))
}

/// The title, and how many services more failed in this episode.
fn title(state: &State, incident: &life::Incident) -> String {
    let roots = root_service(state, incident).is_some_and(|root| incident.failed.contains(&root));
    match incident.failed.len() - usize::from(roots) {
        more if more > 0 && root_service(state, incident).is_some() => {
            format!("{} (+{})", incident.title, counted(more))
        }
        _ => incident.title.clone(),
    }
}

fn counted(services: usize) -> String {
    format!("{services} service{}", if services == 1 { "" } else { "s" })
}

/// The breakers that are open in it.
fn open_breakers(incident: &life::Incident) -> impl Iterator<Item = Key> {
    incident.hosts.iter().flat_map(|host| {
        let key = |service| Key { host: *host, what: What::NotHealed(service) };
        incident.firing.range(key(0)..=key(u32::MAX)).copied()
    })
}

/// How it ended; while it is open, which services are not healed and why, the root's own first, then what else is to be known.
fn outcome(state: &State, incident: &life::Incident) -> String {
    let root = root_service(state, incident);
    let because = |key: Key| {
        let host = state.hosts.get(key.host)?;
        let slot = host.service_of(key.what)?;
        let service = host.services.get(slot)?;
        let said = format!("{}: not healed, because {}", service.name, service.not_healed);
        Some((Some((key.host, slot)) != root, said))
    };
    let mut open: Vec<(bool, String)> = open_breakers(incident).filter_map(because).collect();
    open.sort_by_key(|(is_other, _)| *is_other);
    let more = open.len().saturating_sub(EXPLAINED_MAX);
    let mut said: Vec<String> = open.into_iter().map(|(_, said)| said).take(EXPLAINED_MAX).collect();
    if more > 0 {
        said.push(format!("{} more", counted(more)));
    }
    said.extend(Some(incident.beside()).filter(|beside| !beside.is_empty()));
    said.join("; ")
}

/// What it touches: the root's service, those whose remedies rest, and the others.
fn services(state: &State, incident: &life::Incident) -> Vec<Name> {
    let of = |key: Key| Some((key.host, state.hosts.get(key.host)?.service_of(key.what)?));
    let first = root_service(state, incident).filter(|root| incident.services.contains(root));
    let all = first
        .into_iter()
        .chain(open_breakers(incident).filter_map(of))
        .chain(incident.services.iter().copied());
    let mut known = BTreeSet::new();
    let name = |(host, service): (u32, u32)| {
        let name = &state.hosts.get(host)?.services.get(service)?.name;
        known.insert(name).then(|| name.clone())
    };
    all.filter_map(name).take(NAMED_MAX).collect()
}

/// Where an incident stands.
pub(super) fn standing(incident: &life::Incident) -> Standing {
    match incident.phase {
        Phase::Open if incident.acknowledged_by.is_some() => Standing::Acknowledged,
        Phase::Open => Standing::Open,
        Phase::Verifying { .. } => Standing::Verifying,
        Phase::Resolved { .. } => Standing::Resolved,
    }
}

/// The root in words, with the last words of what died. Over a link that costs money those come only when asked for.
fn cause(state: &State, incident: &life::Incident) -> String {
    let Root { key, text, .. } = &incident.root;
    if !incident.evidence.is_empty() {
        return format!("{text}; {}", incident.evidence);
    }
    let host = state.hosts.get(key.host).filter(|host| host.report > HEARTBEAT);
    let died = if let What::Died(slot) = key.what { Some(slot) } else { None };
    let service = died.and_then(|slot| host?.services.get(slot));
    match (host, service) {
        (Some(host), Some(service)) => {
            format!(
                "{text}; what it printed is kept on the host: `picket evidence {} {}`",
                host.id, service.name
            )
        }
        (None, _) | (_, None) => text.clone(),
    }
}

/// An incident with all that is known.
pub(super) fn detail(state: &State, id: IncidentId) -> Option<Detail> {
    let incident = state.incidents.get(id)?;
    let timeline = incident.timeline.iter().map(|entry| Entry {
        at: entry.at,
        host: entry.host.and_then(|slot| state.hosts.get(slot)).map(|host| host.id.clone()),
        code: entry.code,
        text: entry.text.clone(),
        late: entry.arrival == Arrival::Late,
        unsynced: entry.clock == Clock::Unsynced,
    });
    let is_open = |key: &&Key| open_breakers(incident).any(|open| open == **key);
    // A breaker that is open is the last of all by its number, and must not fall behind the limit.
    let members = || incident.members.iter().filter(|key| **key != incident.root.key);
    let symptoms = members().filter(is_open).chain(members().filter(|key| !is_open(key))).take(SYMPTOMS_MAX);
    Some(Detail {
        timeline: timeline.collect(),
        left_out: incident.timeline.left_out(),
        root: root(state, incident),
        symptoms: symptoms.map(|key| symptom(state, *key)).collect(),
        reasons: reasons(incident),
        incident: of_incident(state, incident),
    })
}

/// The root in words, and whether it is over.
fn root(state: &State, incident: &life::Incident) -> String {
    let root = &incident.root;
    let fires = match incident.scope {
        Scope::Host => state.hosts.get(root.key.host).is_some_and(|host| fires(host, root)),
        Scope::Fleet => !incident.firing.is_empty(),
        Scope::Late => false,
    };
    if fires { root.text.clone() } else { format!("{} (over)", root.text) }
}

fn symptom(state: &State, key: Key) -> String {
    let Some(host) = state.hosts.get(key.host) else { return String::new() };
    let check = |slot| host.checks.get(slot).map_or("a check", |check| check.name.as_str());
    let service = |slot| host.services.get(slot).map_or("a service", |service| service.name.as_str());
    let now = if host.signals.contains_key(&key.what) { "" } else { " (over)" };
    match key.what {
        What::HostSilent => format!("{} is silent{now}", host.id),
        What::AgentOverstay => format!("the agent of {} is still stopped{now}", host.id),
        What::DuplicateIdentity => format!("two machines use the certificate of {}{now}", host.id),
        What::Down(slot) => format!("{} is down{now}", check(slot)),
        What::Degraded(slot) => format!("{} is degraded{now}", check(slot)),
        What::Flapping(slot) => format!("{} is flapping{now}", check(slot)),
        What::Died(slot) => format!("{} died{now}", service(slot)),
        What::NotHealed(slot) => format!("{} is not healed{now}", service(slot)),
        What::Vanished(number) => {
            let loss = host.lost_things.get(&number);
            format!("{}{now}", loss.map_or("something vanished", |loss| loss.cause.as_str()))
        }
        What::Blind(slot) => format!("{} can't be looked at{now}", check(slot)),
        What::StopOverstay(slot) => format!("{} is still stopped{now}", service(slot)),
    }
}

fn reasons(incident: &life::Incident) -> Vec<(&'static str, String)> {
    let mut codes = Vec::new();
    match incident.scope {
        Scope::Fleet => codes.push("sev-fleet-silent"),
        Scope::Late => codes.push("incident-late"),
        Scope::Host => {}
    }
    if incident.members.len() > 1 && incident.scope == Scope::Host {
        codes.push("same-host-window");
    }
    codes.push(incident.root.rule);
    let meaning = |code| picket_proto::code::find(code).map_or("", |found| found.meaning);
    codes.into_iter().map(|code| (code, meaning(code).to_string())).collect()
}
