//! What goes wrong, and what must be true at the end of it.

mod archives;
mod clocks;
mod databases;
mod disks;
mod ends;
mod everyday;
mod halves;
mod lacks;
mod levels;
mod links;
mod logs;
mod machines;
mod outages;
mod own;
mod packages;
mod pages;
mod removals;
mod rounds;
mod scopes;
mod services;
mod soak;
mod states;
mod storm;

use super::world::World;

/// Hosts of a fleet: the collector's, and two of each service. Scenarios name these; more of them are spectators.
pub const HOSTS: usize = 5;

/// Something that goes wrong.
#[derive(Debug, Clone, Copy)]
pub struct Scenario {
    /// By this name it is asked for.
    pub name: &'static str,
    /// What happens, and what must come of it.
    pub says: &'static str,
    /// Whether it belongs to the share that is always run.
    pub smoke: bool,
    /// Programs that it needs beside those of the rig, and the Debian packages that have them.
    pub(super) needs: &'static [(&'static str, &'static str)],
    pub(super) play: Play,
}

impl Scenario {
    /// What it needs and the machine does not have.
    pub fn lacks(&self) -> Option<String> {
        let packages = || matches!(self.play, Play::Bare(_)).then(super::own::lacks).flatten();
        super::anchor::missing(self.needs).or_else(packages)
    }
}

/// Where a scenario is played.
#[derive(Debug, Clone, Copy)]
pub(super) enum Play {
    /// On hosts of its own, which are up.
    Inside(fn(&mut World) -> Result<(), String>),
    /// On hosts of its own, which are up and have nothing of Picket's: it installs the packages as they are shipped.
    Bare(fn(&mut World) -> Result<(), String>),
    /// On the machine, by the runner itself.
    Outside(fn() -> Result<(), String>),
}

/// All of them.
pub const SCENARIOS: &[Scenario] = &[
    services::KILLED,
    services::STRAY_SIGTERM,
    services::STOPPED_PROCESS,
    services::OPERATOR_STOPS,
    services::BROKEN_CONFIG,
    services::AGENT_KILLED,
    scopes::OWN,
    machines::POWER_CUT,
    machines::FROZEN,
    machines::STARVED,
    machines::HUNG_SYSTEMD,
    machines::FULL_DISK,
    machines::OUT_OF_MEMORY,
    levels::MEMORY,
    machines::COLLECTOR_KILLED,
    machines::COLLECTOR_OUT,
    links::LINK_DOWN,
    links::ONE_WAY,
    links::LOSS,
    links::SPLIT,
    links::NARROW,
    links::FAR,
    outages::BAD_GATEWAY,
    outages::POOL,
    outages::VANISHED,
    packages::UPGRADE,
    packages::REFUSED,
    packages::KILLED,
    own::LIFE,
    archives::LIFE,
    halves::HALFWAY,
    pages::INSTALL,
    storm::STORM,
    removals::REMOVALS,
    logs::JOURNAL,
    lacks::BARE,
    lacks::EACH,
    states::UNUSABLE,
    everyday::QUIET_DAY,
    disks::HUNG,
    disks::DEAD,
    clocks::JUMP,
    databases::REPLICATION,
    rounds::RANDOM,
    ends::TABLE,
    super::orphans::RUNNER_KILLED,
];

/// The one that lasts for hours, and belongs to no share.
pub const SOAK: &Scenario = &soak::SOAK;

/// A scenario by its name.
pub fn find(name: &str) -> Option<&'static Scenario> {
    SCENARIOS.iter().chain([SOAK]).find(|scenario| scenario.name == name)
}
