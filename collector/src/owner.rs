//! Root works on a data folder as its owner: the package's folder belongs to `picket-collector`, and what root made there by hand would be
//! unreadable to the unit.
//!
//! Root gives itself up for good, before the first thread begins and before anything is written, so no file ever has to be given away
//! and no link in the folder is followed with root's rights. Capabilities go with it: a port below 1024 is the unit's to offer.
//!
//! Left out: the owner's further groups, which the unit does not have either.

use crate::error::Failure;
use rustix::fs::{Gid, Uid};
use rustix::process::geteuid;
use rustix::thread::{set_thread_gid, set_thread_groups, set_thread_uid};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// Where this process is root and the folder is somebody else's, becomes that user. A folder that is not there is made as whoever
/// asks for it.
///
/// # Errors
/// The kernel's word, where root may not (a user namespace without that user).
pub(crate) fn become_owner(data: &Path) -> Result<(), Failure> {
    let Ok(folder) = std::fs::metadata(data) else { return Ok(()) };
    if !geteuid().is_root() || folder.uid() == 0 {
        return Ok(());
    }
    give_up(Uid::from_raw(folder.uid()), Gid::from_raw(folder.gid()))
        .map_err(|source| Failure::System { doing: "work as the owner of the data folder", source })
}

/// Groups first: without root they can't be left any more.
fn give_up(user: Uid, group: Gid) -> io::Result<()> {
    set_thread_groups(&[])?;
    set_thread_gid(group)?;
    Ok(set_thread_uid(user)?)
}
