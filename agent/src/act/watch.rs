//! Sees a process end, and how it ended.
//!
//! A child of the agent stays a zombie until it is reaped here. An adopted one is another's to reap, so its status is
//! waited for, at most 100 ms, and is unknown on kernels before Linux 6.15.

use super::Notice;
use crate::follow::Followed;
use picket_agent_core::service::ServiceIx;
use picket_proto::event::Exit;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::sync::mpsc;

/// For how long an adopted process' status is waited for: its new parent has to reap it first.
const REAP_WAIT: Duration = Duration::from_millis(100);

/// Whose child a process is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Parent {
    /// Ours: it stays a zombie until we reap it.
    Agent,
    /// Another's, since the run that started it is gone: its status is there once that one has reaped it.
    Other,
}

/// Sends a notice when the process has ended.
pub(super) fn watch(
    service: ServiceIx,
    pidfd: Arc<AsyncFd<Followed>>,
    parent: Parent,
    notices: mpsc::Sender<Notice>,
) {
    tokio::spawn(async move {
        // A pidfd that can't be polled is as good as gone: its exit is then told as unknown.
        let ended = pidfd.readable().await.is_ok();
        if ended && parent == Parent::Other {
            let _without_status_it_is_unknown = tokio::time::timeout(REAP_WAIT, reaped(&pidfd)).await;
        }
        let _loop_is_ending_when_nobody_listens = notices.send(Notice::Gone { service }).await;
    });
}

/// Ends when the process is reaped, which a pidfd tells by hanging up.
async fn reaped(pidfd: &AsyncFd<Followed>) {
    while let Ok(mut ready) = pidfd.ready(Interest::READABLE).await {
        if ready.ready().is_read_closed() {
            return;
        }
        ready.clear_ready();
    }
}

/// Reaps a child, or asks the kernel about another's.
pub(super) fn exit_of(pidfd: &Followed) -> Exit {
    match pidfd.reap() {
        Ok(Some(status)) => status
            .exit_status()
            .map(Exit::Code)
            .or_else(|| status.terminating_signal().map(Exit::Signal))
            .unwrap_or(Exit::Unknown),
        Ok(None) | Err(_) => crate::sys::exit_status(pidfd).map_or(Exit::Unknown, from_wait_status),
    }
}

/// The classic encoding: low 7 bits the signal, second byte the exit status.
const fn from_wait_status(status: i32) -> Exit {
    match status & 0x7f {
        0 => Exit::Code(status >> 8 & 0xff),
        signal => Exit::Signal(signal),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_status_is_an_exit_or_a_signal() {
        assert_eq!(from_wait_status(0), Exit::Code(0));
        assert_eq!(from_wait_status(3 << 8), Exit::Code(3));
        assert_eq!(from_wait_status(9), Exit::Signal(9));
        assert_eq!(from_wait_status(6 | 0x80), Exit::Signal(6), "a core dump is still the signal");
    }
}
