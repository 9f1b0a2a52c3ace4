//! What a finding does: signals and incidents change together when a condition fires or ends.
//!
//! Where a condition belongs is decided by [`crate::correlate`] from plain values; here it is carried out, and told.

use super::ending::{resolve, settle};
use crate::correlate::{self, Finding, Known, Relation};
use crate::host::Host;
use crate::incident::life::{Ending, Incident, Opening, Phase, Root, Scope};
use crate::incident::timeline::Entry;
use crate::incident::{IncidentId, Severity};
use crate::signal::{Key, Owned, SIGNALS_MAX, Signal, What};
use crate::state::{At, State};
use alloc::format;
use alloc::string::{String, ToString};
use picket_proto::Wall;
use picket_proto::event::CheckKind;

/// A condition in words.
pub(crate) struct Said {
    /// One line for a list.
    pub(crate) title: String,
    /// The cause.
    pub(crate) cause: String,
    /// When, for people.
    pub(crate) at: Wall,
}

/// Where a condition that fires belongs, and whether its incident has told of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fired {
    /// None if there was no room for it, or an operator declared it over.
    pub(crate) incident: Option<IncidentId>,
    pub(crate) news: News,
}

/// Whether watchers were told of a condition by what its incident said: a fact is one line, never two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum News {
    /// The incident opened, opened again or was joined by it.
    Told,
    /// It was part of the incident before: what it says is still to be told.
    Open,
}

/// A condition fires: it is counted if it did before, else it finds its incident.
pub(crate) fn fire(state: &mut State, at: At, key: Key, said: impl FnOnce(&Host) -> Said) -> Fired {
    let nowhere = Fired { incident: None, news: News::Open };
    let Some(host) = state.hosts.get_mut(key.host) else { return nowhere };
    if let Some(signal) = host.signals.get_mut(&key.what) {
        signal.last = at.now.mono;
        signal.count = signal.count.saturating_add(1);
        return Fired { incident: signal.incident, news: News::Open };
    }
    if state.firing >= SIGNALS_MAX {
        state.overflow = state.overflow.saturating_add(1);
        return nowhere;
    }
    let Some(host) = state.hosts.get(key.host) else { return nowhere };
    let said = said(host);
    let (id, news) = match place(state, at, host, key) {
        Finding::Joins(id) => (id, joined(state, at, id, key, said)),
        Finding::Reopens(id) => {
            reopened(state, at, id, key, said);
            (id, News::Told)
        }
        Finding::Opens => (opened(state, at, key, said, Scope::Host), News::Told),
    };
    enter(state, at, id, key);
    Fired { incident: Some(id), news }
}

/// A condition ends. Says which incident it was part of.
pub(crate) fn clear(state: &mut State, at: At, key: Key) -> Option<IncidentId> {
    let signal = state.hosts.get_mut(key.host)?.signals.remove(&key.what)?;
    state.firing = state.firing.saturating_sub(1);
    let id = signal.incident?;
    state.incidents.get_mut(id)?.clear(key);
    state.incidents.shake(id);
    settle(state, at, id);
    Some(id)
}

/// Hands correlate what there is of incidents on the host of a new condition.
fn place(state: &State, at: At, host: &Host, key: Key) -> Finding<IncidentId> {
    let relation = |one: What| {
        // That a check can't be looked at is a story of its own: it says nothing of what fails in its service.
        let is_apart = (one.is_blind() || key.what.is_blind()) && one.check() != key.what.check();
        let tied = || host.needs(one, key.what) || host.needs(key.what, one);
        let is_same = !is_apart && (tied() || host.same_subject(one, key.what));
        if is_same { Relation::SameSubject } else { Relation::SameHost }
    };
    let active = host.active.iter().rev().filter_map(|id| state.incidents.get(*id)).map(|incident| {
        let members = incident.members.range(Key { host: key.host, what: What::HostSilent }..);
        let mut on_host = members.take_while(|old| old.host == key.host).map(|old| relation(old.what));
        let same = on_host.find(|relation| *relation == Relation::SameSubject);
        let relation = same.unwrap_or(Relation::SameHost);
        Known { id: incident.id, relation, at: incident.last_firing }
    });
    let recovered = host.recent.iter().rev().filter_map(|id| {
        let incident = state.incidents.get(*id)?;
        let Phase::Resolved { at, by: Ending::Recovery, .. } = incident.phase else { return None };
        let relates = if incident.root.key.host == key.host {
            relation(incident.root.key.what)
        } else {
            Relation::SameHost
        };
        (incident.scope == Scope::Host).then_some(Known { id: incident.id, relation: relates, at })
    });
    correlate::find(at.now.mono, active, recovered)
}

fn joined(state: &mut State, at: At, id: IncidentId, key: Key, said: Said) -> News {
    let root = root_of(state, key, said.cause.clone(), "first-seen");
    let Some(incident) = state.incidents.get_mut(id) else { return News::Open };
    let old = incident.root.key;
    let same = state.hosts.get(key.host).is_some_and(|host| host.same_subject(old.what, key.what));
    let relation = if same { Relation::SameSubject } else { Relation::SameHost };
    let rule = correlate::deeper(incident.root.depth, root.depth, relation)
        .filter(|_| old.host == key.host && !key.what.is_blind());
    if let Some(rule) = rule {
        incident.show(Root { rule, ..root }, said.title, relation);
    }
    if incident.members.contains(&key) {
        return News::Open;
    }
    incident.revised(at.now);
    state.incidents.touch(id, "incident-joined", said.cause);
    News::Told
}

fn reopened(state: &mut State, at: At, id: IncidentId, key: Key, said: Said) {
    let root = root_of(state, key, said.cause, "first-seen");
    let Some(incident) = state.incidents.get_mut(id) else { return };
    incident.reopen();
    incident.root = root;
    incident.title = said.title;
    incident.evidence.clear();
    let text = format!("episode {}: it came back within 30 min of its resolution", incident.episode);
    incident.note(at.now, Entry::said(at.now.wall, "incident-reopened", text));
    state.incidents.touch(id, "incident-reopened", String::new());
}

pub(super) fn opened(state: &mut State, at: At, key: Key, said: Said, scope: Scope) -> IncidentId {
    let id = state.incidents.next_id(at.index);
    let root = root_of(state, key, said.cause, "first-seen");
    let severity = match scope {
        Scope::Fleet => (Severity::P0, "sev-fleet-silent"),
        Scope::Host | Scope::Late => severity_of(state, key),
    };
    let opening = Opening { id, scope, severity, title: said.title, root, opened: said.at };
    let mut incident = Incident::open(at.now, opening);
    incident.timeline.push(Entry::said(at.now.wall, "incident-opened", incident.title.clone()));
    state.incidents.add(incident);
    state.incidents.touch(id, "incident-opened", String::new());
    id
}

/// A failure of the backlog that is over: an incident that is born resolved.
pub(crate) fn born_resolved(
    state: &mut State,
    at: At,
    host: u32,
    late: crate::incident::late::Late,
    outcome: &str,
) {
    let key = Key { host, what: late.root };
    let said = Said { title: late.title, cause: late.cause, at: late.opened };
    let id = opened(state, at, key, said, Scope::Late);
    let service = state.hosts.get_mut(host).and_then(|host| {
        host.touch(id);
        host.service_of(key.what)
    });
    let Some(incident) = state.incidents.get_mut(id) else { return };
    incident.join(at.now, key, service);
    incident.clear(key);
    incident.timeline = late.timeline;
    resolve(state, at, id, Ending::Decision, outcome.to_string());
    // Nobody is told that it opened: it never paged, and was over before the collector heard of it.
    let mut told = state.incidents.take_touched();
    told.retain(|touched| touched.incident != id);
    for touched in told {
        state.incidents.touch(touched.incident, touched.code, touched.text);
    }
    state.incidents.touch(id, "incident-late", String::new());
}

pub(super) fn enter(state: &mut State, at: At, id: IncidentId, key: Key) {
    let severity = severity_of(state, key);
    let Some(host) = state.hosts.get_mut(key.host) else { return };
    let now = at.now.mono;
    let old = host.signals.insert(key.what, Signal { since: now, last: now, count: 1, incident: Some(id) });
    host.touch(id);
    let service = host.service_of(key.what);
    if old.is_none() {
        state.firing += 1;
    }
    let Some(incident) = state.incidents.get_mut(id) else { return };
    incident.join(at.now, key, service);
    if incident.raise(severity) {
        let text = format!("raised to {:?} by {}", incident.severity, incident.rule);
        incident.note(at.now, Entry::said(at.now.wall, "incident-severity", text.clone()));
        state.incidents.touch(id, "incident-severity", text);
    }
    state.incidents.settled(id);
    state.incidents.shake(id);
}

pub(super) fn root_of(state: &State, key: Key, text: String, rule: &'static str) -> Root {
    Root { key, depth: key.what.depth(kind_of(state, key)), text, rule }
}

fn kind_of(state: &State, key: Key) -> Option<CheckKind> {
    let check = key.what.check()?;
    state.hosts.get(key.host)?.checks.get(check).map(|check| check.kind)
}

fn severity_of(state: &State, key: Key) -> (Severity, &'static str) {
    let service = state.hosts.get(key.host).and_then(|host| host.service_of(key.what));
    key.what.severity(if service.is_some() { Owned::ByService } else { Owned::ByNone })
}
