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
mod ending;
mod expect;
mod faults;
mod ground;
mod groups;
mod host;
mod inside;
mod lack;
pub mod machine;
mod net;
mod orphans;
mod own;
mod package;
mod page;
mod root;
pub mod scenarios;
mod story;
mod wire;
mod world;

pub use scenarios::{HOSTS, SCENARIOS, SOAK, Scenario};

use std::process::ExitCode;
use std::time::Duration;

/// What whoever asks for a scenario wishes beside.
#[derive(Debug, Clone, Copy)]
pub struct Wishes {
    /// How many hosts, up to [`Wishes::HOSTS_MAX`].
    pub hosts: usize,
    /// How long it lasts, where it is one of those that last as long as one likes.
    pub lasts: Duration,
    /// The hosts stay up at the end, to be looked at.
    pub keep: bool,
}

impl Wishes {
    /// Hosts know each other's names up to this number, and of inotify's instances a user has enough for so many.
    pub const HOSTS_MAX: usize = 30;
    const VARIABLE: &str = "PICKET_FLEET_WISHES";

    fn to_text(self) -> String {
        format!("{} {} {}", self.hosts, self.keep, self.lasts.as_secs())
    }

    /// As they were handed on.
    fn given() -> Self {
        let text = std::env::var(Self::VARIABLE).unwrap_or_default();
        let mut words = text.split(' ');
        let mut word = || words.next().unwrap_or_default();
        Self {
            hosts: word().parse().unwrap_or(HOSTS),
            keep: word() == "true",
            lasts: Duration::from_secs(word().parse().unwrap_or(0)),
        }
    }
}

/// What is wrong with the agent that the environment names, if it names one.
pub fn missing_agent() -> Option<String> {
    let agent = std::env::var_os(root::AGENT_VARIABLE)?;
    let is_absolute = std::path::Path::new(&agent).is_absolute();
    let why = if is_absolute {
        std::fs::metadata(&agent).err()?.to_string()
    } else {
        "say its whole path".to_owned()
    };
    Some(format!("{}={}: {why}", root::AGENT_VARIABLE, agent.display()))
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
