//! A private systemd: the real one, with units of its own, that nothing on the host notices.
//!
//! `unshare -m`, a tmpfs on /run so that it takes the machine for one that systemd booted, a control group of its own,
//! then `systemd --user` with a `dbus-daemon` that it starts by socket. PID 1 runs the same code for units and jobs.
//! It needs root, `/lib/systemd/systemd`, `systemctl` and `dbus-daemon`; where one is missing, [`start`] says which.

use super::clock::Since;
use super::process::PATIENCE;
use std::fs;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

const SYSTEMD: &str = "/lib/systemd/systemd";

/// What runs inside the mount namespace: `$1` is the folder, `$2` the control group's name.
const INSIDE: &str = r#"
set -e
mount --make-rprivate /
mount -t tmpfs tmpfs /run
mkdir -p /run/systemd/system
for tree in /sys/fs/cgroup /sys/fs/cgroup/systemd /sys/fs/cgroup/unified; do
    [ -e "$tree/cgroup.procs" ] || continue
    mkdir -p "$tree/$2"
    echo $$ > "$tree/$2/cgroup.procs"
done
exec "$3" --user --log-target=console --log-level=warning
"#;

/// The bus, as a socket and a service of the private systemd. It has no limits of starts: a test that restarts it six
/// times within ten seconds would find it failed for good.
const UNITS: [(&str, &str); 4] = [
    ("dbus.socket", "[Socket]\nListenStream=%t/bus\nTriggerLimitIntervalSec=0\n"),
    (
        "dbus.service",
        "[Unit]\nRequires=dbus.socket\nStartLimitIntervalSec=0\n[Service]\nType=notify\nExecStart=/usr/bin/dbus-daemon --session \
         --address=systemd: --nofork --nopidfile --systemd-activation --syslog-only\n",
    ),
    ("basic.target", "[Unit]\nWants=dbus.socket\n"),
    ("default.target", "[Unit]\nRequires=basic.target\n"),
];

/// A running private systemd. Dropping it ends it with all its units.
#[derive(Debug)]
pub struct Systemd {
    folder: PathBuf,
    child: Child,
}

/// Starts one with its files in `folder`, which must have a short path: the bus' socket is in it.
///
/// # Errors
/// Why it can't run here, for [`super::cannot_run_here`].
fn start(folder: &Path) -> Result<Systemd, String> {
    if !rustix::process::geteuid().is_root() {
        return Err("a mount namespace needs root".to_owned());
    }
    for program in [SYSTEMD, "/usr/bin/dbus-daemon", "/usr/bin/systemctl", "/usr/bin/unshare"] {
        if !Path::new(program).exists() {
            return Err(format!("{program} is not installed"));
        }
    }
    prepare(folder).map_err(|error| format!("its folder can't be made: {error}"))?;
    let group = group_of(folder);
    let log = fs::File::create(folder.join("log")).map_err(|error| error.to_string())?;
    let errors = log.try_clone().map_err(|error| error.to_string())?;
    let mut command = Command::new("/usr/bin/unshare");
    command.args(["-m", "sh", "-c", INSIDE, "sh"]).arg(folder).arg(group).arg(SYSTEMD);
    environment(&mut command, folder).stdin(Stdio::null()).stdout(log).stderr(errors).process_group(0);
    let child = command.spawn().map_err(|error| format!("unshare does not start: {error}"))?;
    let mut systemd = Systemd { folder: folder.to_owned(), child };
    let since = Since::now();
    while !systemd.try_ctl(&["is-active", "default.target"]).is_ok_and(|said| said.trim() == "active") {
        let ended = systemd.child.try_wait().is_ok_and(|ended| ended.is_some());
        if ended || since.left(PATIENCE).is_zero() {
            let said = fs::read_to_string(systemd.folder.join("log")).unwrap_or_default();
            return Err(format!("a private systemd does not come up: {}", said.trim().replace('\n', "; ")));
        }
        // There is nobody yet whom one could ask to be told.
        look_again();
    }
    Ok(systemd)
}

fn prepare(folder: &Path) -> io::Result<()> {
    for part in ["units", "run", "config", "data"] {
        fs::create_dir_all(folder.join(part))?;
    }
    UNITS.iter().try_for_each(|(name, text)| fs::write(folder.join("units").join(name), text))
}

fn environment<'c>(command: &'c mut Command, folder: &Path) -> &'c mut Command {
    command
        .env("XDG_RUNTIME_DIR", folder.join("run"))
        .env("XDG_CONFIG_HOME", folder.join("config"))
        .env("XDG_DATA_HOME", folder.join("data"))
        .env("HOME", folder)
        .env("SYSTEMD_UNIT_PATH", format!("{}/units:", folder.display()))
        .env_remove("DBUS_SESSION_BUS_ADDRESS")
        .env_remove("NOTIFY_SOCKET")
}

impl Systemd {
    /// Where its bus listens, as a D-Bus address.
    pub fn address(&self) -> String {
        format!("unix:path={}/run/bus", self.folder.display())
    }

    /// Its folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Writes a unit; systemd reads it when it first needs it, or at a daemon-reload.
    ///
    /// # Panics
    /// If the file can't be written.
    pub fn unit(&self, name: &str, text: &str) {
        fs::write(self.folder.join("units").join(name), text).expect("the folder is ours");
    }

    /// Runs `systemctl --user` with these words; what it said.
    ///
    /// # Panics
    /// If it fails.
    pub fn ctl(&self, words: &[&str]) -> String {
        self.try_ctl(words).unwrap_or_else(|said| panic!("systemctl {words:?}: {said}"))
    }

    /// The same, where it may fail.
    ///
    /// # Errors
    /// What it said.
    pub fn try_ctl(&self, words: &[&str]) -> Result<String, String> {
        let mut command = Command::new("/usr/bin/systemctl");
        let output = environment(command.arg("--user").args(words), &self.folder).output();
        let output = output.map_err(|error| error.to_string())?;
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        if output.status.success() {
            return Ok(said);
        }
        Err(said + &String::from_utf8_lossy(&output.stderr))
    }

    /// A property of a unit.
    ///
    /// # Panics
    /// If systemd does not answer.
    pub fn property(&self, unit: &str, name: &str) -> String {
        self.ctl(&["show", unit, "--value", "-p", name]).trim().to_owned()
    }
}

impl Drop for Systemd {
    fn drop(&mut self) {
        // Its units end first; without a bus it can't be asked, so its own process is ended in any case.
        let _ends_below_too = self.try_ctl(&["stop", "--no-block", "*.service"]);
        let _gone_already = self.child.kill();
        let _reaped = self.child.wait();
        for tree in ["/sys/fs/cgroup", "/sys/fs/cgroup/systemd", "/sys/fs/cgroup/unified"] {
            end_group(&Path::new(tree).join(group_of(&self.folder)));
        }
    }
}

/// The folder's own name is as unique as its path is.
fn group_of(folder: &Path) -> String {
    let name = folder.components().rev().filter_map(|part| part.as_os_str().to_str()).take(2);
    format!("picket-test{}", name.map(|part| format!("-{}", part.trim_matches('.'))).collect::<String>())
}

/// Starts one below `folder`, which must have a short path; nothing where none can run, which is said for `test`.
pub fn start_or_say(test: &str, folder: &Path) -> Option<Systemd> {
    match start(&folder.join("s")) {
        Ok(systemd) => Some(systemd),
        Err(reason) => {
            super::cannot_run_here(test, &reason);
            None
        }
    }
}

/// Lets a moment pass before something is looked at again that tells nobody when it changes: a file, a property. Whoever
/// calls has a deadline of their own.
///
/// # Panics
/// If the kernel can't wait.
pub fn look_again() {
    let moment = rustix::event::Timespec { tv_sec: 0, tv_nsec: 10_000_000 };
    rustix::event::poll(&mut [], Some(&moment)).expect("nothing is waited for but time");
}

/// Kills what still is in a control group of ours, and removes it.
fn end_group(group: &Path) {
    let since = Since::now();
    while !since.left(Duration::from_secs(5)).is_zero() {
        let mut pids = Vec::new();
        list(group, &mut pids);
        if pids.is_empty() {
            break;
        }
        for pid in pids {
            let _gone_already = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
        }
        look_again();
    }
    remove(group);
}

fn list(group: &Path, pids: &mut Vec<rustix::process::Pid>) {
    let text = fs::read_to_string(group.join("cgroup.procs")).unwrap_or_default();
    pids.extend(text.lines().filter_map(|line| rustix::process::Pid::from_raw(line.trim().parse().ok()?)));
    for below in folders(group) {
        list(&below, pids);
    }
}

fn remove(group: &Path) {
    for below in folders(group) {
        remove(&below);
    }
    let _not_there_or_busy = fs::remove_dir(group);
}

fn folders(group: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(group).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).filter(|path| path.is_dir()).collect()
}
