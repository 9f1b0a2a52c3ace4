//! Values of a Prometheus page: the agent's own.

use super::host::{Host, text};
use std::net::TcpListener;

#[test]
fn the_agents_own_figures_are_read_by_it() {
    let host = Host::new();
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut checks = format!("[metrics]\nlisten = \"{address}\"\n");
    for (name, keys) in [
        ("resident", "metric = \"picket_agent_resident_bytes\"\nabove = { degraded = 1000000, down = 1000000000000 }".to_owned()),
        ("up", "metric = 'picket_agent_checks{verdict=\"up\"}'\nbelow = { down = 0.5 }".to_owned()),
        ("share", "metric = 'picket_agent_checks{verdict=\"up\"}'\nper = \"picket_agent_checks\"\ncombine = \"sum\"\nabove = { down = 1.001 }".to_owned()),
        ("gone", "metric = \"no_such_metric\"".to_owned()),
        ("several", "metric = \"picket_agent_checks\"".to_owned()),
        ("long", "metric = \"picket_agent_resident_bytes\"\nfor = \"500ms\"\nabove = { down = 1 }".to_owned()),
    ] {
        checks += &format!(
            "[[check]]\nkind = \"metric\"\nname = \"{name}\"\nurl = \"http://{address}/metrics\"\ninterval = \"100ms\"\n{keys}\n"
        );
    }
    let agent = host.start(&checks);
    let resident = agent.awaits("resident", "degraded");
    assert!(text(&resident, "reading").parse::<f64>().unwrap() >= 1e6, "{resident}");
    agent.awaits("up", "up");
    let share = agent.awaits("share", "up");
    let read: f64 = text(&share, "reading").parse().unwrap();
    assert!((0.0..=1.0).contains(&read), "{share}");
    let gone = agent.awaits("gone", "down");
    assert_eq!((text(&gone, "reading"), text(&gone, "said")), ("it is not there", "no_such_metric"));
    let several = agent.awaits("several", "down");
    assert!(text(&several, "said").ends_with("`combine` says what to make of them"), "{several}");
    agent.awaits("long", "down");
}
