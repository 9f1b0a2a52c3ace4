//! Version 3 of the kinds that tell of remedies: more than restarts.

use super::*;

/// The longest of each such kind.
pub(super) fn samples() -> Vec<(&'static str, Fact)> {
    let long = || "n".repeat(64).parse::<crate::Name>().unwrap();
    let text = || Text::new(&"t".repeat(TEXT_MAX));
    let begun = |remedy, trigger| {
        Fact::Remedy(RemedyBegun { service: long(), remedy, attempt: 2, trigger, delay: Span::MAX })
    };
    let ended = |remedy, outcome| {
        Fact::Outcome(RemedyEnded { service: long(), remedy, attempt: 2, outcome, took: Span::MAX })
    };
    let moved = |to| Fact::Breaker(BreakerMoved { service: long(), to });
    let refused = || Trigger::Check { check: long(), cause: Cause::Refused };
    std::vec![
        ("remedy-reload", begun(Remedy::Reload, refused())),
        ("remedy-dependents", begun(Remedy::Dependents, refused())),
        ("remedy-rollback", begun(Remedy::Rollback, Trigger::Changed(text()))),
        ("remedy-isolate", begun(Remedy::Isolate, refused())),
        ("remedy-root", begun(Remedy::Restart, Trigger::Root(long()))),
        ("outcome-reload", ended(Remedy::Reload, Outcome::Died(Exit::Signal(1)))),
        ("outcome-worse", ended(Remedy::Restart, Outcome::Worse { before: 1, after: 2, check: long() })),
        ("outcome-not-done", ended(Remedy::Rollback, Outcome::NotDone { why: text() })),
        (
            "breaker-isolated",
            moved(Breaker::Open {
                because: Because::Isolated,
                attempts: 5,
                last: refused(),
                retry_in: Span::from_secs(60)
            })
        ),
        ("breaker-waits", moved(Breaker::Waits { root: long() })),
    ]
}

/// What version 4 of these kinds can say.
pub(super) fn starved() -> Vec<(&'static str, Fact)> {
    let long = || "n".repeat(64).parse::<crate::Name>().unwrap();
    let to = Breaker::Starved { check: long(), longest: Span::MAX };
    let (service, remedy, attempt) = (long(), Remedy::Reboot, u16::MAX);
    let trigger = Trigger::Check { check: long(), cause: Cause::Refused };
    let begun = RemedyBegun { service: service.clone(), remedy, attempt, trigger, delay: Span::MAX };
    let outcome = Outcome::Held { check: long(), back_after: Span::MAX, held_for: Span::MAX };
    let ended = RemedyEnded { service: service.clone(), remedy, attempt, outcome, took: Span::MAX };
    std::vec![
        ("breaker-starved", Fact::Breaker(BreakerMoved { service, to })),
        ("remedy-reboot", Fact::Remedy(begun)),
        ("outcome-reboot", Fact::Outcome(ended)),
    ]
}

/// What version 5 of these kinds can say.
pub(super) fn given_up() -> Vec<(&'static str, Fact)> {
    let long = || "n".repeat(64).parse::<crate::Name>().unwrap();
    let moved = |because| {
        let last = Trigger::Check { check: long(), cause: Cause::Refused };
        let to = Breaker::Open { because, attempts: u16::MAX, last, retry_in: Span::MAX };
        Fact::Breaker(BreakerMoved { service: long(), to })
    };
    let (service, remedy, attempt) = (long(), Remedy::Package, u16::MAX);
    let trigger = Trigger::Changed(Text::new(&"t".repeat(TEXT_MAX)));
    let begun = RemedyBegun { service: service.clone(), remedy, attempt, trigger, delay: Span::MAX };
    let outcome = Outcome::NotDone { why: Text::new(&"t".repeat(TEXT_MAX)) };
    let ended = RemedyEnded { service, remedy, attempt, outcome, took: Span::MAX };
    std::vec![
        ("remedy-package", Fact::Remedy(begun)),
        ("outcome-package", Fact::Outcome(ended)),
        ("breaker-same-death-isolated", moved(Because::SameDeathIsolated(u16::MAX))),
        ("breaker-budget-isolated", moved(Because::BudgetIsolated { allowed: u16::MAX, window: Span::MAX })),
    ]
}

#[test]
fn what_an_older_version_can_not_say_is_no_body_of_it() {
    for (label, fact) in samples().into_iter().chain(starved()).chain(given_up()) {
        for older in 1..fact.version() {
            let mut bytes = encoded(&fact);
            bytes[3] = older;
            assert_eq!(
                split(&resealed(bytes)).unwrap().0.content(),
                Err(BadFrame::Body),
                "{label} in {older}"
            );
        }
    }
    let restart = ruled::samples().into_iter().find(|(label, _)| *label == "remedy").expect("it is one");
    let mut newer = encoded(&restart.1);
    newer[3] = 3;
    assert_eq!(split(&resealed(newer)).unwrap().0.content(), Err(BadFrame::Body), "a restart in version 3");
}

/// What would be done about a service that is only observed.
pub(super) fn shadows() -> Vec<(&'static str, Fact)> {
    let long = || "n".repeat(64).parse::<crate::Name>().unwrap();
    let step = |step| Fact::Shadow(Shadow { service: long(), step });
    let last = || Trigger::Check { check: long(), cause: Cause::Refused };
    let because = Because::Budget { allowed: u16::MAX, window: Span::MAX };
    std::vec![
        ("shadow-would", step(ShadowStep::Would { remedy: Remedy::Restart, trigger: last() })),
        ("shadow-would-rest", step(ShadowStep::WouldRest { because, last: last() })),
        ("shadow-rests", step(ShadowStep::Rests { left: Span::MAX })),
        ("shadow-back", step(ShadowStep::Back { after: Span::MAX, held_for: Span::MAX })),
    ]
}
