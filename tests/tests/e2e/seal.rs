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

/// Purpose: a slip of the pen seals nothing: neither this host's state in place of an image's, nor what is not there.
#[test]
fn only_the_state_that_is_meant_is_sealed() {
    let image = tempfile::tempdir().unwrap();
    let at = |name: &str| image.path().join(name).display().to_string();
    fs::create_dir(at("state")).unwrap();
    fs::write(at("state/run"), "x").unwrap();
    let sealed =
        |words: &[&str]| said(std::process::Command::new(program()).args(["__agent", "seal"]).args(words));
    for words in [["--config", &at("none.toml")], ["--state", &at("none")]] {
        let (page, status) = sealed(&words);
        assert!(
            status == Some(64) && page.contains("there is no ") && page.contains("nothing was removed"),
            "{page}"
        );
    }
    let file = at("agent.toml");
    fs::write(&file, "").unwrap();
    let (page, status) = sealed(&["--config", &file]);
    assert!(status == Some(64) && page.contains("add --state DIR"), "{page}");
    fs::write(&file, "[agent]\nstate = \"/var/lib/picket-agent\"\n").unwrap();
    let (page, status) = sealed(&["--config", &file, "--check"]);
    assert!(status == Some(64) && page.contains("add --state DIR"), "{page}");
    fs::write(&file, "[agent]\nstate = \"state\"\n").unwrap();
    std::os::unix::fs::symlink(image.path(), at("state/identity")).unwrap();
    let (page, status) = sealed(&["--config", &file]);
    let link = format!("LEFT     {}: key, certificate", at("state/identity"));
    assert!(status == Some(1) && page.contains(&link) && page.contains("NOT sealed"), "{page}");
    assert!(!image.path().join("state/run").exists() && image.path().join("agent.toml").exists());
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
