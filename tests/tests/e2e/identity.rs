//! Who is who: a stolen certificate's second session, tokens used twice.

use super::story::{program, watch};
use picket_proto::Run;
use picket_rpc::v1::{self, agent_message, collector_message};
use picket_tests::rig::process::PATIENCE;
use picket_tests::rig::scripted::{Identity, Session};
use picket_tests::rig::stack::Collector;
use tempfile::TempDir;

/// Answers challenges until the collector ends the session; the status with which it did.
async fn honest(mut session: Session) -> tonic::Status {
    loop {
        match session.hear().await {
            Ok(collector_message::Message::Challenge(challenge)) => {
                session.say(agent_message::Message::Answer(v1::Answer { nonce: challenge.nonce })).await;
            }
            Ok(_) => {}
            Err(status) => return status,
        }
    }
}

/// Purpose: two live sessions of one certificate: both quarantined, one incident, and a person lifts it.
#[tokio::test]
async fn a_stolen_certificate_quarantines_both_sessions_until_a_person_resolves_it() {
    let folder = TempDir::new().unwrap();
    let collector = Collector::start(program(), &folder.path().join("collector"));
    let mut operator = collector.operator().await;
    let mut changes = watch(&mut operator, "").await;
    let identity =
        Identity::enrol("web-1", &collector.address, &collector.credentials(), &folder.path().join("id"))
            .await;
    let first = identity.open(Run(1)).await.unwrap();
    let owner = tokio::spawn(honest(first));
    let thief = tokio::spawn(honest(identity.open(Run(2)).await.unwrap()));
    for ended in [owner, thief] {
        let status = tokio::time::timeout(PATIENCE, ended).await.unwrap().unwrap();
        assert!(status.message().contains("quarantined"), "{status}");
    }
    let change = tokio::time::timeout(PATIENCE, changes.message()).await.unwrap().unwrap().unwrap();
    let incident = change.incident.unwrap();
    assert_eq!(incident.severity_rule, "sev-duplicate-identity");
    assert_eq!(incident.severity(), v1::Severity::P1);
    let refused = honest(identity.open(Run(1)).await.unwrap()).await;
    assert!(refused.message().contains("quarantined"), "{refused}");
    let resolve =
        v1::ResolveIncidentRequest { id: incident.id, revision: 0, text: "key replaced".to_owned() };
    operator.resolve_incident(resolve).await.unwrap();
    let mut again = identity.open(Run(3)).await.unwrap();
    assert!(matches!(again.hear().await, Ok(collector_message::Message::Welcome(_))));
}

/// Purpose: a session whose agent is gone does not stand in its successor's way.
#[tokio::test]
async fn a_dead_session_gives_way_to_the_agents_next_one() {
    let folder = TempDir::new().unwrap();
    let collector = Collector::start(program(), &folder.path().join("collector"));
    let identity =
        Identity::enrol("web-1", &collector.address, &collector.credentials(), &folder.path().join("id"))
            .await;
    let mut silent = identity.open(Run(1)).await.unwrap();
    assert!(matches!(silent.hear().await, Ok(collector_message::Message::Welcome(_))));
    // The first session stays open and answers nothing, as after a power cut that nobody's kernel reported.
    let mut next = identity.open(Run(2)).await.unwrap();
    let asked = tokio::time::timeout(PATIENCE, next.hear()).await.unwrap();
    assert!(matches!(asked, Ok(collector_message::Message::Challenge(_))), "{asked:?}");
    let heard = tokio::time::timeout(PATIENCE, next.hear()).await.unwrap();
    assert!(matches!(heard, Ok(collector_message::Message::Welcome(_))), "{heard:?}");
    drop(silent);
}
