//! When the death of a service that was started again is over: not before it lived for a second without failing.
//!
//! A service that dies milliseconds after each start would else move its incident to verifying and back with every
//! try. A remedy that held ends the death sooner, see [`super::healing`].

use crate::host::{Check, Healing, Host, Watched};
use crate::signal::{Key, What};
use crate::state::firing::clear;
use crate::state::{At, State};
use alloc::vec::Vec;
use picket_proto::event::{CheckKind, Verdict};
use picket_proto::{Mono, Span};

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
    let failed = host.signals.keys().any(|what| is_of_process(host, service, *what));
    if !failed || host.checks.iter().any(|(_, check)| fails(check)) {
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
    while let Some((due, slot, service)) =
        state.calms.first().copied().filter(|(due, ..)| *due <= at.now.mono)
    {
        state.calms.pop_first();
        if waits_until(state, slot, service) == Some(due) {
            over(state, at, slot, service);
        }
    }
}

/// When a service's death is over, if it lives on.
fn waits_until(state: &State, slot: u32, service: u32) -> Option<Mono> {
    state.hosts.get(slot)?.services.get(service)?.calm_at
}

/// Ends a service's death, and what its process check said of it.
pub(super) fn over(state: &mut State, at: At, slot: u32, service: u32) {
    alarmed(state, slot, Some(service));
    let Some(host) = state.hosts.get(slot) else { return };
    let is_up = |what: &What| {
        let check = what.check().and_then(|check| host.checks.get(check));
        check.is_none_or(|check| check.verdict == Verdict::Up)
    };
    let of_process = |what: &What| is_of_process(host, service, *what);
    let ended: Vec<What> = host.signals.keys().copied().filter(of_process).filter(is_up).collect();
    for what in ended {
        clear(state, at, Key { host: slot, what });
    }
}

/// Whether a condition is a service's death, as its end told it or as its process check saw it.
fn is_of_process(host: &Host, service: u32, what: What) -> bool {
    let kind = what.check().and_then(|check| host.checks.get(check)).map(|check| check.kind);
    host.service_of(what) == Some(service)
        && (what == What::Died(service) || kind == Some(CheckKind::Process))
}

/// Whether a remedy is at work on a service: a process that comes up then has still to prove that it lives.
pub(super) fn is_underway(state: &State, slot: u32, service: Option<u32>) -> bool {
    let service = service.and_then(|service| state.hosts.get(slot)?.services.get(service));
    service.is_some_and(|service| service.healing == Healing::Underway)
}
