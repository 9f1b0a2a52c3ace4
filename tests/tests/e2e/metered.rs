//! A host whose link costs money: silent after its own time, its crash told at once, and what goes above the cap.

use super::story::{Story, program};
use picket_rpc::v1;
use picket_tests::rig::client;
use picket_tests::rig::clock::Since;
use picket_tests::rig::files::processes_with;
use picket_tests::rig::listen::{free_port, wait_listening};
use picket_tests::rig::process::PATIENCE;
use picket_tests::rig::stack::{AgentHome, Collector};
use rustix::process::{Pid, Signal, kill_process};

/// What stands first belongs to `[collector]`, which the configuration's head ends with.
fn config(link: &str, address: std::net::SocketAddr) -> String {
    let program = program().to_str().unwrap();
    format!(
        "{link}\n[host]\nenabled = false\n\n[[service]]\nname = \"web\"\n\
         command = [\"{program}\", \"__listen\", \"{address}\"]\nhold = \"300ms\"\n"
    )
}

/// A service outlives its agent.
fn end_what_listens(address: std::net::SocketAddr) {
    for pid in processes_with(&format!("__listen {address}")) {
        kill_process(Pid::from_raw(pid.cast_signed()).unwrap(), Signal::KILL).unwrap();
    }
}

async fn host(story: &mut Story) -> v1::Host {
    let asked = story.operator.list_hosts(v1::ListHostsRequest::default()).await;
    asked.expect("operators may list").into_inner().hosts.remove(0)
}

/// Purpose: 12 s are granted, a crash is told long before the next heartbeat, and the killed agent's host is silent after
/// 30 s of its own and not after the usual 25.
#[tokio::test]
async fn a_killed_agent_is_silent_after_two_and_a_half_of_its_own_intervals_and_not_sooner() {
    let address = free_port();
    let link = "report = \"12s\"\n";
    let mut story = Story::begin(&config(link, address)).await;
    story.agent.line_with("link-open");
    assert!(wait_listening(address, PATIENCE));
    let (said, _) = story.home.ask("status", &[]);
    assert!(said.contains("metered: the collector hears of this host every 12 s"), "{said}");
    let since = Since::now();
    story.signal("web", Signal::KILL).await;
    story.change("incident-opened").await;
    assert!(since.elapsed().as_secs() < 9, "a crash is told at once: {:?}", since.elapsed());
    story.change("incident-resolved").await;
    story.agent.kill();
    let before = host(&mut story).await;
    assert_eq!(before.report_ms, 12_000);
    assert_ne!(before.state(), v1::HostState::Silent);
    let silent = loop {
        let change = story.change("incident-opened").await;
        let incident = change.incident.expect("a change has its incident");
        if incident.severity_rule == "sev-host-silent" {
            break incident;
        }
    };
    let (heard, opened) = (host(&mut story).await.last_heard.unwrap(), silent.opened.unwrap());
    let waited = (opened.seconds - heard.seconds) * 1_000 + i64::from(opened.nanos - heard.nanos) / 1_000_000;
    assert!((29_500..34_000).contains(&waited), "{waited} ms after the last word");
    end_what_listens(address);
}

/// Purpose: the count outlives restarts; above the cap a death is told and what only explains it waits.
#[tokio::test]
async fn above_the_cap_deaths_are_told_and_the_rest_waits_on_the_host() {
    let (address, folder) = (free_port(), tempfile::tempdir().unwrap());
    let collector = Collector::start(program(), &folder.path().join("collector"));
    let config = config("profile = \"metered\"\ncap = \"64KiB\"\n", address);
    let home = folder.path().join("agent");
    let home = AgentHome::prepare(program(), &home, "web-1", &collector, &config).await;
    let mut starts = 0;
    let mut agent = loop {
        let mut agent = home.start(&["--die-with-parent"]);
        agent.line_with("link-open");
        starts += 1;
        assert!(starts < 60, "64 KiB are carried by fewer connections");
        if home.ask("status", &[]).0.contains("only critical events go") {
            break agent;
        }
        agent.end();
    };
    assert!(starts > 5, "one connection does not carry that much: {starts}");
    assert!(wait_listening(address, PATIENCE));
    let pid = processes_with(&format!("__listen {address}"))[0];
    kill_process(Pid::from_raw(pid.cast_signed()).unwrap(), Signal::KILL).unwrap();
    agent.line_with("remedy-held");
    let mut operator = collector.operator().await;
    let since = Since::now();
    let events = loop {
        let events = client::events(&mut operator).await.expect("operators may list");
        if events.iter().any(|event| event.code == "remedy-held") {
            break events;
        }
        assert!(since.elapsed() < PATIENCE, "the outcome does not come: {events:#?}");
    };
    assert!(events.iter().any(|event| event.code == "service-died"), "{events:#?}");
    assert!(!events.iter().any(|event| event.code == "remedy-begun"), "{events:#?}");
    let asked = v1::AskEvidenceRequest { host: "web-1".to_owned(), service: "web".to_owned() };
    let refused = operator.ask_evidence(asked).await.expect_err("it would eat what is left");
    assert!(refused.message().starts_with("order-over-cap: "), "{refused}");
    agent.end();
    end_what_listens(address);
}
