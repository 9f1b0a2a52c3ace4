//! Signals that are not systemd's: any local user may send one straight to a connection, whatever that has asked to hear.

use super::host::{Host, Restart};
use picket_tests::rig::private_systemd::Systemd;
use rustix::process::Signal;
use std::process::Command;

/// What ended the connection, or would have had units read or jobs believed.
const FORGED: [(&str, &str, &[&str]); 4] = [
    (
        "/org/freedesktop/DBus",
        "org.freedesktop.DBus.NameOwnerChanged",
        &["string:org.freedesktop.systemd1", "string::1.0", "string:"],
    ),
    ("/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager.JobRemoved", &["string:no number"]),
    ("/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager.Reloading", &["string:no truth"]),
    ("/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager.JobNew", &["string:no number"]),
];

/// Purpose: nobody but systemd and the bus can blind the agent.
#[test]
fn forged_signals_neither_end_the_connection_nor_hide_systemds_own() {
    let test = "forged_signals_neither_end_the_connection_nor_hide_systemds_own";
    let Some(mut host) = Host::begin(test, &[Restart::No]) else {
        return;
    };
    let agents = connections(&host.systemd, host.agent.pid());
    assert!(!agents.is_empty(), "the agent has no connection");
    for name in &agents {
        for (path, member, args) in FORGED {
            send(
                &host.systemd,
                &[&[&format!("--dest={name}"), "--type=signal", path, member], args].concat(),
            );
        }
    }
    host.signal(0, Signal::KILL);
    host.told(0, "remedy-held");
    host.starts_are(0, 2);
    let said = host.agent.said();
    assert!(!said.contains("not heard") && !said.contains("blind-systemd"), "{said}");
    assert_eq!(agents, connections(&host.systemd, host.agent.pid()), "the agent has connected anew");
}

/// The names of a process' connections.
fn connections(systemd: &Systemd, pid: u32) -> Vec<String> {
    let all = ask(systemd, "ListNames", None);
    let unique = all.split('"').filter(|part| part.starts_with(':'));
    let own = |name: &&str| {
        let answer = ask(systemd, "GetConnectionUnixProcessID", Some(name));
        answer.split_whitespace().last() == Some(&pid.to_string())
    };
    unique.filter(own).map(str::to_owned).collect()
}

fn ask(systemd: &Systemd, method: &str, name: Option<&str>) -> String {
    let member = format!("org.freedesktop.DBus.{method}");
    let name = name.map(|name| format!("string:{name}"));
    let head = ["--print-reply", "--dest=org.freedesktop.DBus", "/org/freedesktop/DBus", &member];
    send(systemd, &head.into_iter().chain(name.as_deref()).collect::<Vec<_>>())
}

/// What dbus-send says; a connection that is gone meanwhile has no process.
fn send(systemd: &Systemd, words: &[&str]) -> String {
    let mut command = Command::new("/usr/bin/dbus-send");
    let output = command.arg(format!("--bus={}", systemd.address())).args(words).output().unwrap();
    let is_gone = String::from_utf8_lossy(&output.stderr).contains("NameHasNoOwner");
    assert!(output.status.success() || is_gone, "dbus-send {words:?}: {output:?}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}
