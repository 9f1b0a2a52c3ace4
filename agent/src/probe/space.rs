//! Space on a mount, by statvfs in a thread of its own: on a dead network mount that call never returns.
//!
//! The level is what an unprivileged writer sees: blocks that only root may use count as used.

use super::{Seen, mount};
use picket_agent_core::check::Reading;

/// The share of its space that is in use, per mille.
pub(crate) fn read(mount: &str) -> Seen {
    match rustix::fs::statvfs(mount) {
        Ok(space) => {
            let used = space.f_blocks.saturating_sub(space.f_bfree);
            let usable = used.saturating_add(space.f_bavail);
            let level = used.saturating_mul(1000).div_ceil(usable.max(1));
            Reading::Level(i64::try_from(level).unwrap_or(1000)).into()
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
        assert!(matches!(read("/").reading, Reading::Level(0..=1000)));
        assert_eq!(read("/no/such/mount").reading, Reading::Bad(Cause::Absent));
    }
}
