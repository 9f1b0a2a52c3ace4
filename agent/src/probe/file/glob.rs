//! Paths by pattern: `*`, `?` and `[a-z]`, `[!a-z]` within one name, as a shell has them; `*` and `?` pass over names
//! with a leading dot.
//!
//! At most 10,000 names are read for one look; a folder with more is told as an error, not half looked at. Folders that
//! can't be entered count as such, too, unless they are not there. Left out: `**` and braces.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

const NAMES_MAX: usize = 10_000;

/// What a pattern matches, in no order; a path without pattern is itself, there or not.
pub(super) fn matches(pattern: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = vec![PathBuf::new()];
    let mut names = 0;
    for part in pattern.components() {
        let Component::Normal(name) = part else {
            found.iter_mut().for_each(|path| path.push(part));
            continue;
        };
        if !name.as_bytes().iter().any(|byte| b"*?[".contains(byte)) {
            found.iter_mut().for_each(|path| path.push(name));
            continue;
        }
        let mut deeper = Vec::new();
        for folder in found {
            for name in inside(&folder, name, &mut names)? {
                deeper.push(folder.join(name));
            }
        }
        found = deeper;
    }
    Ok(found)
}

fn inside(folder: &Path, pattern: &OsStr, names: &mut usize) -> io::Result<Vec<OsString>> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if super::is_absent(&error) => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut found = Vec::new();
    for entry in entries {
        *names += 1;
        if *names > NAMES_MAX {
            return Err(io::Error::from_raw_os_error(libc::E2BIG));
        }
        let name = entry?.file_name();
        if fits(pattern.as_bytes(), name.as_bytes()) {
            found.push(name);
        }
    }
    Ok(found)
}

fn fits(pattern: &[u8], name: &[u8]) -> bool {
    (name.first() != Some(&b'.') || pattern.first() == Some(&b'.')) && fits_on(pattern, name)
}

/// One star remembers where it stands, so that no name costs more than its length times the pattern's.
fn fits_on(pattern: &[u8], name: &[u8]) -> bool {
    let (mut p, mut n) = (0, 0);
    let mut star = None;
    while n < name.len() {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p + 1, n));
                p += 1;
                continue;
            }
            Some(_) => {
                if let Some(taken) = one(&pattern[p..], name[n]) {
                    (p, n) = (p + taken, n + 1);
                    continue;
                }
            }
            None => {}
        }
        let Some((after, from)) = star else { return false };
        star = Some((after, from + 1));
        (p, n) = (after, from + 1);
    }
    pattern[p..].iter().all(|byte| *byte == b'*')
}

/// How much of the pattern one byte takes, if it fits. A bracket that is not closed stands for itself.
fn one(pattern: &[u8], byte: u8) -> Option<usize> {
    match pattern {
        [b'?', ..] => Some(1),
        [b'[', set @ ..] => {
            let (negated, inside) = match set {
                [b'!' | b'^', rest @ ..] => (true, rest),
                all => (false, all),
            };
            // A closing bracket that comes first is one of the set.
            let end = inside.iter().skip(1).position(|byte| *byte == b']').map(|at| at + 1);
            match end {
                Some(end) => {
                    let taken = pattern.len() - inside.len() + end + 1;
                    (is_in(&inside[..end], byte) != negated).then_some(taken)
                }
                None => (byte == b'[').then_some(1),
            }
        }
        [literal, ..] => (*literal == byte).then_some(1),
        [] => None,
    }
}

fn is_in(set: &[u8], byte: u8) -> bool {
    let mut left = set;
    while let Some((first, rest)) = left.split_first() {
        if let [b'-', last, more @ ..] = rest {
            if (*first..=*last).contains(&byte) {
                return true;
            }
            left = more;
        } else {
            if *first == byte {
                return true;
            }
            left = rest;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_a_shells() {
        for (pattern, yes, no) in [
            ("*.gz", &["a.gz", "a.b.gz", ".gz2.gz"][..2], &[".gz", "a.gzz", "gz"][..]),
            ("db-????.sql", &["db-2026.sql"], &["db-206.sql", "db-20261.sql"]),
            ("[a-c]*[!0-9]", &["ax", "b-", "ab1c"], &["dx", "a1", "a"]),
            ("a[]x]b", &["a]b", "axb"], &["ayb"]),
            ("[ab", &["[ab"], &["a", "b"]),
            ("*a*b*c", &["abc", "xaxbxc", "aabbabc"], &["acb", "abcx"]),
            (".*", &[".hidden"], &["shown"]),
        ] {
            for name in yes {
                assert!(fits(pattern.as_bytes(), name.as_bytes()), "{pattern} {name}");
            }
            for name in no {
                assert!(!fits(pattern.as_bytes(), name.as_bytes()), "{pattern} {name}");
            }
        }
    }

    #[test]
    fn a_name_that_nearly_fits_again_and_again_does_not_take_for_ever() {
        assert!(!fits("*a*a*a*a*a*a*a*a*a*ab".as_bytes(), "a".repeat(250).as_bytes()));
    }

    #[test]
    fn a_folder_with_too_many_names_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        for n in 0..=NAMES_MAX {
            std::fs::write(folder.path().join(n.to_string()), "").unwrap();
        }
        assert_eq!(matches(&folder.path().join("1*")).unwrap_err().raw_os_error(), Some(libc::E2BIG));
    }
}
