//! What stands behind a frame's header: each kind's fields, encoded and decoded by (kind, version).
//!
//! A new kind is a new number here; a changed one is a new version beside the old. Nothing here looks at headers.

use super::{BadFrame, Class, TooLarge};
use crate::event::{
    Began, Blind, BreakerMoved, Cause, CheckKind, Event, Evidence, Exited, Fact, Gap, HoldChanged,
    IntentChanged, OrderSaid, Ordered, RemedyBegun, RemedyEnded, Returned, Shadow, Started, Vanished,
    Verdict, VerdictChanged,
};
use crate::id::Name;
use crate::text::Text;
use crate::time::{Span, Stamp};
use serde::{Deserialize, Serialize};

/// How much each kind of fact matters.
pub const fn class_of(fact: &Fact) -> Class {
    match fact {
        Fact::Began(_)
        | Fact::Gap(_)
        | Fact::Exited(_)
        | Fact::Outcome(_)
        | Fact::Breaker(_)
        | Fact::Vanished(_)
        | Fact::Returned(_) => Class::Critical,
        Fact::Verdict(change) => match change.to {
            Verdict::Down | Verdict::Flapping => Class::Critical,
            Verdict::Unknown | Verdict::Up | Verdict::Degraded => Class::Notable,
        },
        Fact::Started(_)
        | Fact::Remedy(_)
        | Fact::Intent(_)
        | Fact::Blind(_)
        | Fact::Hold(_)
        | Fact::Shadow(_) => Class::Notable,
        Fact::Ordered(ordered) => match ordered.said {
            OrderSaid::Part { .. } => Class::Routine,
            // It answers whoever waits for it, above a cap too, and is small.
            OrderSaid::Refused(_) => Class::Critical,
        },
        Fact::Evidence(_) => Class::Routine,
    }
}

/// Encodes stamp and fields into `out`; the bytes used.
pub(super) fn encode_body(event: &Event, out: &mut [u8]) -> Result<usize, TooLarge> {
    fn put<T: Serialize>(stamp: &Stamp, fields: &T, out: &mut [u8]) -> Result<usize, TooLarge> {
        postcard::to_slice(&(stamp, fields), out).map(|used| used.len()).map_err(|_| TooLarge)
    }
    let stamp = &event.stamp;
    match &event.fact {
        Fact::Began(fields) => put(stamp, fields, out),
        Fact::Gap(fields) => put(stamp, fields, out),
        Fact::Verdict(fields) if fields.version() == 1 => put(stamp, &FirstVerdict::of(fields), out),
        Fact::Verdict(fields) => put(stamp, fields, out),
        Fact::Started(fields) => put(stamp, fields, out),
        Fact::Exited(fields) => put(stamp, fields, out),
        Fact::Remedy(fields) => put(stamp, fields, out),
        Fact::Outcome(fields) => put(stamp, fields, out),
        Fact::Breaker(fields) => put(stamp, fields, out),
        Fact::Evidence(fields) => put(stamp, fields, out),
        Fact::Intent(fields) => put(stamp, fields, out),
        Fact::Blind(fields) => put(stamp, fields, out),
        Fact::Hold(fields) => put(stamp, fields, out),
        Fact::Vanished(fields) => put(stamp, fields, out),
        Fact::Returned(fields) => put(stamp, fields, out),
        Fact::Shadow(fields) => put(stamp, fields, out),
        Fact::Ordered(fields) => put(stamp, fields, out),
    }
}

/// Whether this code knows a kind in a version.
pub(super) const fn knows(kind: u16, version: u8) -> bool {
    match kind {
        // Those that hold a cause or an exit, and of these the ones that tell of remedies.
        3 => matches!(version, 1 | 2 | 6 | 7),
        5 => matches!(version, 1 | 2),
        6..=8 => matches!(version, 1..=7),
        1 | 2 | 4 | 9..=16 => version == 1,
        _ => false,
    }
}

/// Decodes the fields of a known kind; `None` if it is not known. The newest version of most holds all older ones.
pub(super) fn decode_fact((kind, version): (u16, u8), fields: &[u8]) -> Result<Option<Fact>, BadFrame> {
    fn take<'a, T: Deserialize<'a>>(fields: &'a [u8]) -> Result<T, BadFrame> {
        match postcard::take_from_bytes(fields) {
            Ok((value, [])) => Ok(value),
            Ok(_) | Err(_) => Err(BadFrame::Body),
        }
    }
    let fact = match kind {
        1 => Fact::Began(take::<Began>(fields)?),
        2 => Fact::Gap(take::<Gap>(fields)?),
        3 if version == 1 => Fact::Verdict(take::<FirstVerdict>(fields)?.whole()),
        3 => Fact::Verdict(take::<VerdictChanged>(fields)?),
        4 => Fact::Started(take::<Started>(fields)?),
        5 => Fact::Exited(take::<Exited>(fields)?),
        6 => Fact::Remedy(take::<RemedyBegun>(fields)?),
        7 => Fact::Outcome(take::<RemedyEnded>(fields)?),
        8 => Fact::Breaker(take::<BreakerMoved>(fields)?),
        9 => Fact::Evidence(take::<Evidence>(fields)?),
        10 => Fact::Intent(take::<IntentChanged>(fields)?),
        11 => Fact::Blind(take::<Blind>(fields)?),
        12 => Fact::Hold(take::<HoldChanged>(fields)?),
        13 => Fact::Vanished(take::<Vanished>(fields)?),
        14 => Fact::Returned(take::<Returned>(fields)?),
        15 => Fact::Shadow(take::<Shadow>(fields)?),
        16 => Fact::Ordered(take::<Ordered>(fields)?),
        _ => return Ok(None),
    };
    Ok(Some(fact))
}

/// Version 1 of a verdict, which has no words.
#[derive(Serialize, Deserialize)]
struct FirstVerdict {
    check: Name,
    kind: CheckKind,
    service: Option<Name>,
    from: Verdict,
    to: Verdict,
    cause: Option<Cause>,
    after: Span,
}

impl FirstVerdict {
    fn of(it: &VerdictChanged) -> Self {
        let (check, service) = (it.check.clone(), it.service.clone());
        Self { check, kind: it.kind, service, from: it.from, to: it.to, cause: it.cause, after: it.after }
    }

    fn whole(self) -> VerdictChanged {
        let Self { check, kind, service, from, to, cause, after } = self;
        VerdictChanged { check, kind, service, from, to, cause, after, said: Text::default() }
    }
}
