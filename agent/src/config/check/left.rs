//! `degraded` and `down` of kinds that read what is left until something ends: whole hours, few of them are bad.

use super::{Limits, Side};
use crate::config::read::{Keys, Sheet};
use picket_proto::Span;

const HOUR: u64 = 3600;
/// Two weeks: time to ask for another one.
const DEGRADED: Span = Span::from_secs(14 * 24 * HOUR);
/// Two days: from here on it is somebody's first task.
const DOWN: Span = Span::from_secs(2 * 24 * HOUR);

/// Reads both, or takes their defaults: 14 days and 2.
pub(super) fn limits(keys: &mut Keys<'_>, sheet: &mut Sheet<'_>) -> Limits {
    let range = Span::ZERO..=Span::from_secs(10 * 366 * 24 * HOUR);
    let degraded = keys.span(sheet, "degraded", &range, DEGRADED);
    let down = keys.span(sheet, "down", &range, DOWN);
    if degraded <= down {
        let problem = format!("degraded ({degraded}) must be more than down ({down}): it comes first");
        sheet.wrong(&keys.place(), problem, None);
    }
    let hours = |span: Span| i64::try_from(span.secs() / HOUR).unwrap_or(i64::MAX);
    Limits { degraded: hours(degraded), down: hours(down), bad: Side::Below }
}
