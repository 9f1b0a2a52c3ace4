//! A runner that is killed in the midst of a scenario leaves nothing behind.

use super::machine::{Machine, processes_of};
use super::scenarios::{HOSTS, Play, Scenario};
use super::world::{SOON, until};
use std::fs;
use std::process::{Command, Stdio};
use std::time::Duration;

/// How long the kernel may take to end what hangs from a killed runner.
const GONE: Duration = Duration::from_secs(10);

/// kill -9 of the runner itself.
pub(super) const RUNNER_KILLED: Scenario = Scenario {
    name: "runner-killed",
    says: "kill -9 of a runner whose hosts are up: no process of it lives on, and the machine has no mount, link or namespace more",
    smoke: true,
    needs: &[],
    play: Play::Outside(killed),
};

fn killed() -> Result<(), String> {
    let before = Machine::now();
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    let mut runner = Command::new(program);
    let runner =
        runner.arg("power-cut").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    let mut runner = runner.map_err(|error| error.to_string())?;
    let up = until("its hosts are up", SOON, || Ok(systemds_of(runner.id()) >= HOSTS));
    let killed = runner.kill().and_then(|()| runner.wait());
    killed.map_err(|error| error.to_string())?;
    up?;
    let gone = until("its processes are gone", GONE, || Ok(processes_of(runner.id()).is_empty()));
    let left: Vec<String> =
        processes_of(runner.id()).into_iter().map(|pid| format!("{pid} {}", name(pid))).collect();
    let new = Machine::now().new_since(&before);
    if left.is_empty() && new.is_empty() { gone } else { Err(format!("it left {left:?} and {new:?}")) }
}

fn systemds_of(runner: u32) -> usize {
    processes_of(runner).into_iter().filter(|pid| name(*pid) == "systemd").count()
}

fn name(pid: u32) -> String {
    fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default().trim().to_owned()
}
