//! What `[host]` asks for that depends on the host itself: mounts, interfaces and sensors. [`super::survey`] makes
//! checks of it once the host is looked at.

use super::super::read::{Keys, Sheet};
use super::{CheckKind, HUNDREDTHS, Scale, few, path};
use picket_agent_core::check::{Limits, Side};
use picket_proto::Span;

/// Errors and drops of ten seconds that are worth a word. A driver that drops a stray frame now and then is none.
const ERRORS: u32 = 1000;
const ERRORS_MAX: u32 = 1_000_000;

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::config) struct Wish {
    pub(super) interval: Span,
    pub(super) at: usize,
    pub(super) mounts: Which<MountWish>,
    pub(super) nets: Which<NetWish>,
    pub(super) sensors: Which<SensorWish>,
    /// Whether `/` is watched without being named.
    pub(super) usual_space: bool,
    pub(super) usual_inodes: bool,
}

/// Those that are named, or those that the host has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Which<T> {
    Usual,
    Named(Vec<T>),
}

/// A mount.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct MountWish {
    pub(super) mount: String,
    pub(super) access: Access,
}

/// Whether a mount should be writable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    Writable,
    Any,
    /// What fstab says, else as it is.
    AsFound,
}

/// An interface.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NetWish {
    pub(super) interface: String,
    pub(super) limits: Limits,
}

/// A chip or zone; limits of its own where none are given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SensorWish {
    pub(super) sensor: String,
    pub(super) degraded: Option<u32>,
    pub(super) down: Option<u32>,
}

impl Wish {
    /// The host is not watched.
    pub(super) const fn nothing() -> Self {
        Self {
            interval: Span::ZERO,
            at: 0,
            mounts: Which::Named(Vec::new()),
            nets: Which::Named(Vec::new()),
            sensors: Which::Named(Vec::new()),
            usual_space: false,
            usual_inodes: false,
        }
    }
}

/// Reads the keys.
pub(super) fn read(keys: &mut Keys<'_>, sheet: &mut Sheet<'_>, interval: Span) -> Wish {
    let at = keys.place().at;
    let mounts = list(keys, sheet, "mount", "{ mount = \"/srv\", writable = true }", mount);
    let nets = list(keys, sheet, "net", "{ interface = \"eth0\" }", net);
    let sensors = list(keys, sheet, "temperature", "{ sensor = \"coretemp\" }", sensor);
    Wish { interval, at, mounts, nets, sensors, ..Wish::nothing() }
}

fn list<T>(
    keys: &mut Keys<'_>,
    sheet: &mut Sheet<'_>,
    key: &'static str,
    example: &str,
    read: fn(&mut Keys<'_>, &mut Sheet<'_>) -> Option<T>,
) -> Which<T> {
    if !keys.has(key) {
        keys.knows(key);
        return Which::Usual;
    }
    let mut named = Vec::new();
    for mut table in few(keys, sheet, key, "entries", example) {
        named.extend(read(&mut table, sheet));
        table.finish(sheet);
    }
    Which::Named(named)
}

fn mount(table: &mut Keys<'_>, sheet: &mut Sheet<'_>) -> Option<MountWish> {
    let given = table.has("writable");
    let access = match table.flag(sheet, "writable", true) {
        _ if !given => Access::AsFound,
        true => Access::Writable,
        false => Access::Any,
    };
    Some(MountWish { mount: path(table, sheet, CheckKind::Mount)?, access })
}

fn net(table: &mut Keys<'_>, sheet: &mut Sheet<'_>) -> Option<NetWish> {
    let degraded = table.number(sheet, "degraded", 1..=ERRORS_MAX, ERRORS);
    let down = if table.has("down") {
        let down = table.number(sheet, "down", 1..=ERRORS_MAX, ERRORS_MAX);
        if degraded >= down {
            let problem = format!("degraded ({degraded}) must be below down ({down})");
            sheet.wrong(&table.place(), problem, None);
        }
        i64::from(down)
    } else {
        table.knows("down");
        i64::MAX
    };
    let (interface, place) = table.needed(sheet, "interface")?;
    // The kernel's own rule for a name.
    if interface.is_empty()
        || interface.len() > 15
        || interface.contains(['/', ' '])
        || interface.starts_with('.')
    {
        sheet.wrong(&place, "is no name of an interface", Some("`ip link` shows them".to_owned()));
        return None;
    }
    let limits = Limits { down, degraded: i64::from(degraded), bad: Side::Above };
    Some(NetWish { interface: interface.to_owned(), limits })
}

/// As an interface is watched that nobody named.
pub(super) fn usual_net(interface: String) -> NetWish {
    let limits = Limits { down: i64::MAX, ..HUNDREDTHS.limits((ERRORS, ERRORS)) };
    NetWish { interface, limits }
}

fn sensor(table: &mut Keys<'_>, sheet: &mut Sheet<'_>) -> Option<SensorWish> {
    let Scale { most, .. } = super::DEGREES;
    let mut limit = |table: &mut Keys<'_>, key| {
        let given = table.has(key);
        let limit = table.number(sheet, key, 1..=most, 1);
        given.then_some(limit)
    };
    let (degraded, down) = (limit(table, "degraded"), limit(table, "down"));
    if let (Some(degraded), Some(down)) = (degraded, down)
        && degraded >= down
    {
        let problem = format!("degraded ({degraded}) must be below down ({down})");
        sheet.wrong(&table.place(), problem, None);
    }
    let (sensor, place) = table.needed(sheet, "sensor")?;
    if format!("temperature:{sensor}").parse::<picket_proto::Name>().is_err() || sensor.contains('/') {
        let better = "see /sys/class/hwmon/*/name and /sys/class/thermal/*/type".to_owned();
        sheet.wrong(&place, "is no name of a sensor", Some(better));
        return None;
    }
    Some(SensorWish { sensor: sensor.to_owned(), degraded, down })
}
