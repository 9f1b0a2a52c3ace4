//! What a person may see of a service: where it stands, its process, its latest remedies, its budget and breaker.
//!
//! Only looks. The latest four remedies of this run are remembered, enough to see whether they hold; the whole story
//! is in the events.

use super::files::Kept;
use super::slot::{Slot, Stage, State, Wait};
use crate::hold::Held;
use crate::timer::Reason;
use heapless::Deque;
use picket_proto::event::{Cause, Exit, Intent, Outcome, Remedy};
use picket_proto::{Mono, Name, Span};

/// Remedies that are remembered.
const PAST_MAX: usize = 4;

/// Where a service stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Nothing is known of it yet.
    Unknown,
    /// A start was ordered.
    Starting,
    /// It lives and must prove itself; its checks have not all passed yet.
    Rising,
    /// All its checks have passed and must stay good.
    Holding,
    /// It lives and has proved itself, or was found alive.
    Running,
    /// It was asked to end.
    Stopping,
    /// It failed; a remedy is to come.
    Waiting,
    /// Its breaker is open.
    Broken,
    /// It ended, and somebody else is at work on it: systemd's own restart, or another's job.
    Awaiting,
    /// It failed, and it is only observed.
    Observed,
    /// It should not run: an operator stopped it, or nobody saw why it does not.
    Left,
    /// The agent ends and it is gone.
    Ended,
}

/// How a remedy ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// It held.
    Held,
    /// The process ended before everything had held.
    Died(Exit),
    /// A check did not pass in time.
    StillFailing(Cause),
    /// More checks failed after it than before.
    Worse,
    /// It could not be done.
    NotDone,
    /// It was stopped and left to a person, as was to be.
    Isolated,
}

/// A remedy of this run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Past {
    /// What was done.
    pub remedy: Remedy,
    /// The how-manieth of its streak; 0 of one that was not begun, since the service is only observed.
    pub attempt: u16,
    /// When it began.
    pub began: Mono,
    /// When and how it ended; nothing while it is open.
    pub ended: Option<(Mono, Ended)>,
}

/// When a service's next remedy begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NextTry<'a> {
    /// None is to come: it is well, left alone, or one is under way.
    None,
    /// By itself then, or once a person asks.
    At(Mono),
    /// Not before this hold ends.
    Held,
    /// Not before this service is well.
    Root(&'a Name),
}

/// The latest remedies, oldest first.
#[derive(Debug, Default)]
pub(super) struct Remembered(Deque<Past, PAST_MAX>);

impl Remembered {
    /// A remedy begins.
    pub(super) fn began(&mut self, remedy: Remedy, attempt: u16, now: Mono) {
        if self.0.is_full() {
            self.0.pop_front();
        }
        let _there_is_room_now = self.0.push_back(Past { remedy, attempt, began: now, ended: None });
    }

    /// The open one ended.
    pub(super) fn ended(&mut self, now: Mono, outcome: &Outcome) {
        let ended = match outcome {
            Outcome::Held { .. } => Ended::Held,
            Outcome::Died(exit) => Ended::Died(*exit),
            Outcome::StillFailing { cause, .. } => Ended::StillFailing(*cause),
            Outcome::Worse { .. } => Ended::Worse,
            Outcome::NotDone { .. } => Ended::NotDone,
        };
        self.ended_as(now, ended);
    }

    /// What was to be isolated is stopped: that is told by its breaker, and proves nothing.
    pub(super) fn isolated(&mut self, now: Mono) {
        self.ended_as(now, Ended::Isolated);
    }

    fn ended_as(&mut self, now: Mono, ended: Ended) {
        if let Some(open) = self.0.back_mut().filter(|past| past.ended.is_none()) {
            open.ended = Some((now, ended));
        }
    }
}

/// A look at one service.
#[derive(Debug, Clone, Copy)]
pub struct View<'a>(pub(super) &'a Slot);

impl<'a> View<'a> {
    /// Its name.
    pub fn name(self) -> &'a Name {
        &self.0.spec.name
    }

    /// Where it stands.
    pub fn phase(self) -> Phase {
        match self.0.state {
            State::Idle => Phase::Unknown,
            State::Starting { .. } => Phase::Starting,
            State::Verifying { stage: Stage::Rising { .. }, .. } => Phase::Rising,
            State::Verifying { stage: Stage::Holding { .. }, .. } => Phase::Holding,
            State::Running { .. } => Phase::Running,
            State::Stopping { .. } => Phase::Stopping,
            State::Waiting { .. } if self.0.spec.observes => Phase::Observed,
            State::Waiting { .. } => Phase::Waiting,
            State::Broken { .. } => Phase::Broken,
            State::Awaiting { .. } => Phase::Awaiting,
            State::Left => Phase::Left,
            State::Ended => Phase::Ended,
        }
    }

    /// What should be of it.
    pub fn intent(self) -> Intent {
        self.0.intent
    }

    /// Its process, and since when it is known.
    pub fn process(self) -> Option<(u32, Mono)> {
        self.0.process().map(|process| (process.pid, process.since))
    }

    /// When something is next to be done about it, and what.
    pub fn deadline(self) -> Option<(Mono, Reason)> {
        let due = self.0.deadline();
        (due.0 != Mono::NEVER).then_some(due)
    }

    /// The service that it waits for, if it waits for one: nothing is due of it until that is well.
    pub fn waits_for(self) -> Option<&'a Name> {
        match self.0.state {
            State::Waiting { wait: Wait::Root, .. } => self.0.ties.ailing(),
            State::Idle
            | State::Starting { .. }
            | State::Verifying { .. }
            | State::Running { .. }
            | State::Stopping { .. }
            | State::Waiting { .. }
            | State::Broken { .. }
            | State::Awaiting { .. }
            | State::Left
            | State::Ended => None,
        }
    }

    /// When its next remedy begins.
    pub fn next_try(self, now: Mono) -> NextTry<'a> {
        let ties = &self.0.ties;
        let root = ties.ailing.and_then(|_| ties.ailing());
        match (self.0.state, root) {
            (State::Waiting { wait: Wait::Root, .. }, Some(root)) => NextTry::Root(root),
            (
                State::Broken { retry_at: at, .. } | State::Waiting { wait: Wait::Restart { at }, .. },
                root,
            ) => match root {
                Some(root) => NextTry::Root(root),
                None if now < self.0.rests_until() => NextTry::Held,
                None => NextTry::At(at),
            },
            _ => NextTry::None,
        }
    }

    /// Whether its breaker is closed: remedies are allowed.
    pub fn is_closed(self) -> bool {
        self.0.breaker.is_closed()
    }

    /// Remedies that count against the budget now, how many are allowed, and in how long.
    pub fn budget(self, now: Mono) -> (u16, u16, Span) {
        let spec = &self.0.spec;
        (self.0.budget.spent(now, spec.budget_window), spec.budget, spec.budget_window)
    }

    /// Whether it is only observed.
    pub fn observes(self) -> bool {
        self.0.spec.observes
    }

    /// Its own hold, if one stands.
    pub fn held(self) -> Option<&'a Held> {
        self.0.held.as_ref()
    }

    /// How its files stand, where good ones are to be kept and they were looked at.
    pub fn files(self) -> Option<Kept<'a>> {
        self.0.spec.good.and_then(|_| self.0.files.stand())
    }

    /// The same of its packages.
    pub fn packages(self) -> Option<Kept<'a>> {
        self.0.spec.packages.and_then(|_| self.0.packages.stand())
    }

    /// Its latest remedies in this run, oldest first.
    pub fn remedies(self) -> impl Iterator<Item = &'a Past> {
        self.0.past.0.iter()
    }
}
