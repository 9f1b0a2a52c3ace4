//! An agent's disk at work: an order takes its time, and what it answers comes as an input.

use super::disk::Slot;
use super::happening::{AgentIn, DiskWork, Happening};
use super::host::Shell;
use super::world::World;
use picket_agent_core::KEEP_MAX;

impl<'a> World<'a> {
    pub(super) fn disk_time(&mut self, at: usize) -> u64 {
        let slow = self.hosts[at].disk.slow;
        self.within(200 + slow, 2_000 + slow)
    }

    pub(super) fn keep(&mut self, at: usize, shell: &mut Shell<'a>) {
        if shell.keeping.is_some() {
            shell.owes_keep = true;
            return;
        }
        let mut bytes = vec![0; KEEP_MAX];
        let (used, left_out) = shell.agent.keep(&mut bytes);
        bytes.truncate(used);
        self.truth.expect(self.now, left_out == 0, || format!("agent {at} could not keep everything"));
        shell.keeping = Some(bytes);
        self.hosts[at].services.iter_mut().for_each(|service| service.kept.1 = service.starts.len());
        let done = self.disk_time(at);
        self.queue.put(done, Happening::Disk(at, shell.life, DiskWork::State));
    }

    /// The disk has done what it was asked.
    pub(super) fn disk_answers(&mut self, at: usize, life: u64, work: DiskWork) {
        let Some(mut shell) = self.hosts[at].agent.take_if(|shell| shell.life == life) else { return };
        let mut answers = Vec::new();
        match work {
            DiskWork::Spool => {
                if let Some((order, bytes)) = shell.asked.take() {
                    self.truth.dropped(&self.hosts[at].disk.goes_with(order));
                    let (told, synced) = self.hosts[at].disk.obey(order, &bytes, usize::MAX);
                    self.truth.synced(&synced);
                    answers = told;
                }
            }
            DiskWork::State => {
                self.write_state(at, &mut shell);
                if std::mem::take(&mut shell.owes_keep) {
                    self.keep(at, &mut shell);
                }
            }
        }
        self.hosts[at].agent = Some(shell);
        for told in answers {
            self.agent_hears(at, life, AgentIn::Disk(told));
        }
    }

    pub(super) fn write_state(&mut self, at: usize, shell: &mut Shell<'a>) {
        let host = &mut self.hosts[at];
        let Some(bytes) = shell.keeping.take() else { return };
        if host.disk.trouble.is_none() {
            let at = host.clock.now(self.now).mono;
            host.services.iter_mut().for_each(|service| service.kept.0 = service.kept.1);
            host.disk.slot = Some(Slot { boot: host.clock.boot, at, bytes });
        }
    }
}
