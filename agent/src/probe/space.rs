//! Space on a mount, by statvfs in a thread of its own: on a dead network mount that call never returns.
//!
//! At most one thread per mount (and 32 mounts): while one hangs, every probe of that mount is answered at once with
//! "stuck" and no second thread is made. A thread has 64 KiB of stack. The level is what an unprivileged writer sees:
//! blocks that only root may use count as used.

use picket_agent_core::check::Reading;
use picket_proto::event::Cause;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::oneshot;

const STACK: usize = 64 * 1024;

/// One mount, and whether a thread is out there for it.
#[derive(Clone)]
pub(crate) struct Mount {
    path: Arc<str>,
    busy: Arc<AtomicBool>,
}

impl Mount {
    /// A mount that nobody looks at yet.
    pub(crate) fn new(path: &str) -> Self {
        Self { path: path.into(), busy: Arc::default() }
    }

    /// Asks once. The caller bounds the time; a caller that gives up leaves the thread, and the mount busy.
    pub(crate) async fn read(self) -> Reading {
        if self.busy.swap(true, Ordering::AcqRel) {
            return Reading::Bad(Cause::Stuck);
        }
        let (answer, asked) = oneshot::channel();
        let (path, busy) = (Arc::clone(&self.path), Arc::clone(&self.busy));
        let thread =
            std::thread::Builder::new().name("space".to_owned()).stack_size(STACK).spawn(move || {
                let reading = level(&path);
                busy.store(false, Ordering::Release);
                let _asker_may_have_given_up = answer.send(reading);
            });
        if let Err(error) = thread {
            self.busy.store(false, Ordering::Release);
            return Reading::Bad(Cause::Local(error.raw_os_error().unwrap_or(libc::EAGAIN)));
        }
        asked.await.unwrap_or(Reading::Bad(Cause::Local(libc::EIO)))
    }
}

fn level(path: &str) -> Reading {
    match rustix::fs::statvfs(path) {
        Ok(space) => {
            let used = space.f_blocks.saturating_sub(space.f_bfree);
            let usable = used.saturating_add(space.f_bavail);
            let level = used.saturating_mul(1000).div_ceil(usable.max(1));
            Reading::Level(u32::try_from(level).unwrap_or(1000))
        }
        Err(errno) => Reading::Bad(Cause::Local(errno.raw_os_error())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_root_has_a_level_and_a_missing_mount_has_a_reason() {
        assert!(matches!(Mount::new("/").read().await, Reading::Level(0..=1000)));
        assert_eq!(Mount::new("/no/such/mount").read().await, Reading::Bad(Cause::Local(libc::ENOENT)));
    }

    #[tokio::test]
    async fn a_mount_with_a_thread_out_is_stuck_without_a_second_one() {
        let mount = Mount::new("/");
        mount.busy.store(true, Ordering::Release);
        assert_eq!(mount.read().await, Reading::Bad(Cause::Stuck));
    }
}
