//! What should be there is learned, and what vanishes is told with what changed just before: files, links and masks of
//! units, and a port whose unit lives on.

use super::host::{Files, Host};
use picket_tests::rig::cannot_run_here;
use std::net::TcpListener;
use std::path::Path;

/// Learned after a second, and settled soon, so that a test takes seconds. What other programs of this machine do to
/// its packages is not waited for.
const QUICK: &str = "[baseline]\nlearn = \"1s\"\nsettle = \"500ms\"\nafter_packages = \"0s\"\n";

fn enabled(command: &str, starts: &str) -> String {
    format!(
        "[Service]\nTimeoutStopSec=5\nExecStart=/bin/sh -c 'echo start >> {starts}; {command}'\n\
         [Install]\nWantedBy=default.target\n"
    )
}

/// Services whose last one has a timer too; one that is not enabled stands for what nobody wants.
fn texts(nth: usize, _: &(), files: &Files) -> Vec<(String, String)> {
    let mut texts = vec![(format!("web-{nth}.service"), enabled("exec sleep 600", &files.starts))];
    if nth == 0 {
        let timer =
            "[Timer]\nOnCalendar=2100-01-01\nUnit=web-0.service\n[Install]\nWantedBy=default.target\n";
        texts.push(("web-0.timer".to_owned(), timer.to_owned()));
    }
    texts
}

/// Masks a unit as `systemctl mask` does, which can't do it in a folder that comes before its own.
fn mask(host: &Host, unit: &str) {
    let units = host.systemd.folder().join("units");
    std::fs::rename(units.join(unit), units.join(format!("{unit}.kept"))).unwrap();
    std::os::unix::fs::symlink("/dev/null", units.join(unit)).unwrap();
    host.systemd.ctl(&["daemon-reload"]);
}

fn unmask(host: &Host, unit: &str) {
    let units = host.systemd.folder().join("units");
    std::fs::rename(units.join(format!("{unit}.kept")), units.join(unit)).unwrap();
    host.systemd.ctl(&["daemon-reload"]);
}

/// Purpose: each way in which something stops being there is one event that says how, and why; coming back ends it.
#[test]
fn what_vanishes_is_told_once_and_what_comes_back_ends_it() {
    let name = "what_vanishes_is_told_once_and_what_comes_back_ends_it";
    let Some(mut host) = Host::with_more(name, QUICK, &[(), (), (), ()], texts, |()| "") else { return };
    let names = ["web-0.service", "web-0.timer", "web-1.service", "web-2.service", "web-3.service"];
    let shown = host.learned(&names);
    assert!(!shown.contains("dbus.service"), "nobody enabled it: {shown}");
    let units = host.systemd.folder().join("units");

    // A plain stop: told as one, and no loss, whatever vanishes beside it.
    host.systemd.ctl(&["stop", "web-3"]);
    host.told(3, "service-left-stopped");

    for file in ["web-0.service", "web-0.timer"] {
        std::fs::remove_file(units.join(file)).unwrap();
    }
    host.systemd.ctl(&["daemon-reload"]);
    let told = host.told(0, "vanished");
    let both = "vanished: web-0.service (its unit has no file any more), web-0.timer (its unit has no file any more); \
                just before, ";
    assert!(
        told.contains(both) && told.contains("units/web-0."),
        "one act is one loss, with its file: {told}"
    );

    host.systemd.ctl(&["disable", "--now", "web-1"]);
    let told = host.told(1, "vanished");
    assert!(told.contains("web-1.service (disabled and stopped); just before, "), "{told}");
    assert!(told.contains("default.target.wants/web-1.service changed"), "{told}");

    mask(&host, "web-2.service");
    let told = host.told(2, "vanished");
    assert!(told.contains("web-2.service (masked); just before, "), "{told}");

    let (shown, is_well) = host.ask(&["baseline", "show"]);
    assert!(!is_well && shown.contains(" should be here, 4 of them are missing"), "{shown}");

    host.systemd.ctl(&["enable", "--now", "web-1"]);
    host.told(1, "returned");
    unmask(&host, "web-2.service");
    host.told(2, "returned");
    let (said, is_well) = host.ask(&["baseline", "accept"]);
    assert!(is_well && said.starts_with("2 things are not missed any more"), "{said}");
    host.told(0, "baseline-accepted");
    let (shown, is_well) = host.ask(&["baseline", "show"]);
    assert!(is_well && shown.contains(", 0 of them are missing"), "{shown}");
    let said = host.agent.said();
    assert_eq!(said.matches("\"code\":\"vanished\"").count(), 3, "each is told once:\n{said}");
}

/// Purpose: what was learned outlives the agent, and so does what it told.
#[test]
fn an_agent_that_is_restarted_knows_what_should_be_there() {
    let name = "an_agent_that_is_restarted_knows_what_should_be_there";
    let Some(mut host) = Host::with_more(name, QUICK, &[(), ()], texts, |()| "") else { return };
    host.learned(&["web-0.service", "web-0.timer", "web-1.service"]);
    let learned = host.kept_baseline(|kept| kept.windows(13).any(|name| name == b"web-1.service"));
    mask(&host, "web-1.service");
    host.told(1, "vanished");
    // The loss is written at once, beside the telling, and what was learned with it.
    host.kept_baseline(|kept| kept != learned);
    host.agent_again(2);
    let shown = host.learned(&["web-0.service", "web-0.timer", "web-1.service"]);
    assert!(shown.contains("1 of them are missing"), "{shown}");
    unmask(&host, "web-1.service");
    host.told(1, "returned");
    assert!(
        !host.agent.said().contains("\"code\":\"vanished\""),
        "it was told before: {}",
        host.agent.said()
    );
}

/// Purpose: a program can stop to listen without ending; systemd has nothing to say about that.
#[test]
fn a_port_that_closes_while_its_unit_runs_is_told() {
    let name = "a_port_that_closes_while_its_unit_runs_is_told";
    if !Path::new("/usr/bin/python3").exists() {
        return cannot_run_here(name, "python3 is not installed");
    }
    // One below those that the kernel gives to anybody, which no baseline has.
    let port = (20_000..30_000).find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok()).unwrap();
    let script = format!(
        "exec /usr/bin/python3 -c \"import socket,signal,time; s=socket.create_server((str(),{port})); \
         signal.signal(signal.SIGUSR2, lambda *_: s.close()); [signal.pause() for _ in iter(int, 1)]\""
    );
    let texts = |nth: usize, (): &(), files: &Files| {
        vec![(format!("web-{nth}.service"), enabled(&script, &files.starts))]
    };
    let Some(mut host) = Host::with_more(name, QUICK, &[()], texts, |()| "") else { return };
    host.learned(&[format!("tcp/{port}").as_str(), "web-0.service"]);
    host.signal(0, rustix::process::Signal::USR2);
    let words = format!("vanished: port tcp/{port} of web-0.service (nobody listens, though its unit runs)");
    let told = host.agent.line_with(&words);
    assert!(told.contains("\"code\":\"vanished\""), "{told}");
    host.systemd.ctl(&["restart", "web-0"]);
    host.agent.line_with(&format!("tcp/{port} is there again"));
}
