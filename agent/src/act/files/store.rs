//! Copies of a service's files in the state folder: whole or not at all, and readable by a person.
//!
//! A copy is a folder, written under another name and renamed: `files` with each file under its own path (mode 0600, since
//! the folder is private; a link is a text that says where it leads), and `index`: the version, a SHA-256 of all, the
//! named paths, and a line per entry with kind, permissions and owner. One that was damaged or is of other paths is none.

use super::tree::{Entry, Kind, Tree, digest};
use crate::identity::make_private_folder;
use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

const VERSION: &str = "picket-files 1";

/// The numbers of the copies in `folder` of which the names begin so, the oldest first.
pub(super) fn numbers(folder: &Path, prefix: &str) -> Vec<u32> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let number = |name: std::ffi::OsString| name.to_str()?.strip_prefix(prefix)?.parse().ok();
    let mut all: Vec<u32> = entries.filter_map(|entry| number(entry.ok()?.file_name())).collect();
    all.sort_unstable();
    all
}

/// Keeps all of it as `place`.
///
/// # Errors
/// The disk does not take it; there is no such copy then.
pub(super) fn save(place: &Path, (roots, tree): (&[PathBuf], &Tree)) -> io::Result<()> {
    save_some(place, (roots, &tree.iter().collect::<Vec<_>>()))
}

/// Keeps these of them as `place`.
///
/// # Errors
/// As [`save`].
pub(super) fn save_some(place: &Path, (roots, entries): (&[PathBuf], &[&Entry])) -> io::Result<()> {
    let folder = place.parent().ok_or(io::ErrorKind::InvalidInput)?;
    let new = place.with_extension("new");
    match std::fs::remove_dir_all(&new) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    make_private_folder(&new)?;
    for entry in entries.iter().filter(|entry| entry.kind != Kind::Folder) {
        let copy = copy_of(&new, &entry.path);
        copy.parent().map_or(Ok(()), make_private_folder)?;
        write(&copy, &entry.bytes)?;
    }
    write(&new.join("index"), &index(roots, entries))?;
    sync(&new)?;
    std::fs::rename(&new, place)?;
    sync(folder)
}

/// Makes durable what was made and renamed in a folder.
///
/// # Errors
/// The disk does not take it.
pub(super) fn sync(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::options().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

fn copy_of(place: &Path, path: &Path) -> PathBuf {
    place.join("files").join(path.strip_prefix("/").unwrap_or(path))
}

/// The digest of these, in hexadecimal digits.
fn sum<'t>(entries: impl Iterator<Item = &'t Entry>) -> String {
    digest(entries).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn index(roots: &[PathBuf], entries: &[&Entry]) -> Vec<u8> {
    let sum = sum(entries.iter().copied());
    let mut text = format!("{VERSION} {sum}\n").into_bytes();
    let mut line = |head: String, path: &Path| {
        text.extend_from_slice(head.as_bytes());
        text.extend_from_slice(path.as_os_str().as_bytes());
        text.push(b'\n');
    };
    roots.iter().for_each(|root| line("named ".to_owned(), root));
    for Entry { path, kind, mode, owner, .. } in entries {
        let kind = match kind {
            Kind::File => "file",
            Kind::Link => "link",
            Kind::Folder => "folder",
        };
        line(format!("{kind} {mode:o} {} {} ", owner.0, owner.1), path);
    }
    text
}

/// The copy at `place`, if it is whole and of these paths.
pub(super) fn load(place: &Path, roots: &[PathBuf]) -> Option<Tree> {
    let text = std::fs::read(place.join("index")).ok()?;
    let mut lines = text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    let sum = std::str::from_utf8(lines.next()?).ok()?.strip_prefix(VERSION)?;
    let (mut named, mut tree) = (Vec::new(), Tree::new());
    for line in lines {
        match line.strip_prefix(b"named ") {
            Some(root) => named.push(PathBuf::from(OsStr::from_bytes(root))),
            None => tree.push(entry(place, line)?),
        }
    }
    (named == roots && sum.trim() == self::sum(tree.iter())).then_some(tree)
}

fn entry(place: &Path, line: &[u8]) -> Option<Entry> {
    let mut parts = line.splitn(5, |byte| *byte == b' ');
    let mut word = || std::str::from_utf8(parts.next()?).ok();
    let kind = match word()? {
        "file" => Kind::File,
        "link" => Kind::Link,
        "folder" => Kind::Folder,
        _ => return None,
    };
    let mode = u32::from_str_radix(word()?, 8).ok()?;
    let owner = (word()?.parse().ok()?, word()?.parse().ok()?);
    let path = PathBuf::from(OsStr::from_bytes(parts.next()?));
    let bytes = if kind == Kind::Folder { Vec::new() } else { std::fs::read(copy_of(place, &path)).ok()? };
    Some(Entry { path, kind, mode, owner, bytes })
}
