//! Agents and collectors of other ages together: hosts are not upgraded in one night, and the first one may be put back.
//!
//! The other agent and collector are builds of a commit that was given out (`tests/older`; `tests/older.sh` builds and runs
//! them); ours are those in the program itself. Two lives of a fleet of one host are gone through, each with a service that is
//! killed, healed and told to an operator of today at every turn:
//! - hosts go first: the older agent at our collector, the upgrade to ours on the same state, and the way back;
//! - the collector goes last: our agent at the older collector, which is then upgraded on the same journal.
//!
//! At each hand-over the collector is away and a service dies, so that what one age wrote to its spool the other age sends. A
//! collector is not put back to an older one, here as in `docs/install.md`: what a newer journal has in it is not promised to
//! an older reader.

use crate::foreign::{config, kill_and_see_healed, known, server};
use crate::rig::client;
use crate::rig::clock::Since;
use crate::rig::listen::{free_port, wait_listening};
use crate::rig::process::{PATIENCE, Process};
use crate::rig::stack::{AgentHome, Collector};
use std::ffi::OsStr;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// The builds of another age.
#[derive(Debug, Clone)]
pub struct Older {
    /// Its agent.
    pub agent: PathBuf,
    /// Its collector.
    pub collector: PathBuf,
}

/// One host and its collector.
struct Pair<'a> {
    program: &'a OsStr,
    address: SocketAddr,
    collector: Collector,
    home: AgentHome,
    /// Deaths so far.
    deaths: usize,
}

/// The older agent at our collector, our agent on its state, and the older one again. How many deaths were told.
///
/// # Panics
/// If any of it does not come about in time, with what the processes said.
pub async fn hosts_first(program: &OsStr, older: &Older) -> usize {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let collector = Collector::start(program, &folder.path().join("collector"));
    let mut pair = Pair::new(program, folder.path(), collector).await;
    pair.home.use_binary(older.agent.as_os_str());
    let agent = pair.first().await;
    pair.home.use_own();
    let agent = pair.handed_over(agent).await;
    pair.home.use_binary(older.agent.as_os_str());
    let agent = pair.handed_over(agent).await;
    pair.over(agent)
}

/// Our agent at the older collector, which is then upgraded. How many deaths were told.
///
/// # Panics
/// As [`hosts_first`].
pub async fn collector_last(program: &OsStr, older: &Older) -> usize {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let collector = Collector::start_build(older.collector.as_os_str(), &folder.path().join("collector"));
    let mut pair = Pair::new(program, folder.path(), collector).await;
    let mut agent = pair.first().await;
    pair.dies(&mut agent);
    assert!(pair.collector.process.end().success(), "it ends as it was asked");
    pair.collector.again_by(program);
    pair.told().await;
    pair.dies(&mut agent);
    pair.told().await;
    pair.over(agent)
}

impl<'a> Pair<'a> {
    async fn new(program: &'a OsStr, folder: &Path, collector: Collector) -> Self {
        let address = free_port();
        let config = config(program, address);
        let home = AgentHome::prepare(program, &folder.join("agent"), "web-1", &collector, &config).await;
        Self { program, address, collector, home, deaths: 0 }
    }

    /// The agent's first run: it enrols, starts the service, and its death is told.
    async fn first(&mut self) -> Process {
        let mut agent = self.home.start(&[]);
        known(&self.collector).await;
        assert!(wait_listening(self.address, PATIENCE), "it serves");
        self.dies(&mut agent);
        self.told().await;
        agent
    }

    /// The service dies while the collector is away, and the agent is killed with that in its spool. The next one, of another
    /// age, adopts the service, tells that, and heals and tells the next death.
    async fn handed_over(&mut self, mut before: Process) -> Process {
        assert!(self.collector.process.end().success(), "it ends as it was asked");
        self.dies(&mut before);
        before.kill();
        let mut agent = self.home.start(&[]);
        agent.line_with("service-adopted");
        self.collector.again_by(self.program);
        self.told().await;
        self.dies(&mut agent);
        self.told().await;
        agent
    }

    fn dies(&mut self, agent: &mut Process) {
        self.home.identity_written("web");
        let _its_time = kill_and_see_healed(agent, self.address);
        self.home.identity_written("web");
        self.deaths += 1;
    }

    /// Waits until an operator is told of every death, and that all is well again.
    async fn told(&self) {
        let mut operator = self.collector.operator().await;
        let since = Since::now();
        let mut seen = String::new();
        while since.elapsed() < PATIENCE {
            let all = client::incidents(&mut operator).await.expect("operators may read them");
            let (deaths, all_well) = client::deaths(&all);
            if deaths == self.deaths && all_well {
                return;
            }
            seen = format!("{deaths} in {all:?}");
        }
        panic!("{} deaths are not told and ended in time: {seen}", self.deaths);
    }

    fn over(self, agent: Process) -> usize {
        drop(agent);
        for pid in server(self.address) {
            let pid = rustix::process::Pid::from_raw(pid.cast_signed()).expect("it is no 0");
            let _it_may_have_ended = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
        }
        self.deaths
    }
}
