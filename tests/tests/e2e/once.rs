//! Exactly once: a collector killed in a burst, a resend, a clone of the run.

use super::story::program;
use picket_proto::Run;
use picket_proto::event::{Fact, Started};
use picket_rpc::v1;
use picket_tests::rig::client;
use picket_tests::rig::scripted::{self, Identity, Session};
use picket_tests::rig::stack::Collector;
use std::collections::BTreeMap;
use std::path::Path;
use tempfile::TempDir;

const RUN: Run = Run(0xC0FFEE);

fn frames(first: u64, last: u64, pid: u32) -> Vec<u8> {
    let fact = || Fact::Started(Started { service: "web".parse().unwrap(), pid, adopted: false });
    (first..=last).flat_map(|seq| scripted::frame(RUN, seq, fact())).collect()
}

async fn enrolled(folder: &Path) -> (Collector, Identity) {
    let collector = Collector::start(program(), &folder.join("collector"));
    let credentials = collector.credentials();
    let identity = Identity::enrol("web-1", &collector.address, &credentials, &folder.join("id")).await;
    (collector, identity)
}

async fn journaled(collector: &Collector) -> BTreeMap<u64, usize> {
    let mut seen = BTreeMap::new();
    for event in client::events(&mut collector.operator().await).await.unwrap() {
        *seen.entry(event.seq).or_insert(0) += 1;
    }
    seen
}

/// Sends `first..=last` in batches of 20; true if all were acked.
async fn burst(session: &mut Session, first: u64, last: u64) -> bool {
    for at in (first..=last).step_by(20) {
        if !session.batch(v1::Lane::Live, frames(at, (at + 19).min(last), 1)).await {
            return false;
        }
    }
    session.acked(last).await.is_ok()
}

/// Purpose: acked means journaled; what was not acked comes again and is taken once.
#[tokio::test]
async fn a_collector_killed_in_a_burst_has_every_event_exactly_once() {
    const ALL: u64 = 2_000;
    let folder = TempDir::new().unwrap();
    let (mut collector, identity) = enrolled(folder.path()).await;
    for killed_after in [1, 400, 900, 1_500] {
        let mut session = identity.at(&collector.address).open(RUN).await.unwrap();
        let feeding = tokio::spawn(async move { burst(&mut session, 1, ALL).await });
        wait_for_frames(&collector, killed_after).await;
        collector.process.kill();
        let _cut_short_or_done = feeding.await.unwrap();
        collector.again();
    }
    let mut session = identity.at(&collector.address).open(RUN).await.unwrap();
    assert!(burst(&mut session, 1, ALL).await);
    let seen = journaled(&collector).await;
    assert_eq!(seen.len() as u64, ALL);
    assert!(seen.values().all(|times| *times == 1), "{seen:?}");
    assert!(collector.process.end().success());
    let ended = collector.process.line_with("\"snapshot\"");
    let replayed = Collector::hash(program(), &folder.path().join("collector"));
    assert_eq!(
        Collector::snapshot(&ended),
        Collector::snapshot(&replayed),
        "five lives with four kills between, and one straight through"
    );
}

/// Waits until the collector has journaled at least `count` frames of the host.
async fn wait_for_frames(collector: &Collector, count: u64) {
    let mut operator = collector.operator().await;
    let limit = picket_tests::rig::process::PATIENCE;
    let since = picket_tests::rig::clock::Since::now();
    while since.elapsed() < limit {
        let hosts = operator.list_hosts(v1::ListHostsRequest::default()).await.unwrap().into_inner().hosts;
        if hosts.iter().any(|host| host.frames >= count) {
            return;
        }
    }
    panic!("{count} frames are not journaled in time");
}

/// Purpose: the same frames again are a repeat: acked, not journaled again.
#[tokio::test]
async fn a_resend_is_acked_and_not_journaled_again() {
    let folder = TempDir::new().unwrap();
    let (collector, identity) = enrolled(folder.path()).await;
    let mut session = identity.open(RUN).await.unwrap();
    for _ in 0..3 {
        assert!(session.batch(v1::Lane::Live, frames(1, 10, 1)).await);
        session.acked(10).await.unwrap();
    }
    assert_eq!(journaled(&collector).await, (1..=10).map(|seq| (seq, 1)).collect());
}

/// Purpose: other content under the same numbers (a clone of the run) is a gap that is named, never a repeat.
#[tokio::test]
async fn a_clone_of_the_run_is_named_as_a_conflict_and_shadows_nothing() {
    let folder = TempDir::new().unwrap();
    let (collector, identity) = enrolled(folder.path()).await;
    let mut session = identity.open(RUN).await.unwrap();
    assert!(session.batch(v1::Lane::Live, frames(1, 10, 1)).await);
    session.acked(10).await.unwrap();
    drop(session);
    let mut clone = identity.open(RUN).await.unwrap();
    assert!(clone.batch(v1::Lane::Live, frames(5, 12, 2)).await);
    clone.acked(12).await.unwrap();
    let hosts =
        collector.operator().await.list_hosts(v1::ListHostsRequest::default()).await.unwrap().into_inner();
    assert_eq!((hosts.hosts[0].frames, hosts.hosts[0].frames_lost), (12, 6), "{hosts:#?}");
}
