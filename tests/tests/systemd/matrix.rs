//! What people do again and again, and what happens to the bus; each way to end for itself is in `table`.

use super::host::{Host, Restart};
use rustix::process::Signal;

/// Purpose: what a person stops stays stopped, whatever the unit says about restarts, until somebody starts it.
#[test]
fn what_an_operator_stops_is_left_alone_until_it_is_started() {
    let Some(mut host) = Host::begin("what_an_operator_stops_is_left_alone", &[Restart::No, Restart::Always])
    else {
        return;
    };
    for nth in 0..2 {
        let unit = format!("web-{nth}");
        host.starts_are(nth, 1);
        host.systemd.ctl(&["stop", &unit]);
        host.told(nth, "service-left-stopped");
        host.systemd.ctl(&["start", &unit]);
        host.told(nth, "service-wanted");
        host.told(nth, "check-up");
        // The check is up with the process; one that is ended before its first line is never counted.
        host.starts_are(nth, 2);
        host.systemd.ctl(&["restart", &unit]);
        host.told(nth, "service-stopped");
        host.told(nth, "service-started");
        host.starts_are(nth, 3);
    }
    let said = host.agent.said();
    assert!(!said.contains("remedy-begun") && !said.contains("check-down"), "nothing failed:\n{said}");
}

/// Purpose: what systemd does to itself is no death of a unit, and the agent sees on behind it.
#[test]
fn a_reload_and_a_restart_of_the_bus_end_nothing_and_hide_nothing() {
    let Some(mut host) = Host::begin("a_reload_and_a_restart_of_the_bus", &[Restart::No]) else { return };
    host.systemd.ctl(&["daemon-reload"]);
    host.signal(0, Signal::KILL);
    host.told(0, "remedy-held");
    host.starts_are(0, 2);
    host.systemd.ctl(&["restart", "dbus.service"]);
    let blind = host.agent.line_with("blind-systemd");
    assert!(blind.contains("0 differences"), "{blind}");
    host.signal(0, Signal::KILL);
    host.told(0, "remedy-held");
    host.starts_are(0, 3);
    let said = host.agent.said();
    assert_eq!(said.matches("\"service-died\"").count(), 2, "{said}");
}

/// Purpose: an agent that comes and goes is not noticed by what it watches; and what was stopped stays stopped.
#[test]
fn an_agent_that_is_restarted_restarts_nothing() {
    let Some(mut host) = Host::begin("an_agent_that_is_restarted_restarts_nothing", &[Restart::No; 2]) else {
        return;
    };
    let before = [host.pid(0), host.pid(1)];
    for _ in 0..3 {
        host.agent_again(2);
    }
    assert_eq!([host.pid(0), host.pid(1)], before);
    host.agent.kill();
    host.systemd.ctl(&["stop", "web-1"]);
    host.agent_again_with_one_stopped();
    host.starts_are(0, 1);
    host.starts_are(1, 1);
}
