//! kill -9 in the middle of a burst: what was acked is there, once, and the state is that of a run without the kill.

mod common;

use common::{Agent, Collector, events, frames, hash, last};
use picket_rpc::v1::collector_message;

const RUN: u64 = 9;
const FRAMES: u64 = 10_000;
const BATCH: u64 = 20;
const KILL_AFTER: u64 = 2_000;

/// Sends everything behind `from` and hands the highest ack to `seen` until that says to stop or the stream ends.
async fn burst(agent: Agent, from: u64, mut seen: impl FnMut(u64) -> bool) {
    let Agent { to, from: mut answers, .. } = agent;
    let sending = tokio::spawn(async move {
        for first in (from + 1..=FRAMES).step_by(BATCH as usize) {
            let batch = picket_rpc::v1::Batch {
                lane: picket_rpc::v1::Lane::Live.into(),
                frames: frames(RUN, first..=(first + BATCH - 1).min(FRAMES), "line"),
            };
            let message = Some(picket_rpc::v1::agent_message::Message::Batch(batch));
            if to.send(picket_rpc::v1::AgentMessage { message }).await.is_err() {
                break;
            }
        }
        to
    });
    while let Ok(Some(message)) = answers.message().await {
        if let Some(collector_message::Message::Ack(ack)) = message.message
            && seen(last(&ack.ranges))
        {
            break;
        }
    }
    sending.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_acked_frame_is_lost_or_doubled_by_kill_9_in_a_burst() {
    let data = tempfile::tempdir().unwrap();
    let collector = Collector::start(data.path());
    let credentials = collector.enrolled("web-1").await;
    let (agent, _) = Agent::hello(collector.channel(Some(&credentials)).await, RUN).await;
    let mut acked = 0;
    let mut victim = Some(collector);
    burst(agent, 0, |upto| {
        acked = upto;
        if upto >= KILL_AFTER
            && let Some(collector) = victim.take()
        {
            collector.kill();
        }
        false
    })
    .await;
    assert!(acked >= KILL_AFTER, "killed after {acked}");
    assert!(acked < FRAMES, "the kill came in the burst");

    let collector = Collector::start(data.path());
    let (agent, known) = Agent::hello(collector.channel(Some(&credentials)).await, RUN).await;
    assert!(last(&known) >= acked, "acked up to {acked}, but only {known:?} is there");
    // The agent sends again from what it saw acked, so some frames come a second time.
    burst(agent, acked / 2, |upto| upto == FRAMES).await;

    let expected: Vec<_> = (1..=FRAMES).rev().map(|seq| (RUN, seq)).collect();
    assert_eq!(events(&collector, "web-1").await, expected);
    let (status, snapshot) = tokio::task::spawn_blocking(move || collector.stop()).await.unwrap();
    assert_eq!(status.code(), Some(0));
    let replayed = hash(data.path());
    assert_eq!(replayed["frames"], FRAMES);
    assert_eq!(replayed["damaged"], 0);
    assert_eq!(replayed["snapshot"], snapshot.as_str());
}
