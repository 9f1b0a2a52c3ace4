//! The agent in a storm: every 15 s all 20 services are killed at once and all 26 ports close for 5 s, so that 46
//! failures come in one moment and are healed before the next. What it costs meanwhile, and what it holds afterwards.
//!
//! The storm lasts as long as is asked for (60 s; budgets speak of 10 minutes), and a minute of quiet follows, in which what waited has
//! gone to the collector. Growth is what stays of it in memory that is the agent's own. There is no yardstick beside it.

use super::idle::{self, PORTS, SERVICES, rest};
use super::{Budget, Figure};
use crate::rig::clock::Since;
use crate::rig::files::{Memory, cpu_fine, memory, processes_with, written};
use crate::rig::listen::{free_port, wait_listening};
use crate::rig::process::{PATIENCE, Process};
use crate::rig::relay::Relay;
use crate::rig::stack::{AgentHome, Collector};
use rustix::process::{Pid, Signal, kill_process};
use std::ffi::OsStr;
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

const ROUND: Duration = Duration::from_secs(15);
const CLOSED: Duration = Duration::from_secs(5);
const QUIET: Duration = Duration::from_secs(60);
/// Times that a service may die without rest: every round, and it must not be given up for that.
const PATIENT: &str = "budget = 32\nbudget_window = \"10s\"\nsame_deaths = 100\n";

/// Runs a storm of `span` at each interval and prints.
///
/// # Panics
/// If the agent does not start, or does not heal what the storm has done.
pub fn run(program: &OsStr, agent: Option<&OsStr>, span: Duration) {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime starts");
    idle::name_measured(agent);
    for interval in [10, 1] {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let collector = Collector::start(program, &folder.path().join("collector"));
        let mut ports = Ports::open(program);
        let config = idle::config(&ports.addresses, interval, PATIENT);
        let agent_folder = folder.path().join("agent");
        let relay = Relay::to(&collector.address);
        let address = relay.address.to_string();
        let home = AgentHome::prepare_at(program, &agent_folder, ("bench", &address), &collector, &config);
        let mut home = runtime.block_on(home);
        if let Some(agent) = agent {
            home.use_binary(agent);
        }
        let mut process = home.start(&["--stop-services"]);
        for _ in 0..SERVICES {
            process.line_with("service-started");
        }
        rest(ROUND);
        measure(interval, &mut process, &relay, &mut ports, span);
        process.end();
    }
}

fn measure(interval: u32, agent: &mut Process, relay: &Relay, ports: &mut Ports<'_>, span: Duration) {
    let pid = agent.pid();
    let before = (memory(pid), cpu_fine(pid), written(pid), relay.carried());
    let (since, mut peak, mut told) = (Since::now(), before.0, 0);
    while since.elapsed() < span {
        let round = Since::now();
        strike();
        ports.close();
        rest(CLOSED);
        peak = worst(peak, memory(pid));
        ports.reopen();
        rest(round.left(ROUND));
        peak = worst(peak, memory(pid));
        told += agent.lines_within(Duration::ZERO).iter().filter(|line| line.contains("\"seq\"")).count();
    }
    let seconds = since.elapsed().as_secs_f64();
    let cpu = (cpu_fine(pid) - before.1).as_secs_f64() / seconds * 3600.0;
    rest(QUIET.min(span));
    let after = memory(pid);
    assert_eq!(processes_with("sleep 86398").len(), SERVICES, "what the storm killed runs again");
    let show = |what: &str, unit: &str, value: f64, budget: Option<f64>| {
        let name = format!("storm_{what}_50_checks_at_{interval}s");
        Figure { name: &name, value, unit, yardstick: None, budget: budget.map(Budget::AtMost) }.print();
    };
    let mib = |kib: u64| kib as f64 / 1024.0;
    let grown = after.private_dirty.saturating_sub(before.0.private_dirty);
    show("rss_peak", "MiB", mib(peak.rss), Some(7.0));
    show("private_dirty_peak", "MiB", mib(peak.private_dirty), Some(2.0));
    show("private_dirty_grown", "KiB", grown as f64, Some(256.0));
    show("cpu", "s/h", cpu, None);
    show("events", "1/s", told as f64 / seconds, None);
    show("written", "KiB", (written(pid) - before.2) as f64 / 1024.0, None);
    show("sent", "KiB", (relay.carried() - before.3) as f64 / 1024.0, None);
}

/// Kills every service at once.
fn strike() {
    for pid in processes_with("sleep 86398") {
        if let Some(pid) = Pid::from_raw(pid.cast_signed()) {
            let _gone_already = kill_process(pid, Signal::KILL);
        }
    }
}

fn worst(one: Memory, other: Memory) -> Memory {
    Memory {
        rss: one.rss.max(other.rss),
        pss: one.pss.max(other.pss),
        private_dirty: one.private_dirty.max(other.private_dirty),
    }
}

/// Ports of other programs, which can be closed and opened again.
struct Ports<'p> {
    program: &'p OsStr,
    addresses: Vec<SocketAddr>,
    open: Vec<Child>,
}

impl<'p> Ports<'p> {
    fn open(program: &'p OsStr) -> Self {
        let addresses = (0..PORTS).map(|_| free_port()).collect();
        let mut ports = Self { program, addresses, open: Vec::new() };
        ports.reopen();
        ports
    }

    fn reopen(&mut self) {
        let serve = |address: &SocketAddr| {
            let mut command = Command::new(self.program);
            command.arg("__listen").arg(address.to_string());
            command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
            command.spawn().expect("the server starts")
        };
        self.open = self.addresses.iter().map(serve).collect();
        for address in &self.addresses {
            assert!(wait_listening(*address, PATIENCE), "nothing listens on {address}");
        }
    }

    fn close(&mut self) {
        for mut child in self.open.drain(..) {
            let _gone_already = child.kill();
            let _reaped = child.wait();
        }
    }
}

impl Drop for Ports<'_> {
    fn drop(&mut self) {
        self.close();
    }
}
