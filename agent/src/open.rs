//! Files of others, opened and read so that nothing they are can hold a thread or blind a look.
//!
//! A FIFO without a writer is opened at once and refused, as is all else that is no regular file: reading it may never
//! end. A link is followed. Text is read with every byte that is no UTF-8 replaced, since one odd name among many (a
//! mount, a user) must not hide the others. Left out: how much is read, which is the caller's to bound.

use picket_proto::event::Cause;
use rustix::fs::{Mode, OFlags};
use std::fs::{File, FileType, Metadata};
use std::io;
use std::os::unix::fs::FileTypeExt;
use std::path::Path;

/// Opens a regular file to read it. What was refused for being none has no errno.
///
/// # Errors
/// It can't be opened, or is no regular file.
pub(crate) fn regular(path: &Path) -> io::Result<(File, Metadata)> {
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let file = match rustix::fs::open(path, flags, Mode::empty()) {
        Ok(descriptor) => File::from(descriptor),
        // A socket, or a device without its driver.
        Err(rustix::io::Errno::NXIO) => return Err(refusal(std::fs::metadata(path)?.file_type())),
        Err(errno) => return Err(errno.into()),
    };
    let of = file.metadata()?;
    if of.is_file() { Ok((file, of)) } else { Err(refusal(of.file_type())) }
}

/// Why a file of which something is wanted gives nothing: what was opened and is no regular file has it not.
pub(crate) fn cause(error: &io::Error) -> Cause {
    error.raw_os_error().map_or(Cause::Mismatch, Cause::Local)
}

fn refusal(kind: FileType) -> io::Error {
    let is = match kind {
        _ if kind.is_fifo() => "a FIFO",
        _ if kind.is_socket() => "a socket",
        _ if kind.is_dir() => "a folder",
        _ => "a device",
    };
    io::Error::other(format!("is {is}, no regular file"))
}

/// The text of a file of the system, odd bytes replaced.
///
/// # Errors
/// It can't be read.
pub(crate) fn text(path: impl AsRef<Path>) -> io::Result<String> {
    let bytes = std::fs::read(path)?;
    Ok(String::from_utf8(bytes).unwrap_or_else(|odd| String::from_utf8_lossy(odd.as_bytes()).into_owned()))
}

/// Makes a FIFO.
#[cfg(test)]
pub(crate) fn fifo(path: &Path) {
    use rustix::fs::{CWD, FileType, mknodat};
    mknodat(CWD, path, FileType::Fifo, Mode::from_raw_mode(0o600), 0).expect("a FIFO can be made");
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;
    use std::os::unix::net::UnixListener;

    #[test]
    fn what_is_no_regular_file_is_refused_at_once_and_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fifo(&at("fifo"));
        let _listens = UnixListener::bind(at("socket")).unwrap();
        symlink(at("fifo"), at("link")).unwrap();
        for (path, is) in [
            (at("fifo"), "a FIFO"),
            (at("link"), "a FIFO"),
            (at("socket"), "a socket"),
            (folder.path().to_path_buf(), "a folder"),
            ("/dev/zero".into(), "a device"),
        ] {
            let error = regular(&path).unwrap_err();
            assert_eq!(error.to_string(), format!("is {is}, no regular file"));
            assert_eq!(error.raw_os_error(), None);
        }
        assert_eq!(regular(&at("gone")).unwrap_err().kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn a_byte_that_is_no_utf_8_hides_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("it");
        std::fs::write(&path, b"one\n\xff two\n").unwrap();
        assert_eq!(text(&path).unwrap(), "one\n\u{fffd} two\n");
        assert_eq!(regular(&path).unwrap().1.len(), 10);
    }
}
