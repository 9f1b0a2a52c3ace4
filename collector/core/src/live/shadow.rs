//! What is not done: a service that is only observed, and remedies that a person has rest.

use super::{note, note_all, related, with_service};
use crate::incident::timeline::{Arrival, Entry};
use crate::state::{At, State};
use alloc::string::ToString;
use picket_proto::event::{Shadow, ShadowStep};
use picket_proto::{Event, Name};

/// Nothing is done about it, which whoever looks at the incident has to see first.
pub(super) fn shadow(state: &mut State, at: At, slot: u32, (event, fact): (&Event, &Shadow)) {
    let service = with_service(state, slot, &fact.service, |_| {});
    let incident = service.and_then(|service| related(state, slot, Some(service), None));
    if let Some(incident) = incident.and_then(|id| state.incidents.get_mut(id)).filter(|it| it.is_active()) {
        match fact.step {
            ShadowStep::Would { .. } | ShadowStep::WouldRest { .. } | ShadowStep::Rests { .. } => {
                incident.remark(&fact.service, &event.to_string());
            }
            ShadowStep::Back { .. } => incident.forget(&fact.service, "is only observed"),
        }
    }
    about_one_or_all(state, at, slot, (event, Some(&fact.service)));
}

/// What changes nothing of a service stands in its incident; what is about all, in all.
pub(super) fn about_one_or_all(
    state: &mut State,
    at: At,
    slot: u32,
    (event, service): (&Event, Option<&Name>),
) {
    let Some(name) = service else { return note_all(state, at, slot, event) };
    let Some(service) = with_service(state, slot, name, |_| {}) else { return };
    let id = related(state, slot, Some(service), None);
    note(state, at, id, Entry::seen(slot, event, Arrival::Live));
}
