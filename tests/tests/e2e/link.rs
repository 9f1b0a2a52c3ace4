//! The link cut and healed: what died meanwhile is told by what stands, and nothing is lost or doubled.

use super::story::{Story, program};
use picket_rpc::v1;
use picket_tests::rig::files::processes_with;
use picket_tests::rig::listen::{free_port, wait_listening};
use picket_tests::rig::process::PATIENCE;
use rustix::process::{Pid, Signal, kill_process};
use std::collections::BTreeSet;

/// Purpose: the collector is away while a service dies and is healed; later it is told, late, once, without a page.
#[tokio::test]
async fn what_was_healed_while_the_collector_was_away_is_told_late_and_once() {
    let address = free_port();
    let program_text = program().to_str().unwrap();
    let config = format!(
        "[host]\nenabled = false\n\n[[service]]\nname = \"web\"\n\
         command = [\"{program_text}\", \"__listen\", \"{address}\"]\nhold = \"300ms\"\n"
    );
    let mut story = Story::begin(&config).await;
    story.agent.line_with("service-started");
    assert!(wait_listening(address, PATIENCE));
    story.collector.process.kill();
    story.agent.line_with("link-");
    let pid = processes_with(&format!("__listen {address}"))[0];
    kill_process(Pid::from_raw(pid.cast_signed()).unwrap(), Signal::KILL).unwrap();
    story.agent.line_with("remedy-held");
    story.collector.again();
    story.operator = story.collector.operator().await;
    let since = picket_tests::rig::clock::Since::now();
    let incidents = loop {
        let incidents = story.incidents().await;
        if !incidents.is_empty() && incidents[0].state() == v1::IncidentState::Resolved {
            break incidents;
        }
        assert!(since.elapsed() < PATIENCE, "the late incident does not come: {incidents:#?}");
    };
    assert_eq!(incidents.len(), 1);
    assert!(incidents[0].late, "{incidents:#?}");
    let events = story.events().await;
    let numbers: BTreeSet<_> = events.iter().map(|event| (event.run, event.seq)).collect();
    assert_eq!(numbers.len(), events.len());
    assert!(events.iter().any(|event| event.code == "service-died" && event.late), "{events:#?}");
}
