//! The few things that the spool asks of a file system, so that tests can cut its power.
//!
//! Files are read and written at offsets and never mapped: a mapped file on a full disk kills the process by SIGBUS.

use rustix::fs::{FallocateFlags, OFlags};
use rustix::io::Errno;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt};
use std::path::PathBuf;

/// A folder of files.
pub(crate) trait Files {
    /// An open file.
    type File;

    /// Makes the folder if it is not there, and names what is in it.
    fn list(&mut self) -> io::Result<Vec<String>>;
    /// Makes a file that must not be there yet.
    fn create(&mut self, name: &str) -> io::Result<Self::File>;
    /// Opens a file for reading and, if it can be, for writing.
    fn open(&mut self, name: &str) -> io::Result<Self::File>;
    /// Cuts the file off at `keep` and takes the room up to `len` from the file system, all zero.
    fn reserve(&mut self, file: &Self::File, keep: u64, len: u64) -> io::Result<()>;
    /// Reads as much as there is, up to the buffer's length.
    fn read(&mut self, file: &Self::File, at: u64, buffer: &mut [u8]) -> io::Result<usize>;
    /// Writes all.
    fn write(&mut self, file: &Self::File, at: u64, bytes: &[u8]) -> io::Result<()>;
    /// Makes what was written durable.
    fn sync(&mut self, file: &Self::File) -> io::Result<()>;
    fn rename(&mut self, from: &str, to: &str) -> io::Result<()>;
    fn remove(&mut self, name: &str) -> io::Result<()>;
    /// Makes what was created, renamed and removed durable.
    fn sync_folder(&mut self) -> io::Result<()>;
    /// Bytes that this thread caused to be written so far, where the kernel counts them.
    fn written(&mut self) -> Option<u64>;
}

/// A folder on disk.
pub(crate) struct Folder(PathBuf);

impl Folder {
    /// The spool's folder below the state folder.
    pub(crate) fn below(state: &std::path::Path) -> Self {
        Self(state.join("spool"))
    }
}

impl Files for Folder {
    type File = File;

    fn list(&mut self) -> io::Result<Vec<String>> {
        match std::fs::DirBuilder::new().mode(0o700).create(&self.0) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists || self.0.is_dir() => {}
            Err(error) => return Err(error),
        }
        let names =
            std::fs::read_dir(&self.0)?.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        Ok(names.collect())
    }

    fn create(&mut self, name: &str) -> io::Result<File> {
        OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(self.0.join(name))
    }

    fn open(&mut self, name: &str) -> io::Result<File> {
        let path = self.0.join(name);
        OpenOptions::new().read(true).write(true).open(&path).or_else(|_| File::open(&path))
    }

    fn reserve(&mut self, file: &File, keep: u64, len: u64) -> io::Result<()> {
        file.set_len(keep).map_err(|error| refused(file, error))?;
        match rustix::fs::fallocate(file, FallocateFlags::empty(), 0, len) {
            Ok(()) => Ok(()),
            Err(Errno::OPNOTSUPP | Errno::NOSYS) => zeros(file, keep, len),
            Err(error) => Err(error.into()),
        }
    }

    fn read(&mut self, file: &File, at: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let mut len = 0;
        while len < buffer.len() {
            match file.read_at(&mut buffer[len..], at + len as u64) {
                Ok(0) => break,
                Ok(more) => len += more,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(len)
    }

    fn write(&mut self, file: &File, at: u64, bytes: &[u8]) -> io::Result<()> {
        file.write_all_at(bytes, at).map_err(|error| refused(file, error))
    }

    fn sync(&mut self, file: &File) -> io::Result<()> {
        file.sync_data()
    }

    fn rename(&mut self, from: &str, to: &str) -> io::Result<()> {
        std::fs::rename(self.0.join(from), self.0.join(to))
    }

    fn remove(&mut self, name: &str) -> io::Result<()> {
        std::fs::remove_file(self.0.join(name))
    }

    fn sync_folder(&mut self) -> io::Result<()> {
        File::open(&self.0)?.sync_all()
    }

    fn written(&mut self) -> Option<u64> {
        let text = std::fs::read_to_string("/proc/thread-self/io").ok()?;
        text.lines().find_map(|line| line.strip_prefix("write_bytes: "))?.trim().parse().ok()
    }
}

/// A file that could only be opened for reading says so in other words at each call: what it means is a folder that can't be written.
fn refused(file: &File, error: io::Error) -> io::Error {
    let is_read_only = rustix::fs::fcntl_getfl(file).is_ok_and(|flags| !flags.contains(OFlags::RDWR));
    if is_read_only { Errno::ROFS.into() } else { error }
}

/// Takes room where the file system can't reserve it.
fn zeros(file: &File, mut at: u64, len: u64) -> io::Result<()> {
    let zeros = [0; 4096];
    while at < len {
        let some = usize::try_from(len - at).unwrap_or(zeros.len()).min(zeros.len());
        file.write_all_at(&zeros[..some], at)?;
        at += some as u64;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_can_only_be_read_is_on_a_file_system_that_can_not_be_written() {
        let state = tempfile::tempdir().unwrap();
        let mut folder = Folder::below(state.path());
        folder.list().unwrap();
        folder.create("a").unwrap();
        let file = File::open(folder.0.join("a")).unwrap();
        for refused in [folder.write(&file, 0, b"x"), folder.reserve(&file, 0, 4096)] {
            assert_eq!(refused.unwrap_err().kind(), io::ErrorKind::ReadOnlyFilesystem);
        }
    }
}
