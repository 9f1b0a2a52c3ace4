//! A host with checks and no services, and what its agent says of them.
//!
//! Waiting is bounded by 20 s; the agent ends with its value. Nothing listens where its collector should be.

use picket_agent::entry::now;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;

const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) struct Host {
    folder: TempDir,
}

impl Host {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let token = format!("pkt1.{}.{}", "ab".repeat(32), "cd".repeat(32));
        std::fs::write(folder.path().join("token"), token).unwrap();
        std::fs::set_permissions(folder.path().join("token"), Permissions::from_mode(0o600)).unwrap();
        Self { folder }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Starts an agent with these tables.
    pub(crate) fn start(&self, checks: &str) -> Agent<'_> {
        let config = format!(
            "[agent]\nstate = \"state\"\n[collector]\naddress = \"127.0.0.1:1\"\ntoken_file = \"token\"\n\
             [host]\nenabled = false\n{checks}\n"
        );
        std::fs::write(self.path("picket.toml"), config).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_picket-agent"));
        command.args(["run", "--config"]).arg(self.path("picket.toml"));
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        Agent { child, state: self.path("state"), _host: self }
    }
}

pub(crate) struct Agent<'h> {
    child: Child,
    state: PathBuf,
    _host: &'h Host,
}

impl Agent<'_> {
    /// The check of this name in `status`, as soon as it has this verdict.
    pub(crate) fn awaits(&self, name: &str, verdict: &str) -> Value {
        self.awaits_that(name, |check| check["verdict"] == verdict)
    }

    pub(crate) fn awaits_that(&self, name: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let begun = now().mono;
        loop {
            let status = ask(&self.state, &["status", "--json"]);
            let checks = status["each_check"].as_array().into_iter().flatten();
            let check = checks.into_iter().find(|check| check["name"] == name).cloned().unwrap_or_default();
            if wanted(&check) {
                return check;
            }
            let waited = Duration::from_micros(now().mono.since(begun).micros());
            assert!(waited < PATIENCE, "it does not come to that: {check:#}");
            std::thread::yield_now();
        }
    }

    /// Looks once, now.
    pub(crate) fn looks(&self, name: &str) -> Value {
        ask(&self.state, &["check", name, "--json"])["check"].take()
    }

    /// Asks it to end, and waits for that.
    pub(crate) fn ends(mut self) {
        kill_process(Pid::from_child(&self.child), Signal::TERM).unwrap();
        assert!(self.child.wait().unwrap().success());
    }
}

impl Drop for Agent<'_> {
    fn drop(&mut self) {
        let _ended_already = self.child.kill();
        let _reaped_already = self.child.wait();
    }
}

/// What the agent answers; nothing while it does not.
fn ask(state: &Path, args: &[&str]) -> Value {
    let mut command = Command::new(env!("CARGO_BIN_EXE_picket-agent"));
    let output = command.args(args).arg("--state").arg(state).output().unwrap();
    serde_json::from_slice(&output.stdout).unwrap_or_default()
}

pub(crate) fn text<'v>(check: &'v Value, key: &str) -> &'v str {
    check[key].as_str().unwrap_or_default()
}
