//! Whether this machine can carry so many sessions: descriptors, ports and memory; what to do where it can't.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::fs;

/// Descriptors of either process besides one per session: files, listeners, enrolments that end, a second session of
/// those that come back at once.
const OTHERS: u64 = 512;
/// What a session takes in both processes and in the kernel, in KiB: twice what was measured.
const SESSION_KIB: u64 = 300;
/// What a host's backlog of days takes in the swarm and, as pages that are not on the disk yet, beside it.
const BACKLOG_KIB: u64 = 8 * 1024;

/// Raises the limit of open files as far as allowed, for this process and those that it starts, and says what is in
/// the way of `agents` sessions.
///
/// # Errors
/// What forbids it, and what to do.
pub(super) fn make_room(agents: usize, drains: usize) -> Result<(), String> {
    let (agents, drains) = (agents as u64, drains as u64);
    let files = raise();
    if files < agents + OTHERS {
        return Err(format!(
            "{agents} agents need {} open files in each of two processes, and {files} are allowed: raise the hard \
             limit (`ulimit -Hn`, LimitNOFILE=) or ask for at most --agents {}",
            agents + OTHERS,
            files.saturating_sub(OTHERS)
        ));
    }
    let ports = ports();
    if ports < agents * 2 {
        return Err(format!(
            "{agents} agents need {} ports of one address (those of closed connections rest for a minute), and \
             net.ipv4.ip_local_port_range has {ports}: `sysctl -w net.ipv4.ip_local_port_range='10000 65000'`, or ask \
             for at most --agents {}",
            agents * 2,
            ports / 2
        ));
    }
    let (needed, free) = (agents * SESSION_KIB + drains * BACKLOG_KIB, available_kib());
    if free < needed {
        return Err(format!(
            "{agents} agents, {drains} of them with a backlog, need about {} MiB of memory, and {} MiB are free: ask \
             for fewer (--agents, --drains)",
            needed / 1024,
            free / 1024
        ));
    }
    Ok(())
}

fn raise() -> u64 {
    let allowed = getrlimit(Resource::Nofile);
    let all = Rlimit { current: allowed.maximum, maximum: allowed.maximum };
    let _it_stays_as_it_was = setrlimit(Resource::Nofile, all);
    getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX)
}

fn ports() -> u64 {
    let text = fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range").unwrap_or_default();
    let mut ends = text.split_whitespace().filter_map(|end| end.parse::<u64>().ok());
    let (first, last) = (ends.next().unwrap_or(32_768), ends.next().unwrap_or(60_999));
    last.saturating_sub(first) + 1
}

fn available_kib() -> u64 {
    let text = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let line = text.lines().find(|line| line.starts_with("MemAvailable:")).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|kib| kib.parse().ok()).unwrap_or(u64::MAX)
}
