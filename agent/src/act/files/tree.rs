//! The files that a service names, in memory: read within bounds, and compared.
//!
//! At most [`ENTRIES_MAX`] entries, [`BYTES_MAX`] bytes and [`DEPTH_MAX`] folders deep: a configuration is smaller, and
//! what is larger is data, for which there are backups. Links are entries of their own: what they lead to is neither read
//! nor written. From the folder above a named path on every folder is opened by its name alone and never through a link,
//! so that whoever may write in there can lead nothing out of it. What anyone may write is refused. Sockets, FIFOs and devices
//! are passed over; attributes and dates are not kept. How they come into their places is [`super::settle`]'s.

use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, Stat};
use rustix::io::Errno;
use sha2::{Digest, Sha256};
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Component, Path, PathBuf};

const ENTRIES_MAX: usize = 256;
const BYTES_MAX: usize = 1024 * 1024;
pub(super) const DEPTH_MAX: usize = 8;
/// How the name of what is still to take its place begins: it is none of the files.
pub(super) const NEW: &str = ".picket-new-";
pub(super) const FOLDER: OFlags =
    OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    File,
    Link,
    Folder,
}

/// One file, link or folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) path: PathBuf,
    pub(super) kind: Kind,
    pub(super) mode: u32,
    pub(super) owner: (u32, u32),
    /// What is in the file, or where the link leads.
    pub(super) bytes: Vec<u8>,
}

impl Entry {
    /// Whether the other can take its place without its being removed first.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        (self.kind == Kind::Folder) == (other.kind == Kind::Folder)
    }
}

/// All of them, by their paths.
pub(super) type Tree = Vec<Entry>;

/// One that differs.
#[derive(Debug, Clone, Copy)]
pub(super) struct Change<'t> {
    pub(super) good: Option<&'t Entry>,
    pub(super) now: Option<&'t Entry>,
}

impl<'t> Change<'t> {
    pub(super) fn path(&self) -> &'t Path {
        self.good.or(self.now).map_or_else(|| Path::new(""), |entry| &entry.path)
    }
}

/// All that is below these paths. One that is not there has nothing.
///
/// # Errors
/// Why it can't be kept.
pub(super) fn read(roots: &[PathBuf]) -> Result<Tree, String> {
    let mut reader = Reader { tree: Tree::new(), left: BYTES_MAX, is_deep: true };
    for root in roots {
        match folder_of(roots, root) {
            Ok(folder) => reader.entry(&folder, root, 0)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(said(root, &error)),
        }
    }
    Ok(reader.sorted())
}

/// These alone, of folders nothing that is below. One that is not there has nothing, as where a folder above it is none
/// any more.
///
/// # Errors
/// Why one can't be read.
pub(super) fn read_these(roots: &[PathBuf], paths: &[&Path]) -> Result<Tree, String> {
    let mut reader = Reader { tree: Tree::new(), left: BYTES_MAX, is_deep: false };
    for path in paths {
        let depth = usize::from(!roots.iter().any(|root| root == path));
        match folder_of(roots, path) {
            Ok(folder) => reader.entry(&folder, path, depth)?,
            Err(error) if is_no_folder(&error) => {}
            Err(error) => return Err(said(path, &error)),
        }
    }
    Ok(reader.sorted())
}

/// Whether what should be a folder is missing, or a file, or a link.
pub(super) fn is_no_folder(error: &io::Error) -> bool {
    let errno = Errno::from_io_error(error);
    error.kind() == io::ErrorKind::NotFound || matches!(errno, Some(Errno::NOTDIR | Errno::LOOP))
}

struct Reader {
    tree: Tree,
    left: usize,
    is_deep: bool,
}

impl Reader {
    fn sorted(mut self) -> Tree {
        self.tree.sort_by(|one, other| one.path.cmp(&other.path));
        self.tree
    }

    fn entry(&mut self, folder: &OwnedFd, path: &Path, depth: usize) -> Result<(), String> {
        let name = path.file_name().unwrap_or_default();
        let stat = match rustix::fs::statat(folder, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => stat,
            Err(Errno::NOENT) => return Ok(()),
            Err(errno) => return Err(said(path, &errno.into())),
        };
        let failed = |errno: Errno| said(path, &errno.into());
        let kind = FileType::from_raw_mode(stat.st_mode);
        if kind != FileType::Symlink && stat.st_mode & 0o002 != 0 {
            return Err(format!("{} may be written by anyone", path.display()));
        }
        match kind {
            FileType::Symlink if depth == 0 => {
                Err(format!("{} is a link: name what it leads to", path.display()))
            }
            FileType::Symlink => {
                let target = rustix::fs::readlinkat(folder, name, Vec::new()).map_err(failed)?;
                self.add(path, Kind::Link, &stat, target.into_bytes())
            }
            FileType::RegularFile => {
                let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
                let file = rustix::fs::openat(folder, name, flags, Mode::empty()).map_err(failed)?;
                let mut bytes = Vec::new();
                let most = u64::try_from(self.left).unwrap_or(u64::MAX).saturating_add(1);
                File::from(file).take(most).read_to_end(&mut bytes).map_err(|error| said(path, &error))?;
                self.add(path, Kind::File, &stat, bytes)
            }
            FileType::Directory if depth == DEPTH_MAX => {
                Err(format!("{} is more than {DEPTH_MAX} folders deep", path.display()))
            }
            FileType::Directory => {
                let below = rustix::fs::openat(folder, name, FOLDER, Mode::empty()).map_err(failed)?;
                self.add(path, Kind::Folder, &stat, Vec::new())?;
                let names = if self.is_deep { names(&below).map_err(failed)? } else { Vec::new() };
                for name in names {
                    self.entry(&below, &path.join(name), depth + 1)?;
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn add(&mut self, path: &Path, kind: Kind, stat: &Stat, bytes: Vec<u8>) -> Result<(), String> {
        if self.tree.len() == ENTRIES_MAX {
            return Err(format!("there are more than {ENTRIES_MAX} files"));
        }
        if path.as_os_str().as_bytes().contains(&b'\n') {
            return Err(format!("{} has a line break in its name", path.display()));
        }
        let too_large = || format!("they are larger than {} KiB", BYTES_MAX / 1024);
        self.left = self.left.checked_sub(bytes.len()).ok_or_else(too_large)?;
        let kept = if kind == Kind::Folder { 0o7777 } else { 0o777 };
        let (mode, owner) = (stat.st_mode & kept, (stat.st_uid, stat.st_gid));
        self.tree.push(Entry { path: path.to_path_buf(), kind, mode, owner, bytes });
        Ok(())
    }
}

/// What stands in a folder, but for what is still to take its place.
fn names(folder: &OwnedFd) -> Result<Vec<OsString>, Errno> {
    list(folder, |name| !name.as_bytes().starts_with(NEW.as_bytes()))
}

/// Names in a folder, a few more at most than are ever kept.
pub(super) fn list(folder: &OwnedFd, is_one: impl Fn(&OsStr) -> bool) -> Result<Vec<OsString>, Errno> {
    let mut all = Vec::new();
    for entry in Dir::read_from(folder)? {
        let name = OsString::from_vec(entry?.file_name().to_bytes().to_vec());
        if name != "." && name != ".." && is_one(&name) {
            all.push(name);
        }
        if all.len() > ENTRIES_MAX {
            break;
        }
    }
    Ok(all)
}

pub(super) fn said(path: &Path, error: &io::Error) -> String {
    format!("{}: {error}", path.display())
}

/// The entry of this path.
pub(super) fn find<'t>(tree: &'t Tree, path: &Path) -> Option<&'t Entry> {
    tree.binary_search_by(|entry| entry.path.as_path().cmp(path)).ok().map(|at| &tree[at])
}

/// What differs, by path.
pub(super) fn changes<'t>(good: &'t Tree, now: &'t Tree) -> Vec<Change<'t>> {
    let known = good.iter().map(|entry| Change { good: Some(entry), now: find(now, &entry.path) });
    let added = now.iter().filter(|entry| find(good, &entry.path).is_none());
    let added = added.map(|entry| Change { good: None, now: Some(entry) });
    let mut all: Vec<_> = known.chain(added).filter(|change| change.good != change.now).collect();
    all.sort_by_key(|change| change.path());
    all
}

/// The digest of all of it.
pub(super) fn digest<'t>(tree: impl Iterator<Item = &'t Entry>) -> [u8; 32] {
    let mut sum = Sha256::new();
    for Entry { path, kind, mode, owner, bytes } in tree {
        let length = |bytes: &[u8]| u64::try_from(bytes.len()).unwrap_or(u64::MAX).to_le_bytes();
        let path = path.as_os_str().as_bytes();
        for part in [&length(path)[..], path, &[*kind as u8], &mode.to_le_bytes()] {
            sum.update(part);
        }
        for part in [&owner.0.to_le_bytes()[..], &owner.1.to_le_bytes(), &length(bytes), bytes] {
            sum.update(part);
        }
    }
    sum.finalize().into()
}

/// As much of it as tells two of one service apart.
pub(super) fn short(tree: &Tree) -> u64 {
    let [a, b, c, d, e, f, g, h, ..] = digest(tree.iter());
    u64::from_le_bytes([a, b, c, d, e, f, g, h])
}

pub(super) fn name_of(entry: &Entry) -> &OsStr {
    entry.path.file_name().unwrap_or_default()
}

/// The folder that an entry stands in, reached through no link from above the named path on.
pub(super) fn folder_of(roots: &[PathBuf], path: &Path) -> io::Result<OwnedFd> {
    folder_by(roots, path, |_| None)
}

/// The same where some folders are still called otherwise.
pub(super) fn folder_by<'n>(
    roots: &[PathBuf],
    path: &Path,
    called: impl Fn(&Path) -> Option<&'n OsStr>,
) -> io::Result<OwnedFd> {
    let root = roots.iter().find(|root| path.starts_with(root)).ok_or(io::ErrorKind::NotFound)?;
    let (above, below) = (root.parent(), path.parent());
    let (above, below) = above.zip(below).ok_or(io::ErrorKind::NotFound)?;
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let mut folder = rustix::fs::open(above, flags, Mode::empty())?;
    let mut whole = above.to_path_buf();
    for part in below.strip_prefix(above).map_err(io::Error::other)?.components() {
        let Component::Normal(part) = part else { return Err(io::ErrorKind::InvalidInput.into()) };
        whole.push(part);
        folder = rustix::fs::openat(&folder, called(&whole).unwrap_or(part), FOLDER, Mode::empty())?;
    }
    Ok(folder)
}
