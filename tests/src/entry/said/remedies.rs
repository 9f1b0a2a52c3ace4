//! What is done about failures, out of any bytes.

use super::*;

fn trigger(cursor: &mut Cursor<'_>) -> Trigger {
    match cursor.below(4) {
        0 => Trigger::Exit(exit(cursor)),
        1 => Trigger::Root(name(cursor)),
        2 => Trigger::Changed(text(cursor)),
        _ => Trigger::Check { check: name(cursor), cause: cause(cursor) },
    }
}

fn rung(cursor: &mut Cursor<'_>) -> Remedy {
    use Remedy::{Dependents, Isolate, Package, Reload, Restart, Rollback};
    cursor.one_of(&[Restart, Reload, Dependents, Rollback, Package, Isolate])
}

fn outcome(cursor: &mut Cursor<'_>) -> Outcome {
    match cursor.below(5) {
        0 => Outcome::Held { check: name(cursor), back_after: span(cursor), held_for: span(cursor) },
        1 => Outcome::Died(exit(cursor)),
        2 => Outcome::Worse { before: cursor.short(), after: cursor.short(), check: name(cursor) },
        3 => Outcome::NotDone { why: text(cursor) },
        _ => Outcome::StillFailing { check: name(cursor), cause: cause(cursor) },
    }
}

pub(super) fn breaker(cursor: &mut Cursor<'_>) -> Breaker {
    match cursor.below(9) {
        0 => Breaker::Closed,
        1 => Breaker::HalfOpen,
        2 => Breaker::Waits { root: name(cursor) },
        3 => Breaker::Starved { check: name(cursor), longest: span(cursor) },
        _ => Breaker::Open {
            because: because(cursor),
            attempts: cursor.short(),
            last: trigger(cursor),
            retry_in: span(cursor),
        },
    }
}

fn because(cursor: &mut Cursor<'_>) -> Because {
    let count = cursor.short();
    match cursor.below(5) {
        0 => Because::SameDeath(count),
        1 => Because::Isolated,
        2 => Because::SameDeathIsolated(count),
        3 => Because::BudgetIsolated { allowed: count, window: span(cursor) },
        _ => Because::Budget { allowed: count, window: span(cursor) },
    }
}

pub(super) fn remedy(cursor: &mut Cursor<'_>) -> RemedyBegun {
    let (service, attempt) = (name(cursor), cursor.short());
    RemedyBegun { service, remedy: rung(cursor), attempt, trigger: trigger(cursor), delay: span(cursor) }
}

pub(super) fn ended(cursor: &mut Cursor<'_>) -> RemedyEnded {
    let (service, attempt) = (name(cursor), cursor.short());
    RemedyEnded { service, remedy: rung(cursor), attempt, outcome: outcome(cursor), took: span(cursor) }
}

pub(super) fn shadow(cursor: &mut Cursor<'_>) -> Shadow {
    let RemedyBegun { service, remedy, trigger, .. } = remedy(cursor);
    let step = match cursor.below(4) {
        3 => ShadowStep::Rests { left: span(cursor) },
        0 => ShadowStep::Would { remedy, trigger },
        1 => ShadowStep::WouldRest { because: because(cursor), last: trigger },
        _ => ShadowStep::Back { after: span(cursor), held_for: span(cursor) },
    };
    Shadow { service, step }
}
