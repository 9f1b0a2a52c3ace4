//! The second phase: all are in session and nothing happens but heartbeats and probes.

use super::World;
use super::connect::Empty;
use super::eyes::pass;
use super::plan::Plan;
use crate::bench::Budget;
use crate::rig::clock::Since;
use crate::rig::files::{cpu_fine, memory};

/// KiB of an idle agent at the collector, core state included.
const SESSION_BUDGET: f64 = 48.0;
/// Percent of a core for 1,000 agents: a tenth of one for 10,000.
const CPU_BUDGET: f64 = 1.0;

/// Measures and prints.
pub(super) async fn run(world: &mut World, plan: &Plan, empty: Empty) {
    let (collector, swarm) = (world.collector.process.pid(), std::process::id());
    // The first heartbeats measure clocks, and each that knows better is journaled.
    pass(plan.settle).await;
    let before = (cpu_fine(collector), cpu_fine(swarm), Since::now());
    // Time passing is what this phase measures.
    pass(plan.rest).await;
    let seconds = before.2.elapsed().as_secs_f64();
    let thousands = plan.agents as f64 / 1000.0;
    let percent = |used: std::time::Duration| used.as_secs_f64() / seconds * 100.0;
    let (theirs, ours) = (percent(cpu_fine(collector) - before.0), percent(cpu_fine(swarm) - before.1));
    let report = &world.report;
    report.figure("rest_cpu_collector", theirs, "% of a core", None);
    report.figure(
        "rest_cpu_collector_per_1000",
        theirs / thousands,
        "% of a core",
        Some(Budget::AtMost(CPU_BUDGET)),
    );
    report.figure("rest_cpu_swarm_per_1000", ours / thousands, "% of a core", None);
    let each = |now: u64, then: u64| now.saturating_sub(then) as f64 / plan.agents as f64;
    let (now, then) = (memory(collector), empty.collector);
    let budget = Some(Budget::AtMost(SESSION_BUDGET));
    report.figure("rest_rss_per_session", each(now.rss, then.rss), "KiB", None);
    report.figure("rest_pss_per_session", each(now.pss, then.pss), "KiB", None);
    report.figure(
        "rest_private_dirty_per_session",
        each(now.private_dirty, then.private_dirty),
        "KiB",
        budget,
    );
    let (now, then) = (memory(swarm), empty.swarm);
    report.figure(
        "rest_swarm_private_dirty_per_agent",
        each(now.private_dirty, then.private_dirty),
        "KiB",
        None,
    );
    let sessions = world.eyes.status().await.sessions as usize;
    world.report.must(sessions == plan.agents, || format!("{sessions} sessions at rest"));
}
