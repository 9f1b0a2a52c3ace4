//! A real disk of a host: ext4 on a loop device, below a folder of it. It hangs, or it dies.
//!
//! The kernel frees the loop device with its last mount, so nothing is left of it with the anchor's end; but a runner that is
//! killed while the disk hangs leaves what waits for it, which no signal ends: `fsfreeze --unfreeze` of a new mount of
//! that loop device does.

use super::host::Host;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

/// What it takes, and the Debian packages that have it.
pub(super) const NEEDS: &[(&str, &str)] = &[
    ("/usr/sbin/mkfs.ext4", "e2fsprogs"),
    ("/usr/sbin/losetup", "mount"),
    ("/usr/sbin/fsfreeze", "util-linux"),
    ("/usr/bin/python3", "python3-minimal"),
];
/// EXT4_IOC_SHUTDOWN without a flush of its log: what a disk that is pulled out looks like.
const SHUTDOWN: &str =
    "import fcntl, os, struct, sys; fcntl.ioctl(os.open(sys.argv[1], 0), 0x8004587d, struct.pack('I', 2))";

/// See the module.
pub(super) struct Disk {
    folder: PathBuf,
}

impl Disk {
    /// Moves what a folder of a host holds to a disk of its own; nobody may have anything open there.
    ///
    /// # Errors
    /// What the tools said.
    pub(super) fn below(host: &Host, folder: &str) -> Result<Self, String> {
        let image = format!("/mnt/{}.img", host.name);
        fs::File::create(&image)
            .and_then(|file| file.set_len(64 << 20))
            .map_err(|error| error.to_string())?;
        let outside = host.path(folder);
        run(&["mkfs.ext4", "-q", "-F", "-d", &outside.to_string_lossy(), &image])?;
        let device = run(&["losetup", "--find", "--show", &image])?;
        let number = device.trim_start_matches("/dev/loop");
        let mount = format!("mknod /dev/disk b 7 {number} && mount -t ext4 /dev/disk {folder}");
        let mounted = run(&["nsenter", "-t", &host.pid().to_string(), "-m", "sh", "-c", &mount]);
        let freed = run(&["losetup", "--detach", &device]);
        mounted.and(freed)?;
        Ok(Self { folder: outside })
    }

    /// Whatever writes to it waits, until it goes on.
    pub(super) fn hang(&self, hangs: bool) -> Result<(), String> {
        let way = if hangs { "--freeze" } else { "--unfreeze" };
        run(&["fsfreeze", way, &self.folder.to_string_lossy()]).map(drop)
    }

    /// Everything that is asked of it fails, from now on.
    pub(super) fn die(&self) -> Result<(), String> {
        run(&["python3", "-c", SHUTDOWN, &self.folder.to_string_lossy()]).map(drop)
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _hangs_no_more = self.hang(false);
    }
}

fn run(words: &[&str]) -> Result<String, String> {
    let output = Command::new(words[0]).args(&words[1..]).output();
    let output = output.map_err(|error| format!("{words:?}: {error}"))?;
    let said = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    let why = || format!("{words:?}: {said} {}", String::from_utf8_lossy(&output.stderr).trim());
    if output.status.success() { Ok(said) } else { Err(why()) }
}
