//! What late facts do: they explain and correct, and never page.
//!
//! A fact of the backlog joins the timeline of an incident of its service that is open, or that overlapped it; the
//! death behind a standing failure becomes its cause. A failure that began and ended in the backlog becomes an
//! incident that is born resolved. Verdicts are not touched: what stands was told live and is newer.

mod healing;

use crate::host::{Healing, Host};
use crate::incident::IncidentId;
use crate::incident::late::{Ends, LATE_MAX, Late, Subject};
use crate::incident::life::{Phase, Root};
use crate::incident::timeline::{Arrival, Entry, Timeline};
use crate::live::{healing::verified, learn_evidence, note_fired, related};
use crate::signal::{Depth, Key, What};
use crate::state::firing::{Fired, News, born_resolved};
use crate::state::{At, State};
use alloc::format;
use alloc::string::{String, ToString};
use picket_proto::event::{Outcome, RemedyEnded, Verdict};
use picket_proto::{Event, Fact, Seq};

/// An event of the backlog.
pub(crate) fn event(state: &mut State, at: At, slot: u32, seq: Seq, event: &Event) {
    let Some(about) = about(state, slot, &event.fact) else { return };
    let news = match about.0 {
        Subject::Service(service) => healing::account(state, at, (slot, service), seq, event),
        Subject::Check(_) => News::Open,
    };
    let subject = about.0;
    let id = open_or_overlapping(state, slot, about, event);
    if id.is_some() {
        note_fired(state, at, Fired { incident: id, news }, Entry::seen(slot, event, Arrival::Late));
        explain(state, id, slot, about, event);
        return;
    }
    match meaning(&event.fact) {
        Meaning::Fails(ends) => failed(state, at, slot, about, (event, ends)),
        Meaning::Passes => ended(state, at, slot, subject, Some(event)),
        Meaning::Proven => proven(state, at, slot, subject, event),
        Meaning::Context => context(state, slot, subject, event),
    }
}

/// Whom a fact is about, and the check where it is one's.
fn about(state: &mut State, slot: u32, fact: &Fact) -> Option<(Subject, Option<u32>)> {
    if matches!(fact, Fact::Ordered(_)) {
        // For whoever asked: it says nothing of how anything is.
        return None;
    }
    let host = state.hosts.get_mut(slot)?;
    let service = fact.service().and_then(|name| host.service(name));
    let check = if let Fact::Verdict(fact) = fact {
        host.check(&fact.check, fact.kind, fact.service.as_ref())
    } else {
        None
    };
    service.map(Subject::Service).or_else(|| check.map(Subject::Check)).map(|subject| (subject, check))
}

enum Meaning {
    Fails(Ends),
    Passes,
    Proven,
    Context,
}

const fn meaning(fact: &Fact) -> Meaning {
    match fact {
        Fact::Verdict(fact) => match fact.to {
            Verdict::Down => Meaning::Fails(Ends::ByVerdict),
            Verdict::Up => Meaning::Passes,
            Verdict::Unknown | Verdict::Degraded | Verdict::Flapping => Meaning::Context,
        },
        Fact::Exited(fact) if !fact.asked => Meaning::Fails(Ends::ByOutcome),
        Fact::Outcome(fact) if matches!(fact.outcome, Outcome::Held { .. }) => Meaning::Proven,
        Fact::Began(_)
        | Fact::Gap(_)
        | Fact::Started(_)
        | Fact::Exited(_)
        | Fact::Remedy(_)
        | Fact::Outcome(_)
        | Fact::Breaker(_)
        | Fact::Evidence(_)
        | Fact::Intent(_)
        | Fact::Blind(_)
        | Fact::Hold(_)
        | Fact::Vanished(_)
        | Fact::Returned(_)
        | Fact::Shadow(_)
        | Fact::Ordered(_) => Meaning::Context,
    }
}

fn open_or_overlapping(
    state: &State,
    slot: u32,
    (subject, check): (Subject, Option<u32>),
    event: &Event,
) -> Option<IncidentId> {
    let service = match subject {
        Subject::Service(service) => Some(service),
        Subject::Check(_) => None,
    };
    if let Some(open) = related(state, slot, service, check) {
        return Some(open);
    }
    let host = state.hosts.get(slot)?;
    let (earliest, latest) = host.local(&event.stamp)?;
    let overlaps = |id: &&IncidentId| {
        let Some(incident) = state.incidents.get(**id) else { return false };
        let Phase::Resolved { at, .. } = incident.phase else { return false };
        let same = service.is_some_and(|service| incident.services.contains(&(slot, service)));
        same && incident.began <= latest && earliest <= at
    };
    host.recent.iter().rev().find(overlaps).copied()
}

/// A late fact corrects the cause of what stands.
fn explain(
    state: &mut State,
    id: Option<IncidentId>,
    slot: u32,
    (subject, _): (Subject, Option<u32>),
    event: &Event,
) {
    let Subject::Service(service) = subject else { return };
    match &event.fact {
        Fact::Exited(fact) if !fact.asked => {
            let Some(host) = state.hosts.get(slot) else { return };
            let said = crate::live::died_said(host, event, fact);
            let Some(incident) = id.and_then(|id| state.incidents.get_mut(id)) else { return };
            let root = &incident.root;
            let same = root.key.host == slot && host.service_of(root.key.what) == Some(service);
            if same && root.depth < Depth::Exit {
                let key = Key { host: slot, what: What::Died(service) };
                incident.root =
                    Root { key, depth: Depth::Exit, text: said.cause, rule: "process-before-checks" };
                incident.title = said.title;
            }
        }
        Fact::Evidence(fact) => learn_evidence(state, id, slot, service, fact),
        Fact::Began(_)
        | Fact::Gap(_)
        | Fact::Verdict(_)
        | Fact::Started(_)
        | Fact::Exited(_)
        | Fact::Remedy(_)
        | Fact::Breaker(_)
        | Fact::Outcome(_)
        | Fact::Intent(_)
        | Fact::Blind(_)
        | Fact::Hold(_)
        | Fact::Vanished(_)
        | Fact::Returned(_)
        | Fact::Shadow(_)
        | Fact::Ordered(_) => {}
    }
}

fn failed(
    state: &mut State,
    at: At,
    slot: u32,
    (subject, check): (Subject, Option<u32>),
    (event, ends): (&Event, Ends),
) {
    let Some(host) = state.hosts.get_mut(slot) else { return };
    let entry = Entry::seen(slot, event, Arrival::Late);
    let root = match (subject, check) {
        (Subject::Service(service), None) => What::Died(service),
        (Subject::Service(_) | Subject::Check(_), Some(check)) | (Subject::Check(check), None) => {
            What::Down(check)
        }
    };
    let title = title(host, event);
    if let Some(known) = host.late.iter_mut().find(|late| late.subject == subject) {
        if known.ends == Ends::ByVerdict && ends == Ends::ByOutcome {
            (known.title, known.cause, known.root) = (title, event.to_string(), root);
            known.ends = ends;
        }
        known.push(entry);
        return;
    }
    let mut timeline = Timeline::default();
    timeline.push(entry);
    let cause = event.to_string();
    host.late.push(Late { subject, ends, opened: event.stamp.wall, title, cause, root, timeline });
    if host.late.len() > LATE_MAX {
        let oldest = host.late.remove(0);
        born_resolved(state, at, slot, oldest, "how it ended is not known");
    }
}

/// A failure in a line.
fn title(host: &Host, event: &Event) -> String {
    match &event.fact {
        Fact::Exited(fact) => format!("{} on {}: {}", fact.service, host.id, fact.exit),
        Fact::Verdict(fact) => {
            format!("{} on {}: {event}", fact.service.as_ref().unwrap_or(&fact.check), host.id)
        }
        Fact::Began(_)
        | Fact::Gap(_)
        | Fact::Started(_)
        | Fact::Remedy(_)
        | Fact::Outcome(_)
        | Fact::Breaker(_)
        | Fact::Evidence(_)
        | Fact::Intent(_)
        | Fact::Blind(_)
        | Fact::Hold(_)
        | Fact::Vanished(_)
        | Fact::Returned(_)
        | Fact::Shadow(_)
        | Fact::Ordered(_) => event.to_string(),
    }
}

/// The check passes again: the end of what no remedy is expected for.
fn ended(state: &mut State, at: At, slot: u32, subject: Subject, event: Option<&Event>) {
    let Some(host) = state.hosts.get_mut(slot) else { return };
    let Some(known) = host.late.iter().position(|late| late.subject == subject) else { return };
    if let Some(event) = event {
        host.late[known].push(Entry::seen(slot, event, Arrival::Late));
    }
    if host.late[known].ends == Ends::ByVerdict && healing(host, subject) == Healing::No {
        let late = host.late.remove(known);
        born_resolved(state, at, slot, late, "recovered");
    }
}

fn healing(host: &Host, subject: Subject) -> Healing {
    match subject {
        Subject::Service(service) => {
            host.services.get(service).map_or(Healing::No, |service| service.healing)
        }
        Subject::Check(_) => Healing::No,
    }
}

fn proven(state: &mut State, at: At, slot: u32, subject: Subject, event: &Event) {
    context(state, slot, subject, event);
    if let Fact::Outcome(fact) = &event.fact {
        take(state, at, slot, subject, &verified(fact));
    }
}

fn context(state: &mut State, slot: u32, subject: Subject, event: &Event) {
    let Some(host) = state.hosts.get_mut(slot) else { return };
    if let Some(known) = host.late.iter_mut().find(|late| late.subject == subject) {
        known.push(Entry::seen(slot, event, Arrival::Late));
    }
}

/// Tells of a late failure that is over.
fn take(state: &mut State, at: At, slot: u32, subject: Subject, outcome: &str) {
    let Some(host) = state.hosts.get_mut(slot) else { return };
    if let Some(known) = host.late.iter().position(|late| late.subject == subject) {
        let late = host.late.remove(known);
        born_resolved(state, at, slot, late, outcome);
    }
}

/// A remedy held, live, of a failure that only the backlog told of.
pub(crate) fn held(state: &mut State, at: At, slot: u32, service: u32, fact: &RemedyEnded) {
    take(state, at, slot, Subject::Service(service), &verified(fact));
}

/// A check passes, live, whose failure only the backlog told of.
pub(crate) fn passed(
    state: &mut State,
    at: At,
    slot: u32,
    (service, check): (Option<u32>, u32),
    outcome: &str,
) {
    match service {
        None => take(state, at, slot, Subject::Check(check), outcome),
        Some(service) => ended(state, at, slot, Subject::Service(service), None),
    }
}

/// What stands says that these are up: late failures of them are over, though nobody saw how.
pub(crate) fn unseen_ends(state: &mut State, at: At, slot: u32, is_up: impl Fn(&Host, Subject) -> bool) {
    while let Some(host) = state.hosts.get(slot) {
        let Some(over) = host.late.iter().find(|late| is_up(host, late.subject)) else { return };
        take(state, at, slot, over.subject, "recovered; its end was not seen");
    }
}

/// A live failure of a check takes over what the backlog told of it.
pub(crate) fn joined(state: &mut State, slot: u32, service: Option<u32>, check: u32, id: Option<IncidentId>) {
    let subject = service.map_or(Subject::Check(check), Subject::Service);
    healing::take_over(state, slot, subject, id);
}

/// A live failure of a service takes over what the backlog told of it.
pub(crate) fn service_joined(state: &mut State, slot: u32, service: u32, id: Option<IncidentId>) {
    healing::take_over(state, slot, Subject::Service(service), id);
}
