//! When the death of a service that was started again is over: not before it lived for a second without failing.
//!
//! A service that dies milliseconds after each start would else move its incident to verifying and back with every
//! try. A remedy that held ends the death sooner, see [`super::healing`].

use crate::host::{Check, Watched};
use crate::signal::{Key, What};
use crate::state::firing::clear;
use crate::state::{At, State};
use picket_proto::Span;
use picket_proto::event::{CheckKind, Verdict};

/// How long a service that was started again must live before its death is over, where no remedy's outcome says so
/// sooner: longer than a program takes to find that it can't run.
const CALM: Span = Span::from_secs(1);

/// A service that died runs again: if it does not fail within [`CALM`], its death is over.
pub(crate) fn calm(state: &mut State, at: At, slot: u32, service: Option<u32>) {
    alarmed(state, slot, service);
    let (Some(service), Some(host)) = (service, state.hosts.get_mut(slot)) else { return };
    let fails = |check: &Check| {
        let is_its_process = check.service == Some(service) && check.kind == CheckKind::Process;
        is_its_process && check.watched == Watched::Yes && check.verdict == Verdict::Down
    };
    let died = host.signals.contains_key(&What::Died(service));
    if !died || host.checks.iter().any(|(_, check)| fails(check)) {
        return;
    }
    if let Some(known) = host.services.get_mut(service) {
        let due = at.now.mono.plus(CALM);
        known.calm_at = Some(due);
        state.calms.insert((due, slot, service));
    }
}

/// A service fails: what was thought over is not.
pub(crate) fn alarmed(state: &mut State, slot: u32, service: Option<u32>) {
    let Some(service) = service else { return };
    let known = state.hosts.get_mut(slot).and_then(|host| host.services.get_mut(service));
    if let Some(due) = known.and_then(|known| known.calm_at.take()) {
        state.calms.remove(&(due, slot, service));
    }
}

/// Ends the deaths whose services lived on.
pub(crate) fn calm_now(state: &mut State, at: At) {
    while let Some((_, slot, service)) = state.calms.first().copied().filter(|(due, ..)| *due <= at.now.mono)
    {
        alarmed(state, slot, Some(service));
        clear(state, at, Key { host: slot, what: What::Died(service) });
    }
}
