//! Silence: of a host for itself, or of so many at once that it is the fleet's trouble and one incident.

use super::ending::resolve;
use super::firing::{Said, enter, fire, opened};
use crate::correlate::{Scale, WINDOW, scale};
use crate::host::{Host, Presence};
use crate::incident::IncidentId;
use crate::incident::life::{Ending, Scope};
use crate::incident::timeline::Entry;
use crate::ingest::sessions::silence as silence_of;
use crate::live::note_fired;
use crate::signal::{Key, What};
use crate::state::{At, State};
use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

/// These hosts were not heard for their time.
pub(crate) fn silent(state: &mut State, at: At, slots: &[u32]) {
    let recent: Vec<u32> = state
        .hosts
        .iter()
        .filter(|(_, host)| {
            let signal = host.signals.get(&What::HostSilent);
            // What fell silent at once is noticed over as long as these hosts are heard.
            let window = WINDOW.max(host.report);
            signal.is_some_and(|signal| at.now.mono.since(signal.since) <= window)
        })
        .map(|(slot, _)| slot)
        .collect();
    let expected = state.hosts.iter().filter(|(_, host)| should_be_heard(host)).count();
    let together = recent.len() + slots.len();
    let fleet = fleet_in_window(state, at);
    if scale(together, expected) == Scale::Fleet {
        let id = fleet.unwrap_or_else(|| open_fleet(state, at, slots.first().copied().unwrap_or(0)));
        gather(state, at, id, recent.into_iter().chain(slots.iter().copied()).collect());
    } else if let Some(id) = fleet {
        gather(state, at, id, slots.iter().copied().collect());
    } else {
        for slot in slots {
            alone(state, at, *slot);
        }
    }
}

/// One host is silent for itself.
fn alone(state: &mut State, at: At, slot: u32) {
    let fired = fire(state, at, Key { host: slot, what: What::HostSilent }, |host| silence(host, at));
    let Some(host) = state.hosts.get(slot) else { return };
    let incident = fired.incident.and_then(|id| state.incidents.get(id));
    let was = |entry: &Entry| entry.code == "host-silent" && entry.host == Some(slot);
    let again =
        if incident.is_some_and(|incident| incident.timeline.iter().any(was)) { " again" } else { "" };
    let text =
        format!("{} is silent{again}: nothing was heard of it for {}", host.id, silence_of(host.report));
    let mut entry = Entry::said(at.now.wall, "host-silent", text);
    entry.host = Some(slot);
    note_fired(state, at, fired, entry);
}

fn should_be_heard(host: &Host) -> bool {
    match host.presence {
        Presence::Present | Presence::Silent => true,
        Presence::Expected | Presence::Stopped { .. } | Presence::Retired => false,
    }
}

/// A host's silence in words.
pub(super) fn silence(host: &Host, at: At) -> Said {
    Said {
        title: format!("{}: the host is silent", host.id),
        cause: format!("nothing was heard of {} for {}", host.id, silence_of(host.report)),
        at: at.now.wall,
    }
}

fn fleet_in_window(state: &State, at: At) -> Option<IncidentId> {
    let incident = state.incidents.get(state.fleet?)?;
    let fresh = at.now.mono.since(incident.last_firing) <= WINDOW || !incident.firing.is_empty();
    (incident.is_active() && fresh).then_some(incident.id)
}

fn open_fleet(state: &mut State, at: At, first: u32) -> IncidentId {
    let said = Said {
        title: String::new(),
        cause: "many hosts fell silent together: look for what they share".to_string(),
        at: at.now.wall,
    };
    let id = opened(state, at, Key { host: first, what: What::HostSilent }, said, Scope::Fleet);
    state.fleet = Some(id);
    id
}

/// Takes the silence of these hosts into the fleet's incident, out of the incidents that it was part of.
fn gather(state: &mut State, at: At, id: IncidentId, slots: BTreeSet<u32>) {
    let mut left = BTreeSet::new();
    for slot in slots {
        let key = Key { host: slot, what: What::HostSilent };
        let old = state
            .hosts
            .get(slot)
            .and_then(|host| host.signals.get(&key.what))
            .and_then(|signal| signal.incident);
        if old == Some(id) {
            continue;
        }
        if let Some(incident) = old.and_then(|old| state.incidents.get_mut(old)) {
            incident.firing.remove(&key);
            left.insert(incident.id);
        }
        enter(state, at, id, key);
    }
    for old in left {
        let empty = state.incidents.get(old).is_some_and(|incident| incident.firing.is_empty());
        state.incidents.shake(old);
        if empty {
            resolve(state, at, old, Ending::Decision, format!("part of incident {}", id.0));
        }
    }
    let expected = state.hosts.iter().filter(|(_, host)| should_be_heard(host)).count();
    let Some(incident) = state.incidents.get_mut(id) else { return };
    let title = format!("{} of {expected} hosts are silent", incident.firing.len());
    incident.title = title.clone();
    incident.note(at.now, Entry::said(at.now.wall, "incident-joined", title.clone()));
    state.incidents.touch(id, "incident-joined", title);
}
