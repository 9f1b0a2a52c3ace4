//! Answers: pages of hosts, services and incidents out of the durable state, and what only live state knows of them.

use super::finding::{detail, of_incident};
use super::summary::summary;
use super::{Answer, Check, Host, HostClock, HostState, More, Question, Service};
use crate::host::{self, Presence};
use crate::incident::life;
use crate::ingest::sessions::Sessions;
use crate::state::State;
use crate::state::machine::Live;
use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use picket_proto::event::{Intent, Verdict};
use picket_proto::{HostId, Name, Wall};

/// Most items of a page.
const PAGE_MAX: u16 = 500;

/// Answers a question.
pub(crate) fn answer(state: &State, live: &Live, question: &Question) -> Answer {
    let sessions = &live.sessions;
    match question {
        Question::Hosts { after, limit } => {
            let after = after.as_ref().map(|host| host.as_str());
            let hosts = state.hosts.by_name(after).map(|(slot, host)| of_host(state, slot, host, sessions));
            let (hosts, more) = page(hosts, *limit);
            Answer::Hosts(hosts, more)
        }
        Question::Services { host, after, limit } => {
            let (services, more) = services((state, sessions), host.as_deref(), after.as_deref(), *limit);
            Answer::Services(services, more)
        }
        Question::Incidents { open_only, host, before, limit } => {
            let slot = host.as_ref().map(|host| state.hosts.find(host.as_str()));
            let wanted = |incident: &&life::Incident| {
                (!open_only || incident.is_active())
                    && slot.is_none_or(|slot| slot.is_some_and(|slot| incident.hosts.contains(&slot)))
            };
            let found =
                state.incidents.newest(*before).filter(wanted).map(|incident| of_incident(state, incident));
            let (incidents, more) = page(found, *limit);
            Answer::Incidents(incidents, more)
        }
        Question::Incident(id) => Answer::Incident(detail(state, *id).map(Box::new)),
        Question::Summary => Answer::Summary(Box::new(summary(state, live))),
    }
}

/// Most hosts that are named as copies of one: who looks for the image has its list by then.
const COPIES_MAX: usize = 8;

fn page<T>(mut items: impl Iterator<Item = T>, limit: u16) -> (Vec<T>, More) {
    let limit = usize::from(limit.clamp(1, PAGE_MAX));
    let found: Vec<T> = items.by_ref().take(limit).collect();
    let more = if items.next().is_some() { More::Yes } else { More::No };
    (found, more)
}

fn of_host(state: &State, slot: u32, host: &host::Host, sessions: &Sessions) -> Host {
    let is_known = unknown(state, sessions, slot, host).is_none();
    let watched = || host.checks.iter().filter(|(_, check)| check.watched == host::Watched::Yes);
    let not_up = watched().filter(|(_, check)| !is_known || check.verdict != Verdict::Up).count();
    let report = sessions.reported(slot);
    let same = sessions.machines.same(slot).take(COPIES_MAX);
    let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    Host {
        host: host.id.clone(),
        state: state_of(slot, host, sessions),
        last_heard: sessions.seat(slot).heard.or(host.last_heard),
        version: host.version.clone(),
        report: host.report,
        checks: count(watched().count()),
        not_up: count(not_up),
        frames: host.frames,
        lost: host.lost,
        unknown: host.unknown,
        differences: host.differences,
        sample: report.and_then(|report| report.sample),
        clock: report.map(|report| HostClock::of(host, report)),
        same_machine: same.filter_map(|slot| state.hosts.get(slot).map(|other| other.id.clone())).collect(),
    }
}

/// Where a host stands.
pub(super) fn state_of(slot: u32, host: &host::Host, sessions: &Sessions) -> HostState {
    if host.is_quarantined() {
        return HostState::Quarantined;
    }
    match host.presence {
        Presence::Expected => HostState::Expected,
        Presence::Silent => HostState::Silent,
        Presence::Stopped { .. } => HostState::Stopped,
        Presence::Retired => HostState::Retired,
        Presence::Present if sessions.seat(slot).live.is_some() => HostState::Connected,
        Presence::Present => HostState::Away,
    }
}

/// Why nothing is known of any check of a host, and since when.
struct Unknown {
    why: String,
    since: Option<Wall>,
}

/// Whether the checks of a host are unknown, whatever was said of them last: nobody looks at them, or is believed.
fn unknown(state: &State, sessions: &Sessions, slot: u32, host: &host::Host) -> Option<Unknown> {
    let (why, since) = match state_of(slot, host, sessions) {
        HostState::Silent => (format!("{} is silent", host.id), host.gone),
        HostState::Stopped => ("its agent was stopped".to_string(), host.gone),
        HostState::Retired => ("its agent was removed".to_string(), host.gone),
        HostState::Quarantined => (format!("{} is quarantined", host.id), host.gone),
        HostState::Away if sessions.seat(slot).heard.is_none() => {
            ("not heard since the collector's restart".to_string(), state.resumed)
        }
        HostState::Away | HostState::Connected | HostState::Expected => return None,
    };
    Some(Unknown { why, since })
}

fn services(
    (state, sessions): (&State, &Sessions),
    only: Option<&HostId>,
    after: Option<&(HostId, Option<Name>)>,
    limit: u16,
) -> (Vec<Service>, More) {
    let limit = usize::from(limit.clamp(1, PAGE_MAX));
    let mut found = Vec::new();
    let begin = after.and_then(|(host, _)| state.hosts.find(host.as_str()));
    let begin = begin.and_then(|slot| state.hosts.get(slot).map(|host| (slot, host)));
    let behind = state.hosts.by_name(after.map(|(host, _)| host.as_str()));
    let wanted = |(_, host): &(u32, &host::Host)| only.is_none_or(|only| host.id == *only);
    for (slot, host) in begin.into_iter().chain(behind).filter(wanted) {
        let unknown = unknown(state, sessions, slot, host);
        let last = after.filter(|(id, _)| *id == host.id).map(|(_, service)| service.as_ref());
        for (name, service) in grouped(host) {
            if last.is_some_and(|last| name <= last) {
                continue;
            }
            if found.len() == limit {
                return (found, More::Yes);
            }
            found.push(of_service(host, name, &service, unknown.as_ref()));
        }
    }
    (found, More::No)
}

/// The watched checks of a host by their service; those without one come first.
fn grouped(host: &host::Host) -> BTreeMap<Option<&Name>, Vec<&host::Check>> {
    let mut groups: BTreeMap<Option<&Name>, Vec<&host::Check>> = BTreeMap::new();
    for (_, check) in host.checks.by_name(None).filter(|(_, check)| check.watched == host::Watched::Yes) {
        let service = check.service.and_then(|slot| host.services.get(slot));
        groups.entry(service.map(|service| &service.name)).or_default().push(check);
    }
    groups
}

fn of_service(
    host: &host::Host,
    name: Option<&Name>,
    checks: &[&host::Check],
    unknown: Option<&Unknown>,
) -> Service {
    let service =
        name.and_then(|name| host.services.find(name.as_str())).and_then(|slot| host.services.get(slot));
    let checks: Vec<Check> = checks.iter().map(|check| of_check(check, unknown)).collect();
    Service {
        host: host.id.clone(),
        service: name.cloned(),
        verdict: checks.iter().map(|check| check.verdict).max().unwrap_or(Verdict::Unknown),
        checks,
        remedies: service.map_or(0, |service| service.remedies),
        not_healed: service.map_or_else(String::new, |service| service.not_healed.clone()),
        pid: service.map_or(0, |service| service.pid),
        intent: service.map_or(Intent::Run, |service| service.intent),
    }
}

fn of_check(check: &host::Check, unknown: Option<&Unknown>) -> Check {
    let (verdict, since, cause) = match unknown {
        Some(unknown) => (Verdict::Unknown, unknown.since, unknown.why.clone()),
        None => (check.verdict, check.since, crate::live::cause_words(check)),
    };
    Check { check: check.name.clone(), kind: check.kind, verdict, since, cause }
}
