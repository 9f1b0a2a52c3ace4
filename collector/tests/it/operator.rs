//! What an operator sees and does while an agent reports; against the real binary.

#![expect(clippy::unwrap_used, reason = "also outside of the test functions, a panic is how a test fails")]

use crate::common::{Agent, Collector, code, frame};
use picket_proto::event::{Exit, Exited, Fact};
use picket_proto::{Name, Span};
use picket_rpc::v1::{self, collector_message};
use tokio::time::timeout;
use tonic::Code;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;
use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;
use tonic_reflection::pb::v1::server_reflection_response::MessageResponse;
use tonic_reflection::pb::v1::{ServerReflectionRequest, ServerReflectionResponse};

fn died(run: u64, seq: u64) -> Vec<u8> {
    let service: Name = "nginx".parse().unwrap();
    let exited =
        Exited { service, pid: 4711, exit: Exit::Signal(9), ran: Span::from_secs(11_000), asked: false };
    frame(run, seq, Fact::Exited(exited))
}

#[tokio::test]
async fn a_death_reaches_the_watch_with_its_cause_and_takes_orders() {
    let data = tempfile::tempdir().unwrap();
    let collector = Collector::start(data.path());
    let credentials = collector.enrolled("web-1").await;
    let mut operator = collector.operator().await;
    let (agent, _) = Agent::hello(collector.channel(Some(&credentials)).await, 5).await;
    let watch = operator.watch_incidents(v1::WatchIncidentsRequest::default()).await.unwrap();
    let mut watch = watch.into_inner();
    agent.batch(died(5, 1)).await;
    let opened = timeout(crate::common::SOON, watch.message()).await.unwrap().unwrap().unwrap();
    assert_eq!(opened.code, "incident-opened");
    let incident = opened.incident.unwrap();
    assert_eq!(incident.hosts, ["web-1"]);
    assert_eq!(incident.services, ["nginx"]);
    assert!(incident.cause.contains("was killed by SIGKILL"), "{}", incident.cause);

    let acknowledge = |revision| v1::AcknowledgeIncidentRequest { id: incident.id, revision };
    let stale = operator.acknowledge_incident(acknowledge(incident.revision + 7)).await.err().unwrap();
    assert_eq!((stale.code(), code(&stale).as_str()), (Code::FailedPrecondition, "stale-revision"));
    let taken = operator.acknowledge_incident(acknowledge(0)).await.unwrap().into_inner();
    assert_eq!(taken.acknowledged_by, "admin");
    let note = v1::NoteIncidentRequest { id: incident.id, text: "looking\u{1b}[2J".into() };
    operator.note_incident(note).await.unwrap();
    let detail =
        operator.get_incident(v1::GetIncidentRequest { id: incident.id }).await.unwrap().into_inner();
    let codes: Vec<_> = detail.timeline.iter().map(|entry| entry.code.as_str()).collect();
    assert!(codes.contains(&"service-died"), "{codes:?}");
    assert!(detail.timeline.iter().any(|entry| entry.text.contains("looking [2J")), "{detail:?}");
    let none = operator.get_incident(v1::GetIncidentRequest { id: u64::MAX }).await.err().unwrap();
    assert_eq!((none.code(), code(&none).as_str()), (Code::NotFound, "not-found"));
}

#[tokio::test]
async fn a_watch_goes_on_behind_its_token_after_kill_9() {
    let data = tempfile::tempdir().unwrap();
    let collector = Collector::start(data.path());
    let credentials = collector.enrolled("web-1").await;
    let (mut agent, _) = Agent::hello(collector.channel(Some(&credentials)).await, 5).await;
    let mut operator = collector.operator().await;
    let watch = operator.watch_incidents(v1::WatchIncidentsRequest::default()).await.unwrap();
    let mut watch = watch.into_inner();
    agent.batch(died(5, 1)).await;
    agent.acked(1).await;
    let opened = timeout(crate::common::SOON, watch.message()).await.unwrap().unwrap().unwrap();
    let id = opened.incident.unwrap().id;
    operator.note_incident(v1::NoteIncidentRequest { id, text: "while away".into() }).await.unwrap();
    collector.kill();

    let collector = Collector::start(data.path());
    let request = v1::WatchIncidentsRequest { resume_token: opened.resume_token };
    let mut watch = collector.operator().await.watch_incidents(request).await.unwrap().into_inner();
    let mut codes = Vec::new();
    while codes.last().is_none_or(|code| code != "incident-note") {
        let next = timeout(crate::common::SOON, watch.message()).await.unwrap().unwrap().unwrap();
        assert_eq!(next.incident.unwrap().id, id);
        codes.push(next.code);
    }
    assert!(!codes.contains(&"incident-opened".to_owned()), "seen already: {codes:?}");
}

#[tokio::test]
async fn two_machines_with_one_certificate_are_both_put_aside() {
    let data = tempfile::tempdir().unwrap();
    let collector = Collector::start(data.path());
    let credentials = collector.enrolled("web-1").await;
    let (mut first, _) = Agent::hello(collector.channel(Some(&credentials)).await, 5).await;
    let mut second = Agent::silent(collector.channel(Some(&credentials)).await).await.unwrap();
    second.say(v1::agent_message::Message::Hello(crate::common::hello(6))).await;
    for agent in [&mut first, &mut second] {
        let nonce = match agent.next().await.unwrap() {
            collector_message::Message::Challenge(challenge) => challenge.nonce,
            other => panic!("expected Challenge, got {other:?}"),
        };
        agent.say(v1::agent_message::Message::Answer(v1::Answer { nonce })).await;
    }
    assert_eq!(first.refused().await, "quarantined");
    assert_eq!(second.refused().await, "quarantined");
    let mut operator = collector.operator().await;
    let open = v1::ListIncidentsRequest { open_only: true, ..Default::default() };
    let incidents = operator.list_incidents(open).await.unwrap().into_inner().incidents;
    assert_eq!(
        incidents.iter().map(|one| one.severity_rule.as_str()).collect::<Vec<_>>(),
        ["sev-duplicate-identity"]
    );
}

#[tokio::test]
async fn health_and_reflection_answer_whoever_has_a_certificate() {
    let data = tempfile::tempdir().unwrap();
    let collector = Collector::start(data.path());
    let channel = collector.channel(Some(&collector.admin())).await;
    let asked = HealthCheckRequest { service: "picket.v1.Operator".into() };
    let health = HealthClient::new(channel.clone()).check(asked.clone()).await.unwrap().into_inner();
    assert_eq!(health.status(), tonic_health::pb::health_check_response::ServingStatus::Serving);
    let services = listed(ServerReflectionClient::new(channel)).await;
    for service in ["picket.v1.Agents", "picket.v1.Operator", "grpc.health.v1.Health"] {
        assert!(services.contains(&service.to_owned()), "{services:?}");
    }
    let refused = HealthClient::new(collector.channel(None).await).check(asked).await.err().unwrap();
    assert_eq!(code(&refused), "no-certificate");
}

async fn listed(mut client: ServerReflectionClient<tonic::transport::Channel>) -> Vec<String> {
    let message_request = Some(MessageRequest::ListServices(String::new()));
    let request = ServerReflectionRequest { host: String::new(), message_request };
    let mut answers =
        client.server_reflection_info(tokio_stream::iter([request])).await.unwrap().into_inner();
    let answer: ServerReflectionResponse = answers.message().await.unwrap().unwrap();
    match answer.message_response.unwrap() {
        MessageResponse::ListServicesResponse(list) => list.service.into_iter().map(|one| one.name).collect(),
        other => panic!("expected services, got {other:?}"),
    }
}
