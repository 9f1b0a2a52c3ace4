//! The thread: a service dies, comes back, and a person reads why.

use super::story::{Story, codes, program, watch};
use picket_rpc::v1;
use picket_tests::rig::listen::{free_port, wait_listening};
use picket_tests::rig::process::PATIENCE;
use rustix::process::Signal;
use std::collections::BTreeSet;
use std::net::SocketAddr;

fn config(address: SocketAddr) -> String {
    let program = program().to_str().unwrap();
    format!(
        "[host]\nenabled = false\n\n[[service]]\nname = \"web\"\ncommand = [\"{program}\", \"__listen\", \"{address}\"]\n\
         hold = \"300ms\"\n\n[[service.check]]\nkind = \"tcp\"\naddress = \"{address}\"\nexpect = \"+HELLO\"\n\
         interval = \"500ms\"\n"
    )
}

/// Purpose: the whole loop, three times over, as one incident that a person can read.
#[tokio::test]
async fn a_service_killed_three_times_serves_again_each_time_and_is_one_incident() {
    let address = free_port();
    let mut story = Story::begin(&config(address)).await;
    story.agent.line_with("service-started");
    assert!(wait_listening(address, PATIENCE));
    for _ in 0..3 {
        let killed = story.signal("web", Signal::KILL).await;
        story.agent.line_with("remedy-held");
        assert!(wait_listening(address, PATIENCE), "it serves again");
        let resolved = story.change("incident-resolved").await;
        assert!(resolved.incident.unwrap().outcome.contains("recovered, verified"));
        assert_ne!(story.alive("web").await.pid, killed);
    }
    let incidents = story.incidents().await;
    assert_eq!(incidents.len(), 1, "{incidents:#?}");
    let incident = &incidents[0];
    assert!(incident.cause.contains("SIGKILL"), "{incident:#?}");
    assert_eq!(incident.state(), v1::IncidentState::Resolved);
    assert_eq!(
        (incident.severity(), incident.severity_rule.as_str()),
        (v1::Severity::P2, "sev-service-down")
    );
    let detail = story.incident(incident.id).await;
    for code in ["service-died", "remedy-begun", "remedy-held", "incident-resolved", "incident-reopened"] {
        assert!(codes(&detail).contains(&code), "{code} in {detail:#?}");
    }
    assert!(!detail.finding.unwrap().root.is_empty());
}

/// Purpose: what an operator does to an incident is kept, ordered by revisions, and seen by watchers.
#[tokio::test]
async fn an_operator_takes_notes_and_is_refused_with_a_stale_revision() {
    let mut story = Story::begin(&config(free_port())).await;
    story.agent.line_with("service-started");
    story.signal("web", Signal::KILL).await;
    let id = story.change("incident-resolved").await.incident.unwrap().id;
    let noted = v1::NoteIncidentRequest { id, text: "seen".to_owned() };
    let noted = story.operator.note_incident(noted).await.unwrap().into_inner();
    let stale = v1::AcknowledgeIncidentRequest { id, revision: noted.revision - 1 };
    let refused = story.operator.acknowledge_incident(stale).await.unwrap_err();
    assert_eq!(refused.code(), tonic::Code::FailedPrecondition, "{refused}");
    let unknown = story.operator.get_incident(v1::GetIncidentRequest { id: 999_999 }).await.unwrap_err();
    assert_eq!(unknown.code(), tonic::Code::NotFound, "{unknown}");
}

/// Purpose: a watcher that lost its stream misses nothing.
#[tokio::test]
async fn a_watch_resumes_behind_its_last_token() {
    let mut story = Story::begin(&config(free_port())).await;
    story.agent.line_with("service-started");
    story.signal("web", Signal::KILL).await;
    let first = story.change("incident-opened").await;
    let resolved = story.change("incident-resolved").await;
    let mut again = watch(&mut story.operator, &first.resume_token).await;
    let mut last = String::new();
    while last != resolved.resume_token {
        let change = tokio::time::timeout(PATIENCE, again.message()).await.unwrap().unwrap().unwrap();
        assert_ne!(change.resume_token, first.resume_token, "what was seen does not come again");
        last = change.resume_token;
    }
}

/// Purpose: the agent's own end and return touch no service, and its planned stop is no incident.
#[tokio::test]
async fn an_agent_that_ends_leaves_its_services_and_the_next_adopts_them() {
    let address = free_port();
    let mut story = Story::begin(&config(address)).await;
    story.agent.line_with("service-started");
    assert!(wait_listening(address, PATIENCE));
    let pid = picket_tests::rig::files::processes_with(&format!("__listen {address}"));
    story.home.identity_written("web");
    story.agent.kill();
    story.agent = story.home.start(&[]);
    story.agent.line_with("service-adopted");
    story.agent.end();
    let left = picket_tests::rig::files::processes_with(&format!("__listen {address}"));
    assert_eq!(left, pid, "the service was neither stopped nor started again");
    story.agent = story.home.start(&["--stop-services"]);
    story.agent.line_with("service-adopted");
    let killed = story.signal("web", Signal::KILL).await;
    story.agent.line_with("remedy-held");
    assert_ne!(vec![killed], picket_tests::rig::files::processes_with(&format!("__listen {address}")));
    let numbers: Vec<_> = story.events().await.iter().map(|event| (event.run, event.seq)).collect();
    let distinct: BTreeSet<_> = numbers.iter().copied().collect();
    assert_eq!(numbers.len(), distinct.len(), "no event is there twice");
    story.agent.end();
    assert!(picket_tests::rig::files::processes_with(&format!("__listen {address}")).is_empty());
    assert_eq!(story.incidents().await.len(), 1, "only the kill is an incident");
}
