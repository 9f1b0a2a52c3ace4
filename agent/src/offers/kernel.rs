//! What the kernel offers: its version, pidfds, pressure, control groups, sock_diag, watches on files, descriptors, processes.

use super::Finding;
use crate::open;
use crate::probe::ports;
use rustix::fs::inotify;
use rustix::io::Errno;
use rustix::process::{PidfdFlags, Resource, getpid, getrlimit, pidfd_open};
use std::path::Path;

/// The oldest that has all that is used, and the oldest that does with less, as far as refused calls can show (major, minor).
const WANTED: (u32, u32) = (5, 4);
const LEAST: (u32, u32) = (4, 19);
/// Two for each service and check of a usual host.
const DESCRIPTORS: u64 = 1024;

/// The kernel.
pub(super) fn version() -> Finding {
    of_version(open::text("/proc/sys/kernel/osrelease").unwrap_or_default().trim())
}

fn of_version(release: &str) -> Finding {
    let mut numbers = release.split(|c: char| !c.is_ascii_digit()).map(|number| number.parse().unwrap_or(0));
    let version = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    let seen = format!("Linux {release}");
    if version >= WANTED {
        Finding::ok("kernel", seen)
    } else if version >= LEAST {
        Finding::without("kernel", seen, "older than 5.4: what it lacks is named here")
    } else {
        Finding::problem("kernel", seen, "older than 4.19: not everything works")
    }
}

/// All but the version.
pub(super) fn all() -> Vec<Finding> {
    vec![pidfd(), processes(), sock_diag(), pressure(), cgroup(), watches(), descriptors()]
}

fn pidfd() -> Finding {
    const COSTS: &str =
        "processes are followed by number: an adopted service's end is seen up to 100 ms later";
    match pidfd_open(getpid(), PidfdFlags::empty()) {
        Ok(_) => Finding::ok("pidfd", "the end of a process is told at once"),
        Err(Errno::NOSYS) => Finding::without("pidfd", "the kernel has none (5.3 has)", COSTS),
        Err(Errno::PERM) => Finding::without("pidfd", "forbidden by a container's rules", COSTS),
        Err(error) => Finding::problem("pidfd", error.to_string(), COSTS),
    }
}

/// `hidepid` shows nobody's process but one's own.
fn processes() -> Finding {
    if Path::new("/proc/1/stat").exists() {
        return Finding::ok("/proc", "shows the processes of others");
    }
    let costs =
        "mounted with hidepid: checks of processes and of who needs most see this user's alone; run as root";
    Finding::without("/proc", "hides the processes of others", costs)
}

fn sock_diag() -> Finding {
    match ports::count() {
        Ok(count) => Finding::ok("sock_diag", format!("{count} sockets listen")),
        Err(error) => Finding::without("sock_diag", error.to_string(), "a port that vanishes is not told"),
    }
}

fn pressure() -> Finding {
    const COSTS: &str =
        "time lost waiting is not watched, and a host that starves is not told from a service that hangs";
    match open::text("/proc/pressure/memory") {
        Ok(_) => Finding::ok("pressure", "PSI of CPU, memory and disk"),
        Err(error) if error.raw_os_error() == Some(libc::EOPNOTSUPP) => {
            Finding::without("pressure", "PSI is off (boot with psi=1)", COSTS)
        }
        Err(error) => Finding::without("pressure", format!("no PSI: {error}"), COSTS),
    }
}

fn cgroup() -> Finding {
    let there = |path: &str| Path::new(path).exists();
    let costs = "who took most of what a host lacks is told by process, not by unit";
    if there("/sys/fs/cgroup/cgroup.controllers") {
        Finding::ok("cgroup", "version 2")
    } else if there("/sys/fs/cgroup/systemd") || there("/sys/fs/cgroup/unified") {
        Finding::ok("cgroup", "version 1, with systemd's own tree")
    } else {
        Finding::without("cgroup", "none that systemd uses", costs)
    }
}

fn watches() -> Finding {
    let limit = |name: &str| {
        let text = open::text(format!("/proc/sys/fs/inotify/{name}")).unwrap_or_default();
        text.trim().to_owned()
    };
    let seen = format!("{} instances, {} watches", limit("max_user_instances"), limit("max_user_watches"));
    match inotify::init(inotify::CreateFlags::CLOEXEC) {
        Ok(_) => Finding::ok("inotify", seen),
        Err(error) => {
            let costs = "a changed configuration is not seen by itself (fs.inotify.max_user_instances)";
            Finding::problem("inotify", format!("{error}: {seen}"), costs)
        }
    }
}

fn descriptors() -> Finding {
    let most = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    let seen = format!("{most} open files");
    match most {
        DESCRIPTORS.. => Finding::ok("limits", seen),
        _ => Finding::problem("limits", seen, "an agent needs two per service and check: ulimit -n 1024"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Word;
    use super::*;

    #[test]
    fn a_kernel_is_judged_by_its_first_two_numbers() {
        for (release, word) in [
            ("6.18.44-fc", Word::Ok),
            ("5.4", Word::Ok),
            ("5.10.0-28-amd64", Word::Ok),
            ("5.3.18", Word::Without),
            ("4.19.0", Word::Without),
            ("4.9.1", Word::Problem),
            ("3.10.0-1160.el7", Word::Problem),
            ("", Word::Problem),
        ] {
            assert_eq!(of_version(release).word, word, "{release}");
        }
    }
}
