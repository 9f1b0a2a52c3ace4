//! Evidence on demand: an operator reads what a service printed last without a way onto its host, as far as that host allows.

use super::story::{Story, codes, program};
use picket_proto::Run;
use picket_rpc::v1::operator_client::OperatorClient;
use picket_rpc::v1::{self, collector_message};
use picket_tests::rig::clock::Since;
use picket_tests::rig::process::PATIENCE;
use picket_tests::rig::scripted::Identity;
use picket_tests::rig::stack::Collector;
use tempfile::TempDir;
use tonic::transport::Channel;

/// A service that prints 100 lines and dies; what stands first belongs to `[collector]`.
fn config(collector: &str) -> String {
    format!(
        "{collector}[host]\nenabled = false\n\n[[service]]\nname = \"web\"\nbackoff_first = \"20ms\"\n\
         backoff_max = \"100ms\"\nsame_deaths = 3\nretry_after = \"1h\"\nhold = \"300ms\"\n\
         command = [\"/bin/sh\", \"-c\", \"i=0; while [ $i -lt 100 ]; do i=$((i + 1)); echo \\\"  line $i\\\"; done; exit 3\"]\n"
    )
}

async fn ask(operator: &mut OperatorClient<Channel>, service: &str) -> Result<String, tonic::Status> {
    let (host, service) = ("web-1".to_owned(), service.to_owned());
    let asked = operator.ask_evidence(v1::AskEvidenceRequest { host, service }).await;
    asked.map(|answer| answer.into_inner().text)
}

/// The refusal, by its status and by the stable code that it begins with.
async fn refused(operator: &mut OperatorClient<Channel>, service: &str, code: &str) -> tonic::Code {
    let status = ask(operator, service).await.expect_err("it is refused");
    assert!(status.message().starts_with(&format!("{code}: ")), "{status}");
    status.code()
}

/// Purpose: the lines come whole and in their order, once; who asked stands in the incident, and what came among the events.
#[tokio::test]
async fn what_a_failed_service_printed_is_read_without_a_way_onto_its_host() {
    let mut story = Story::begin(&config("")).await;
    story.agent.line_with("breaker-open");
    let id = story.change("incident-severity").await.incident.expect("a change has its incident").id;
    let wanted: String = (61..=100).map(|line| format!("  line {line}\n")).collect();
    for _ in 0..2 {
        let told = ask(&mut story.operator, "web").await.unwrap();
        let (whose, lines) = told.split_once('\n').unwrap();
        assert!(whose.starts_with("[pid ") && whose.ends_with(" ago:]"), "{whose}");
        assert_eq!(lines, wanted);
    }
    let detail = story.incident(id).await;
    assert_eq!(codes(&detail).iter().filter(|code| **code == "evidence-asked").count(), 1, "{detail:#?}");
    assert!(!codes(&detail).contains(&"evidence-part"), "its text is not the incident's: {detail:#?}");
    let events = story.events().await;
    let part = events.iter().find(|event| event.code == "evidence-part").expect("parts are events");
    assert_eq!((part.service.as_str(), part.late), ("web", false));
    assert!(part.text.contains("line 100"), "{part:#?}");
    assert_eq!(refused(&mut story.operator, "sshd", "order-stranger").await, tonic::Code::NotFound);
}

/// Purpose: a host that is not there is said to be away, at once.
#[tokio::test]
async fn a_host_that_is_away_can_not_be_asked() {
    let mut story = Story::begin(&config("")).await;
    story.agent.line_with("breaker-open");
    story.agent.end();
    let since = Since::now();
    loop {
        let hosts = story.operator.list_hosts(v1::ListHostsRequest::default()).await;
        let hosts = hosts.expect("operators may list").into_inner().hosts;
        if hosts.iter().all(|host| host.state() != v1::HostState::Connected) {
            break;
        }
        assert!(since.elapsed() < PATIENCE, "its goodbye does not come: {hosts:#?}");
    }
    assert_eq!(refused(&mut story.operator, "web", "order-away").await, tonic::Code::FailedPrecondition);
}

/// Purpose: the host's own file is the law: the operator learns that it forbids this, and nothing is read.
#[tokio::test]
async fn a_host_whose_configuration_forbids_it_gives_nothing() {
    let mut story = Story::begin(&config("evidence = false\n\n")).await;
    story.agent.line_with("breaker-open");
    story.change("incident-severity").await;
    assert_eq!(refused(&mut story.operator, "web", "order-forbidden").await, tonic::Code::PermissionDenied);
    assert!(!story.events().await.iter().any(|event| event.code == "evidence-part"));
}

/// Purpose: over a link that costs money a failure's words stay on the host, which shows them, and come when asked for.
#[tokio::test]
async fn over_a_metered_link_last_words_are_kept_until_they_are_asked_for() {
    let mut story = Story::begin(&config("profile = \"metered\"\n\n")).await;
    let line = story.agent.line_with("\"evidence\"");
    assert!(line.contains("line 100"), "the host's own log tells: {line}");
    story.agent.line_with("breaker-open");
    let id = story.change("incident-severity").await.incident.expect("a change has its incident").id;
    let cause = story.incident(id).await.incident.expect("it is there").cause;
    assert!(cause.ends_with("kept on the host: `picket evidence web-1 web`"), "{cause}");
    let (kept, _) = story.home.ask("events", &[]);
    assert!(kept.contains("line 100"), "{kept}");
    assert!(ask(&mut story.operator, "web").await.unwrap().ends_with("  line 100\n"));
    assert!(!story.events().await.iter().any(|event| event.code == "evidence"));
}

/// Purpose: an agent that knows of no orders is sent none, and the operator is told to upgrade it.
#[tokio::test]
async fn an_older_agent_is_not_asked() {
    let folder = TempDir::new().unwrap();
    let collector = Collector::start(program(), &folder.path().join("collector"));
    let mut operator = collector.operator().await;
    let identity =
        Identity::enrol("web-1", &collector.address, &collector.credentials(), &folder.path().join("id"))
            .await;
    let mut session = identity.open(Run(1)).await.unwrap();
    assert!(matches!(session.hear().await, Ok(collector_message::Message::Welcome(_))));
    assert_eq!(refused(&mut operator, "web", "order-unknown").await, tonic::Code::FailedPrecondition);
}
