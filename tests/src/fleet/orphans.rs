//! A runner that is killed in the midst of a scenario leaves nothing behind.

use super::machine::{Machine, processes_of};
use super::scenarios::{HOSTS, Play, Scenario};
use super::world::SOON;
use crate::rig::clock::Since;
use crate::rig::private_systemd::look_again;
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
    let up = until(SOON, || systemds_of(runner.id()) >= HOSTS);
    let killed = runner.kill().and_then(|()| runner.wait());
    killed.map_err(|error| error.to_string())?;
    if !up {
        return Err(format!("its hosts were not up within {} s", SOON.as_secs()));
    }
    until(GONE, || processes_of(runner.id()).is_empty());
    let left: Vec<String> =
        processes_of(runner.id()).into_iter().map(|pid| format!("{pid} {}", name(pid))).collect();
    let new = Machine::now().new_since(&before);
    if left.is_empty() && new.is_empty() { Ok(()) } else { Err(format!("it left {left:?} and {new:?}")) }
}

fn systemds_of(runner: u32) -> usize {
    processes_of(runner).into_iter().filter(|pid| name(*pid) == "systemd").count()
}

fn name(pid: u32) -> String {
    fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default().trim().to_owned()
}

fn until(limit: Duration, mut holds: impl FnMut() -> bool) -> bool {
    let since = Since::now();
    while !since.left(limit).is_zero() {
        if holds() {
            return true;
        }
        look_again();
    }
    false
}
