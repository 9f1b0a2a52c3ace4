//! A host's disk and its first process: from a bare pid namespace to systemd.
//!
//! The disk is a tmpfs that outlives a power cut; `/etc`, `/var` and `/usr` are written above what all hosts share, so a host
//! may install and remove, and neither the machine nor another host sees it. The machine's own folders are not
//! there: the root is pivoted away from them.

use super::ground::{GROUND, write};
use super::groups::Groups;
use super::{Wishes, host, net};
use rustix::mount::{MountFlags, UnmountFlags, mount, mount_bind, mount_remount, unmount};
use std::ffi::CString;
use std::fs;
use std::io;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

/// What no host may: the machine's clock, modules and devices are not its own. The last two are perfmon and bpf by their numbers:
/// setpriv of Debian 11 does not know the names.
const DROPPED: &str = "-sys_time,-sys_module,-sys_rawio,-syslog,-mac_admin,-mac_override,-wake_alarm,-block_suspend,-audit_control,\
                       -audit_read,-cap_38,-cap_39";
/// Names a file: the agent that hosts get in place of the one in this program, such as the one that is shipped.
pub(super) const AGENT_VARIABLE: &str = "PICKET_FLEET_AGENT";
/// Where it is, in the anchor's sight.
pub(super) const AGENT: &str = "/mnt/picket-agent";
/// A host of this name is made and not booted.
pub(super) const TRIED: &str = "h99";

/// The capabilities that are taken from all that runs in a host.
pub(super) fn dropped() -> String {
    format!("--bounding-set={DROPPED}")
}

/// Where a host's disk is, in the anchor's sight.
pub(super) fn disk(name: &str) -> PathBuf {
    Path::new("/mnt").join(name)
}

/// Makes a host's disk.
pub(super) fn make(name: &str, number: usize) -> io::Result<()> {
    let root = disk(name);
    fs::create_dir_all(&root)?;
    mount(name, &root, "tmpfs", MountFlags::empty(), Some(c"mode=755,size=1g"))?;
    for folder in
        ["root", "tmp", "run", "proc", "sys", "dev", "home", "srv", "mnt", "opt", "media", "boot", ".old"]
    {
        fs::create_dir_all(root.join(folder))?;
    }
    for layer in ["etc", "var", "usr"] {
        for part in [String::new(), format!(".upper/{layer}"), format!(".work/{layer}")] {
            let folder = if part.is_empty() { layer.to_owned() } else { part };
            fs::create_dir_all(root.join(folder))?;
        }
    }
    for link in ["bin", "sbin", "lib", "lib64"] {
        symlink(format!("usr/{link}"), root.join(link))?;
    }
    let etc = root.join(".upper/etc");
    write(&etc.join("machine-id"), &format!("{:032x}\n", 0x7000_0abc_0000_u64 + number as u64))?;
    write(&etc.join("hostname"), &format!("{name}\n"))?;
    let names = (1..=Wishes::HOSTS_MAX)
        .map(|at| format!("{} h{at}\n{} h{at}\n", net::address(at), net::address6(at)));
    write(&etc.join("hosts"), &("127.0.0.1 localhost\n".to_owned() + &names.collect::<String>()))?;
    programs(&root.join(".upper/usr/bin"))
}

/// The programs under test are this one by other names, or the agent that somebody named.
fn programs(bin: &Path) -> io::Result<()> {
    fs::create_dir_all(bin)?;
    fs::copy("/mnt/fleet", bin.join("picket-fleet"))?;
    for (name, role) in [("picket-agent", "__agent"), ("picket-collector", "__collector")] {
        let path = bin.join(name);
        if role == "__agent" && Path::new(AGENT).exists() {
            fs::copy(AGENT, path)?;
            continue;
        }
        fs::write(&path, format!("#!/bin/sh\nexec /usr/bin/picket-fleet {role} \"$@\"\n"))?;
        super::ground::executable(&path)?;
    }
    Ok(())
}

/// The first process of a host's pid namespace: joins its groups, and goes on where they are its root.
pub(super) fn first(name: &str) -> ExitCode {
    Groups::given().join(name, "").expect("the host's groups are there");
    let failed = Command::new("/usr/bin/unshare").args(["-C", "/mnt/fleet", "__host-root", name]).exec();
    panic!("unshare does not start: {failed}")
}

/// The same process: mounts the host's root, goes there, and becomes systemd.
pub(super) fn second(name: &str) -> ExitCode {
    let root = disk(name);
    layers(&root)
        .and_then(|()| kernel(&root))
        .and_then(|()| devices(&root.join("dev")))
        .expect("the host's mounts");
    rustix::system::sethostname(name.as_bytes()).expect("the name is short");
    std::env::set_current_dir(&root).expect("the root is there");
    rustix::process::pivot_root(".", ".old").expect("the root is a mount of its own");
    unmount("/.old", UnmountFlags::DETACH).expect("the machine's root was put there");
    if name == TRIED {
        return ExitCode::SUCCESS;
    }
    let failed = Command::new("/usr/bin/setpriv")
        .arg(dropped())
        .args(["/lib/systemd/systemd", "--system"])
        .env_clear()
        .envs(host::ENVIRONMENT)
        .env("container", "picket")
        .exec();
    panic!("systemd does not start: {failed}")
}

fn layers(root: &Path) -> io::Result<()> {
    let lower = |layer: &str| if layer == "usr" { "/usr".into() } else { Path::new(GROUND).join(layer) };
    for layer in ["usr", "etc", "var"] {
        let (lower, upper, work) =
            (lower(layer), root.join(".upper").join(layer), root.join(".work").join(layer));
        let data =
            format!("lowerdir={},upperdir={},workdir={}", lower.display(), upper.display(), work.display());
        let data = CString::new(data)?;
        mount(layer, root.join(layer), "overlay", MountFlags::empty(), Some(data.as_c_str()))?;
    }
    Ok(())
}

fn kernel(root: &Path) -> io::Result<()> {
    let quiet = MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC;
    let at = |path: &str| root.join(path);
    mount("proc", at("proc"), "proc", quiet, None)?;
    mount_bind(at("proc/sys"), at("proc/sys"))?;
    mount_bind(at("proc/sys/net"), at("proc/sys/net"))?;
    mount_remount(at("proc/sys"), MountFlags::BIND | MountFlags::RDONLY, c"")?;
    mount("sysfs", at("sys"), "sysfs", quiet | MountFlags::RDONLY, None)?;
    groups(&at("sys/fs/cgroup"), quiet)?;
    mount("run", at("run"), "tmpfs", MountFlags::NOSUID | MountFlags::NODEV, Some(c"mode=755,size=128m"))?;
    mount("tmp", at("tmp"), "tmpfs", MountFlags::NOSUID | MountFlags::NODEV, Some(c"mode=1777,size=256m"))?;
    fs::create_dir_all(at("run/lock"))?;
    // Each boot has a number of its own, as on a machine.
    fs::create_dir_all(at("run/rig"))?;
    fs::copy("/proc/sys/kernel/random/uuid", at("run/rig/boot_id"))?;
    mount_bind(at("run/rig/boot_id"), at("proc/sys/kernel/random/boot_id"))?;
    // What the machine shows here is the machine's own: the rig says what a host has.
    fs::copy("/proc/meminfo", at("run/rig/meminfo"))?;
    mount_bind(at("run/rig/meminfo"), at("proc/meminfo"))?;
    // These would reach the machine.
    for file in ["proc/sysrq-trigger", "proc/kmsg", "proc/kcore"] {
        if at(file).exists() {
            mount_bind("/dev/null", at(file))?;
        }
    }
    Ok(())
}

fn groups(tree: &Path, quiet: MountFlags) -> io::Result<()> {
    let given = Groups::given();
    if given.is_pure() {
        return Ok(mount("cgroup2", tree, "cgroup2", quiet, None)?);
    }
    let small = Some(c"mode=755,size=64k");
    mount("cgroup", tree, "tmpfs", quiet, small)?;
    fs::create_dir(tree.join("unified"))?;
    mount("cgroup2", tree.join("unified"), "cgroup2", quiet, None)?;
    for kind in given.old_kinds() {
        fs::create_dir(tree.join(kind))?;
        let data = if kind == "systemd" { "none,name=systemd".to_owned() } else { kind.to_owned() };
        let data = CString::new(data)?;
        mount("cgroup", tree.join(kind), "cgroup", quiet, Some(data.as_c_str()))?;
    }
    Ok(mount_remount(tree, MountFlags::BIND | MountFlags::RDONLY | quiet, c"")?)
}

fn devices(dev: &Path) -> io::Result<()> {
    mount("dev", dev, "tmpfs", MountFlags::NOSUID, Some(c"mode=755,size=4m"))?;
    for folder in ["pts", "shm", "mqueue"] {
        fs::create_dir(dev.join(folder))?;
    }
    for (name, major, minor) in
        [("null", 1, 3), ("zero", 1, 5), ("full", 1, 7), ("random", 1, 8), ("urandom", 1, 9), ("tty", 5, 0)]
    {
        let (path, kind) = (dev.join(name), rustix::fs::FileType::CharacterDevice);
        let device = rustix::fs::makedev(major, minor);
        rustix::fs::mknodat(rustix::fs::CWD, &path, kind, rustix::fs::Mode::from_raw_mode(0o666), device)?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o666))?;
    }
    let terminals = Some(c"newinstance,gid=5,mode=620,ptmxmode=666");
    mount("devpts", dev.join("pts"), "devpts", MountFlags::NOSUID | MountFlags::NOEXEC, terminals)?;
    mount("shm", dev.join("shm"), "tmpfs", MountFlags::NOSUID | MountFlags::NODEV, Some(c"size=256m"))?;
    symlink("pts/ptmx", dev.join("ptmx"))?;
    for (name, number) in [("stdin", 0), ("stdout", 1), ("stderr", 2)] {
        symlink(format!("/proc/self/fd/{number}"), dev.join(name))?;
    }
    symlink("/proc/self/fd", dev.join("fd"))?;
    fs::write(dev.join("console"), "")?;
    Ok(mount_bind(dev.join("null"), dev.join("console"))?)
}
