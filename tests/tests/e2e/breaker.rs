//! What cannot be healed ends in "not healed, because", with a breaker and not in a loop.

use super::story::{Story, codes, program};
use picket_rpc::v1;
use std::net::TcpListener;

fn service(command: &str, check: &str) -> String {
    format!(
        "[host]\nenabled = false\n\n[[service]]\nname = \"web\"\ncommand = [{command}]\nbackoff_first = \"20ms\"\n\
         backoff_max = \"100ms\"\nsame_deaths = 3\nretry_after = \"1h\"\nhold = \"300ms\"\n{check}"
    )
}

async fn not_healed(config: &str, last_line: &str) -> v1::GetIncidentResponse {
    let mut story = Story::begin(config).await;
    story.agent.line_with("breaker-open");
    loop {
        let change = story.change("incident-severity").await;
        if change.incident.unwrap().severity_rule == "sev-not-healed" {
            break;
        }
    }
    let incidents = story.incidents().await;
    assert_eq!(incidents.len(), 1, "{incidents:#?}");
    let incident = &incidents[0];
    assert_eq!(incident.state(), v1::IncidentState::Open);
    assert_eq!(incident.severity(), v1::Severity::P1);
    assert!(incident.outcome.contains("not healed, because"), "{incident:#?}");
    let detail = story.incident(incident.id).await;
    let text = format!("{detail:#?}");
    assert!(text.contains(last_line), "{text}");
    let remedies = codes(&detail).iter().filter(|code| **code == "remedy-begun").count();
    assert!(remedies <= 3, "no loop: {text}");
    assert!(!story.service("web").await.not_healed_because.is_empty());
    detail
}

/// Purpose: a configuration that the server refuses dies the same way each time; more restarts would not help.
#[tokio::test]
async fn a_broken_configuration_ends_in_not_healed_with_the_servers_own_last_line() {
    let program = program().to_str().unwrap();
    let line = "configuration error in line 7";
    let command = format!("\"{program}\", \"__listen\", \"127.0.0.1:1\", \"--die-with\", \"{line}\"");
    not_healed(&service(&command, ""), line).await;
}

/// Purpose: a taken port is not the service's fault and not healed by restarts.
#[tokio::test]
async fn a_taken_port_ends_in_not_healed() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let program = program().to_str().unwrap();
    let command = format!("\"{program}\", \"__listen\", \"{address}\"");
    let check = format!("[[service.check]]\nkind = \"tcp\"\naddress = \"{address}\"\n");
    not_healed(&service(&command, &check), "cannot bind").await;
}

/// Purpose: a program that is not there is said by its errno, not looped over.
#[tokio::test]
async fn a_missing_program_ends_in_not_healed() {
    not_healed(&service("\"/nonexistent/server\"", ""), "no such file").await;
}
