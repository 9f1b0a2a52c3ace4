//! Space on a mount, by statvfs in a thread of its own: on a dead network mount that call never returns.
//!
//! It counts what an unprivileged writer sees: blocks that only root may use count as used.

use super::{Seen, mount};
use picket_agent_core::check::Reading;

/// What is left of its space, KiB.
pub(crate) fn read(mount: &str) -> Seen {
    match rustix::fs::statvfs(mount) {
        Ok(space) => {
            let used = space.f_blocks.saturating_sub(space.f_bfree);
            let [left, of] = [space.f_bavail, used.saturating_add(space.f_bavail)];
            let kib = |blocks: u64| blocks.saturating_mul(space.f_frsize) / 1024;
            Reading::Room { left: kib(left), of: kib(of) }.into()
        }
        Err(errno) => mount::failed(errno),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use picket_proto::event::Cause;

    #[test]
    fn the_root_has_a_level_and_a_missing_mount_has_a_reason() {
        assert!(matches!(read("/").reading, Reading::Room { left, of } if left <= of && of > 0));
        assert_eq!(read("/no/such/mount").reading, Reading::Bad(Cause::Absent));
    }
}
