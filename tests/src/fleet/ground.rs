//! What all hosts begin with: a frozen copy of the machine's `/etc` in which nothing is enabled, and an empty `/var`.
//!
//! The copy is taken once per rig, since a folder that changes below an overlay is undefined. `/usr` is the machine's own: hosts write
//! above it.

use std::fs;
use std::io;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;

/// Where it lies in the anchor's sight.
pub(super) const GROUND: &str = "/mnt/ground";

/// Units of a machine with hardware, terminals or a clock of its own: a host here has none.
const MASKED: &str = "apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer fstrim.timer man-db.timer \
    systemd-timesyncd.service systemd-pstore.service systemd-logind.service systemd-udevd.service \
    systemd-udevd-control.socket systemd-udevd-kernel.socket systemd-udev-trigger.service getty.target getty-static.service \
    console-getty.service systemd-modules-load.service kmod-static-nodes.service systemd-random-seed.service \
    systemd-sysctl.service systemd-binfmt.service proc-sys-fs-binfmt_misc.automount proc-sys-fs-binfmt_misc.mount \
    sys-fs-fuse-connections.mount dev-hugepages.mount dev-mqueue.mount sys-kernel-tracing.mount sys-kernel-debug.mount \
    sys-kernel-config.mount systemd-repart.service systemd-firstboot.service systemd-machine-id-commit.service \
    systemd-update-utmp.service systemd-update-utmp-runlevel.service systemd-pcrphase.service \
    systemd-pcrphase-sysinit.service systemd-ask-password-console.path systemd-ask-password-wall.path \
    systemd-journald-audit.socket systemd-initctl.socket systemd-sysusers.service systemd-tmpfiles-setup-dev.service \
    systemd-remount-fs.service cryptsetup.target integritysetup.target veritysetup.target var-lib-machines.mount \
    systemd-networkd.service systemd-networkd.socket systemd-resolved.service networking.service e2scrub_reap.service \
    ldconfig.service systemd-hwdb-update.service systemd-journal-flush.service systemd-journal-catalog-update.service \
    systemd-update-done.service rescue.service emergency.service systemd-network-generator.service \
    systemd-user-sessions.service";

const JOURNAL: &str = "[Journal]\nStorage=volatile\nRuntimeMaxUse=32M\nRateLimitIntervalSec=0\nForwardToSyslog=no\n\
                       ForwardToWall=no\nAudit=no\n";
const MANAGER: &str = "[Manager]\nDefaultTimeoutStopSec=10s\nDefaultTimeoutStartSec=60s\nShowStatus=no\n";
const NGINX: &str =
    "server { listen 80 default_server; listen [::]:80; location / { return 200 \"ok $hostname\\n\"; } }\n";
const REDIS: &str = "bind 0.0.0.0\nprotected-mode no\nport 6379\nsupervised systemd\ndaemonize no\ndir /var/lib/redis\n\
                     logfile \"\"\nmaxmemory 64mb\n";

/// Lays it.
pub(super) fn lay() -> io::Result<()> {
    let (etc, var) = (Path::new(GROUND).join("etc"), Path::new(GROUND).join("var"));
    fs::create_dir_all(&etc)?;
    run("cp", &["-a", "/etc/.", &etc.to_string_lossy()])?;
    units(&etc)?;
    write(&etc.join("systemd/journald.conf.d/rig.conf"), JOURNAL)?;
    write(&etc.join("systemd/system.conf.d/rig.conf"), MANAGER)?;
    for name in ["fstab", "machine-id", "resolv.conf", "hostname"] {
        let _was_a_link = fs::remove_file(etc.join(name));
        fs::write(etc.join(name), "")?;
    }
    let _not_there = fs::remove_file(etc.join("nginx/sites-enabled/default"));
    write(&etc.join("nginx/sites-enabled/rig"), NGINX)?;
    write(&etc.join("redis/redis.conf"), REDIS)?;
    skeleton(&var)
}

/// Nothing is enabled, and what a host has no hardware for is masked.
fn units(etc: &Path) -> io::Result<()> {
    let folder = etc.join("systemd/system");
    for entry in fs::read_dir(&folder)?.flatten() {
        let path = entry.path();
        if path.is_dir() && path.extension().is_some_and(|ending| ending == "wants") {
            fs::remove_dir_all(path)?;
        } else if !path.is_dir() {
            fs::remove_file(path)?;
        }
    }
    for unit in MASKED.split_whitespace() {
        symlink("/dev/null", folder.join(unit))?;
    }
    symlink("/lib/systemd/system/multi-user.target", folder.join("default.target"))?;
    fs::create_dir_all(folder.join("multi-user.target.wants"))
}

/// The folders that services expect below `/var`, with the owners that they have on the machine.
fn skeleton(var: &Path) -> io::Result<()> {
    for folder in [
        "lib",
        "log",
        "cache",
        "spool",
        "tmp",
        "backups",
        "mail",
        "opt",
        "local",
        "lib/dpkg",
        "lib/logrotate",
        // Of the package apt, which refuses to install anything without.
        "lib/apt/lists/partial",
        "cache/apt/archives/partial",
        "log/apt",
    ] {
        fs::create_dir_all(var.join(folder))?;
    }
    fs::set_permissions(var.join("tmp"), fs::Permissions::from_mode(0o1777))?;
    // What the machine has installed, so that a host's own dpkg knows it too.
    run("cp", &["-a", "/var/lib/dpkg/.", &var.join("lib/dpkg").to_string_lossy()])?;
    symlink("/run", var.join("run"))?;
    symlink("/run/lock", var.join("lock"))?;
    let own = ["lib/nginx", "lib/redis", "log/nginx", "log/redis", "lib/systemd", "lib/dbus", "lib/private"];
    for folder in own.iter().filter(|folder| Path::new("/var").join(folder).is_dir()) {
        let (from, to) = (format!("/var/{folder}"), var.join(folder).to_string_lossy().into_owned());
        fs::create_dir_all(&to)?;
        run("chown", &["--reference", &from, &to])?;
        run("chmod", &["--reference", &from, &to])?;
    }
    Ok(())
}

/// Writes a file and the folders above it.
pub(super) fn write(path: &Path, text: &str) -> io::Result<()> {
    fs::create_dir_all(path.parent().expect("it is in a folder"))?;
    fs::write(path, text)
}

/// Makes a file executable for all.
pub(super) fn executable(path: &Path) -> io::Result<()> {
    fs::set_permissions(path, fs::Permissions::from_mode(0o755))
}

fn run(program: &str, words: &[&str]) -> io::Result<()> {
    let status = Command::new(program).args(words).status()?;
    if status.success() { Ok(()) } else { Err(io::Error::other(format!("{program} {words:?}: {status}"))) }
}
