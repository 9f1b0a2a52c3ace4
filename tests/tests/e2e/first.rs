//! The first minutes of a host: `enroll` in one command, and what it leaves where it fails.

use super::story::program;
use picket_tests::rig::files;
use picket_tests::rig::process::Process;
use picket_tests::rig::scripted;
use picket_tests::rig::stack::Collector;
use serde_json::Value;
use std::ffi::OsStr;
use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use tempfile::TempDir;

/// A collector, and a host that has nothing yet.
pub(crate) struct Bare {
    pub(crate) folder: TempDir,
    pub(crate) collector: Collector,
}

impl Bare {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let collector = Collector::start(program(), &folder.path().join("collector"));
        Self { folder, collector }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn config(&self) -> PathBuf {
        self.path("etc/agent.toml")
    }

    /// Makes a token; its file.
    pub(crate) async fn token(&self, host: &str) -> PathBuf {
        let token = scripted::mint(&mut self.collector.operator().await, host).await;
        let file = self.path(&format!("{host}.token"));
        files::write_secret(&file, &token);
        file
    }

    /// The command for these, unless `more` says otherwise.
    pub(crate) fn command(&self, what: &str, more: &[&OsStr]) -> Command {
        let mut command = Command::new(program());
        command.args(["__agent", what]).args(more).arg("--state").arg(self.path("state"));
        command.env_remove("DBUS_SYSTEM_BUS_ADDRESS").stdin(Stdio::null());
        command
    }

    pub(crate) fn enroll(&self, host: &str, token: &Path, more: &[&str]) -> Command {
        let address = &self.collector.address;
        let words = ["--collector", address, "--name", host, "--token-file"].map(OsStr::new);
        let mut command = self.command("enroll", &[&words[..], &[token.as_os_str()]].concat());
        command.args(more).arg("--config").arg(self.config());
        command
    }

    /// Starts the agent by what was written.
    pub(crate) fn start(&self, more: &[&str]) -> Process {
        let config = self.config();
        let args =
            ["__agent", "run", "--die-with-parent", "--log-format", "json", "--config"].map(OsStr::new);
        let more = more.iter().map(OsStr::new);
        let all: Vec<&OsStr> = args.into_iter().chain([config.as_os_str()]).chain(more).collect();
        Process::start("agent", program(), &all)
    }
}

/// What a command printed, and its status.
pub(crate) fn said(command: &mut Command) -> (String, Option<i32>) {
    let output = command.output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    (String::from_utf8_lossy(&said).into_owned(), output.status.code())
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

/// Purpose: one command from nothing to a host that runs, and a second time it changes nothing.
#[tokio::test]
async fn a_bare_host_is_enrolled_by_one_command_and_a_second_one_changes_nothing() {
    let bare = Bare::new();
    let token = bare.token("web-1").await;
    let (page, status) = said(&mut bare.enroll("web-1", &token, &[]));
    assert_eq!(status, Some(0), "{page}");
    for part in [
        "ok    tls",
        "web-1 is enrolled",
        "ok    session",
        "On this host: ",
        "port",
        "observes only",
        "next: picket-agent run --config",
    ] {
        assert!(page.contains(part), "{part} in {page}");
    }
    let text = fs::read_to_string(bare.config()).unwrap();
    let secret = fs::read_to_string(&token).unwrap();
    assert!(text.contains("\nobserve = true") && !text.contains(secret.trim()), "{text}");
    assert_eq!(mode(&bare.config()), 0o644);
    assert_eq!(mode(&bare.path("state/identity/key.pem")), 0o600);
    let mut agent = bare.start(&[]);
    agent.line_with("\"link-open\"");
    agent.end();
    fs::remove_file(&token).unwrap();
    let key = fs::read(bare.path("state/identity/key.pem")).unwrap();
    let (page, status) = said(&mut bare.enroll("web-1", &token, &[]));
    assert_eq!(status, Some(0), "{page}");
    assert!(page.contains("web-1 is enrolled already"), "{page}");
    assert_eq!(fs::read_to_string(bare.config()).unwrap(), text);
    assert_eq!(fs::read(bare.path("state/identity/key.pem")).unwrap(), key);
}

/// Purpose: a token by stdin is in no file and no list of processes; `--heal` leaves observing away.
#[tokio::test]
async fn a_token_comes_by_stdin_and_a_lost_configuration_needs_none() {
    let bare = Bare::new();
    let token = bare.token("web-1").await;
    let mut child = bare
        .enroll("web-1", Path::new("-"), &["--heal"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(&fs::read(&token).unwrap()).unwrap();
    assert!(child.wait().unwrap().success());
    assert!(!fs::read_to_string(bare.config()).unwrap().contains("observe"));
    fs::remove_file(bare.config()).unwrap();
    let (page, status) = said(&mut bare.enroll("web-1", Path::new("/nonexistent"), &[]));
    assert_eq!(status, Some(0), "{page}");
    fs::remove_file(bare.config()).unwrap();
    let (page, status) = said(&mut bare.enroll("web-2", Path::new("/nonexistent"), &[]));
    assert_eq!(status, Some(1), "{page}");
    assert!(page.contains("has the certificate of web-1") && page.contains("seal"), "{page}");
    assert!(!bare.config().exists());
}

/// Purpose: whatever fails says what to do, with the status of its kind, and leaves no configuration.
#[tokio::test]
async fn what_fails_says_what_to_do_and_leaves_no_configuration() {
    let bare = Bare::new();
    let token = bare.token("web-1").await;
    let refused = |command: &mut Command, wanted: i32, words: &str| {
        let (page, status) = said(command);
        assert_eq!(status, Some(wanted), "{page}");
        assert!(page.contains(words), "{words} in {page}");
        let left: Vec<_> = fs::read_dir(bare.path("etc")).into_iter().flatten().flatten().collect();
        assert!(left.is_empty(), "{left:?}");
    };
    let with = |more: &[&str]| bare.enroll("web-1", &token, more);
    refused(&mut with(&["--collector", "nonsense"]), 64, "is not host:port");
    refused(&mut with(&["--token", "pkt1.x.y"]), 64, "cannot be used with");
    refused(&mut bare.enroll("Web!", &token, &[]), 64, "--name `Web!`");
    refused(&mut bare.enroll("web-1", Path::new("/nonexistent"), &[]), 64, "`picket token HOST` makes one");
    fs::set_permissions(&token, fs::Permissions::from_mode(0o644)).unwrap();
    refused(&mut with(&[]), 64, "chmod 600");
    fs::set_permissions(&token, fs::Permissions::from_mode(0o600)).unwrap();
    refused(&mut bare.enroll("web-2", &token, &[]), 1, "token-unknown");
    let nobody = picket_tests::rig::listen::free_port().to_string();
    let words = ["--collector", &nobody, "--name", "web-1", "--token-file"].map(OsStr::new);
    let mut away = bare.command("enroll", &[&words[..], &[token.as_os_str()]].concat());
    refused(away.arg("--config").arg(bare.config()), 1, "link-refused");
    // Not a right but the kind of what stands there: a test may run as root.
    fs::write(bare.path("file"), "").unwrap();
    let words = ["--collector", &bare.collector.address, "--token-file"].map(OsStr::new);
    let mut nowhere = bare.command("enroll", &[&words[..], &[token.as_os_str()]].concat());
    refused(nowhere.arg("--config").arg(bare.path("file/agent.toml")), 1, "because of");
    if rustix::process::geteuid().is_root() {
        // Who may not write where it belongs learns so before anything is tried.
        fs::set_permissions(bare.folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let (own, readable) = (bare.path("program"), bare.path("readable"));
        fs::copy(program(), &own).unwrap();
        files::write_secret(&readable, &fs::read_to_string(&token).unwrap());
        std::os::unix::fs::chown(&readable, Some(65_534), None).unwrap();
        let mut nobody = Command::new(own);
        nobody.args(bare.enroll("web-1", &readable, &[]).get_args()).uid(65_534).gid(65_534);
        refused(&mut nobody, 1, "run it as root");
    }
    // None of it has used the token up.
    let (page, status) = said(&mut with(&[]));
    assert_eq!(status, Some(0), "{page}");
}

/// Purpose: a configuration that is there is never overwritten, whether the host is enrolled by it or not.
#[tokio::test]
async fn a_configuration_that_is_there_is_never_overwritten() {
    let bare = Bare::new();
    let token = bare.token("web-1").await;
    fs::create_dir(bare.path("etc")).unwrap();
    let state = bare.path("state");
    let own =
        format!("[agent]\nstate = \"{}\"\n[collector]\naddress = \"other.example:7440\"\n", state.display());
    fs::write(bare.config(), &own).unwrap();
    let (page, status) = said(&mut bare.enroll("web-1", &token, &[]));
    assert_eq!(status, Some(1), "{page}");
    assert!(page.contains("is never overwritten") && page.contains("token_file"), "{page}");
    fs::remove_file(bare.config()).unwrap();
    assert_eq!(said(&mut bare.enroll("web-1", &token, &[])).1, Some(0));
    fs::write(bare.config(), &own).unwrap();
    let (page, status) = said(&mut bare.enroll("web-1", &token, &[]));
    assert_eq!(status, Some(1), "{page}");
    assert!(page.contains("names the collector other.example:7440"), "{page}");
    assert_eq!(fs::read_to_string(bare.config()).unwrap(), own);
}

/// Purpose: it runs as any user, without a configuration, tells a line per thing, and makes nothing.
#[test]
fn a_doctor_tells_what_is_missed_as_any_user_and_makes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777)).unwrap();
    let state = folder.path().join("state");
    let doctor = |state: &Path| {
        let mut command = Command::new(program());
        command.args(["__agent", "doctor", "--json", "--state"]).arg(state);
        command
    };
    let judged = |command: &mut Command, what: &str, word: &str| {
        let (text, status) = said(command);
        let document: Value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
        let found = document["findings"].as_array().unwrap();
        let one = found.iter().find(|one| one["what"] == what).unwrap_or_else(|| panic!("{what} in {text}"));
        assert_eq!(one["word"], word, "{text}");
        let is_well = found.iter().all(|one| one["word"] != "problem");
        assert_eq!(status, Some(i32::from(!is_well)), "{text}");
    };
    judged(&mut doctor(&state), "state", "ok");
    judged(&mut doctor(&state), "pidfd", "ok");
    fs::write(folder.path().join("file"), "").unwrap();
    judged(&mut doctor(&folder.path().join("file/state")), "state", "problem");
    let (page, _) = said(Command::new(program()).args(["__agent", "doctor"]));
    assert!(page.contains("kernel      Linux ") && page.ends_with(" to mend\n"), "{page}");
    if rustix::process::geteuid().is_root() {
        // What a build made may lie where nobody else may go.
        let own = folder.path().join("program");
        fs::copy(program(), &own).unwrap();
        let mut nobody = Command::new(&own);
        nobody.args(["__agent", "doctor", "--json", "--state"]).arg(&state).uid(65_534).gid(65_534);
        judged(&mut nobody, "user", "without");
    }
    assert!(!state.exists());
}
