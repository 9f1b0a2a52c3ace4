//! A small file that is put in its place whole: after a power cut the old one stands there or the new one. Only its owner can
//! read it, unless a [`Staged`] one says otherwise. That the new one is the one that stays is sure once its folder is synced too, which is left to the caller.
//!
//! What is written lies beside it meanwhile, under the whole name with an ending of its own: no two files share it. It is made anew, so
//! that nothing that stands there, a link least of all, is written into.

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

/// Of what is being written.
pub(crate) const ENDING: &str = ".picket-new";

/// The file beside `path`, empty, and open for writing. What an earlier try left of it goes.
fn beside(path: &Path, mode: u32) -> io::Result<(PathBuf, File)> {
    let mut name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?.to_os_string();
    name.push(ENDING);
    let new = path.with_file_name(name);
    remove(&new)?;
    // `create_new` is O_EXCL, which follows no link either.
    let file = OpenOptions::new().write(true).create_new(true).mode(mode).open(&new)?;
    Ok((new, file))
}

/// Puts `bytes` in the place of what stands at `path`.
///
/// # Errors
/// The disk does not take it; the old one stays.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let (new, mut file) = beside(path, 0o600)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    std::fs::rename(new, path)
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
        let (new, mut file) = beside(path, mode)?;
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
    fn what_is_written_is_beside_no_other_file_and_goes_through_no_link() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        for (name, other) in [("agent.toml", "agent.new"), ("agent.new", "agent.toml")] {
            std::fs::write(at(other), "other").unwrap();
            let staged = Staged::write(&at(name), b"one", 0o644).unwrap();
            assert!(!at(name).exists(), "{name} is written before it is put");
            staged.put().unwrap();
            replace(&at(name), b"two").unwrap();
            assert_eq!(std::fs::read(at(other)).unwrap(), b"other");
            assert_eq!(std::fs::read(at(name)).unwrap(), b"two");
            [name, other].iter().for_each(|name| std::fs::remove_file(at(name)).unwrap());
        }
        std::fs::write(at("victim"), "its own").unwrap();
        let link = || std::os::unix::fs::symlink(at("victim"), at(&format!("it{ENDING}"))).unwrap();
        link();
        Staged::write(&at("it"), b"one", 0o644).unwrap().put().unwrap();
        link();
        replace(&at("it"), b"two").unwrap();
        assert_eq!(std::fs::read(at("victim")).unwrap(), b"its own");
        assert_eq!(std::fs::read(at("it")).unwrap(), b"two");
    }
}
