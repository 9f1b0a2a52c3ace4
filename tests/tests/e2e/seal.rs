//! An image of which many hosts are made: what `seal` takes away, what keeps it from doing so, and whom a copy becomes.

use super::first::{Bare, said};
use super::story::program;
use picket_rpc::v1;
use picket_tests::rig::cannot_run_here;
use picket_tests::rig::clock::Since;
use picket_tests::rig::process::PATIENCE;
use picket_tests::rig::stack::{AgentHome, Collector};
use rustix::process::{Pid, Signal, kill_process};
use std::fs;
use std::path::PathBuf;
use std::process::Command;

/// Seals, or whatever `more` says; what was printed, and the status.
fn seal(bare: &Bare, more: &[&str]) -> (String, Option<i32>) {
    let mut command = bare.command("seal", &[]);
    said(command.args(more).arg("--config").arg(bare.config()))
}

/// Purpose: an image that is sealed makes another host; while an agent, or what it started, runs nothing is removed.
#[tokio::test]
async fn a_sealed_state_enrols_anew_as_another_host() {
    let bare = Bare::new();
    let token = bare.token("web-1").await;
    let (page, status) = said(&mut bare.enroll("web-1", &token, &["--heal"]));
    assert_eq!(status, Some(0), "{page}");
    let whole = fs::read_to_string(bare.config()).unwrap();
    let service = "[[service]]\nname = \"idle\"\ncommand = [\"/bin/sleep\", \"1000\"]\n";
    fs::write(bare.config(), format!("{whole}{service}")).unwrap();
    let mut agent = bare.start(&[]);
    agent.line_with("\"link-open\"");
    let (page, status) = seal(&bare, &[]);
    assert!(status == Some(1) && page.contains("end it first"), "{page}");
    let started = bare.path("state/services/idle.process");
    let since = Since::now();
    while !started.exists() {
        assert!(since.elapsed() < PATIENCE, "its process is not written down");
        std::thread::yield_now();
    }
    agent.end();
    let (page, status) = seal(&bare, &[]);
    assert!(status == Some(1) && page.contains("still runs") && page.contains("idle (pid "), "{page}");
    let saved = fs::read_to_string(started).unwrap();
    let pid = saved.split(' ').nth(1).and_then(|pid| Pid::from_raw(pid.parse().ok()?)).unwrap();
    kill_process(pid, Signal::KILL).unwrap();
    ends_of(pid);
    let first = fs::read(bare.path("state/identity/key.pem")).unwrap();
    let (page, status) = seal(&bare, &[]);
    assert_eq!(status, Some(1), "the configuration names the host: {page}");
    assert!(
        page.contains("removed  ") && page.contains("identity: key") && page.contains("`host`"),
        "{page}"
    );
    let left: Vec<_> =
        fs::read_dir(bare.path("state")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["lock"], "all that an agent writes is known");
    copied(&bare, &whole, &first).await;
}

/// A copy of the image boots, and its first boot writes its own token.
async fn copied(bare: &Bare, whole: &str, first: &[u8]) {
    let image = whole.replace("host = \"web-1\"\n", "").replace("#token_file", "token_file");
    fs::write(bare.config(), image).unwrap();
    let (page, status) = seal(bare, &["--check"]);
    assert!(status == Some(0) && page.contains("\nsealed: "), "{page}");
    let token = bare.token("web-2").await;
    fs::rename(token, bare.path("etc/token")).unwrap();
    bare.start(&["--host", "web-2"]).line_with("\"link-open\"");
    assert_ne!(fs::read(bare.path("state/identity/key.pem")).unwrap(), first);
    let hosts = bare.collector.operator().await.list_hosts(v1::ListHostsRequest::default()).await.unwrap();
    let names: Vec<String> = hosts.into_inner().hosts.into_iter().map(|host| host.host).collect();
    assert_eq!(names, ["web-1", "web-2"]);
    assert_eq!(seal(bare, &["--check"]).1, Some(1), "it is a host of its own again");
}

/// A host whose /etc and /var/lib are folders of its own, where the package put its unit.
struct Packaged {
    folder: tempfile::TempDir,
}

impl Packaged {
    /// `None` where nobody may mount.
    fn new(config: &str) -> Option<Self> {
        let may = Command::new("unshare").args(["--mount", "true"]).output();
        may.ok().filter(|output| output.status.success())?;
        let host = Self { folder: tempfile::tempdir().unwrap() };
        host.write("etc/picket/agent.toml", config);
        let unit = include_str!("../../../systemd/picket-agent.service");
        host.write("etc/systemd/system/picket-agent.service", unit);
        for state in ["lib/picket-agent", "lib/other"] {
            host.write(&format!("{state}/identity/key.pem"), "x");
        }
        Some(host)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        fs::create_dir_all(self.path(name).parent().unwrap()).unwrap();
        fs::write(self.path(name), text).unwrap();
    }

    /// Which of the two state folders have a key.
    fn keys(&self) -> [bool; 2] {
        ["lib/picket-agent", "lib/other"].map(|state| self.path(state).join("identity/key.pem").exists())
    }

    fn seal(&self, more: &[&str]) -> (String, Option<i32>) {
        const INSIDE: &str =
            "mount --bind \"$1/etc\" /etc && mount --bind \"$1/lib\" /var/lib && shift && exec \"$@\"";
        let mut command = Command::new("unshare");
        command.args(["--mount", "sh", "-c", INSIDE, "sh"]).arg(self.folder.path()).arg(program());
        said(command.args(["__agent", "seal"]).args(more).env_remove("DBUS_SYSTEM_BUS_ADDRESS"))
    }
}

/// Purpose: the unit's `--state` wins over the file, so both folders are sealed; a file that is not there, an image's that names
/// no folder, and a link never make it this host's folder that is taken.
#[test]
fn only_the_state_that_is_meant_is_sealed() {
    const NAME: &str = "only_the_state_that_is_meant_is_sealed";
    let Some(host) = Packaged::new("[agent]\nstate = \"/var/lib/other\"\n") else {
        cannot_run_here(NAME, "unshare may not make a namespace of mounts");
        return;
    };
    host.write("etc/image.toml", "");
    host.write("etc/own.toml", "[agent]\nstate = \"/var/lib/picket-agent/\"\n");
    let image = host.path("etc/image.toml");
    for (more, words) in [
        (&["--config", "/etc/picket/gone.toml"][..], "/etc/picket/gone.toml can't be looked at"),
        (&["--state", "/var/lib/gone"], "/var/lib/gone can't be looked at"),
        (&["--config", image.to_str().unwrap()], "with --state DIR"),
        (&["--config", "/etc/own.toml"], "with --state DIR"),
    ] {
        let (page, status) = host.seal(more);
        assert!(status == Some(64) && page.contains(words), "{more:?} {status:?}: {page}");
        assert_eq!(host.keys(), [true, true], "{more:?}");
    }
    std::os::unix::fs::symlink("/var/lib/other", host.path("lib/link")).unwrap();
    let (page, status) = host.seal(&["--config", "/etc/image.toml", "--state", "/var/lib/link"]);
    assert!(status == Some(1) && page.contains("LEFT     /var/lib/link is a link to"), "{page}");
    assert_eq!(host.keys(), [true, true], "{page}");
    let (page, status) = host.seal(&["--check"]);
    assert_eq!(status, Some(1), "{page}");
    for state in ["/var/lib/other", "/var/lib/picket-agent"] {
        assert!(page.contains(&format!("LEFT     {state}/identity: ")), "{page}");
    }
    let (page, status) = host.seal(&[]);
    assert_eq!((host.keys(), status), ([false, false], Some(0)), "{page}");
    for state in ["/var/lib/other", "/var/lib/picket-agent"] {
        assert!(page.contains(&format!("clear    {state} has nothing of an agent")), "{page}");
    }
    assert_eq!(host.seal(&["--check"]).1, Some(0));
}

/// Purpose: machines that were copied without a machine-id of their own are seen, though each has its own certificate.
#[tokio::test]
async fn two_hosts_with_one_machine_id_are_named_to_each_other() {
    if fs::read_to_string("/etc/machine-id").map_or(0, |id| id.trim().len()) != 32 {
        cannot_run_here(
            "two_hosts_with_one_machine_id_are_named_to_each_other",
            "this machine has no machine-id",
        );
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let collector = Collector::start(program(), &folder.path().join("collector"));
    let mut agents = Vec::new();
    for host in ["web-1", "web-2"] {
        let home = AgentHome::prepare(program(), &folder.path().join(host), host, &collector, "").await;
        agents.push(home.start(&[]));
        agents.last_mut().unwrap().line_with("\"link-open\"");
    }
    let hosts = collector.operator().await.list_hosts(v1::ListHostsRequest::default()).await.unwrap();
    let same: Vec<Vec<String>> = hosts.into_inner().hosts.into_iter().map(|host| host.same_machine).collect();
    assert_eq!(same, [["web-2"], ["web-1"]]);
}

/// Waits until a process of nobody here is gone.
fn ends_of(pid: Pid) {
    let since = Since::now();
    let stat = format!("/proc/{}/stat", pid.as_raw_nonzero());
    let lives = || fs::read_to_string(&stat).is_ok_and(|stat| !stat.contains(") Z "));
    while lives() {
        assert!(since.elapsed() < PATIENCE, "{pid:?} does not end");
        std::thread::yield_now();
    }
}
