//! A service as it truly is: its process, its unit where systemd runs it, what an operator wants of it, and what the
//! world counts of its deaths and starts.
//!
//! systemd is that of version 252, as far as one daemon goes: a stop is a job, a death is none, `Restart=always` comes
//! back after 100 ms and gives up after five starts in ten seconds. What nobody may read here is the agent's business
//! to find out.

use picket_agent_core::unit::{Active, Done, Dones, File, Job, JobEnd, JobKind, Kind, Load, Seen, Sub};
use picket_proto::Span;
use picket_proto::event::Exit;

/// RestartSec.
pub(super) const AUTO_RESTART: u64 = 100_000;
/// DefaultStartLimitBurst in DefaultStartLimitIntervalSec.
const START_LIMIT: (usize, u64) = (5, 10_000_000);

/// Who starts it again after a death.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Keeper {
    /// The agent, as its own child.
    Agent,
    /// The agent, by systemd.
    Unit,
    /// systemd itself.
    Always,
}

/// A process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Process {
    pub(super) pid: u32,
    pub(super) born: u64,
    /// When it listens; never, for one that can't.
    pub(super) listens: u64,
    pub(super) frozen: bool,
}

/// See the module.
#[derive(Debug, Clone)]
pub(super) struct Service {
    pub(super) keeper: Keeper,
    pub(super) process: Option<Process>,
    /// The process that the agent's identity file names.
    pub(super) saved: Option<u32>,
    /// Microseconds from its start until it listens.
    pub(super) boots: u64,
    /// Each start dies so early, in this way.
    pub(super) broken: Option<(u64, Exit)>,
    /// It lives and does not answer rightly.
    pub(super) sick: bool,
    pub(super) ignores_stop: bool,
    /// An operator wants it stopped, and since when.
    pub(super) stopped_at: Option<u64>,
    pub(super) unit: Unit,
    /// When it was last not well, or made so: remedies are due for a while after.
    pub(super) ill: Option<u64>,
    /// True times of its starts by the agent.
    pub(super) starts: Vec<u64>,
    /// True times at which runs of the agent began.
    pub(super) runs: Vec<u64>,
    /// True times at which a person had it tried.
    pub(super) tries: Vec<u64>,
    /// How many of its starts the state file knows of, and will once what is being written is there.
    pub(super) kept: (usize, usize),
    /// Since when it dies the same way after each start and nothing else was done to it, under one run of the agent.
    pub(super) loops_since: Option<u64>,
    /// When it last ended by itself.
    pub(super) died_at: Option<u64>,
    /// It may have ended or changed where no agent heard it.
    pub(super) unseen: bool,
}

impl Service {
    pub(super) fn new(keeper: Keeper, boots: u64) -> Self {
        Self {
            keeper,
            process: None,
            saved: None,
            boots,
            broken: None,
            sick: false,
            ignores_stop: false,
            stopped_at: None,
            unit: Unit::new(),
            ill: None,
            starts: Vec::new(),
            runs: Vec::new(),
            tries: Vec::new(),
            kept: (0, 0),
            loops_since: None,
            died_at: None,
            unseen: false,
        }
    }

    pub(super) fn is_unit(&self) -> bool {
        self.keeper != Keeper::Agent
    }

    /// Whether it runs and answers.
    pub(super) fn is_well(&self, now: u64) -> bool {
        self.process.is_some_and(|process| !process.frozen && process.listens <= now) && !self.sick
    }

    /// A run of the agent begins: what the one before did not write down nobody knows.
    pub(super) fn forgotten(&mut self, now: u64) {
        self.starts.truncate(self.kept.0);
        self.runs.push(now);
        self.loops_since = None;
    }

    /// A process begins.
    pub(super) fn born(&mut self, now: u64, pid: u32) {
        let process = Process { pid, born: now, listens: now.saturating_add(self.boots), frozen: false };
        self.process = Some(process);
        self.unit.up(now, pid);
    }

    /// A process ends by itself; whether systemd starts it again.
    pub(super) fn died(&mut self, now: u64, exit: Exit) -> bool {
        self.process = None;
        (self.ill, self.died_at) = (Some(now), Some(now));
        let again = self.keeper == Keeper::Always && self.unit.may_start(now);
        self.unit.died(now, exit, again);
        again
    }
}

/// A unit, as its properties show it.
#[derive(Debug, Clone)]
pub(super) struct Unit {
    pub(super) active: Active,
    sub: Sub,
    pub(super) job: Option<Job>,
    /// Jobs that ended since it was last read.
    done: Vec<Done>,
    jobs: u32,
    invocation: u64,
    restarts: u32,
    pid: u32,
    exit: (i32, i32),
    changed: u64,
    recent: Vec<u64>,
    /// A reading is under way.
    pub(super) reading: bool,
}

impl Unit {
    const fn new() -> Self {
        Self {
            active: Active::Inactive,
            sub: Sub::Other,
            job: None,
            done: Vec::new(),
            jobs: 0,
            invocation: 0,
            restarts: 0,
            pid: 0,
            exit: (0, 0),
            changed: 0,
            recent: Vec::new(),
            reading: false,
        }
    }

    fn up(&mut self, now: u64, pid: u32) {
        self.recent.retain(|at| at + START_LIMIT.1 > now);
        self.recent.push(now);
        if self.sub == Sub::AutoRestart {
            self.restarts += 1;
        }
        (self.active, self.sub, self.pid, self.changed) = (Active::Active, Sub::Other, pid, now);
        self.invocation += 1;
    }

    fn may_start(&self, now: u64) -> bool {
        self.recent.iter().filter(|at| **at + START_LIMIT.1 > now).count() < START_LIMIT.0
    }

    /// Whether systemd refuses a start now.
    pub(super) fn is_limited(&self, now: u64) -> bool {
        !self.may_start(now)
    }

    /// A start came too soon after too many others.
    pub(super) const fn limited(&mut self, now: u64) {
        (self.active, self.sub, self.pid, self.changed) = (Active::Failed, Sub::Other, 0, now);
    }

    /// Whether systemd is about to start it again.
    pub(super) fn is_auto_restarting(&self) -> bool {
        self.sub == Sub::AutoRestart
    }

    /// systemctl reset-failed.
    pub(super) fn reset(&mut self) {
        self.recent.clear();
        if self.active == Active::Failed {
            self.active = Active::Inactive;
        }
    }

    fn died(&mut self, now: u64, exit: Exit, again: bool) {
        self.exit = match exit {
            Exit::Code(status) => (1, status),
            Exit::Signal(signal) => (2, signal),
            Exit::NotStarted(_) | Exit::Unknown | Exit::Ruled(_) => (0, 0),
        };
        let is_clean = matches!(exit, Exit::Code(0) | Exit::Signal(15));
        (self.active, self.sub) = match (again, is_clean) {
            (true, _) => (Active::Activating, Sub::AutoRestart),
            (false, true) => (Active::Inactive, Sub::Other),
            (false, false) => (Active::Failed, Sub::Other),
        };
        (self.pid, self.changed) = (0, now);
    }

    /// Somebody's job begins.
    pub(super) fn queue(&mut self, kind: JobKind) -> u32 {
        self.jobs += 1;
        self.job = Some(Job { id: self.jobs, kind });
        self.jobs
    }

    /// The job ends.
    pub(super) fn finish(&mut self, end: JobEnd) {
        if let Some(job) = self.job.take() {
            self.done.push(Done { id: job.id, end });
        }
    }

    /// It was stopped by a job, whatever it was before.
    pub(super) fn stopped(&mut self, now: u64) {
        if self.pid > 0 {
            self.exit = (2, 15);
        }
        (self.active, self.sub, self.pid, self.changed) = (Active::Inactive, Sub::Other, 0, now);
    }

    /// The machine boots: systemd knows nothing of before.
    pub(super) fn boot(&mut self) {
        *self = Self { invocation: self.invocation, jobs: self.jobs, ..Self::new() };
    }

    /// What a connection to the bus did not hear, it never hears.
    pub(super) fn forget_done(&mut self) {
        self.done.clear();
        self.reading = false;
    }

    /// One reading of all its properties, and of the jobs that ended since the last one.
    pub(super) fn read(&mut self, has_restart: bool) -> (Seen, Dones) {
        let mut invocation = [0; 16];
        invocation[..8].copy_from_slice(&self.invocation.to_le_bytes());
        let seen = Seen {
            active: self.active,
            sub: self.sub,
            load: Load::Loaded,
            file: File::Wanted,
            kind: Kind::Daemon,
            job: self.job,
            invocation,
            pid: self.pid,
            code: self.exit.0,
            status: self.exit.1,
            ruling: None,
            unmet: false,
            restarts: self.restarts,
            changed: self.changed,
            patience: Span::from_secs(if has_restart { 90 } else { 0 }),
        };
        let mut dones = Dones::default();
        let newest = self.done.len().saturating_sub(dones.len());
        for (place, done) in dones.iter_mut().zip(self.done.drain(..).skip(newest)) {
            *place = Some(done);
        }
        (seen, dones)
    }
}
