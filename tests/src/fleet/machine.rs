//! The machine itself, as everybody on it sees it: what a rig has left there.
//!
//! Control groups are not looked at: a runner that was killed can't remove them, and the next one does.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// Mounts, links and named network namespaces of the machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Machine(BTreeSet<String>);

impl Machine {
    /// As it is now.
    ///
    /// # Panics
    /// If /proc is not there.
    pub fn now() -> Self {
        let mounts = fs::read_to_string("/proc/self/mounts").expect("/proc is mounted");
        let mounts = mounts.lines().map(|line| format!("mount {line}"));
        let named = |kind: &'static str, folder: &str| {
            let entries = fs::read_dir(folder).into_iter().flatten().flatten();
            entries.map(move |entry| format!("{kind} {}", entry.file_name().to_string_lossy()))
        };
        Self(mounts.chain(named("link", "/sys/class/net")).chain(named("netns", "/run/netns")).collect())
    }

    /// What is there now and was not.
    pub fn new_since(&self, before: &Self) -> Vec<String> {
        self.0.difference(&before.0).cloned().collect()
    }
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
        assert!(Machine::now().0.iter().any(|thing| thing == "link lo"));
    }
}
