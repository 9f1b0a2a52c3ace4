//! What remedies and their ends do to a service: under way, held, not held, resting, allowed again.

use super::calm::{alarmed, over};
use super::{note, note_fired, related, remember_death, with_service};
use crate::host::{Healing, Host, Service, Watched};
use crate::incident::IncidentId;
use crate::incident::life::{Ending, Phase};
use crate::incident::timeline::{Arrival, Entry};
use crate::signal::{Key, What};
use crate::state::ending::settle;
use crate::state::firing::{Fired, News, Said, clear, fire};
use crate::state::{At, State};
use alloc::format;
use alloc::string::{String, ToString};
use picket_proto::event::{
    Because, Breaker, BreakerMoved, Outcome, Remedy, RemedyBegun, RemedyEnded, Trigger, Verdict,
};
use picket_proto::{Event, Name, Seq, Wall};

/// What a live frame says of a service's healing stands against what the backlog says of the time before.
pub(super) fn told(state: &mut State, slot: u32, service: u32, seq: Seq, event: &Event) {
    if let Some(known) = state.hosts.get_mut(slot).and_then(|host| host.services.get_mut(service)) {
        known.healing_told = Some((event.stamp.run, seq));
    }
}

pub(super) fn remedy(state: &mut State, at: At, slot: u32, seq: Seq, (event, fact): (&Event, &RemedyBegun)) {
    let begin = |service: &mut Service| {
        service.remedies = service.remedies.saturating_add(1);
        service.healing = Healing::Underway;
    };
    let Some(service) = with_service(state, slot, &fact.service, begin) else { return };
    told(state, slot, service, seq, event);
    let id = related(state, slot, Some(service), None);
    // That nothing was done is over.
    if let Some(incident) = id.and_then(|id| state.incidents.get_mut(id)) {
        incident.forget(&fact.service, "is only observed");
        incident.forget(&fact.service, "is not healed");
    }
    note(state, at, id, Entry::seen(slot, event, Arrival::Live));
}

pub(super) fn outcome(state: &mut State, at: At, slot: u32, seq: Seq, (event, fact): (&Event, &RemedyEnded)) {
    let Some(service) = with_service(state, slot, &fact.service, |_| {}) else { return };
    told(state, slot, service, seq, event);
    match &fact.outcome {
        Outcome::Held { .. } => recovered(state, at, slot, (event, fact)),
        Outcome::Died(exit) => not_held(state, at, slot, (event, fact), exit.to_string()),
        Outcome::StillFailing { check, cause } => {
            not_held(state, at, slot, (event, fact), format!("{check}: {cause}"));
        }
        Outcome::Worse { check, .. } => {
            not_held(state, at, slot, (event, fact), format!("made worse: {check}"));
        }
        Outcome::NotDone { why } => not_held(state, at, slot, (event, fact), why.to_string()),
    }
}

fn recovered(state: &mut State, at: At, slot: u32, (event, fact): (&Event, &RemedyEnded)) {
    let rest = |service: &mut Service| {
        service.healing = Healing::No;
        service.not_healed.clear();
    };
    let Some(service) = with_service(state, slot, &fact.service, rest) else { return };
    let id = related(state, slot, Some(service), None);
    note(state, at, id, Entry::seen(slot, event, Arrival::Live));
    if let Some(incident) = id.and_then(|id| state.incidents.get_mut(id)) {
        incident.proven.insert((slot, service));
        if let Some(changed) = changed(fact) {
            incident.remark(&fact.service, &changed);
        }
    }
    over(state, at, slot, service);
    clear(state, at, Key { host: slot, what: What::NotHealed(service) });
    match id {
        Some(id) => settle(state, at, id),
        None => proven_later(state, at, (slot, service), (event, fact)),
    }
    crate::backlog::held(state, at, slot, service, fact);
}

/// What is not as it was before, where a remedy changed more than which process runs: somebody has to know that it is not over.
fn changed(fact: &RemedyEnded) -> Option<String> {
    let with = match fact.remedy {
        Remedy::Rollback => "with its last good files",
        Remedy::Package => "with its last good package",
        Remedy::Reboot => "after a reboot of its host",
        Remedy::Restart | Remedy::Reload | Remedy::Dependents | Remedy::Isolate => return None,
    };
    Some(format!("{} runs {with}", fact.service))
}

/// How a failure ended whose remedy held.
pub(crate) fn verified(fact: &RemedyEnded) -> String {
    let more = changed(fact).map_or_else(String::new, |more| format!("; {more}"));
    format!("recovered, verified{more}")
}

/// The outcome of a remedy whose incident was resolved before, by holding: now it is proven.
fn proven_later(
    state: &mut State,
    at: At,
    (slot, service): (u32, u32),
    (event, fact): (&Event, &RemedyEnded),
) {
    let Some(host) = state.hosts.get(slot) else { return };
    let waiting = |id: &&IncidentId| {
        state.incidents.get(**id).is_some_and(|incident| {
            matches!(incident.phase, Phase::Resolved { by: Ending::Recovery, .. })
                && incident.services.contains(&(slot, service))
                && incident.outcome.starts_with("recovered, held")
        })
    };
    let Some(id) = host.recent.iter().rev().find(waiting).copied() else { return };
    note(state, at, Some(id), Entry::seen(slot, event, Arrival::Live));
    if let Some(incident) = state.incidents.get_mut(id) {
        let outcome = verified(fact);
        incident.outcome.clone_from(&outcome);
        state.incidents.touch(id, "incident-resolved", outcome);
    }
}

fn not_held(state: &mut State, at: At, slot: u32, (event, fact): (&Event, &RemedyEnded), why: String) {
    let Some(service) = with_service(state, slot, &fact.service, |_| {}) else { return };
    alarmed(state, slot, Some(service));
    let id = related(state, slot, Some(service), None);
    let Some(host) = state.hosts.get(slot) else { return };
    let fires = host.signals.keys().any(|what| !what.is_blind() && host.service_of(*what) == Some(service));
    let fired = if fires {
        Fired { incident: id, news: News::Open }
    } else {
        let title = format!("{} on {}: {why}", fact.service, host.id);
        let said = Said { title, cause: event.to_string(), at: event.stamp.wall };
        remember_death(state, slot, service, &said);
        fire(state, at, Key { host: slot, what: What::Died(service) }, |_| said)
    };
    note_fired(state, at, fired, Entry::seen(slot, event, Arrival::Live));
}

/// Why remedies rest, with how it failed last.
pub(crate) fn why(because: Because, last: &Trigger) -> String {
    format!("{because} (last: {last})")
}

pub(super) fn breaker(
    state: &mut State,
    at: At,
    slot: u32,
    seq: Seq,
    (event, fact): (&Event, &BreakerMoved),
) {
    let Some(service) = with_service(state, slot, &fact.service, |_| {}) else { return };
    told(state, slot, service, seq, event);
    let entry = Entry::seen(slot, event, Arrival::Live);
    match &fact.to {
        Breaker::Open { because, last, .. } => {
            let fired = not_healed(state, at, (slot, service), why(*because, last), event.to_string());
            note_fired(state, at, fired, entry);
        }
        Breaker::HalfOpen | Breaker::Starved { .. } => {
            let id = related(state, slot, Some(service), None);
            note(state, at, id, entry);
        }
        Breaker::Closed => {
            let id = related(state, slot, Some(service), None);
            note(state, at, id, entry);
            healed(state, at, slot, service);
        }
        Breaker::Waits { root } => {
            let id = related(state, slot, Some(service), None);
            note(state, at, id, entry);
            waits(state, slot, service, root);
            if let Some(id) = id {
                state.incidents.shake(id);
            }
        }
    }
}

/// A service waits for another: that is the nearer one to the cause wherever both fail.
pub(crate) fn waits(state: &mut State, slot: u32, service: u32, root: &Name) {
    let Some(host) = state.hosts.get_mut(slot) else { return };
    let root = host.service(root).filter(|root| *root != service);
    if let Some(known) = host.services.get_mut(service) {
        known.needs = root;
    }
}

/// Remedies rest while the service is down: somebody has to come.
pub(crate) fn not_healed(
    state: &mut State,
    at: At,
    (slot, service): (u32, u32),
    because: String,
    cause: String,
) -> Fired {
    let known = state.hosts.get_mut(slot).and_then(|host| host.services.get_mut(service));
    if let Some(known) = known {
        (known.healing, known.not_healed) = (Healing::No, because);
    }
    let said = |host: &Host| Said { cause, ..not_healed_said(host, service, at.now.wall) };
    fire(state, at, Key { host: slot, what: What::NotHealed(service) }, said)
}

/// A service whose remedies rest, in words.
pub(crate) fn not_healed_said(host: &Host, service: u32, at: Wall) -> Said {
    let Some(known) = host.services.get(service) else {
        return Said { title: host.id.to_string(), cause: String::new(), at };
    };
    Said {
        title: format!("{} on {}: not healed", known.name, host.id),
        cause: format!("{} is not healed, because {}", known.name, known.not_healed),
        at,
    }
}

/// Remedies are allowed again.
pub(crate) fn healed(state: &mut State, at: At, slot: u32, service: u32) {
    let known = state.hosts.get_mut(slot).and_then(|host| host.services.get_mut(service));
    if let Some(known) = known {
        known.not_healed.clear();
    }
    clear(state, at, Key { host: slot, what: What::NotHealed(service) });
}

/// A check passes. Where it was the last of its service, what an earlier run said of remedies is over: the word that
/// ended it was lost with that run, and the present one has nothing to say of it.
pub(super) fn outlived(state: &mut State, at: At, slot: u32, service: Option<u32>) {
    let Some(host) = state.hosts.get_mut(slot) else { return };
    let (present, Some(service)) = (host.run, service) else { return };
    let passes = host
        .checks
        .iter()
        .filter(|(_, check)| check.service == Some(service))
        .all(|(_, check)| check.watched == Watched::No || check.verdict == Verdict::Up);
    let Some(known) = host.services.get_mut(service) else { return };
    if !passes || known.healing_told.is_none_or(|(run, _)| Some(run) == present) {
        return;
    }
    known.healing = Healing::No;
    over(state, at, slot, service);
    healed(state, at, slot, service);
}

/// The agent says that a check stands as down whose service's remedies rested during a link cut: somebody has to come.
pub(crate) fn still_not_healed(state: &mut State, at: At, slot: u32, service: u32) {
    let Some(host) = state.hosts.get(slot) else { return };
    let Some(known) = host.services.get(service) else { return };
    if known.not_healed.is_empty() || host.signals.contains_key(&What::NotHealed(service)) {
        return;
    }
    let because = known.not_healed.clone();
    let cause = format!("{} is not healed, because {because}", known.name);
    let mut entry = Entry::said(at.now.wall, "breaker-open", cause.clone());
    entry.host = Some(slot);
    let fired = not_healed(state, at, (slot, service), because, cause);
    note_fired(state, at, fired, entry);
}
