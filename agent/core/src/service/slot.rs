//! One service and all that is remembered of it: where it stands, its streak of failures, its next deadline.
//!
//! What moves it from state to state is written beside: [`super::moves`] for what happens, [`super::hold`] for being
//! believed, [`super::remedy`] for being restarted. At most one order waits per service: a later one replaces it.

pub(super) use super::streak::{FRESH, Streak};

use super::files::{Files, Kind};
use super::keep::Left;
use super::ladder::Rung;
use super::reboot::Step;
use super::roots::Ties;
use super::view::Remembered;
use super::{ServiceIx, Spec};
use crate::check::CheckIx;
use crate::hold::Held;
use crate::policy::{Breaker, Budget, Deaths};
use crate::shelf::{Place, Placed};
use crate::timer::{Reason, Seat, Timed};
use crate::unit;
use picket_proto::Mono;
use picket_proto::event::{Cause, Exit, Intent};
use serde::{Deserialize, Serialize};

/// One service with all that is remembered of it.
#[derive(Debug)]
pub struct Slot {
    pub(super) spec: Spec,
    pub(super) state: State,
    pub(super) streak: Streak,
    /// The remedy that is under way, or was the last.
    pub(super) rung: Rung,
    pub(super) deaths: Deaths,
    pub(super) budget: Budget,
    pub(super) breaker: Breaker,
    /// What should be of it.
    pub(super) intent: Intent,
    /// What is seen of its unit, where it is one.
    pub(super) unit: unit::Memory,
    pub(super) delays: Delays,
    pub(super) past: Remembered,
    /// The life that ended last in this run, and when.
    pub(super) ended: Option<(u32, Mono)>,
    /// It is only observed, and that it would not be healed any more was told.
    pub(super) shadow_rests: bool,
    /// Its own hold.
    pub(super) held: Option<Held>,
    /// Until when all rest.
    pub(super) all_rest_until: Mono,
    /// Where an earlier run left it, until something is known of it.
    pub(super) left: Option<Left>,
    /// What binds it to the services that it needs, and to those that need it.
    pub(super) ties: Ties,
    /// What is known of its files.
    pub(super) files: Files,
    /// What is known of its packages.
    pub(super) packages: Files,
    /// What its first start is to prove.
    pub(super) first: Proof,
    /// What the shell has to do, until it is fetched.
    pub(super) order: Option<Verb>,
    /// Whose last words the shell has to look for, until that is fetched.
    pub(super) collect: Option<unit::Collect>,
    /// Whether it is in the queue of orders, and the next service there.
    pub(super) is_queued: bool,
    pub(super) link: Option<ServiceIx>,
    pub(super) seat: Seat,
    pub(super) place: Place,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verb {
    Start,
    Stop,
    Kill,
    Reload,
    Reboot,
    Unit(unit::Verb),
}

/// A living process.
#[derive(Debug, Clone, Copy)]
pub(super) struct Process {
    pub(super) pid: u32,
    /// Since when it is known.
    pub(super) since: Mono,
    /// It was found running: when it began nobody has seen.
    pub(super) found: bool,
}

/// What a verification is to prove.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Proof {
    /// The first start of this run.
    First,
    /// A remedy.
    Remedy,
    /// Its checks passed again without one.
    Alone,
}

/// What follows when a started process is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Aim {
    Verify(Proof),
    /// The agent ends: it is stopped again.
    End,
}

/// What follows when a stopping process is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Then {
    Start,
    End,
    /// Its breaker opens: it was isolated.
    Rest,
    /// What it needs is restarted meanwhile.
    Root,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Stage {
    /// Not all checks have passed yet.
    Rising { until: Mono },
    /// All have passed; they must stay good from `since` to `until`.
    Holding { passed: Mono, since: Mono, until: Mono },
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Wait {
    /// For last words, then for what policy says.
    Evidence { until: Mono },
    /// For the restart.
    Restart { at: Mono },
    /// For the first start, while remedies rest.
    First,
    /// For a service that it needs.
    Root,
    /// For those that need it to be stopped.
    Dependents { until: Mono },
    /// For the host to be rebooted.
    Reboot { step: Step, until: Mono },
    /// For its good files to be put back, or its packages; of packages also for that to be undone.
    Files { kind: Kind, until: Mono },
}

#[derive(Debug, Clone, Copy)]
pub(super) enum State {
    /// Nothing is known of it.
    Idle,
    /// A start was ordered.
    Starting { aim: Aim },
    /// It lives and must prove itself.
    Verifying { process: Process, proof: Proof, stage: Stage },
    /// It lives and has proved itself, or was found alive.
    Running { process: Process },
    /// It was asked to end.
    Stopping { process: Process, then: Then, kill_at: Mono, kills: u8 },
    /// It failed, and a remedy is to come.
    Waiting { process: Option<Process>, wait: Wait },
    /// Its breaker is open.
    Broken { process: Option<Process>, retry_at: Mono },
    /// It ended, and somebody else is at work: systemd restarts it, or its queue holds another's job.
    Awaiting { until: Mono },
    /// It should not run.
    Left,
    /// The agent ends and it is gone.
    Ended,
}

/// Why it failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Why {
    Exit(Exit),
    Check(CheckIx, Cause),
    /// It was stopped while the service that it needs was restarted.
    Root,
}

/// How often the judgement on this process was put off.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Delays {
    /// Because its deadline was handled too late.
    pub(super) pauses: u8,
    /// Because an answer was out.
    pub(super) awaited: bool,
}

impl Slot {
    /// A service of which nothing is known yet.
    pub fn new(spec: Spec) -> Self {
        Self {
            spec,
            state: State::Idle,
            streak: FRESH,
            rung: Rung::default(),
            deaths: Deaths::default(),
            budget: Budget::default(),
            breaker: Breaker::default(),
            intent: Intent::Run,
            unit: unit::Memory::default(),
            delays: Delays::default(),
            past: Remembered::default(),
            held: None,
            ended: None,
            shadow_rests: false,
            all_rest_until: Mono::default(),
            left: None,
            ties: Ties::default(),
            files: Files::default(),
            packages: Files::default(),
            first: Proof::First,
            order: None,
            collect: None,
            is_queued: false,
            link: None,
            seat: Seat::default(),
            place: Place::Taken,
        }
    }

    /// What it is.
    pub fn spec(&self) -> &Spec {
        &self.spec
    }

    pub(super) const fn process(&self) -> Option<Process> {
        match self.state {
            State::Idle | State::Starting { .. } | State::Awaiting { .. } | State::Left | State::Ended => {
                None
            }
            State::Verifying { process, .. }
            | State::Running { process }
            | State::Stopping { process, .. } => Some(process),
            State::Waiting { process, .. } | State::Broken { process, .. } => process,
        }
    }

    /// Until when remedies rest; in the past where they don't.
    pub(super) fn rests_until(&self) -> Mono {
        if self.spec.observes {
            return Mono::NEVER;
        }
        self.held.as_ref().map_or(self.all_rest_until, |held| held.until.max(self.all_rest_until))
    }

    /// When its hold is over or its state is due.
    pub(super) fn deadline(&self) -> (Mono, Reason) {
        let over = self.held.as_ref().map_or(Mono::NEVER, |held| held.until);
        self.state_due().min((over, Reason::HoldOver))
    }

    fn state_due(&self) -> (Mono, Reason) {
        match self.state {
            State::Verifying { stage: Stage::Rising { until }, .. } => (until, Reason::StartTimeout),
            State::Verifying { stage: Stage::Holding { until, .. }, .. } => (until, Reason::Held),
            State::Stopping { kill_at, .. } => (kill_at, Reason::Kill),
            State::Waiting { wait: Wait::Evidence { until }, .. } => (until, Reason::Evidence),
            // What would be done is told when it would be.
            State::Waiting { wait: Wait::Restart { at }, .. }
                if self.spec.observes && !self.streak.shadowed =>
            {
                (at, Reason::Restart)
            }
            State::Waiting { wait: Wait::Restart { at }, .. } => {
                (at.max(self.rests_until()), Reason::Restart)
            }
            State::Waiting { wait: Wait::First, .. } => (self.rests_until(), Reason::Restart),
            State::Waiting { wait: Wait::Root, .. } => (Mono::NEVER, Reason::Restart),
            State::Waiting { wait: Wait::Dependents { until }, .. } => (until, Reason::Restart),
            State::Waiting { wait: Wait::Reboot { until, .. }, .. } => (until, Reason::Reboot),
            State::Waiting { wait: Wait::Files { until, .. }, .. } => (until, Reason::Files),
            State::Running { .. } => (self.looks_due(), Reason::Files),
            State::Broken { retry_at, .. } => (retry_at.max(self.rests_until()), Reason::HalfOpen),
            State::Awaiting { until } => (until, Reason::Awaited),
            State::Idle | State::Starting { .. } | State::Left | State::Ended => {
                (Mono::NEVER, Reason::Restart)
            }
        }
    }
}

impl Placed for Slot {
    fn place(&self) -> Place {
        self.place
    }
}

impl Timed for Slot {
    fn due(&self) -> Mono {
        self.deadline().0
    }
    fn seat(&mut self) -> &mut Seat {
        &mut self.seat
    }
    fn seated(&self) -> Seat {
        self.seat
    }
}
