//! Copies: of a machine's disk, of a whole machine, of a collector's journal. What was once one is two, or older.

use crate::sim::disk::Disk;
use crate::sim::happening::{AgentIn, DiskWork, Happening, Place, Word};
use crate::sim::host::{Birth, Power, Shell};
use crate::sim::net::{Link, StreamId};
use crate::sim::service::Service;
use crate::sim::tell::tell;
use crate::sim::truth::End;
use crate::sim::world::World;
use picket_agent_core::check::{self, Reading};
use picket_agent_core::session::Trouble;
use picket_agent_core::spool;
use picket_agent_core::unit::{self, Active, JobEnd};
use picket_proto::event::Cause;
use picket_proto::{Mono, Now, Run, Seq};

/// A machine as it was: disk, processes, and all that made its agent what it is.
pub(in crate::sim) struct Snapshot {
    host: usize,
    disk: Disk,
    services: Vec<Service>,
    mono: Mono,
    birth: Birth,
    diary: Vec<(Now, AgentIn)>,
    run: Run,
    attempt: u64,
    asked: Option<(spool::Order, Vec<u8>)>,
    keeping: Option<Vec<u8>>,
    older: Vec<(Run, Seq)>,
    units: Vec<Option<(Active, u32)>>,
    probing: std::collections::BTreeSet<u16>,
    bus: bool,
}

impl World<'_> {
    /// Only agents that write a diary can be brought back.
    pub(super) fn take_snapshot(&mut self, at: usize) {
        let host = &self.hosts[at];
        let Some(shell) = host.agent.as_ref().filter(|_| host.power == Power::On) else { return };
        let Some(diary) = shell.diary.clone() else { return };
        self.snapshots.retain(|old| old.host != at);
        self.snapshots.push(Snapshot {
            host: at,
            disk: host.disk.clone(),
            services: host.services.clone(),
            mono: host.clock.now(self.now).mono,
            birth: shell.birth.clone(),
            diary,
            run: shell.run,
            attempt: shell.attempt,
            asked: shell.asked.clone(),
            keeping: shell.keeping.clone(),
            older: shell.older.clone(),
            units: shell.units.clone(),
            probing: shell.probing.clone(),
            bus: shell.bus,
        });
    }

    /// The machine goes on from where the snapshot was taken: same boot, same run, numbers that were given already.
    pub(super) fn resume_snapshot(&mut self, at: usize) {
        let Some(place) = self.snapshots.iter().position(|snapshot| snapshot.host == at) else { return };
        if self.hosts[at].power != Power::On || self.hosts[at].agent.is_none() {
            return;
        }
        let old = self.snapshots.swap_remove(place);
        self.trouble(Place::Host(at));
        self.kill_agent(at, End::Killed);
        self.truth.forked(old.run);
        self.truth.unsound.insert(at);
        let mut agent = old.birth.agent(self.arena, &self.hosts[at].shape);
        for (now, input) in &old.diary {
            tell(&mut agent, *now, input);
            while agent.poll().is_some() {}
        }
        let (life, now) = (self.new_life(), self.now);
        let host = &mut self.hosts[at];
        (host.disk, host.services) = (old.disk, old.services);
        host.services.iter_mut().for_each(|service| (service.ill, service.unseen) = (Some(now), true));
        host.clock.resume(now, old.mono);
        let units = host.services.len();
        let shell = Shell::new(agent, life, old.birth, (now, units));
        self.hosts[at].agent = Some(Shell {
            attempt: old.attempt,
            // A connection that nobody else knows: its first packet is answered by a reset.
            stream: Some(StreamId(0)),
            opened: true,
            keeping: old.keeping,
            asked: old.asked,
            older: old.older,
            units: old.units,
            probing: old.probing,
            bus: old.bus,
            diary: Some(old.diary),
            ..shell
        });
        self.resume_what_was_out(at, life);
        self.resume_services(at, life);
        self.rearm_agent(at);
    }

    /// The disk goes on; probes time out, calls of systemd are answered by nobody, the connection is reset.
    fn resume_what_was_out(&mut self, at: usize, life: u64) {
        let Some(shell) = &self.hosts[at].agent else { return };
        let now = self.now;
        if shell.asked.is_some() {
            self.queue.put(now + 500, Happening::Disk(at, life, DiskWork::Spool));
        }
        if shell.keeping.is_some() {
            self.queue.put(now + 700, Happening::Disk(at, life, DiskWork::State));
        }
        for check in &shell.probing {
            let fact = check::Fact::new(*check, Reading::Bad(Cause::TimedOut));
            self.queue.put(now + 1_000_000, Happening::Agent(at, life, AgentIn::Answer(fact)));
        }
        let reset = AgentIn::Word(shell.attempt, Word::Lost(Trouble::Closed));
        self.queue.put(now + 1_000, Happening::Agent(at, life, AgentIn::Unit(unit::Fact::Lost)));
        self.queue.put(now + 200_000, Happening::Agent(at, life, reset));
    }

    /// What was on its way to the agent in the snapshot comes again: the ends of processes, readings of units.
    fn resume_services(&mut self, at: usize, life: u64) {
        for number in 0..self.hosts[at].services.len() {
            let service = &mut self.hosts[at].services[number];
            service.unit.reading = false;
            // A job that was under way then is canceled: who asked for it is another now.
            service.unit.finish(JobEnd::Other);
            let is_mine = !service.is_unit();
            if let (Some(pid), None) = (service.saved.filter(|_| is_mine), service.process) {
                let service = u16::try_from(number).unwrap_or(u16::MAX);
                let exit = picket_proto::event::Exit::Unknown;
                let exited = AgentIn::Exited { service, pid, exit };
                self.queue.put(self.now + 100, Happening::Agent(at, life, exited));
            }
            self.dies_if_broken(at, number);
            self.unit_changed(at, number);
        }
    }

    /// A second machine from this one's disk.
    pub(super) fn clone_host(&mut self, at: usize) {
        if self.truth.doubled.contains(&at) {
            return;
        }
        let boot = self.new_boot();
        let twin = self.hosts[at].twin(self.now, boot);
        let second = self.hosts.len();
        self.hosts.push(twin);
        self.net.links.push(Link::default());
        self.truth.doubled.extend([at, second]);
        self.truth.unsound.extend([at, second]);
        self.start_units(second);
        let soon = self.within(100_000, 2_000_000);
        self.queue.put(soon, Happening::Start(Place::Host(second)));
    }

    /// A snapshot of the collector's state, of what is durable.
    pub(super) fn snapshot(&mut self, at: usize) {
        let keeper = &mut self.keepers[at];
        keeper.journal.truncate(if keeper.process.is_none() { keeper.durable } else { usize::MAX });
        let Some(last) = keeper.durable.checked_sub(1) else { return };
        let index = keeper.journal[last].index;
        let durable: Vec<_> = keeper.journal[..keeper.durable].to_vec();
        let mut core = picket_collector_core::Collector::new(3);
        for entry in durable {
            core.replay(entry.index, entry.now, entry.record);
        }
        keeper.snapshot = Some((index, core.snapshot()));
    }

    /// The collector's data are those of an older backup.
    pub(super) fn restore_backup(&mut self, at: usize, thousandths: u64) {
        self.trouble(Place::Collector(at));
        self.kill_collector(at);
        let keeper = &mut self.keepers[at];
        let kept = keeper.durable as u64 * (1_000 - thousandths.min(999)) / 1_000;
        keeper.journal.truncate(usize::try_from(kept).unwrap_or(0));
        keeper.durable = keeper.journal.len();
        let last = keeper.journal.last().map_or(0, |entry| entry.index);
        keeper.snapshot.take_if(|(index, _)| *index > last);
        self.truth.restored(self.now, at, &self.keepers[at].journal);
        self.truth.forgive(&self.hosts);
        self.truth.unsound.extend(0..self.hosts.len());
        self.tear_off(at);
        let soon = self.within(200_000, 3_000_000);
        self.queue.put(soon, Happening::Start(Place::Collector(at)));
    }

    /// What the collector said before is not heard any more: it was said by another journal.
    fn tear_off(&mut self, at: usize) {
        let streams: Vec<StreamId> = self.net.streams.keys().copied().collect();
        for id in streams {
            let Some(stream) = self.net.streams.get(&id).filter(|stream| stream.collector == at) else {
                continue;
            };
            let (host, (life, attempt)) = (stream.host, stream.agent);
            self.net.streams.remove(&id);
            let lost = AgentIn::Word(attempt, Word::Lost(Trouble::Closed));
            self.queue.put(self.now, Happening::Agent(host, life, lost));
        }
    }
}
