//! What a log was called before: `app.log.1`, `app.log-20261129`, `app.log.old`, `app-20261129.log`, `app.1.log`.

use crate::open;
use std::fs::{File, Metadata};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

const NAMES_MAX: usize = 10_000;

/// Those of a log that are regular files, in no order; compressed ones are none.
#[derive(Debug)]
pub(super) struct Siblings(Vec<Sibling>);

#[derive(Debug)]
struct Sibling {
    path: PathBuf,
    /// Its number, and when it was made where that is known: numbers are given again.
    it: (u64, Option<Duration>),
    /// Whether only rotation calls files so: `app-2.log` may be the log of another one.
    is_behind: bool,
}

impl Siblings {
    /// None in a folder that can't be listed.
    pub(super) fn of(path: &Path) -> Self {
        let (Some(folder), Some(own)) = (path.parent(), path.file_name().and_then(|name| name.to_str()))
        else {
            return Self(Vec::new());
        };
        let entries = std::fs::read_dir(folder).into_iter().flatten().take(NAMES_MAX);
        let rotated = entries.filter_map(|entry| {
            let entry = entry.ok()?;
            let name = entry.file_name();
            let name = name.to_str().filter(|name| is_rotated(name, own))?;
            let of = std::fs::metadata(entry.path()).ok().filter(Metadata::is_file)?;
            let made = of.created().ok().and_then(|made| made.duration_since(UNIX_EPOCH).ok());
            let it = (of.ino(), made);
            Some(Sibling { path: entry.path(), it, is_behind: name.starts_with(own) })
        });
        Self(rotated.collect())
    }

    /// Those that can be read; another one's, or what has just gone, is passed over.
    pub(super) fn open(&self) -> impl Iterator<Item = (File, Metadata)> {
        self.0.iter().filter_map(Sibling::open)
    }

    /// Those that are rotated since `before` and were written to after `last` was, oldest first, without those that
    /// are `held`.
    pub(super) fn since(
        &self,
        before: Option<&Self>,
        last: &Metadata,
        held: &[u64],
    ) -> Vec<(File, Metadata)> {
        let changed = |of: &Metadata| (of.mtime(), of.mtime_nsec());
        let new = self.0.iter().filter(|sibling| self.is_new(sibling, before)).filter_map(Sibling::open);
        let mut found: Vec<_> =
            new.filter(|(_, of)| changed(of) >= changed(last) && !held.contains(&of.ino())).collect();
        found.sort_unstable_by_key(|(_, of)| changed(of));
        found
    }

    /// Whether it was not there `before`. Where that is not known, one that may be another's log is not.
    fn is_new(&self, sibling: &Sibling, before: Option<&Self>) -> bool {
        let Some(before) = before else { return sibling.is_behind };
        // Another's log that was rotated has a successor under its name, and went where no sibling is.
        let is_successor = || {
            let mut same_name = before.0.iter().filter(|earlier| earlier.path == sibling.path);
            same_name.any(|earlier| !self.has(earlier))
        };
        !before.has(sibling) && (sibling.is_behind || !is_successor())
    }

    fn has(&self, sibling: &Sibling) -> bool {
        self.0.iter().any(|one| one.it == sibling.it)
    }
}

impl Sibling {
    fn open(&self) -> Option<(File, Metadata)> {
        open::regular(&self.path).ok()
    }
}

fn is_rotated(name: &str, own: &str) -> bool {
    let between = |before: &str, after: &str| name.strip_prefix(before)?.strip_suffix(after).map(is_mark);
    let (stem, extension) = own.rfind('.').filter(|at| *at > 0).map_or((own, ""), |at| own.split_at(at));
    between(own, "") == Some(true) || (!extension.is_empty() && between(stem, extension) == Some(true))
}

/// A number or a date behind its separator.
fn is_mark(text: &str) -> bool {
    let Some(mark) = text.strip_prefix(['.', '-', '_']) else { return false };
    mark == "old"
        || (mark.starts_with(|c: char| c.is_ascii_digit())
            && mark.chars().all(|c| c.is_ascii_digit() || ".-_:TZ".contains(c)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_rotation_calls_a_log_is_its_sibling_and_nothing_else_is() {
        for name in [
            "app.log.1",
            "app.log-20261129",
            "app.log.old",
            "app-2026-11-29T18:00.log",
            "app.1.log",
            "app.log.2026-11-29_01",
        ] {
            assert!(is_rotated(name, "app.log"), "{name}");
        }
        for name in [
            "app.log",
            "app.log.1.gz",
            "app.log.err",
            "application.log",
            "app.log.",
            "other.log.1",
            "app.log.swp",
        ] {
            assert!(!is_rotated(name, "app.log"), "{name}");
        }
        assert!(is_rotated("messages.1", "messages") && !is_rotated("messages1", "messages"));
    }
}
