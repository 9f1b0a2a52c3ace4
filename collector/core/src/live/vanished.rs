//! What vanished of a host makes an incident that says what changed just before; what came back ends it.
//!
//! An agent tells again in every session what is still gone, so that the live lane alone pages. A loss is known by its
//! number; a host keeps [`LOSSES_MAX`] of them, the newest.

use super::{note, note_fired};
use crate::host::{Host, LostThings};
use crate::incident::life::Ending;
use crate::incident::timeline::{Arrival, Entry};
use crate::signal::{Key, What};
use crate::state::ending::resolve;
use crate::state::firing::{Said, clear, fire};
use crate::state::{At, State};
use alloc::format;
use alloc::string::{String, ToString};
use picket_proto::event::{Ended, Returned, Vanished};
use picket_proto::{Event, Wall};

/// Most losses of a host: an agent keeps 6 open, and forgets what is beyond.
const LOSSES_MAX: usize = 64;

/// Something vanished, or is still gone.
pub(super) fn vanished(state: &mut State, at: At, slot: u32, (event, fact): (&Event, &Vanished)) {
    let Some(host) = state.hosts.get_mut(slot) else { return };
    let service = fact.service.as_ref().and_then(|name| host.service(name));
    let what = What::Vanished(fact.number);
    let is_new = !host.signals.contains_key(&what);
    let (first, more) = fact.head();
    let others = if more > 0 { format!(" (+{more})") } else { String::new() };
    let title = format!("{first} on {}: vanished{others}", host.id);
    let loss = LostThings { service, title, cause: event.to_string() };
    host.lost_things.insert(fact.number, loss);
    if host.lost_things.len() > LOSSES_MAX
        && let Some(oldest) = host.lost_things.keys().next().copied()
        && oldest != fact.number
    {
        host.lost_things.remove(&oldest);
    }
    let wall = event.stamp.wall;
    let fired = fire(state, at, Key { host: slot, what }, |host| said(host, fact.number, wall));
    if is_new {
        note_fired(state, at, fired, Entry::seen(slot, event, Arrival::Live));
    }
}

/// It is back, or a person took the host as it is.
pub(super) fn returned(state: &mut State, at: At, slot: u32, (event, fact): (&Event, &Returned)) {
    let what = What::Vanished(fact.number);
    let signal = state.hosts.get(slot).and_then(|host| host.signals.get(&what)).copied();
    let id = signal.and_then(|signal| signal.incident);
    note(state, at, id, Entry::seen(slot, event, Arrival::Live));
    clear(state, at, Key { host: slot, what });
    if let Some(host) = state.hosts.get_mut(slot) {
        host.lost_things.remove(&fact.number);
    }
    let is_over = |id: &_| state.incidents.get(*id).is_some_and(|it| it.is_active() && it.firing.is_empty());
    match (fact.ended, id.filter(is_over)) {
        // There is nothing that could prove itself.
        (Ended::Accepted, Some(id)) => {
            resolve(state, at, id, Ending::Decision, format!("accepted by {}", fact.by));
        }
        (Ended::Accepted | Ended::Back, _) => {}
    }
}

/// A loss in words.
pub(crate) fn said(host: &Host, number: u32, at: Wall) -> Said {
    match host.lost_things.get(&number) {
        Some(loss) => Said { title: loss.title.clone(), cause: loss.cause.clone(), at },
        None => Said { title: format!("{}: something vanished", host.id), cause: String::new(), at },
    }
}
