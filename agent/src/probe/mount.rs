//! Mounts: there, answering, and writable where they should be. In a thread of its own: a dead one never answers.
//!
//! Whether one is there is the kernel's table's word (`/proc/self/mountinfo`), which answers even then; whether it
//! can be written to is that of statvfs, which knows of the mount and of the filesystem below it. An error of statvfs
//! is the mount's (a dead FUSE server, a stale handle, a disk that can't be read), unless it tells of the agent's own
//! rights or memory.

mod tables;

use super::Seen;
use crate::open;
use picket_agent_core::check::Reading;
use picket_proto::event::Cause;
use rustix::fs::StatVfsMountFlags;
use rustix::io::Errno;
pub(super) use tables::{Line, lines};
pub(crate) use tables::{unescaped, wanted};

/// A mount of the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mounted {
    /// Where.
    pub(crate) point: String,
    /// The filesystem's type.
    pub(crate) kind: String,
    pub(crate) writable: bool,
}

/// Parses the table; what stands later lies above.
pub(crate) fn mounts(text: &str) -> Vec<Mounted> {
    let mounted = |line: Line<'_>| Mounted {
        point: unescaped(line.point),
        kind: line.kind.to_owned(),
        writable: line.is_writable(),
    };
    lines(text).map(mounted).collect()
}

/// Looks at one.
pub(super) fn read(mount: &str, writable: bool) -> Seen {
    let table = match open::text("/proc/self/mountinfo") {
        Ok(text) => mounts(&text),
        Err(error) => return Reading::Bad(Cause::Local(error.raw_os_error().unwrap_or(libc::EIO))).into(),
    };
    if !table.iter().any(|one| one.point == mount) {
        return Reading::Bad(Cause::Absent).into();
    }
    match rustix::fs::statvfs(mount) {
        Ok(space) if writable && space.f_flag.contains(StatVfsMountFlags::RDONLY) => {
            Reading::Bad(Cause::ReadOnly).into()
        }
        Ok(_) => Reading::Good.into(),
        Err(errno) => failed(errno),
    }
}

/// What an error of statvfs says of what was asked for.
pub(super) fn failed(errno: Errno) -> Seen {
    let cause = match errno {
        Errno::NOENT | Errno::NOTDIR => Cause::Absent,
        Errno::ACCESS | Errno::PERM | Errno::NOMEM | Errno::INTR => Cause::Local(errno.raw_os_error()),
        _ => Cause::Stuck,
    };
    Seen::new(Reading::Bad(cause), std::io::Error::from(errno).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_table_is_read() {
        let table = mounts(
            "27 1 254:0 / / rw,relatime - ext4 /dev/vda rw,discard\n\
             28 27 0:25 / /mnt/a\\040b ro,nosuid shared:2 master:1 - tmpfs none rw\n\
             29 27 7:1 / /snap/x rw - squashfs /dev/loop1 ro\nnonsense\n",
        );
        let one =
            |point: &str, kind: &str, writable| Mounted { point: point.into(), kind: kind.into(), writable };
        assert_eq!(
            table,
            [one("/", "ext4", true), one("/mnt/a b", "tmpfs", false), one("/snap/x", "squashfs", false)]
        );
    }

    #[test]
    fn real_mounts_are_there_and_a_plain_folder_is_none() {
        assert_eq!(read("/proc", true), Reading::Good.into());
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(read(folder.path().to_str().unwrap(), true), Reading::Bad(Cause::Absent).into());
    }

    #[test]
    fn an_error_is_the_mounts_unless_it_is_the_agents_own() {
        for errno in [Errno::NOTCONN, Errno::STALE, Errno::IO, Errno::HOSTDOWN] {
            assert_eq!(failed(errno).reading, Reading::Bad(Cause::Stuck), "{errno}");
        }
        assert!(failed(Errno::STALE).said.starts_with("Stale file handle"));
        assert_eq!(failed(Errno::ACCESS).reading, Reading::Bad(Cause::Local(libc::EACCES)));
        assert_eq!(failed(Errno::NOENT).reading, Reading::Bad(Cause::Absent));
    }
}
