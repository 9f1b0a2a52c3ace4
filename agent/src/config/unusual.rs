//! `unusual`: for how long a level must be far from what its hour usually has until that is told.
//!
//! On the host's `cpu`, `memory`, `load`, `swap` and each `pressure`, and on checks of kind `metric`: what else is read has no
//! hours. Ten minutes to a day, where it looks at least six times in it and every ten minutes; `0s`, and nothing written: never.
//! At most 32 checks of a file: each is a week of memory, which is written every hour.

use super::check::Check;
use super::read::{Keys, Place, Sheet};
use picket_agent_core::check::USUALS;
use picket_proto::Span;

const LEAST: Span = Span::from_secs(600);
const MOST: Span = Span::from_secs(86_400);

/// What a table says of it, where it looks so often.
pub(super) fn read(table: &mut Keys<'_>, sheet: &mut Sheet<'_>, interval: Span) -> Span {
    let span = table.span(sheet, "unusual", &(Span::ZERO..=MOST), Span::ZERO);
    let least = interval.times(6).max(LEAST);
    let wrong = if span == Span::ZERO {
        None
    } else if interval > LEAST {
        Some(format!("unusual needs a look every {LEAST}, not every {interval}"))
    } else {
        (span < least)
            .then(|| format!("unusual ({span}) must be at least six intervals and {LEAST}: {least}"))
    };
    if let Some(wrong) = wrong {
        sheet.wrong(&table.place(), wrong, Some("\"0s\" holds nothing against its past".to_owned()));
    }
    span
}

/// Tells where too many ask for it.
pub(super) fn count(checks: &[Check], place: &Place, sheet: &mut Sheet<'_>) {
    let count = checks.iter().filter(|check| check.spec.unusual > Span::ZERO).count();
    if count > USUALS {
        let better = Some("keep it for what people look at by its hour".to_owned());
        sheet.wrong(place, format!("has {count} checks with `unusual`, more than {USUALS}"), better);
    }
}
