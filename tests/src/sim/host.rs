//! A watched machine: clocks, disk, services, and the agent that runs on it, or does not.

use super::clock::Clock;
use super::disk::Disk;
use super::happening::{AgentIn, Happening, Known};
use super::net::StreamId;
use super::service::Service;
use super::shape::HostShape;
use crate::dice::Dice;
use bumpalo::Bump;
use picket_agent_core::unit::Active;
use picket_agent_core::{Agent, Storage, check, service, spool};
use picket_proto::{BootId, HostId, Now, Run, Seq, Text};
use std::collections::VecDeque;

/// Whether a machine runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Power {
    On,
    Frozen,
    Off,
}

/// One host.
pub(super) struct Host<'a> {
    pub(super) id: HostId,
    pub(super) collector: usize,
    pub(super) shape: HostShape,
    pub(super) clock: Clock,
    pub(super) power: Power,
    pub(super) disk: Disk,
    pub(super) services: Vec<Service>,
    pub(super) agent: Option<Shell<'a>>,
    /// What waits for a machine that is frozen.
    pub(super) waiting: Vec<Happening>,
    pub(super) pids: u32,
    /// The bus does not answer.
    pub(super) bus_away: bool,
    pub(super) version: u32,
    /// Nobody starts the agent.
    pub(super) halted: bool,
}

impl<'a> Host<'a> {
    /// A machine that is on, and on which nothing runs yet.
    pub(super) fn new(at: usize, shape: HostShape, collectors: usize, dice: &mut Dice) -> Self {
        let services = shape.keepers.iter().zip(&shape.boots);
        Self {
            id: format!("host-{at}").parse().expect("a short name"),
            collector: at % collectors,
            clock: Clock::new(BootId(1 + at as u128), 0, 1_000_000 + dice.below(1_000_000_000_000)),
            power: Power::On,
            disk: Disk::default(),
            services: services.map(|(keeper, boots)| Service::new(*keeper, *boots)).collect(),
            agent: None,
            waiting: Vec::new(),
            pids: 100,
            bus_away: false,
            version: 1,
            halted: false,
            shape,
        }
    }

    /// Another machine with a copy of this one's disk.
    pub(super) fn twin(&self, now: u64, boot: BootId) -> Self {
        let mut services = self.services.clone();
        for service in &mut services {
            (service.process, service.saved, service.ill) = (None, None, Some(now));
            service.unit.boot();
        }
        Self {
            id: self.id.clone(),
            collector: self.collector,
            shape: self.shape.clone(),
            clock: Clock::new(boot, now, 1_000_000),
            power: Power::On,
            disk: self.disk.clone(),
            services,
            agent: None,
            waiting: Vec::new(),
            pids: 100,
            bus_away: false,
            version: self.version,
            halted: false,
        }
    }
}

/// The agent's process: the core, and what its shell remembers.
pub(super) struct Shell<'a> {
    pub(super) agent: Agent<'a>,
    /// Which process, counted over the whole world.
    pub(super) life: u64,
    pub(super) run: Run,
    /// The last try to connect, and its stream.
    pub(super) attempt: u64,
    pub(super) stream: Option<StreamId>,
    /// Whether the stream has come to be.
    pub(super) opened: bool,
    pub(super) timer: u64,
    pub(super) armed: u64,
    pub(super) known: VecDeque<Known>,
    /// A write of the state file is under way; another one is owed.
    pub(super) keeping: Option<Vec<u8>>,
    pub(super) owes_keep: bool,
    /// The order that the disk is at, and its bytes.
    pub(super) asked: Option<(spool::Order, Vec<u8>)>,
    /// Runs before this one of which something is missing, newest first.
    pub(super) older: Vec<(Run, Seq)>,
    pub(super) stopped: bool,
    /// What came while it was stopped.
    pub(super) inbox: Vec<Happening>,
    /// By unit, as read last.
    pub(super) units: Vec<Option<(Active, u32)>>,
    /// Checks whose answer is out.
    pub(super) probing: std::collections::BTreeSet<u16>,
    /// Whether the bus was heard to be there.
    pub(super) bus: bool,
    pub(super) ended: bool,
    pub(super) began: u64,
    /// Everything that it was told, where somebody may want it back.
    pub(super) diary: Option<Vec<(Now, AgentIn)>>,
    /// How it began.
    pub(super) birth: Birth,
}

impl<'a> Shell<'a> {
    /// A process that begins now, with a core that was told nothing yet.
    pub(super) fn new(agent: Agent<'a>, life: u64, birth: Birth, (now, units): (u64, usize)) -> Self {
        let previous = birth.identity.previous;
        Self {
            agent,
            life,
            run: birth.identity.run,
            attempt: 0,
            stream: None,
            opened: false,
            timer: u64::MAX,
            armed: 0,
            known: VecDeque::new(),
            keeping: None,
            owes_keep: false,
            asked: None,
            older: previous.into_iter().chain(birth.claims.iter().copied()).collect(),
            stopped: false,
            inbox: Vec::new(),
            units: vec![None; units],
            probing: std::collections::BTreeSet::new(),
            bus: false,
            ended: false,
            began: now,
            diary: None,
            birth,
        }
    }
}

/// What decides an agent's process besides its inputs.
#[derive(Debug, Clone)]
pub(super) struct Birth {
    pub(super) seed: u64,
    pub(super) identity: spool::Identity,
    pub(super) claims: Vec<(Run, Seq)>,
    pub(super) kept: Option<(picket_proto::Mono, service::Away, Vec<u8>)>,
}

impl Birth {
    /// The agent, in storage that lives as long as the world.
    pub(super) fn agent<'a>(&self, arena: &'a Bump, shape: &HostShape) -> Agent<'a> {
        let past = self.claims.iter().take(shape.runs - 2).rev();
        let mut runs: Vec<_> = past.map(|(run, made)| spool::Past::claimed(*run, *made)).collect();
        runs.resize(shape.runs, spool::Past::default());
        let ring = shape.ring;
        // Without segments there is no disk for the spool; what earlier runs claim is named all the same.
        let disk = spool::Lent {
            parts: arena.alloc_slice_fill_clone(4 * shape.segments, &spool::Part::default()),
            runs: arena.alloc_slice_fill_iter(runs),
            pages: arena.alloc_slice_fill_copy(2 * spool::PAGE, 0),
            segments: u32::try_from(shape.segments).unwrap_or(u32::MAX),
            budget: shape.flash,
        };
        let storage = Storage {
            checks: arena.alloc_slice_fill_iter(shape.checks.iter().cloned().map(check::Slot::new)),
            trends: &mut [],
            usuals: &mut [],
            services: arena.alloc_slice_fill_iter(shape.services.iter().cloned().map(service::Slot::new)),
            ring: arena.alloc_slice_fill_copy(ring, 0),
            index: arena.alloc_slice_fill_clone(ring / 64, &spool::Entry::default()),
            baseline: Default::default(),
            disk,
        };
        let mut agent = Agent::new(self.seed, self.identity.clone(), storage);
        agent.give_evidence(true);
        if let Some((now, away, bytes)) = &self.kept {
            let restored = agent.restore(*now, *away, bytes);
            assert!(!restored.damaged, "what an agent kept it can read");
        }
        agent
    }
}

/// Who an agent's process is.
pub(super) fn identity(
    run: Run,
    boot: BootId,
    previous: Option<(Run, Seq)>,
    version: u32,
) -> spool::Identity {
    spool::Identity { run, boot, previous, version: Text::new(&format!("0.{version}.0")) }
}
