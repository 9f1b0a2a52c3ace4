//! Who makes a level what it is, in words: `mysqld 212 %, java 90 %`. Five at most, those that stand out first.
//!
//! Asked for by the core alone, when a level is bad. One walk through `/proc` in a thread, one at a time for all checks,
//! within half of the check's timeout and 2 s at most: what takes longer is left out, the level is told without it.
//! CPU and written bytes are what came since the walk before, if that was within a minute; so the first walk names
//! nobody. Other users' written bytes and open files only root can read. Kept: one number per process.

use super::apart::Apart;
use super::{Seen, process};
use crate::clock;
use crate::config::{Part, Resource, Target};
use crate::sorted;
use picket_agent_core::check::Reading;
use picket_proto::{Mono, Span};
use rustix::fs::{AtFlags, CWD, StatxFlags};
use rustix::process::Pid;
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::timeout;

const NAMED: usize = 5;
const MOST: Duration = Duration::from_secs(2);
/// An older walk tells of another time. While a level stays bad there is one a minute.
const OLD: Span = Span::from_secs(150);
/// Descriptors looked at in one walk; a host that has more open is not searched to the end.
const OPEN_MAX: usize = 65_536;

/// What is counted.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Want {
    Cpu,
    Memory,
    Swap,
    Io,
    Space(String),
}

/// What to count for a check, if anything.
pub(super) fn want(target: &Target) -> Option<Want> {
    match target {
        Target::Cpu | Target::Load | Target::Host(Part::Pressure(Resource::Cpu)) => Some(Want::Cpu),
        Target::Memory | Target::Host(Part::Pressure(Resource::Memory)) => Some(Want::Memory),
        Target::Host(Part::Pressure(Resource::Io)) => Some(Want::Io),
        Target::Host(Part::Swap) => Some(Want::Swap),
        Target::Space { mount } => Some(Want::Space(mount.clone())),
        _ => None,
    }
}

/// Counters of all processes at one moment.
#[derive(Debug)]
struct Walk {
    when: Mono,
    counts: BTreeMap<(i32, u64), u64>,
}

/// The walks so far: the last for CPU, and the last for bytes.
#[derive(Debug, Clone, Default)]
pub(super) struct Culprits {
    apart: Apart,
    last: Arc<Mutex<BTreeMap<bool, Walk>>>,
}

impl Culprits {
    /// What was seen, with words to a level.
    pub(super) async fn explain(self, seen: impl Future<Output = Seen>, want: Want, bound: Duration) -> Seen {
        let seen = seen.await;
        if !matches!(seen.reading, Reading::Level(_) | Reading::Room { .. }) || !seen.said.is_empty() {
            return seen;
        }
        let last = Arc::clone(&self.last);
        let words = timeout((bound / 2).min(MOST), self.apart.run(move || words(&want, &last))).await;
        let said = words.ok().and_then(Result::ok).unwrap_or_default();
        Seen { said, ..seen }
    }
}

fn words(want: &Want, last: &Mutex<BTreeMap<bool, Walk>>) -> String {
    match want {
        Want::Cpu => {
            let grown = grown(last, true, |_, stat| Some(stat.ticks));
            let per_second = rustix::param::clock_ticks_per_second().max(1);
            let percent = |(ticks, took): (u64, Span)| {
                ticks.saturating_mul(100_000_000 / per_second) / (took.micros().max(1))
            };
            top(&mut grown.into_iter().map(|(pid, ticks, took)| (pid, percent((ticks, took)))), &|it| {
                format!("{it} %")
            })
        }
        Want::Memory => {
            let page = rustix::param::page_size() as u64;
            top(&mut people().map(|(pid, stat)| (pid, stat.resident.saturating_mul(page))), &size)
        }
        Want::Swap => top(
            &mut people().map(|(pid, _)| (pid, field(pid, "status", "VmSwap:").saturating_mul(1024))),
            &size,
        ),
        Want::Io => top(&mut moved(last).into_iter(), &|it| format!("{}/s", size(it))),
        Want::Space(mount) => {
            let (open, writing) =
                (deleted(mount), top(&mut moved(last).into_iter(), &|it| format!("{}/s", size(it))));
            let open = if open.is_empty() { open } else { format!("deleted but open: {open}") };
            let writing =
                if writing.is_empty() { writing } else { format!("reading and writing: {writing}") };
            let both: Vec<String> = [open, writing].into_iter().filter(|part| !part.is_empty()).collect();
            both.join("; ")
        }
    }
}

/// Every process.
fn people() -> impl Iterator<Item = (Pid, process::Stat)> {
    process::all().filter_map(|pid| Some((pid, process::stat(pid)?)))
}

/// By how much a counter of each process has grown since the last walk for it.
fn grown(
    last: &Mutex<BTreeMap<bool, Walk>>,
    of_cpu: bool,
    count: impl Fn(Pid, &process::Stat) -> Option<u64>,
) -> Vec<(Pid, u64, Span)> {
    let when = clock::now().mono;
    let now: Vec<_> =
        people().filter_map(|(pid, stat)| Some((pid, stat.started, count(pid, &stat)?))).collect();
    let counts =
        sorted::map(now.iter().map(|(pid, started, count)| ((pid.as_raw_nonzero().get(), *started), *count)));
    let before = last.blocking_lock().insert(of_cpu, Walk { when, counts });
    let Some(before) = before.filter(|walk| when.since(walk.when) < OLD) else { return Vec::new() };
    let took = when.since(before.when);
    let growth = |(pid, started, count): (Pid, u64, u64)| {
        let then = before.counts.get(&(pid.as_raw_nonzero().get(), started)).copied().unwrap_or(0);
        (pid, count.saturating_sub(then), took)
    };
    now.into_iter().map(growth).collect()
}

/// Bytes per second from and to disks.
fn moved(last: &Mutex<BTreeMap<bool, Walk>>) -> Vec<(Pid, u64)> {
    let bytes = |pid, _: &process::Stat| {
        Some(field(pid, "io", "read_bytes:").saturating_add(field(pid, "io", "write_bytes:")))
    };
    let grown = grown(last, false, bytes);
    let per_second =
        |(pid, bytes, took): (Pid, u64, Span)| (pid, bytes.saturating_mul(1000) / took.millis().max(1));
    grown.into_iter().map(per_second).collect()
}

/// The largest files on the mount that have no name any more and are held open.
fn deleted(mount: &str) -> String {
    let Ok(device) = fs::metadata(mount).map(|about| about.dev()) else { return String::new() };
    let mut files: BTreeMap<u64, (u64, Pid)> = BTreeMap::new();
    let mut left = OPEN_MAX;
    for (pid, _) in people() {
        let open = fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().filter_map(Result::ok);
        for entry in open.take(left) {
            left -= 1;
            let path = entry.path();
            if fs::read_link(&path).is_ok_and(|link| link.to_string_lossy().ends_with(" (deleted)"))
                && let Ok(about) =
                    rustix::fs::statx(CWD, &path, AtFlags::STATX_DONT_SYNC, StatxFlags::BASIC_STATS)
                && rustix::fs::makedev(about.stx_dev_major, about.stx_dev_minor) == device
            {
                files.insert(about.stx_ino, (about.stx_blocks.saturating_mul(512), pid));
            }
        }
    }
    top(&mut files.into_values().map(|(bytes, pid)| (pid, bytes)), &size)
}

/// The first five by their number, with the names of their processes; nothing counts for nothing.
fn top(all: &mut dyn Iterator<Item = (Pid, u64)>, say: &dyn Fn(u64) -> String) -> String {
    let mut all: Vec<(Pid, u64)> = all.filter(|(_, count)| *count > 0).collect();
    all.sort_unstable_by_key(|(pid, count)| (std::cmp::Reverse(*count), pid.as_raw_nonzero()));
    let named = all.into_iter().take(NAMED).map(|(pid, count)| {
        let name = fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
        let name = name.trim();
        format!("{} {}", if name.is_empty() { "(gone)" } else { name }, say(count))
    });
    named.collect::<Vec<_>>().join(", ")
}

/// A number in a file of `/proc/PID`; 0 where it can't be read.
fn field(pid: Pid, file: &str, name: &str) -> u64 {
    let text = fs::read_to_string(format!("/proc/{pid}/{file}")).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
    line.split_ascii_whitespace().next().and_then(|number| number.parse().ok()).unwrap_or(0)
}

/// Bytes in a unit that leaves one to four digits.
fn size(bytes: u64) -> String {
    let units = [("GiB", 30), ("MiB", 20), ("KiB", 10)];
    let found = units.into_iter().find(|(_, shift)| bytes >> shift > 0);
    found.map_or_else(
        || format!("{bytes} B"),
        |(unit, shift)| {
            let tenths = (bytes >> (shift - 7)) * 10 / 128;
            format!("{}.{} {unit}", tenths / 10, tenths % 10)
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_a_unit() {
        for (bytes, said) in [(7, "7 B"), (1024, "1.0 KiB"), (1536, "1.5 KiB"), (12_884_901_888, "12.0 GiB")]
        {
            assert_eq!(size(bytes), said);
        }
        assert!(size(u64::MAX).ends_with(" GiB"));
    }

    #[test]
    fn this_process_uses_memory_and_the_first_walk_names_nobody() {
        let last = Mutex::default();
        assert!(words(&Want::Memory, &last).contains(" MiB"));
        assert_eq!(words(&Want::Cpu, &last), "");
    }
}
