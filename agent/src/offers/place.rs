//! Where an agent would keep its state, the root, and the clock.

use super::Finding;
use crate::log::rfc3339;
use crate::probe::apart::Apart;
use crate::probe::mount::{Mounted, mounts};
use crate::probe::space;
use crate::{clock, open};
use picket_agent_core::check::Reading;
use rustix::fs::Access;
use rustix::io::Errno;
use std::path::Path;
use std::time::Duration;
use tokio::time::timeout;

/// Twice the spool as it is without being told otherwise, KiB.
const ROOM: u64 = 32 * 1024;
/// Filesystems that a reboot empties.
const PASSING: [&str; 3] = ["tmpfs", "ramfs", "overlay"];
const PATIENCE: Duration = Duration::from_millis(300);
/// A clock before this was never set: seconds of 2020-01-01.
const SET: i64 = 1_577_836_800;

/// All of it.
pub(super) async fn all(state: &Path) -> Vec<Finding> {
    let table = mounts(&open::text("/proc/self/mountinfo").unwrap_or_default());
    vec![root(&table), folder(state, &table).await, time()]
}

fn root(table: &[Mounted]) -> Finding {
    match of(Path::new("/"), table) {
        Some(root) if root.writable => Finding::ok("root", format!("{}, writable", root.kind)),
        Some(root) => Finding::without(
            "root",
            format!("{}, read-only", root.kind),
            "name a state folder on another filesystem; what is put back (files, packages) can't be",
        ),
        None => Finding::without("root", "is in no table of mounts", "mounts are not watched"),
    }
}

/// The mount that a path is on; what stands later lies above.
fn of<'t>(path: &Path, table: &'t [Mounted]) -> Option<&'t Mounted> {
    let above = table.iter().rev().filter(|mount| path.starts_with(&mount.point));
    above.max_by_key(|mount| mount.point.len())
}

async fn folder(state: &Path, table: &[Mounted]) -> Finding {
    let there = state.ancestors().find(|folder| folder.exists()).unwrap_or_else(|| Path::new("/"));
    let kind = of(there, table).map_or("", |mount| mount.kind.as_str());
    let shown = state.display();
    let may = rustix::fs::access(there, Access::WRITE_OK | Access::EXEC_OK);
    if may == Err(Errno::ROFS) {
        let costs = "name a folder on another filesystem with --state: what is kept here does not outlive a restart of the agent";
        return Finding::problem("state", format!("{shown} is on a read-only filesystem"), costs);
    }
    if may.is_err() || !there.is_dir() {
        let seen = format!("{shown} can't be written, because of {}", there.display());
        return Finding::problem("state", seen, "run as root, or name another folder with --state");
    }
    let own = there.to_path_buf();
    let look = Apart::default().run(move || space::read(&own.to_string_lossy()));
    let Ok(Ok(seen)) = timeout(PATIENCE, look).await else {
        return Finding::problem("state", format!("{shown} does not answer"), "its disk hangs");
    };
    let left = if let Reading::Room { left, .. } = seen.reading { left } else { 0 };
    let seen = format!("{shown} on {kind}, {} MiB free", left / 1024);
    if left < ROOM {
        Finding::problem("state", seen, "events of an outage find no room: 32 MiB are wanted")
    } else if PASSING.contains(&kind) {
        Finding::without("state", seen, "key, certificate and events may not outlive a reboot")
    } else {
        Finding::ok("state", seen)
    }
}

fn time() -> Finding {
    let wall = clock::now().wall;
    let (seconds, seen) = (wall.micros() / 1_000_000, rfc3339(wall));
    if seconds < SET {
        Finding::problem(
            "clock",
            seen,
            "never set: certificates are judged as of the earliest day that it can be; set it or run an NTP client",
        )
    } else if clock::synced() {
        Finding::ok("clock", "synchronised")
    } else {
        let costs = "when something happened is not sure, and what is `unusual` is not told: run an NTP client (see timedatectl)";
        Finding::problem("clock", format!("{seen}, not synchronised"), costs)
    }
}

#[cfg(test)]
mod tests {
    use super::super::Word;
    use super::*;

    #[test]
    fn a_path_is_on_the_deepest_mount_above_it() {
        let table = mounts(
            "22 1 8:1 / / ro - ext4 /dev/sda1 ro\n24 22 8:2 / /var rw - xfs /dev/sda2 rw\n\
             25 22 0:3 / /va rw - tmpfs tmpfs rw\n",
        );
        assert_eq!(of(Path::new("/var/lib/x"), &table).unwrap().kind, "xfs");
        assert_eq!(of(Path::new("/vax"), &table).unwrap().kind, "ext4");
        assert_eq!(root(&table).word, Word::Without);
    }

    #[tokio::test]
    async fn a_folder_that_can_not_be_made_is_a_problem_and_one_that_can_is_none() {
        let there = tempfile::tempdir().unwrap();
        let file = there.path().join("file");
        std::fs::write(&file, "").unwrap();
        assert_eq!(folder(&file.join("state"), &[]).await.word, Word::Problem);
        assert_eq!(folder(&there.path().join("a/b"), &[]).await.word, Word::Ok);
        assert!(!there.path().join("a").exists(), "nothing is made");
    }
}
