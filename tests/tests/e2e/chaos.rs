//! Faults at random moments, and the two stories that they must not break: a death during a cut still pages, and a
//! recovery that was lost still closes its incident.

use super::story::{Story, program};
use picket_rpc::v1;
use picket_tests::chaos;
use picket_tests::rig::clock::Since;
use picket_tests::rig::process::PATIENCE;

/// A share of what `chaos --runs 200` does by hand.
const RUNS: u64 = 4;

/// Purpose: agent and collector killed, link cut, services killed, all at random: every frame exactly once or in a
/// gap, and the state at the end is that of a run without it.
#[tokio::test]
async fn whatever_is_killed_or_cut_every_event_is_there_once_or_in_a_gap() {
    let first = u64::from(std::process::id()) * 1_000;
    for seed in first..first + RUNS {
        println!("seed {seed}");
        let report = chaos::run(program(), seed).await;
        assert!(report.violations.is_empty(), "{:#?}", report.violations);
        assert!(report.told > 0 && report.faults.iter().sum::<u64>() >= 8, "{report:?}");
    }
}

/// A service that lives as long as the file is there, and whose restarts fail without it.
fn mortal(file: &str) -> String {
    format!(
        "[host]\nenabled = false\n\n[[service]]\nname = \"web\"\n\
         command = [\"/bin/sh\", \"-c\", \"test -e {file} || exit 7; exec sleep 1000\"]\nhold = \"200ms\"\n\
         backoff_first = \"10ms\"\nbackoff_max = \"20ms\"\nsame_deaths = 3\nretry_after = \"1s\"\n"
    )
}

/// The first incident that is not over.
async fn open(story: &mut Story) -> Option<v1::Incident> {
    let request = v1::ListIncidentsRequest { open_only: true, ..Default::default() };
    story.operator.list_incidents(request).await.ok()?.into_inner().incidents.into_iter().next()
}

/// Purpose: late news never page, but what still stands does.
#[tokio::test]
async fn a_service_that_died_while_the_link_was_cut_still_pages() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("alive");
    std::fs::write(&file, "").unwrap();
    let (mut story, relay) = Story::behind_a_relay(&mortal(file.to_str().unwrap())).await;
    story.alive("web").await;
    relay.cut();
    story.agent.line_with("link-");
    std::fs::remove_file(&file).unwrap();
    story.signal("web", rustix::process::Signal::KILL).await;
    story.agent.line_with("breaker-open");
    assert!(open(&mut story).await.is_none(), "the collector can't know yet");
    relay.heal();
    let since = Since::now();
    let incident = loop {
        if let Some(incident) =
            open(&mut story).await.filter(|incident| incident.severity() == v1::Severity::P1)
        {
            break incident;
        }
        assert!(since.elapsed() < PATIENCE, "what stands must page: {:#?}", story.incidents().await);
    };
    assert!(!incident.late && incident.state() == v1::IncidentState::Open, "{incident:#?}");
    assert!(incident.outcome.contains("not healed"), "{incident:#?}");
}

/// Purpose: the collector reconciles with what stands, so that a recovery nobody will ever tell closes its incident.
#[tokio::test]
async fn a_recovery_that_was_lost_in_a_gap_closes_its_incident() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("alive");
    std::fs::write(&file, "").unwrap();
    let (mut story, relay) = Story::behind_a_relay(&mortal(file.to_str().unwrap())).await;
    story.alive("web").await;
    std::fs::remove_file(&file).unwrap();
    story.signal("web", rustix::process::Signal::KILL).await;
    story.agent.line_with("breaker-open");
    let since = Since::now();
    while open(&mut story).await.is_none_or(|incident| incident.severity() != v1::Severity::P1) {
        assert!(since.elapsed() < PATIENCE, "the death opens no incident");
    }
    relay.cut();
    story.agent.line_with("link-");
    std::fs::write(&file, "").unwrap();
    story.agent.line_with("breaker-closed");
    story.agent.kill();
    lose_the_spool(&story.home.state());
    story.agent = story.home.start(&["--stop-services", "--die-with-parent"]);
    relay.heal();
    let since = Since::now();
    while open(&mut story).await.is_some() {
        assert!(since.elapsed() < PATIENCE, "it stays open: {:#?}", story.incidents().await);
    }
    // What stands is told first, what is lost a moment later.
    let events = loop {
        let events = story.events().await;
        if events.iter().any(|event| event.lost.is_some()) {
            break events;
        }
        assert!(since.elapsed() < PATIENCE, "the loss is not named: {events:#?}");
    };
    // The next run may tell that its breaker closed; of the run that closed it nobody will ever tell.
    let run = events.iter().find(|event| event.code == "breaker-open").map(|event| event.run);
    let told = events.iter().any(|event| event.code == "breaker-closed" && Some(event.run) == run);
    assert!(run.is_some() && !told, "it was lost: {events:#?}");
}

/// What a dead disk does to the frames that waited.
fn lose_the_spool(state: &std::path::Path) {
    let spool = state.join("spool");
    if spool.exists() {
        std::fs::remove_dir_all(spool).unwrap();
    }
}
