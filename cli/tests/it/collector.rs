//! The commands against a real collector that no agent has reached yet.

use crate::ground::{Running, document, failure, picket, text};
use rustix::process::Signal;
use serde_json::{Value, json};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;

struct Collector {
    home: tempfile::TempDir,
    address: String,
    running: Running,
}

impl Collector {
    fn start() -> Self {
        let home = tempfile::tempdir().unwrap();
        let (running, address) = run(home.path(), "127.0.0.1:0");
        Self { home, address, running }
    }

    /// Kills it and starts it again where it was.
    fn killed_and_started_again(&mut self) {
        self.running.signal(Signal::KILL);
        self.running.end();
        (self.running, self.address) = run(self.home.path(), &self.address);
    }

    fn home(&self) -> &Path {
        self.home.path()
    }

    fn credentials(&self) -> PathBuf {
        self.home().join("data/operator")
    }

    fn args<'a>(&'a self, args: &[&'a str], folder: &'a Path) -> Vec<&'a str> {
        let place = ["--collector", &self.address, "--credentials", folder.to_str().unwrap()];
        args.iter().copied().chain(place).collect()
    }

    fn text(&self, args: &[&str]) -> String {
        text(self.home(), &self.args(args, &self.credentials()))
    }

    fn document(&self, args: &[&str]) -> Value {
        document(self.home(), &self.args(args, &self.credentials()))
    }

    fn failure(&self, args: &[&str]) -> (i32, String) {
        failure(self.home(), &self.args(args, &self.credentials()))
    }
}

/// Starts a collector in `home`; the answer is also where it listens.
fn run(home: &Path, listen: &str) -> (Running, String) {
    let mut command = picket(home);
    command.args(["__collector", "run", "--die-with-parent", "--listen", listen, "--data"]);
    let mut running = Running::start(command.arg(home.join("data")));
    let ready: Value = serde_json::from_str(running.line("ready ").strip_prefix("ready ").unwrap()).unwrap();
    (running, ready["listen"].as_str().unwrap().to_owned())
}

#[test]
fn a_watch_tells_a_killed_collector_in_plain_words_and_that_it_is_back() {
    let mut collector = Collector::start();
    let credentials = collector.credentials();
    let mut watch = Running::start(picket(collector.home()).args(collector.args(&["watch"], &credentials)));
    watch.line("watching all incidents");
    collector.killed_and_started_again();
    let broke = watch.line("picket watch: the con");
    assert!(!broke.contains("https://") && broke.ends_with("looking for it for up to 120 s"), "{broke}");
    watch.line("picket watch: connected again");
}

#[test]
fn the_collectors_own_status_is_told_to_people_and_programs() {
    let collector = Collector::start();
    let page = collector.text(&["status"]);
    for part in
        ["journal    writing; entry ", "in 1 files", "snapshot   none yet", " free\n", "0 hosts, 0 sessions"]
    {
        assert!(page.contains(part), "{part}: {page}");
    }
    let status = &collector.document(&["status", "--json"])["status"];
    assert_eq!((&status["journal"], &status["failing_since"]), (&json!("writing"), &Value::Null));
    assert_eq!((&status["segments"], &status["oldest_index"]), (&json!(1), &json!(1)));
}

#[test]
fn empty_lists_are_sentences_for_people_and_documents_for_programs() {
    let collector = Collector::start();
    assert!(collector.text(&["hosts"]).starts_with("No hosts yet."));
    assert!(collector.text(&["services"]).starts_with("No services"));
    assert!(collector.text(&["incidents"]).starts_with("No open incidents."));
    assert!(collector.text(&["incidents", "--all"]).starts_with("No incidents, neither"));
    assert!(collector.text(&["events", "--within", "1h"]).starts_with("No events"));
    assert_eq!(collector.document(&["hosts", "--json"]), json!({"hosts": []}));
    assert_eq!(collector.document(&["services", "--json"]), json!({"services": []}));
    assert_eq!(collector.document(&["incidents", "--json"]), json!({"incidents": []}));
    assert_eq!(collector.text(&["events", "--json"]), "");
}

#[test]
fn a_token_is_made_for_a_host_with_its_end() {
    let collector = Collector::start();
    let made = collector.document(&["token", "web-1", "--json"]);
    assert_eq!((&made["host"], &made["known"]), (&json!("web-1"), &json!(false)));
    assert!(made["token"].as_str().unwrap().starts_with("pkt1."), "{made}");
    assert!(made["expires"].as_str().unwrap().ends_with('Z'), "{made}");
    assert!(collector.text(&["token", "web-2"]).starts_with("pkt1."));
}

#[test]
fn the_manuals_own_line_makes_a_file_that_the_agent_takes() {
    let collector = Collector::start();
    let manual = include_str!("../../../docs/operating.md");
    let line = manual.lines().find(|line| line.contains("token web-1 > token)")).unwrap();
    let line = line
        .replace("collector.example:7440", &collector.address)
        .replace("DATA/operator", collector.credentials().to_str().unwrap())
        .replace("; picket ", &format!("; '{}' ", env!("CARGO_BIN_EXE_picket")));
    let mut shell = Command::new("sh");
    let made = shell.args(["-c", &line]).current_dir(collector.home()).output().unwrap();
    let said = String::from_utf8(made.stderr).unwrap();
    assert!(made.status.success() && said.starts_with("It lets web-1 enrol once"), "{said}");

    let token = collector.home().join("token");
    assert_eq!(fs::metadata(&token).unwrap().mode() & 0o777, 0o600);
    assert_eq!(fs::read_to_string(&token).unwrap().lines().count(), 1, "the token and nothing else");
    let file = collector.home().join("agent.toml");
    fs::write(
        &file,
        "[agent]\nhost = \"web-1\"\n[collector]\naddress = \"localhost:7440\"\ntoken_file = \"token\"\n",
    )
    .unwrap();
    let config = picket_agent::config::load(&file).unwrap();
    assert!(config.collector.unwrap().token.is_some());
}

#[test]
fn what_is_not_there_is_status_4() {
    let collector = Collector::start();
    for command in
        [&["incident", "show", "7"][..], &["incident", "ack", "7"], &["incident", "note", "7", "x"]]
    {
        let (status, said) = collector.failure(command);
        assert_eq!(status, 4, "{command:?}: {said}");
        assert!(said.starts_with("error: there is no incident 7. "), "{said}");
    }
}

#[test]
fn another_collectors_credentials_are_not_accepted() {
    let (one, other) = (Collector::start(), Collector::start());
    let (status, said) = failure(one.home(), &one.args(&["hosts"], &other.credentials()));
    assert_eq!(status, 69, "{said}");
    assert!(said.contains("ca.pem"), "{said}");
}

#[test]
fn a_port_where_nothing_listens_is_status_69() {
    let collector = Collector::start();
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let folder = collector.credentials();
    let args = ["hosts", "--collector", &free, "--credentials", folder.to_str().unwrap()];
    let (status, said) = failure(collector.home(), &args);
    assert_eq!(status, 69, "{said}");
    assert!(said.contains("Is it running, and is the port right?"), "{said}");
}
