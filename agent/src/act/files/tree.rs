//! The files that a service names, in memory: read within bounds, compared, and put in their places.
//!
//! At most [`ENTRIES_MAX`] entries, [`BYTES_MAX`] bytes and [`DEPTH_MAX`] folders deep: a configuration is smaller, and
//! what is larger is data, for which there are backups. Links are entries of their own: what they lead to is neither read
//! nor written. From the folder above a named path on every folder is opened by its name alone and never through a link,
//! so that whoever may write in there can lead nothing out of it. What anyone may write is refused. A file is never
//! written into: a new one takes its place, with its owner and its permissions, but never setuid. Sockets, FIFOs and devices are
//! passed over; attributes and dates are not kept.

use rustix::fs::{AtFlags, Dir, FileType, Gid, Mode, OFlags, Stat, Uid};
use rustix::io::Errno;
use sha2::{Digest, Sha256};
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Component, Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

const ENTRIES_MAX: usize = 256;
const BYTES_MAX: usize = 1024 * 1024;
const DEPTH_MAX: usize = 8;
/// What a new file is called until it takes its place.
const NEW: &str = ".picket-new-";
/// Two services may have files in one folder, and their orders have threads of their own.
static NEWS: AtomicU32 = AtomicU32::new(0);
const FOLDER: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

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
fn is_no_folder(error: &io::Error) -> bool {
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

fn names(folder: &OwnedFd) -> Result<Vec<OsString>, Errno> {
    let mut all = Vec::new();
    for entry in Dir::read_from(folder)? {
        let name = OsString::from_vec(entry?.file_name().to_bytes().to_vec());
        if name != "." && name != ".." && !name.as_bytes().starts_with(NEW.as_bytes()) {
            all.push(name);
        }
        if all.len() > ENTRIES_MAX {
            break;
        }
    }
    Ok(all)
}

fn said(path: &Path, error: &io::Error) -> String {
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

/// Makes of each first one the second. All that is new is written first, beside its place, so that a disk that is full
/// changes nothing; then goes what goes, the deepest first; then comes what comes.
///
/// # Errors
/// The first that can't be done; what follows is left out.
pub(super) fn settle<'t>(
    roots: &[PathBuf],
    steps: impl DoubleEndedIterator<Item = (Option<&'t Entry>, Option<&'t Entry>)> + Clone,
) -> io::Result<()> {
    let mut stage = Stage { roots, files: Vec::new(), folders: Vec::new() };
    let told = |entry: &Entry, error: io::Error| io::Error::other(said(&entry.path, &error));
    for (from, to) in steps.clone() {
        if let Some(to) = to {
            stage.prepare(from, to).map_err(|error| told(to, error))?;
        }
    }
    stage.folders.clear();
    for (from, to) in steps.clone().rev() {
        let stays = to.is_some_and(|to| from.is_none_or(|from| from.is_like(to)));
        if let Some(from) = from.filter(|_| !stays) {
            remove(roots, from).map_err(|error| told(from, error))?;
        }
    }
    for to in steps.filter_map(|(_, to)| to) {
        stage.put(to).map_err(|error| told(to, error))?;
    }
    Ok(())
}

/// New files beside their places, and folders that were made for them. Dropping it removes what is left of both.
struct Stage<'t> {
    roots: &'t [PathBuf],
    files: Vec<(&'t Entry, String)>,
    folders: Vec<&'t Entry>,
}

impl<'t> Stage<'t> {
    /// Writes it beside its place. Where there is no folder for it yet, since a file must go first, it comes later.
    fn prepare(&mut self, from: Option<&Entry>, to: &'t Entry) -> io::Result<()> {
        let folder = match folder_of(self.roots, &to.path) {
            Err(error) if is_no_folder(&error) => return Ok(()),
            folder => folder?,
        };
        if to.kind != Kind::Folder {
            let new = format!("{NEW}{}-{}", std::process::id(), NEWS.fetch_add(1, Ordering::Relaxed));
            self.files.push((to, new.clone()));
            return write(&folder, &new, to);
        }
        if from.is_none() {
            match rustix::fs::mkdirat(&folder, name_of(to), Mode::RWXU) {
                Ok(()) => self.folders.push(to),
                Err(Errno::EXIST) => {}
                Err(errno) => return Err(errno.into()),
            }
        }
        Ok(())
    }

    /// Puts it in its place.
    fn put(&mut self, to: &'t Entry) -> io::Result<()> {
        if to.kind == Kind::Folder {
            return make(self.roots, to);
        }
        if !self.files.iter().any(|(entry, _)| entry.path == to.path) {
            self.prepare(None, to)?;
        }
        let at =
            self.files.iter().position(|(entry, _)| entry.path == to.path).ok_or(io::ErrorKind::NotFound)?;
        let folder = folder_of(self.roots, &to.path)?;
        rustix::fs::renameat(&folder, &self.files[at].1, &folder, name_of(to))?;
        self.files.swap_remove(at);
        Ok(rustix::fs::fsync(&folder)?)
    }
}

impl Drop for Stage<'_> {
    fn drop(&mut self) {
        // What is left would keep a full disk full.
        for (entry, new) in &self.files {
            if let Ok(folder) = folder_of(self.roots, &entry.path) {
                let _it_was_not_written = rustix::fs::unlinkat(&folder, new, AtFlags::empty());
            }
        }
        for folder in self.folders.iter().rev() {
            let _somebody_has_put_something_there = remove(self.roots, folder);
        }
    }
}

fn remove(roots: &[PathBuf], entry: &Entry) -> io::Result<()> {
    let folder = folder_of(roots, &entry.path)?;
    let flags = if entry.kind == Kind::Folder { AtFlags::REMOVEDIR } else { AtFlags::empty() };
    match rustix::fs::unlinkat(&folder, name_of(entry), flags) {
        Ok(()) | Err(Errno::NOENT) => Ok(()),
        Err(errno) => Err(errno.into()),
    }
}

/// Makes a folder, or gives one that is there its owner and its permissions.
fn make(roots: &[PathBuf], entry: &Entry) -> io::Result<()> {
    let (folder, name) = (folder_of(roots, &entry.path)?, name_of(entry));
    match rustix::fs::mkdirat(&folder, name, Mode::RWXU) {
        Ok(()) | Err(Errno::EXIST) => {}
        Err(errno) => return Err(errno.into()),
    }
    own(&rustix::fs::openat(&folder, name, FOLDER, Mode::empty())?, entry)
}

/// Makes a new file or link of this name.
fn write(folder: &OwnedFd, new: &str, entry: &Entry) -> io::Result<()> {
    if entry.kind == Kind::Link {
        rustix::fs::symlinkat(OsStr::from_bytes(&entry.bytes), folder, new)?;
    } else {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mut file = File::from(rustix::fs::openat(folder, new, flags, Mode::RUSR | Mode::WUSR)?);
        file.write_all(&entry.bytes)?;
        own(&file, entry)?;
        file.sync_all()?;
    }
    Ok(())
}

/// Gives it its owner, then its permissions: a change of owner takes some of those away.
fn own(it: impl AsFd, entry: &Entry) -> io::Result<()> {
    let stat = rustix::fs::fstat(&it)?;
    if (stat.st_uid, stat.st_gid) != entry.owner {
        let (user, group) = (Uid::from_raw(entry.owner.0), Gid::from_raw(entry.owner.1));
        rustix::fs::fchown(&it, Some(user), Some(group))?;
    }
    Ok(rustix::fs::fchmod(&it, Mode::from_raw_mode(entry.mode))?)
}

fn name_of(entry: &Entry) -> &OsStr {
    entry.path.file_name().unwrap_or_default()
}

/// The folder that an entry stands in, reached through no link from above the named path on.
fn folder_of(roots: &[PathBuf], path: &Path) -> io::Result<OwnedFd> {
    let root = roots.iter().find(|root| path.starts_with(root)).ok_or(io::ErrorKind::NotFound)?;
    let (above, below) = (root.parent(), path.parent());
    let (above, below) = above.zip(below).ok_or(io::ErrorKind::NotFound)?;
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let mut folder = rustix::fs::open(above, flags, Mode::empty())?;
    for part in below.strip_prefix(above).map_err(io::Error::other)?.components() {
        let Component::Normal(part) = part else { return Err(io::ErrorKind::InvalidInput.into()) };
        folder = rustix::fs::openat(&folder, part, FOLDER, Mode::empty())?;
    }
    Ok(folder)
}
