//! A first look at a host with systemd: what `enroll` finds of units that failed, do not run, or listen and are left dead.

use crate::host::program;
use picket_tests::rig::listen::{free_port, wait_listening};
use picket_tests::rig::private_systemd::{self, Systemd};
use picket_tests::rig::process::PATIENCE;
use picket_tests::rig::stack::Collector;
use picket_tests::rig::{files, scripted};
use std::fs;
use std::process::Command;
use tempfile::TempDir;

const WANTED: &str = "[Install]\nWantedBy=default.target\n";

/// Purpose: who reads the first page knows what to name in the configuration, and what is proposed there is sound.
#[tokio::test]
async fn a_first_look_names_what_failed_what_does_not_run_and_who_is_left_dead() {
    let name = "a_first_look_names_what_failed_what_does_not_run_and_who_is_left_dead";
    let folder = TempDir::new_in("/tmp").unwrap();
    let Some(systemd) = private_systemd::start_or_say(name, folder.path()) else { return };
    let port = free_port();
    let listen = format!("{} __listen {port}", program().to_str().unwrap());
    for (unit, service) in [
        ("app", "ExecStart=/bin/false".to_owned()),
        ("web", format!("ExecStart={listen}")),
        ("lazy", "ExecStart=/bin/sleep 1000".to_owned()),
        ("once", "Type=oneshot\nExecStart=/bin/true".to_owned()),
        ("gone", "ExecStart=/bin/sleep 1000".to_owned()),
        ("job", "Type=oneshot\nExecStart=/bin/false".to_owned()),
    ] {
        systemd.unit(&format!("{unit}.service"), &format!("[Service]\n{service}\n{WANTED}"));
    }
    systemd.ctl(&["enable", "app", "web", "lazy", "once", "gone"]);
    systemd.ctl(&["start", "app", "web", "once", "gone"]);
    let _it_fails_which_is_what_it_is_for = systemd.try_ctl(&["start", "job"]);
    // Its file is in the first of the folders, so `mask` can't put its link before it.
    let file = systemd.folder().join("units/gone.service");
    fs::remove_file(&file).unwrap();
    std::os::unix::fs::symlink("/dev/null", &file).unwrap();
    systemd.ctl(&["daemon-reload"]);
    assert!(wait_listening(port, PATIENCE));

    let (page, status) = enroll(&folder, &systemd).await;
    assert_eq!(status, Some(0), "{page}");
    for part in [
        "; I would have restarted app.service\n",
        "failed  app.service (exit-code): ",
        "failed  job.service: ",
        "idle    lazy.service is enabled",
        &format!("port    tcp/{} web.service\n", port.port()),
        &format!("risk    web.service listens on tcp/{} and", port.port()),
        "risk    gone.service runs and is masked",
    ] {
        assert!(page.contains(part), "{part} in {page}");
    }
    assert!(!page.contains("once.service") && !page.contains("unseen"), "{page}");
    let text = fs::read_to_string(folder.path().join("agent.toml")).unwrap();
    for unit in ["app", "web"] {
        assert!(text.contains(&format!("#name = \"{unit}\"\n#unit = \"{unit}.service\"\n")), "{text}");
    }
}

/// Enrols a host whose bus is this systemd's: what was printed, and the status.
async fn enroll(folder: &TempDir, systemd: &Systemd) -> (String, Option<i32>) {
    let collector = Collector::start(program(), &folder.path().join("collector"));
    let token = scripted::mint(&mut collector.operator().await, "web-1").await;
    files::write_secret(&folder.path().join("token"), &token);
    let output = Command::new(program())
        .args(["__agent", "enroll", "--collector", &collector.address, "--name", "web-1", "--token-file"])
        .arg(folder.path().join("token"))
        .arg("--config")
        .arg(folder.path().join("agent.toml"))
        .arg("--state")
        .arg(folder.path().join("state"))
        .env("DBUS_SYSTEM_BUS_ADDRESS", systemd.address())
        .output()
        .unwrap();
    let page = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    (page, output.status.code())
}
