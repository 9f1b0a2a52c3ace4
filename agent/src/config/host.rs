//! `[host]`: levels of the whole host.
//!
//! | key | unit, range | default |
//! |---|---|---|
//! | `enabled` | true, false | true, also without the table |
//! | `interval` | 1 s to 24 h | 10 s |
//! | `cpu`, `memory` | `{ degraded, down }`, percent in use, 1-100 | 90, 98 |
//! | `load` | `{ degraded, down }`, hundredths per core, 1-100000: 400 is four waiting per core | 400, 1000 |
//! | `space` | list of `{ mount, degraded, down }`, percent; at most 32 mounts | `/` at 90, 97 |
//!
//! Three readings in a row decide (30 s by default), since one busy moment is no condition; space by one.

use super::check::{Check, Target};
use super::read::{Keys, Place, Sheet};
use picket_agent_core::check::{Limits, Side, Spec};
use picket_proto::Span;
use picket_proto::event::CheckKind;

/// Mounts with a thread of their own at worst.
pub(crate) const MOUNTS_MAX: usize = 32;
const INTERVAL: Span = Span::from_secs(10);
const TIMEOUT: Span = Span::from_secs(5);
const PERCENT: Scale = Scale { most: 100, unit: 10 };
const HUNDREDTHS: Scale = Scale { most: 100_000, unit: 1 };

/// How a limit is written, and how many of the core's units one of it has.
struct Scale {
    most: u32,
    unit: u32,
}

impl Scale {
    fn limits(&self, (degraded, down): (u32, u32)) -> Limits {
        let whole = |limit: u32| i64::from(limit) * i64::from(self.unit);
        Limits { degraded: whole(degraded), down: whole(down), bad: Side::Above }
    }
}

/// Reads the table, or takes the defaults where there is none.
pub(super) fn read(table: Option<Keys<'_>>, sheet: &mut Sheet<'_>, checks: &mut Vec<Check>) {
    let nothing = toml::de::DeTable::new();
    let mut keys = table.unwrap_or_else(|| Keys::new(&nothing, "host".to_owned(), 0));
    let enabled = keys.flag(sheet, "enabled", true);
    let day = Span::from_secs(86_400);
    let interval = keys.span(sheet, "interval", &(Span::from_secs(1)..=day), INTERVAL);
    let at = keys.place().at;
    let mut found = Vec::new();
    for (key, kind, target, scale, usual) in [
        ("cpu", CheckKind::Cpu, Target::Cpu, PERCENT, (90, 98)),
        ("memory", CheckKind::Memory, Target::Memory, PERCENT, (90, 98)),
        ("load", CheckKind::Load, Target::Load, HUNDREDTHS, (400, 1000)),
    ] {
        let limits = match keys.table(sheet, key) {
            Some(mut table) => {
                let limits = limits(&mut table, sheet, &scale, usual);
                table.finish(sheet);
                limits
            }
            None => scale.limits(usual),
        };
        found.push(level(format!("host:{key}"), kind, target, limits));
    }
    spaces(&mut keys, sheet, &mut found);
    keys.finish(sheet);
    if enabled {
        checks.extend(found.into_iter().filter_map(|(name, mut spec, target)| {
            spec.name = name.parse().ok()?;
            (spec.interval, spec.timeout) = (interval, TIMEOUT.min(interval));
            Some(Check { spec, target, at })
        }));
    }
}

fn level(name: String, kind: CheckKind, target: Target, limits: Limits) -> (String, Spec, Target) {
    let fall = if kind == CheckKind::Space { 1 } else { 3 };
    let spec = Spec {
        name: "host".parse().expect("a constant of allowed characters"),
        kind,
        service: None,
        interval: INTERVAL,
        timeout: TIMEOUT,
        fall,
        rise: fall,
        limits: Some(limits),
    };
    (name, spec, target)
}

fn spaces(keys: &mut Keys<'_>, sheet: &mut Sheet<'_>, found: &mut Vec<(String, Spec, Target)>) {
    let Some((value, place)) = keys.take("space") else {
        let limits = PERCENT.limits((90, 97));
        found.push(level(
            "space:/".to_owned(),
            CheckKind::Space,
            Target::Space { mount: "/".to_owned() },
            limits,
        ));
        return;
    };
    let Some(list) = value.as_array() else {
        let better = "write space = [{ mount = \"/\", degraded = 90, down = 97 }]".to_owned();
        return sheet.wrong(&place, "must be a list of tables", Some(better));
    };
    if list.len() > MOUNTS_MAX {
        sheet.wrong(&place, format!("has {} mounts, more than {MOUNTS_MAX}", list.len()), None);
    }
    for item in list.iter() {
        let at = item.span().start;
        let Some(table) = item.get_ref().as_table() else {
            sheet.wrong(&Place { at, key: place.key.clone() }, "must be a table", None);
            continue;
        };
        let mut table = Keys::new(table, place.key.clone(), at);
        let mount = table.needed(sheet, "mount");
        let limits = limits(&mut table, sheet, &PERCENT, (90, 97));
        table.finish(sheet);
        if let Some((mount, place)) = mount {
            let name = format!("space:{mount}");
            if !mount.starts_with('/') || name.parse::<picket_proto::Name>().is_err() {
                let problem = "must be a path from the root, of at most 58 characters without spaces";
                sheet.wrong(&place, problem, None);
            }
            found.push(level(name, CheckKind::Space, Target::Space { mount: mount.to_owned() }, limits));
        }
    }
}

fn limits(table: &mut Keys<'_>, sheet: &mut Sheet<'_>, scale: &Scale, usual: (u32, u32)) -> Limits {
    let degraded = table.number(sheet, "degraded", 1..=scale.most, usual.0);
    let down = table.number(sheet, "down", 1..=scale.most, usual.1);
    if degraded >= down {
        let problem = format!("degraded ({degraded}) must be below down ({down})");
        sheet.wrong(&table.place(), problem, None);
    }
    scale.limits((degraded, down))
}
