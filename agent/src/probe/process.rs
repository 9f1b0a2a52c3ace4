//! What `/proc/PID/stat` says: alive, frozen, gone, and whether it is still the same process; and how a line of
//! `/proc/PID/cgroup` is read.
//!
//! Field 22 (start time) together with the pid identifies a process of one boot; field 3 tells a frozen one. It is the
//! main thread's state: field 20 (threads) tells a process that goes on after its main thread has ended. The second
//! field is the program's name, which may hold spaces and parentheses: it ends at the last one.

use picket_agent_core::check::Reading;
use picket_proto::event::Cause;
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, Signal};

/// Longer than any line: a name has 64 bytes at most, and of the 50 numbers none more than 20 digits.
const LINE_MAX: usize = 1536;

/// The fields in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(test, derive(Default))]
pub(crate) struct Stat {
    pub(crate) state: u8,
    pub(crate) parent: i32,
    pub(crate) group: i32,
    pub(crate) session: i32,
    /// Ticks of CPU time so far.
    pub(crate) ticks: u64,
    /// Those that have not been reaped, the main one included.
    pub(crate) threads: u32,
    /// Ticks after boot.
    pub(crate) started: u64,
    /// Pages of memory.
    pub(crate) resident: u64,
}

/// The parent of all kernel threads.
const KERNEL: i32 = 2;

impl Stat {
    /// Whether it is only waiting to be reaped. While other threads live, an ended main thread stays as a zombie.
    pub(crate) const fn is_dead(&self) -> bool {
        matches!(self.state, b'Z' | b'X' | b'x') && self.threads <= 1
    }

    /// Whether it is stopped, by a signal or a tracer.
    pub(crate) const fn is_frozen(&self) -> bool {
        matches!(self.state, b'T' | b't')
    }

    /// Whether it is no program but a thread of the kernel. In a container its second process has a parent, that is not 0.
    pub(crate) fn is_of_kernel(&self, pid: Pid) -> bool {
        self.parent == KERNEL && self.resident == 0
            || (pid.as_raw_nonzero().get() == KERNEL && self.parent == 0 && self.resident == 0)
    }
}

/// Reads a process' state; `None` if there is none. In three system calls, since this is asked most often.
pub(crate) fn stat(pid: Pid) -> Option<Stat> {
    let path = format!("/proc/{pid}/stat");
    let file = rustix::fs::open(path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()).ok()?;
    let mut line = [0; LINE_MAX];
    let len = rustix::io::read(&file, &mut line).ok()?;
    parse(&line[..len])
}

/// Tree and path of a line of `/proc/PID/cgroup`, if the tree is one that systemd has its units in: that of version 2, whose name is
/// empty, or its own of version 1.
pub(crate) fn group_of(line: &str) -> Option<(&str, &str)> {
    let mut fields = line.splitn(3, ':').skip(1);
    let (tree, path) = (fields.next()?, fields.next()?);
    (tree.is_empty() || tree == "name=systemd").then_some((tree, path))
}

/// Every process, by its number; none where `/proc` can't be listed.
pub(crate) fn all() -> impl Iterator<Item = Pid> {
    let entries = std::fs::read_dir("/proc").into_iter().flatten();
    entries.filter_map(|entry| Pid::from_raw(entry.ok()?.file_name().to_str()?.parse().ok()?))
}

/// Kills every process that `wanted` picks, as far as the agent may.
pub(crate) fn kill_all(wanted: impl Fn(Pid) -> bool) {
    for pid in all() {
        // Opened before looking, so that it is the one that was looked at which is killed; without pidfds that is as sure as
        // the moment between is short.
        let process = match rustix::process::pidfd_open(pid, PidfdFlags::empty()) {
            Ok(process) => Some(process),
            Err(Errno::NOSYS | Errno::PERM) => None,
            Err(_gone_already) => continue,
        };
        if wanted(pid) {
            let _gone_already = match process {
                Some(process) => rustix::process::pidfd_send_signal(&process, Signal::KILL),
                None => rustix::process::kill_process(pid, Signal::KILL),
            };
        }
    }
}

fn parse(text: &[u8]) -> Option<Stat> {
    let end = text.iter().rposition(|byte| *byte == b')')?;
    let rest = std::str::from_utf8(text.get(end + 2..)?).ok()?;
    // Field 3 is the first one here; each skips those between.
    let mut fields = rest.split_ascii_whitespace();
    Some(Stat {
        state: *fields.next()?.as_bytes().first()?,
        parent: fields.next()?.parse().ok()?,
        group: fields.next()?.parse().ok()?,
        session: fields.next()?.parse().ok()?,
        ticks: {
            let (user, system): (u64, u64) = (fields.nth(7)?.parse().ok()?, fields.next()?.parse().ok()?);
            user.saturating_add(system)
        },
        threads: fields.nth(4)?.parse().ok()?,
        started: fields.nth(1)?.parse().ok()?,
        resident: fields.nth(1)?.parse().ok()?,
    })
}

/// Reads the process of a service, which started at `started` where that is known.
pub(crate) fn read(process: Option<(Pid, Option<u64>)>) -> Reading {
    let Some((pid, started)) = process else { return Reading::Bad(Cause::NoProcess) };
    match stat(pid) {
        Some(stat) if stat.is_dead() || started.is_some_and(|started| started != stat.started) => {
            Reading::Bad(Cause::NoProcess)
        }
        Some(stat) if stat.is_frozen() => Reading::Bad(Cause::Frozen),
        Some(_) => Reading::Good,
        None => Reading::Bad(Cause::NoProcess),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TAIL: &str = "S 1 42 7 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 98765 1000 2 3";

    #[test]
    fn names_with_spaces_and_parentheses_do_not_move_the_fields() {
        for name in ["sleep", "a b", "x) S 1 (y", ")", "((("] {
            let stat = parse(format!("4711 ({name}) {TAIL}\n").as_bytes()).unwrap();
            assert_eq!(
                stat,
                Stat {
                    state: b'S',
                    parent: 1,
                    group: 42,
                    session: 7,
                    ticks: 11,
                    threads: 1,
                    started: 98765,
                    resident: 2
                },
                "{name}"
            );
        }
    }

    #[test]
    fn a_zombie_with_living_threads_is_alive() {
        let with = |state: &str, threads: &str| {
            let tail = TAIL.replacen('S', state, 1).replace("20 0 1 0", &format!("20 0 {threads} 0"));
            parse(format!("4711 (python3) {tail}").as_bytes()).unwrap()
        };
        assert!(!with("Z", "2").is_dead(), "its main thread has called pthread_exit");
        assert!(with("Z", "1").is_dead() && with("Z", "0").is_dead());
        assert!(!with("S", "1").is_dead());
    }

    #[test]
    fn names_that_are_no_text_are_read_as_well() {
        let line = [b"4711 (\xff\xfe) ", TAIL.as_bytes()].concat();
        assert!(parse(&line).is_some());
    }

    #[test]
    fn a_line_cut_short_is_no_process() {
        assert_eq!(parse(b"4711 (sleep) S 1 42"), None);
        assert_eq!(parse(b""), None);
    }

    #[test]
    fn another_process_under_the_same_number_is_no_process() {
        let own = Pid::from_raw(i32::try_from(std::process::id()).unwrap()).unwrap();
        let started = stat(own).unwrap().started;
        assert_eq!(read(Some((own, Some(started)))), Reading::Good);
        assert_eq!(read(Some((own, Some(started + 1)))), Reading::Bad(Cause::NoProcess));
    }
}
