//! Version 6 of the kinds that hold a cause: what will be full, at its longest.

use super::*;

/// One of each such kind.
pub(super) fn samples() -> Vec<(&'static str, Fact)> {
    let long = || "n".repeat(64).parse::<crate::Name>().unwrap();
    let cause = Cause::Filling { left: u32::MAX, rate: u64::MAX, grown: u32::MAX };
    let trigger = || Trigger::Check { check: long(), cause };
    let (service, remedy, attempt) = (long(), Remedy::Restart, u16::MAX);
    let outcome = Outcome::StillFailing { check: long(), cause };
    let to = Breaker::Open {
        because: Because::SameDeath(3),
        attempts: 3,
        last: trigger(),
        retry_in: Span::from_secs(60),
    };
    std::vec![
        (
            "verdict-filling",
            Fact::Verdict(VerdictChanged {
                check: long(),
                kind: CheckKind::Space,
                service: None,
                from: Verdict::Up,
                to: Verdict::Degraded,
                cause: Some(cause),
                after: Span::MAX,
                said: Text::new(&"s".repeat(TEXT_MAX)),
            }),
        ),
        (
            "remedy-filling",
            Fact::Remedy(RemedyBegun {
                service: service.clone(),
                remedy,
                attempt,
                trigger: trigger(),
                delay: Span::MAX
            }),
        ),
        (
            "outcome-filling",
            Fact::Outcome(RemedyEnded {
                service: service.clone(),
                remedy,
                attempt,
                outcome,
                took: Span::MAX
            }),
        ),
        ("breaker-filling", Fact::Breaker(BreakerMoved { service, to })),
    ]
}

#[test]
fn what_fills_is_said_in_no_older_version_and_nothing_else_in_this_one() {
    for (label, fact) in samples() {
        for older in 1..6 {
            let mut bytes = encoded(&fact);
            bytes[3] = older;
            let read = split(&resealed(bytes)).unwrap().0.content();
            assert!(matches!(read, Err(BadFrame::Body) | Ok(Content::Unknown)), "{label} in {older}");
        }
    }
    for (label, fact) in ruled::samples().into_iter().filter(|(label, _)| *label != "exited") {
        let mut newer = encoded(&fact);
        newer[3] = 6;
        assert_eq!(split(&resealed(newer)).unwrap().0.content(), Err(BadFrame::Body), "{label} in version 6");
    }
}
