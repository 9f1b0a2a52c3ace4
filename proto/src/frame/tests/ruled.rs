//! Version 2 of the kinds that hold an exit or a cause: what the init system says of an end, and what the later kinds of
//! checks see.

use super::*;

/// One of each such kind.
pub(super) fn samples() -> Vec<(&'static str, Fact)> {
    let exit = Exit::Ruled(Ruling::OutOfMemory);
    let service = || "web".parse::<crate::Name>().unwrap();
    std::vec![
        (
            "verdict",
            Fact::Verdict(VerdictChanged {
                check: "disks".parse().unwrap(),
                kind: CheckKind::Exec,
                service: None,
                from: Verdict::Up,
                to: Verdict::Degraded,
                cause: Some(Cause::Plugin(1)),
                after: Span::from_millis(1500),
                said: Text::new("DISK WARNING - /srv 91 % used"),
            }),
        ),
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

/// Each of the three that version 1 does not know asks for version 2 alone: a kind, a cause, words.
#[test]
fn a_verdict_asks_for_version_2_by_its_kind_its_cause_or_its_words() {
    let Some((_, Fact::Verdict(full))) = samples().into_iter().next() else {
        panic!("a verdict comes first")
    };
    let old = VerdictChanged {
        kind: CheckKind::Space,
        cause: Some(Cause::Local(5)),
        said: Text::default(),
        ..full.clone()
    };
    let version = |verdict: &VerdictChanged| Fact::Verdict(verdict.clone()).version();
    assert_eq!(version(&old), 1);
    assert_eq!(version(&VerdictChanged { cause: None, ..old.clone() }), 1);
    assert_eq!(version(&VerdictChanged { kind: CheckKind::Exec, ..old.clone() }), 2);
    assert_eq!(version(&VerdictChanged { cause: full.cause, ..old.clone() }), 2);
    assert_eq!(version(&VerdictChanged { said: full.said, ..old }), 2);
}
