//! The folder of `picket up`: private, locked while it runs, gone afterwards unless it was named.
//!
//! Inside: `up.lock`; `picket.toml` where the configuration was made; `collector/` and `agent/`, each its part's own;
//! and what the other commands look for: `collector.addr` and `operator/`. What an `up` that was killed left in the
//! unnamed folder is removed by the next one.

use crate::failure::Failure;
use crate::place::{self, ADDRESS, CREDENTIALS, LOCK};
use rustix::fs::{FlockOperation, flock};
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, symlink};
use std::path::{Path, PathBuf};

/// Tries to lock a folder that another `up` is just removing.
const TRIES: u32 = 5;

/// What becomes of the folder at the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Afterwards {
    Removed,
    Kept,
}

/// The folder, locked.
#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
    afterwards: Afterwards,
    _lock: File,
}

impl Folder {
    /// Makes the folder, or takes an old one over, and locks it.
    pub(crate) fn take(named: Option<&Path>) -> Result<Self, Failure> {
        let (path, afterwards) = match named {
            Some(named) => {
                (std::path::absolute(named).unwrap_or_else(|_| named.to_path_buf()), Afterwards::Kept)
            }
            None => (place::folder(), Afterwards::Removed),
        };
        if afterwards == Afterwards::Kept {
            ours(&path)?;
        }
        for _ in 0..TRIES {
            make(&path).map_err(|error| unusable(&path, &error))?;
            if afterwards == Afterwards::Removed {
                place::private(&path)?;
            }
            if let Some(lock) = lock(&path)? {
                let folder = Self { path, afterwards, _lock: lock };
                folder.prepare().map_err(|error| unusable(&folder.path, &error))?;
                return Ok(folder);
            }
        }
        Err(taken(&path))
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// What becomes of it.
    pub(crate) const fn afterwards(&self) -> Afterwards {
        self.afterwards
    }

    /// The collector's own folder.
    pub(crate) fn collector(&self) -> PathBuf {
        self.path.join("collector")
    }

    /// The agent's own folder.
    pub(crate) fn agent(&self) -> PathBuf {
        self.path.join("agent")
    }

    /// The operator's credentials, as the collector made them.
    pub(crate) fn credentials(&self) -> PathBuf {
        self.collector().join(CREDENTIALS)
    }

    /// Writes a file that only this user can read.
    pub(crate) fn write(&self, name: &str, text: &str) -> Result<PathBuf, Failure> {
        let path = self.path.join(name);
        secret(&path, text).map_err(|error| unusable(&path, &error))?;
        Ok(path)
    }

    /// Lets the other commands find the collector. The address comes last: who sees it can use it.
    pub(crate) fn publish(&self, address: &str) -> Result<(), Failure> {
        let link = self.path.join(CREDENTIALS);
        let linked = match fs::remove_file(&link) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
            Ok(()) | Err(_) => symlink(Path::new("collector").join(CREDENTIALS), &link),
        };
        linked.map_err(|error| unusable(&link, &error))?;
        let fresh = self.write("collector.addr.new", address)?;
        fs::rename(&fresh, self.path.join(ADDRESS)).map_err(|error| unusable(&fresh, &error))
    }

    /// Ends it: removes the folder, or of a named one only what says that `up` runs.
    pub(crate) fn leave(self) -> Result<(), Failure> {
        let left = match self.afterwards {
            Afterwards::Removed => fs::remove_dir_all(&self.path),
            Afterwards::Kept => match fs::remove_file(self.path.join(ADDRESS)) {
                Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
                removed => removed,
            },
        };
        left.map_err(|error| {
            Failure::failed(format!("cannot remove {}: {error}", self.path.display()), "Remove it by hand.")
        })
    }

    fn prepare(&self) -> io::Result<()> {
        for entry in fs::read_dir(&self.path)? {
            let entry = entry?;
            let stale = entry.file_name() == ADDRESS
                || (self.afterwards == Afterwards::Removed && entry.file_name() != LOCK);
            match entry.file_type()?.is_dir() {
                true if stale => fs::remove_dir_all(entry.path())?,
                false if stale => fs::remove_file(entry.path())?,
                true | false => {}
            }
        }
        make(&self.collector())?;
        make(&self.agent())
    }
}

/// Refuses a named folder that holds something and is not of an earlier `up`: its files are somebody's.
fn ours(path: &Path) -> Result<(), Failure> {
    let mut entries = match fs::read_dir(path) {
        Err(absent) if absent.kind() == ErrorKind::NotFound => return Ok(()),
        entries => entries.map_err(|error| unusable(path, &error))?,
    };
    if path.join(LOCK).exists() || entries.next().is_none() {
        return Ok(());
    }
    Err(Failure::refused(
        format!("{} is not empty, and no `picket up` ever ran in it", path.display()),
        "Name a new or an empty folder with --data DIR.",
    ))
}

fn make(path: &Path) -> io::Result<()> {
    DirBuilder::new().mode(0o700).recursive(true).create(path)
}

fn secret(path: &Path, text: &str) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    file.write_all(text.as_bytes())
}

/// The lock; `None` if the file was removed between opening and locking it.
fn lock(folder: &Path) -> Result<Option<File>, Failure> {
    let path = folder.join(LOCK);
    let opened =
        OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(&path);
    let file = match opened {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        opened => opened.map_err(|error| unusable(&path, &error))?,
    };
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => {}
        Err(rustix::io::Errno::WOULDBLOCK) => return Err(taken(folder)),
        Err(error) => return Err(unusable(&path, &error.into())),
    }
    let ours = file.metadata().map_err(|error| unusable(&path, &error))?.ino();
    Ok(fs::metadata(&path).is_ok_and(|there| there.ino() == ours).then_some(file))
}

fn taken(folder: &Path) -> Failure {
    Failure::refused(
        format!("another `picket up` runs in {}", folder.display()),
        "Ask that one (`picket incidents`), end it with Ctrl-C, or give this one its own folder with --data DIR.",
    )
}

fn unusable(path: &Path, error: &io::Error) -> Failure {
    Failure::failed(format!("cannot use {}: {error}", path.display()), "Name another folder with --data DIR.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_private_and_taken_once() {
        let base = tempfile::tempdir().unwrap();
        let named = base.path().join("data");
        let folder = Folder::take(Some(&named)).unwrap();
        assert_eq!(fs::metadata(&named).unwrap().mode() & 0o777, 0o700);
        assert_eq!(fs::metadata(folder.collector()).unwrap().mode() & 0o777, 0o700);
        let refused = Folder::take(Some(&named)).unwrap_err();
        assert!(refused.to_string().starts_with("another `picket up` runs in"), "{refused}");
    }

    #[test]
    fn a_folder_with_somebodys_files_is_refused_and_left_as_it_is() {
        let base = tempfile::tempdir().unwrap();
        fs::write(base.path().join("thesis.txt"), "mine").unwrap();
        let refused = Folder::take(Some(base.path())).unwrap_err();
        assert!(refused.to_string().contains("is not empty, and no `picket up` ever ran in it"), "{refused}");
        assert_eq!(fs::read_dir(base.path()).unwrap().count(), 1);
        let empty = base.path().join("empty");
        fs::create_dir(&empty).unwrap();
        assert!(Folder::take(Some(&empty)).is_ok());
    }

    #[test]
    fn a_named_folder_stays_and_can_be_taken_again() {
        let base = tempfile::tempdir().unwrap();
        let named = base.path().join("data");
        let folder = Folder::take(Some(&named)).unwrap();
        folder.publish("127.0.0.1:1").unwrap();
        fs::write(folder.collector().join("journal"), "kept").unwrap();
        folder.leave().unwrap();
        assert!(!named.join(ADDRESS).exists());
        let folder = Folder::take(Some(&named)).unwrap();
        assert!(folder.collector().join("journal").exists());
    }
}
