//! Copies of data in one folder: how many, how old and how large the newest is, how large those before it were; and the
//! drill that proves that a copy gives the data back. What that means is weighed by the core.
//!
//! A copy is an entry of the folder whose name the pattern fits; as in a shell `*` fits no name with a leading dot, so a
//! copy under way may be called so. Of a copy that is a folder itself only the age counts: its date, since adding up a
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
use std::path::Path;

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
    let copies = match find(backup) {
        Ok(copies) => copies,
        Err(error) => {
            let errno = error.raw_os_error().unwrap_or(libc::E2BIG);
            let said = format!("{}: {error}", backup.folder.display());
            return Seen {
                said: Text::new(&said).as_str().to_owned(),
                ..Reading::Bad(Cause::Local(errno)).into()
            };
        }
    };
    let drills = backup.drill.as_ref().map(|_| Drills::of(state, check));
    if let (Some(drill), Some(drills), Some(newest)) = (&backup.drill, &drills, copies.last()) {
        let newest = Newest { path: backup.folder.join(&newest.name), made: newest.made };
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

/// All copies, the newest last.
fn find(backup: &Backup) -> io::Result<Vec<Copy>> {
    let mut found = Vec::new();
    for (at, entry) in std::fs::read_dir(&backup.folder)?.enumerate() {
        if at == ENTRIES {
            return Err(io::Error::other("has more than 100000 entries"));
        }
        let entry = entry?;
        let Ok(name) = entry.file_name().into_string() else { continue };
        if !fits(backup.pattern.as_bytes(), name.as_bytes()) {
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
}
