//! Services that the agent starts itself, where the agent is a unit: each gets a scope of its own, and keeps it.
//!
//! Ground truth is `/proc/PID/cgroup` of the processes, and what the first one wrote about itself.

use super::host::program;
use picket_tests::rig::clock::Since;
use picket_tests::rig::files;
use picket_tests::rig::private_systemd::{self, Systemd, look_again};
use picket_tests::rig::process::PATIENCE;
use rustix::process::{Pid, Signal, kill_process};
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use tempfile::TempDir;

const AGENT: &str = "picket-agent.service";
/// All that a name may have beside letters.
const NAME: &str = "a.b_c-1";

/// What the service runs: it writes when it began, and starts children at once.
const SERVICE: &str = r#"#!/bin/sh
cd "$(dirname "$0")" || exit 1
date +%s%N > begun
sleep 1000000 &
echo $! > child
sh -c 'sleep 1000000 & echo $! > grandchild; wait' &
exec sleep 1000000
"#;

/// A private systemd with the agent as a unit of it.
struct Ground {
    systemd: Systemd,
    folder: TempDir,
}

impl Ground {
    fn begin(test: &str, more: &str) -> Option<Self> {
        // A socket's path has 108 bytes at most.
        let folder = TempDir::new_in("/tmp").unwrap();
        let systemd = private_systemd::start_or_say(test, folder.path())?;
        let ground = Self { systemd, folder };
        let (path, zeros) = (|name: &str| ground.path(name).display().to_string(), "0".repeat(64));
        fs::write(ground.path("service"), SERVICE).unwrap();
        let config = format!(
            "[agent]\nhost = \"rig\"\nstate = \"{}\"\nbus = \"{}\"\n[collector]\naddress = \"127.0.0.1:1\"\n\
             token = \"pkt1.{zeros}.{zeros}\"\n[host]\nenabled = false\n[[service]]\nname = \"{NAME}\"\n\
             command = [\"/bin/sh\", \"{}\"]\n{more}",
            path("state"),
            ground.systemd.address(),
            path("service"),
        );
        files::write_secret(&ground.path("picket.toml"), &config);
        let unit = format!(
            "[Service]\nType=notify\nKillMode=process\nOOMPolicy=continue\nExecStart={} __agent run --config {} --log-format json\n\
             StandardOutput=append:{}\nStandardError=append:{2}\n",
            program().to_str().unwrap(),
            path("picket.toml"),
            path("said"),
        );
        ground.systemd.unit(AGENT, &unit);
        ground.systemd.ctl(&["start", AGENT]);
        Some(ground)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_default()
    }

    /// Looks until it is there.
    fn wait<T>(&self, what: &str, mut look: impl FnMut() -> Option<T>) -> T {
        let since = Since::now();
        loop {
            if let Some(found) = look() {
                return found;
            }
            assert!(!since.left(PATIENCE).is_zero(), "{what}: {}", self.read("said"));
            look_again();
        }
    }

    fn number(&self, name: &str) -> i32 {
        self.wait(name, || self.read(name).trim().parse().ok())
    }

    /// The service's process, other than this one.
    fn other_than(&self, before: i32) -> i32 {
        let file = format!("state/services/{NAME}.process");
        self.wait("the service runs", || {
            let pid = self.read(&file).split_whitespace().nth(1)?.parse().ok()?;
            (pid != before).then_some(pid)
        })
    }

    fn wait_in_scope(&self, pid: i32) -> String {
        let scope = format!("picket-{NAME}-{pid}.scope");
        self.wait("it is in its scope", || group(pid).ends_with(&format!("/{scope}")).then_some(()));
        scope
    }

    fn scopes(&self) -> Vec<String> {
        let listed = self.systemd.ctl(&["list-units", "--all", "--plain", "--no-legend", "picket-*.scope"]);
        listed.lines().filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect()
    }

    fn wait_scopes(&self, wanted: &[&str]) {
        self.wait("no other scope is there", || (self.scopes() == wanted).then_some(()));
    }
}

/// Its group in the tree that systemd has its units in.
fn group(pid: i32) -> String {
    let groups = fs::read_to_string(format!("/proc/{pid}/cgroup")).unwrap_or_default();
    let own = groups.lines().find_map(|line| {
        let path = line.split_once(":name=systemd:").or_else(|| line.split_once("0::"))?.1;
        path.contains("picket-test").then(|| path.to_owned())
    });
    own.unwrap_or_default()
}

/// When it was started, in ticks.
fn started(pid: i32) -> String {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    stat.rsplit_once(')').unwrap().1.split_whitespace().nth(19).unwrap().to_owned()
}

fn kill(pid: i32) {
    kill_process(Pid::from_raw(pid).unwrap(), Signal::KILL).unwrap();
}

/// Purpose: a service is hit by nothing that is meant for the agent, from its first milliseconds to its next life.
#[test]
fn a_service_has_its_own_scope_through_all_that_happens_to_the_agent() {
    let test = "a_service_has_its_own_scope_through_all_that_happens_to_the_agent";
    let Some(ground) = Ground::begin(test, "") else { return };
    let pid = ground.other_than(0);
    let scope = ground.wait_in_scope(pid);
    println!("{{\"figure\":\"scope_micros\",\"value\":{}}}", ground.took(&scope));
    for child in ["child", "grandchild"] {
        assert_eq!(ground.wait_in_scope_of(&scope, ground.number(child)), group(pid), "{child}");
    }
    is_as_wanted(&ground.systemd, &scope);

    let (before, agent) = (started(pid), ground.systemd.property(AGENT, "MainPID"));
    ground.systemd.ctl(&["restart", AGENT]);
    ground.systemd.ctl(&["kill", "--signal=KILL", AGENT]);
    ground.wait("the agent is dead", || {
        (ground.systemd.property(AGENT, "ActiveState") == "failed").then_some(())
    });
    ground.systemd.ctl(&["start", AGENT]);
    assert_ne!(ground.systemd.property(AGENT, "MainPID"), agent);
    let adopted = || ground.read("said").matches("\"service-adopted\"").count();
    ground.wait("it is adopted, twice", || (adopted() == 2).then_some(()));
    assert_eq!((started(pid), ground.scopes()), (before, vec![scope.clone()]), "it was left alone");

    let drop_in = ground.systemd.folder().join(format!("units/picket-{NAME}-.scope.d"));
    fs::create_dir(&drop_in).unwrap();
    fs::write(drop_in.join("limit.conf"), "[Scope]\nTasksMax=77\n").unwrap();
    ground.systemd.ctl(&["daemon-reload"]);
    kill(pid);
    let next = ground.other_than(pid);
    let new = ground.wait_in_scope(next);
    ground.wait_scopes(&[&new]);
    assert_eq!(ground.systemd.property(&new, "TasksMax"), "77", "an operator's drop-in is for every life");
    assert!(!ground.read("said").contains("no scope of its own"), "{}", ground.read("said"));
}

/// What shutdown goes by, and what the operator's limits do.
fn is_as_wanted(systemd: &Systemd, scope: &str) {
    let words = |name: &str| systemd.property(scope, name).split(' ').map(str::to_owned).collect::<Vec<_>>();
    assert!(words("Before").contains(&AGENT.to_owned()), "the agent is stopped first: {:?}", words("Before"));
    assert!(words("After").contains(&"network.target".to_owned()), "{:?}", words("After"));
    assert_eq!(systemd.property(scope, "Slice"), systemd.property(AGENT, "Slice"));
    assert_eq!(systemd.property(scope, "DelegateControllers"), "", "no controller is turned on for it");
    // Where a scope has none, since systemd is old, none of it is stopped either.
    assert!(["continue", ""].contains(&systemd.property(scope, "OOMPolicy").as_str()));
    systemd.ctl(&["set-property", "--runtime", scope, "TasksMax=50"]);
    assert_eq!(systemd.property(scope, "TasksMax"), "50");
}

impl Ground {
    /// How many microseconds after its begin the service was in its scope, as systemd has it.
    fn took(&self, scope: &str) -> i64 {
        let entered = ["show", scope, "--timestamp=us+utc", "--value", "-p", "ActiveEnterTimestamp"];
        let entered = self.systemd.ctl(&entered);
        let date = Command::new("date").args(["-d", entered.trim(), "+%s%N"]).output().unwrap();
        let nanos = |text: &str| text.trim().parse::<i64>().unwrap();
        (nanos(&String::from_utf8_lossy(&date.stdout)) - nanos(&self.read("begun"))) / 1000
    }

    /// The group of a process once it is in this scope.
    fn wait_in_scope_of(&self, scope: &str, pid: i32) -> String {
        self.wait("what it started is in its scope", || {
            Some(group(pid)).filter(|group| group.ends_with(scope))
        })
    }

    /// Puts all of a service back to where an older agent leaves it.
    fn put_back(&self, pids: &[i32]) {
        let agent = self.systemd.property(AGENT, "MainPID");
        let groups = fs::read_to_string(format!("/proc/{agent}/cgroup")).unwrap();
        for line in groups.lines().filter(|line| line.ends_with(AGENT)) {
            let (tree, path) = line.split_once(':').unwrap().1.split_once(':').unwrap();
            let places: &[&str] = if tree.is_empty() { &["", "/unified"] } else { &["/systemd"] };
            let files = places.iter().map(|place| format!("/sys/fs/cgroup{place}{path}/cgroup.procs"));
            let file = files.into_iter().find(|file| fs::exists(file).unwrap()).unwrap();
            pids.iter().for_each(|pid| fs::write(&file, pid.to_string()).unwrap());
        }
        for pid in pids {
            assert!(group(*pid).ends_with(AGENT), "{}", group(*pid));
        }
    }
}

/// Purpose: an upgrade from an agent that left its services in its own group moves them, with all their children.
#[test]
fn what_an_older_agent_left_in_its_group_is_moved_when_it_is_adopted() {
    let test = "what_an_older_agent_left_in_its_group_is_moved_when_it_is_adopted";
    let Some(ground) = Ground::begin(test, "") else { return };
    let pid = ground.other_than(0);
    ground.wait_in_scope(pid);
    let children = ["child", "grandchild"].map(|name| ground.number(name));
    let before = started(pid);
    let all: Vec<i32> = [pid].into_iter().chain(children).chain(parent_of(children[1])).collect();
    ground.put_back(&all);
    ground.wait_scopes(&[]);
    ground.systemd.ctl(&["restart", AGENT]);
    let scope = ground.wait_in_scope(pid);
    for other in all {
        ground.wait_in_scope_of(&scope, other);
    }
    assert_eq!(started(pid), before, "it was not restarted");
    ground.wait_scopes(&[&scope]);
}

fn parent_of(pid: i32) -> Option<i32> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()
}

/// Purpose: a bus that is away delays no start, and what was started meanwhile is moved once it is back.
#[test]
fn what_was_started_while_the_bus_was_away_is_moved_when_it_is_back() {
    let test = "what_was_started_while_the_bus_was_away_is_moved_when_it_is_back";
    let unit = "[[service]]\nname = \"unit\"\nunit = \"web.service\"\n";
    let Some(ground) = Ground::begin(test, unit) else { return };
    let pid = ground.other_than(0);
    ground.wait_in_scope(pid);
    ground.systemd.ctl(&["stop", "dbus.socket", "dbus.service"]);
    kill(pid);
    let next = ground.other_than(pid);
    assert!(group(next).ends_with(AGENT), "{}", group(next));
    ground.systemd.ctl(&["start", "dbus.socket"]);
    let scope = ground.wait_in_scope(next);
    ground.wait_scopes(&[&scope]);
}
