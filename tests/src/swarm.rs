//! Thousands of agents' sessions from one process against a real collector process, over loopback.
//!
//! Every agent is the real core and the real link (dial, mutual TLS, stream) around a small simulated host; no mock of
//! collector or wire. What truly happened is what the swarm did, never what the collector says of it; the collector is
//! asked over gRPC, as an operator would. Figures are JSON lines in the way of `bench`; what must be true and is not is
//! a violation, and the run fails.
//!
//! What it does not have: disks (frames wait in memory), systemd, exec checks, more than one source address, a network
//! that loses anything. `sim` and `fleet` have those.

mod agent;
mod away;
mod connect;
mod crew;
mod drain;
mod eyes;
mod failure;
mod limits;
mod machine;
mod past;
mod plan;
mod report;
mod rest;

pub use plan::{AGENTS_MAX, PHASES, Plan};

use crate::dice::Dice;
use crate::rig::stack::Collector;
use crew::Crew;
use eyes::Eyes;
use report::Report;
use std::ffi::OsStr;
use std::path::Path;
use tempfile::TempDir;

/// What all phases share.
struct World {
    collector: Collector,
    eyes: Eyes,
    crew: Crew,
    dice: Dice,
    report: Report,
    /// Members that were ended for good.
    dead: Vec<usize>,
}

/// Goes through a plan; whether all held. `program` is a binary whose main calls [`crate::rig::role`] first.
///
/// # Errors
/// What forbids it here, and what to do.
///
/// # Panics
/// If the collector does not start or does not answer.
pub fn run(program: &OsStr, plan: &Plan) -> Result<bool, String> {
    limits::make_room(plan.agents, if plan.has("drain") { plan.drains } else { 0 })?;
    println!(
        "{}",
        serde_json::json!({ "swarm": "plan", "agents": plan.agents, "seed": plan.seed, "phases": plan.phases })
    );
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("the kernel gives a runtime");
    Ok(runtime.block_on(phases(program, plan)))
}

async fn phases(program: &OsStr, plan: &Plan) -> bool {
    let (data, homes) = (tempfile::tempdir().expect("a temporary folder can be made"), homes());
    let mut collector = Collector::start(program, data.path());
    // It logs every change of every incident.
    collector.process.mute();
    let eyes = Eyes::of(&collector).await;
    let crew = Crew::new(plan.agents, homes.path().to_owned(), &collector.address, plan.seed);
    let (dice, report) = (Dice::new(plan.seed), Report::new(plan.agents));
    let mut world = World { collector, eyes, crew, dice, report, dead: Vec::new() };
    let empty = connect::run(&mut world).await;
    if plan.has("rest") {
        rest::run(&mut world, plan, empty).await;
    }
    if plan.has("failure") {
        failure::run(&mut world).await;
    }
    if plan.has("away") {
        away::run(&mut world, plan).await;
    }
    if plan.has("drain") {
        drain::run(&mut world, plan).await;
    }
    connect::account(&mut world).await;
    world.report.end(plan.agents, plan.seed)
}

/// Where identities are kept: in memory if there is such a place, since thousands of them are synced one by one.
fn homes() -> TempDir {
    let memory = Path::new("/dev/shm");
    let homes = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
    homes.expect("a temporary folder can be made")
}
