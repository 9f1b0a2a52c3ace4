//! What the backlog says of remedies and breakers: it holds unless a later word was heard before, and pages only for
//! what still stands.

use crate::host::Healing;
use crate::incident::IncidentId;
use crate::incident::late::Subject;
use crate::incident::timeline::Arrival;
use crate::live::healing::{healed, not_healed, waits, why};
use crate::live::intent::{learn_intent, left_alone};
use crate::live::learn_pid;
use crate::live::shadow::{remarked, taken_over};
use crate::state::firing::News;
use crate::state::{At, State};
use alloc::string::ToString;
use picket_proto::event::{Breaker, Intent, Outcome};
use picket_proto::{Event, Fact, Seq};

/// What is counted of a service whatever the lane. What it says of its healing holds unless a later frame was heard
/// before; it pages only if the service stands as failing.
pub(super) fn account(
    state: &mut State,
    at: At,
    (slot, service): (u32, u32),
    seq: Seq,
    event: &Event,
) -> News {
    let Some(host) = state.hosts.get_mut(slot) else { return News::Open };
    let (present, told) = (host.run, (event.stamp.run, seq));
    let is_newest = host.is_newest_on_healing(service, event.stamp.run, seq);
    let is_of_this_run = host.run == Some(event.stamp.run);
    let Some(known) = host.services.get_mut(service) else { return News::Open };
    let mut newest = || {
        known.healing_told = if is_newest { Some(told) } else { known.healing_told };
        is_newest
    };
    match &event.fact {
        Fact::Started(fact) => learn_pid(known, present, told, fact.pid),
        Fact::Exited(_) => learn_pid(known, present, told, 0),
        Fact::Remedy(_) => {
            let is_underway = newest() && is_of_this_run;
            begun(known, is_underway);
        }
        Fact::Outcome(fact) if matches!(fact.outcome, Outcome::Held { .. }) && newest() => {
            healed_late(state, at, slot, service);
        }
        Fact::Breaker(fact) if newest() => return breaker(state, at, (slot, service), &fact.to, event),
        Fact::Outcome(_) | Fact::Breaker(_) => {}
        Fact::Shadow(fact) if newest() => drop(remarked(state, (slot, service), (event, fact))),
        Fact::Intent(fact) => {
            let is_newest = learn_intent(known, event, seq, fact.to, Arrival::Late);
            // What stands was told after this: where a check is up or down, it is wanted again by now.
            if is_newest && fact.to != Intent::Run && host.is_unprobed(service) {
                left_alone(state, at, slot, service);
            }
        }
        Fact::Began(_)
        | Fact::Gap(_)
        | Fact::Verdict(_)
        | Fact::Evidence(_)
        | Fact::Blind(_)
        | Fact::Hold(_)
        | Fact::Vanished(_)
        | Fact::Returned(_)
        | Fact::Shadow(_)
        | Fact::Ordered(_) => {}
    }
    News::Open
}

/// Of a remedy that an earlier run began, the outcome may be lost: what stands was told by this run since.
fn begun(known: &mut crate::host::Service, is_underway: bool) {
    if is_underway {
        known.healing = Healing::Underway;
    }
    known.remedies = known.remedies.saturating_add(1);
}

fn breaker(state: &mut State, at: At, (slot, service): (u32, u32), to: &Breaker, event: &Event) -> News {
    let Some(host) = state.hosts.get_mut(slot) else { return News::Open };
    let stands = host.stands(service);
    match to {
        Breaker::Open { because, last, .. } if stands => {
            not_healed(state, at, (slot, service), why(*because, last), event.to_string()).news
        }
        Breaker::Open { because, last, .. } => {
            if let Some(known) = host.services.get_mut(service) {
                (known.healing, known.not_healed) = (Healing::No, why(*because, last));
            }
            News::Open
        }
        Breaker::HalfOpen | Breaker::Starved { .. } => News::Open,
        Breaker::Closed => {
            healed(state, at, slot, service);
            News::Open
        }
        Breaker::Waits { root } => {
            waits(state, slot, service, root);
            News::Open
        }
    }
}

/// A remedy held while nobody heard it.
fn healed_late(state: &mut State, at: At, slot: u32, service: u32) {
    if let Some(known) = state.hosts.get_mut(slot).and_then(|host| host.services.get_mut(service)) {
        known.healing = Healing::No;
    }
    healed(state, at, slot, service);
}

/// A live failure takes over what the backlog told of it.
pub(super) fn take_over(state: &mut State, slot: u32, subject: Subject, id: Option<IncidentId>) {
    let Some(host) = state.hosts.get_mut(slot) else { return };
    let Some(known) = host.late.iter().position(|late| late.subject == subject) else { return };
    let Some(incident) = id.and_then(|id| state.incidents.get_mut(id)) else { return };
    let late = host.late.remove(known);
    let service = match subject {
        Subject::Service(service) => host.services.get(service).map(|service| &service.name),
        Subject::Check(_) => None,
    };
    for entry in late.timeline.iter() {
        if let Some(service) = service {
            taken_over(incident, service, entry);
        }
        incident.timeline.push(entry.clone());
    }
}
