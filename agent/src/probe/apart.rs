//! What may hang in the kernel, done in a thread of its own: a file on a dead network mount answers never.
//!
//! At most one thread per check: while one hangs, every look of that check is answered at once with "stuck" and no
//! second thread is taken. The caller bounds the time; one that gives up leaves the thread.

use super::Seen;
use super::hands;
use picket_agent_core::check::Reading;
use picket_proto::event::Cause;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::oneshot;

/// Whether a thread is out for one check.
#[derive(Debug, Clone, Default)]
pub(crate) struct Apart {
    busy: Arc<AtomicBool>,
}

impl Apart {
    /// Looks once.
    pub(crate) async fn look(self, look: impl FnOnce() -> Seen + Send + 'static) -> Seen {
        self.run(look).await.unwrap_or_else(|cause| Reading::Bad(cause).into())
    }

    /// Does something once.
    ///
    /// # Errors
    /// Why it was not done: the thread before still hangs, or none can be had.
    pub(crate) async fn run<T: Send + 'static>(
        self,
        deed: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Cause> {
        if self.busy.swap(true, Ordering::AcqRel) {
            return Err(Cause::Stuck);
        }
        let (answer, asked) = oneshot::channel();
        let busy = Arc::clone(&self.busy);
        let thread = hands::give(move || {
            let done = deed();
            busy.store(false, Ordering::Release);
            let _asker_may_have_given_up = answer.send(done);
        });
        if let Err(error) = thread {
            self.busy.store(false, Ordering::Release);
            return Err(Cause::Local(error.raw_os_error().unwrap_or(libc::EAGAIN)));
        }
        asked.await.map_err(|_| Cause::Local(libc::EIO))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn while_a_thread_is_out_there_is_no_second_one() {
        let apart = Apart::default();
        let (let_go, held) = std::sync::mpsc::channel::<()>();
        let first = tokio::spawn(apart.clone().look(move || {
            held.recv().unwrap();
            Reading::Good.into()
        }));
        while !apart.busy.load(Ordering::Acquire) {
            tokio::task::yield_now().await;
        }
        let second = apart.clone().look(|| Reading::Good.into()).await;
        assert_eq!(second.reading, Reading::Bad(Cause::Stuck));
        let_go.send(()).unwrap();
        assert_eq!(first.await.unwrap().reading, Reading::Good);
        assert_eq!(apart.look(|| Reading::Good.into()).await.reading, Reading::Good, "it is free again");
    }
}
