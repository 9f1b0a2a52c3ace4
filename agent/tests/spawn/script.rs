//! Services that other programs start and stop: a script as SysV has them, and the real runit.

use super::host::{Host, await_code, follow, runs, soon};
use rustix::process::{Pid, Signal, kill_process};
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::process::{Child, Command, Stdio};

/// What Debian's scripts do, without their lines for people; a process that nobody has reaped yet does not run. It does
/// not start while `broken` is there, and its status is bad while `sick` is.
const SCRIPT: &str = r#"#!/bin/sh
cd "$(dirname "$0")" || exit 4
case "$1" in
start)
    if [ -e broken ]; then echo "it has no disk" >&2; exit 7; fi
    "$PWD/it" status || rm -f it.pid
    echo start >> starts
    exec start-stop-daemon --start --oknodo --background --make-pidfile --pidfile "$PWD/it.pid" --startas /bin/sleep -- 1000 ;;
stop) exec start-stop-daemon --stop --oknodo --retry 5 --remove-pidfile --pidfile "$PWD/it.pid" ;;
status) [ -e sick ] && exit 3; exec grep -qs '^State:.[^Z]' "/proc/$(cat it.pid)/status" ;;
esac
"#;

const KEYS: &str = "start = [\"./it\", \"start\"]\nstop = [\"./it\", \"stop\"]\nstatus = [\"./it\", \"status\"]\n\
                    same_deaths = 2\nbackoff_first = \"10ms\"\n";

/// A host with that script; what it started ends with it.
struct Scripted(Host);

impl Scripted {
    fn with(more: &str) -> Self {
        let host = Host::with(&format!("{KEYS}{more}"));
        std::fs::write(host.path("it"), SCRIPT).unwrap();
        std::fs::set_permissions(host.path("it"), Permissions::from_mode(0o755)).unwrap();
        Self(host)
    }

    fn pid(&self) -> Option<Pid> {
        let pid = std::fs::read_to_string(self.0.path("it.pid")).ok()?;
        Pid::from_raw(pid.trim().parse().ok()?).filter(|pid| runs(*pid))
    }

    /// By hand.
    fn does(&self, what: &str) {
        assert!(Command::new(self.0.path("it")).arg(what).status().unwrap().success(), "{what}");
    }

    fn holds(&self, lasts: &str) {
        let mut hold = Command::new(env!("CARGO_BIN_EXE_picket-agent"));
        hold.args(["hold", lasts, "--service", "it", "--state"]).arg(self.0.path("state"));
        assert!(hold.stdout(Stdio::null()).status().unwrap().success(), "{lasts}");
    }

    fn starts(&self) -> usize {
        std::fs::read_to_string(self.0.path("starts")).unwrap_or_default().lines().count()
    }
}

impl Drop for Scripted {
    fn drop(&mut self) {
        if let Some(pid) = self.pid() {
            let _ended_already = kill_process(pid, Signal::KILL);
        }
    }
}

#[test]
fn a_script_starts_it_and_its_pidfile_tells_its_death_at_once() {
    let host = Scripted::with("pidfile = \"it.pid\"");
    let agent = host.0.start(&[]);
    agent.awaits("service-started");
    agent.awaits("check-up");
    for _ in 0..2 {
        let last = soon("its process", || host.pid());
        kill_process(last, Signal::KILL).unwrap();
        agent.awaits("service-died");
        let held = agent.awaits("remedy-held");
        assert!(held.contains("recovered, verified"), "{held}");
        assert_ne!(host.pid().unwrap(), last);
    }
    assert_eq!(host.starts(), 3, "one start per death");
    let before = host.pid().unwrap();
    agent.dies();
    let next = host.0.start(&[]);
    next.awaits("service-adopted");
    assert_eq!((host.pid(), host.starts()), (Some(before), 3), "found running, and left so");
}

/// What a person stops and starts behind a hold is the service from then on: its death is seen, and it can be stopped.
#[test]
fn what_somebody_else_has_started_is_watched_and_healed_like_any_other() {
    for pidfile in ["pidfile = \"it.pid\"", ""] {
        let host = Scripted::with(pidfile);
        let agent = host.0.start(&[]);
        agent.awaits("service-started");
        agent.awaits("check-up");
        host.holds("10m");
        agent.awaits("hold-begun");
        host.does("stop");
        agent.awaits("remedy-rests");
        host.does("start");
        agent.awaits("check-up");
        if !pidfile.is_empty() {
            let by_hand = agent.awaits_pid("service-adopted");
            assert_eq!(Some(by_hand), host.pid());
        }
        host.holds("off");
        agent.awaits("hold-lifted");
        let by_hand = host.pid().unwrap();
        std::fs::write(host.0.path("sick"), "").unwrap();
        // It lives, so it must be stopped first.
        agent.awaits("remedy-begun");
        std::fs::remove_file(host.0.path("sick")).unwrap();
        agent.awaits("remedy-held");
        assert!(host.pid().is_some_and(|pid| pid != by_hand), "{pidfile}");
    }
}

#[test]
fn a_start_that_fails_says_what_it_printed_and_does_not_loop() {
    let host = Scripted::with("pidfile = \"it.pid\"");
    std::fs::write(host.0.path("broken"), "").unwrap();
    let agent = host.0.start(&[]);
    assert!(agent.awaits("service-died").contains("exited with status 7"));
    assert!(agent.awaits("evidence").contains("it has no disk"));
    assert!(agent.awaits("breaker-open").contains("it failed 2 times in the same way"));
}

#[test]
fn without_a_pidfile_its_status_tells_its_death() {
    let host = Scripted::with("");
    let agent = host.0.start(&[]);
    agent.awaits("service-started");
    agent.awaits("check-up");
    let last = soon("its process", || host.pid());
    kill_process(last, Signal::KILL).unwrap();
    assert!(agent.awaits("remedy-begun").contains("it:process: no process"));
    agent.awaits("remedy-held");
    assert_ne!(host.pid().unwrap(), last);
}

/// A supervisor that ends with its service.
struct Runsv(Child, std::path::PathBuf);

impl Drop for Runsv {
    fn drop(&mut self) {
        let _down = Command::new("sv").arg("force-shutdown").arg(&self.1).stdout(Stdio::null()).status();
        let _it_has_ended = self.0.kill();
        let _it_is_gone = self.0.wait();
    }
}

#[test]
fn runit_is_asked_and_told() {
    if Command::new("sv").stderr(Stdio::null()).status().is_err() {
        println!("skipped: runit is not installed");
        return;
    }
    let host = Host::with("init = \"runit\"");
    let own = host.path("sv/it");
    std::fs::create_dir_all(&own).unwrap();
    std::fs::write(own.join("run"), "#!/bin/sh\nexec sleep 1000\n").unwrap();
    std::fs::set_permissions(own.join("run"), Permissions::from_mode(0o755)).unwrap();
    let _runsv = Runsv(Command::new("runsv").arg(&own).spawn().unwrap(), own.clone());
    let stat = || std::fs::read_to_string(own.join("supervise/stat")).ok();
    soon("runit's service", || stat().filter(|stat| stat == "run\n"));
    let mut child = host.command(&[]).env("SVDIR", host.path("sv")).stdout(Stdio::piped()).spawn().unwrap();
    let told = follow(child.stdout.take().unwrap());
    await_code(&told, "service-adopted");
    let down = Command::new("sv").arg("down").arg(&own).status().unwrap();
    assert!(down.success());
    assert!(await_code(&told, "remedy-begun").contains("it:process: no process"));
    await_code(&told, "remedy-held");
    assert_eq!(stat().as_deref(), Some("run\n"));
    child.kill().unwrap();
    child.wait().unwrap();
}
