//! What vanished and came back, at its longest: also the proof that it fits a frame.

use super::*;
use crate::event::{Change, ChangeKind, Ended, Gone, LOST_MAX, Lost, Returned, ThingKind, Vanished};

/// One of each.
pub(super) fn samples() -> Vec<(&'static str, Fact)> {
    let long = "n".repeat(64).parse::<crate::Name>().unwrap();
    let lost = Lost {
        kind: ThingKind::Port,
        name: long.clone(),
        owner: Some(long.clone()),
        gone: Gone::WithItsUnit,
    };
    let change = Change {
        kind: ChangeKind::Removed,
        name: Text::new(&"p".repeat(TEXT_MAX)),
        before: Span::from_secs(3),
    };
    let vanished = Vanished {
        number: u32::MAX,
        again: false,
        things: core::iter::repeat_n(lost, LOST_MAX).collect(),
        more: u16::MAX,
        service: Some(long.clone()),
        change: Some(change),
        since: Span::MAX,
    };
    let returned = Returned {
        number: u32::MAX,
        ended: Ended::Accepted,
        name: long.clone(),
        service: Some(long),
        by: Text::new(&"b".repeat(TEXT_MAX)),
        after: Span::MAX,
    };
    std::vec![("vanished", Fact::Vanished(vanished)), ("returned", Fact::Returned(returned))]
}
