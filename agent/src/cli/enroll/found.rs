//! What a first look says to a person: counts, what an agent would have done, risks. A line per thing, [`LINES_MAX`] of a kind.

use crate::first::{Look, is_unit};
use std::fmt::Write;

/// Who reads on a terminal reads one page.
const LINES_MAX: usize = 8;

/// The page.
pub(super) fn page(seen: &Look, heals: bool) -> String {
    let mut out = format!("On this host: {}\n", summary(seen));
    lines(&mut out, "port", seen.ports.iter().map(|(port, of)| format!("{port} {}", owner(of.as_deref()))));
    let failed = seen.would.iter().map(|life| {
        let result = if life.result.is_empty() { "failed" } else { &life.result };
        format!("{} ({result}): I would have restarted it, were it a [[service]] of mine", life.unit)
    });
    lines(&mut out, "failed", failed);
    lines(
        &mut out,
        "failed",
        seen.failed.iter().map(|unit| format!("{unit}: nothing that a restart mends by itself")),
    );
    lines(&mut out, "idle", seen.idle.iter().map(|unit| format!("{unit} is enabled and does not run")));
    lines(&mut out, "risk", seen.risks.iter().cloned());
    lines(&mut out, "unseen", seen.blind.iter().cloned());
    out.push_str(match heals {
        true => "Services are healed once the configuration names them.\n",
        false => "It observes only (`observe = true`): what would be done is told, nothing is done.\n",
    });
    out
}

/// The unit, or whose program it is.
fn owner(of: Option<&str>) -> String {
    match of {
        Some(unit) if is_unit(unit) => unit.to_owned(),
        Some(program) => format!("{program}, of no unit"),
        None => "of nobody that can be seen".to_owned(),
    }
}

/// Such as "43 units, 12 ports, 3 risks; I would have restarted app.service".
fn summary(seen: &Look) -> String {
    let units = seen.units.map_or_else(|| "no units".to_owned(), |units| counted(units, "unit"));
    let mut text =
        format!("{units}, {}, {}", counted(seen.ports.len(), "port"), counted(seen.risks.len(), "risk"));
    let would: Vec<&str> = seen.would.iter().map(|life| life.unit.as_str()).collect();
    if !would.is_empty() {
        let more = would.len().saturating_sub(3);
        let _text_takes_all =
            write!(text, "; I would have restarted {}", would[..would.len() - more].join(", "));
        if more > 0 {
            let _text_takes_all = write!(text, " and {more} more");
        }
    }
    text
}

fn counted(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

fn lines(out: &mut String, what: &str, all: impl ExactSizeIterator<Item = String>) {
    let left_out = all.len().saturating_sub(LINES_MAX);
    for line in all.take(LINES_MAX) {
        let _text_takes_all = writeln!(out, "  {what:<7} {line}");
    }
    if left_out > 0 {
        let _text_takes_all = writeln!(out, "  {what:<7} and {left_out} more");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sd::Life;

    #[test]
    fn the_first_line_counts_and_names_what_would_have_been_restarted() {
        let life = |nth: usize| Life {
            unit: format!("app-{nth}.service"),
            failed: true,
            result: "signal".to_owned(),
            is_daemon: true,
            restart: "no".to_owned(),
        };
        let seen = Look {
            units: Some(43),
            ports: vec![("tcp/80".to_owned(), Some("nginx.service".to_owned()))],
            would: (0..5).map(life).collect(),
            risks: (0..20).map(|nth| nth.to_string()).collect(),
            ..Look::default()
        };
        let page = page(&seen, false);
        let first = "On this host: 43 units, 1 port, 20 risks; I would have restarted app-0.service, app-1.service, app-2.service and 2 more\n";
        assert!(page.starts_with(first), "{page}");
        assert!(
            page.contains("  port    tcp/80 nginx.service\n") && page.contains("  risk    and 12 more\n"),
            "{page}"
        );
        assert!(page.contains("app-4.service (signal): I would"), "{page}");
    }
}
