//! What came of an order, at its longest: also the proof that a part fits a frame.

use super::*;
use crate::lines::{LINES_MAX, Lines};

/// One of each.
pub(super) fn samples() -> Vec<(&'static str, Fact)> {
    let long = || "n".repeat(64).parse::<crate::Name>().unwrap();
    let ordered = |said| Fact::Ordered(Ordered { token: u64::MAX, service: long(), said });
    let text = Lines::new(&"a line\n".repeat(LINES_MAX / 7 + 1));
    let budget = Refusal::Budget { allowed: u16::MAX, window: Span::MAX, again: Span::MAX };
    std::vec![
        ("ordered-part", ordered(OrderSaid::Part { part: PARTS_MAX, of: PARTS_MAX, text })),
        ("ordered-refused", ordered(OrderSaid::Refused(budget))),
    ]
}

#[test]
fn a_part_is_dropped_first_and_a_refusal_is_not() {
    let classes: Vec<Class> = samples().iter().map(|(_, fact)| class_of(fact)).collect();
    assert_eq!(classes, [Class::Routine, Class::Critical]);
}

#[test]
fn every_refusal_has_a_code_that_is_explained() {
    let budget = Refusal::Budget { allowed: 6, window: Span::from_secs(60), again: Span::from_secs(41) };
    for (why, code) in [
        (Refusal::Forbidden, "order-forbidden"),
        (Refusal::Stranger, "order-stranger"),
        (Refusal::Busy, "order-busy"),
        (budget, "order-budget"),
        (Refusal::OverCap, "order-over-cap"),
        (Refusal::Unreadable, "order-unreadable"),
    ] {
        assert_eq!(crate::code::of_refusal(&why), code);
        assert!(crate::code::find(code).is_some(), "{code}");
    }
    assert_eq!(format!("{budget}"), "the host takes 6 orders in 1 min, and had them; again in 41 s");
}
