//! What waits: effects until what they show is durable, entries until they are journaled.
//!
//! Every effect waits for the record that was the last one when it was made, so that they leave in order. What others
//! may see is bounded by what is refused at the limits in [`crate::store`]: each record makes at most one change per
//! incident and code, each question has a token of the shell, and a watcher has at most 256 changes on the way.

use super::{Entry, Fact, Order};
use crate::Effect;
use crate::record::Record;
use alloc::boxed::Box;
use alloc::collections::VecDeque;
use picket_proto::{Mono, Span};

/// Most entries that wait to be journaled.
pub(crate) const WAITING_MAX: usize = 4_096;
/// Most bytes that wait to be journaled.
pub(crate) const WAITING_BYTES_MAX: usize = 16 * 1024 * 1024;
const RETRY_FIRST: Span = Span::from_secs(1);
const RETRY_MAX: Span = Span::from_secs(30);

/// Whether the journal can be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Health {
    Good,
    /// It could not; it is tried again at this time.
    Failed {
        again: Mono,
        wait: Span,
    },
    /// It is being tried again.
    Retried {
        wait: Span,
    },
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Outbox {
    ready: VecDeque<Effect>,
    held: VecDeque<(u64, Effect)>,
    waiting: VecDeque<(u64, usize)>,
    waiting_bytes: usize,
    durable: u64,
    health: Health,
}

impl Outbox {
    /// Nothing waits, all that was replayed is durable.
    pub(crate) const fn new() -> Self {
        Self {
            ready: VecDeque::new(),
            held: VecDeque::new(),
            waiting: VecDeque::new(),
            waiting_bytes: 0,
            durable: 0,
            health: Health::Good,
        }
    }

    /// A record that was replayed is durable.
    pub(crate) fn replayed(&mut self, index: u64) {
        self.durable = index;
    }

    /// Says it at once.
    pub(crate) fn now(&mut self, effect: Effect) {
        self.ready.push_back(effect);
    }

    /// Says it when the record `index` is durable.
    pub(crate) fn when_durable(&mut self, index: u64, effect: Effect) {
        let answers_from_memory = !self.is_good() && matches!(effect, Effect::Reply(_));
        if index <= self.durable || answers_from_memory {
            self.ready.push_back(effect);
        } else {
            self.held.push_back((index, effect));
        }
    }

    /// Journals an entry.
    pub(crate) fn append(&mut self, entry: Box<Entry>) {
        let bytes = size_of(&entry.record);
        self.waiting.push_back((entry.index, bytes));
        self.waiting_bytes += bytes;
        self.ready.push_back(Effect::Store(Order::Append(entry)));
    }

    /// The next thing to do.
    pub(crate) fn poll(&mut self) -> Option<Effect> {
        self.ready.pop_front()
    }

    /// Whether the journal can be written, as far as is known.
    pub(crate) fn is_good(&self) -> bool {
        self.health == Health::Good
    }

    /// How many entries wait to be durable, and about how many bytes they have.
    pub(crate) fn waiting(&self) -> (u32, u64) {
        (u32::try_from(self.waiting.len()).unwrap_or(u32::MAX), self.waiting_bytes as u64)
    }

    /// Why nothing more is taken; `None` if there is room.
    pub(crate) fn refusal(&self) -> Option<&'static str> {
        if self.waiting.len() < WAITING_MAX && self.waiting_bytes < WAITING_BYTES_MAX {
            return None;
        }
        Some(if self.is_good() { "too-many" } else { "store-full" })
    }

    /// Takes what the journal did; `last` is the last record that was made.
    pub(crate) fn on(&mut self, now: Mono, fact: Fact, last: u64) {
        match fact {
            Fact::Journaled { upto } => self.journaled(upto.min(last)),
            Fact::Failed { full: _ } => self.failed(now),
        }
    }

    fn journaled(&mut self, upto: u64) {
        if upto <= self.durable {
            return;
        }
        self.durable = upto;
        self.health = Health::Good;
        while self.waiting.front().is_some_and(|(index, _)| *index <= upto) {
            let bytes = self.waiting.pop_front().map_or(0, |(_, bytes)| bytes);
            self.waiting_bytes = self.waiting_bytes.saturating_sub(bytes);
        }
        while self.held.front().is_some_and(|(index, _)| *index <= upto) {
            self.ready.extend(self.held.pop_front().map(|(_, effect)| effect));
        }
    }

    fn failed(&mut self, now: Mono) {
        let wait = match self.health {
            Health::Good => RETRY_FIRST,
            Health::Failed { .. } => return,
            Health::Retried { wait } => wait.times(2).min(RETRY_MAX),
        };
        self.health = Health::Failed { again: now.plus(wait), wait };
        // Questions are answered from memory while the journal fails; all else waits on.
        let held = core::mem::take(&mut self.held);
        for (index, effect) in held {
            self.when_durable(index, effect);
        }
    }

    /// When the journal is to be tried again.
    pub(crate) fn deadline(&self) -> Option<Mono> {
        match self.health {
            Health::Failed { again, .. } => Some(again),
            Health::Good | Health::Retried { .. } => None,
        }
    }

    /// Tries the journal again if it is time.
    pub(crate) fn on_time(&mut self, now: Mono) {
        if let Health::Failed { again, wait } = self.health
            && again <= now
        {
            self.health = Health::Retried { wait };
            self.ready.push_back(Effect::Store(Order::Retry));
        }
    }
}

/// About as many bytes as the record takes in the journal.
fn size_of(record: &Record) -> usize {
    const SMALL: usize = 128;
    match record {
        Record::Frames { frames, .. } => SMALL + frames.len(),
        Record::Opened { hello, .. } => SMALL + hello.watched.len() * SMALL,
        Record::Standing { checks, .. } => SMALL + checks.len() * SMALL,
        Record::Stands { checks, .. } => {
            SMALL + checks.iter().map(|check| SMALL + check.said.as_str().len()).sum::<usize>()
        }
        Record::Silent { hosts } | Record::Back { hosts } => SMALL + hosts.len() * 64,
        Record::Commanded { .. } => 1_024 + SMALL,
        Record::Resumed { .. }
        | Record::Minted { .. }
        | Record::Enrolled { .. }
        | Record::Conflict { .. }
        | Record::Damaged { .. }
        | Record::StandingEnd { .. }
        | Record::Goodbye { .. }
        | Record::Retired { .. }
        | Record::Closed { .. }
        | Record::Duplicate { .. }
        | Record::Offset { .. }
        | Record::Paced { .. }
        | Record::Ordered { .. }
        | Record::Tick => SMALL,
    }
}
