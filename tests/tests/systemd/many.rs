//! More units than a connection to the bus has room for messages that nobody takes.

use super::host::{Host, Restart};
use rustix::process::Signal;

/// Beginning to watch a unit takes an answer each, and zbus holds 64 messages for whoever does not take them.
const MANY: usize = 80;

/// Purpose: an agent with many units hears systemd at all, and again after systemd was executed anew.
#[test]
fn many_units_are_heard_and_heard_again() {
    let Some(mut host) = Host::begin("many_units_are_heard_and_heard_again", &[Restart::No; MANY]) else {
        return;
    };
    host.systemd.ctl(&["daemon-reexec"]);
    let blind = host.agent.line_with("blind-systemd");
    assert!(blind.contains("0 differences"), "{blind}");
    host.signal(MANY - 1, Signal::KILL);
    host.told(MANY - 1, "remedy-held");
    host.starts_are(MANY - 1, 2);
}
