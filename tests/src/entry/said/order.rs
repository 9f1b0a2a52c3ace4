//! What an agent tells of an order.

use super::{name, span};
use crate::entry::cursor::Cursor;
use picket_proto::Lines;
use picket_proto::event::{OrderSaid, Ordered, Refusal};

/// Of any order: a part, which may be one that can't be, or a refusal.
pub(super) fn ordered(cursor: &mut Cursor<'_>) -> Ordered {
    Ordered { token: cursor.number(), service: name(cursor), said: said(cursor) }
}

/// What came of an order.
pub(in crate::entry) fn said(cursor: &mut Cursor<'_>) -> OrderSaid {
    if cursor.flag() {
        let text = Lines::new(&String::from_utf8_lossy(cursor.some(3)));
        return OrderSaid::Part { part: cursor.byte() % 10, of: cursor.byte() % 10, text };
    }
    OrderSaid::Refused(match cursor.below(6) {
        0 => Refusal::Forbidden,
        1 => Refusal::Stranger,
        2 => Refusal::Busy,
        3 => Refusal::Budget { allowed: cursor.short(), window: span(cursor), again: span(cursor) },
        4 => Refusal::OverCap,
        _ => Refusal::Unreadable,
    })
}
