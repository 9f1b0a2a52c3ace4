//! What a log was called before: `app.log.1`, `app.log-20261129`, `app.log.old`, `app-20261129.log`, `app.1.log`.

use std::fs::{File, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

const NAMES_MAX: usize = 10_000;

/// Those of a log, in no order; compressed ones are none.
pub(super) fn of(path: &Path) -> io::Result<Vec<PathBuf>> {
    let (Some(folder), Some(own)) = (path.parent(), path.file_name().and_then(|name| name.to_str())) else {
        return Ok(Vec::new());
    };
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let rotated = entries.take(NAMES_MAX).filter_map(|entry| {
        let entry = entry.ok()?;
        is_rotated(entry.file_name().to_str()?, own).then(|| entry.path())
    });
    Ok(rotated.collect())
}

/// Those that were written to after `last` was, oldest first, without those that are `held`.
pub(super) fn since(path: &Path, last: &Metadata, held: &[u64]) -> io::Result<Vec<(File, Metadata)>> {
    let changed = |of: &Metadata| (of.mtime(), of.mtime_nsec());
    let mut found = Vec::new();
    for sibling in of(path)? {
        let Some((file, of)) = super::open(&sibling)? else { continue };
        if changed(&of) >= changed(last) && !held.contains(&of.ino()) {
            found.push((file, of));
        }
    }
    found.sort_unstable_by_key(|(_, of)| changed(of));
    Ok(found)
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
