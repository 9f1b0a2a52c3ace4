//! Rungs of the ladder with a real process: a server that answers only as its file says, read anew on SIGHUP.

use super::host::{Host, soon};
use rustix::process::{Pid, Signal, kill_process};
use std::net::TcpListener;

/// Writes a word per reload, and serves its port only while `well` is there when it reads its files.
const SERVER: &str = r#"
import os, signal, socket, sys, time
port, folder = int(sys.argv[1]), sys.argv[2]
listener = None
def read(*_):
    global listener
    if listener: listener.close(); listener = None
    if os.path.exists(folder + "/well"):
        listener = socket.socket(); listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", port)); listener.listen(64)
    print("read", flush=True)
signal.signal(signal.SIGHUP, read)
signal.signal(signal.SIGUSR1, lambda *_: listener.close())
read()
while True: time.sleep(1)
"#;

fn host(ladder: &str) -> Host {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let host = Host::with(&format!(
        "command = [\"/usr/bin/python3\", \"{{here}}/server.py\", \"{}\", \"{{here}}\"]\nladder = [{ladder}]\n\
         start_timeout = \"2s\"\nbackoff_first = \"10ms\"\nretry_after = \"1h\"\n\
         [[service.check]]\nkind = \"tcp\"\naddress = \"{free}\"\ninterval = \"100ms\"\ntimeout = \"100ms\"\n",
        free.port()
    ));
    std::fs::write(host.path("server.py"), SERVER).unwrap();
    std::fs::write(host.path("well"), "").unwrap();
    host
}

/// Its process stops serving, but lives.
fn hangs(pid: Pid) {
    kill_process(pid, Signal::USR1).unwrap();
}

#[test]
fn a_reload_heals_without_a_restart() {
    let host = host("\"reload\", \"restart\"");
    let agent = host.start(&[]);
    let pid = agent.awaits_pid("service-started");
    assert!(agent.awaits("check-up").starts_with("it:"));
    agent.awaits("check-up");
    hangs(pid);
    assert!(agent.awaits("remedy-begun").contains("it is reloaded (attempt 1): it:tcp"));
    assert!(agent.awaits("remedy-held").contains("recovered, verified"));
    assert_eq!(host.saved(), Some(pid), "the same process");
    kill_process(pid, Signal::KILL).unwrap();
    assert!(agent.awaits("remedy-begun").contains("it is restarted"), "the dead can't read");
    agent.awaits("remedy-held");
}

#[test]
fn what_no_rung_heals_is_stopped_and_told_as_not_healed() {
    let host = host("\"reload\", \"restart\", \"isolate\"");
    let agent = host.start(&[]);
    let pid = agent.awaits_pid("service-started");
    agent.awaits("check-up");
    agent.awaits("check-up");
    std::fs::remove_file(host.path("well")).unwrap();
    hangs(pid);
    for words in ["it is reloaded", "it is restarted", "it is stopped and left to a person"] {
        let begun = agent.awaits("remedy-begun");
        assert!(begun.contains(words), "{begun}");
    }
    let open = agent.awaits("breaker-open");
    assert!(open.contains("in the same way without once being up for 1 s, so it was stopped"), "{open}");
    soon("its end", || host.saved().is_none().then_some(()));
}

/// It can only start while nobody holds the lock, and the one that needs it takes that.
const LOCKED: &str = r#"
command = ["/bin/sh", "-c", "flock -n {here}/lock true || { echo the lock is taken; exit 1; }; echo child $$; exec sleep 1000"]
ladder = ["restart", "dependents"]
backoff_first = "10ms"
[[service]]
name = "web"
command = ["/bin/sh", "-c", "until [ -e {here}/go ]; do sleep 0.02; done; exec flock {here}/lock sleep 1000"]
needs = ["it"]
hold = "200ms"
"#;

/// Purpose: what a dependent holds keeps its root down, whoever restarts that.
#[test]
fn those_that_need_it_are_stopped_and_come_back_with_it() {
    let host = Host::with(LOCKED);
    let agent = host.start(&["--stop-services", "--die-with-parent"]);
    agent.awaits("service-started");
    agent.awaits("service-started");
    let it = host.child_of_life(0);
    std::fs::write(host.path("go"), "").unwrap();
    let lock = host.path("lock");
    let is_free =
        || std::process::Command::new("flock").arg("-n").arg(&lock).arg("true").status().unwrap().success();
    soon("a lock", || (!is_free()).then_some(()));
    kill_process(it, Signal::KILL).unwrap();
    assert!(agent.awaits("remedy-begun").contains("it is restarted (attempt 1)"));
    assert!(agent.awaits("remedy-not-held").contains("exited with status 1"));
    let begun = agent.awaits("remedy-begun");
    assert!(begun.contains("it is restarted while those that need it are stopped (attempt 2)"), "{begun}");
    assert!(agent.awaits("service-stopped").contains("web"));
    assert!(agent.awaits("service-waits").contains("web waits for it"));
    assert!(agent.awaits("remedy-held").contains("it recovered, verified"));
    let begun = agent.awaits("remedy-begun");
    assert!(begun.contains("web is restarted (attempt 1): it was stopped while it was restarted"), "{begun}");
    assert!(agent.awaits("remedy-held").contains("web recovered, verified"));
    assert!(!is_free(), "it has its lock again");
    let (status, _) = agent.ends_by(Signal::TERM);
    assert_eq!(status, Some(0));
}

/// It starts only while `well` is there, which the reboot brings back.
const LAST_RESORT: &str = r#"
command = ["/bin/sh", "-c", "[ -e {here}/well ] || exit 3; exec sleep 1000"]
ladder = ["restart", "reboot"]
budget = 32
backoff_first = "10ms"
same_deaths = 100
[agent.reboot]
command = ["/bin/sh", "-c", "cat {here}/state/keep.* > {here}/kept; echo down >> {here}/reboots"]
"#;

/// Purpose: a reboot is told and written down before it is done, and none follows it within its window.
#[test]
fn a_host_is_rebooted_once_and_that_is_known_afterwards() {
    let host = Host::with(LAST_RESORT);
    std::fs::write(host.path("well"), "").unwrap();
    let agent = host.start(&[]);
    agent.awaits("service-started");
    let pid = host.saved_soon();
    std::fs::remove_file(host.path("well")).unwrap();
    kill_process(pid, Signal::KILL).unwrap();
    let begun = loop {
        let begun = agent.awaits("remedy-begun");
        if begun.contains("has its host rebooted") {
            break begun;
        }
    };
    assert!(begun.contains("it has its host rebooted (attempt 2): it exited with status 3"), "{begun}");
    let reboots = || std::fs::read_to_string(host.path("reboots")).ok().filter(|text| text.ends_with('\n'));
    assert_eq!(reboots(), None, "nobody has heard it yet");
    soon("a reboot", reboots);
    let kept = std::fs::read(host.path("kept")).unwrap();
    assert!(kept.windows(2).any(|bytes| bytes == b"it"), "for whom it is was on the disk before");
    agent.dies();
    std::fs::write(host.path("well"), "").unwrap();
    let next = host.start(&[]);
    assert!(next.awaits("remedy-held").contains("it recovered, verified"));
    let pid = host.saved_soon();
    std::fs::remove_file(host.path("well")).unwrap();
    kill_process(pid, Signal::KILL).unwrap();
    loop {
        let why = next.awaits("remedy-not-held");
        if why.contains("the host was rebooted as often as it may be") {
            break;
        }
    }
    std::fs::write(host.path("well"), "").unwrap();
    next.awaits("remedy-held");
    assert_eq!(reboots().as_deref(), Some("down\n"), "once");
}
