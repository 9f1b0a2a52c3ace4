//! An operator who watches: every change once, in order, over restarts of the collector by the token that they have.

use super::happening::{CollectorIn, Happening};
use super::keeper::Process;
use super::world::World;
use picket_collector_core::Input;
use picket_collector_core::view::{Push, Watch, WatcherId};

/// See the module.
#[derive(Debug, Clone, Default)]
pub(super) struct Watcher {
    /// The number of the newest change that came; the resume token.
    pub(super) token: Option<u64>,
    id: u64,
    /// Came and was not yet said to be read.
    unread: u16,
}

impl World<'_> {
    /// The watcher comes, or comes back with its token.
    pub(super) fn watch_again(&mut self, at: usize) {
        let Some(process) = &mut self.keepers[at].process else { return };
        let watcher = &mut process.watcher;
        (watcher.id, watcher.unread) = (watcher.id + 1, 0);
        let come = Watch::Come { watcher: WatcherId(watcher.id), after: watcher.token };
        self.collector_takes(at, Input::Watch(come));
    }

    /// Something comes to the watcher.
    pub(super) fn pushed(&mut self, at: usize, process: &mut Process, push: Push) {
        let watcher = &mut process.watcher;
        match push {
            Push::Change { watcher: id, change } if id.0 == watcher.id => {
                let expected = watcher.token.map_or(change.number, |token| token + 1);
                self.truth.expect(self.now, change.number == expected, || {
                    format!(
                        "collector {at}: the watcher got change {} where {expected} was next",
                        change.number
                    )
                });
                watcher.token = Some(change.number);
                watcher.unread += 1;
                if watcher.unread == 1 {
                    let then = self.now + 1_000 + self.dice.below(3_000_000);
                    self.queue.put(then, Happening::Collector(at, process.life, CollectorIn::Read(0)));
                }
            }
            Push::Cut { watcher: id, .. } if id.0 == watcher.id => {
                // What was cut off lists the incidents anew and goes on from now.
                watcher.token = None;
                let then = self.now + 10_000;
                self.queue.put(then, Happening::Collector(at, process.life, CollectorIn::Read(u16::MAX)));
            }
            Push::Change { .. } | Push::Cut { .. } => {}
        }
    }

    /// It has read what came, or comes anew.
    pub(super) fn watcher_reads(&mut self, at: usize, changes: u16) {
        if changes == u16::MAX {
            return self.watch_again(at);
        }
        let Some(process) = &mut self.keepers[at].process else { return };
        let changes = std::mem::take(&mut process.watcher.unread);
        let read = Watch::Read { watcher: WatcherId(process.watcher.id), changes };
        self.collector_takes(at, Input::Watch(read));
    }
}
