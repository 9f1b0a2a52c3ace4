//! kill -9 in the middle of a burst: what was acked is there, once, and the state is that of a run without the kill.

use crate::common::{Agent, Collector, events, frames, hash, last};
use picket_rpc::v1::{self, agent_message, collector_message};

const RUN: u64 = 9;
const BATCH: u64 = 20;
const KILL_AFTER: u64 = 2_000;
const MORE: u64 = 1_000;

/// Sends frames from `from` to `to`, and hands the highest ack to `seen` until that says to stop or the stream ends.
async fn burst(agent: Agent, from: u64, upto: u64, mut seen: impl FnMut(u64) -> bool) {
    let Agent { to, from: mut answers, .. } = agent;
    let sending = tokio::spawn(async move {
        for first in (from..=upto).step_by(20) {
            let frames = frames(RUN, first..=(first + BATCH - 1).min(upto), "line");
            let batch = v1::Batch { lane: v1::Lane::Live.into(), frames };
            let message = Some(agent_message::Message::Batch(batch));
            if to.send(v1::AgentMessage { message }).await.is_err() {
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
    // The burst has no end of its own, so the kill comes in the middle of it however fast the disk is.
    burst(agent, 1, u64::MAX, |upto| {
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

    let collector = Collector::start(data.path());
    let (agent, known) = Agent::hello(collector.channel(Some(&credentials)).await, RUN).await;
    let journaled = last(&known);
    assert!(journaled >= acked, "acked up to {acked}, but only {known:?} is there");
    // The agent sends again from long before what it saw acked, so many frames come a second time.
    let all = journaled + MORE;
    burst(agent, acked / 2, all, |upto| upto == all).await;

    let expected: Vec<_> = (1..=all).rev().map(|seq| (RUN, seq)).collect();
    assert_eq!(events(&collector, "web-1").await, expected);
    let (status, snapshot) = tokio::task::spawn_blocking(move || collector.stop()).await.unwrap();
    assert_eq!(status.code(), Some(0));
    let replayed = hash(data.path());
    assert_eq!(replayed["frames"], all);
    assert_eq!(replayed["damaged"], 0);
    assert_eq!(replayed["snapshot"], snapshot.as_str());
}
