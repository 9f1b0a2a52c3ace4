//! What should be of a service: run, or be left alone because somebody stopped it.
//!
//! What somebody stopped on purpose does not fail: whatever of it fires ends with the intent, and an incident of
//! which nothing else is left is over by decision, not by recovery.

use super::{note, related, with_service};
use crate::host::{Healing, Service};
use crate::incident::timeline::{Arrival, Entry};
use crate::signal::{Key, What};
use crate::state::firing::clear;
use crate::state::stops;
use crate::state::{At, State};
use alloc::vec::Vec;
use picket_proto::event::{Intent, IntentChanged, Verdict};
use picket_proto::{Event, Seq};

/// A live change of intent.
pub(super) fn changed(
    state: &mut State,
    at: At,
    slot: u32,
    seq: Seq,
    (event, fact): (&Event, &IntentChanged),
) {
    let learn = |service: &mut Service| {
        let _live_is_newest = learn_intent(service, event, seq, fact.to, Arrival::Live);
    };
    let Some(service) = with_service(state, slot, &fact.service, learn) else { return };
    stops::changed(state, at, (slot, service), fact.to);
    let id = related(state, slot, Some(service), None);
    note(state, at, id, Entry::seen(slot, event, Arrival::Live));
    match fact.to {
        Intent::Run => {}
        Intent::Stopped | Intent::Masked | Intent::Unknown => left_alone(state, at, slot, service),
    }
}

/// Takes an intent over, unless a newer frame told another; whether it did.
pub(crate) fn learn_intent(
    service: &mut Service,
    event: &Event,
    seq: Seq,
    to: Intent,
    arrival: Arrival,
) -> bool {
    let newer = match service.intent_told {
        Some((run, last)) => run == event.stamp.run && last < seq,
        None => true,
    };
    if arrival == Arrival::Live || newer {
        service.intent = to;
        service.intent_told = Some((event.stamp.run, seq));
    }
    arrival == Arrival::Live || newer
}

/// Nothing of a service that is left alone fires.
pub(crate) fn left_alone(state: &mut State, at: At, slot: u32, service: u32) {
    super::calm::alarmed(state, slot, Some(service));
    let Some(host) = state.hosts.get_mut(slot) else { return };
    if let Some(known) = host.services.get_mut(service) {
        known.healing = Healing::No;
        known.not_healed.clear();
    }
    // Its agent probes them no more, and says so by the intent alone.
    for (_, check) in host.checks.iter_mut().filter(|(_, check)| check.service == Some(service)) {
        (check.verdict, check.cause) = (Verdict::Unknown, None);
    }
    let Some(host) = state.hosts.get(slot) else { return };
    let firing = host.signals.keys().copied();
    // What is gone is so whatever is wanted of it.
    let stays = |what: &What| matches!(what, What::Vanished(_) | What::StopOverstay(_));
    let own = firing.filter(|what| host.service_of(*what) == Some(service) && !stays(what));
    let own: Vec<What> = own.collect();
    for what in own {
        clear(state, at, Key { host: slot, what });
    }
}
