//! A host with the checks that a test wants, its agent as a process, and what it answers on its socket.

use serde_json::Value;
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

/// A running agent in a folder of its own; it ends with its value.
pub(crate) struct Host {
    folder: TempDir,
    agent: Child,
}

impl Host {
    /// Starts an agent with these tables; `{here}` is the folder in which `prepare` has made what they need.
    pub(crate) fn with(tables: &str, prepare: impl FnOnce(&TempDir)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        // Plugins run as `nobody`, who must find them.
        std::fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
        let token = folder.path().join("token");
        std::fs::write(&token, format!("pkt1.{}.{}", "ab".repeat(32), "cd".repeat(32))).unwrap();
        std::fs::set_permissions(&token, Permissions::from_mode(0o600)).unwrap();
        let config = format!(
            "[agent]\nstate = \"state\"\n[collector]\naddress = \"127.0.0.1:1\"\ntoken_file = \"token\"\n\
             [host]\nenabled = false\n{tables}\n"
        );
        std::fs::write(folder.path().join("picket.toml"), config).unwrap();
        prepare(&folder);
        let mut agent = Command::new(env!("CARGO_BIN_EXE_picket-agent"));
        agent.args(["run", "--log-format", "json", "--config"]).arg(folder.path().join("picket.toml"));
        let agent = agent.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let host = Self { folder, agent };
        soon("the socket", || host.ask(&["status", "--json"]));
        host
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// What the agent's command answers as JSON; none where there is no document.
    pub(crate) fn ask(&self, arguments: &[&str]) -> Option<Value> {
        let mut command = Command::new(env!("CARGO_BIN_EXE_picket-agent"));
        let told = command.args(arguments).arg("--state").arg(self.path("state")).output().unwrap();
        serde_json::from_slice(&told.stdout).ok()
    }

    /// Looks at a check now: its reading, what was said, and the whole document.
    pub(crate) fn look(&self, check: &str) -> (String, String, Value) {
        let mut whole = self.ask(&["check", check, "--json"]).unwrap_or_else(|| panic!("no check {check}"));
        let check = whole["check"].take();
        let text = |key: &str| check[key].as_str().unwrap_or_default().to_owned();
        (text("reading"), text("said"), check)
    }

    /// Looks until the verdict is this one; the document that says so.
    pub(crate) fn becomes(&self, check: &str, verdict: &str) -> Value {
        soon(&format!("{check} {verdict}"), || {
            Some(self.look(check).2).filter(|check| check["verdict"] == verdict)
        })
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        let _ended_already = self.agent.kill();
        let _reaped_already = self.agent.wait();
    }
}

/// Tries until there is one, 60 s at most.
pub(crate) fn soon<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let begun = picket_agent::entry::now().mono;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(picket_agent::entry::now().mono.since(begun).secs() < 60, "no {what}");
        std::thread::yield_now();
    }
}

/// Says why a test can't run here, in the words that CI counts.
pub(crate) fn cannot_run_here(test: &str, reason: &str) {
    println!("cannot run here: {test}: {reason}");
}
