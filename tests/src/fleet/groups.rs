//! Control groups of the hosts: below the runner's own, in each hierarchy that the machine has.
//!
//! Machines with version 2 alone have one hierarchy, others one per controller and a small one of version 2 beside them
//! that only freezes. A host's PID 1 is the only process in its group itself; what the rig runs in a host joins a group
//! below, since version 2 allows no processes beside subgroups.

use crate::rig::clock::Since;
use crate::rig::private_systemd::look_again;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

const TREE: &str = "/sys/fs/cgroup";
/// Of version 1; the last is systemd's own, without a controller.
const CONTROLLERS: [&str; 8] = ["memory", "freezer", "pids", "cpu", "cpuacct", "blkio", "devices", "systemd"];
/// The hierarchy of version 2.
const UNIFIED: &str = "unified";

/// The rig's groups: kind and folder.
#[derive(Debug, Clone)]
pub(super) struct Groups(Vec<(String, PathBuf)>);

impl Groups {
    /// How they are handed on to the rig's other processes.
    pub(super) const VARIABLE: &str = "PICKET_FLEET_GROUPS";

    /// Makes them, and removes those of runners that were killed.
    pub(super) fn make() -> io::Result<Self> {
        let mut made = Vec::new();
        for (kind, above) in hierarchies()? {
            sweep(&above);
            let folder = above.join(name(std::process::id()));
            fs::create_dir_all(&folder)?;
            if kind == UNIFIED {
                hand_down(&above);
                hand_down(&folder);
            }
            made.push((kind, folder));
        }
        Ok(Self(made))
    }

    /// As they were handed on.
    pub(super) fn given() -> Self {
        let text = std::env::var(Self::VARIABLE).unwrap_or_default();
        let parts = text.split(';').filter_map(|part| part.split_once('='));
        Self(parts.map(|(kind, folder)| (kind.to_owned(), folder.into())).collect())
    }

    pub(super) fn to_text(&self) -> String {
        let parts: Vec<String> =
            self.0.iter().map(|(kind, folder)| format!("{kind}={}", folder.display())).collect();
        parts.join(";")
    }

    /// The kinds of version 1.
    pub(super) fn old_kinds(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(kind, _)| kind.as_str()).filter(|kind| *kind != UNIFIED)
    }

    /// Whether the machine has version 2 alone.
    pub(super) fn is_pure(&self) -> bool {
        self.old_kinds().next().is_none()
    }

    /// The folder of a host in the hierarchy that has `controller`.
    pub(super) fn of(&self, host: &str, controller: &str) -> PathBuf {
        let found = self.0.iter().find(|(kind, _)| kind == controller);
        let found = found.or_else(|| self.0.iter().find(|(kind, _)| kind == UNIFIED));
        found.map(|(_, folder)| folder.join(host)).unwrap_or_default()
    }

    /// Sets what a controller does to a host: a file of version 1 and its text, and those of version 2.
    pub(super) fn set(&self, host: &str, controller: &str, old: (&str, &str), new: (&str, &str)) {
        let folder = self.of(host, controller);
        let file = |name: &str| folder.join(format!("{controller}.{name}"));
        let (name, text) = if file(old.0).exists() { old } else { new };
        fs::write(file(name), text).expect("the host is up");
    }

    /// The folder of a host where it can be frozen.
    pub(super) fn freezer(&self, host: &str) -> PathBuf {
        self.of(host, UNIFIED)
    }

    /// Makes a host's groups. No real disk can be reached from inside: of devices only null, terminals and the like.
    pub(super) fn host(&self, host: &str) -> io::Result<()> {
        for (kind, folder) in &self.0 {
            let folder = folder.join(host);
            fs::create_dir_all(&folder)?;
            if kind == "devices" {
                fs::write(folder.join("devices.deny"), "a")?;
                for allowed in ["c 1:* rwm", "c 5:* rwm", "c 136:* rwm", "c 10:200 rwm"] {
                    fs::write(folder.join("devices.allow"), allowed)?;
                }
            }
        }
        Ok(())
    }

    /// Moves this process into a host's groups, or into those `below` them.
    pub(super) fn join(&self, host: &str, below: &str) -> io::Result<()> {
        for (_, folder) in &self.0 {
            let folder = folder.join(host).join(below);
            fs::create_dir_all(&folder)?;
            fs::write(folder.join("cgroup.procs"), "0")?;
        }
        Ok(())
    }

    /// Removes them; what still is in them is on its way out.
    pub(super) fn remove(&self) {
        self.0.iter().for_each(|(_, folder)| remove(folder));
    }
}

/// What the groups of a runner are called.
pub(super) fn name(pid: u32) -> String {
    format!("picket-fleet-{pid}")
}

/// Kind and folder of the runner's own group in each hierarchy.
fn hierarchies() -> io::Result<Vec<(String, PathBuf)>> {
    let own = fs::read_to_string("/proc/self/cgroup")?;
    let within = |tree: &Path, path: &str| tree.join(path.trim_start_matches('/'));
    let mut all = Vec::new();
    for line in own.lines() {
        let mut parts = line.splitn(3, ':').skip(1);
        let (Some(kinds), Some(path)) = (parts.next(), parts.next()) else { continue };
        if kinds.is_empty() {
            let trees = [Path::new(TREE).join(UNIFIED), TREE.into()];
            let tree = trees.into_iter().find(|tree| tree.join("cgroup.procs").exists());
            all.extend(tree.map(|tree| (UNIFIED.to_owned(), within(&tree, path))));
            continue;
        }
        for kind in kinds.split(',').map(|kind| kind.trim_start_matches("name=")) {
            let tree = Path::new(TREE).join(kind);
            if CONTROLLERS.contains(&kind) && tree.join("cgroup.procs").exists() {
                all.push((kind.to_owned(), within(&tree, path)));
            }
        }
    }
    Ok(all)
}

/// Lets groups below have what this one has; the root's own are not always ours to give.
fn hand_down(folder: &Path) {
    let text = fs::read_to_string(folder.join("cgroup.controllers")).unwrap_or_default();
    for controller in text.split_whitespace() {
        let _not_ours = fs::write(folder.join("cgroup.subtree_control"), format!("+{controller}"));
    }
}

/// Removes groups of runners that are no more.
fn sweep(above: &Path) {
    let entries = fs::read_dir(above).into_iter().flatten().flatten();
    for entry in entries {
        let file = entry.file_name();
        let pid = file.to_str().and_then(|name| name.strip_prefix("picket-fleet-"));
        if pid.is_some_and(|pid| !Path::new("/proc").join(pid).exists()) {
            remove(&entry.path());
        }
    }
}

fn remove(folder: &Path) {
    let since = Since::now();
    while folder.exists() && !since.left(Duration::from_secs(5)).is_zero() {
        below_first(folder);
        if folder.exists() {
            look_again();
        }
    }
}

fn below_first(folder: &Path) {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).filter(|path| path.is_dir()).for_each(|path| below_first(&path));
    let _busy_yet = fs::remove_dir(folder);
}
