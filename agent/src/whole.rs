//! A small file that is put in its place whole: after a power cut the old one stands there or the new one. Only its owner can
//! read it, unless a [`Staged`] one says otherwise. That the new one is the one that stays is sure once its folder is synced too, which is left to the caller.

use rustix::fs::{CWD, RenameFlags};
use rustix::io::Errno;
use std::fs::{File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// Removes a file, if it is there.
///
/// # Errors
/// It is there, and stays.
pub(crate) fn remove(path: &Path) -> io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Puts `bytes` in the place of what stands at `path`, by way of the same name with the ending `new`.
///
/// # Errors
/// The disk does not take it; the old one stays.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let new = path.with_extension("new");
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&new)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    std::fs::rename(new, path)
}

/// Its whole name with an ending of our own, so that no file of a configuration is ever beside itself.
fn beside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".picket-new");
    PathBuf::from(name)
}

/// A file that is written beside its place and takes that only where nothing stands there. Dropped before, it is gone.
pub(crate) struct Staged {
    new: PathBuf,
    path: PathBuf,
}

impl Staged {
    /// Writes it, to the disk, with this mode, in a folder that is made for its owner alone where there is none.
    ///
    /// # Errors
    /// The disk does not take it; nothing is left of it.
    pub(crate) fn write(path: &Path, bytes: &[u8], mode: u32) -> io::Result<Self> {
        path.parent().map_or(Ok(()), crate::identity::make_private_folder)?;
        let new = beside(path);
        // What an earlier try left goes; through what somebody else puts there meanwhile nothing is written.
        remove(&new)?;
        let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(&new)?;
        let staged = Self { new, path: path.to_path_buf() };
        file.write_all(bytes)?;
        file.set_permissions(Permissions::from_mode(mode))?;
        file.sync_all()?;
        Ok(staged)
    }

    /// Puts it in its place, for good.
    ///
    /// # Errors
    /// Something stands there, which stays.
    pub(crate) fn put(self) -> io::Result<()> {
        match rustix::fs::renameat_with(CWD, &self.new, CWD, &self.path, RenameFlags::NOREPLACE) {
            // A filesystem of the network that can't do that.
            Err(Errno::INVAL | Errno::NOSYS) => std::fs::hard_link(&self.new, &self.path)?,
            done => done?,
        }
        self.path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        let _gone_where_it_was_put = std::fs::remove_file(&self.new);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_staged_file_never_takes_the_place_of_another_and_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("etc/agent.toml");
        drop(Staged::write(&path, b"one", 0o644).unwrap());
        assert_eq!(std::fs::read_dir(path.parent().unwrap()).unwrap().count(), 0);
        Staged::write(&path, b"two", 0o644).unwrap().put().unwrap();
        let refused = Staged::write(&path, b"three", 0o644).unwrap().put().unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(std::fs::read(&path).unwrap(), b"two");
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o644);
        assert_eq!(std::fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
    }

    #[test]
    fn a_staged_file_is_beside_none_but_its_own_and_follows_no_link() {
        let folder = tempfile::tempdir().unwrap();
        let [path, other] = ["agent.new", "other"].map(|name| folder.path().join(name));
        std::fs::write(&other, b"theirs").unwrap();
        std::os::unix::fs::symlink(&other, beside(&path)).unwrap();
        Staged::write(&path, b"one", 0o644).unwrap().put().unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"one");
        assert_eq!(std::fs::read(&other).unwrap(), b"theirs");
        let named = Staged::write(&folder.path().join("agent.toml"), b"two", 0o644).unwrap();
        assert!(path.exists() && named.new.ends_with("agent.toml.picket-new"));
    }
}
