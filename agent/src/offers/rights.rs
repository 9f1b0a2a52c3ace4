//! Who runs here: the user, and each capability with what it buys.

use super::Finding;
use crate::{names, open};

/// Number of the capability, its name, what it buys; those that `systemd/picket-agent.service` gives for work of the agent's own.
const BUYS: [(u32, &str, &str); 8] = [
    (1, "dac_override", "writing and starting what belongs to others: files of services, their sockets"),
    (2, "dac_read_search", "reading what belongs to others: logs, certificates, files of services"),
    (5, "kill", "signals to processes of others: ending a service that hangs"),
    (7, "setuid", "plugins and services as users of their own"),
    (19, "sys_ptrace", "whose a port is, and who writes to disks"),
    (12, "net_admin", "who sits behind a port (sock_diag)"),
    (0, "chown", "files that are put back get their owners"),
    (24, "sys_resource", "limits of plugins and services above the agent's own"),
];

/// The user and its capabilities.
pub(super) fn all() -> Vec<Finding> {
    let uid = rustix::process::geteuid();
    let seen = names::of_user(uid.as_raw());
    let user = if uid.is_root() {
        Finding::ok("user", seen)
    } else {
        let costs =
            "systemd lets root alone restart units (or whom a polkit rule names); services run as this user";
        Finding::without("user", seen, costs)
    };
    let has = effective(&open::text("/proc/self/status").unwrap_or_default());
    let missing = BUYS.iter().filter(|(bit, ..)| has & (1 << bit) == 0);
    let mut all = vec![user];
    let missed: Vec<Finding> =
        missing.map(|(_, name, buys)| Finding::without("right", format!("no cap_{name}"), *buys)).collect();
    if missed.len() < BUYS.len() {
        let there = BUYS.iter().filter(|(bit, ..)| has & (1 << bit) != 0).map(|(_, name, _)| *name);
        all.push(Finding::ok("rights", there.collect::<Vec<_>>().join(", ")));
    }
    all.extend(missed);
    all
}

/// The capabilities that count, as bits.
fn effective(status: &str) -> u64 {
    let line = status.lines().find_map(|line| line.strip_prefix("CapEff:"));
    line.and_then(|bits| u64::from_str_radix(bits.trim(), 16).ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capabilities_are_the_kernels_bits() {
        assert_eq!(effective("Name:\tx\nCapEff:\t00000000a80425fb\n"), 0xa804_25fb);
        assert_eq!(effective(""), 0);
    }
}
