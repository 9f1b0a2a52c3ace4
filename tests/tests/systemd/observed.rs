//! Units that are only observed, until the configuration has them healed.

use super::host::{Host, Restart};
use rustix::process::Signal;

/// Purpose: the record says what would have been done and how long the outage was without it, and nothing was done.
#[test]
fn an_observed_unit_is_left_to_others_and_what_would_be_done_is_told() {
    let test = "an_observed_unit_is_left_to_others_and_what_would_be_done_is_told";
    let Some(mut host) = Host::begin(test, &[Restart::No, Restart::No]) else {
        return;
    };
    host.drop_in(Some("[agent]\nobserve = true\n\n[[service]]\nname = \"web-1\"\nobserve = false\n"));
    host.agent.line_with("config-reloaded");
    host.signal(0, Signal::KILL);
    let would = host.told(0, "shadow-remedy");
    assert!(would.contains("it would be restarted; it was killed by SIGKILL"), "{would}");
    let (refused, is_tried) = host.ask(&["try", "web-0"]);
    assert!(!is_tried && refused.contains("web-0 is only observed"), "{refused}");
    let (status, _) = host.ask(&["status"]);
    assert!(status.contains("only observed") && status.contains("told: web-0\n"), "{status}");
    // What is healed all the same shows that time enough has passed for the other.
    host.signal(1, Signal::KILL);
    host.told(1, "remedy-held");
    assert_eq!((host.starts(0), host.starts(1)), (1, 2));
    host.systemd.ctl(&["start", "web-0"]);
    let back = host.told(0, "shadow-back");
    assert!(back.contains("it came back without the agent"), "{back}");
    host.signal(0, Signal::KILL);
    host.told(0, "shadow-remedy");
    host.drop_in(None);
    host.told(0, "remedy-held");
    assert_eq!(host.starts(0), 3, "one by hand, one by the agent");
    let said = host.agent.said();
    assert!(!said.contains("breaker-open"), "{said}");
}
