//! What changed around units that are gone: packages, files of units, configuration.
//!
//! A unit's file that was removed, and a link that `disable` took away, show by the time of the folder that it was in;
//! what was written, by its own. Configuration is what lies below `/etc/NAME`, 512 entries and three folders deep at most,
//! and `/etc/default/NAME`. The newest of each is named.

use crate::probe::packages::{age, traces as packages};
use picket_agent_core::baseline::Trace;
use picket_proto::event::ChangeKind;
use picket_proto::{Span, Text, Wall};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

const ENTRIES_MAX: usize = 512;
const DEPTH_MAX: usize = 3;

/// Where to look.
#[derive(Debug, Clone, Default)]
pub(super) struct Places {
    /// The units that are gone.
    pub(super) units: Vec<String>,
    /// Where the files of units are, or were.
    pub(super) paths: BTreeMap<String, PathBuf>,
    /// The folders that systemd reads units from.
    pub(super) folders: Vec<PathBuf>,
    /// The control group that systemd's units are below, once it has said so.
    pub(super) root: Option<String>,
}

/// Looks.
pub(super) fn look(places: &Places, wall: Wall) -> Vec<Trace> {
    let mut all = packages(wall);
    for unit in &places.units {
        let newest = |found: Vec<(PathBuf, Span)>| found.into_iter().min_by_key(|(_, ago)| *ago);
        let mut add = |kind, found: Option<(PathBuf, Span)>| {
            all.extend(found.map(|(path, ago)| Trace { kind, name: shown(&path), ago }));
        };
        add(ChangeKind::UnitFile, newest(of_unit(unit, places, wall)));
        add(ChangeKind::Config, newest(of_config(unit, Path::new("/etc"), wall)));
    }
    all
}

/// A path as text; of one that is too long the end, which tells more.
fn shown(path: &Path) -> Text {
    let text = path.to_string_lossy();
    let room = picket_proto::text::TEXT_MAX - 2;
    match text.len().checked_sub(room) {
        Some(cut) if cut > 0 => Text::new(&format!("..{}", &text[text.ceil_char_boundary(cut)..])),
        Some(_) | None => Text::new(&text),
    }
}

/// The unit's file, its drop-ins, and its links in the folders that enable it.
fn of_unit(unit: &str, places: &Places, wall: Wall) -> Vec<(PathBuf, Span)> {
    let own = places.paths.get(unit).and_then(|path| path.parent()).map(Path::to_path_buf);
    // What generators wrote is new with each reload of systemd, whoever asked for that: no change of anybody's.
    let folders =
        own.into_iter().chain(places.folders.iter().cloned()).filter(|folder| !is_generated(folder));
    let mut found = Vec::new();
    for folder in folders {
        // Of a folder that may never have had it, its own time tells nothing.
        let had = places.paths.get(unit).is_some_and(|path| path.parent() == Some(&folder));
        entry(&folder.join(unit), had, wall, &mut found);
        found.extend(file_age(folder.join(format!("{unit}.d")), wall));
        let wants = std::fs::read_dir(&folder).into_iter().flatten().flatten().map(|entry| entry.path());
        let is_wants =
            |path: &PathBuf| path.extension().is_some_and(|end| end == "wants" || end == "requires");
        for wants in wants.take(ENTRIES_MAX).filter(is_wants) {
            entry(&wants.join(unit), true, wall, &mut found);
        }
    }
    found
}

fn is_generated(folder: &Path) -> bool {
    folder.file_name().is_some_and(|name| name.to_string_lossy().starts_with("generator"))
}

/// The age of an entry; where it is gone, that of its folder.
fn entry(path: &Path, may_be_gone: bool, wall: Wall, found: &mut Vec<(PathBuf, Span)>) {
    let own = age(path, wall);
    let folder = || path.parent().filter(|_| may_be_gone).and_then(|folder| age(folder, wall));
    found.extend(own.or_else(folder).map(|ago| (path.to_path_buf(), ago)));
}

fn file_age(path: PathBuf, wall: Wall) -> Option<(PathBuf, Span)> {
    age(&path, wall).map(|ago| (path, ago))
}

/// What lies below the folder that is called as the unit is.
fn of_config(unit: &str, etc: &Path, wall: Wall) -> Vec<(PathBuf, Span)> {
    let stem = unit.rsplit_once('.').map_or(unit, |(stem, _)| stem);
    let stem = stem.split('@').next().unwrap_or(stem);
    let mut found: Vec<_> = file_age(etc.join("default").join(stem), wall).into_iter().collect();
    walk(&etc.join(stem), DEPTH_MAX, wall, &mut found);
    // redis-server has /etc/redis.
    if let Some((front, _)) = stem.split_once('-') {
        walk(&etc.join(front), DEPTH_MAX, wall, &mut found);
    }
    found
}

fn walk(folder: &Path, depth: usize, wall: Wall, found: &mut Vec<(PathBuf, Span)>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        if found.len() >= ENTRIES_MAX {
            return;
        }
        let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
        if is_folder && depth > 1 {
            walk(&entry.path(), depth - 1, wall, found);
        } else if !is_folder {
            found.extend(file_age(entry.path(), wall));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock;
    use std::fs;

    #[test]
    fn a_removed_file_shows_by_its_folder_and_a_written_one_by_itself() {
        let folder = tempfile::tempdir().unwrap();
        let (units, wants) = (folder.path().join("units"), folder.path().join("units/x.target.wants"));
        fs::create_dir_all(&wants).unwrap();
        fs::write(units.join("web.service"), "").unwrap();
        std::os::unix::fs::symlink("../web.service", wants.join("web.service")).unwrap();
        let paths = BTreeMap::from([("web.service".to_owned(), units.join("web.service"))]);
        let folders = vec![units.clone(), folder.path().join("systemd/generator.late")];
        let places = Places { units: vec!["web.service".to_owned()], paths, folders, root: None };
        let generated = folder.path().join("systemd/generator.late/x.target.wants");
        fs::create_dir_all(&generated).unwrap();
        fs::write(generated.join("web.service"), "").unwrap();
        let named = || of_unit("web.service", &places, clock::now().wall);
        assert!(named().iter().any(|(path, _)| *path == units.join("web.service")));
        assert!(!named().iter().any(|(path, _)| path.starts_with(&generated)), "{:?}", named());
        fs::remove_file(units.join("web.service")).unwrap();
        fs::remove_file(wants.join("web.service")).unwrap();
        let now: Vec<_> = named().into_iter().map(|(path, _)| path).collect();
        assert!(
            now.contains(&wants.join("web.service")) && now.contains(&units.join("web.service")),
            "{now:?}"
        );
        let etc = folder.path().join("etc");
        fs::create_dir_all(etc.join("web/conf.d")).unwrap();
        fs::write(etc.join("web/conf.d/broken.conf"), "oops").unwrap();
        let config = of_config("web@1.service", &etc, clock::now().wall);
        assert_eq!(config[0].0, etc.join("web/conf.d/broken.conf"));
        assert!(config[0].1 < Span::from_secs(60));
    }

    #[test]
    fn of_a_long_path_the_end_is_shown() {
        let text = shown(Path::new(&format!("/etc/{}/the.conf", "x".repeat(300))));
        assert!(text.as_str().starts_with("..x") && text.as_str().ends_with("/the.conf"), "{text}");
    }
}
