//! Version 2 of the kinds that hold an exit: what the init system says of an end.

use super::*;

/// One of each such kind.
pub(super) fn samples() -> Vec<(&'static str, Fact)> {
    let exit = Exit::Ruled(Ruling::OutOfMemory);
    let service = || "web".parse::<crate::Name>().unwrap();
    std::vec![
        (
            "exited",
            Fact::Exited(Exited {
                service: service(),
                pid: 4711,
                exit,
                ran: Span::from_secs(5),
                asked: false
            }),
        ),
        (
            "remedy",
            Fact::Remedy(RemedyBegun {
                service: service(),
                remedy: Remedy::Restart,
                attempt: 1,
                trigger: Trigger::Exit(exit),
                delay: Span::ZERO,
            }),
        ),
        (
            "outcome",
            Fact::Outcome(RemedyEnded {
                service: service(),
                remedy: Remedy::Restart,
                attempt: 1,
                outcome: Outcome::Died(Exit::Ruled(Ruling::Condition)),
                took: Span::from_millis(40),
            }),
        ),
        (
            "breaker",
            Fact::Breaker(BreakerMoved {
                service: service(),
                to: Breaker::Open {
                    because: Because::SameDeath(3),
                    attempts: 3,
                    last: Trigger::Exit(exit),
                    retry_in: Span::from_secs(60),
                },
            }),
        ),
    ]
}

#[test]
fn what_an_older_version_can_say_is_said_in_that_one() {
    for (label, fact) in samples() {
        let mut older = encoded(&fact);
        older[3] = 1;
        assert_eq!(split(&resealed(older)).unwrap().0.content(), Err(BadFrame::Body), "{label} in version 1");
    }
    let mut newer = encoded(&super::samples()[4].1);
    newer[3] = 2;
    assert_eq!(split(&resealed(newer)).unwrap().0.content(), Err(BadFrame::Body), "a signal in version 2");
}
