//! A file: whether it is there, and as it should be; its age in seconds where that is asked for.
//!
//! Links are followed. One that dangles is absent, unless nothing should be there: then it is something. Of what is looked at the first thing that is wrong is told, in the
//! order in which it is cheap to see; content comes last, of at most 16 MiB: a larger file, or what is no regular one, is told
//! as one that is not looked into. An age is that of the last change of its content; one that lies more than five minutes
//! in the future says nothing and is told as a mismatch. Names of owners are
//! those of `/etc/passwd` and `/etc/group`: directories of other hosts are not asked.

mod content;
mod glob;

use super::Seen;
use crate::clock;
use crate::config::Watched;
use crate::{names, open};
use picket_agent_core::check::Reading;
use picket_agent_core::past::age_of;
use picket_proto::event::Cause;
use std::fs::Metadata;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Looks once.
pub(super) fn read(watched: &Watched) -> Seen {
    let found = match find(watched) {
        Ok(found) => found,
        Err(error) => return failed(&watched.path, &error),
    };
    match (found, watched.absent) {
        (None, true) => Reading::Good.into(),
        (None, false) => Seen::new(Reading::Bad(Cause::Absent), name(&watched.path)),
        (Some((path, of)), true) if watched.has_age => aged(&path, &of),
        (Some((path, _)), true) => Seen::new(Reading::Bad(Cause::Present), name(&path)),
        (Some((path, of)), false) => match wrong(watched, &path, &of) {
            Ok(None) if watched.has_age => aged(&path, &of),
            Ok(None) => Reading::Good.into(),
            Ok(Some((cause, words))) => Seen::new(Reading::Bad(cause), format!("{} {words}", name(&path))),
            Err(error) => failed(&path, &error),
        },
    }
}

/// The match that is judged.
fn find(watched: &Watched) -> io::Result<Option<(PathBuf, Metadata)>> {
    let mut judged: Option<(PathBuf, Metadata)> = None;
    for path in glob::matches(&watched.path)? {
        let of = match std::fs::metadata(&path) {
            // Also one that dangles lies in the way of what should not be there.
            Err(error) if watched.absent && is_absent(&error) => std::fs::symlink_metadata(&path),
            of => of,
        };
        let of = match of {
            Ok(of) => of,
            // It was there when its folder was read.
            Err(error) if is_absent(&error) => continue,
            Err(error) => return Err(error),
        };
        let goes_before = judged.as_ref().is_none_or(|(_, other)| {
            if watched.oldest { changed(&of) < changed(other) } else { changed(&of) > changed(other) }
        });
        if goes_before {
            judged = Some((path, of));
        }
    }
    Ok(judged)
}

fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

fn changed(of: &Metadata) -> (i64, i64) {
    (of.mtime(), of.mtime_nsec())
}

fn aged(path: &Path, of: &Metadata) -> Seen {
    let age = clock::now().wall.micros().div_euclid(1_000_000).saturating_sub(of.mtime());
    Seen::new(age_of(age), format!("{}, {} bytes", name(path), of.len()))
}

/// What is not as it should be.
fn wrong(watched: &Watched, path: &Path, of: &Metadata) -> io::Result<Option<(Cause, String)>> {
    if of.len() < watched.min_size {
        let cause = Cause::TooSmall { bytes: of.len(), wanted: watched.min_size };
        return Ok(Some((cause, format!("has {} bytes", of.len()))));
    }
    let mismatch = |words: String| Ok(Some((Cause::Mismatch, words)));
    if of.len() > watched.max_size {
        return mismatch(format!("has {} bytes, at most {} should be", of.len(), watched.max_size));
    }
    let mode = of.mode() & 0o7777;
    if let Some(wanted) = watched.mode.filter(|wanted| *wanted != mode) {
        return mismatch(format!("has mode {mode:04o}, should have {wanted:04o}"));
    }
    for (wanted, has, table) in
        [(&watched.owner, of.uid(), names::USERS), (&watched.group, of.gid(), names::GROUPS)]
    {
        let Some(wanted) = wanted else { continue };
        if names::number(wanted, table)? != Some(has) {
            return mismatch(format!("is {}'s, should be {wanted}'s", named(has, table)));
        }
    }
    Ok(content::wrong(watched, path)?.map(|words| (Cause::Mismatch, words)))
}

/// The name of a number in a table; the number where it has none.
fn named(number: u32, table: &str) -> String {
    names::of(number, table).unwrap_or_else(|| number.to_string())
}

/// The path in words; of a long one its end.
fn name(path: &Path) -> String {
    const MOST: usize = 100;
    let text = crate::words::plain(&path.to_string_lossy());
    let at = text.ceil_char_boundary(text.len().saturating_sub(MOST));
    if at == 0 { text } else { format!("..{}", &text[at..]) }
}

fn failed(path: &Path, error: &io::Error) -> Seen {
    let between = if error.raw_os_error().is_some() { ":" } else { "" };
    Seen::new(Reading::Bad(open::cause(error)), format!("{}{between} {error}", name(path)))
}

#[cfg(test)]
mod tests;
