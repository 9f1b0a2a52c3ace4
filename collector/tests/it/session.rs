//! What a session may say, and that nothing else changes anything; against the real binary.

use crate::common::{Agent, Collector, events, frames, hash, hello};
use picket_rpc::v1::{self, agent_message};

#[tokio::test]
async fn what_is_acked_is_journaled_once_however_often_it_is_sent() {
    let data = tempfile::tempdir().unwrap();
    let collector = Collector::start(data.path());
    let credentials = collector.enrolled("web-1").await;
    let (mut agent, _) = Agent::hello(collector.channel(Some(&credentials)).await, 5).await;
    agent.batch(frames(5, 1..=50, "line")).await;
    agent.acked(50).await;
    agent.batch(frames(5, 1..=50, "line")).await;
    agent.batch(frames(5, 41..=60, "line")).await;
    agent.acked(60).await;
    let expected: Vec<_> = (1..=60).rev().map(|seq| (5, seq)).collect();
    assert_eq!(events(&collector, "web-1").await, expected);
}

#[tokio::test]
async fn bytes_that_are_no_sound_frames_end_the_session_and_change_nothing() {
    let data = tempfile::tempdir().unwrap();
    let collector = Collector::start(data.path());
    let credentials = collector.enrolled("web-1").await;
    let mut flipped = frames(5, 1..=3, "line");
    let last = flipped.len() - 1;
    flipped[last] ^= 1;
    let torn = frames(5, 1..=3, "line")[..last].to_vec();
    for bad in [b"not a frame".to_vec(), flipped, torn] {
        let (mut agent, known) = Agent::hello(collector.channel(Some(&credentials)).await, 5).await;
        assert!(known.is_empty());
        agent.batch(bad).await;
        assert_eq!(agent.refused().await, "bad-frame");
    }
    assert_eq!(events(&collector, "web-1").await, []);
    assert_eq!(collector.stop().0.code(), Some(0));
    assert_eq!(hash(data.path())["frames"], 0);
}

/// Each reason is believed for what it says, one of a newer agent for a stop; a removal outlives a restart of the collector.
#[tokio::test]
async fn a_goodbye_says_whether_the_host_is_awaited() {
    let data = tempfile::tempdir().unwrap();
    let mut collector = Collector::start(data.path());
    for (host, reason, state) in [
        ("web-1", v1::GoodbyeReason::Stopped.into(), v1::HostState::Stopped),
        ("web-2", v1::GoodbyeReason::Removed.into(), v1::HostState::Retired),
        ("web-3", 99, v1::HostState::Stopped),
    ] {
        let credentials = collector.enrolled(host).await;
        let (agent, _) = Agent::hello(collector.channel(Some(&credentials)).await, 5).await;
        agent.say(agent_message::Message::Goodbye(v1::Goodbye { reason })).await;
        assert_eq!(until_gone(&collector, host).await, state, "{host}");
    }
    collector.kill();
    collector = Collector::start(data.path());
    assert_eq!(until_gone(&collector, "web-2").await, v1::HostState::Retired);
}

/// The state of a host once it is no more connected.
#[expect(clippy::unwrap_used, reason = "a test that can't go on ends there, and the line says where")]
async fn until_gone(collector: &Collector, host: &str) -> v1::HostState {
    let gone = async {
        loop {
            let mut operator = collector.operator().await;
            let listed = operator.list_hosts(v1::ListHostsRequest::default()).await.unwrap().into_inner();
            let state = listed.hosts.iter().find(|known| known.host == host).unwrap().state();
            if state != v1::HostState::Connected {
                return state;
            }
        }
    };
    tokio::time::timeout(crate::common::SOON, gone).await.unwrap()
}

#[tokio::test]
async fn messages_out_of_order_or_out_of_bounds_are_refused_by_name() {
    let data = tempfile::tempdir().unwrap();
    let collector = Collector::start(data.path());
    let credentials = collector.enrolled("web-1").await;
    let mut early = Agent::silent(collector.channel(Some(&credentials)).await).await.unwrap();
    early.batch(frames(5, 1..=1, "line")).await;
    assert_eq!(early.refused().await, "hello-first");

    let mut nameless = Agent::silent(collector.channel(Some(&credentials)).await).await.unwrap();
    let watched = vec![v1::Watched { check: "a b".into(), kind: 1, service: String::new() }];
    nameless.say(agent_message::Message::Hello(v1::Hello { watched, ..hello(5) })).await;
    assert_eq!(nameless.refused().await, "bad-message");

    let (mut twice, _) = Agent::hello(collector.channel(Some(&credentials)).await, 5).await;
    twice.say(agent_message::Message::Hello(hello(5))).await;
    assert_eq!(twice.refused().await, "bad-message");

    let (mut long, _) = Agent::hello(collector.channel(Some(&credentials)).await, 5).await;
    long.batch(vec![0; 64 * 1024 + 1]).await;
    assert_eq!(long.refused().await, "too-large");

    let (mut longer, _) = Agent::hello(collector.channel(Some(&credentials)).await, 5).await;
    longer.batch(vec![0; 700 * 1024]).await;
    assert_eq!(longer.refused().await, "too-large");
}

#[tokio::test]
async fn an_orderly_end_tells_everybody_and_leaves_a_journal_that_replays_to_the_same_state() {
    let data = tempfile::tempdir().unwrap();
    let collector = Collector::start(data.path());
    let credentials = collector.enrolled("web-1").await;
    let (mut agent, _) = Agent::hello(collector.channel(Some(&credentials)).await, 5).await;
    agent.batch(frames(5, 1..=10, "line")).await;
    agent.acked(10).await;
    let request = v1::WatchIncidentsRequest::default();
    let mut watch = collector.operator().await.watch_incidents(request).await.unwrap().into_inner();
    let (status, snapshot) = tokio::task::spawn_blocking(move || collector.stop()).await.unwrap();
    assert_eq!(status.code(), Some(0));
    assert_eq!(agent.refused().await, "shutting-down");
    let cut = loop {
        match watch.message().await {
            Ok(Some(_change)) => {}
            Ok(None) => panic!("the watch ends with a reason"),
            Err(status) => break status,
        }
    };
    assert_eq!(crate::common::code(&cut), "shutting-down");
    assert!(!data.path().join("collector.addr").exists());
    assert_eq!(hash(data.path())["snapshot"], snapshot.as_str());
}
