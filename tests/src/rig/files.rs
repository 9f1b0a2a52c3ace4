//! What /proc says about a process: memory, CPU, and who is in a process group.

use std::fs;
use std::time::Duration;

/// Memory of a process in KiB.
#[derive(Debug, Clone, Copy, Default)]
pub struct Memory {
    /// Resident.
    pub rss: u64,
    /// Proportional share.
    pub pss: u64,
    /// Private and dirty: what it really costs.
    pub private_dirty: u64,
}

/// Reads `smaps_rollup`.
///
/// # Panics
/// If the process is gone.
pub fn memory(pid: u32) -> Memory {
    let text = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).expect("the process is alive");
    let field = |name: &str| number(&text, name).unwrap_or(0);
    Memory { rss: field("Rss:"), pss: field("Pss:"), private_dirty: field("Private_Dirty:") }
}

/// User and system time of a process, to a clock tick (10 ms).
///
/// # Panics
/// If the process is gone.
pub fn cpu(pid: u32) -> Duration {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).expect("the process is alive");
    let fields: Vec<&str> = stat.rsplit_once(')').map_or("", |(_, rest)| rest).split_whitespace().collect();
    let ticks = |at: usize| fields.get(at).and_then(|field| field.parse::<u64>().ok()).unwrap_or(0);
    Duration::from_millis((ticks(11) + ticks(12)) * 10)
}

/// CPU of a process in microseconds, from `schedstat` of its threads: finer than ticks.
///
/// # Panics
/// If the process is gone.
pub fn cpu_fine(pid: u32) -> Duration {
    let tasks = fs::read_dir(format!("/proc/{pid}/task")).expect("the process is alive");
    let nanos = tasks.flatten().filter_map(|task| {
        let text = fs::read_to_string(task.path().join("schedstat")).ok()?;
        text.split_whitespace().next()?.parse::<u64>().ok()
    });
    Duration::from_nanos(nanos.sum())
}

/// Context switches so far: how often it woke up (voluntary ones).
///
/// # Panics
/// If the process is gone.
pub fn wake_ups(pid: u32) -> u64 {
    let tasks = fs::read_dir(format!("/proc/{pid}/task")).expect("the process is alive");
    let counts = tasks.flatten().filter_map(|task| {
        let text = fs::read_to_string(task.path().join("status")).ok()?;
        number(&text, "voluntary_ctxt_switches:")
    });
    counts.sum()
}

/// Bytes that a process has caused to be written to storage.
///
/// # Panics
/// If the process is gone.
pub fn written(pid: u32) -> u64 {
    let text = fs::read_to_string(format!("/proc/{pid}/io")).expect("the process is alive");
    number(&text, "write_bytes:").unwrap_or(0)
}

/// Processes whose command line contains `part`, except zombies.
pub fn processes_with(part: &str) -> Vec<u32> {
    let own = std::process::id();
    let pids = fs::read_dir("/proc").into_iter().flatten().flatten().filter_map(|entry| {
        let pid: u32 = entry.file_name().to_str()?.parse().ok()?;
        let line = fs::read(entry.path().join("cmdline")).ok()?;
        (pid != own && String::from_utf8_lossy(&line).replace('\0', " ").contains(part)).then_some(pid)
    });
    pids.collect()
}

/// Writes a file that only its owner may read.
///
/// # Panics
/// If it cannot be written.
pub fn write_secret(path: &std::path::Path, text: &str) {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;
    let mut options = fs::OpenOptions::new();
    let file = options.write(true).create(true).truncate(true).mode(0o600).open(path);
    file.and_then(|mut file| file.write_all(text.as_bytes())).expect("the folder can be written");
}

/// The number behind a name, such as `VmRSS:`, at the begin of a line.
pub fn number(text: &str, name: &str) -> Option<u64> {
    let rest = text.lines().find_map(|line| line.strip_prefix(name))?;
    rest.split_whitespace().next()?.parse().ok()
}
