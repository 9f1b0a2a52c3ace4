//! Version 7 of the kinds that hold a cause: what is unusual, at its longest.

use super::*;

/// What is told of it, and one of the kinds that can carry it and never do: nothing is healed by it.
pub(super) fn samples() -> Vec<(&'static str, Fact)> {
    let long = || "n".repeat(64).parse::<crate::Name>().unwrap();
    let cause = Cause::Unusual { level: i64::MIN, usual: i64::MIN, lasts: u16::MAX };
    std::vec![
        (
            "verdict-unusual",
            Fact::Verdict(VerdictChanged {
                check: long(),
                kind: CheckKind::Metric,
                service: Some(long()),
                from: Verdict::Up,
                to: Verdict::Degraded,
                cause: Some(cause),
                after: Span::MAX,
                said: Text::new(&"s".repeat(TEXT_MAX)),
            }),
        ),
        (
            "outcome-unusual",
            Fact::Outcome(RemedyEnded {
                service: long(),
                remedy: Remedy::Restart,
                attempt: u16::MAX,
                outcome: Outcome::StillFailing { check: long(), cause },
                took: Span::MAX,
            }),
        ),
    ]
}

#[test]
fn what_is_unusual_is_said_in_no_older_version_and_nothing_else_in_this_one() {
    for (label, fact) in samples() {
        for older in 1..7 {
            let mut bytes = encoded(&fact);
            bytes[3] = older;
            let read = split(&resealed(bytes)).unwrap().0.content();
            assert!(matches!(read, Err(BadFrame::Body) | Ok(Content::Unknown)), "{label} in {older}");
        }
    }
}
