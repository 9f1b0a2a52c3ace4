//! The spawn driver with real processes: the agent's binary, killed and started as on a bad day.
//!
//! The collector's address refuses (nothing listens on port 1 of loopback), so only what the agent does by itself is
//! seen here. Tests read the agent's own lines of log and wait for nothing else; 20 s without the awaited line fail.

#![expect(clippy::unwrap_used, reason = "helpers of tests, where a panic is the report")]

use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use serde_json::Value;
use std::fs::Permissions;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;
use tempfile::TempDir;

const PATIENCE: Duration = Duration::from_secs(20);
const SLEEPS: &str = r#"command = ["/bin/sleep", "1000"]"#;
/// A service whose child stays behind when it is killed; it passes its check only once both run.
const WITH_CHILD: &str = r#"command = ["/bin/sh", "-c", "sleep 1000 & echo child $!; wait"]"#;

/// A service whose child leaves its process group before it says so.
const WITH_ESCAPED: &str =
    r#"command = ["/bin/sh", "-c", "setsid sh -c 'echo child $$; exec sleep 1000' & wait"]"#;

/// A host: a folder with configuration, token and state. Its services end with it.
struct Host {
    folder: TempDir,
}

impl Host {
    fn with(service: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let token = format!("pkt1.{}.{}", "ab".repeat(32), "cd".repeat(32));
        std::fs::write(folder.path().join("token"), token).unwrap();
        std::fs::set_permissions(folder.path().join("token"), Permissions::from_mode(0o600)).unwrap();
        let config = format!(
            "[agent]\nstate = \"state\"\n[collector]\naddress = \"127.0.0.1:1\"\ntoken_file = \"token\"\n\
             [host]\nenabled = false\n[[service]]\nname = \"it\"\nhold = \"200ms\"\n{service}\n"
        );
        std::fs::write(folder.path().join("picket.toml"), config).unwrap();
        Self { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn command(&self, more: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_picket-agent"));
        command.args(["run", "--log-format", "json", "--config"]).arg(self.path("picket.toml")).args(more);
        command
    }

    fn start(&self, more: &[&str]) -> Agent {
        let mut child = self.command(more).stdout(Stdio::piped()).spawn().unwrap();
        let told = follow(child.stdout.take().unwrap());
        Agent { child, told }
    }

    /// The pid in the identity file.
    fn saved(&self) -> Option<Pid> {
        let text = std::fs::read_to_string(self.path("state/services/it.process")).ok()?;
        Pid::from_raw(text.split(' ').nth(1)?.parse().ok()?)
    }

    /// The child of the service's life number `life`, from 0, once it has said so.
    fn child_of_life(&self, life: usize) -> Pid {
        loop {
            let log = std::fs::read_to_string(self.path("state/services/it.log")).unwrap_or_default();
            let said: Vec<_> = log.split_inclusive('\n').filter(|line| line.ends_with('\n')).collect();
            if let Some(line) = said.get(life) {
                return Pid::from_raw(line.trim_start_matches("child ").trim().parse().unwrap()).unwrap();
            }
            std::thread::yield_now();
        }
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        if let Some(pid) = self.saved() {
            let _ended_already = kill_process_group(pid, Signal::KILL);
        }
    }
}

/// Hands on a child's lines, so that waiting for one can be bounded.
fn follow(out: impl std::io::Read + Send + 'static) -> Receiver<String> {
    let (lines, told) = channel();
    std::thread::spawn(move || {
        for line in BufReader::new(out).lines().map_while(Result::ok) {
            if lines.send(line).is_err() {
                return;
            }
        }
    });
    told
}

/// The text of the next line with this code.
fn await_code(told: &Receiver<String>, code: &str) -> String {
    let mut seen = Vec::new();
    loop {
        let line = told.recv_timeout(PATIENCE).unwrap_or_else(|_| panic!("no {code} after {seen:#?}"));
        let json: Value = serde_json::from_str(&line).unwrap();
        if json["code"] == code {
            return json["text"].as_str().unwrap().to_owned();
        }
        seen.push(line);
    }
}

/// A running agent.
struct Agent {
    child: Child,
    told: Receiver<String>,
}

impl Agent {
    fn awaits(&self, code: &str) -> String {
        await_code(&self.told, code)
    }

    /// The pid in the next line with this code.
    fn awaits_pid(&self, code: &str) -> Pid {
        let text = self.awaits(code);
        let digits: String =
            text.split("pid ").nth(1).unwrap().chars().take_while(char::is_ascii_digit).collect();
        Pid::from_raw(digits.parse().unwrap()).unwrap()
    }

    fn dies(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Asks it to end; its status, and the codes that it told on the way.
    fn ends_by(mut self, signal: Signal) -> (Option<i32>, Vec<String>) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
        let mut codes = Vec::new();
        while let Ok(line) = self.told.recv_timeout(PATIENCE) {
            let json: Value = serde_json::from_str(&line).unwrap();
            codes.push(json["code"].as_str().unwrap().to_owned());
        }
        (self.child.wait().unwrap().code(), codes)
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        let _ended_already = self.child.kill();
        let _reaped_already = self.child.wait();
    }
}

/// Whether the process runs: it is there and is no zombie.
fn runs(pid: Pid) -> bool {
    std::fs::read_to_string(format!("/proc/{pid}/stat"))
        .is_ok_and(|stat| !stat.rsplit(')').next().unwrap().trim_start().starts_with(['Z', 'X']))
}

fn writers_of(log: &Path) -> usize {
    let all =
        std::fs::read_dir("/proc").unwrap().filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    all.filter(|pid| std::fs::read_link(format!("/proc/{pid}/fd/1")).is_ok_and(|file| file == log)).count()
}

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
    // Held comes 200 ms after the second start, and the file is never more than 100 ms behind.
    agent.awaits("remedy-held");
    agent.dies();
    let claim = std::fs::read_to_string(host.path("state/run")).unwrap();
    let made: u64 = claim.trim().split_once(' ').unwrap().1.parse().unwrap();
    assert!(made >= 5, "began, started, died, restarted and started, none of them acknowledged: {claim}");
}

#[test]
fn a_state_that_can_not_be_written_keeps_no_service_down() {
    let host = Host::with(SLEEPS);
    // Folders stand where files should be written, as unwritable as on a full disk.
    for file in ["run.new", "services/it.log", "services/it.process.new", "identity/key.pem.new"] {
        std::fs::create_dir_all(host.path("state").join(file)).unwrap();
    }
    let agent = host.start(&["--stop-services"]);
    kill_process(agent.awaits_pid("service-started"), Signal::KILL).unwrap();
    agent.awaits("remedy-held");
    let (status, codes) = agent.ends_by(Signal::TERM);
    assert_eq!(status, Some(0), "{codes:?}");
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
