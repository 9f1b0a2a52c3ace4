//! What is mounted, from `/proc/self/mountinfo`, and which of it lasts: what `/etc/fstab` names, and file systems of
//! disks and networks at places of the host's own.
//!
//! Automatic mounts come and go, and so do removable media and what containers and sessions mount: they are listed as
//! passing. Nothing is asked of a file system itself, so one that hangs holds up nothing.

use super::mount;
use crate::{open, sorted};
use picket_agent_core::baseline::{Place, Sight, Sighting};
use picket_proto::event::ThingKind;
use std::collections::BTreeSet;

/// File systems of disks and networks; all others are the kernel's, or a program's.
const LASTING: [&str; 20] = [
    "ext2",
    "ext3",
    "ext4",
    "xfs",
    "btrfs",
    "zfs",
    "f2fs",
    "jfs",
    "bcachefs",
    "reiserfs",
    "vfat",
    "exfat",
    "ntfs3",
    "nfs",
    "nfs4",
    "cifs",
    "ceph",
    "glusterfs",
    "fuse.glusterfs",
    "gfs2",
];
/// Where others than the host's own people mount.
const OTHERS: [&str; 11] = [
    "/proc",
    "/sys",
    "/dev",
    "/run",
    "/tmp",
    "/media",
    "/snap",
    "/var/lib/docker",
    "/var/lib/containers",
    "/var/lib/kubelet",
    "/var/lib/machines",
];

/// Lists the mounts; nothing where the kernel has no such file.
pub(crate) fn list() -> Option<Vec<Sighting>> {
    let mounts = open::text("/proc/self/mountinfo").ok()?;
    let fstab = open::text("/etc/fstab").unwrap_or_default();
    Some(read(&mounts, &named(&fstab)))
}

/// The places that fstab mounts at boot.
fn named(fstab: &str) -> BTreeSet<&str> {
    sorted::set(mount::wanted(fstab).filter(|line| !line.waits()).map(|line| line.point))
}

fn read(mounts: &str, named: &BTreeSet<&str>) -> Vec<Sighting> {
    let lines: Vec<mount::Line<'_>> = mount::lines(mounts).collect();
    let automatic: Vec<&str> =
        lines.iter().filter(|line| line.kind == "autofs").map(|line| line.point).collect();
    let mut seen: BTreeSet<&str> = BTreeSet::new();
    let mut found = Vec::new();
    for line in &lines {
        if line.kind == "autofs" || !seen.insert(line.point) {
            continue;
        }
        let is_others = |places: &[&str]| places.iter().any(|place| is_within(line.point, place));
        let is_whole = line.root == "/" || line.kind == "btrfs";
        let lasts =
            named.contains(line.point) || (LASTING.contains(&line.kind) && is_whole && !is_others(&OTHERS));
        let place = if lasts && !is_others(&automatic) { Place::Lasting } else { Place::Passing };
        if let Ok(name) = line.point.parse() {
            let sight = Sight::Mounted(place);
            found.push(Sighting { kind: ThingKind::Mount, name, of: None, sight });
        }
    }
    found
}

fn is_within(path: &str, place: &str) -> bool {
    path.strip_prefix(place).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOUNTS: &str = "22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n\
        23 22 0:21 / /proc rw - proc proc rw\n\
        24 22 8:2 / /srv/data rw - xfs /dev/sda2 rw\n\
        25 22 0:30 / /run/user/0 rw - tmpfs tmpfs rw\n\
        26 22 0:31 / /cache rw - tmpfs tmpfs rw\n\
        27 22 8:17 / /media/stick rw - vfat /dev/sdb1 rw\n\
        28 22 8:1 /etc/x /etc/hosts rw - ext4 /dev/sda1 rw\n\
        29 22 0:40 / /net rw - autofs auto.net rw\n\
        30 29 0:41 / /net/a rw - nfs4 a:/ rw\n\
        31 22 0:50 /@home /home rw - btrfs /dev/sdc rw\n\
        a line that is none";

    #[test]
    fn what_fstab_names_and_file_systems_of_disks_last() {
        let fstab = "# comment /no\nUUID=1 / ext4 defaults 0 1\ntmpfs /cache tmpfs size=1m 0 0\n\
                     /dev/sdd /later ext4 noauto 0 0\nUUID=2 none swap sw 0 0\n";
        let named = named(fstab);
        assert_eq!(named.iter().copied().collect::<Vec<_>>(), ["/", "/cache"]);
        let lasting = |sighting: &Sighting| sighting.sight == Sight::Mounted(Place::Lasting);
        let all = read(MOUNTS, &named);
        let names: Vec<&str> = all.iter().filter(|it| lasting(it)).map(|it| it.name.as_str()).collect();
        assert_eq!(names, ["/", "/srv/data", "/cache", "/home"]);
        assert_eq!(all.len(), 9, "the others are passing");
    }
}
