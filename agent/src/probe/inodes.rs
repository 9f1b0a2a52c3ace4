//! Inodes in use on a mount, by statvfs in a thread of its own, as for its space.
//!
//! Filesystems that make inodes as they need them (btrfs, FAT) say that they have none: nothing can run out there. XFS and ZFS
//! say as many are left as what is left of the space would hold: that is a level, but when they will be gone is the space's to say.

use super::{Seen, mount};
use picket_agent_core::check::Reading;

/// The kernel's numbers of XFS and ZFS.
const FROM_SPACE: [u64; 2] = [0x5846_5342, 0x2FC1_2FC1];

/// How many of its inodes are left.
pub(crate) fn read(mount: &str) -> Seen {
    match rustix::fs::statfs(mount) {
        Ok(space) if space.f_files == 0 => Reading::Good.into(),
        Ok(space) => {
            let room = Reading::Room { left: space.f_ffree, of: space.f_files };
            let kind = u64::try_from(space.f_type).unwrap_or_default();
            if FROM_SPACE.contains(&kind) { room.leveled().into() } else { room.into() }
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
