//! What live facts do: they move verdicts, services and signals, and write to the timelines of what they touch.

pub(crate) mod calm;
pub(crate) mod healing;
pub(crate) mod intent;
pub(crate) mod shadow;
pub(crate) mod vanished;

use crate::host::{Check, Death, Host, Service, is_newer};
use crate::incident::IncidentId;
use crate::incident::life::Incident;
use crate::incident::timeline::{Arrival, Entry};
use crate::signal::{Key, What};
use crate::state::ending::settle;
use crate::state::firing::{Fired, News, Said, clear, fire};
use crate::state::{At, State};
use alloc::format;
use alloc::string::{String, ToString};
use calm::{alarmed, calm, is_underway};
use picket_proto::event::{CheckKind, Evidence, Exited, Intent, Started, Verdict, VerdictChanged};
use picket_proto::tell::Why;
use picket_proto::{Event, Fact, Name, Run, Seq, Span, Wall};

/// An event of the live lane.
pub(crate) fn event(state: &mut State, at: At, host: u32, seq: Seq, event: &Event) {
    match &event.fact {
        // Runs and ranges are ingest's and were accounted before.
        Fact::Began(_) | Fact::Gap(_) => {}
        // For whoever asked: it changes nothing of what is known.
        Fact::Ordered(_) => {}
        Fact::Verdict(fact) => verdict(state, at, host, (event, fact)),
        Fact::Started(fact) => started(state, at, host, seq, (event, fact)),
        Fact::Exited(fact) => exited(state, at, host, seq, (event, fact)),
        Fact::Remedy(fact) => healing::remedy(state, at, host, seq, (event, fact)),
        Fact::Outcome(fact) => healing::outcome(state, at, host, seq, (event, fact)),
        Fact::Breaker(fact) => healing::breaker(state, at, host, seq, (event, fact)),
        Fact::Evidence(fact) => evidence(state, at, host, (event, fact)),
        Fact::Intent(fact) => intent::changed(state, at, host, seq, (event, fact)),
        Fact::Blind(_) => note_all(state, at, host, event),
        Fact::Hold(fact) => shadow::hold(state, at, host, (event, fact)),
        Fact::Shadow(fact) => shadow::shadow(state, at, host, seq, (event, fact)),
        Fact::Vanished(fact) => vanished::vanished(state, at, host, (event, fact)),
        Fact::Returned(fact) => vanished::returned(state, at, host, (event, fact)),
    }
}

/// The incident that is not over and that this service or check is part of.
pub(crate) fn related(
    state: &State,
    slot: u32,
    service: Option<u32>,
    check: Option<u32>,
) -> Option<IncidentId> {
    let host = state.hosts.get(slot)?;
    let about = |id: &&IncidentId| {
        let Some(incident) = state.incidents.get(**id) else { return false };
        service.is_some_and(|service| incident.services.contains(&(slot, service)))
            || check.is_some_and(|check| {
                What::of_check(check)
                    .iter()
                    .any(|what| incident.members.contains(&Key { host: slot, what: *what }))
            })
    };
    host.active.iter().rev().find(about).copied()
}

/// Writes an entry to an incident and tells of it.
pub(crate) fn note(state: &mut State, at: At, id: Option<IncidentId>, entry: Entry) {
    let Some(incident) = id.and_then(|id| state.incidents.get_mut(id)) else { return };
    let (id, code, text) = (incident.id, entry.code, entry.text.clone());
    incident.note(at.now, entry);
    state.incidents.touch(id, code, text);
}

/// Writes what fired to its incident, and tells of it unless the incident did.
pub(crate) fn note_fired(state: &mut State, at: At, fired: Fired, entry: Entry) {
    match fired.news {
        News::Open => note(state, at, fired.incident, entry),
        News::Told => {
            if let Some(incident) = fired.incident.and_then(|id| state.incidents.get_mut(id)) {
                incident.note(at.now, entry);
            }
        }
    }
}

fn verdict(state: &mut State, at: At, slot: u32, (event, fact): (&Event, &VerdictChanged)) {
    let Some(host) = state.hosts.get_mut(slot) else { return };
    let Some(check) = host.check(&fact.check, fact.kind, fact.service.as_ref()) else { return };
    let Some(known) = host.checks.get_mut(check) else { return };
    known.verdict = fact.to;
    known.since = Some(event.stamp.wall);
    (known.cause, known.said) = (fact.cause, fact.said.clone());
    let service = known.service;
    let quiet = host.active.is_empty() && host.signals.is_empty() && host.late.is_empty();
    if quiet && fact.to == Verdict::Up {
        return;
    }
    match What::from_verdict(check, fact.kind, (fact.to, fact.cause)) {
        Some(what) => {
            let fired =
                fire(state, at, Key { host: slot, what }, |host| check_said(host, check, event.stamp.wall));
            note_fired(state, at, fired, Entry::seen(slot, event, Arrival::Live));
            if what.is_blind() {
                // It says nothing about what was known: what failed may still.
                return;
            }
            clear_others(state, at, slot, check, Some(what));
            if fact.kind == CheckKind::Process {
                alarmed(state, slot, service);
            }
            crate::backlog::joined(state, slot, service, check, fired.incident);
        }
        None if fact.to == Verdict::Up => {
            let id = related(state, slot, service, Some(check));
            note(state, at, id, Entry::seen(slot, event, Arrival::Live));
            if fact.kind != CheckKind::Process || !is_underway(state, slot, service) {
                clear_others(state, at, slot, check, None);
            }
            if fact.kind == CheckKind::Process {
                calm(state, at, slot, service);
            }
            healing::outlived(state, at, slot, service);
            if let Some(id) = id {
                // It may be the last word that a service under remedy was waited for.
                settle(state, at, id);
            }
            crate::backlog::passed(state, at, slot, (service, check), "recovered");
        }
        // Unknown without a cause says nothing at all.
        None => {}
    }
}

/// Ends the conditions of a check but `kept`.
pub(crate) fn clear_others(state: &mut State, at: At, slot: u32, check: u32, kept: Option<What>) {
    for what in What::of_check(check) {
        if Some(what) != kept {
            clear(state, at, Key { host: slot, what });
        }
    }
}

/// A check that is not up, in words.
pub(crate) fn check_said(host: &Host, check: u32, at: Wall) -> Said {
    let Some(known) = host.checks.get(check) else {
        return Said { title: host.id.to_string(), cause: String::new(), at };
    };
    let cause = check_words(known);
    let service = known.service.and_then(|slot| host.services.get(slot));
    let about = service.map_or(&known.name, |service| &service.name);
    Said { title: format!("{about} on {}: {cause}", host.id), cause, at }
}

/// A check's verdict and cause in the words of the event that told it.
pub(crate) fn check_words(check: &Check) -> String {
    match check.cause {
        None => format!("{} is {}", check.name, check.verdict),
        Some(cause) => {
            let told = VerdictChanged {
                check: check.name.clone(),
                kind: check.kind,
                service: None,
                from: Verdict::Unknown,
                to: check.verdict,
                cause: Some(cause),
                after: Span::ZERO,
                said: check.said.clone(),
            };
            Fact::Verdict(told).to_string()
        }
    }
}

/// A cause in words, in its check's unit; empty if there is none.
pub(crate) fn cause_words(check: &Check) -> String {
    let words = |cause| Why(check.kind, cause, check.said.as_str()).to_string();
    check.cause.map_or_else(String::new, words)
}

fn with_service(state: &mut State, slot: u32, name: &Name, change: impl FnOnce(&mut Service)) -> Option<u32> {
    let host = state.hosts.get_mut(slot)?;
    let service = host.service(name)?;
    change(host.services.get_mut(service)?);
    Some(service)
}

/// Takes a pid over, 0 for none, unless a newer frame told another. `present` is the run that has the session.
pub(crate) fn learn_pid(service: &mut Service, present: Option<Run>, told: (Run, Seq), pid: u32) {
    if is_newer(present, service.pid_told, told) {
        service.pid = pid;
        service.pid_told = Some(told);
    }
}

fn started(state: &mut State, at: At, slot: u32, seq: Seq, (event, fact): (&Event, &Started)) {
    let present = state.hosts.get(slot).and_then(|host| host.run);
    let learn = |service: &mut Service| {
        learn_pid(service, present, (event.stamp.run, seq), fact.pid);
        // What runs is kept up, also where the frame that said so was lost.
        service.intent = Intent::Run;
        service.stopped = None;
    };
    let Some(service) = with_service(state, slot, &fact.service, learn) else { return };
    clear(state, at, Key { host: slot, what: What::StopOverstay(service) });
    let id = related(state, slot, Some(service), None);
    if id.is_some() {
        note(state, at, id, Entry::seen(slot, event, Arrival::Live));
        calm(state, at, slot, Some(service));
    }
}

fn exited(state: &mut State, at: At, slot: u32, seq: Seq, (event, fact): (&Event, &Exited)) {
    let present = state.hosts.get(slot).and_then(|host| host.run);
    let learn = |service: &mut Service| learn_pid(service, present, (event.stamp.run, seq), 0);
    let Some(service) = with_service(state, slot, &fact.service, learn) else { return };
    alarmed(state, slot, Some(service));
    let entry = Entry::seen(slot, event, Arrival::Live);
    if fact.asked {
        let id = related(state, slot, Some(service), None);
        return note(state, at, id, entry);
    }
    let Some(said) = state.hosts.get(slot).map(|host| died_said(host, event, fact)) else { return };
    remember_death(state, slot, service, &said);
    let fired = fire(state, at, Key { host: slot, what: What::Died(service) }, |_| said);
    note_fired(state, at, fired, entry);
    crate::backlog::service_joined(state, slot, service, fired.incident);
}

/// Keeps how a service died, for an incident that shows it as its root later.
fn remember_death(state: &mut State, slot: u32, service: u32, said: &Said) {
    if let Some(known) = state.hosts.get_mut(slot).and_then(|host| host.services.get_mut(service)) {
        known.death = Death { title: said.title.clone(), cause: said.cause.clone() };
    }
}

/// A death in words.
pub(crate) fn died_said(host: &Host, event: &Event, fact: &Exited) -> Said {
    Said {
        title: format!("{} on {}: {}", fact.service, host.id, fact.exit),
        cause: event.to_string(),
        at: event.stamp.wall,
    }
}

fn evidence(state: &mut State, at: At, slot: u32, (event, fact): (&Event, &Evidence)) {
    let Some(service) = with_service(state, slot, &fact.service, |_| {}) else { return };
    let id = related(state, slot, Some(service), None);
    note(state, at, id, Entry::seen(slot, event, Arrival::Live));
    learn_evidence(state, id, slot, service, fact);
    learn_newest(state, id, slot, service, fact);
}

/// What is about no single service stands in every incident that the host is part of.
fn note_all(state: &mut State, at: At, slot: u32, event: &Event) {
    let Some(host) = state.hosts.get(slot) else { return };
    for id in host.active.clone() {
        note(state, at, Some(id), Entry::seen(slot, event, Arrival::Live));
    }
}

/// The incident, where this service is its root.
fn rooted(state: &mut State, id: Option<IncidentId>, slot: u32, service: u32) -> Option<&mut Incident> {
    let host = state.hosts.get(slot)?;
    let incident = state.incidents.get_mut(id?)?;
    let Key { host: of, what } = incident.root.key;
    (of == slot && host.service_of(what) == Some(service)).then_some(incident)
}

/// What it printed when it failed again stands behind that: why it does not start now may be another reason than it died of.
fn learn_newest(state: &mut State, id: Option<IncidentId>, slot: u32, service: u32, fact: &Evidence) {
    const SINCE: &str = "; since then: ";
    let Some(incident) = rooted(state, id, slot, service) else { return };
    let first = incident.evidence.split(SINCE).next().unwrap_or_default();
    // The same complaint has another time and process in it.
    let gist = |text: &str| text.chars().filter(|letter| !letter.is_ascii_digit()).collect::<String>();
    if !gist(first).ends_with(&gist(fact.last_line.as_str())) {
        incident.evidence = format!("{first}{SINCE}{}", fact.last_line);
    }
}

/// The first last line of an episode stands beside its cause.
pub(crate) fn learn_evidence(
    state: &mut State,
    id: Option<IncidentId>,
    slot: u32,
    service: u32,
    fact: &Evidence,
) {
    let Some(incident) = rooted(state, id, slot, service) else { return };
    if incident.evidence.is_empty() {
        incident.evidence = match fact.pid {
            0 => fact.last_line.to_string(),
            _ => format!("last printed: {}", fact.last_line),
        };
    }
}
