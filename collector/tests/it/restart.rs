//! A collector of many small segments and snapshots is killed again and again: it comes back to the state of a straight
//! replay each time, by a snapshot; and with a limit on bytes its journal stops to grow while it serves.

#![expect(clippy::unwrap_used, reason = "also outside of the test functions, a panic is how a test fails")]

use crate::common::{Agent, Collector, events, frames, hash, last};
use std::path::Path;
use std::time::Duration;

const RUN: u64 = 9;
const BATCH: u64 = 50;
/// From here on batches are paced: snapshots are made at the lowest priority, and a full burst on two busy cores leaves
/// them no time at all.
const BURST: u64 = 20_000;
const PACE: Duration = Duration::from_millis(20);
/// A minute at that pace: what has not happened by then does not.
const FRAMES_MAX: u64 = BURST + 3_000 * BATCH;
const SMALL: [&str; 4] = ["--segment-bytes", "131072", "--snapshot-bytes", "65536"];

/// Sends batches, each after the ack of the one before, until `enough` says so. Returns the last number acked.
async fn feed(agent: &mut Agent, mut acked: u64, enough: impl Fn() -> bool) -> u64 {
    let begun = acked;
    while !enough() {
        assert!(acked - begun < FRAMES_MAX, "nothing came of {acked} frames");
        if acked - begun > BURST {
            let _only_time_ends_it = tokio::time::timeout(PACE, std::future::pending::<()>()).await;
        }
        agent.batch(frames(RUN, acked + 1..=acked + BATCH, "line")).await;
        acked += BATCH;
        agent.acked(acked).await;
    }
    acked
}

/// The snapshots of a folder, oldest first, by their index.
fn snapshots(data: &Path) -> Vec<u64> {
    let names = std::fs::read_dir(data.join("snapshots")).into_iter().flatten().flatten();
    let number = |name: String| name.strip_prefix("snapshot-")?.parse().ok();
    let mut found: Vec<u64> =
        names.filter_map(|entry| number(entry.file_name().to_string_lossy().into_owned())).collect();
    found.sort_unstable();
    found
}

fn journals(data: &Path) -> (usize, u64) {
    let names = std::fs::read_dir(data.join("journal")).unwrap().flatten();
    let found: Vec<_> = names.filter(|entry| entry.file_name().to_string_lossy().ends_with(".db")).collect();
    (found.len(), found.iter().filter_map(|entry| entry.metadata().ok()).map(|found| found.len()).sum())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_collector_comes_back_by_its_snapshot_with_the_state_of_a_straight_replay() {
    let data = tempfile::tempdir().unwrap();
    let mut collector = Collector::start_with(data.path(), &SMALL);
    let credentials = collector.enrolled("web-1").await;
    let mut all = 0;
    for _round in 0..4 {
        let (mut agent, known) = Agent::hello(collector.channel(Some(&credentials)).await, RUN).await;
        assert!(last(&known) >= all, "acked up to {all}, but only {known:?} is there");
        let newest = snapshots(data.path()).last().copied().unwrap_or(0);
        all = feed(&mut agent, last(&known), || snapshots(data.path()).last() > Some(&newest)).await;
        collector.kill();
        let found = hash(data.path());
        assert_eq!(found["resumed"], found["snapshot"], "{found}");
        assert_ne!(found["resumed_from"], 0, "{found}");
        assert_eq!((&found["damaged"], &found["missing"]), (&0.into(), &0.into()), "{found}");
        collector = Collector::start_with(data.path(), &SMALL);
    }
    assert!(journals(data.path()).0 > 2, "{:?}", journals(data.path()));
    let expected: Vec<_> = (1..=all).rev().map(|seq| (RUN, seq)).collect();
    assert_eq!(events(&collector, "web-1").await, expected, "queries walk over all segments");
    let (status, digest) = tokio::task::spawn_blocking(move || collector.stop()).await.unwrap();
    assert_eq!(status.code(), Some(0));
    assert_eq!(hash(data.path())["resumed"], digest.as_str());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_limit_on_bytes_keeps_the_journal_small_and_queries_say_since_when() {
    let data = tempfile::tempdir().unwrap();
    let args = [&SMALL[..], &["--keep-bytes", "600000"]].concat();
    let collector = Collector::start_with(data.path(), &args);
    let credentials = collector.enrolled("web-1").await;
    let (mut agent, _) = Agent::hello(collector.channel(Some(&credentials)).await, RUN).await;
    let first = data.path().join("journal/journal-000000000001.db");
    let all = feed(&mut agent, 0, || !first.exists()).await;
    let found = events(&collector, "web-1").await;
    assert!(found.len() < usize::try_from(all).unwrap(), "old events are gone");
    let oldest = found.last().unwrap().1;
    let expected: Vec<_> = (oldest..=all).rev().map(|seq| (RUN, seq)).collect();
    assert_eq!(found, expected, "what is kept is whole");
    let request = picket_rpc::v1::ListEventsRequest { page_size: 500, ..Default::default() };
    let mut token = String::new();
    let since = loop {
        let request = picket_rpc::v1::ListEventsRequest { page_token: token, ..request.clone() };
        let page = collector.operator().await.list_events(request).await.unwrap().into_inner();
        token = page.next_page_token;
        if token.is_empty() {
            break page.kept_since;
        }
        assert_eq!(page.kept_since, None, "only the last page ends there");
    };
    assert!(since.is_some());
    // The state knows all of it, also after a kill.
    collector.kill();
    let collector = Collector::start_with(data.path(), &args);
    let (_agent, known) = Agent::hello(collector.channel(Some(&credentials)).await, RUN).await;
    assert_eq!(last(&known), all);
}
