//! What of the services outlives this run of the agent: where each one stands, its streak, budget, breaker and hold.
//!
//! An agent that is started again in the middle of a crash loop must not begin with a fresh budget and a closed
//! breaker, and a remedy that was open must come to its outcome. What is kept goes by the service's name, since the
//! configuration may have changed, and in spans relative to the moment of keeping, since another boot counts anew:
//! what lies in the past gets older by the time away, what is to come is nearer by it. After another boot the time
//! away is not known and counts as none. A service of which there is nothing to remember is left out; all of 256 at
//! their worst are 60 KiB. What does not fit is left out, and counted.

mod away;
mod due;
mod head;
mod shadows;

pub use away::Away;
use away::before;
pub(super) use due::Due;
use shadows::without_shadows;

use super::Services;
use super::reboot::Step;
use super::slot::{Aim, FRESH, Proof, Slot, State, Streak, Then, Wait, Why};
use crate::check::Checks;
use crate::hold::KeptHold;
use crate::policy::{KeptBudget, KeptDeaths};
use picket_proto::event::{Exit, Intent, Remedy, Trigger};
use picket_proto::{Mono, Name, Span};
use serde::{Deserialize, Serialize};

/// How long the next run has to learn how the services stand that others need.
const ROOT_KNOWN: Span = Span::from_secs(1);

/// What came of a restore.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Restored {
    /// Services that stand where they stood.
    pub services: u16,
    /// Services that the configuration has no more.
    pub unknown: u16,
    /// Whether the rest could not be read.
    pub damaged: bool,
}

/// Where a service stood.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Left {
    /// Nothing was under way.
    Settled,
    /// It was to prove itself.
    Proving(Proof),
    /// It had failed; a remedy was to come after so long.
    Waiting(Span),
    /// Its breaker was open; one try was to come after so long.
    Broken(Span),
}

/// One service in the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Record {
    name: Name,
    left: Left,
    tries: u16,
    attempt: u16,
    failed: Option<Span>,
    why: Trigger,
    deaths: KeptDeaths<Name>,
    budget: KeptBudget,
    openings: u8,
    hold: Option<KeptHold>,
    intent: Intent,
}

/// What tells that something is to be kept, without the times that only pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Mark {
    phase: u8,
    /// What should be of it, where that is not to run.
    intent: Option<Intent>,
    counts: (u16, u16, u16),
    /// When the latest remedy began.
    spent: Option<Mono>,
    urgent: Urgent,
}

/// What is kept at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Urgent {
    openings: u8,
    held: Option<Mono>,
}

impl Mark {
    pub(super) fn of(slot: &Slot) -> Self {
        let phase = match left(slot, Mono::default()) {
            Left::Settled => 0,
            Left::Proving(Proof::First) => 1,
            Left::Proving(Proof::Remedy) => 2,
            Left::Proving(Proof::Alone) => 3,
            Left::Waiting(_) => 4,
            Left::Broken(_) => 5,
        };
        Self {
            phase,
            intent: Some(slot.intent).filter(|intent| *intent != Intent::Run),
            counts: (slot.streak.tries, slot.streak.attempt, slot.deaths.same()),
            spent: slot.budget.latest(),
            urgent: Urgent {
                openings: slot.breaker.openings(),
                held: slot.held.as_ref().map(|held| held.until),
            },
        }
    }

    pub(super) fn is_urgent(&self, before: &Self) -> bool {
        self.urgent != before.urgent
    }
}

impl Services<'_> {
    /// Writes what is to be kept into `out`: how many bytes, and how many services did not fit.
    pub(crate) fn keep(
        &self,
        now: Mono,
        (checks, meter): (&Checks<'_>, Option<head::Meter>),
        out: &mut [u8],
    ) -> (usize, u16) {
        let Some(head) = self.put_head(now, meter, out) else { return (0, self.count()) };
        let (mut used, mut left_out) = (head, 0);
        for (_, slot) in self.slots.each().filter(|(_, slot)| has_something(slot, now)) {
            match postcard::to_slice(&record(slot, now, checks), &mut out[used..]) {
                Ok(written) => used += written.len(),
                Err(_) => left_out += 1,
            }
        }
        (used, left_out)
    }

    /// Whether something is to be kept now; if so, it counts as done.
    pub(crate) fn keep_is_due(&mut self, now: Mono) -> bool {
        let due = self.keep.at() <= now;
        if due {
            let stands = |slot: &Slot| slot.held.is_some() || matches!(slot.state, State::Broken { .. });
            self.keep.kept(now, self.held.is_some() || self.slots.each().any(|(_, slot)| stands(slot)));
        }
        due
    }

    /// Does not wait any longer with what has changed: the agent ends.
    pub(crate) const fn keep_in_time(&mut self) {
        self.keep.hurry();
    }

    /// Takes back what an earlier run kept; before anything else happens.
    pub(crate) fn restore(
        &mut self,
        now: Mono,
        away: Away,
        (kept, checks): (&[u8], &Checks<'_>),
    ) -> (Restored, Option<head::Meter>) {
        let Some((head, meter, records)) = head::read(kept) else {
            return (Restored { damaged: true, ..Restored::default() }, None);
        };
        self.rest_all(head.hold.map(|hold| hold.restore(now, away.span())));
        self.reboots.restore(&head.reboots, |age| before(now, age.plus(away.span())));
        (self.restore_each(now, away, (records, checks, head.reboots_for)), meter)
    }

    fn restore_each(
        &mut self,
        now: Mono,
        away: Away,
        (mut bytes, checks, reboots_for): (&[u8], &Checks<'_>, Option<Name>),
    ) -> Restored {
        let mut restored = Restored::default();
        while !bytes.is_empty() {
            let Ok((record, rest)) = postcard::take_from_bytes::<Record>(bytes) else {
                return Restored { damaged: true, ..restored };
            };
            bytes = rest;
            let named = self.slots.each().find(|(_, slot)| slot.spec.name == record.name);
            match named.map(|(at, _)| at) {
                Some(service) => {
                    let reboots = reboots_for.as_ref() == Some(&record.name);
                    self.with(service, |moving| {
                        record.put(moving.slot, now, away, checks);
                        if reboots {
                            moving.slot.rung.begins(Remedy::Reboot, 0);
                        }
                    });
                    restored.services += 1;
                }
                None => restored.unknown = restored.unknown.saturating_add(1),
            }
        }
        restored
    }
}

/// Where it stands, as far as that outlives the run.
fn left(slot: &Slot, now: Mono) -> Left {
    match slot.state {
        State::Idle => slot.left.unwrap_or(Left::Settled),
        State::Starting { aim: Aim::Verify(proof) } | State::Verifying { proof, .. } => Left::Proving(proof),
        State::Stopping { then: Then::Start, .. }
        | State::Waiting { wait: Wait::Reboot { step: Step::Told | Step::Ordered, .. }, .. } => {
            Left::Proving(Proof::Remedy)
        }
        State::Waiting { wait: Wait::Restart { at } | Wait::Evidence { until: at }, .. } => {
            Left::Waiting(at.since(now))
        }
        // The next run finds out anew whether what it needs is well, which is known by then.
        // What a rollback had begun of is undone by then.
        State::Waiting {
            wait:
                Wait::Root | Wait::Dependents { .. } | Wait::Reboot { step: Step::Asked, .. } | Wait::Files { .. },
            ..
        }
        | State::Stopping { then: Then::Root, .. } => Left::Waiting(ROOT_KNOWN),
        State::Broken { retry_at, .. } => Left::Broken(retry_at.since(now)),
        State::Stopping { then: Then::Rest, .. } => Left::Broken(slot.spec.retry_after),
        State::Waiting { wait: Wait::First, .. }
        | State::Starting { aim: Aim::End }
        | State::Stopping { then: Then::End, .. }
        | State::Running { .. }
        | State::Awaiting { .. }
        | State::Left
        | State::Ended => Left::Settled,
    }
}

fn has_something(slot: &Slot, now: Mono) -> bool {
    let spent = slot.budget.spent(now, slot.spec.budget_window) > 0;
    let calm = Mark { spent: None, ..Mark::of(slot) } == Mark::default();
    spent || !calm || slot.intent != Intent::Run
}

fn record(slot: &Slot, now: Mono, checks: &Checks<'_>) -> Record {
    let name = |check| checks.get(check).map(|slot| slot.spec().name.clone());
    let why = match slot.streak.why {
        Why::Exit(exit) => Trigger::Exit(exit),
        Why::Check(check, cause) => {
            name(check).map_or(Trigger::Exit(Exit::Unknown), |check| Trigger::Check { check, cause })
        }
        Why::Root => slot.ties.root().map_or(Trigger::Exit(Exit::Unknown), Trigger::Root),
    };
    let whole = Record {
        name: slot.spec.name.clone(),
        left: left(slot, now),
        tries: slot.streak.tries,
        attempt: slot.streak.attempt,
        failed: (slot.streak.failed_at != Mono::NEVER).then(|| now.since(slot.streak.failed_at)),
        why,
        deaths: slot.deaths.keep(name),
        budget: slot.budget.keep(now, slot.spec.budget_window),
        openings: slot.breaker.openings(),
        hold: slot.held.as_ref().map(|held| held.keep(now)),
        intent: slot.intent,
    };
    if slot.spec.observes { without_shadows(whole) } else { whole }
}

impl Record {
    fn put(self, slot: &mut Slot, now: Mono, away: Away, checks: &Checks<'_>) {
        let ago = |span: Span| before(now, span.plus(away.span()));
        let number = |name: &Name| checks.named(name);
        let why = match self.why {
            Trigger::Exit(exit) => Why::Exit(exit),
            Trigger::Check { check, cause } => {
                number(&check).map_or(Why::Exit(Exit::Unknown), |check| Why::Check(check, cause))
            }
            Trigger::Root(root) => {
                slot.ties.stopped_for(root);
                Why::Root
            }
            // Told with a remedy that is begun, and never kept.
            Trigger::Changed(_) => Why::Exit(Exit::Unknown),
        };
        let failed_at = self.failed.map_or(Mono::NEVER, ago);
        slot.streak = Streak { tries: self.tries, attempt: self.attempt, failed_at, why, ..FRESH };
        slot.deaths.restore(&self.deaths, |name| number(name));
        slot.budget.restore(&self.budget, ago);
        slot.breaker.restore(self.openings);
        slot.intent = self.intent;
        slot.held = self.hold.map(|hold| hold.restore(now, away.span()));
        slot.left = match (self.left, away) {
            (Left::Settled, _) => None,
            (Left::Proving(proof), Away::SameBoot(_)) => Some(Left::Proving(proof)),
            // A boot ends every process without its own fault: the remedy goes on with the first start.
            (Left::Proving(proof), Away::OtherBoot) => {
                slot.first = proof;
                None
            }
            (Left::Waiting(left), _) => Some(Left::Waiting(away.nearer(left))),
            (Left::Broken(left), _) => Some(Left::Broken(away.nearer(left))),
        };
    }
}
