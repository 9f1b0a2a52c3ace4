//! `enabled` and `when`: whether a service or a check is for this host, so that one file serves hosts that differ.
//!
//! `when` is looked at when the file is read: at a start, at a reload, by `check` and `explain`. A unit is there if
//! systemd would find a file for it (of `name@instance` that of `name@`), enabled or not; a mask alone is none. Where it
//! is looked for is systemd's own list of folders for the system's or the user's units, or `SYSTEMD_UNIT_PATH`.
//! Whatever else the table says is checked on every host: a mistake must not wait for the host that it is meant for.

use super::BusAddress;
use super::read::{Keys, Sheet};
use std::path::{Path, PathBuf};

/// Where systemd looks for the system's units.
const SYSTEM: [&str; 8] = [
    "/etc/systemd/system",
    "/run/systemd/system",
    "/run/systemd/transient",
    "/run/systemd/generator",
    "/run/systemd/generator.late",
    "/usr/local/lib/systemd/system",
    "/usr/lib/systemd/system",
    "/lib/systemd/system",
];
/// Where a user's units are beside the home folder.
const USER: [&str; 4] =
    ["/etc/systemd/user", "/run/systemd/user", "/usr/local/lib/systemd/user", "/usr/lib/systemd/user"];

/// What the host is looked at for.
pub(super) struct Host {
    units: Vec<PathBuf>,
}

impl Host {
    /// This host, with the units of this bus.
    pub(super) fn new(bus: &BusAddress) -> Self {
        if let Some(path) = std::env::var_os("SYSTEMD_UNIT_PATH").filter(|path| !path.is_empty()) {
            return Self { units: std::env::split_paths(&path).collect() };
        }
        let below = |name: &str, rest: &str| std::env::var_os(name).map(|at| Path::new(&at).join(rest));
        let units = match bus {
            BusAddress::User => {
                let own = [below("HOME", ".config/systemd/user"), below("HOME", ".local/share/systemd/user")];
                own.into_iter().flatten().chain(USER.map(PathBuf::from)).collect()
            }
            BusAddress::System | BusAddress::At(_) => SYSTEM.map(PathBuf::from).to_vec(),
        };
        Self { units }
    }

    /// A host whose units are in this folder.
    #[cfg(test)]
    pub(super) fn with_units(folder: &Path) -> Self {
        Self { units: vec![folder.to_path_buf()] }
    }

    pub(super) fn has_unit(&self, unit: &str) -> bool {
        let template = unit.split_once('@').and_then(|(name, instance)| {
            instance.rsplit_once('.').map(|(_, kind)| format!("{name}@.{kind}"))
        });
        let names = [Some(unit.to_owned()), template];
        let files = names.iter().flatten().flat_map(|name| self.units.iter().map(move |at| at.join(name)));
        files.into_iter().any(|file| std::fs::metadata(file).is_ok_and(|found| found.is_file()))
    }
}

/// Why a table is not for this host; nothing where it is.
pub(super) fn read(keys: &mut Keys<'_>, sheet: &mut Sheet<'_>, host: &Host) -> Option<String> {
    let off = (!keys.flag(sheet, "enabled", true)).then(|| "enabled = false".to_owned());
    let Some(mut when) = keys.table(sheet, "when") else { return off };
    let unit = when.text(sheet, "unit");
    let file = when.text(sheet, "file");
    if unit.is_none() && file.is_none() {
        let better = "write when = { unit = \"nginx.service\" } or when = { file = \"/etc/nginx\" }";
        sheet.wrong(&when.place(), "says neither unit nor file", Some(better.to_owned()));
    }
    if let Some((unit, place)) = &unit
        && (!unit.contains('.') || unit.contains('/'))
    {
        let better = format!("write \"{unit}.service\"");
        sheet.wrong(place, "is no name of a unit", Some(better).filter(|_| !unit.contains('/')));
    }
    if let Some((file, place)) = &file
        && !file.starts_with('/')
    {
        sheet.wrong(place, "must be a path from the root", None);
    }
    when.finish(sheet);
    let no_unit = unit.filter(|(unit, _)| !host.has_unit(unit));
    let no_unit = no_unit.map(|(unit, _)| format!("this host has no unit {unit}"));
    let no_file = file.filter(|(file, _)| !Path::new(file).exists());
    let no_file = no_file.map(|(file, _)| format!("this host has no {file}"));
    off.or(no_unit).or(no_file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_unit_is_there_by_its_file_its_template_and_not_by_a_mask_or_a_link_to_nowhere() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::fs::write(at("nginx.service"), "").unwrap();
        std::fs::write(at("redis@.service"), "").unwrap();
        std::os::unix::fs::symlink("nginx.service", at("www.service")).unwrap();
        std::os::unix::fs::symlink("/dev/null", at("masked.service")).unwrap();
        std::os::unix::fs::symlink("/nonexistent", at("gone.service")).unwrap();
        let host = Host::with_units(folder.path());
        for there in ["nginx.service", "redis@main.service", "www.service"] {
            assert!(host.has_unit(there), "{there}");
        }
        for not in ["masked.service", "gone.service", "apache2.service", "nginx@x.service"] {
            assert!(!host.has_unit(not), "{not}");
        }
    }
}
