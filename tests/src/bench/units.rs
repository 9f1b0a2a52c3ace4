//! From kill -9 to listening for units: the agent heals one with `Restart=no`, beside one that systemd itself restarts with
//! `RestartSec=0`, under the same private systemd, in turns. And from a death to the agent's verdict on it.
//!
//! systemd's own restart is the limit: it needs no bus between the death and the start.

use super::respawn::{listener_pid, one};
use super::{Budget, Figure, Sample};
use crate::rig::clock::Since;
use crate::rig::listen::{free_port, wait_listening};
use crate::rig::private_systemd;
use crate::rig::process::{PATIENCE, Process};
use crate::rig::stack::{AgentHome, Collector};
use rustix::process::{Signal, kill_process};
use std::ffi::OsStr;
use std::net::SocketAddr;
use std::time::Duration;

/// How many kills of each.
const KILLS: usize = 60;

/// Measures both and prints the figures; says so where no systemd can run.
///
/// # Panics
/// If something does not come back.
pub fn run(program: &OsStr) {
    // A socket's path has 108 bytes at most.
    let folder = tempfile::TempDir::new_in("/tmp").expect("a temporary folder can be made");
    let Some(systemd) = private_systemd::start_or_say("bench units", folder.path()) else { return };
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime starts");
    let collector = Collector::start(program, &folder.path().join("collector"));
    let addresses = [("healed", "no"), ("own", "always")].map(|(name, restart)| {
        let address = free_port();
        systemd.unit(&format!("{name}.service"), &unit(program, address, restart));
        systemd.ctl(&["start", name]);
        assert!(wait_listening(address, PATIENCE), "{name} does not listen");
        address
    });
    let agent_folder = folder.path().join("agent");
    let config = config(addresses[0]);
    let home = AgentHome::prepare(program, &agent_folder, "bench", &collector, &config);
    let home = runtime.block_on(home);
    home.on_bus(&systemd.address());
    let mut agent = home.start(&[]);
    agent.line_with("service-adopted");
    agent.line_with("check-up");
    measure(&mut agent, addresses);
    agent.end();
    drop(systemd);
}

fn measure(agent: &mut Process, [healed, own]: [SocketAddr; 2]) {
    // The first one pays for pages that nobody has touched yet.
    let _not_counted = one(healed, listener_pid(healed));
    agent.line_with("remedy-held");
    let (mut agents, mut systemds, mut verdicts) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..KILLS {
        agents.push(one(healed, listener_pid(healed)));
        agent.line_with("remedy-held");
        systemds.push(one(own, listener_pid(own)));
        verdicts.push(verdict(agent, healed));
        agent.line_with("remedy-held");
    }
    print(&Sample::new(agents), &Sample::new(systemds), &Sample::new(verdicts));
}

/// From the kill to the agent's word that it died, as it is read from its output.
fn verdict(agent: &mut Process, address: SocketAddr) -> Duration {
    let pid = listener_pid(address);
    let since = Since::now();
    kill_process(pid, Signal::KILL).expect("the server is alive");
    agent.line_with("service-died");
    since.elapsed()
}

fn print(agent: &Sample, systemd: &Sample, verdicts: &Sample) {
    for (percent, name, factor) in
        [(50, "kill_to_listening_unit_median", Some(1.5)), (99, "kill_to_listening_unit_p99", None)]
    {
        let limit = systemd.percentile_ms(percent);
        Figure {
            name,
            value: agent.percentile_ms(percent),
            unit: "ms",
            yardstick: Some(("systemd's own restart, RestartSec=0", limit)),
            budget: factor.map(|factor| Budget::AtMost(factor * limit)),
        }
        .print();
    }
    for (percent, name) in [(50, "death_to_verdict_unit_median"), (99, "death_to_verdict_unit_p99")] {
        let budget = (percent == 99).then_some(Budget::AtMost(10.0));
        let value = verdicts.percentile_ms(percent);
        Figure { name, value, unit: "ms", yardstick: None, budget }.print();
    }
}

fn unit(program: &OsStr, address: SocketAddr, restart: &str) -> String {
    let program = program.to_str().expect("the program's path is UTF-8");
    format!(
        "[Unit]\nStartLimitIntervalSec=0\n[Service]\nRestart={restart}\nRestartSec=0\nExecStart={program} __listen {address}\n"
    )
}

fn config(address: SocketAddr) -> String {
    format!(
        "[host]\nenabled = false\n\n[[service]]\nname = \"bench\"\nunit = \"healed.service\"\nhold = \"100ms\"\nbudget = 32\n\
         budget_window = \"1s\"\nsame_deaths = 100\n\n[[service.check]]\nkind = \"tcp\"\naddress = \"{address}\"\ninterval = \"10s\"\n"
    )
}
