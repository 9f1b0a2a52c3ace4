//! The keys that all kinds have: how often is looked, for how long, and how many readings decide.

use super::{INTERVAL, TIMEOUT};
use crate::config::read::{Keys, Sheet};
use picket_proto::event::CheckKind;
use picket_proto::{Name, Span};

/// How often a kind looks, and how long that may take, unless its keys say so: a program costs more than a packet, and a
/// nightly job can wait.
pub(super) const fn usual_times(kind: CheckKind) -> (Span, Span) {
    match kind {
        CheckKind::Exec | CheckKind::Job | CheckKind::Backup => (Span::from_secs(60), Span::from_secs(10)),
        _ => (INTERVAL, TIMEOUT),
    }
}

/// How often, and how long one probe may take.
pub(super) fn times(
    keys: &mut Keys<'_>,
    sheet: &mut Sheet<'_>,
    (interval, timeout): (Span, Span),
) -> (Span, Span) {
    let day = Span::from_secs(86_400);
    let interval = keys.span(sheet, "interval", &(Span::from_millis(100)..=day), interval);
    let timeout = keys.span(sheet, "timeout", &(Span::from_millis(10)..=interval), timeout.min(interval));
    (interval, timeout)
}

/// Readings in a row.
pub(super) fn readings(keys: &mut Keys<'_>, sheet: &mut Sheet<'_>, key: &'static str, default: u32) -> u8 {
    u8::try_from(keys.number(sheet, key, 1..=10, default)).expect("at most 10")
}

/// Readings in a row that make it down, by their number or by the time that they span.
pub(super) fn fall(keys: &mut Keys<'_>, sheet: &mut Sheet<'_>, kind: CheckKind, interval: Span) -> u8 {
    const MOST: u64 = 254;
    // A line is there once: no second look sees it again. That a process is gone is no matter of chance.
    let usual = if matches!(kind, CheckKind::Log | CheckKind::Process) { 1 } else { 2 };
    let fall = readings(keys, sheet, "fall", usual);
    let long = keys.span(sheet, "for", &(Span::from_millis(100)..=Span::from_secs(254 * 86_400)), Span::ZERO);
    if long == Span::ZERO {
        return fall;
    }
    if keys.take("fall").is_some() {
        sheet.wrong(&keys.place(), "says fall and for", Some("leave one of them out".to_owned()));
    }
    let intervals = long.micros().div_ceil(interval.micros().max(1));
    if intervals > MOST {
        let better = Some("look less often, or shorten it".to_owned());
        sheet.wrong(&keys.place(), format!("for ({long}) is more than {MOST} intervals"), better);
    }
    u8::try_from(intervals.min(MOST) + 1).expect("at most 255")
}

/// What it is called.
pub(super) fn name(keys: &mut Keys<'_>, sheet: &mut Sheet<'_>, usual: Option<String>) -> Option<Name> {
    let (text, place) = match keys.text(sheet, "name") {
        Some((name, place)) => (name.to_owned(), place),
        None => (usual?, keys.place()),
    };
    match text.parse() {
        Ok(name) => Some(name),
        Err(bad) => {
            let better = Some("give it a short name: name = \"..\"".to_owned());
            sheet.wrong(&place, format!("the name `{text}` {bad}"), better);
            None
        }
    }
}
