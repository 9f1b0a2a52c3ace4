//! Watchers: each reads every change from its place on, in order, or is cut. Live state only.
//!
//! The newest 1,024 changes are kept for those who resume (also those that a replay made, so that tokens outlive a
//! restart). A watcher has at most 256 changes on the way; what comes after waits in the ring, and a watcher that
//! falls out of the ring is cut with its last token still good as long as the ring holds it.

use super::{Push, WatcherId};
use crate::Effect;
use crate::incident::Change;
use crate::store::outbox::Outbox;
use alloc::boxed::Box;
use alloc::collections::{BTreeMap, VecDeque};

/// Changes kept for those who resume.
const RING: usize = 1_024;
/// Most changes on the way to one watcher.
const ON_THE_WAY: u16 = 256;
/// Most watchers.
const WATCHERS_MAX: usize = 256;

/// Where a watcher stands.
#[derive(Debug, Clone, Copy)]
struct Reader {
    /// The number of the next change it gets.
    next: u64,
    on_the_way: u16,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Watchers {
    ring: VecDeque<Change>,
    readers: BTreeMap<WatcherId, Reader>,
}

impl Watchers {
    /// None.
    pub(crate) const fn new() -> Self {
        Self { ring: VecDeque::new(), readers: BTreeMap::new() }
    }

    /// How many there are.
    pub(crate) fn count(&self) -> u32 {
        u32::try_from(self.readers.len()).unwrap_or(u32::MAX)
    }

    /// Keeps a change for those who resume.
    pub(crate) fn keep(&mut self, change: Change) {
        if self.ring.len() == RING {
            self.ring.pop_front();
        }
        self.ring.push_back(change);
    }

    /// Takes what watchers do; `newest` is the number of the last change, `index` the last record.
    pub(crate) fn on(&mut self, watch: super::Watch, newest: u64, index: u64, out: &mut Outbox) {
        match watch {
            super::Watch::Come { watcher, after } => self.come(watcher, after.unwrap_or(newest), newest, out),
            super::Watch::Read { watcher, changes } => {
                if let Some(reader) = self.readers.get_mut(&watcher) {
                    reader.on_the_way = reader.on_the_way.saturating_sub(changes);
                }
            }
            super::Watch::Gone { watcher } => {
                self.readers.remove(&watcher);
            }
        }
        self.push(index, out);
    }

    fn come(&mut self, watcher: WatcherId, after: u64, newest: u64, out: &mut Outbox) {
        let oldest = self.ring.front().map_or(newest + 1, |change| change.number);
        let code = if self.readers.len() == WATCHERS_MAX {
            "too-many"
        } else if after > newest || after.saturating_add(1) < oldest {
            // A token from the future is another journal's.
            "resume-too-old"
        } else {
            self.readers.insert(watcher, Reader { next: after + 1, on_the_way: 0 });
            return;
        };
        out.now(Effect::Watch(Push::Cut { watcher, code }));
    }

    /// Sends everybody what they can take, once it is durable.
    pub(crate) fn push(&mut self, index: u64, out: &mut Outbox) {
        let ring = &self.ring;
        let Some(oldest) = ring.front().map(|change| change.number) else { return };
        self.readers.retain(|watcher, reader| {
            if reader.next < oldest {
                out.when_durable(index, Effect::Watch(Push::Cut { watcher: *watcher, code: "watch-cut" }));
                return false;
            }
            while reader.on_the_way < ON_THE_WAY {
                // Numbers run without holes, so the place in the ring follows from the oldest.
                let at = usize::try_from(reader.next - oldest).unwrap_or(usize::MAX);
                let Some(change) = ring.get(at) else { break };
                let push = Push::Change { watcher: *watcher, change: Box::new(change.clone()) };
                out.when_durable(index, Effect::Watch(push));
                reader.next += 1;
                reader.on_the_way += 1;
            }
            true
        });
    }
}
