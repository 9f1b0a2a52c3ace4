//! What the next run is to find is written by threads: a disk that hangs must not hold up the loop, which heals.
//!
//! The loop waits for an order to be written, since a killed agent's next run is to find it; usually that takes
//! microseconds. It waits for 50 ms at most, as long as a probe's answer may wait unread, and not again until the
//! thread has caught up. One order is with the thread, one in the channel before it, and behind them one more, which takes in
//! every newer one. A process that ends while its disk hangs is gone only when the kernel lets go of the thread. What is
//! written, and that a failure is told, is the order's own business.

use picket_proto::{Mono, Span};
use std::io;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::time::Duration;

/// The longest that the loop waits.
pub(crate) const WAIT: Duration = Duration::from_millis(50);
/// The threads call nothing deep.
pub(crate) const STACK: usize = 64 * 1024;

/// Something to write.
pub(crate) trait Order: Send + 'static {
    /// What is left to write where `newer` came before this one was.
    fn then(self, newer: Self) -> Self;
}

/// The loop's end.
pub(crate) struct Scribe<O> {
    orders: SyncSender<O>,
    done: Receiver<()>,
    /// How many are with the thread or in the channel before it.
    out: usize,
    /// What there was no place for.
    owed: Option<O>,
    /// Since when the thread is behind, as the loop has seen it.
    behind: Option<Mono>,
}

impl<O: Order> Scribe<O> {
    /// Begins a thread of this name, which writes by `write`.
    ///
    /// # Errors
    /// There can be no more threads.
    pub(crate) fn new(name: &str, mut write: impl FnMut(O) + Send + 'static) -> io::Result<Self> {
        let ((orders, ordered), (tell, done)) = (sync_channel(1), sync_channel(2));
        std::thread::Builder::new().name(name.to_owned()).stack_size(STACK).spawn(move || {
            for order in ordered {
                write(order);
                if tell.send(()).is_err() {
                    return;
                }
            }
        })?;
        Ok(Self { orders, done, out: 0, owed: None, behind: None })
    }

    /// Has this written; it is, as a rule, when this returns.
    pub(crate) fn write(&mut self, order: O) {
        self.owed = Some(match self.owed.take() {
            Some(older) => older.then(order),
            None => order,
        });
        self.catch_up();
        let is_first = self.out == 1 && self.owed.is_none();
        if is_first && self.done.recv_timeout(WAIT).is_ok() {
            self.out = 0;
        }
    }

    /// Hands on what there was no place for. For how long the thread has been behind.
    pub(crate) fn turn(&mut self, now: Mono) -> Span {
        self.catch_up();
        self.behind = if self.out == 0 { None } else { self.behind.or(Some(now)) };
        self.behind.map_or(Span::ZERO, |behind| now.since(behind))
    }

    /// Waits until all is written, for so long at most.
    pub(crate) fn finish(mut self, limit: Duration) {
        self.catch_up();
        while self.out > 0 && self.done.recv_timeout(limit).is_ok() {
            self.out -= 1;
            self.catch_up();
        }
    }

    fn catch_up(&mut self) {
        self.out -= self.done.try_iter().count();
        let Some(order) = self.owed.take() else { return };
        match self.orders.try_send(order) {
            Ok(()) => self.out += 1,
            Err(TrySendError::Full(order) | TrySendError::Disconnected(order)) => self.owed = Some(order),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock;
    use std::sync::mpsc::channel;

    /// A set of numbers: every one of them must be written.
    #[derive(Debug, PartialEq)]
    struct All(Vec<u32>);

    impl Order for All {
        fn then(mut self, newer: Self) -> Self {
            self.0.extend(newer.0);
            self
        }
    }

    #[test]
    fn a_disk_that_hangs_is_waited_for_once_and_gets_all_when_it_goes_on() {
        let (answer, disk) = channel::<()>();
        let (written, all) = channel();
        let write = move |order: All| {
            let _until_the_other_end_is_gone = disk.recv();
            written.send(order.0).unwrap();
        };
        let mut scribe = Scribe::new("test", write).unwrap();
        let begun = clock::now().mono;
        (1..=1_000).for_each(|number| scribe.write(All(vec![number])));
        let took = Duration::from_micros(clock::now().mono.since(begun).micros());
        assert!((WAIT..WAIT * 20).contains(&took), "the first one is waited for, and no other: {took:?}");
        scribe.turn(begun);
        let later = begun.plus(Span::from_secs(9));
        assert_eq!(scribe.turn(later), Span::from_secs(9), "it is known for how long");
        drop(answer);
        scribe.finish(Duration::from_secs(20));
        let mut all: Vec<u32> = all.try_iter().flatten().collect();
        all.sort_unstable();
        assert!(all.into_iter().eq(1..=1_000), "each is written, and once");
    }

    #[test]
    fn what_was_written_is_not_waited_for_any_more() {
        let mut scribe = Scribe::new("test", |_: All| {}).unwrap();
        let now = clock::now().mono;
        scribe.write(All(vec![1]));
        while scribe.turn(now) != Span::ZERO {
            std::thread::yield_now();
        }
        assert_eq!(scribe.turn(now.plus(Span::from_secs(9))), Span::ZERO);
    }
}
