//! A host with one service, its agent as a process, and what the agent tells.
//!
//! Waiting is bounded by 20 s; the agent and its service end with their values.

use picket_agent::entry::now;
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

pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// A host: a folder with configuration, token and state. Its services end with it.
pub(crate) struct Host {
    folder: TempDir,
}

impl Host {
    pub(crate) fn with(service: &str) -> Self {
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

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn command(&self, more: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_picket-agent"));
        command.args(["run", "--log-format", "json", "--config"]).arg(self.path("picket.toml")).args(more);
        command
    }

    pub(crate) fn start(&self, more: &[&str]) -> Agent {
        let mut child = self.command(more).stdout(Stdio::piped()).spawn().unwrap();
        let told = follow(child.stdout.take().unwrap());
        Agent { child, told }
    }

    /// The pid in the identity file.
    pub(crate) fn saved(&self) -> Option<Pid> {
        let text = std::fs::read_to_string(self.path("state/services/it.process")).ok()?;
        Pid::from_raw(text.split(' ').nth(1)?.parse().ok()?)
    }

    /// The pid in the identity file, once it is there; it comes after the start is told.
    pub(crate) fn saved_soon(&self) -> Pid {
        soon("an identity file", || self.saved())
    }

    /// The child of the service's life number `life`, from 0, once it has said so.
    pub(crate) fn child_of_life(&self, life: usize) -> Pid {
        soon("a line of the service", || {
            let log = std::fs::read_to_string(self.path("state/services/it.log")).unwrap_or_default();
            let line = log.split_inclusive('\n').filter(|line| line.ends_with('\n')).nth(life)?;
            Pid::from_raw(line.trim_start_matches("child ").trim().parse().unwrap())
        })
    }
}

/// Looks until there is one.
pub(crate) fn soon<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let begun = now().mono;
    loop {
        if let Some(found) = look() {
            return found;
        }
        let waited = Duration::from_micros(now().mono.since(begun).micros());
        assert!(waited < PATIENCE, "no {what} after {PATIENCE:?}");
        std::thread::yield_now();
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
pub(crate) fn follow(out: impl std::io::Read + Send + 'static) -> Receiver<String> {
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
pub(crate) fn await_code(told: &Receiver<String>, code: &str) -> String {
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
pub(crate) struct Agent {
    pub(crate) child: Child,
    pub(crate) told: Receiver<String>,
}

impl Agent {
    pub(crate) fn awaits(&self, code: &str) -> String {
        await_code(&self.told, code)
    }

    /// The pid in the next line with this code.
    pub(crate) fn awaits_pid(&self, code: &str) -> Pid {
        let text = self.awaits(code);
        let digits: String =
            text.split("pid ").nth(1).unwrap().chars().take_while(char::is_ascii_digit).collect();
        Pid::from_raw(digits.parse().unwrap()).unwrap()
    }

    pub(crate) fn dies(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Asks it to end; its status, and the codes that it told on the way.
    pub(crate) fn ends_by(mut self, signal: Signal) -> (Option<i32>, Vec<String>) {
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
pub(crate) fn runs(pid: Pid) -> bool {
    std::fs::read_to_string(format!("/proc/{pid}/stat"))
        .is_ok_and(|stat| !stat.rsplit(')').next().unwrap().trim_start().starts_with(['Z', 'X']))
}

pub(crate) fn writers_of(log: &Path) -> usize {
    let all =
        std::fs::read_dir("/proc").unwrap().filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    all.filter(|pid| std::fs::read_link(format!("/proc/{pid}/fd/1")).is_ok_and(|file| file == log)).count()
}
