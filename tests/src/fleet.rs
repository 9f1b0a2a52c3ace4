//! Real hosts on one machine: each with systemd as PID 1, its own network address (v4 and v6), disk, identity and control
//! groups, on a bridge in a namespace of its own; a collector on one of them, agents as units, real services, real faults.
//!
//! Everything lives below one process: the anchor, PID 1 of a pid, mount and network namespace that the runner starts
//! and that dies with it, kill -9 of the runner included ([`anchor`]). Nothing of it is ever seen in the machine's mounts, processes'
//! children, links or namespaces; control groups of a runner that was killed are removed by the next one.
//!
//! What it cannot do: the hosts share the machine's kernel, so their monotonic clocks jump together, a power cut keeps what the
//! page cache held (their disks are tmpfs), and but for memory the levels that `/proc` shows are the machine's. What the machine lacks (root,
//! programs) is said by name.

mod agents;
pub mod anchor;
mod disk;
mod expect;
mod faults;
mod ground;
mod groups;
mod host;
mod inside;
pub mod machine;
mod net;
mod orphans;
mod package;
mod root;
pub mod scenarios;
mod story;
mod wire;
mod world;

pub use scenarios::{HOSTS, SCENARIOS, Scenario};

use std::process::ExitCode;

/// What whoever asks for a scenario wishes beside.
#[derive(Debug, Clone, Copy)]
pub struct Wishes {
    /// How many hosts, from [`HOSTS`] to [`Wishes::HOSTS_MAX`].
    pub hosts: usize,
    /// The hosts stay up at the end, to be looked at.
    pub keep: bool,
}

impl Wishes {
    /// Hosts know each other's names up to this number, and of inotify's instances a user has enough for so many.
    pub const HOSTS_MAX: usize = 30;
    const VARIABLE: &str = "PICKET_FLEET_WISHES";

    fn to_text(self) -> String {
        format!("{} {}", self.hosts, self.keep)
    }

    /// As they were handed on.
    fn given() -> Self {
        let text = std::env::var(Self::VARIABLE).unwrap_or_default();
        let (hosts, keep) = text.split_once(' ').unwrap_or_default();
        Self { hosts: hosts.parse().unwrap_or(HOSTS), keep: keep == "true" }
    }
}

/// Runs this process as a part of the rig, if its first argument names one.
pub fn role() -> Option<ExitCode> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words[..] {
        ["__anchor", ..] => Some(anchor::init(&words[1..])),
        ["__story", name, out] => Some(story::tell(name, out.as_ref())),
        ["__host", name] => Some(root::first(name)),
        ["__host-root", name] => Some(root::second(name)),
        ["__enter", name, pid, ref rest @ ..] => Some(inside::enter(name, pid, rest)),
        _ => None,
    }
}
