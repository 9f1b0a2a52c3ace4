//! Units that need another: systemd takes them along when it fails and does not bring them back; Picket does.

use super::host::{Files, Host};
use rustix::process::Signal;

/// What binds a unit to `web-0`, in its file and in the agent's.
struct Tied {
    unit: &'static str,
    keys: &'static str,
}

const ROOT: Tied = Tied { unit: "", keys: "" };
const REQUIRES: Tied =
    Tied { unit: "Requires=web-0.service\nAfter=web-0.service\n", keys: "needs = [\"web-0\"]\n" };
const BINDS: Tied =
    Tied { unit: "BindsTo=web-0.service\nAfter=web-0.service\n", keys: "needs = [\"web-0\"]\n" };

/// A unit that is only up once it says so, and that can be kept from it.
fn texts(nth: usize, tied: &Tied, files: &Files) -> Vec<(String, String)> {
    let text = format!(
        "[Unit]\nStartLimitIntervalSec=0\n{}[Service]\nType=notify\nNotifyAccess=all\nTimeoutStopSec=5\n\
         ExecStart=/bin/sh -c 'echo start >> {}; [ ! -e {} ] || exit 3; systemd-notify --ready; exec sleep 600'\n",
        tied.unit, files.starts, files.broken
    );
    vec![(format!("web-{nth}.service"), text)]
}

fn begin(test: &str) -> Option<Host> {
    Host::with_keys(test, &[ROOT, REQUIRES, BINDS], texts, |tied| tied.keys)
}

/// Purpose: a unit whose root fails and recovers is never started again by systemd (systemd#1312).
#[test]
fn what_systemd_takes_along_comes_back_with_its_root() {
    let Some(mut host) = begin("what_systemd_takes_along_comes_back") else { return };
    host.break_it(0);
    // The one that is bound is stopped by systemd, by a job like an operator's; the other one dies for itself.
    host.signal(0, Signal::KILL);
    host.told(2, "service-waits");
    host.signal(1, Signal::KILL);
    let line = host.told(1, "service-waits");
    assert!(line.contains("web-1 waits for web-0"), "{line}");
    host.starts_are(1, 1);
    host.starts_are(2, 1);
    host.mend_it(0);
    // Both say so at the same moment: in which order is chance.
    host.starts_are(1, 2);
    host.starts_are(2, 2);
    let said = host.agent.said();
    assert!(!said.contains("service-left-stopped"), "{said}");
    let held = said.matches("remedy-held").count();
    assert!(held >= 1, "the root had held before: {said}");
}

/// Purpose: what an operator stops with its root stays stopped with it.
#[test]
fn what_an_operator_stops_takes_its_dependents_and_stays_so() {
    let Some(mut host) = begin("what_an_operator_stops_takes_its_dependents") else { return };
    host.systemd.ctl(&["stop", "web-0"]);
    host.told(0, "service-left-stopped");
    host.systemd.ctl(&["start", "web-0"]);
    host.told(0, "service-wanted");
    host.starts_are(0, 2);
    let said = host.agent.said();
    assert!(!said.contains("remedy-begun"), "{said}");
    assert_eq!(said.matches("service-left-stopped").count(), 3, "{said}");
    assert_eq!((host.starts(1), host.starts(2)), (1, 1));
}

/// Purpose: units that need one are stopped before it is restarted, as no operator's stop, and come back with it.
#[test]
fn units_that_need_one_are_stopped_while_it_is_restarted() {
    const LADDER: Tied = Tied { unit: "", keys: "ladder = [\"dependents\", \"restart\"]\n" };
    const NEEDS: Tied = Tied { unit: "", keys: "needs = [\"web-0\"]\n" };
    let items = [LADDER, NEEDS];
    let test = "units_that_need_one_are_stopped_while_it_is_restarted";
    let Some(mut host) = Host::with_keys(test, &items, texts, |tied| tied.keys) else { return };
    host.signal(0, Signal::KILL);
    host.told_words(0, "web-0 is restarted while those that need it are stopped");
    host.told(1, "service-stopped");
    host.starts_are(0, 2);
    host.told_words(1, "web-1 is restarted (attempt 1): it was stopped while web-0 was restarted");
    host.starts_are(1, 2);
    host.told(1, "remedy-held");
    let said = host.agent.said();
    assert!(!said.contains("service-left-stopped"), "{said}");
}
