//! What the agent leaves behind when it cannot end its services itself.
//!
//! Services have process groups of their own and outlive an agent by design; under `up` nothing may stay. So this
//! process asks the kernel to become the parent of orphans below it, buries those that end, and kills those that are
//! left once the agent is gone.

use crate::failure::Failure;
use rustix::process::{Pid, Signal, WaitOptions, getpid, kill_process, set_child_subreaper, waitpid};
use std::fs;
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::{Duration, timeout};

/// How long killed orphans may take to be gone: the kernel's own work.
const PATIENCE: Duration = Duration::from_secs(2);

/// Orphans below this process become its children.
pub(crate) fn come_to_us() -> Result<(), Failure> {
    set_child_subreaper(Some(getpid()))
        .map_err(|error| Failure::failed(format!("cannot take care of orphans: {error}"), ""))
}

/// Buries those that have ended; `ours` are children that others wait for.
pub(crate) fn bury(ours: &[u32]) {
    for (pid, state) in children(ours) {
        if state == 'Z' {
            let _gone_or_not_ours = waitpid(Some(pid), WaitOptions::NOHANG);
        }
    }
}

/// Kills those that are left, and theirs, until none is.
pub(crate) async fn kill(ours: &[u32]) {
    let Ok(mut ended) = signal(SignalKind::child()) else { return };
    let all_gone = async {
        loop {
            let left = children(ours);
            if left.is_empty() {
                break;
            }
            for (pid, _) in left {
                let _gone = kill_process(pid, Signal::KILL);
                let _not_yet = waitpid(Some(pid), WaitOptions::NOHANG);
            }
            if !children(ours).is_empty() {
                ended.recv().await;
            }
        }
    };
    let _some_are_stuck_in_the_kernel = timeout(PATIENCE, all_gone).await;
}

/// This process' children other than `ours`, with the letter of their state.
fn children(ours: &[u32]) -> Vec<(Pid, char)> {
    let me = getpid().as_raw_nonzero().get();
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse::<i32>().ok()) else {
            continue;
        };
        let Ok(stat) = fs::read_to_string(entry.path().join("stat")) else { continue };
        // The name in parentheses may hold anything, so the fields count from its end: state, then parent.
        let Some((_, fields)) = stat.rsplit_once(") ") else { continue };
        let mut fields = fields.split(' ');
        let (state, parent) = (fields.next(), fields.next().and_then(|parent| parent.parse::<i32>().ok()));
        let known = u32::try_from(pid).is_ok_and(|pid| ours.contains(&pid));
        if let (Some(state), Some(pid), false) =
            (state.and_then(|text| text.chars().next()), Pid::from_raw(pid), known)
            && parent == Some(me)
        {
            found.push((pid, state));
        }
    }
    found
}
