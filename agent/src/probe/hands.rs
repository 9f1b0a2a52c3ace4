//! Threads for what may hang in the kernel: one that is free takes the next deed, else a new one is made.
//!
//! Making a thread costs more than most looks that need one, and on a host at rest the same few looks come at every
//! interval. So a thread that is done waits 15 s for another deed, longer than the usual interval of 10 s; three at
//! most wait at once, one for each of the host's own looks that need one, at 64 KiB of stack, of which two pages are
//! used. How many are out is bounded by who asks: [`super::apart`] has one deed out per check. A deed never waits for
//! another: it is handed only to a thread that waits (a channel without places). One that is spoken to in the instant
//! before it waits, or after, is passed over, and ends when its time is over.

use std::io;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::time::Duration;

const STACK: usize = 64 * 1024;
/// Threads that wait at once.
const FREE: usize = 3;
const LINGER: Duration = Duration::from_secs(15);

type Deed = Box<dyn FnOnce() + Send>;

thread_local! {
    /// Of the thread that asks: the loop's.
    static HANDS: Hands = Hands::new();
}

/// Has it done, beside all else.
///
/// # Errors
/// It needs a new thread, and there can be none.
pub(super) fn give(deed: impl FnOnce() + Send + 'static) -> io::Result<()> {
    HANDS.with(|hands| hands.give(Box::new(deed)))
}

/// Threads, by how those that wait are spoken to.
struct Hands {
    free: Receiver<SyncSender<Deed>>,
    waits: SyncSender<SyncSender<Deed>>,
}

impl Hands {
    fn new() -> Self {
        let (waits, free) = sync_channel(FREE);
        Self { free, waits }
    }

    fn give(&self, mut deed: Deed) -> io::Result<()> {
        while let Ok(thread) = self.free.try_recv() {
            match thread.try_send(deed) {
                Ok(()) => return Ok(()),
                Err(TrySendError::Full(back) | TrySendError::Disconnected(back)) => deed = back,
            }
        }
        let waits = self.waits.clone();
        let thread = std::thread::Builder::new().name("look".to_owned()).stack_size(STACK);
        thread.spawn(move || {
            deed();
            while let Some(next) = next(&waits) {
                next();
            }
        })?;
        Ok(())
    }
}

/// Waits for another deed; none if none comes in time, or enough others wait.
fn next(waits: &SyncSender<SyncSender<Deed>>) -> Option<Deed> {
    let (speak, spoken) = sync_channel(0);
    waits.try_send(speak).ok()?;
    spoken.recv_timeout(LINGER).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use std::sync::mpsc::{Sender, channel};

    /// Has it say which thread it is, and stay until it is let go.
    fn hang(hands: &Hands, say: &Sender<String>) -> Sender<()> {
        let (let_go, held) = channel::<()>();
        let say = say.clone();
        let deed = move || {
            say.send(format!("{:?}", std::thread::current().id())).unwrap();
            let _let_go = held.recv();
        };
        hands.give(Box::new(deed)).unwrap();
        let_go
    }

    #[test]
    fn a_thread_that_is_free_takes_the_next_deed() {
        let (hands, (say, said)) = (Hands::new(), channel());
        let mut threads = BTreeSet::new();
        // One that is spoken to in the instant before it waits is passed over, so the first may not be the one.
        let again = (0..100_000).find(|_| {
            drop(hang(&hands, &say));
            std::thread::yield_now();
            !threads.insert(said.recv().unwrap())
        });
        assert!(again.is_some(), "100,000 deeds had a thread each");
    }

    #[test]
    fn no_deed_waits_for_one_that_hangs_and_only_a_few_threads_wait() {
        let (hands, (say, said)) = (Hands::new(), channel());
        let hanging: Vec<_> = (0..10).map(|_| hang(&hands, &say)).collect();
        let threads: BTreeSet<_> = said.iter().take(10).collect();
        assert_eq!(threads.len(), 10, "each has a thread of its own");
        drop(hanging);
        let waiting: Vec<_> = hands.free.iter().take(FREE).collect();
        assert_eq!(waiting.len(), FREE, "those are of use again");
        for thread in waiting {
            let (let_go, held) = channel::<()>();
            let mut deed: Deed = Box::new(move || drop(let_go));
            // It said that it waits a moment before it does.
            while let Err(TrySendError::Full(back)) = thread.try_send(deed) {
                deed = back;
                std::thread::yield_now();
            }
            assert!(held.recv().is_err(), "it was done");
        }
    }
}
