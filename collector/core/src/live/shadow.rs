//! What is not done: a service that is only observed, and remedies that a person has rest.

use super::healing::told;
use super::{note, note_all, related, with_service};
use crate::incident::IncidentId;
use crate::incident::life::Incident;
use crate::incident::timeline::{Arrival, Entry};
use crate::state::{At, State};
use alloc::string::ToString;
use picket_proto::event::{HoldChanged, Shadow, ShadowStep};
use picket_proto::{Event, Name, Seq};

/// Nothing is done about it, which whoever looks at the incident has to see first.
pub(super) fn shadow(state: &mut State, at: At, slot: u32, seq: Seq, (event, fact): (&Event, &Shadow)) {
    let Some(service) = with_service(state, slot, &fact.service, |_| {}) else { return };
    told(state, slot, service, seq, event);
    let id = remarked(state, (slot, service), (event, fact));
    note(state, at, id, Entry::seen(slot, event, Arrival::Live));
}

/// It stands in the incident of the service, where that has one that is not over.
pub(crate) fn remarked(
    state: &mut State,
    (slot, service): (u32, u32),
    (event, fact): (&Event, &Shadow),
) -> Option<IncidentId> {
    let id = related(state, slot, Some(service), None);
    if let Some(incident) = id.and_then(|id| state.incidents.get_mut(id)).filter(|it| it.is_active()) {
        match fact.step {
            ShadowStep::Would { .. } | ShadowStep::WouldRest { .. } | ShadowStep::Rests { .. } => {
                incident.remark(&fact.service, &event.to_string());
            }
            ShadowStep::Back { .. } => incident.forget(&fact.service, "is only observed"),
        }
    }
    id
}

/// What the backlog told of a service's failure becomes part of an incident.
pub(crate) fn taken_over(incident: &mut Incident, service: &Name, entry: &Entry) {
    match entry.code {
        "shadow-remedy" | "shadow-rest" | "remedy-rests" => incident.remark(service, &entry.text),
        "shadow-back" => incident.forget(service, "is only observed"),
        _ => {}
    }
}

/// One of a service stands in its incident, one of all in all.
pub(super) fn hold(state: &mut State, at: At, slot: u32, (event, fact): (&Event, &HoldChanged)) {
    let Some(name) = &fact.service else { return note_all(state, at, slot, event) };
    let Some(service) = with_service(state, slot, name, |_| {}) else { return };
    let id = related(state, slot, Some(service), None);
    note(state, at, id, Entry::seen(slot, event, Arrival::Live));
}
