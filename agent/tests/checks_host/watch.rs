//! An agent in namespaces of its own, and what it says of its checks.
//!
//! Mounts and interfaces are made by a shell that then becomes the agent, and changed by `nsenter`; they end with it.
//! Waiting is bounded by 30 s.

use picket_agent::entry::now;
use serde_json::Value;
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;

const PATIENCE: Duration = Duration::from_secs(30);

/// A running agent. It ends with its value.
pub(crate) struct Watch {
    folder: TempDir,
    child: Child,
}

/// What one check says.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) verdict: String,
    pub(crate) reading: String,
    pub(crate) words: String,
    pub(crate) why: String,
}

/// Why mounts and interfaces of one's own can't be had here.
pub(crate) fn hindrance() -> Option<String> {
    if !rustix::process::geteuid().is_root() {
        return Some("namespaces need root".to_owned());
    }
    let missing =
        ["/usr/bin/unshare", "/usr/bin/nsenter"].into_iter().find(|program| !Path::new(program).exists())?;
    Some(format!("there is no {missing}"))
}

/// Says on the test's output that a test can't run here, and why.
pub(crate) fn cannot_run_here(name: &str, reason: &str) {
    println!("cannot run here: {name}: {reason}");
}

impl Watch {
    /// Starts one with this file, after `setup` has run in `$1`, a folder with an empty folder `mnt`.
    pub(crate) fn begin(setup: &str, file: impl FnOnce(&Path) -> String) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        std::fs::create_dir(path.join("mnt")).unwrap();
        std::fs::write(path.join("token"), format!("pkt1.{}.{}", "ab".repeat(32), "cd".repeat(32))).unwrap();
        std::fs::set_permissions(path.join("token"), Permissions::from_mode(0o600)).unwrap();
        let head =
            "[agent]\nstate = \"state\"\n[collector]\naddress = \"127.0.0.1:1\"\ntoken_file = \"token\"\n";
        std::fs::write(path.join("picket.toml"), format!("{head}{}\n", file(path))).unwrap();
        let script =
            format!("set -e\nmount --make-rprivate /\n{setup}\nexec \"$2\" run --config \"$1/picket.toml\"");
        let mut command = Command::new("/usr/bin/unshare");
        command
            .args(["-m", "-n", "/bin/sh", "-c", &script, "sh"])
            .arg(path)
            .arg(env!("CARGO_BIN_EXE_picket-agent"));
        let child = command.stdin(Stdio::null()).stderr(Stdio::null()).stdout(Stdio::null()).spawn().unwrap();
        Self { folder, child }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Does something in the agent's namespaces; `$1` is the folder.
    pub(crate) fn does(&self, script: &str) {
        let mut command = Command::new("/usr/bin/nsenter");
        command.args(["-m", "-n", "-t", &self.child.id().to_string(), "/bin/sh", "-ec", script, "sh"]);
        assert!(command.arg(self.folder.path()).status().unwrap().success(), "{script}");
    }

    fn ask(&self, args: &[&str]) -> Option<Value> {
        let mut command = Command::new(env!("CARGO_BIN_EXE_picket-agent"));
        let asked = command.args(args).args(["--json", "--state"]).arg(self.path("state")).output().unwrap();
        serde_json::from_slice(&asked.stdout).ok()
    }

    /// What `status --json` says of a check.
    pub(crate) fn status(&self, check: &str) -> Option<Said> {
        let whole = self.ask(&["status"])?;
        whole["each_check"].as_array()?.iter().find(|one| one["name"] == check).map(said)
    }

    /// What `check NAME --json` says: a look made now.
    pub(crate) fn look(&self, check: &str) -> Option<Said> {
        self.ask(&["check", check]).map(|whole| said(&whole["check"]))
    }

    /// Looks until the verdict is this one, and no longer than patience lasts.
    pub(crate) fn until(&self, check: &str, verdict: &str) -> Said {
        self.wait(check, verdict, || drop(self.look(check)))
    }

    /// Waits until the agent has found this verdict by itself.
    pub(crate) fn until_by_itself(&self, check: &str, verdict: &str) -> Said {
        self.wait(check, verdict, || {})
    }

    fn wait(&self, check: &str, verdict: &str, nudge: impl Fn()) -> Said {
        let begun = now().mono;
        loop {
            nudge();
            let said = self.status(check);
            match said {
                Some(said) if said.verdict == verdict => return said,
                Some(_) | None => {}
            }
            let waited = Duration::from_micros(now().mono.since(begun).micros());
            assert!(waited < PATIENCE, "{check} is not {verdict} after {PATIENCE:?}: {said:?}");
        }
    }
}

fn said(check: &Value) -> Said {
    let text = |key: &str| check[key].as_str().unwrap_or_default().to_owned();
    Said { verdict: text("verdict"), reading: text("reading"), words: text("said"), why: text("cause") }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let _ended_already = self.child.kill();
        let _reaped_already = self.child.wait();
    }
}
