//! Kills what a service left behind and waits until it is really gone: ports are free again only then.
//!
//! A member of the group is gone when its pidfd says so, also as a zombie that its new parent has not reaped (it
//! holds no port any more, but keeps the group's number alive, so asking the group itself is not enough). At most 2 s
//! in all, counted from the first signal: a process in uninterruptible sleep must not keep a service down for ever.

use crate::follow::Followed;
use crate::probe::process::{self, Stat, stat};
use rustix::process::{Pid, Signal};
use std::path::{Path, PathBuf};
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(2);

impl super::Services {
    /// At the end, once all services were stopped: kills what escaped from their groups, within 2 s.
    pub(crate) async fn clear_escaped(&self) {
        let logs: Vec<_> = self.items.iter().map(|item| item.log.path()).collect();
        if !clear_writers(&logs).await {
            tracing::warn!("what had left its service's process group did not end within 2 s of SIGKILL");
        }
    }
}

/// Kills the group until nobody in it lives; whether that came in time.
pub(super) async fn clear(group: Pid, service: &str) -> bool {
    let cleared = async {
        let mut told = false;
        while rustix::process::kill_process_group(group, Signal::KILL).is_ok() {
            let members = find(|_, stat| stat.group == group.as_raw_nonzero().get());
            if members.is_empty() {
                return;
            }
            if !std::mem::replace(&mut told, true) {
                tracing::info!(service, processes = members.len(), "what the service left behind was killed");
            }
            ended(members).await;
        }
    };
    tokio::time::timeout(LIMIT, cleared).await.is_ok()
}

/// Kills what left its service's group (by setsid) but still writes to one of these logs; whether that came in time.
pub(super) async fn clear_writers(logs: &[PathBuf]) -> bool {
    let escaped = find(|pid, _| logs.iter().any(|log| writes_to(pid, log)));
    if !escaped.is_empty() {
        tracing::info!(processes = escaped.len(), "what had left its service's process group was killed");
    }
    clear_these(escaped).await
}

/// Kills these processes and waits for their end; whether that came in time.
pub(super) async fn clear_these(processes: Vec<Followed>) -> bool {
    for process in &processes {
        // One that has ended meanwhile needs no signal; one that may not be signalled shows in the time limit.
        let _ended_or_forbidden = process.signal(Signal::KILL);
    }
    tokio::time::timeout(LIMIT, ended(processes)).await.is_ok()
}

async fn ended(processes: Vec<Followed>) {
    for process in processes {
        // What can't be polled can't be waited for; the next look at the group finds it if it lives.
        if let Ok(process) = crate::sys::readable(process) {
            let _readable_is_ended = process.readable().await;
        }
    }
}

/// Every living process that `wanted` picks. The pidfd is opened first and the process looked at again, so that a
/// number that was used anew in between is not taken.
pub(super) fn find(wanted: impl Fn(Pid, &Stat) -> bool) -> Vec<Followed> {
    let picks = |pid: Pid| stat(pid).filter(|stat| !stat.is_dead() && wanted(pid, stat));
    let found = process::all().filter_map(|pid| {
        let seen = picks(pid)?;
        let pidfd = Followed::open(pid).ok()?;
        picks(pid).filter(|again| again.started == seen.started).map(|_| pidfd)
    });
    found.collect()
}

/// Whether a process writes its output or its errors to `log`, or to the generation before.
pub(super) fn writes_to(pid: Pid, log: &Path) -> bool {
    let mut kept = log.as_os_str().to_owned();
    kept.push(".1");
    [1, 2].iter().any(|fd| {
        std::fs::read_link(format!("/proc/{pid}/fd/{fd}"))
            .is_ok_and(|file| file == log || file.as_os_str() == kept)
    })
}
