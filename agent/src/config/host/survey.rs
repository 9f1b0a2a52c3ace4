//! What of `[host]` there is on this host: looked at once, when the file is read.
//!
//! Of what nobody named only that is watched which is well at this moment, so that a quiet host alarms about nothing: an
//! interface without a cable, a line of fstab that was never mounted, a sensor that can't be read are told as notes.
//! Images that can only be read (a CD-ROM, a snap) are always full, and an automount would be mounted by being looked
//! at: neither is watched unasked. At most 32 of each, as in the file. What the kernel does not offer is a note. When
//! the file is read again, what was [`Seen`] at the start counts as well: what went bad since is watched on.

use super::super::CHECKS_MAX;
use super::super::check::{Check, Target};
use super::seen::Seen;
use super::wish::{Access, MountWish, NetWish, SensorWish, Which, Wish, usual_net};
use super::{DEGREES, Found, Limits, MOUNTS_MAX, Part, Sensor, Side};
use crate::probe::mount::{Mounted, mounts, unescaped, wanted};
use crate::probe::{net, temperature};
use crate::{open, sorted};
use picket_proto::Span;
use picket_proto::event::CheckKind;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Filesystems that are images: always full, never writable.
const IMAGES: [&str; 6] = ["squashfs", "iso9660", "udf", "erofs", "cramfs", "romfs"];
/// What fstab may name that holds nothing.
const HOLLOW: [&str; 6] = ["swap", "proc", "sysfs", "devpts", "devtmpfs", "cgroup2"];
/// °C that are degraded and down where the sensor says none.
const USUAL: (u32, u32) = (85, 95);
/// From degraded to down where the sensor says one of the two, °C.
const APART: u32 = 10;

/// Where the host is looked at: its root, or a tree that looks like one.
pub(in crate::config) struct Ground(pub(in crate::config) PathBuf);

impl Ground {
    fn at(&self, path: &str) -> PathBuf {
        self.0.join(path)
    }

    fn text(&self, path: &str) -> String {
        open::text(self.at(path)).unwrap_or_default()
    }

    fn folders(&self, path: &str) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(self.at(path)).into_iter().flatten();
        let mut all: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
        all.sort_unstable();
        all
    }
}

/// Makes checks of what is wished for, and says what is not watched. `before` is what the last reading of this run saw.
pub(in crate::config) fn settle(
    wish: &Wish,
    checks: &mut Vec<Check>,
    ground: &Ground,
    before: &Seen,
) -> (Vec<String>, Seen) {
    let mut notes = Vec::new();
    pressures(checks, ground, &mut notes);
    let table = mounts(&ground.text("proc/self/mountinfo"));
    full_images(wish, checks, &table);
    let mut seen = Seen::default();
    let mut found = watched_mounts(wish, &table, ground, before, &mut notes);
    seen.saw(&found, matches!(wish.mounts, Which::Usual));
    for (is_usual, all) in [
        (matches!(wish.nets, Which::Usual), watched_nets(wish, ground, before, &mut notes)),
        (matches!(wish.sensors, Which::Usual), watched_sensors(wish, ground, before)),
    ] {
        seen.saw(&all, is_usual);
        found.extend(all);
    }
    add(found, wish, checks, &mut notes);
    (notes, seen)
}

fn add(found: Vec<Found>, wish: &Wish, checks: &mut Vec<Check>, notes: &mut Vec<String>) {
    let mut names = sorted::set(checks.iter().map(|check| check.name().to_string()));
    for one in found {
        let called = one.name.clone();
        match one.check(wish.interval, wish.at) {
            Some(check) if checks.len() < CHECKS_MAX && names.insert(check.name().to_string()) => {
                checks.push(check);
            }
            Some(_) | None => notes.push(format!("{called} is not watched: its name is too long or taken")),
        }
    }
}

fn pressures(checks: &mut Vec<Check>, ground: &Ground, notes: &mut Vec<String>) {
    let is_offered = std::fs::read_to_string(ground.at("proc/pressure/cpu")).is_ok();
    let before = checks.len();
    if !is_offered {
        checks.retain(|check| !matches!(check.target, Target::Host(Part::Pressure(_))));
    }
    if checks.len() < before {
        notes.push(
            "pressure is not watched: not offered by this kernel (psi=1 on its command line)".to_owned(),
        );
    }
}

/// A root that is an image is always full.
fn full_images(wish: &Wish, checks: &mut Vec<Check>, table: &[Mounted]) {
    let root = table.iter().rev().find(|one| one.point == "/");
    if root.is_some_and(|root| IMAGES.contains(&root.kind.as_str())) {
        let goes =
            |name: &str| (wish.usual_space && name == "space:/") || (wish.usual_inodes && name == "inodes:/");
        checks.retain(|check| !goes(check.name().as_str()));
    }
}

/// A line of fstab.
struct Line {
    point: String,
    writable: bool,
    /// Whether it is to be mounted at boot, and stays.
    stays: bool,
}

fn fstab(ground: &Ground) -> Vec<Line> {
    let text = ground.text("etc/fstab");
    let held = wanted(&text).filter(|line| !HOLLOW.contains(&line.kind));
    let meant = held.map(|line| {
        let last = line.options().rev().find(|option| matches!(*option, "ro" | "rw"));
        let is_image = IMAGES.contains(&line.kind);
        Line {
            point: unescaped(line.point),
            writable: last != Some("ro") && !is_image,
            stays: !is_image && !line.waits(),
        }
    });
    meant.collect()
}

fn watched_mounts(
    wish: &Wish,
    table: &[Mounted],
    ground: &Ground,
    before: &Seen,
    notes: &mut Vec<String>,
) -> Vec<Found> {
    let fstab = fstab(ground);
    let mounted = |point: &str| table.iter().rev().find(|one| one.point == point);
    let as_found = |point: &str| {
        let line = fstab.iter().rev().find(|line| line.point == point);
        let found = || mounted(point).is_some_and(|one| one.writable);
        line.map_or_else(|| before.was_writable(point).unwrap_or_else(found), |line| line.writable)
    };
    let wishes = match &wish.mounts {
        Which::Named(named) => named.clone(),
        Which::Usual => {
            let is_there = |point: &str| mounted(point).is_some() || before.has(&mount_name(point));
            usual_mounts(&fstab, &is_there, notes)
        }
    };
    let found = wishes.into_iter().take(MOUNTS_MAX).map(|MountWish { mount, access }| {
        let writable = match access {
            Access::Writable => true,
            Access::Any => false,
            Access::AsFound => as_found(&mount),
        };
        let name = mount_name(&mount);
        Found {
            name,
            kind: CheckKind::Mount,
            target: Target::Host(Part::Mount { mount, writable }),
            limits: None,
            full_within: Span::ZERO,
            unusual: Span::ZERO,
        }
    });
    found.collect()
}

fn mount_name(point: &str) -> String {
    format!("mount:{point}")
}

fn usual_mounts(fstab: &[Line], is_there: &impl Fn(&str) -> bool, notes: &mut Vec<String>) -> Vec<MountWish> {
    let mut points: Vec<&str> = is_there("/").then_some("/").into_iter().collect();
    for line in fstab.iter().filter(|line| line.stays && line.point != "/") {
        if is_there(&line.point) {
            points.push(&line.point);
        } else {
            let (point, key) = (&line.point, "[host] mount");
            notes.push(format!(
                "{point} is in /etc/fstab, but was not mounted at the start: name it in {key} to watch it"
            ));
        }
    }
    points.dedup();
    points.into_iter().map(|point| MountWish { mount: point.to_owned(), access: Access::AsFound }).collect()
}

fn watched_nets(wish: &Wish, ground: &Ground, before: &Seen, notes: &mut Vec<String>) -> Vec<Found> {
    let found = |NetWish { interface, limits }: NetWish| {
        Found::new(net_name(&interface), CheckKind::Net, Target::Host(Part::Net { interface }), limits)
    };
    match &wish.nets {
        Which::Named(named) => named.iter().take(MOUNTS_MAX).cloned().map(found).collect(),
        Which::Usual => {
            let well = usual_nets(ground, before, notes).into_iter().map(found).collect();
            before.kept(CheckKind::Net, well)
        }
    }
}

fn net_name(interface: &str) -> String {
    format!("net:{interface}")
}

fn usual_nets(ground: &Ground, before: &Seen, notes: &mut Vec<String>) -> Vec<NetWish> {
    let mut wishes = Vec::new();
    for folder in ground.folders("sys/class/net").into_iter().filter(|folder| folder.join("device").exists())
    {
        let Some(name) = folder.file_name().and_then(|name| name.to_str()) else { continue };
        if net::has_link(&folder) {
            wishes.push(usual_net(name.to_owned()));
        } else if !before.has(&net_name(name)) {
            notes.push(format!("{name} had no link at the start: name it in [host] net to watch it"));
        }
    }
    wishes
}

/// Chips, or zones where there is no chip; each with its name.
fn sensors(ground: &Ground) -> Vec<Sensor> {
    let of = |path: &str, file: &str| -> Vec<Sensor> {
        let folders = ground.folders(path).into_iter().filter(|folder| temperature::hottest(folder).is_ok());
        let named = folders.filter_map(|folder| {
            let name = std::fs::read_to_string(folder.join(file)).ok()?.trim().to_owned();
            (!name.is_empty()).then_some(Sensor { name, folder })
        });
        named.collect()
    };
    let mut all = of("sys/class/hwmon", "name");
    all.extend(of("sys/class/thermal", "type"));
    all
}

fn watched_sensors(wish: &Wish, ground: &Ground, before: &Seen) -> Vec<Found> {
    let there = sensors(ground);
    match &wish.sensors {
        Which::Named(named) if named.is_empty() => Vec::new(),
        Which::Named(named) => named.iter().flat_map(|wish| named_sensor(wish, &there)).collect(),
        Which::Usual => {
            let is_chip = |one: &Sensor| one.folder.parent().is_some_and(|parent| parent.ends_with("hwmon"));
            let has_chip = there.iter().any(is_chip);
            let usual = there.iter().filter(|one| !has_chip || is_chip(one));
            let mut names = BTreeSet::new();
            let found = usual.map(|one| sensor(one.clone(), !names.insert(one.name.clone()), (None, None)));
            before.kept(CheckKind::Temperature, found.collect())
        }
    }
}

/// Every chip of that name; where there is none, one that is absent.
fn named_sensor(wish: &SensorWish, there: &[Sensor]) -> Vec<Found> {
    let own = (wish.degraded, wish.down);
    let of = there.iter().filter(|one| one.name == wish.sensor);
    let all: Vec<Found> = of.enumerate().map(|(at, one)| sensor(one.clone(), at > 0, own)).collect();
    if !all.is_empty() {
        return all;
    }
    vec![sensor(Sensor { name: wish.sensor.clone(), folder: PathBuf::new() }, false, own)]
}

/// A second one of the same name is told apart by its folder.
fn sensor(sensor: Sensor, second: bool, given: (Option<u32>, Option<u32>)) -> Found {
    let folder = sensor.folder.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let name = if second {
        format!("temperature:{}:{folder}", sensor.name)
    } else {
        format!("temperature:{}", sensor.name)
    };
    let limits = sensor_limits(&sensor.folder, given);
    Found::new(name, CheckKind::Temperature, Target::Host(Part::Temperature(sensor)), limits)
}

fn sensor_limits(folder: &Path, given: (Option<u32>, Option<u32>)) -> Limits {
    let own = temperature::own_limits(folder);
    let down = given.1.or(own.down).unwrap_or_else(|| USUAL.1.max(given.0.map_or(0, |it| it + APART)));
    let below = |limit: &u32| *limit < down;
    let usual = if own.down.is_some() { down.saturating_sub(APART) } else { USUAL.0 };
    let degraded =
        given.0.or(own.degraded).filter(below).unwrap_or_else(|| usual.min(down.saturating_sub(1)));
    Limits { bad: Side::Above, ..DEGREES.limits((degraded, down)) }
}

#[cfg(test)]
mod tests;
