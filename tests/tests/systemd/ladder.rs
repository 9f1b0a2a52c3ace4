//! A ladder on real units: ReloadUnit where the unit has it, TryRestartUnit, and StopUnit at its end.

use super::host::{Files, Host};

/// A check that never passes: nothing listens on port 1.
const KEYS: &str = "ladder = [\"reload\", \"restart\", \"isolate\"]\nstart_timeout = \"500ms\"\nretry_after = \"1h\"\n\
                    [[service.check]]\nkind = \"tcp\"\naddress = \"127.0.0.1:1\"\ninterval = \"100ms\"\ntimeout = \"100ms\"\n";

/// Whether the unit can be reloaded.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reload {
    Yes,
    No,
}

fn texts(nth: usize, reload: &Reload, files: &Files) -> Vec<(String, String)> {
    let reloads = match reload {
        Reload::Yes => format!("ExecReload=/bin/sh -c 'echo reload >> {}'\n", files.needed),
        Reload::No => String::new(),
    };
    let text = format!(
        "[Service]\nRestart=always\nTimeoutStopSec=5\n{reloads}ExecStart=/bin/sh -c 'echo start >> {}; exec sleep 600'\n",
        files.starts
    );
    vec![(format!("web-{nth}.service"), text)]
}

/// Purpose: each rung is systemd's own job, and what it refuses is passed over.
#[test]
fn a_unit_is_reloaded_then_restarted_then_stopped() {
    let items = [Reload::Yes, Reload::No];
    let Some(mut host) = Host::with_keys("a_unit_is_reloaded_then_restarted", &items, texts, |_| KEYS) else {
        return;
    };
    for words in ["web-1 is reloaded", "web-1 not healed by attempt 1: its unit can't be reloaded"] {
        host.told_words(1, words);
    }
    let open = host.told(1, "breaker-open");
    assert!(open.contains("no remedy of its ladder held, so it was stopped"), "{open}");
    // The other one has its patience with the reload first.
    while !host.agent.said().contains("web-0 not healed, because no remedy") {
        host.agent.line_with("\"code\":");
    }
    let said = host.agent.said();
    for (nth, first) in [(0, "web-0:tcp"), (1, "its unit can't be reloaded")] {
        assert!(said.contains(&format!("web-{nth} not healed by attempt 1: {first}")), "{said}");
        assert!(said.contains(&format!("web-{nth} is restarted (attempt 2)")), "{said}");
        assert_eq!(host.systemd.property(&format!("web-{nth}"), "ActiveState"), "inactive");
        assert_eq!(host.starts(nth), 2, "started, and restarted once");
    }
    assert!(!said.contains("service-left-stopped"), "the stop was the agent's own: {said}");
}
