//! The spawn driver with real processes: the agent's binary, killed and started as on a bad day.
//!
//! The collector's address refuses (nothing listens on port 1 of loopback), so only what the agent does by itself is
//! seen here. Tests read the agent's own lines of log and wait for nothing else; 20 s without the awaited line fail.

#![expect(clippy::unwrap_used, reason = "helpers of tests, where a panic is the report")]

mod host;
mod ladder;
mod reload;
mod script;

use host::{Agent, Host, await_code, follow, runs, soon, writers_of};
use rustix::process::{Signal, kill_process};
use std::io::Write;
use std::process::{Command, Stdio};

const SLEEPS: &str = r#"command = ["/bin/sleep", "1000"]"#;
/// A service whose child stays behind when it is killed; it passes its check only once both run.
const WITH_CHILD: &str = r#"command = ["/bin/sh", "-c", "sleep 1000 & echo child $!; wait"]"#;

/// A service whose child leaves its process group before it says so.
const WITH_ESCAPED: &str =
    r#"command = ["/bin/sh", "-c", "setsid sh -c 'echo child $$; exec sleep 1000' & wait"]"#;

#[test]
fn a_killed_service_comes_back_and_that_is_proved() {
    let host = Host::with(SLEEPS);
    let agent = host.start(&[]);
    let mut last = agent.awaits_pid("service-started");
    for _ in 0..3 {
        kill_process(last, Signal::KILL).unwrap();
        assert!(agent.awaits("service-died").contains("was killed by SIGKILL"));
        let next = agent.awaits_pid("service-started");
        assert_ne!(next, last);
        assert!(agent.awaits("remedy-held").contains("recovered, verified"));
        last = next;
    }
    assert!(runs(last));
}

#[test]
fn what_a_killed_service_leaves_behind_is_gone_before_it_starts_again() {
    let host = Host::with(WITH_CHILD);
    let agent = host.start(&[]);
    let leader = agent.awaits_pid("service-started");
    let child = host.child_of_life(0);
    assert!(runs(child));
    kill_process(leader, Signal::KILL).unwrap();
    agent.awaits("service-died");
    agent.awaits("service-started");
    assert!(!runs(child), "the child of the killed leader would hold its port");
    // By now the new life stands in its file, by which the host ends it.
    agent.awaits("remedy-held");
}

#[test]
fn services_outlive_a_killed_agent_and_are_adopted_by_the_next() {
    let host = Host::with(SLEEPS);
    let first = host.start(&[]);
    let pid = first.awaits_pid("service-started");
    kill_process(pid, Signal::KILL).unwrap();
    first.awaits("remedy-held");
    let pid = host.saved().unwrap();
    first.dies();
    assert!(runs(pid));
    let second = host.start(&[]);
    assert_eq!(second.awaits_pid("service-adopted"), pid);
    kill_process(pid, Signal::KILL).unwrap();
    let died = second.awaits("service-died");
    assert!(died.contains("SIGKILL") || died.contains("how is not known"), "{died}");
    assert_ne!(second.awaits_pid("service-started"), pid);
    second.awaits("remedy-held");
}

#[test]
fn a_service_that_died_after_its_agent_is_told_by_the_next_and_healed() {
    let host = Host::with(WITH_CHILD);
    let first = host.start(&[]);
    first.awaits("service-started");
    let child = host.child_of_life(0);
    let pid = host.saved_soon();
    first.dies();
    kill_process(pid, Signal::KILL).unwrap();
    let second = host.start(&[]);
    let died = second.awaits("service-died");
    assert!(died.contains(&format!("pid {pid}")) && died.contains("how is not known"), "{died}");
    second.awaits("remedy-begun");
    assert_ne!(second.awaits_pid("service-started"), pid);
    assert!(!runs(child), "what it left behind would hold its port");
    assert!(second.awaits("remedy-held").contains("recovered, verified"));
}

#[test]
fn a_service_that_its_agent_stopped_has_not_died() {
    let host = Host::with(SLEEPS);
    let first = host.start(&["--stop-services"]);
    first.awaits("service-started");
    host.saved_soon();
    let (status, _) = first.ends_by(Signal::TERM);
    assert_eq!((status, host.saved()), (Some(0), None));
    let second = host.start(&["--stop-services"]);
    second.awaits("service-started");
    let (_, codes) = second.ends_by(Signal::TERM);
    assert!(!codes.iter().any(|code| code == "service-died" || code == "remedy-begun"), "{codes:?}");
}

#[test]
fn a_process_that_no_file_names_is_cleared_and_nothing_is_started_beside_it() {
    let host = Host::with(WITH_CHILD);
    let first = host.start(&[]);
    let stray = first.awaits_pid("service-started");
    let child = host.child_of_life(0);
    first.dies();
    // As if the agent had been killed between the spawn and the write of the file.
    let _not_written_yet = std::fs::remove_file(host.path("state/services/it.process"));
    let second = host.start(&[]);
    second.awaits("service-started");
    assert!(!runs(stray) && !runs(child));
    host.child_of_life(1);
    let log = std::fs::canonicalize(host.path("state/services/it.log")).unwrap();
    assert_eq!(writers_of(&log), 2, "one shell and its child");
}

#[test]
fn a_planned_end_leaves_services_or_stops_them_as_asked() {
    let host = Host::with(SLEEPS);
    let leaves = host.start(&[]);
    let pid = leaves.awaits_pid("service-started");
    let (status, codes) = leaves.ends_by(Signal::TERM);
    assert_eq!(status, Some(0), "{codes:?}");
    assert!(runs(pid));
    let stops = host.start(&["--stop-services"]);
    assert_eq!(stops.awaits_pid("service-adopted"), pid);
    let (status, codes) = stops.ends_by(Signal::INT);
    assert_eq!(status, Some(0), "{codes:?}");
    assert!(codes.iter().any(|code| code == "service-stopped"), "{codes:?}");
    assert!(!runs(pid));
}

#[test]
fn stopping_services_ends_what_left_their_process_groups_too() {
    let host = Host::with(WITH_ESCAPED);
    let agent = host.start(&["--stop-services"]);
    agent.awaits("service-started");
    let child = host.child_of_life(0);
    assert!(runs(child));
    let (status, codes) = agent.ends_by(Signal::TERM);
    assert_eq!(status, Some(0), "{codes:?}");
    assert!(!runs(child), "it would keep its port");
}

#[test]
fn the_agent_may_open_more_files_than_its_services() {
    let host = Host::with(r#"command = ["/bin/sh", "-c", "echo child $(ulimit -Sn); exec sleep 1000"]"#);
    let agent = host.command(&["--stop-services"]);
    let mut limited = Command::new("/bin/sh");
    limited.arg("-c").arg("ulimit -Sn 300; ulimit -Hn 400; exec \"$@\"").arg("sh");
    let mut child =
        limited.arg(agent.get_program()).args(agent.get_args()).stdout(Stdio::piped()).spawn().unwrap();
    let told = follow(child.stdout.take().unwrap());
    let agent = Agent { child, told };
    agent.awaits("service-started");
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", agent.child.id())).unwrap();
    let own = limits.lines().find(|line| line.starts_with("Max open files")).unwrap();
    assert_eq!(own.split_ascii_whitespace().skip(3).take(2).collect::<Vec<_>>(), ["400", "400"]);
    assert_eq!(host.child_of_life(0).as_raw_nonzero().get(), 300, "the soft limit that the agent was given");
}

#[test]
fn an_agent_tied_to_its_parent_takes_its_services_along() {
    let host = Host::with(SLEEPS);
    // The shell is the parent: it starts the agent in the background and waits to be killed.
    let agent = host.command(&["--stop-services", "--die-with-parent"]);
    let mut parent = Command::new("/bin/sh");
    parent.arg("-c").arg("\"$@\" & wait").arg("sh").arg(agent.get_program()).args(agent.get_args());
    let mut parent = parent.stdout(Stdio::piped()).spawn().unwrap();
    let told = follow(parent.stdout.take().unwrap());
    await_code(&told, "service-started");
    parent.kill().unwrap();
    parent.wait().unwrap();
    await_code(&told, "service-stopped");
}

#[test]
fn a_service_that_dies_at_once_rests_and_its_last_word_is_told() {
    let host = Host::with(
        "command = [\"/bin/sh\", \"-c\", \"echo first; echo no such directive 17; echo; exit 3\"]\nbackoff_first = \"10ms\"\n",
    );
    let agent = host.start(&[]);
    assert!(agent.awaits("service-died").contains("exited with status 3"));
    assert!(agent.awaits("evidence").ends_with("last printed: no such directive 17"));
    let open = agent.awaits("breaker-open");
    assert!(open.contains("in the same way"), "{open}");
}

#[test]
fn a_program_that_is_not_there_is_told_as_such() {
    let host = Host::with("command = [\"/no/such/program\"]\nbackoff_first = \"10ms\"\n");
    let agent = host.start(&[]);
    assert!(agent.awaits("service-died").contains("no such file"));
    agent.awaits("breaker-open");
}

#[test]
fn a_killed_agents_next_run_knows_the_last_frame_that_it_made() {
    let host = Host::with(SLEEPS);
    let agent = host.start(&[]);
    kill_process(agent.awaits_pid("service-started"), Signal::KILL).unwrap();
    agent.awaits("remedy-held");
    agent.dies();
    let claim = std::fs::read_to_string(host.path("state/run")).unwrap();
    let made: u64 = claim.split_ascii_whitespace().nth(1).unwrap().parse().unwrap();
    assert!(made >= 5, "began, started, died, restarted and started, none of them acknowledged: {claim}");
}

#[test]
fn a_state_that_can_not_be_written_keeps_no_service_down() {
    let host = Host::with(SLEEPS);
    // Folders stand where files should be written, as unwritable as on a full disk.
    for file in ["run.new", "services/it.log", "services/it.process.new", "identity/key.pem.picket-new"] {
        std::fs::create_dir_all(host.path("state").join(file)).unwrap();
    }
    let agent = host.start(&["--stop-services"]);
    kill_process(agent.awaits_pid("service-started"), Signal::KILL).unwrap();
    agent.awaits("remedy-held");
    let (status, codes) = agent.ends_by(Signal::TERM);
    assert_eq!(status, Some(0), "{codes:?}");
}

/// A pipe that nobody reads can't be opened to be written: so does a file on a disk that hangs.
#[test]
fn a_disk_that_hangs_keeps_no_service_down() {
    let host = Host::with(SLEEPS);
    std::fs::create_dir_all(host.path("state/services")).unwrap();
    let files = ["run.new", "services/it.process.new"].map(|file| host.path("state").join(file));
    let made = Command::new("mkfifo").args(&files).status().unwrap();
    assert!(made.success());
    let agent = host.start(&["--stop-services"]);
    let mut last = agent.awaits_pid("service-started");
    for _ in 0..2 {
        kill_process(last, Signal::KILL).unwrap();
        last = agent.awaits_pid("service-started");
        agent.awaits("remedy-held");
    }
    agent.awaits("state-stuck");
    assert_eq!(host.saved(), None, "no file could be written");
    let (status, codes) = agent.ends_by(Signal::TERM);
    assert_eq!(status, Some(0), "{codes:?}");
}

#[test]
fn a_log_that_nobody_reads_keeps_no_service_down() {
    let host = Host::with(SLEEPS);
    let (_nobody_reads, full) = std::io::pipe().unwrap();
    rustix::io::ioctl_fionbio(&full, true).unwrap();
    while (&full).write(&[b'x'; 4096]).is_ok() {}
    rustix::io::ioctl_fionbio(&full, false).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_picket-agent"));
    command.arg("run").arg("--config").arg(host.path("picket.toml")).stderr(full);
    let (_, told) = std::sync::mpsc::channel();
    let _agent = Agent { child: command.spawn().unwrap(), told };
    let first = host.saved_soon();
    kill_process(first, Signal::KILL).unwrap();
    soon("another process", || host.saved().filter(|pid| *pid != first));
}

#[test]
fn a_second_agent_on_the_same_folder_is_refused() {
    let host = Host::with(SLEEPS);
    let first = host.start(&[]);
    first.awaits("service-started");
    let second = host.command(&[]).output().unwrap();
    assert_eq!(second.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&second.stderr).contains("another agent works with"));
}

#[test]
fn mistakes_end_with_status_64_and_start_nothing() {
    let host = Host::with("comand = [\"/bin/sleep\", \"1000\"]");
    let refused = host.command(&[]).output().unwrap();
    assert_eq!(refused.status.code(), Some(64));
    let told = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(told.contains("did you mean `command`?"), "{told}");
    assert!(!host.path("state/services").exists());
}
