//! `[host]`: what is watched of the whole host.
//!
//! | key | unit, range | default |
//! |---|---|---|
//! | `enabled` | true, false | true, also without the table |
//! | `interval` | 1 s to 24 h | 10 s |
//! | `cpu`, `memory` | `{ degraded, down, unusual }`, percent in use, 1-100 | 90, 98 |
//! | `load` | `{ degraded, down, unusual }`, hundredths per core, 1-100000: 400 is four waiting per core | 400, 1000 |
//! | `pressure` | table of `cpu`, `memory`, `io`, each `{ degraded, down, unusual }`, percent of the last ten seconds in which something waited for it, 1-100; or `false` | `cpu` 80, 95; `memory` 20, 50; `io` 60, 90 |
//! | `swap` | `{ degraded, down, unusual }`, percent in use, 1-100 | not watched: a full small swap is usual, and pressure tells when it hurts |
//! | `unusual` | so long it must be far from what its hour usually has; [`super::unusual`] | never |
//! | `space` | list of `{ mount, degraded, down, full_within }`, percent; at most 32 mounts | `/` at 90, 97 |
//! | `inodes` | list of `{ mount, degraded, down, full_within }`, percent; at most 32 mounts | `/` at 90, 97 |
//! | `full_within` | so long before it will be full it is degraded, a quarter of that down; `0s`: never; 1 min to 30 d, 30 intervals at least | 4 h |
//! | `mount` | list of `{ mount, writable }`; at most 32 mounts | what `/etc/fstab` names and is mounted at the start, and `/` |
//! | `mount.writable` | true, false | what `/etc/fstab` says, else as it is at the start |
//! | `net` | list of `{ interface, degraded, down }`, errors and drops from one look to the next, 1-1000000; at most 32 | physical interfaces with a link at the start, at 1000 and never |
//! | `temperature` | list of `{ sensor, degraded, down }`, a chip's name in `/sys/class/hwmon` or a zone's type in `/sys/class/thermal`, °C, 1-150; at most 32 | every chip, and every zone where there is no chip |
//! | `temperature.degraded`, `temperature.down` | °C | the sensor's own `max` and `crit`, else 85 and 95 |
//!
//! Three readings in a row decide (30 s by default), since one busy moment is no condition; of space, inodes and
//! mounts one. An empty list watches none. What the kernel does not offer is said once at the start, and not watched.

mod part;
mod seen;
mod survey;
mod wish;

use super::check::{Check, Target};
use super::read::{Keys, Place, Sheet};
use super::unusual;
pub use part::{Part, Resource, Sensor};
use picket_agent_core::check::{Limits, Side, Spec};
use picket_proto::Span;
use picket_proto::event::CheckKind;
pub(crate) use seen::Seen;
pub(super) use survey::{Ground, settle};
pub(super) use wish::Wish;

/// Mounts with a thread of their own at worst, and as many interfaces and sensors.
pub(crate) const MOUNTS_MAX: usize = 32;
const INTERVAL: Span = Span::from_secs(10);
const TIMEOUT: Span = Span::from_secs(5);
/// Time to look and to act, for who is called at night.
const FULL_WITHIN: Span = Span::from_secs(4 * 3600);
const PERCENT: Scale = Scale { most: 100, unit: 10 };
const HUNDREDTHS: Scale = Scale { most: 100_000, unit: 1 };
const DEGREES: Scale = Scale { most: 150, unit: 10 };
/// What waits for CPU in a busy build is no harm; what waits for memory soon is.
const PRESSURE: [(&str, Resource, (u32, u32)); 3] = [
    ("cpu", Resource::Cpu, (80, 95)),
    ("memory", Resource::Memory, (20, 50)),
    ("io", Resource::Io, (60, 90)),
];

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

/// A check before it knows how often it looks.
#[derive(Debug, Clone)]
struct Found {
    name: String,
    kind: CheckKind,
    target: Target,
    limits: Option<Limits>,
    full_within: Span,
    unusual: Span,
}

impl Found {
    const fn new(name: String, kind: CheckKind, target: Target, limits: Limits) -> Self {
        Self { name, kind, target, limits: Some(limits), full_within: Span::ZERO, unusual: Span::ZERO }
    }

    /// As a check; nothing where its name can't be one.
    fn check(self, interval: Span, at: usize) -> Option<Check> {
        let readings = match self.kind {
            CheckKind::Space | CheckKind::Inodes | CheckKind::Mount => 1,
            _ => 3,
        };
        let spec = Spec {
            name: self.name.replace(' ', "_").parse().ok()?,
            kind: self.kind,
            service: None,
            interval,
            timeout: TIMEOUT.min(interval),
            fall: readings,
            rise: readings,
            limits: self.limits,
            full_within: self.full_within,
            unusual: self.unusual,
        };
        Some(Check { spec, target: self.target, at })
    }
}

/// Reads the table, or takes the defaults where there is none. What depends on the host is still a wish.
pub(super) fn read(table: Option<Keys<'_>>, sheet: &mut Sheet<'_>, checks: &mut Vec<Check>) -> Wish {
    let nothing = toml::de::DeTable::new();
    let mut keys = table.unwrap_or_else(|| Keys::new(&nothing, "host".to_owned(), 0));
    let enabled = keys.flag(sheet, "enabled", true);
    let day = Span::from_secs(86_400);
    let interval = keys.span(sheet, "interval", &(Span::from_secs(1)..=day), INTERVAL);
    let at = keys.place().at;
    let mut found = levels(&mut keys, sheet, interval);
    pressures(&mut keys, sheet, interval, &mut found);
    swap(&mut keys, sheet, interval, &mut found);
    let space = |mount| Target::Space { mount };
    let usual_space = filled(&mut keys, sheet, "space", (CheckKind::Space, space, interval), &mut found);
    let inodes = |mount| Target::Host(Part::Inodes { mount });
    let usual_inodes = filled(&mut keys, sheet, "inodes", (CheckKind::Inodes, inodes, interval), &mut found);
    let mut wish = wish::read(&mut keys, sheet, interval);
    (wish.usual_space, wish.usual_inodes) = (usual_space, usual_inodes);
    keys.finish(sheet);
    if !enabled {
        return Wish::nothing();
    }
    checks.extend(found.into_iter().filter_map(|one| one.check(interval, at)));
    wish
}

fn levels(keys: &mut Keys<'_>, sheet: &mut Sheet<'_>, interval: Span) -> Vec<Found> {
    let mut found = Vec::new();
    for (key, kind, target, scale, usual) in [
        ("cpu", CheckKind::Cpu, Target::Cpu, PERCENT, (90, 98)),
        ("memory", CheckKind::Memory, Target::Memory, PERCENT, (90, 98)),
        ("load", CheckKind::Load, Target::Load, HUNDREDTHS, (400, 1000)),
    ] {
        let (limits, unusual) = in_table(keys, sheet, key, (&scale, usual, interval));
        found.push(Found { unusual, ..Found::new(format!("host:{key}"), kind, target, limits) });
    }
    found
}

fn pressures(keys: &mut Keys<'_>, sheet: &mut Sheet<'_>, interval: Span, found: &mut Vec<Found>) {
    let nothing = toml::de::DeTable::new();
    if keys.is_off("pressure") {
        return;
    }
    let place = keys.place();
    let table = keys.table(sheet, "pressure");
    let mut table = table.unwrap_or_else(|| Keys::new(&nothing, "host.pressure".to_owned(), place.at));
    for (key, resource, usual) in PRESSURE {
        let (limits, unusual) = in_table(&mut table, sheet, key, (&PERCENT, usual, interval));
        let target = Target::Host(Part::Pressure(resource));
        let one = Found::new(format!("pressure:{key}"), CheckKind::Pressure, target, limits);
        found.push(Found { unusual, ..one });
    }
    table.finish(sheet);
}

fn swap(keys: &mut Keys<'_>, sheet: &mut Sheet<'_>, interval: Span, found: &mut Vec<Found>) {
    if keys.has("swap") {
        let (limits, unusual) = in_table(keys, sheet, "swap", (&PERCENT, (80, 95), interval));
        let one = Found::new("host:swap".to_owned(), CheckKind::Swap, Target::Host(Part::Swap), limits);
        found.push(Found { unusual, ..one });
    } else {
        keys.knows("swap");
    }
}

/// The limits in the table `key`, or the usual ones, and for how long it must be unusual.
fn in_table(
    keys: &mut Keys<'_>,
    sheet: &mut Sheet<'_>,
    key: &'static str,
    (scale, usual, interval): (&Scale, (u32, u32), Span),
) -> (Limits, Span) {
    let Some(mut table) = keys.table(sheet, key) else { return (scale.limits(usual), Span::ZERO) };
    let limits = limits(&mut table, sheet, scale, usual);
    let unusual = unusual::read(&mut table, sheet, interval);
    table.finish(sheet);
    (limits, unusual)
}

/// Mounts that fill up; whether the usual one is taken, since none is named.
fn filled(
    keys: &mut Keys<'_>,
    sheet: &mut Sheet<'_>,
    key: &'static str,
    (kind, target, interval): (CheckKind, fn(String) -> Target, Span),
    found: &mut Vec<Found>,
) -> bool {
    if !keys.has(key) {
        keys.knows(key);
        let limits = PERCENT.limits((90, 97));
        let one = Found::new(format!("{kind}:/"), kind, target("/".to_owned()), limits);
        found.push(Found { full_within: FULL_WITHIN, ..one });
        return true;
    }
    let example = "{ mount = \"/\", degraded = 90, down = 97 }";
    for mut table in few(keys, sheet, key, "mounts", example) {
        let mount = path(&mut table, sheet, kind);
        let limits = limits(&mut table, sheet, &PERCENT, (90, 97));
        let full_within = full_within(&mut table, sheet, interval);
        table.finish(sheet);
        if let Some(mount) = mount {
            let one = Found::new(format!("{kind}:{mount}"), kind, target(mount), limits);
            found.push(Found { full_within, ..one });
        }
    }
    false
}

/// How far ahead a full mount is told. Growth is believed once it was seen in 30 readings; who asks for less time than
/// they take would be told of nothing.
fn full_within(table: &mut Keys<'_>, sheet: &mut Sheet<'_>, interval: Span) -> Span {
    let is_given = table.has("full_within");
    let month = Span::from_secs(30 * 86_400);
    let span = table.span(sheet, "full_within", &(Span::ZERO..=month), FULL_WITHIN);
    let least = interval.times(30).max(Span::from_secs(60));
    if is_given && span > Span::ZERO && span < least {
        let problem = format!("full_within ({span}) must be at least 30 intervals and a minute: {least}");
        sheet.wrong(&table.place(), problem, Some("\"0s\" forecasts nothing".to_owned()));
    }
    span
}

/// The tables of the list `key`, at most [`MOUNTS_MAX`].
fn few<'t>(
    keys: &mut Keys<'t>,
    sheet: &mut Sheet<'_>,
    key: &'static str,
    what: &str,
    example: &str,
) -> Vec<Keys<'t>> {
    let Some((value, place)) = keys.take(key) else { return Vec::new() };
    let Some(list) = value.as_array() else {
        let better = format!("write {key} = [{example}]");
        sheet.wrong(&place, "must be a list of tables", Some(better));
        return Vec::new();
    };
    if list.len() > MOUNTS_MAX {
        sheet.wrong(&place, format!("has {} {what}, more than {MOUNTS_MAX}", list.len()), None);
    }
    let mut tables = Vec::new();
    for item in list.iter() {
        let at = item.span().start;
        match item.get_ref().as_table() {
            Some(table) => tables.push(Keys::new(table, place.key.clone(), at)),
            None => sheet.wrong(&Place { at, key: place.key.clone() }, "must be a table", None),
        }
    }
    tables
}

/// The path under `mount`.
fn path(table: &mut Keys<'_>, sheet: &mut Sheet<'_>, kind: CheckKind) -> Option<String> {
    let (mount, place) = table.needed(sheet, "mount")?;
    let name = format!("{kind}:{mount}");
    if !mount.starts_with('/') || name.parse::<picket_proto::Name>().is_err() {
        let room = picket_proto::id::NAME_MAX.saturating_sub(kind.to_string().len() + 1);
        let problem = format!("must be a path from the root, of at most {room} characters without spaces");
        sheet.wrong(&place, problem, None);
        return None;
    }
    Some(mount.to_owned())
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
