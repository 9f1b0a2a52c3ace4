//! Copies of data in one folder: how many, how old and how large the newest is, how large those before it were; and the
//! drill that proves that a copy gives the data back. What that means is weighed by the core.
//!
//! A copy is an entry of the folder whose name the pattern fits; as in a shell `*` fits no name with a leading dot, so a
//! copy under way may be called so. `lost+found` is none, nor a link to another copy of the folder. Of a copy that is a folder itself only the age counts: its date, since adding up a
//! tree is no small thing. A folder with more than 100,000 entries is not read to its end.
//!
//! [`drill`] says how that is begun and kept.

mod drill;

use super::{Reading, Seen};
use crate::clock;
use crate::config::Backup;
use crate::program::Seat;
use drill::{Drills, Newest};
use picket_agent_core::past::{BEFORE, Copies};
use picket_proto::Text;
use picket_proto::event::Cause;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

const ENTRIES: usize = 100_000;

/// One copy.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Copy {
    /// Seconds of the wall clock.
    made: i64,
    name: String,
    /// None of a folder.
    size: Option<u64>,
}

/// Looks at the copies, and begins a drill where one is due; `asked` by a person that may be sooner. For a thread of its
/// own.
pub(super) fn read(backup: &Backup, check: &str, state: &Path, (seat, asked): (&Seat, bool)) -> Seen {
    let (folder, pattern) = place(backup);
    let copies = match find(&folder, pattern) {
        Ok(copies) => copies,
        Err(error) => return failed(&folder, &error),
    };
    let drills = backup.drill.as_ref().map(|_| Drills::of(state, check));
    if let (Some(drill), Some(drills), Some(newest)) = (&backup.drill, &drills, copies.last()) {
        let newest = Newest { path: folder.join(&newest.name), made: newest.made };
        drills.see_to(drill, &newest, asked, seat);
    }
    let status = drills.as_ref().map_or(0, Drills::status);
    Seen { said: words(&copies, drills.as_ref()), ..weigh(backup, &copies, status).into() }
}

fn weigh(backup: &Backup, copies: &[Copy], drill: i32) -> Reading {
    let now = clock::now().wall.micros().div_euclid(1_000_000);
    let newest = copies.last();
    let earlier = copies.iter().rev().skip(1).filter_map(|copy| copy.size);
    let mut before: Vec<u64> = earlier.take(BEFORE).collect();
    before.sort_unstable();
    let found = Copies {
        found: u32::try_from(copies.len()).unwrap_or(u32::MAX),
        age: newest.map_or(0, |copy| now - copy.made),
        size: newest.and_then(|copy| copy.size).unwrap_or(u64::MAX),
        before: &before,
        drill,
    };
    found.weigh(backup.wanted, Some(backup.limits))
}

fn words(copies: &[Copy], drills: Option<&Drills>) -> String {
    let Some(newest) = copies.last() else { return String::new() };
    if let Some(words) = drills.and_then(Drills::words) {
        return Text::new(&words).as_str().to_owned();
    }
    let size = newest.size.map_or_else(|| "a folder".to_owned(), |bytes| format!("{bytes} bytes"));
    Text::new(&format!("{} copies, the newest {}, {size}", copies.len(), newest.name)).as_str().to_owned()
}

/// In which folder the copies are, and what they are called.
fn place(backup: &Backup) -> (PathBuf, &str) {
    let whole = backup.folder.join(&backup.pattern);
    let is_plain = !backup.pattern.contains(['*', '?']);
    if is_plain && whole.is_dir() { (whole, "*") } else { (backup.folder.clone(), &backup.pattern) }
}

/// All copies, the newest last.
fn find(folder: &Path, pattern: &str) -> io::Result<Vec<Copy>> {
    let mut found = Vec::new();
    for (at, entry) in std::fs::read_dir(folder)?.enumerate() {
        if at == ENTRIES {
            return Err(io::Error::other("has more than 100000 entries"));
        }
        let entry = entry?;
        let Ok(name) = entry.file_name().into_string() else { continue };
        let is_link = entry.file_type().is_ok_and(|kind| kind.is_symlink());
        if !is_copy(pattern, &name) || (is_link && is_twice(folder, pattern, &entry.path())) {
            continue;
        }
        // One that a rotation has just removed is none.
        let Ok(about) = std::fs::metadata(entry.path()) else { continue };
        let size = (!about.is_dir()).then_some(about.len());
        found.push(Copy { made: about.mtime(), name, size });
    }
    found.sort_unstable();
    Ok(found)
}

fn is_copy(pattern: &str, name: &str) -> bool {
    fits(pattern.as_bytes(), name.as_bytes()) && name != "lost+found"
}

/// Whether a link leads to a copy that counts by its own name, as `latest` does.
fn is_twice(folder: &Path, pattern: &str, link: &Path) -> bool {
    let (Ok(target), Ok(folder)) = (link.canonicalize(), folder.canonicalize()) else { return false };
    let name = target.file_name().and_then(|name| name.to_str());
    target.parent() == Some(&folder) && name.is_some_and(|name| is_copy(pattern, name))
}

/// What it means that the folder can't be read: one that is not there holds no copy.
fn failed(folder: &Path, error: &io::Error) -> Seen {
    let cause = match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Cause::Absent,
        _ => Cause::Local(error.raw_os_error().unwrap_or(libc::E2BIG)),
    };
    let said = format!("{}: {error}", folder.display());
    Seen::new(Reading::Bad(cause), Text::new(&said).as_str())
}

/// Whether a name fits a pattern of `*` and `?`. In the square of their lengths at worst.
fn fits(pattern: &[u8], name: &[u8]) -> bool {
    if name.first() == Some(&b'.') && pattern.first() != Some(&b'.') {
        return false;
    }
    let (mut p, mut n, mut star) = (0, 0, None);
    while n < name.len() {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p, n));
                p += 1;
            }
            Some(want) if *want == b'?' || *want == name[n] => {
                p += 1;
                n += 1;
            }
            Some(_) | None => {
                let Some((at, taken)) = star else { return false };
                star = Some((at, taken + 1));
                p = at + 1;
                n = taken + 1;
            }
        }
    }
    pattern[p..].iter().all(|rest| *rest == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;
    use picket_agent_core::check::{Limits, Side};
    use picket_agent_core::past::Wanted;
    use std::os::unix::fs::symlink;

    #[test]
    fn names_fit_patterns_as_in_a_shell() {
        for (pattern, name, does) in [
            ("*", "a", true),
            ("*", ".part", false),
            (".p*", ".part", true),
            ("db-*.gz", "db-2026.gz", true),
            ("db-*.gz", "db-2026.gz.part", false),
            ("*a*b*c", "xxaxxbxxbxc", true),
            ("*a*b*c", "xxaxxbxxbx", false),
            ("d?", "db", true),
            ("d?", "d", false),
            ("", "a", false),
        ] {
            assert_eq!(fits(pattern.as_bytes(), name.as_bytes()), does, "{pattern} {name}");
        }
    }

    #[test]
    fn a_copy_counts_once_and_by_its_own_name() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let names = |pattern| -> Vec<String> {
            let found = find(folder.path(), pattern).unwrap();
            found.into_iter().map(|copy| copy.name).collect()
        };
        std::fs::create_dir(at("lost+found")).unwrap();
        std::fs::write(at("db-1"), "1").unwrap();
        symlink("db-1", at("latest")).unwrap();
        assert_eq!(names("*"), ["db-1"]);
        assert_eq!(names("latest"), ["latest"], "it is all that is looked at");
        symlink("/proc/self/status", at("away")).unwrap();
        assert_eq!(names("*").len(), 2, "what it leads to lies elsewhere");
    }

    #[test]
    fn a_name_without_a_pattern_is_a_folder_of_copies_where_it_is_a_folder_and_else_a_copy() {
        let folder = tempfile::tempdir().unwrap();
        let limits = Limits { degraded: 60, down: 60, bad: Side::Above };
        let wanted = Wanted { copies: 1, min_size: 1, least_percent: 0 };
        let (pattern, folder) = ("data".to_owned(), folder.path());
        let backup = Backup { folder: folder.to_path_buf(), pattern, wanted, limits, drill: None };
        let look = || read(&backup, "b", folder, (&Seat::default(), false)).reading;
        assert_eq!(look(), Reading::Bad(Cause::Absent));
        std::fs::create_dir(folder.join("data")).unwrap();
        assert_eq!(look(), Reading::Bad(Cause::Absent), "an empty folder holds none");
        std::fs::write(folder.join("data/one"), "1").unwrap();
        assert!(matches!(look(), Reading::Level(_)));
        std::fs::remove_dir_all(folder.join("data")).unwrap();
        assert_eq!(look(), Reading::Bad(Cause::Absent), "whose folder is gone");
        std::fs::write(folder.join("data"), "1").unwrap();
        assert!(matches!(look(), Reading::Level(_)));
        let below = Backup { folder: folder.join("data"), ..backup.clone() };
        assert_eq!(read(&below, "b", folder, (&Seat::default(), false)).reading, Reading::Bad(Cause::Absent));
    }
}
