//! A collector's journal at work: entries wait, a commit makes a group of them durable, a crash leaves whole groups.

use super::happening::{CollectorIn, Happening};
use super::keeper::Process;
use super::net::Down;
use super::world::World;
use picket_collector_core::Input;
use picket_collector_core::store::{self, Entry};

impl World<'_> {
    pub(super) fn append(&mut self, at: usize, process: &mut Process, entry: Entry) {
        let keeper = &mut self.keepers[at];
        let next = keeper.journal.last().map_or(0, |last| last.index) + 1;
        self.trace.mix(entry.index);
        self.truth.expect(self.now, entry.index == next, || {
            format!("collector {at} journals {} where {next} is next", entry.index)
        });
        keeper.journal.push(entry);
        self.commit(at, process);
    }

    pub(super) fn commit(&mut self, at: usize, process: &mut Process) {
        let keeper = &self.keepers[at];
        if process.failed || process.committing.is_some() || keeper.journal.len() == keeper.durable {
            return;
        }
        process.committing = Some(keeper.journal.len());
        let slow = keeper.slow;
        let done = self.within(300 + slow, 3_000 + slow);
        self.queue.put(done, Happening::Collector(at, process.life, CollectorIn::Committed));
    }

    pub(super) fn committed(&mut self, at: usize) {
        let keeper = &mut self.keepers[at];
        let Some(upto) = keeper.process.as_mut().and_then(|process| process.committing.take()) else {
            return;
        };
        let full = keeper.full;
        if full {
            if let Some(process) = &mut keeper.process {
                process.failed = true;
            }
            let fact = store::Fact::Failed { full };
            return self.collect(at, |process, now, _| process.core.handle(now, Input::Store(fact)));
        }
        self.make_durable(at, upto);
        let repeats = self.keepers[at].repeats.then(|| self.dice.below(upto as u64 + 3));
        for upto in repeats.into_iter().chain([upto as u64]) {
            // Late, again, and for more than there is: none of it may change anything but what is released.
            let upto = upto.min(self.keepers[at].durable as u64);
            let fact = store::Fact::Journaled { upto };
            self.collect(at, |process, now, _| process.core.handle(now, Input::Store(fact)));
        }
        if let Some(mut process) = self.keepers[at].process.take() {
            self.commit(at, &mut process);
            self.keepers[at].process = Some(process);
        }
    }

    /// What is in the journal up to here outlives everything but the loss of the journal.
    pub(super) fn make_durable(&mut self, at: usize, upto: usize) {
        let keeper = &mut self.keepers[at];
        for entry in &keeper.journal[keeper.durable..upto] {
            self.truth.journaled(self.now, at, entry);
        }
        keeper.durable = upto;
    }

    /// The process ends, and with it what was not durable; of a commit that was under way all or nothing.
    pub(super) fn kill_collector(&mut self, at: usize) {
        let Some(process) = self.keepers[at].process.take() else { return };
        let committed = process.committing.filter(|_| !self.keepers[at].full && self.dice.below(2) == 0);
        if let Some(upto) = committed {
            self.make_durable(at, upto);
        }
        self.truth.check_replay(self.now, at, &self.keepers[at], &process.core);
        let durable = self.keepers[at].durable;
        self.keepers[at].journal.truncate(durable);
        for stream in process.sessions.values() {
            self.send_down(*stream, Down::Fin);
        }
        let streams = self.net.streams.iter_mut().filter(|(_, stream)| stream.accepted == Some(process.life));
        for (_, stream) in streams {
            stream.up.open = false;
        }
    }
}
