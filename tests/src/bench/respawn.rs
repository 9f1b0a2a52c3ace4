//! From kill -9 to listening: the agent's `spawn` driver beside a bare loop of pidfd and posix_spawn.
//!
//! Both restart the same small server and are measured in turns by the same eye: a client that spins on connect().
//! The bare loop is the limit: it checks nothing, remembers nothing and tells nobody.

use super::{Budget, Figure, Sample};
use crate::rig::clock::Since;
use crate::rig::listen::{free_port, wait_listening};
use crate::rig::process::PATIENCE;
use crate::rig::stack::{AgentHome, Collector};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process, pidfd_open};
use std::ffi::OsStr;
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// How many kills of each.
const KILLS: usize = 60;

/// Measures both and prints the figures.
///
/// # Panics
/// If something does not come back.
pub fn run(program: &OsStr) {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime starts");
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let collector = Collector::start(program, &folder.path().join("collector"));
    let address = free_port();
    let config = config(program, address);
    let agent_folder = folder.path().join("agent");
    let home = AgentHome::prepare(program, &agent_folder, "bench", &collector, &config);
    let home = runtime.block_on(home);
    let mut agent = home.start(&["--stop-services"]);
    agent.line_with("service-started");
    let mut bare = Bare::start(program);
    // What has never been proven to be up is restarted with backoff; measured is the death of a service that was up.
    let _with_backoff = one(address, listener_pid(address));
    agent.line_with("remedy-held");
    let (mut agents, mut bares) = (Vec::new(), Vec::new());
    for _ in 0..KILLS {
        agents.push(one(address, listener_pid(address)));
        agent.line_with("remedy-held");
        bares.push(bare.one());
    }
    let verdicts = (0..KILLS).map(|_| {
        let pid = listener_pid(address);
        let since = Since::now();
        kill_process(pid, Signal::KILL).expect("the server is alive");
        agent.line_with("service-died");
        let taken = since.elapsed();
        agent.line_with("remedy-held");
        taken
    });
    let verdicts = Sample::new(verdicts.collect());
    agent.end();
    print(&Sample::new(agents), &Sample::new(bares));
    Figure {
        name: "death_to_verdict_spawn_p99",
        value: verdicts.percentile_ms(99),
        unit: "ms",
        yardstick: None,
        budget: Some(Budget::AtMost(10.0)),
    }
    .print();
}

fn print(agent: &Sample, bare: &Sample) {
    let limit = bare.percentile_ms(50);
    Figure {
        name: "kill_to_listening_spawn_median",
        value: agent.percentile_ms(50),
        unit: "ms",
        yardstick: Some(("bare pidfd + posix_spawn, median", limit)),
        budget: Some(Budget::AtMost(2.0 * limit)),
    }
    .print();
    Figure {
        name: "kill_to_listening_spawn_p99",
        value: agent.percentile_ms(99),
        unit: "ms",
        yardstick: Some(("bare pidfd + posix_spawn, p99", bare.percentile_ms(99))),
        budget: Some(Budget::AtMost(10.0)),
    }
    .print();
}

fn config(program: &OsStr, address: SocketAddr) -> String {
    let program = program.to_str().expect("the program's path is UTF-8");
    format!(
        "[host]\nenabled = false\n\n[[service]]\nname = \"bench\"\ncommand = [\"{program}\", \"__listen\", \"{address}\"]\n\
         hold = \"100ms\"\nbudget = 32\nbudget_window = \"1s\"\n\n[[service.check]]\nkind = \"tcp\"\naddress = \"{address}\"\ninterval = \"10s\"\n"
    )
}

/// Kills `pid` and waits until something listens again.
pub(super) fn one(address: SocketAddr, pid: Pid) -> Duration {
    let since = Since::now();
    kill_process(pid, Signal::KILL).expect("the server is alive");
    // The dead server's socket is closed before its successor starts, so the first accepted connection is the new one's.
    wait_dead(pid);
    assert!(wait_listening(address, PATIENCE), "nothing listens on {address}");
    since.elapsed()
}

fn wait_dead(pid: Pid) {
    let Ok(pidfd) = pidfd_open(pid, PidfdFlags::empty()) else { return };
    let mut fds = [PollFd::new(&pidfd, PollFlags::IN)];
    let _woken = poll(&mut fds, None);
}

/// Who listens on `address`: found by the command line, which names it.
pub(super) fn listener_pid(address: SocketAddr) -> Pid {
    let found = crate::rig::files::processes_with(&format!("__listen {address}"));
    let pid = found.first().expect("the server runs").cast_signed();
    Pid::from_raw(pid).expect("a process id is not 0")
}

/// The limit: a loop that does nothing but wait on a pidfd and spawn again.
struct Bare {
    program: std::ffi::OsString,
    address: SocketAddr,
    child: Child,
}

impl Bare {
    fn start(program: &OsStr) -> Self {
        let address = free_port();
        let child = Self::spawn(program, address);
        assert!(wait_listening(address, PATIENCE), "the bare server does not listen");
        Self { program: program.to_owned(), address, child }
    }

    fn spawn(program: &OsStr, address: SocketAddr) -> Child {
        let mut command = Command::new(program);
        command.arg("__listen").arg(address.to_string());
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command.spawn().expect("the server starts")
    }

    /// A thread waits on the pidfd and spawns, as a supervisor would; this one kills and spins on connect().
    fn one(&mut self) -> Duration {
        let pid = Pid::from_child(&self.child);
        let pidfd = pidfd_open(pid, PidfdFlags::empty()).expect("the child is not reaped");
        let (program, address) = (self.program.clone(), self.address);
        let supervisor = std::thread::spawn(move || {
            let mut fds = [PollFd::new(&pidfd, PollFlags::IN)];
            let _woken = poll(&mut fds, None);
            Self::spawn(&program, address)
        });
        let taken = one(self.address, pid);
        let next = supervisor.join().expect("the supervisor spawns");
        let mut dead = std::mem::replace(&mut self.child, next);
        let _reaped = dead.wait();
        taken
    }
}

impl Drop for Bare {
    fn drop(&mut self) {
        let _gone_already = self.child.kill();
        let _reaped = self.child.wait();
    }
}
