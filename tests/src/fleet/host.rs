//! One host: boots, is cut off its power, frozen, starved; and commands that run in it.

use super::groups::Groups;
use super::{ground, inside, net, root};
use crate::rig::clock::Since;
use crate::rig::private_systemd::look_again;
use rustix::process::{Pid, Signal, kill_process};
use std::fs;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// What systemd and all commands in a host begin with.
pub(super) const ENVIRONMENT: [(&str, &str); 5] = [
    ("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin"),
    ("HOME", "/root"),
    ("LANG", "C.UTF-8"),
    ("SYSTEMD_PAGER", ""),
    ("SYSTEMD_COLORS", "0"),
];
/// A host boots in less than a second; on a machine that is busy it may take 30.
const BOOT: Duration = Duration::from_secs(60);

/// See the module.
pub(super) struct Host {
    pub(super) name: String,
    groups: Groups,
    launcher: Option<Child>,
    /// Its systemd, in the anchor's sight.
    pid: u32,
}

impl Host {
    /// A host with a disk and a link, not booted yet.
    pub(super) fn new(number: usize, groups: Groups) -> Self {
        let name = format!("h{number}");
        root::make(&name, number).expect("the anchor has room for a disk");
        net::link(number);
        groups.host(&name).expect("control groups can be made");
        Self { name, groups, launcher: None, pid: 0 }
    }

    /// Begins to boot.
    pub(super) fn boot(&mut self) {
        // One that was killed while it was frozen must not boot frozen.
        let _never_frozen = fs::write(self.groups.freezer(&self.name).join("cgroup.freeze"), "0");
        net::set(&self.name, true);
        let log = fs::File::create(self.log()).expect("the anchor has room");
        let errors = log.try_clone().expect("a file can be cloned");
        let child = Command::new("/usr/bin/nsenter")
            .arg(format!("--net=/run/netns/{}", self.name))
            .args(["/usr/bin/unshare", "-m", "-p", "-u", "-i", "--propagation", "private", "--fork"])
            .args(["--kill-child=SIGKILL", "/mnt/fleet", "__host", &self.name])
            .stdin(Stdio::null())
            .stdout(log)
            .stderr(errors)
            .spawn();
        self.launcher = Some(child.expect("nsenter starts"));
    }

    fn log(&self) -> PathBuf {
        Path::new("/mnt").join(format!("{}.log", self.name))
    }

    /// Waits until systemd says that it runs.
    ///
    /// # Errors
    /// What it says instead.
    pub(super) fn up(&mut self) -> Result<(), String> {
        let since = Since::now();
        let mut said = "no process".to_owned();
        while !since.left(BOOT).is_zero() {
            if let Some(pid) = self.find() {
                self.pid = pid;
                let is_up;
                (said, is_up) = self.run(&["systemctl", "is-system-running"]);
                if is_up || said == "degraded" {
                    return Ok(());
                }
            }
            look_again();
        }
        let log = fs::read_to_string(self.log()).unwrap_or_default();
        Err(format!("{} does not boot: {said}; {}", self.name, log.trim()))
    }

    /// Waits until its first process ended.
    ///
    /// # Errors
    /// What that said, if it failed.
    pub(super) fn ended(&mut self) -> Result<(), String> {
        let status = self.launcher.take().map(|mut launcher| launcher.wait());
        match status {
            Some(Ok(status)) if status.success() => Ok(()),
            _ => Err(fs::read_to_string(self.log()).unwrap_or_default().trim().to_owned()),
        }
    }

    /// Limits its memory, its disk included; `None` lifts that.
    pub(super) fn limit_memory(&self, bytes: Option<u64>) {
        let limit = |none: &str| bytes.map_or_else(|| none.to_owned(), |bytes| bytes.to_string());
        self.groups.set(&self.name, "memory", ("limit_in_bytes", &limit("-1")), ("max", &limit("max")));
    }

    /// The memory that it has in use, its disk included.
    pub(super) fn memory(&self) -> u64 {
        let folder = self.groups.of(&self.name, "memory");
        let files = ["memory.usage_in_bytes", "memory.current"].map(|file| folder.join(file));
        let text = files.iter().find_map(|file| fs::read_to_string(file).ok()).unwrap_or_default();
        text.trim().parse().unwrap_or(0)
    }

    /// What its kernel keeps of a unit's memory, by the name of a file of version 1 and of version 2.
    pub(super) fn unit_memory(&self, unit: &str, old: &str, new: &str) -> String {
        let folder =
            self.groups.of(&self.name, "memory").join("system.slice").join(format!("{unit}.service"));
        let text = [old, new]
            .into_iter()
            .find_map(|name| fs::read_to_string(folder.join(format!("memory.{name}"))).ok());
        text.unwrap_or_default().trim().to_owned()
    }

    /// Whether it was booted and did not lose its power since.
    pub(super) fn is_up(&self) -> bool {
        self.launcher.is_some() && self.pid != 0
    }

    /// Has its `/proc/meminfo` show so much memory, of which it has in use what its control group says.
    pub(super) fn show_memory(&self, total: u64) {
        let free = total.saturating_sub(self.memory());
        let line = |name: &str, bytes: u64| format!("{name}:{:>15} kB\n", bytes / 1024);
        let lines = [line("MemTotal", total), line("MemFree", free), line("MemAvailable", free)].concat();
        // In place and always as long, since it is bound there and read all the time.
        let file = fs::OpenOptions::new().write(true).open(self.path("/run/rig/meminfo"));
        let written = file.and_then(|file| file.write_all_at(lines.as_bytes(), 0).map(|()| file));
        written.and_then(|file| file.set_len(lines.len() as u64)).expect("the host is up");
    }

    /// The launcher's child, once it is systemd.
    fn find(&self) -> Option<u32> {
        let launcher = self.launcher.as_ref()?.id();
        let children = fs::read_to_string(format!("/proc/{launcher}/task/{launcher}/children")).ok()?;
        let pid = children.split_whitespace().next()?.parse().ok()?;
        let name = fs::read_to_string(format!("/proc/{pid}/comm")).ok()?;
        (name.trim() == "systemd").then_some(pid)
    }

    /// Its systemd, in the anchor's sight.
    pub(super) fn pid(&self) -> u32 {
        self.pid
    }

    /// Runs a command in it; what it said, and whether it succeeded.
    pub(super) fn run(&self, words: &[&str]) -> (String, bool) {
        inside::run(&self.name, self.pid, words)
    }

    /// Runs a command that must succeed.
    ///
    /// # Errors
    /// What it said.
    pub(super) fn does(&self, words: &[&str]) -> Result<String, String> {
        let (said, is_good) = self.run(words);
        if is_good { Ok(said) } else { Err(format!("{}: {words:?}: {said}", self.name)) }
    }

    /// Signals the main process of a unit, as its systemd knows it.
    ///
    /// # Errors
    /// What systemd said.
    pub(super) fn kill(&self, unit: &str, signal: &str) -> Result<(), String> {
        self.does(&["systemctl", "kill", "--kill-whom=main", "-s", signal, unit]).map(drop)
    }

    /// Lays a script that enters it; the command that runs it, from the machine.
    pub(super) fn entry(&self, out: &Path) -> String {
        let (name, variable, groups) = (&self.name, Groups::VARIABLE, self.groups.to_text());
        let script = format!("/mnt/enter-{name}");
        let text = format!(
            "#!/bin/sh\n[ $# -gt 0 ] || set -- bash\nexport {variable}='{groups}'\nexec /mnt/fleet __enter {name} {} \"$@\"\n",
            self.pid
        );
        let laid = fs::write(&script, text).and_then(|()| ground::executable(script.as_ref()));
        laid.expect("the anchor has room");
        format!("nsenter -t $(pgrep -xf '[^ ]*fleet __anchor .* {}') -m -n -p {script}", out.display())
    }

    /// A property of a unit.
    pub(super) fn property(&self, unit: &str, name: &str) -> String {
        self.run(&["systemctl", "show", unit, "--value", "-p", name]).0
    }

    /// A file of it, in the anchor's sight.
    pub(super) fn path(&self, path: &str) -> PathBuf {
        Path::new("/proc").join(self.pid.to_string()).join("root").join(path.trim_start_matches('/'))
    }

    /// Writes a file of it, and the folders above.
    ///
    /// # Errors
    /// What the disk said.
    pub(super) fn write(&self, path: &str, text: &str) -> Result<(), String> {
        ground::write(&self.path(path), text).map_err(|error| format!("{}: {path}: {error}", self.name))
    }

    /// The power goes: nobody hears of it, since the link goes first.
    pub(super) fn power_off(&mut self) {
        net::set(&self.name, false);
        self.signal(Signal::KILL);
        let launcher = self.launcher.take().map(|mut launcher| launcher.wait());
        drop(launcher);
    }

    /// Signals its systemd from outside: STOP is a PID 1 that hangs.
    pub(super) fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.pid).ok().and_then(Pid::from_raw).expect("it was booted");
        kill_process(pid, signal).expect("its systemd is there");
    }

    /// Stands still as a paused machine does, its link included, or goes on.
    pub(super) fn freeze(&self, is_frozen: bool) {
        let folder = self.groups.freezer(&self.name);
        net::set(&self.name, !is_frozen);
        fs::write(folder.join("cgroup.freeze"), if is_frozen { "1" } else { "0" }).expect("the host is up");
        let wanted = if is_frozen { "frozen 1" } else { "frozen 0" };
        while !fs::read_to_string(folder.join("cgroup.events")).unwrap_or_default().contains(wanted) {
            look_again();
        }
    }

    /// Gets so many percent of one core; 0 lifts that.
    pub(super) fn starve(&self, percent: u32) {
        let quota = percent * 1_000;
        let (old, new) = match percent {
            0 => ("-1".to_owned(), "max".to_owned()),
            _ => (quota.to_string(), format!("{quota} 100000")),
        };
        self.groups.set(&self.name, "cpu", ("cfs_quota_us", &old), ("max", &new));
    }

    /// Its disk has no room left, or all of it again.
    pub(super) fn fill(&self, is_full: bool) {
        let disk = root::disk(&self.name);
        let stat = rustix::fs::statvfs(&disk).expect("the disk is there");
        let used = (stat.f_blocks - stat.f_bfree) * stat.f_frsize / 1024 + 4;
        let size = if is_full { format!("size={used}k") } else { "size=1g".to_owned() };
        let data = std::ffi::CString::new(size).expect("it has no zero byte");
        rustix::mount::mount_remount(&disk, rustix::mount::MountFlags::empty(), data.as_c_str())
            .expect("a tmpfs can be resized");
    }
}
