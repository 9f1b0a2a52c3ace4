//! The machine itself, as everybody on it sees it: what a rig has left there.
//!
//! Only what a rig makes is looked at, by its places and names: what others mount meanwhile is not the rig's. Control groups
//! are not looked at: a runner that was killed can't remove them, and the next one does.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// Mounts, links and named network namespaces of the machine that a rig may have made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Machine(BTreeSet<String>);

impl Machine {
    /// As it is now.
    ///
    /// # Panics
    /// If /proc is not there.
    pub fn now() -> Self {
        let mounts = fs::read_to_string("/proc/self/mounts").expect("/proc is mounted");
        let mounts = mounts.lines().filter(|line| is_rigs_mount(line)).map(|line| format!("mount {line}"));
        let named = |kind: &'static str, folder: &str| {
            let entries = fs::read_dir(folder).into_iter().flatten().flatten();
            let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
            names.filter(|name| is_rigs_name(name)).map(move |name| format!("{kind} {name}"))
        };
        Self(mounts.chain(named("link", "/sys/class/net")).chain(named("netns", "/run/netns")).collect())
    }

    /// What is there now and was not.
    pub fn new_since(&self, before: &Self) -> Vec<String> {
        self.0.difference(&before.0).cloned().collect()
    }
}

/// Disks and hosts' roots are below /mnt, names of namespaces on a /run of the rig's own.
fn is_rigs_mount(line: &str) -> bool {
    let place = line.split_whitespace().nth(1).unwrap_or_default();
    ["/mnt", "/run"].into_iter().any(|ours| {
        place
            .strip_prefix(ours)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with("/h") || rest.starts_with("/netns"))
    })
}

/// The bridge, hosts `h1` and on, and what stands between.
fn is_rigs_name(name: &str) -> bool {
    let host = name.strip_suffix("-near").or_else(|| name.strip_suffix("-far")).unwrap_or(name);
    let number = host.strip_prefix('h').filter(|number| !number.is_empty());
    name == "br0" || number.is_some_and(|number| number.bytes().all(|byte| byte.is_ascii_digit()))
}

/// The processes that hang from the runner `pid`: in the control groups that it made, or handed on by their names.
pub(super) fn processes_of(pid: u32) -> Vec<u32> {
    let name = super::groups::name(pid);
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter(|process| *process != pid && belongs(*process, &name)).collect()
}

fn belongs(process: u32, name: &str) -> bool {
    let folder = Path::new("/proc").join(process.to_string());
    let groups = fs::read_to_string(folder.join("cgroup")).unwrap_or_default();
    let environment = fs::read(folder.join("environ")).unwrap_or_default();
    let is_there = |text: &str| text.split(['/', '\n', ';']).any(|part| part == name);
    is_there(&groups) || is_there(&String::from_utf8_lossy(&environment))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_new_is_named_and_what_went_is_not() {
        let machine = |things: &[&str]| Machine(things.iter().map(|thing| (*thing).to_owned()).collect());
        let new = machine(&["link a", "mount b"]).new_since(&machine(&["link a", "netns c"]));
        assert_eq!(new, ["mount b"]);
        for name in ["br0", "h1", "h30", "h2-near", "h2-far"] {
            assert!(is_rigs_name(name), "{name}");
        }
        for name in ["lo", "eth0", "h", "host0", "docker0", "veth1-far"] {
            assert!(!is_rigs_name(name), "{name}");
        }
        assert!(is_rigs_mount("tmpfs /mnt tmpfs rw 0 0") && is_rigs_mount("proc /mnt/h1/proc proc rw 0 0"));
        assert!(
            !is_rigs_mount("other /tmp/mnt tmpfs rw 0 0") && !is_rigs_mount("tmpfs /run/user/0 tmpfs rw 0 0")
        );
    }
}
