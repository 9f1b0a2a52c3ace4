//! Puts files in their places: each whole or not at all, and nothing before all that is new is on the disk.
//!
//! A file is never written into: a new one takes its place, with its owner and its permissions, but never setuid. What is
//! new stands beside its place first, as `.picket-new-N-SERVICE`: files, links, and folders with all that is in them, so
//! that a disk that is full changes nothing and a new folder appears with all of its files at once. Then goes what goes,
//! the deepest first; then comes what comes, by renaming. What an agent that was killed left beside is removed by the next
//! time. Of a service one settling is under way at a time; another service's files beside it have other names.

use super::tree::{
    DEPTH_MAX, Entry, FOLDER, Kind, NEW, folder_by, folder_of, is_no_folder, list, name_of, said,
};
use rustix::fs::{AtFlags, Gid, Mode, OFlags, Uid};
use rustix::io::Errno;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// Whose files, and where.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place<'p> {
    /// The service.
    pub(super) name: &'p str,
    /// The paths that it names.
    pub(super) roots: &'p [PathBuf],
    /// Whether what somebody else did meanwhile is left as it is, and the rest done: what is undone must not fail for it.
    pub(super) spares: bool,
}

/// Makes of each first one the second.
///
/// # Errors
/// The first that can't be done; what follows is left out.
pub(super) fn settle<'t>(
    place: Place<'_>,
    steps: impl DoubleEndedIterator<Item = (Option<&'t Entry>, Option<&'t Entry>)> + Clone,
) -> io::Result<()> {
    let touched = steps.clone().filter_map(|(from, to)| Some(to.or(from)?.path.as_path()));
    place.clean(touched.clone());
    let mut stage = Stage { place, new: Vec::new() };
    for (from, to) in steps.clone() {
        if let Some(to) = to {
            place.spare(stage.write(from, to), to)?;
        }
    }
    for to in steps.clone().rev().filter_map(|(_, to)| to) {
        place.spare(stage.own(to), to)?;
    }
    for (from, to) in steps.clone().rev() {
        let stays = to.is_some_and(|to| from.is_none_or(|from| from.is_like(to)));
        if let Some(from) = from.filter(|_| !stays) {
            place.spare(remove(place.roots, from), from)?;
        }
    }
    for to in steps.filter_map(|(_, to)| to) {
        place.spare(stage.put(to), to)?;
    }
    place.each_folder(touched, |folder| {
        if let Err(errno) = rustix::fs::fsync(folder) {
            tracing::warn!(service = place.name, %errno, "a folder of its files can't be synced");
        }
    });
    Ok(())
}

impl Place<'_> {
    /// What somebody put in the way, or took away, is told and left where that is to be spared.
    fn spare(self, done: io::Result<()>, entry: &Entry) -> io::Result<()> {
        let Err(error) = done else { return Ok(()) };
        let in_the_way = matches!(
            Errno::from_io_error(&error),
            Some(Errno::NOTEMPTY | Errno::EXIST | Errno::ISDIR | Errno::NOTDIR | Errno::NOENT | Errno::LOOP)
        );
        if self.spares && in_the_way {
            tracing::warn!(service = self.name, file = %entry.path.display(), %error, "somebody changed what is around it: left as it is");
            return Ok(());
        }
        Err(io::Error::other(said(&entry.path, &error)))
    }

    /// Each folder that these stand in and that is there, once.
    fn each_folder<'e>(self, paths: impl Iterator<Item = &'e Path>, mut at: impl FnMut(&OwnedFd)) {
        let mut last = None;
        for path in paths {
            if last != path.parent() {
                last = path.parent();
                if let Ok(folder) = folder_of(self.roots, path) {
                    at(&folder);
                }
            }
        }
    }

    /// Removes what a killed agent left beside these.
    pub(super) fn clean<'e>(self, paths: impl Iterator<Item = &'e Path>) {
        self.each_folder(paths, |folder| self.sweep(folder));
    }

    fn sweep(self, folder: &OwnedFd) {
        let is_left = |name: &OsStr| {
            let number_and_name = name.to_str().and_then(|name| name.strip_prefix(NEW)?.split_once('-'));
            number_and_name.is_some_and(|(_, of)| of == self.name)
        };
        for name in list(folder, is_left).unwrap_or_default() {
            let cleared = clear(folder, &name, DEPTH_MAX);
            tracing::info!(
                service = self.name,
                ?name,
                ?cleared,
                "what an earlier run left half done is removed"
            );
        }
    }
}

/// What is new, beside its place. Dropping it removes what did not get there.
struct Stage<'p, 't> {
    place: Place<'p>,
    /// Files, links and the uppermost of new folders; without a name where it is in its place.
    new: Vec<(&'t Entry, Option<OsString>)>,
}

impl<'t> Stage<'_, 't> {
    /// What is called so until it takes its place.
    fn called(&self, path: &Path) -> Option<&OsStr> {
        self.new.iter().find(|(new, _)| new.path == path)?.1.as_deref()
    }

    /// The folder in which it stands now, and whether that is a new one.
    fn folder(&self, entry: &Entry) -> io::Result<(OwnedFd, bool)> {
        let is_new = entry.path.ancestors().skip(1).any(|above| self.called(above).is_some());
        Ok((folder_by(self.place.roots, &entry.path, |path| self.called(path))?, is_new))
    }

    fn write(&mut self, from: Option<&Entry>, to: &'t Entry) -> io::Result<()> {
        let (folder, is_within) = self.folder(to)?;
        let is_there = from.is_some_and(|from| from.kind == Kind::Folder) && to.kind == Kind::Folder;
        if is_there && !is_within {
            return Ok(());
        }
        let name = if is_within {
            name_of(to).to_owned()
        } else {
            let name = OsString::from(format!("{NEW}{}-{}", self.new.len(), self.place.name));
            self.new.push((to, Some(name.clone())));
            name
        };
        match to.kind {
            Kind::Folder => Ok(rustix::fs::mkdirat(&folder, &name, Mode::RWXU)?),
            Kind::Link => Ok(rustix::fs::symlinkat(OsStr::from_bytes(&to.bytes), &folder, &name)?),
            Kind::File => write(&folder, &name, to),
        }
    }

    /// Gives a folder its owner and its permissions once all that is new in it was written: the deepest first.
    fn own(&self, to: &Entry) -> io::Result<()> {
        if to.kind != Kind::Folder {
            return Ok(());
        }
        let (folder, is_within) = self.folder(to)?;
        let own_name = self.called(&to.path);
        if !is_within && own_name.is_none() {
            return Ok(());
        }
        let it = rustix::fs::openat(&folder, own_name.unwrap_or_else(|| name_of(to)), FOLDER, Mode::empty())?;
        own(&it, to)?;
        Ok(rustix::fs::fsync(&it)?)
    }

    /// Puts it in its place. What is in a new folder comes with that; what could not be written was told.
    fn put(&mut self, to: &Entry) -> io::Result<()> {
        let new = self.new.iter_mut().find(|(new, _)| new.path == to.path).map(|(_, name)| name);
        match new {
            Some(name) => {
                let folder = folder_of(self.place.roots, &to.path)?;
                if let Some(new) = name {
                    rustix::fs::renameat(&folder, &*new, &folder, name_of(to))?;
                }
                *name = None;
                Ok(())
            }
            None if to.kind == Kind::Folder => {
                let folder = folder_of(self.place.roots, &to.path)?;
                own(&rustix::fs::openat(&folder, name_of(to), FOLDER, Mode::empty())?, to)
            }
            None => Ok(()),
        }
    }
}

impl Drop for Stage<'_, '_> {
    fn drop(&mut self) {
        // What is left would keep a full disk full.
        for (entry, name) in &self.new {
            if let (Some(name), Ok(folder)) = (name, folder_of(self.place.roots, &entry.path)) {
                let _it_was_not_written = clear(&folder, name, DEPTH_MAX);
            }
        }
    }
}

/// Removes a file, or a folder with all that is in it.
fn clear(folder: &OwnedFd, name: &OsStr, deep: usize) -> Result<(), Errno> {
    match rustix::fs::unlinkat(folder, name, AtFlags::empty()) {
        Err(Errno::ISDIR | Errno::PERM) if deep > 0 => {}
        done => return done,
    }
    let below = rustix::fs::openat(folder, name, FOLDER, Mode::empty())?;
    for name in list(&below, |_| true)? {
        clear(&below, &name, deep - 1)?;
    }
    rustix::fs::unlinkat(folder, name, AtFlags::REMOVEDIR)
}

fn remove(roots: &[PathBuf], entry: &Entry) -> io::Result<()> {
    let folder = match folder_of(roots, &entry.path) {
        Err(error) if is_no_folder(&error) => return Ok(()),
        folder => folder?,
    };
    let flags = if entry.kind == Kind::Folder { AtFlags::REMOVEDIR } else { AtFlags::empty() };
    match rustix::fs::unlinkat(&folder, name_of(entry), flags) {
        Ok(()) | Err(Errno::NOENT) => Ok(()),
        Err(errno) => Err(errno.into()),
    }
}

fn write(folder: &OwnedFd, name: &OsStr, entry: &Entry) -> io::Result<()> {
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let mut file = File::from(rustix::fs::openat(folder, name, flags, Mode::RUSR | Mode::WUSR)?);
    file.write_all(&entry.bytes)?;
    own(&file, entry)?;
    file.sync_all()
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
