//! How an incident ends: what it waits for once nothing fires, and what its resolution does.

use super::{At, State};
use crate::host::{Healing, Watched};
use crate::incident::IncidentId;
use crate::incident::life::{Ending, HOLD, Incident, PROOF, Phase, Proof};
use crate::incident::timeline::Entry;
use crate::signal::Key;
use alloc::format;
use alloc::string::{String, ToString};
use picket_proto::event::{Intent, Verdict};

/// Decides whether an incident in which nothing fires is over, or what it waits for.
pub(crate) fn settle(state: &mut State, at: At, id: IncidentId) {
    let Some(incident) = state.incidents.get(id) else { return };
    if !incident.is_active() || !incident.firing.is_empty() {
        return;
    }
    if is_left_alone(state, incident) {
        return resolve(state, at, id, Ending::Decision, "left stopped".to_string());
    }
    let service = |key: &Key| state.hosts.get(key.host).and_then(|host| host.service_of(key.what));
    let is_proven =
        |key: &Key| service(key).is_some_and(|service| incident.proven.contains(&(key.host, service)));
    if !incident.cleared.is_empty() && incident.cleared.iter().all(is_proven) {
        return resolve(state, at, id, Ending::Recovery, "recovered, verified".to_string());
    }
    let underway = incident.services.iter().any(|(host, service)| {
        let service = state.hosts.get(*host).and_then(|host| host.services.get(*service));
        service.is_some_and(|service| service.healing == Healing::Underway)
    });
    if underway && !incident.failed.iter().all(|(host, service)| has_passed(state, *host, *service)) {
        // A process that was started is no return: a check of it fails still, or was not read yet.
        return;
    }
    verify(state, at, id, if underway { Proof::Outcome } else { Proof::Hold });
}

/// Whether it is about services only, and all of them are stopped on purpose.
fn is_left_alone(state: &State, incident: &Incident) -> bool {
    let service = |key: &Key| {
        let host = state.hosts.get(key.host)?;
        host.services.get(host.service_of(key.what)?)
    };
    let stopped = |key: &Key| service(key).is_some_and(|service| service.intent != Intent::Run);
    !incident.members.is_empty() && incident.members.iter().all(stopped)
}

/// Whether all checks of a service passed that its agent reads, or no remedy is at work on it.
fn has_passed(state: &State, host: u32, service: u32) -> bool {
    let Some(host) = state.hosts.get(host) else { return true };
    if host.services.get(service).is_none_or(|known| known.healing == Healing::No) {
        return true;
    }
    let mut own = host
        .checks
        .iter()
        .filter(|(_, check)| check.service == Some(service) && check.watched == Watched::Yes);
    own.all(|(_, check)| match check.verdict {
        Verdict::Up | Verdict::Degraded | Verdict::Flapping => true,
        Verdict::Down | Verdict::Unknown => false,
    })
}

fn verify(state: &mut State, at: At, id: IncidentId, proof: Proof) {
    let Some(incident) = state.incidents.get_mut(id) else { return };
    if matches!(incident.phase, Phase::Verifying { proof: old, .. } if old == proof) {
        return;
    }
    let (wait, text) = match proof {
        Proof::Hold => (HOLD, "back; it must prove that it holds for 10 s"),
        Proof::Outcome => (PROOF, "back; it must prove that it holds"),
    };
    incident.phase = Phase::Verifying { proof, until: at.now.mono.plus(wait) };
    incident.note(at.now, Entry::said(at.now.wall, "incident-verifying", text.to_string()));
    state.incidents.settled(id);
    state.incidents.touch(id, "incident-verifying", text.to_string());
}

/// A verifying incident held for its time.
pub(crate) fn held(state: &mut State, at: At, id: IncidentId) {
    let Some(incident) = state.incidents.get(id) else { return };
    let Phase::Verifying { proof, .. } = incident.phase else { return };
    let held = match proof {
        Proof::Hold => HOLD,
        Proof::Outcome => PROOF,
    };
    resolve(state, at, id, Ending::Recovery, format!("recovered, held for {held}"));
}

/// The services of this episode that are not back, since somebody left them stopped: of those nothing recovered.
fn left_stopped(state: &State, id: IncidentId) -> String {
    let Some(incident) = state.incidents.get(id) else { return String::new() };
    let stopped = incident.failed.iter().filter_map(|(host, service)| {
        let known = state.hosts.get(*host)?.services.get(*service)?;
        (known.intent != Intent::Run).then(|| format!("; {} is left stopped", known.name))
    });
    stopped.collect()
}

/// Ends an incident; what still fires in it is part of none from now on.
pub(crate) fn resolve(state: &mut State, at: At, id: IncidentId, by: Ending, outcome: String) {
    let left = if by == Ending::Recovery { left_stopped(state, id) } else { String::new() };
    let Some(incident) = state.incidents.get_mut(id) else { return };
    incident.resolve(at.now, by, &format!("{outcome}{left}"));
    let outcome = incident.outcome.clone();
    incident.note(at.now, Entry::said(at.now.wall, "incident-resolved", outcome.clone()));
    let firing = core::mem::take(&mut incident.firing);
    for slot in &incident.hosts {
        if let Some(host) = state.hosts.get_mut(*slot) {
            host.active.retain(|other| *other != id);
        }
    }
    for key in firing {
        let signal = state.hosts.get_mut(key.host).and_then(|host| host.signals.get_mut(&key.what));
        if let Some(signal) = signal.filter(|signal| signal.incident == Some(id)) {
            signal.incident = None;
        }
    }
    state.incidents.settled(id);
    state.incidents.touch(id, "incident-resolved", outcome);
}
