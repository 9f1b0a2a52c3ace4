//! The moves of one service: what each fact, reading and deadline does in each state.
//!
//! Every pair of a state and a fact is written out; what a state can't take is refused and counted. A kill is repeated
//! every 10 s, and an agent that ends waits for two of them at most. Whether a recovery is believed and which remedy
//! follows a failure is decided beside.

use super::slot::{Aim, Process, Proof, Slot, Stage, State, Then, Verb, Wait, Why};
use super::{Around, Driver, ServiceIx};
use crate::check::{Checks, Seen, Sight, Voice};
use crate::timer::Dice;
use crate::unit;
use picket_proto::event::{self, Exit};
use picket_proto::{Mono, Span, Text};

/// From one kill to the next where the first did not end it (a process in an uninterruptible wait).
const KILL_AGAIN: Span = Span::from_secs(10);
/// Kills after which an agent that ends does not wait for this service any more.
const KILLS_MAX: u8 = 2;

/// Whether a fact fitted the state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Taken {
    Yes,
    No,
}

/// One service while it moves.
pub(super) struct Moving<'a> {
    pub(super) ix: ServiceIx,
    pub(super) slot: &'a mut Slot,
    pub(super) dice: &'a mut Dice,
    pub(super) order: Option<Verb>,
    pub(super) collect: Option<unit::Collect>,
    /// Last words stay on the host until they are asked for.
    pub(super) keeps_words: bool,
}

impl Slot {
    /// Whether its process is gone, as its check says, so that systemd knows how it ended and what is done about it: a
    /// stop or a restart that somebody asked for, or its own. Where the bus is slow its word comes behind the checks'.
    pub(super) fn is_for_systemd(&self, seen: Seen, checks: &Checks<'_>) -> bool {
        self.spec.driver == Driver::Systemd
            && matches!(seen.sight, Sight::Fails(_))
            && checks.is_gone(seen.service)
    }
}

impl Moving<'_> {
    pub(super) fn started(&mut self, pid: u32, adopted: bool, mut around: Around<'_, '_>) -> Taken {
        let process = Process { pid, since: around.now, found: adopted };
        if adopted && pid != 0 && self.slot.names(pid) {
            self.tell_start(pid, adopted, around.out);
            return Taken::Yes;
        }
        match self.slot.state {
            State::Idle | State::Waiting { process: None, wait: Wait::First } if adopted => {
                around.checks.adopted(around.now, self.ix);
                self.go_on(process, around.now);
            }
            State::Starting { aim: Aim::Verify(proof) } => {
                self.rise(process, proof, around.checks);
            }
            State::Starting { aim: Aim::End } => self.stop(around.now, process, Then::End),
            // Somebody else has started another init system's service: it is believed as any other that lives.
            State::Waiting { process: None, wait } if adopted => self.waits_with(process, wait, &mut around),
            State::Broken { process: None, retry_at } if adopted => {
                self.slot.state = State::Broken { process: Some(process), retry_at };
                if self.has_passed(around.checks) {
                    self.believe(process, around.again());
                }
            }
            State::Idle
            | State::Verifying { .. }
            | State::Running { .. }
            | State::Stopping { .. }
            | State::Waiting { .. }
            | State::Broken { .. }
            | State::Awaiting { .. }
            | State::Left
            | State::Ended => return Taken::No,
        }
        self.tell_start(pid, adopted, around.out);
        Taken::Yes
    }

    pub(super) fn exited(&mut self, pid: u32, exit: Exit, around: Around<'_, '_>) -> Taken {
        let starting = matches!(self.slot.state, State::Starting { .. });
        if !starting && self.slot.process().is_none_or(|process| process.pid != pid) {
            return Taken::No;
        }
        if let State::Stopping { then, .. } = self.slot.state {
            around.checks.ended(around.now, self.ix);
            self.slot.tell_exit(around.now, pid, exit, around.out);
            match then {
                Then::Start => self.start(Aim::Verify(Proof::Remedy)),
                Then::End => self.slot.state = State::Ended,
                Then::Rest => self.rest(around),
                Then::Root => self.wait_for_root(None, around),
            }
            return Taken::Yes;
        }
        let voice = Voice { owner: Some(&self.slot.spec.name), said: "", out: &mut *around.out };
        around.checks.died(around.now, self.ix, voice);
        self.slot.tell_exit(around.now, pid, exit, around.out);
        self.exited_unasked(pid, exit, around);
        Taken::Yes
    }

    pub(super) fn exited_unasked(&mut self, pid: u32, exit: Exit, around: Around<'_, '_>) {
        match self.slot.state {
            State::Starting { aim: Aim::End } => self.slot.state = State::Ended,
            State::Starting { aim: Aim::Verify(proof) } => self.died(pid, exit, proof, around),
            State::Verifying { process, proof, stage } => {
                self.forget_if_proven(process, proof, stage, &around);
                self.died(pid, exit, proof, around);
            }
            State::Running { .. } => self.died(pid, exit, Proof::Alone, around),
            State::Waiting { wait, .. } => self.slot.state = State::Waiting { process: None, wait },
            State::Broken { retry_at, .. } => self.slot.state = State::Broken { process: None, retry_at },
            State::Idle | State::Stopping { .. } | State::Awaiting { .. } | State::Left | State::Ended => {}
        }
    }

    pub(super) fn evidence(&mut self, pid: u32, last_line: &str, around: Around<'_, '_>) -> Taken {
        if !last_line.is_empty() && !self.keeps_words {
            let (service, last_line) = (self.slot.spec.name.clone(), Text::new(last_line));
            around.out.tell(event::Fact::Evidence(event::Evidence { service, pid, last_line }));
        }
        self.slot.deaths.explained(pid, last_line);
        self.go_on_with_words(around);
        Taken::Yes
    }

    /// Goes on where all that can be known of the failure is known.
    pub(super) fn go_on_with_words(&mut self, around: Around<'_, '_>) {
        if let State::Waiting { process, wait: Wait::Evidence { .. } } = self.slot.state
            && !self.slot.deaths.waits()
            && !self.slot.awaits_looks()
        {
            self.decide(process, around);
        }
    }

    pub(super) fn see(&mut self, seen: Seen, around: Around<'_, '_>) {
        match (self.slot.state, seen.sight) {
            (State::Running { process }, Sight::Fails(cause)) => {
                self.check_failed(Why::Check(seen.check, cause), process, around);
            }
            (
                State::Verifying { process, proof, stage: stage @ Stage::Holding { .. } },
                Sight::Fails(cause),
            ) => {
                self.forget_if_proven(process, proof, stage, &around);
                self.not_held(process, proof, (seen.check, cause), around);
            }
            (State::Verifying { stage: Stage::Rising { .. }, .. }, Sight::FirstPass | Sight::Passes) => {
                self.all_may_have_passed(around.now, around.checks);
            }
            (State::Verifying { process, proof, stage: Stage::Holding { passed, .. } }, Sight::Doubt) => {
                self.hold(around.now, process, proof, passed);
            }
            (State::Waiting { process: None, wait: Wait::First }, Sight::Fails(cause)) => {
                self.shadow_first(Why::Check(seen.check, cause), around);
            }
            (State::Broken { process: Some(process), .. }, Sight::FirstPass | Sight::Passes)
                if self.has_passed(around.checks) =>
            {
                self.believe(process, around);
            }
            (
                State::Waiting { process: Some(process), wait: wait @ (Wait::Restart { .. } | Wait::Root) },
                Sight::FirstPass | Sight::Passes,
            ) if self.is_believed(wait, &around) => {
                self.believe(process, around);
            }
            // What else is seen changes nothing: it is on its way down, or waits for its turn.
            (
                State::Idle
                | State::Starting { .. }
                | State::Verifying { .. }
                | State::Running { .. }
                | State::Stopping { .. }
                | State::Waiting { .. }
                | State::Broken { .. }
                | State::Awaiting { .. }
                | State::Left
                | State::Ended,
                Sight::FirstPass | Sight::Passes | Sight::Doubt | Sight::Fails(_),
            ) => {}
        }
    }

    pub(super) fn due(&mut self, mut around: Around<'_, '_>) {
        if self.hold_is_up(&mut around) {
            return;
        }
        match self.slot.state {
            State::Verifying { process, proof, stage: Stage::Rising { until } } => {
                self.rise_is_over(process, proof, until, around);
            }
            State::Verifying { process, proof, stage: Stage::Holding { passed, since, until } } => {
                self.hold_is_over(process, proof, (passed, since, until), around);
            }
            State::Stopping { process, then, kills, .. } => self.kill(around.now, process, then, kills),
            State::Waiting { process, wait: Wait::Evidence { .. } } => {
                self.slot.deaths.explain_without_words();
                self.decide(process, around);
            }
            State::Waiting { process, wait: Wait::Restart { .. } } => self.remedy_or_believe(process, around),
            // Moved on with the budget of all.
            State::Waiting { wait: Wait::Reboot { .. }, .. } => {}
            // What it needs ends this, not a time.
            State::Waiting { wait: Wait::Root, .. } => {}
            State::Waiting { wait: Wait::First, .. } => self.first_start(),
            State::Waiting { process, wait: Wait::Dependents { .. } } => self.restart(process, around.now),
            State::Waiting { process, wait: Wait::Files { kind, .. } } => {
                self.rolls_back_in_vain(kind, process, around);
            }
            State::Running { .. } => self.files_due(around.now),
            State::Broken { process, .. } if self.slot.ties.ailing.is_some() => {
                self.wait_for_root(process, around);
            }
            State::Broken { process, .. } => {
                self.try_again();
                self.slot.tell_breaker(event::Breaker::HalfOpen, around.out);
                self.begin(process, around);
            }
            State::Awaiting { .. } => self.awaited_in_vain(around),
            State::Idle | State::Starting { .. } | State::Left | State::Ended => {}
        }
    }

    pub(super) fn end(&mut self, now: Mono) {
        if self.slot.spec.driver != Driver::Spawn {
            self.slot.state = State::Ended;
            return;
        }
        match self.slot.state {
            State::Starting { .. } => self.slot.state = State::Starting { aim: Aim::End },
            State::Stopping { process, kill_at, kills, .. } => {
                self.slot.state = State::Stopping { process, then: Then::End, kill_at, kills };
            }
            State::Idle
            | State::Verifying { .. }
            | State::Running { .. }
            | State::Waiting { .. }
            | State::Broken { .. }
            | State::Awaiting { .. }
            | State::Left
            | State::Ended => match self.slot.process() {
                Some(process) => self.stop(now, process, Then::End),
                None => self.slot.state = State::Ended,
            },
        }
    }

    pub(super) fn start(&mut self, aim: Aim) {
        self.order = Some(match self.slot.spec.driver {
            Driver::Spawn | Driver::Command => Verb::Start,
            Driver::Systemd => Verb::Unit(self.start_verb()),
        });
        self.slot.state = State::Starting { aim };
    }

    /// Stops what lives of it, then starts it as a remedy.
    pub(super) fn restart(&mut self, process: Option<Process>, now: Mono) {
        match process {
            Some(process) => self.stop(now, process, Then::Start),
            None => self.start(Aim::Verify(Proof::Remedy)),
        }
    }

    pub(super) fn stop(&mut self, now: Mono, process: Process, then: Then) {
        let (order, kill_at) = match self.slot.spec.driver {
            Driver::Spawn => (Verb::Stop, now.plus(self.slot.spec.stop_timeout)),
            Driver::Command => (Verb::Stop, Mono::NEVER),
            // One job stops and starts it; how long it may take to stop is its unit's business.
            Driver::Systemd if matches!(then, Then::Rest | Then::Root) => {
                (Verb::Unit(unit::Verb::Stop), Mono::NEVER)
            }
            Driver::Systemd => (Verb::Unit(unit::Verb::Restart), Mono::NEVER),
        };
        self.order = Some(order);
        self.slot.state = State::Stopping { process, then, kill_at, kills: 0 };
    }

    fn kill(&mut self, now: Mono, process: Process, then: Then, kills: u8) {
        if then == Then::End && kills >= KILLS_MAX {
            self.slot.state = State::Ended;
            return;
        }
        self.order = Some(Verb::Kill);
        let kill_at = now.plus(KILL_AGAIN);
        self.slot.state = State::Stopping { process, then, kill_at, kills: kills.saturating_add(1) };
    }
}
