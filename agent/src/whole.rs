//! A small file that is put in its place whole: after a power cut the old one stands there or the new one. Only its owner can
//! read it. That the new one is the one that stays is sure once its folder is synced too, which is left to the caller.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

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
