//! Services: one machine per service, from start to verified recovery.
//!
//! A remedy is a transaction: act, see every check pass, hold, and only then say that it held. The first remedy of a
//! streak waits for nothing; from the second on the last words of the dead are waited for (500 ms at most), then a
//! backoff. A streak ends when a remedy holds. Between remedies the [`crate::policy`] breaker rests. A service whose
//! breaker is open but which lives is left alive, and is believed when its checks pass and hold by themselves.
//! How processes are started and killed is the shell's.

use crate::check::{self, Checks, Facts, Seen, Sight, Voice, tell};
use crate::policy::{self, Breaker, Budget, Deaths};
use crate::timer::{self, Dice, Reason, Seat, Timed};
use picket_proto::event::{self, Because, Cause, Exit, Outcome, Remedy, Trigger};
use picket_proto::{Mono, Name, Span, Text};

/// A service's place in the configuration.
pub type ServiceIx = u16;

/// What one service is. Parsed and validated by the shell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spec {
    /// Unique among services.
    pub name: Name,
    /// From the polite signal to the kill; 10 ms to 10 min.
    pub stop_timeout: Span,
    /// Within this time after a start all its checks must have passed once; failures before are not counted.
    pub start_timeout: Span,
    /// For how long all its checks must pass before a recovery is believed.
    pub hold: Span,
    /// Delay of the second restart of a streak; doubles from there, with jitter. The first waits for nothing.
    pub backoff_first: Span,
    /// Where the doubling ends.
    pub backoff_max: Span,
    /// Remedies allowed within `budget_window`; then the breaker opens.
    pub budget: u16,
    /// The window of the budget.
    pub budget_window: Span,
    /// Identical deaths in a row, without one pass of the checks between, that open the breaker.
    pub same_deaths: u16,
    /// How long an open breaker rests before its single try; doubles with each try that does not hold, at most 8 times.
    pub retry_after: Span,
}

/// Something happened to a service's process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fact<'a> {
    /// At the agent's start: no process of an earlier run is alive.
    Absent {
        /// Which service.
        service: ServiceIx,
    },
    /// Its process runs, as ordered, or found alive at the agent's start.
    Started {
        /// Which service.
        service: ServiceIx,
        /// Its process.
        pid: u32,
        /// Whether it was found alive instead of started.
        adopted: bool,
    },
    /// Its process is gone, or never came to be.
    Exited {
        /// Which service.
        service: ServiceIx,
        /// Its process; 0 if it never had one.
        pid: u32,
        /// How.
        exit: Exit,
    },
    /// The last line it printed, read after it failed; empty if there is none. Comes once after every exit and
    /// every order to collect.
    Evidence {
        /// Which service.
        service: ServiceIx,
        /// The process that printed it.
        pid: u32,
        /// The line.
        last_line: &'a str,
    },
}

/// Something to do to a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// Kill what is left of its process group, then start it. Answered by Started or Exited(NotStarted).
    Start {
        /// Which service.
        service: ServiceIx,
    },
    /// Ask its whole process group to end (SIGTERM, and SIGCONT so that a frozen one can). Answered by Exited.
    Stop {
        /// Which service.
        service: ServiceIx,
    },
    /// Kill its whole process group (SIGKILL). Answered by Exited.
    Kill {
        /// Which service.
        service: ServiceIx,
    },
}

/// How long last words are waited for: 500 ms is ample for a pipe's rest, and no outage gets noticeably longer.
const EVIDENCE_WAIT: Span = Span::from_millis(500);
/// From one kill to the next where the first did not end it (a process in an uninterruptible wait).
const KILL_AGAIN: Span = Span::from_secs(10);
/// Kills after which an agent that ends does not wait for this service any more.
const KILLS_MAX: u8 = 2;
/// A process without checks that look inside counts as having passed when it has lived this long: a server with a
/// broken configuration ends within it.
const SETTLED: Span = Span::from_secs(1);
/// Shortest step by which a hold is prolonged.
const HOLD_STEP: Span = Span::from_millis(20);

/// One service with all that is remembered of it.
#[derive(Debug)]
pub struct Slot {
    spec: Spec,
    state: State,
    streak: Streak,
    deaths: Deaths,
    budget: Budget,
    breaker: Breaker,
    /// What the shell has to do, until it is fetched.
    order: Option<Verb>,
    /// The next service in the queue of orders.
    link: Option<ServiceIx>,
    seat: Seat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verb {
    Start,
    Stop,
    Kill,
}

/// A living process.
#[derive(Debug, Clone, Copy)]
struct Process {
    pid: u32,
    since: Mono,
}

/// What a verification is to prove.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Proof {
    /// The first start of this run.
    First,
    /// A remedy.
    Remedy,
    /// Its checks passed again without one.
    Alone,
}

/// What follows when a started process is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Aim {
    Verify(Proof),
    /// The agent ends: it is stopped again.
    End,
}

/// What follows when a stopping process is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Then {
    Start,
    End,
}

#[derive(Debug, Clone, Copy)]
enum Stage {
    /// Not all checks have passed yet.
    Rising { until: Mono },
    /// All have passed; they must stay good from `since` to `until`.
    Holding { passed: Mono, since: Mono, until: Mono },
}

#[derive(Debug, Clone, Copy)]
enum Wait {
    /// For last words, then for what policy says.
    Evidence { until: Mono },
    /// For the restart.
    Restart { at: Mono },
}

#[derive(Debug, Clone, Copy)]
enum State {
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
    /// The agent ends and it is gone.
    Ended,
}

/// Why it failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Why {
    Exit(Exit),
    Check(check::CheckIx, Cause),
}

/// Failures that follow each other without a remedy that held.
#[derive(Debug)]
struct Streak {
    /// Starts that did not hold, the very first one of the run included.
    tries: u16,
    /// Remedies begun.
    attempt: u16,
    /// The latest failure.
    failed_at: Mono,
    why: Why,
}

const FRESH: Streak = Streak { tries: 0, attempt: 0, failed_at: Mono::NEVER, why: Why::Exit(Exit::Unknown) };

impl Slot {
    /// A service of which nothing is known yet.
    pub fn new(spec: Spec) -> Self {
        Self {
            spec,
            state: State::Idle,
            streak: FRESH,
            deaths: Deaths::default(),
            budget: Budget::default(),
            breaker: Breaker::default(),
            order: None,
            link: None,
            seat: Seat::default(),
        }
    }

    /// What it is.
    pub fn spec(&self) -> &Spec {
        &self.spec
    }

    const fn process(&self) -> Option<Process> {
        match self.state {
            State::Idle | State::Starting { .. } | State::Ended => None,
            State::Verifying { process, .. }
            | State::Running { process }
            | State::Stopping { process, .. } => Some(process),
            State::Waiting { process, .. } | State::Broken { process, .. } => process,
        }
    }

    const fn deadline(&self) -> (Mono, Reason) {
        match self.state {
            State::Verifying { stage: Stage::Rising { until }, .. } => (until, Reason::StartTimeout),
            State::Verifying { stage: Stage::Holding { until, .. }, .. } => (until, Reason::Held),
            State::Stopping { kill_at, .. } => (kill_at, Reason::Kill),
            State::Waiting { wait: Wait::Evidence { until }, .. } => (until, Reason::Evidence),
            State::Waiting { wait: Wait::Restart { at }, .. } => (at, Reason::Restart),
            State::Broken { retry_at, .. } => (retry_at, Reason::HalfOpen),
            State::Idle | State::Starting { .. } | State::Running { .. } | State::Ended => {
                (Mono::NEVER, Reason::Restart)
            }
        }
    }

    fn tell_exit(&self, now: Mono, pid: u32, exit: Exit, out: &mut Facts) {
        let ran = self.process().map_or(Span::ZERO, |process| now.since(process.since));
        let asked = matches!(self.state, State::Stopping { .. });
        let service = self.spec.name.clone();
        tell(out, event::Fact::Exited(event::Exited { service, pid, exit, ran, asked }));
    }

    fn tell_outcome(&self, now: Mono, outcome: Outcome, out: &mut Facts) {
        let ended = event::RemedyEnded {
            service: self.spec.name.clone(),
            remedy: Remedy::Restart,
            attempt: self.streak.attempt,
            outcome,
            took: now.since(self.streak.failed_at),
        };
        tell(out, event::Fact::Outcome(ended));
    }

    fn tell_breaker(&self, to: event::Breaker, out: &mut Facts) {
        tell(out, event::Fact::Breaker(event::BreakerMoved { service: self.spec.name.clone(), to }));
    }

    /// Why remedies must rest now, if they must.
    fn rests(&self, now: Mono) -> Option<Because> {
        let spec = &self.spec;
        if spec.same_deaths > 0 && self.deaths.same() >= spec.same_deaths {
            return Some(Because::SameDeath(self.deaths.same()));
        }
        let used_up = Because::Budget { allowed: spec.budget, window: spec.budget_window };
        let allowed = self.budget.allows(now, spec.budget, spec.budget_window);
        // A single try of an open breaker that did not hold opens it again, whatever the budget says.
        let again = (!self.breaker.is_closed()).then_some(Because::SameDeath(self.deaths.same()));
        if allowed { again } else { Some(used_up) }
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

/// What surrounds a service while it moves.
pub(crate) struct Around<'a, 's> {
    /// When.
    pub(crate) now: Mono,
    /// The checks, its own among them.
    pub(crate) checks: &'a mut Checks<'s>,
    /// What is told.
    pub(crate) out: &'a mut Facts,
}

/// All services.
pub(crate) struct Services<'s> {
    slots: &'s mut [Slot],
    dice: Dice,
    /// The queue of orders, through the slots: one place per service, so it can't overflow.
    first: Option<ServiceIx>,
    last: Option<ServiceIx>,
    refused: u32,
}

impl<'s> Services<'s> {
    /// Takes the slots; more than 65,535 are left alone, since a [`ServiceIx`] can't name them.
    pub(crate) fn new(slots: &'s mut [Slot], dice: Dice) -> Self {
        let named = slots.len().min(usize::from(ServiceIx::MAX));
        let slots = &mut slots[..named];
        timer::seat_all(slots);
        Self { slots, dice, first: None, last: None, refused: 0 }
    }

    /// Something happened to a service's process.
    pub(crate) fn on(&mut self, fact: Fact<'_>, around: Around<'_, '_>) {
        let (Fact::Absent { service }
        | Fact::Started { service, .. }
        | Fact::Exited { service, .. }
        | Fact::Evidence { service, .. }) = fact;
        let taken = self.with(service, around, |service, around| match fact {
            Fact::Absent { .. } => service.absent(),
            Fact::Started { pid, adopted, .. } => service.started(pid, adopted, around),
            Fact::Exited { pid, exit, .. } => service.exited(pid, exit, around),
            Fact::Evidence { pid, last_line, .. } => service.evidence(pid, last_line, around),
        });
        if taken != Some(Taken::Yes) {
            self.refused = self.refused.saturating_add(1);
        }
    }

    /// A check of a service was read.
    pub(crate) fn see(&mut self, seen: Seen, around: Around<'_, '_>) {
        self.with(seen.service, around, |service, around| service.see(seen, around));
    }

    /// Moves one service whose deadline has come; false when there is none.
    pub(crate) fn due(&mut self, around: Around<'_, '_>) -> bool {
        let due = timer::first(self.slots).filter(|(_, due)| *due <= around.now && *due != Mono::NEVER);
        let Some(service) = due.and_then(|(at, _)| ServiceIx::try_from(at).ok()) else { return false };
        self.with(service, around, |service, around| service.due(around)).is_some()
    }

    /// The agent ends and takes this service with it; false when there is no service of this number.
    pub(crate) fn stop(&mut self, service: ServiceIx, around: Around<'_, '_>) -> bool {
        self.with(service, around, |service, around| service.end(around)).is_some()
    }

    /// Kills everything that lives.
    pub(crate) fn kill_all(&mut self) {
        for at in 0..self.count() {
            if self.slots[usize::from(at)].process().is_some() {
                self.order(at, Verb::Kill);
            }
        }
    }

    /// Whether nothing lives any more.
    pub(crate) fn all_ended(&self) -> bool {
        self.slots.iter().all(|slot| matches!(slot.state, State::Ended))
    }

    /// The next thing to do.
    pub(crate) fn next_act(&mut self) -> Option<Act> {
        let service = self.first?;
        let slot = self.slots.get_mut(usize::from(service))?;
        self.first = slot.link.take();
        if self.first.is_none() {
            self.last = None;
        }
        Some(match slot.order.take()? {
            Verb::Start => Act::Start { service },
            Verb::Stop => Act::Stop { service },
            Verb::Kill => Act::Kill { service },
        })
    }

    /// When the next service is due, and why.
    pub(crate) fn deadline(&self) -> (Mono, Reason) {
        let first = timer::first(self.slots).and_then(|(at, _)| self.slots.get(at));
        first.map_or((Mono::NEVER, Reason::Restart), Slot::deadline)
    }

    /// A service's name.
    pub(crate) fn name(&self, service: ServiceIx) -> Option<&Name> {
        self.slots.get(usize::from(service)).map(|slot| &slot.spec.name)
    }

    /// How many there are.
    pub(crate) fn count(&self) -> u16 {
        u16::try_from(self.slots.len()).unwrap_or(u16::MAX)
    }

    /// How many facts were refused: about a service that there is not, or that its state can't take.
    pub(crate) const fn refused(&self) -> u32 {
        self.refused
    }

    /// Lets one service move, then queues its order and its deadline.
    fn with<T>(
        &mut self,
        ix: ServiceIx,
        around: Around<'_, '_>,
        step: impl FnOnce(&mut Moving<'_>, Around<'_, '_>) -> T,
    ) -> Option<T> {
        let slot = self.slots.get_mut(usize::from(ix))?;
        let mut moving = Moving { ix, slot, dice: &mut self.dice, order: None };
        let answer = step(&mut moving, around);
        let order = moving.order;
        if let Some(verb) = order {
            self.order(ix, verb);
        }
        timer::moved(self.slots, usize::from(ix));
        Some(answer)
    }

    fn order(&mut self, ix: ServiceIx, verb: Verb) {
        let queued = self.slots[usize::from(ix)].order.replace(verb).is_some();
        if queued {
            return;
        }
        match self.last.replace(ix) {
            Some(before) => self.slots[usize::from(before)].link = Some(ix),
            None => self.first = Some(ix),
        }
    }
}

/// Whether a fact fitted the state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Taken {
    Yes,
    No,
}

/// One service while it moves.
struct Moving<'a> {
    ix: ServiceIx,
    slot: &'a mut Slot,
    dice: &'a mut Dice,
    order: Option<Verb>,
}

impl Moving<'_> {
    fn absent(&mut self) -> Taken {
        if !matches!(self.slot.state, State::Idle) {
            return Taken::No;
        }
        // The first start of a run counts as a try: when it fails, what follows waits as after a failed remedy.
        self.slot.streak.tries = 1;
        self.start(Aim::Verify(Proof::First));
        Taken::Yes
    }

    fn started(&mut self, pid: u32, adopted: bool, around: Around<'_, '_>) -> Taken {
        let process = Process { pid, since: around.now };
        let service = self.slot.spec.name.clone();
        let fact = event::Fact::Started(event::Started { service, pid, adopted });
        match self.slot.state {
            State::Idle if adopted => {
                around.checks.adopted(around.now, self.ix);
                self.slot.state = State::Running { process };
            }
            State::Starting { aim: Aim::Verify(proof) } => {
                around.checks.started(around.now, self.ix);
                let until = around.now.plus(self.slot.spec.start_timeout);
                self.slot.state = State::Verifying { process, proof, stage: Stage::Rising { until } };
                self.all_may_have_passed(around.now, around.checks);
            }
            State::Starting { aim: Aim::End } => self.stop(around.now, process, Then::End),
            State::Idle
            | State::Verifying { .. }
            | State::Running { .. }
            | State::Stopping { .. }
            | State::Waiting { .. }
            | State::Broken { .. }
            | State::Ended => return Taken::No,
        }
        tell(around.out, fact);
        Taken::Yes
    }

    fn exited(&mut self, pid: u32, exit: Exit, around: Around<'_, '_>) -> Taken {
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
            }
            return Taken::Yes;
        }
        let voice = Voice { owner: Some(&self.slot.spec.name), out: &mut *around.out };
        around.checks.died(around.now, self.ix, voice);
        self.slot.tell_exit(around.now, pid, exit, around.out);
        self.exited_unasked(pid, exit, around);
        Taken::Yes
    }

    fn exited_unasked(&mut self, pid: u32, exit: Exit, around: Around<'_, '_>) {
        match self.slot.state {
            State::Starting { aim: Aim::End } => self.slot.state = State::Ended,
            State::Starting { aim: Aim::Verify(proof) } => self.died(pid, exit, proof, around),
            State::Verifying { process, proof, stage } => {
                self.forget_if_proven(process, stage, &around);
                self.died(pid, exit, proof, around);
            }
            State::Running { .. } => self.died(pid, exit, Proof::Alone, around),
            State::Waiting { wait, .. } => self.slot.state = State::Waiting { process: None, wait },
            State::Broken { retry_at, .. } => self.slot.state = State::Broken { process: None, retry_at },
            State::Idle | State::Stopping { .. } | State::Ended => {}
        }
    }

    /// A pass between two deaths makes them two: only the budget limits those. A process that nothing looks into
    /// has passed when it has lived for a while.
    fn forget_if_proven(&mut self, process: Process, stage: Stage, around: &Around<'_, '_>) {
        let settled = around.now.since(process.since) >= SETTLED || around.checks.looks_inside(self.ix);
        if matches!(stage, Stage::Holding { .. }) && settled {
            self.slot.deaths.passed();
        }
    }

    fn died(&mut self, pid: u32, exit: Exit, proof: Proof, around: Around<'_, '_>) {
        self.slot.deaths.ended(pid, exit);
        if proof == Proof::Remedy {
            self.slot.tell_outcome(around.now, Outcome::Died(exit), around.out);
        }
        self.failed(Why::Exit(exit), None, around);
    }

    fn evidence(&mut self, pid: u32, last_line: &str, around: Around<'_, '_>) -> Taken {
        if !last_line.is_empty() {
            let (service, last_line) = (self.slot.spec.name.clone(), Text::new(last_line));
            tell(around.out, event::Fact::Evidence(event::Evidence { service, pid, last_line }));
        }
        self.slot.deaths.explained(pid, last_line);
        if let State::Waiting { process, wait: Wait::Evidence { .. } } = self.slot.state
            && !self.slot.deaths.waits()
        {
            self.decide(process, around);
        }
        Taken::Yes
    }

    fn see(&mut self, seen: Seen, around: Around<'_, '_>) {
        match (self.slot.state, seen.sight) {
            (State::Running { process }, Sight::Fails(cause)) => {
                self.check_failed(Why::Check(seen.check, cause), process, around);
            }
            (
                State::Verifying { process, proof, stage: stage @ Stage::Holding { .. } },
                Sight::Fails(cause),
            ) => {
                self.forget_if_proven(process, stage, &around);
                self.not_held(process, proof, (seen.check, cause), around);
            }
            (State::Verifying { stage: Stage::Rising { .. }, .. }, Sight::FirstPass | Sight::Passes) => {
                self.all_may_have_passed(around.now, around.checks);
            }
            (State::Verifying { process, proof, stage: Stage::Holding { passed, .. } }, Sight::Doubt) => {
                self.hold(around.now, process, proof, passed);
            }
            (State::Broken { process: Some(process), .. }, Sight::FirstPass | Sight::Passes)
                if around.checks.unproven(self.ix, self.slot.streak.failed_at).is_none() =>
            {
                around.checks.watch(around.now, self.ix, self.slot.spec.hold);
                self.hold(around.now, process, Proof::Alone, around.now);
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
                | State::Ended,
                Sight::FirstPass | Sight::Passes | Sight::Doubt | Sight::Fails(_),
            ) => {}
        }
    }

    fn due(&mut self, around: Around<'_, '_>) {
        match self.slot.state {
            State::Verifying { process, proof, stage: Stage::Rising { .. } } => {
                let missing = around.checks.unproven(self.ix, process.since);
                if let Some(missing) = missing {
                    self.not_held(process, proof, missing, around);
                } else {
                    self.all_may_have_passed(around.now, around.checks);
                }
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
            State::Broken { process, .. } => {
                self.slot.tell_breaker(event::Breaker::HalfOpen, around.out);
                self.begin(process, around);
            }
            State::Idle | State::Starting { .. } | State::Running { .. } | State::Ended => {}
        }
    }

    fn end(&mut self, around: Around<'_, '_>) {
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
            | State::Ended => match self.slot.process() {
                Some(process) => self.stop(around.now, process, Then::End),
                None => self.slot.state = State::Ended,
            },
        }
    }

    /// Begins the hold if every check has passed since the start.
    fn all_may_have_passed(&mut self, now: Mono, checks: &mut Checks<'_>) {
        if let State::Verifying { process, proof, .. } = self.slot.state
            && checks.unproven(self.ix, process.since).is_none()
        {
            checks.watch(now, self.ix, self.slot.spec.hold);
            self.hold(now, process, proof, now);
        }
    }

    fn hold(&mut self, now: Mono, process: Process, proof: Proof, passed: Mono) {
        let stage = Stage::Holding { passed, since: now, until: now.plus(self.slot.spec.hold) };
        self.slot.state = State::Verifying { process, proof, stage };
    }

    /// The hold's time is over. It is believed only if every check passed within its later half: a check that hangs
    /// in an unanswered probe proves nothing. Then the hold is prolonged, but not for ever.
    fn hold_is_over(
        &mut self,
        process: Process,
        proof: Proof,
        times: (Mono, Mono, Mono),
        around: Around<'_, '_>,
    ) {
        let (passed, since, until) = times;
        let spec = &self.slot.spec;
        let half = Span::from_micros(spec.hold.micros() / 2);
        let fresh = since.max(Mono::from_micros(around.now.micros().saturating_sub(half.micros())));
        let Some(missing) = around.checks.unproven(self.ix, fresh) else {
            return self.held(process, proof, (passed, since), around);
        };
        let patience = spec.start_timeout.plus(spec.hold.times(3));
        if around.now.since(passed) >= patience {
            return self.not_held(process, proof, missing, around);
        }
        let step = Span::from_micros(spec.hold.micros() / 4).max(HOLD_STEP);
        let stage = Stage::Holding { passed, since, until: until.max(around.now).plus(step) };
        self.slot.state = State::Verifying { process, proof, stage };
    }

    fn held(&mut self, process: Process, proof: Proof, times: (Mono, Mono), around: Around<'_, '_>) {
        let (passed, since) = times;
        if proof == Proof::Remedy {
            let back_after = passed.since(self.slot.streak.failed_at);
            let held_for = around.now.since(since);
            let check = self.failed_check(around.checks);
            self.slot.tell_outcome(around.now, Outcome::Held { check, back_after, held_for }, around.out);
        }
        if !self.slot.breaker.is_closed() {
            self.slot.breaker.close();
            self.slot.tell_breaker(event::Breaker::Closed, around.out);
        }
        self.slot.streak = FRESH;
        self.slot.deaths.passed();
        around.checks.relax(around.now, self.ix);
        self.slot.state = State::Running { process };
    }

    /// It lives, but did not pass or stopped passing.
    fn not_held(
        &mut self,
        process: Process,
        proof: Proof,
        missing: (check::CheckIx, Cause),
        around: Around<'_, '_>,
    ) {
        let (check, cause) = missing;
        if proof == Proof::Remedy {
            let name = self.check_name(check, around.checks);
            let outcome = Outcome::StillFailing { check: name, cause };
            self.slot.tell_outcome(around.now, outcome, around.out);
        }
        around.checks.relax(around.now, self.ix);
        self.check_failed(Why::Check(check, cause), process, around);
    }

    fn check_failed(&mut self, why: Why, process: Process, around: Around<'_, '_>) {
        if let Why::Check(check, cause) = why {
            self.slot.deaths.failed(check, cause);
        }
        self.failed(why, Some(process), around);
    }

    /// It failed: at once a remedy, or a wait.
    fn failed(&mut self, why: Why, process: Option<Process>, around: Around<'_, '_>) {
        self.slot.streak.failed_at = around.now;
        self.slot.streak.why = why;
        if self.slot.streak.tries == 0 && self.slot.rests(around.now).is_none() {
            self.begin(process, around);
        } else if self.slot.deaths.waits() {
            let wait = Wait::Evidence { until: around.now.plus(EVIDENCE_WAIT) };
            self.slot.state = State::Waiting { process, wait };
        } else {
            self.decide(process, around);
        }
    }

    /// All that can be known about the failure is known: rest, or restart after the backoff.
    fn decide(&mut self, process: Option<Process>, around: Around<'_, '_>) {
        if let Some(because) = self.slot.rests(around.now) {
            return self.open(process, because, around);
        }
        let (spec, tries) = (&self.slot.spec, self.slot.streak.tries);
        let delay = policy::backoff(spec.backoff_first, spec.backoff_max, tries.saturating_sub(1), self.dice);
        let at = self.slot.streak.failed_at.plus(delay);
        self.slot.state = State::Waiting { process, wait: Wait::Restart { at } };
    }

    fn open(&mut self, process: Option<Process>, because: Because, around: Around<'_, '_>) {
        let retry_in = self.slot.breaker.open(self.slot.spec.retry_after, self.dice);
        let last = self.trigger(around.checks);
        let attempts = self.slot.streak.attempt;
        self.slot.tell_breaker(event::Breaker::Open { because, attempts, last, retry_in }, around.out);
        self.slot.state = State::Broken { process, retry_at: around.now.plus(retry_in) };
    }

    /// A restart is due; but what has healed meanwhile is not restarted.
    fn remedy_or_believe(&mut self, process: Option<Process>, around: Around<'_, '_>) {
        let healed =
            process.filter(|_| around.checks.unproven(self.ix, self.slot.streak.failed_at).is_none());
        if let Some(process) = healed {
            around.checks.watch(around.now, self.ix, self.slot.spec.hold);
            return self.hold(around.now, process, Proof::Alone, around.now);
        }
        self.begin(process, around);
    }

    /// A remedy begins.
    fn begin(&mut self, process: Option<Process>, around: Around<'_, '_>) {
        let streak = &mut self.slot.streak;
        streak.tries = streak.tries.saturating_add(1);
        streak.attempt = streak.attempt.saturating_add(1);
        let (attempt, delay) = (streak.attempt, around.now.since(streak.failed_at));
        self.slot.budget.spend(around.now);
        let begun = event::RemedyBegun {
            service: self.slot.spec.name.clone(),
            remedy: Remedy::Restart,
            attempt,
            trigger: self.trigger(around.checks),
            delay,
        };
        tell(around.out, event::Fact::Remedy(begun));
        match process {
            Some(process) => self.stop(around.now, process, Then::Start),
            None => self.start(Aim::Verify(Proof::Remedy)),
        }
    }

    fn start(&mut self, aim: Aim) {
        self.order = Some(Verb::Start);
        self.slot.state = State::Starting { aim };
    }

    fn stop(&mut self, now: Mono, process: Process, then: Then) {
        self.order = Some(Verb::Stop);
        let kill_at = now.plus(self.slot.spec.stop_timeout);
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

    fn trigger(&self, checks: &Checks<'_>) -> Trigger {
        match self.slot.streak.why {
            Why::Exit(exit) => Trigger::Exit(exit),
            Why::Check(check, cause) => Trigger::Check { check: self.check_name(check, checks), cause },
        }
    }

    /// The check that had failed: an exit is the process check's failure.
    fn failed_check(&self, checks: &Checks<'_>) -> Name {
        let process = checks.process_of(self.ix);
        match (self.slot.streak.why, process) {
            (Why::Check(check, _), _) | (Why::Exit(_), Some(check)) => self.check_name(check, checks),
            (Why::Exit(_), None) => self.slot.spec.name.clone(),
        }
    }

    fn check_name(&self, check: check::CheckIx, checks: &Checks<'_>) -> Name {
        checks.get(check).map_or_else(|| self.slot.spec.name.clone(), |slot| slot.spec().name.clone())
    }
}
