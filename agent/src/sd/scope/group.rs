//! The control group of the agent's own unit: which it is, and what is in it.

use super::{number, stat};
use crate::probe::process::{Stat, group_of};
use rustix::process::Pid;
use std::path::PathBuf;

/// Processes of the group that are looked at, each by one small file: whoever starts more keeps the rest there.
const MEMBERS_MAX: usize = 4096;
/// How many are looked at before others have their turn: well below a millisecond.
const TURN: usize = 32;
/// How far up parents are followed.
const PARENTS_MAX: usize = 32;

/// The agent's unit, by its control group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Own {
    /// As `/proc/PID/cgroup` has it, for all that is in it.
    line: String,
    pub(super) unit: String,
    pub(super) slice: Option<String>,
}

impl Own {
    /// From `/proc/self/cgroup`: the group in systemd's own tree of version 1 or in that of version 2, if it is a service's.
    pub(super) fn of(text: &str) -> Option<Self> {
        text.lines().find_map(|line| {
            let (_, path) = group_of(line)?;
            let mut parts = path.rsplit('/');
            let unit =
                parts.next().filter(|unit| unit.len() > ".service".len() && unit.ends_with(".service"))?;
            let slice = parts.next().filter(|slice| slice.ends_with(".slice")).map(str::to_owned);
            Some(Self { line: line.to_owned(), unit: unit.to_owned(), slice })
        })
    }

    /// Whether a living process is in it.
    pub(super) fn holds(&self, pid: Pid) -> bool {
        let groups = std::fs::read_to_string(format!("/proc/{pid}/cgroup")).unwrap_or_default();
        groups.lines().any(|line| line == self.line) && stat(pid).is_some_and(|stat| !stat.is_dead())
    }

    /// What of it descends from this process.
    pub(super) async fn left_of(&self, leader: Pid) -> Vec<u32> {
        let files = self.files().into_iter();
        let text = files.filter_map(|file| std::fs::read_to_string(file).ok()).next().unwrap_or_default();
        let mut left = Vec::new();
        for (nth, line) in text.lines().take(MEMBERS_MAX).enumerate() {
            if nth % TURN == TURN - 1 {
                tokio::task::yield_now().await;
            }
            let member = line.parse().ok().and_then(Pid::from_raw);
            left.extend(member.filter(|pid| *pid != leader && descends(*pid, leader, stat)).map(number));
        }
        left
    }

    /// Where its processes stand: the tree of version 2 is at one of two places.
    fn files(&self) -> Vec<PathBuf> {
        let Some((tree, path)) = group_of(&self.line) else { return Vec::new() };
        let places: &[&str] = if tree.is_empty() { &["", "/unified"] } else { &["/systemd"] };
        let file = |place: &&str| PathBuf::from(format!("/sys/fs/cgroup{place}{path}/cgroup.procs"));
        places.iter().map(file).collect()
    }
}

/// Whether it, or a parent that still lives, is of the session or the process group of `leader`, or a child of it.
fn descends(pid: Pid, leader: Pid, stat: impl Fn(Pid) -> Option<Stat>) -> bool {
    let leader = leader.as_raw_nonzero().get();
    let parents = std::iter::successors(stat(pid), |of| {
        Pid::from_raw(of.parent).filter(|parent| !parent.is_init()).and_then(&stat)
    });
    parents.take(PARENTS_MAX).any(|of| [of.group, of.session, of.parent].contains(&leader))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pid(number: i32) -> Pid {
        Pid::from_raw(number).unwrap()
    }

    #[test]
    fn the_unit_is_the_services_own_in_systemds_tree() {
        let unit = |text: &str| Own::of(text).map(|own| (own.unit, own.slice));
        let agent = |slice: &str| Some(("picket-agent.service".to_owned(), Some(slice.to_owned())));
        let pure = "0::/system.slice/picket-agent.service\n";
        let old = "4:memory:/system.slice/other.service\n1:name=systemd:/system.slice/picket-agent.service\n";
        let hybrid = "9:pids:/\n1:name=systemd:/system.slice/picket-agent.service\n0::/system.slice/picket-agent.service\n";
        for text in [pure, old, hybrid] {
            assert_eq!(unit(text), agent("system.slice"), "{text}");
        }
        assert_eq!(
            unit("0::/user.slice/user-7.slice/user@7.service/app.slice/picket-agent.service\n"),
            agent("app.slice"),
            "under a user's systemd it is that one's unit"
        );
        assert_eq!(unit("0::/picket-agent.service\n").map(|(_, slice)| slice), Some(None));
        for other in [
            "",
            "0::/\n",
            "0::/user.slice/user-7.slice/session-3.scope\n",
            "0::/system.slice/docker-0123.scope\n",
            "0::/system.slice/picket-agent.service/payload\n",
            "4:memory:/system.slice/picket-agent.service\n",
            "0::/system.slice/.service\n",
        ] {
            assert_eq!(unit(other), None, "{other}");
        }
    }

    #[test]
    fn the_list_of_its_processes_is_where_its_tree_is() {
        let files = |text: &str| Own::of(text).unwrap().files();
        let file =
            |place: &str| PathBuf::from(format!("/sys/fs/cgroup{place}/a.slice/a.service/cgroup.procs"));
        assert_eq!(files("0::/a.slice/a.service"), [file(""), file("/unified")]);
        assert_eq!(files("1:name=systemd:/a.slice/a.service"), [file("/systemd")]);
    }

    #[test]
    fn what_descends_is_of_its_group_its_session_or_its_line() {
        // A number, its parent, its group, its session: 10 is the agent, 20 the service, 30 another one.
        let all = [
            (10, 1, 10, 10),
            (20, 10, 20, 10),
            (21, 20, 20, 10),
            (22, 21, 22, 22),
            (23, 1, 20, 10),
            (24, 1, 24, 24),
            (25, 22, 25, 22),
            (26, 23, 26, 26),
            (30, 10, 30, 10),
            (31, 30, 30, 10),
        ];
        let stat = |pid: Pid| {
            let number = pid.as_raw_nonzero().get();
            let (_, parent, group, session) = *all.iter().find(|one| one.0 == number)?;
            Some(Stat { parent, group, session, ..Stat::default() })
        };
        let found: Vec<_> =
            all.iter().filter(|one| descends(pid(one.0), pid(20), stat)).map(|one| one.0).collect();
        assert_eq!(found, [20, 21, 22, 23, 25, 26], "24 is a daemon that left all of that");
        let endless = |_| Some(Stat { parent: 7, ..Stat::default() });
        assert!(!descends(pid(7), pid(20), endless), "one that is its own parent ends the walk too");
    }
}
