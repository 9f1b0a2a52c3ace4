//! Inodes in use on a mount, by statvfs in a thread of its own, as for its space.
//!
//! Filesystems that make inodes as they need them (btrfs, FAT) say that they have none: nothing can run out there.

use super::{Seen, mount};
use picket_agent_core::check::Reading;

/// How many of its inodes are left.
pub(crate) fn read(mount: &str) -> Seen {
    match rustix::fs::statvfs(mount) {
        Ok(space) if space.f_files == 0 => Reading::Good.into(),
        Ok(space) => {
            let used = space.f_files.saturating_sub(space.f_ffree);
            Reading::Room { left: space.f_favail, of: used.saturating_add(space.f_favail) }.into()
        }
        Err(errno) => mount::failed(errno),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use picket_proto::event::Cause;

    #[test]
    fn the_root_has_a_level_or_no_inodes_and_a_missing_mount_has_a_reason() {
        assert!(matches!(read("/").reading, Reading::Room { .. } | Reading::Good));
        assert_eq!(read("/proc").reading, Reading::Good, "it has none to run out of");
        assert_eq!(read("/no/such/mount").reading, Reading::Bad(Cause::Absent));
    }
}
