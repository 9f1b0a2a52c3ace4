//! One watcher's stream: changes from the core to the connection, one Read back for each that was taken.
//!
//! One task per watcher; the core counts what waits and cuts a watcher that reads too slowly. Whatever ends the
//! task, the core hears that the watcher left.

use super::{Door, refusal, render};
use crate::ports::{CHANGES_OUT, Inlet};
use picket_collector_core::view::WatcherId;
use picket_rpc::v1::IncidentChange;
use tokio::sync::{mpsc, oneshot};
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;

/// What a watching call returns.
pub(super) type Changes = ReceiverStream<Result<IncidentChange, Status>>;

/// Starts a watcher's task, to go on behind `after`. The call is answered once the core has the watcher, so that its
/// caller misses nothing of what happens from then on.
pub(super) async fn open(door: Door, after: Option<u64>) -> Changes {
    // One place: what was taken from it, the connection has in hand.
    let (out, stream) = mpsc::channel(1);
    let (seated, is_seated) = oneshot::channel();
    tokio::spawn(forward(door, after, out, seated));
    let _else_the_stream_says_why = is_seated.await;
    ReceiverStream::new(stream)
}

async fn forward(
    door: Door,
    after: Option<u64>,
    out: mpsc::Sender<Result<IncidentChange, Status>>,
    seated: oneshot::Sender<()>,
) {
    let watcher = WatcherId(door.number());
    let (changes, mut pushed) = mpsc::channel(CHANGES_OUT);
    if door.asks.send(Inlet::Watcher { watcher, after, changes, seated }).await.is_err() {
        let _watcher_may_be_gone = out.send(Err(refusal("shutting-down"))).await;
        return;
    }
    loop {
        let pushed = tokio::select! {
            pushed = pushed.recv() => pushed,
            () = out.closed() => None,
        };
        let Some(pushed) = pushed else { break };
        let message = pushed.map(|change| render::change(*change)).map_err(refusal);
        let is_last = message.is_err();
        if out.send(message).await.is_err() || is_last {
            break;
        }
        if door.asks.send(Inlet::Read(watcher)).await.is_err() {
            break;
        }
    }
    let _core_may_be_gone = door.asks.send(Inlet::Left(watcher)).await;
}
