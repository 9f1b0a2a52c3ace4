//! Services that an operator stopped, and that stay so for too long: told as an incident, undone never.

use super::firing::{Said, clear, fire};
use super::{At, State};
use crate::host::Host;
use crate::signal::{Key, What};
use alloc::format;
use alloc::string::String;
use picket_proto::event::Intent;
use picket_proto::{Span, Wall};

/// How long a stop may last before somebody is told: as long as that of an agent.
const OVERSTAY: Span = Span::from_secs(15 * 60);

/// What should be of a service changed.
pub(crate) fn changed(state: &mut State, at: At, (slot, service): (u32, u32), to: Intent) {
    let since = match to {
        Intent::Stopped => Some(at.now.mono),
        Intent::Run | Intent::Masked | Intent::Unknown => None,
    };
    let known = state.hosts.get_mut(slot).and_then(|host| host.services.get_mut(service));
    let Some(known) = known else { return };
    known.stopped = since;
    match since {
        Some(since) => drop(state.stops.insert((since.plus(OVERSTAY), slot, service))),
        None => drop(clear(state, at, Key { host: slot, what: What::StopOverstay(service) })),
    }
}

/// Tells of the stops that overstay by now. One that ended, or began anew since, has another time.
pub(super) fn overstay_now(state: &mut State, at: At) {
    while let Some((due, slot, service)) =
        state.stops.first().copied().filter(|(due, ..)| *due <= at.now.mono)
    {
        state.stops.pop_first();
        let known = state.hosts.get(slot).and_then(|host| host.services.get(service));
        if known.and_then(|known| known.stopped).is_some_and(|since| since.plus(OVERSTAY) == due) {
            let key = Key { host: slot, what: What::StopOverstay(service) };
            fire(state, at, key, |host| said(host, service, at.now.wall));
        }
    }
}

/// A stop that lasts too long, in words.
pub(super) fn said(host: &Host, service: u32, at: Wall) -> Said {
    let Some(known) = host.services.get(service) else {
        return Said { title: format!("{}: a service is still stopped", host.id), cause: String::new(), at };
    };
    Said {
        title: format!("{} on {}: still stopped", known.name, host.id),
        cause: format!("{} was stopped by an operator and is still stopped after 15 min", known.name),
        at,
    }
}
