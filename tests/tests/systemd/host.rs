//! A private systemd with units that write down each start, and an agent that watches them.

mod asked;
mod ground;

use picket_tests::rig::clock::Since;
use picket_tests::rig::ends;
use picket_tests::rig::files;
use picket_tests::rig::private_systemd::{self, Systemd, look_again};
use picket_tests::rig::process::{PATIENCE, Process};
use rustix::process::{Pid, Signal, kill_process};
use std::ffi::OsStr;
use std::fs;
use std::path::PathBuf;
use tempfile::TempDir;

/// The programs under test.
pub(crate) fn program() -> &'static OsStr {
    OsStr::new(env!("CARGO_BIN_EXE_picket-rig"))
}

/// What systemd itself does when the unit ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Restart {
    No,
    Always,
}

/// The host.
pub(crate) struct Host {
    pub(crate) agent: Process,
    pub(crate) systemd: Systemd,
    folder: TempDir,
}

impl Host {
    /// Starts the units `web-N`, and the agent; `None` if it can't run here, which is said.
    pub(crate) fn begin(test: &str, restarts: &[Restart]) -> Option<Self> {
        let texts = |nth: usize, restart: &Restart, files: &Files| {
            vec![(format!("web-{nth}.service"), unit(&files.starts, *restart))]
        };
        Self::with(test, restarts, texts)
    }

    /// The same with a service per item, see [`Self::with_more`].
    pub(crate) fn with<T>(
        test: &str,
        items: &[T],
        texts: impl Fn(usize, &T, &Files) -> Vec<(String, String)>,
    ) -> Option<Self> {
        Self::with_more(test, "", items, texts, |_| "")
    }

    /// The same with more keys for each service.
    pub(crate) fn with_keys<T>(
        test: &str,
        items: &[T],
        texts: impl Fn(usize, &T, &Files) -> Vec<(String, String)>,
        keys: impl Fn(&T) -> &str,
    ) -> Option<Self> {
        Self::with_more(test, "", items, texts, keys)
    }

    /// The same with a service per item: `texts` makes the files of its units, `web-N.service` among them; `more` is
    /// added to the configuration, and `keys` to each service. Units that can be enabled are.
    pub(crate) fn with_more<T>(
        test: &str,
        more: &str,
        items: &[T],
        texts: impl Fn(usize, &T, &Files) -> Vec<(String, String)>,
        keys: impl Fn(&T) -> &str,
    ) -> Option<Self> {
        // A socket's path has 108 bytes at most.
        let folder = TempDir::new_in("/tmp").unwrap();
        let systemd = private_systemd::start_or_say(test, folder.path())?;
        let mut config = head(folder.path().join("state"), &systemd.address()) + more;
        let mut enabled = Vec::new();
        for (nth, item) in items.iter().enumerate() {
            for (name, text) in texts(nth, item, &Files::of(&folder, nth)) {
                systemd.unit(&name, &text);
                if text.contains("[Install]") {
                    enabled.push(name);
                }
            }
            config += &ends::service(nth, keys(item));
        }
        files::write_secret(&folder.path().join("picket.toml"), &config);
        for unit in &enabled {
            systemd.ctl(&["enable", "--now", unit]);
        }
        for nth in 0..items.len() {
            systemd.ctl(&["start", &format!("web-{nth}")]);
        }
        let agent = agent(&folder);
        let mut host = Self { agent, systemd, folder };
        for nth in 0..items.len() {
            host.starts_are(nth, 1);
        }
        host.wait_adopted(items.len());
        Some(host)
    }

    fn wait_adopted(&mut self, units: usize) {
        for _ in 0..units {
            self.agent.line_with("service-adopted");
        }
    }

    /// Kills the agent and starts another one.
    pub(crate) fn agent_again(&mut self, units: usize) {
        self.agent.kill();
        self.agent = agent(&self.folder);
        self.wait_adopted(units);
    }

    /// Lays a drop-in over the agent's configuration, or takes it away again.
    pub(crate) fn drop_in(&self, text: Option<&str>) {
        let folder = self.folder.path().join("picket.toml.d");
        fs::create_dir_all(&folder).unwrap();
        match text {
            Some(text) => fs::write(folder.join("test.toml"), text).unwrap(),
            None => fs::remove_file(folder.join("test.toml")).unwrap(),
        }
    }

    /// How often a unit was started, by its own log.
    pub(crate) fn starts(&self, nth: usize) -> usize {
        fs::read_to_string(Files::of(&self.folder, nth).starts).unwrap_or_default().lines().count()
    }

    /// Waits until a unit was started so often.
    pub(crate) fn starts_are(&self, nth: usize, wanted: usize) {
        let since = Since::now();
        while self.starts(nth) < wanted {
            assert!(!since.left(PATIENCE).is_zero(), "web-{nth}: {} starts, not {wanted}", self.starts(nth));
            look_again();
        }
        assert_eq!(self.starts(nth), wanted, "web-{nth} was started too often");
    }

    /// The main process of a unit.
    pub(crate) fn pid(&self, nth: usize) -> Pid {
        let pid = self.systemd.property(&format!("web-{nth}"), "MainPID");
        Pid::from_raw(pid.parse().unwrap()).unwrap_or_else(|| panic!("web-{nth} has no process"))
    }

    /// Signals the main process of a unit, behind systemd's back.
    pub(crate) fn signal(&self, nth: usize, signal: Signal) {
        kill_process(self.pid(nth), signal).unwrap();
    }

    /// From now on the unit does not start.
    pub(crate) fn break_it(&self, nth: usize) {
        let files = Files::of(&self.folder, nth);
        fs::write(files.broken, "").unwrap();
        let _not_every_unit_needs_one = fs::remove_file(files.needed);
    }

    /// From now on the unit starts again.
    pub(crate) fn mend_it(&self, nth: usize) {
        fs::remove_file(Files::of(&self.folder, nth).broken).unwrap();
    }

    /// Waits for a line with these words about this unit.
    pub(crate) fn told_words(&mut self, nth: usize, words: &str) -> String {
        let service = format!("\"service\":\"web-{nth}\"");
        loop {
            let line = self.agent.line_with(words);
            if line.contains(&service) {
                return line;
            }
        }
    }

    /// Waits for a line with this code about this unit.
    pub(crate) fn told(&mut self, nth: usize, code: &str) -> String {
        let service = format!("\"service\":\"web-{nth}\"");
        loop {
            let line = self.agent.line_with(&format!("\"code\":\"{code}\""));
            if line.contains(&service) {
                return line;
            }
        }
    }
}

fn agent(folder: &TempDir) -> Process {
    let config = folder.path().join("picket.toml");
    let args = ["__agent", "run", "--config", config.to_str().unwrap(), "--log-format", "json"];
    Process::start("agent", program(), &args)
}

/// The link is down all the time: nothing here needs a collector.
fn head(state: PathBuf, bus: &str) -> String {
    let zeros = "0".repeat(64);
    format!(
        "[agent]\nhost = \"rig\"\nstate = \"{}\"\nbus = \"{bus}\"\n[collector]\naddress = \"127.0.0.1:1\"\n\
         token = \"pkt1.{zeros}.{zeros}\"\n[host]\nenabled = false\n",
        state.display()
    )
}

/// A unit that writes a line per start, ends with 1 on SIGUSR1, and as signals want otherwise.
fn unit(starts: &str, restart: Restart) -> String {
    let restart = match restart {
        Restart::No => "no",
        Restart::Always => "always",
    };
    format!(
        "[Unit]\nStartLimitIntervalSec=0\n[Service]\nRestart={restart}\nRestartSec=50ms\nExecStart=/bin/sh -c \
         'echo start >> {starts}; trap \"exit 1\" USR1; while :; do sleep 60 & wait; done'\nTimeoutStopSec=5\n"
    )
}

/// The files of one service.
#[derive(Clone)]
pub(crate) struct Files {
    /// Gets a line per start.
    pub(crate) starts: String,
    /// Is there once it is broken.
    pub(crate) broken: String,
    /// Is gone once it is broken, where its units have it.
    pub(crate) needed: String,
}

impl Files {
    fn of(folder: &TempDir, nth: usize) -> Self {
        let file = |name: &str| folder.path().join(format!("{name}-{nth}")).to_str().unwrap().to_owned();
        Self { starts: file("starts"), broken: file("broken"), needed: file("needed") }
    }
}

impl Host {
    /// Starts the agent again where `web-1` was stopped while it was away.
    pub(crate) fn agent_again_with_one_stopped(&mut self) {
        self.agent_again(1);
        self.told(1, "service-found-stopped");
    }
}

impl Host {
    /// Waits until a unit runs as another process than `before`.
    pub(crate) fn alive_again(&mut self, nth: usize, before: Pid) {
        let since = Since::now();
        loop {
            let pid = self.systemd.property(&format!("web-{nth}"), "MainPID");
            if Pid::from_raw(pid.parse().unwrap()).is_some_and(|pid| pid != before) {
                return;
            }
            assert!(!since.left(PATIENCE).is_zero(), "web-{nth} does not run again");
            look_again();
        }
    }
}

impl Host {
    /// How often the agent was blind so far.
    pub(crate) fn blind(&mut self) -> usize {
        self.agent.said().matches("\"blind-systemd\"").count()
    }

    /// Restarts the bus; how often the agent was blind before that.
    pub(crate) fn restart_bus(&mut self) -> usize {
        let before = self.blind();
        self.systemd.ctl(&["restart", "dbus.service"]);
        before
    }

    /// Waits until it was blind once more and sees again.
    pub(crate) fn sees_again(&mut self, before: usize) {
        let since = Since::now();
        while self.blind() <= before {
            assert!(!since.left(PATIENCE).is_zero(), "the agent does not see again");
            look_again();
        }
    }
}
