//! What the agent and the box use of memory, as the box's kernel counts it.

use super::machine::Machine;
use crate::rig::files::number;

/// The agent's processes by `smaps_rollup` and the box by `meminfo`, in KiB.
///
/// # Panics
/// If the kernel does not tell.
pub(super) fn read(machine: &mut Machine) -> serde_json::Value {
    let agent = machine.ask("cat /proc/$(cat /run/picket-agent.pid)/smaps_rollup");
    let threads = machine.ask("grep Threads /proc/$(cat /run/picket-agent.pid)/status");
    let whole = machine.ask("cat /proc/meminfo");
    let private = kib(&agent, "Private_Dirty");
    serde_json::json!({
        "agent_rss_kib": kib(&agent, "Rss"), "agent_pss_kib": kib(&agent, "Pss"), "agent_private_dirty_kib": private,
        "threads": kib(&threads, "Threads"),
        "box_total_kib": kib(&whole, "MemTotal"), "box_available_kib": kib(&whole, "MemAvailable"), "box_free_kib": kib(&whole, "MemFree"),
    })
}

fn kib(text: &str, key: &str) -> u64 {
    number(text, &format!("{key}:")).unwrap_or_else(|| panic!("no {key} in {text}"))
}
