//! An agent's process: the shell around its core, as far as the core can tell it from the real one.
//!
//! One input, then every effect, then what the shell knows at once, then the claims and the timer: the order of
//! `agent/src/run`. What the shell does beside that (logs, sockets, metrics) is left out.

use super::happening::{AgentIn, DiskWork, Happening, Known, Place, Word};
use super::host::Shell;
use super::tell::tell;
use super::world::World;
use picket_agent_core::{Effect, spool};
use picket_proto::{Run, Seq};

impl<'a> World<'a> {
    /// Something comes to an agent's process, if it is still that one.
    pub(super) fn agent_hears(&mut self, at: usize, life: u64, input: AgentIn) {
        let Some(mut shell) = self.hosts[at].agent.take_if(|shell| shell.life == life) else { return };
        self.hand(at, &mut shell, input);
        while let Some(known) = shell.known.pop_front() {
            self.hand(at, &mut shell, AgentIn::Known(known));
        }
        let before = shell.older.len();
        shell.older.retain(|(run, _)| shell.agent.misses(*run));
        if shell.older.len() < before {
            self.write_claims(at, &shell);
        }
        if shell.ended {
            self.agent_ended(at, shell);
        } else {
            self.arm_agent(at, &mut shell);
            self.hosts[at].agent = Some(shell);
        }
    }

    pub(super) fn agent_timer(&mut self, at: usize, life: u64, armed: u64) {
        let is_armed = |shell: &Shell<'_>| shell.life == life && shell.armed == armed;
        if self.hosts[at].agent.as_ref().is_some_and(is_armed) {
            if let Some(shell) = &mut self.hosts[at].agent {
                shell.timer = u64::MAX;
            }
            self.agent_hears(at, life, AgentIn::Time);
        }
    }

    fn arm_agent(&mut self, at: usize, shell: &mut Shell<'a>) {
        let clock = &self.hosts[at].clock;
        let due = shell.agent.deadline().map_or(u64::MAX, |(due, _)| clock.when(due).max(self.now));
        if due != shell.timer {
            (shell.timer, shell.armed) = (due, shell.armed + 1);
            self.queue.put(due, Happening::AgentTimer(at, shell.life, shell.armed));
        }
    }

    /// Its clock runs otherwise now.
    pub(super) fn rearm_agent(&mut self, at: usize) {
        let Some(mut shell) = self.hosts[at].agent.take() else { return };
        shell.timer = u64::MAX - 1;
        self.arm_agent(at, &mut shell);
        self.hosts[at].agent = Some(shell);
    }

    /// One input, and every effect of it.
    fn hand(&mut self, at: usize, shell: &mut Shell<'a>, input: AgentIn) {
        let now = self.hosts[at].clock.now(self.now);
        if !self.passes(at, shell, &input) {
            return;
        }
        if let Some(diary) = &mut shell.diary {
            diary.push((now, input.clone()));
        }
        tell(&mut shell.agent, now, &input);
        let ended = self.forget_ended(at, &input);
        let mut told = Vec::new();
        while let Some(effect) = shell.agent.poll() {
            self.obey(at, shell, effect, &mut told);
        }
        // What a service printed last is read when nothing more urgent is left.
        shell.known.extend(ended);
        for bytes in told {
            let frames = shell.agent.bytes(bytes).to_vec();
            self.told(at, shell, &frames);
        }
    }

    /// Whose process ended, whose last words are to be read.
    fn forget_ended(&mut self, at: usize, input: &AgentIn) -> Option<Known> {
        let (AgentIn::Known(Known::Exited { service, pid, .. } | Known::Lost(service, pid))
        | AgentIn::Exited { service, pid, .. }) = input
        else {
            return None;
        };
        self.hosts[at].services[usize::from(*service)].saved = None;
        Some(Known::Evidence(*service, *pid))
    }

    /// What the shell itself makes of an input; false if it goes no further.
    fn passes(&mut self, at: usize, shell: &mut Shell<'a>, input: &AgentIn) -> bool {
        match input {
            AgentIn::Word(attempt, word) => {
                if *attempt != shell.attempt || shell.stream.is_none() {
                    return false;
                }
                match word {
                    Word::Opened => shell.opened = true,
                    Word::Lost(_) => shell.stream = None,
                    Word::Acked { run, ranges } => self.truth.acked(self.now, at, *run, ranges),
                    Word::Welcomed { known, .. } => {
                        self.truth.acked(self.now, at, shell.run, known);
                        self.truth.welcomed(at, shell.run, known, shell.agent.spool_view().last);
                    }
                    Word::Beat { .. } | Word::Challenged { .. } | Word::Ordered { .. } => {}
                }
                true
            }
            AgentIn::TooLate(attempt) => {
                let is_late = *attempt == shell.attempt && shell.stream.is_some() && !shell.opened;
                if let Some(stream) = shell.stream.take_if(|_| is_late) {
                    self.hang_up(stream, false);
                }
                is_late
            }
            AgentIn::Sent(attempt, _) => *attempt == shell.attempt && shell.stream.is_some(),
            AgentIn::Unit(fact) => {
                Self::unit_passes(shell, fact);
                true
            }
            AgentIn::Answer(fact) => {
                shell.probing.remove(&fact.check);
                true
            }
            AgentIn::Exited { .. }
            | AgentIn::Disk(_)
            | AgentIn::Hold(..)
            | AgentIn::Try(..)
            | AgentIn::Stop(_)
            | AgentIn::Time
            | AgentIn::Known(_) => true,
        }
    }

    fn obey(&mut self, at: usize, shell: &mut Shell<'a>, effect: Effect, told: &mut Vec<spool::Bytes>) {
        match effect {
            Effect::Act(act) => self.act(at, shell, act),
            Effect::Unit(order) => self.bus(at, shell, order),
            Effect::Probe(probe) => self.probe(at, shell, probe.check),
            Effect::Link(order) => self.link(at, shell, order),
            Effect::Disk(order) => {
                let bytes = match order {
                    spool::Order::Write { bytes, .. } | spool::Order::Keep { bytes } => {
                        shell.agent.bytes(bytes)
                    }
                    spool::Order::Open
                    | spool::Order::Begin { .. }
                    | spool::Order::Read { .. }
                    | spool::Order::Drop { .. } => &[],
                };
                let bytes = bytes.to_vec();
                if shell.asked.replace((order, bytes)).is_some() {
                    self.truth.broken(self.now, format!("agent {at} ordered two things of its disk at once"));
                }
                let done = self.disk_time(at);
                self.queue.put(done, Happening::Disk(at, shell.life, DiskWork::Spool));
            }
            Effect::Told(bytes) => told.push(bytes),
            Effect::Keep(_) => self.keep(at, shell),
            // Its hosts have no baseline.
            Effect::Baseline(_) => {}
            Effect::Ended => shell.ended = true,
        }
    }

    /// Frames were made: the ground truth of what must arrive or be named, and the claim on it.
    fn told(&mut self, at: usize, shell: &mut Shell<'a>, frames: &[u8]) {
        let last = self.truth.made(self.now, &self.hosts[at], at, frames);
        self.trace.mix(last.0);
        if self.trace.has_words() {
            let words = super::words::frames(frames);
            self.trace.say(self.now, &format!("  agent {at} tells {words}"));
        }
        self.claim(at, shell.run, last);
    }

    pub(super) fn claim(&mut self, at: usize, run: Run, made: Seq) {
        let disk = &mut self.hosts[at].disk;
        if disk.trouble.is_some() {
            return;
        }
        match disk.claims.first_mut() {
            Some(first) if first.0 == run => first.1 = made,
            Some(_) | None => disk.claims.insert(0, (run, made)),
        }
        disk.claims.truncate(64);
        // The kernel writes the page back now and then.
        if self.dice.below(8) == 0 {
            self.hosts[at].disk.flush_claims();
        }
    }

    fn write_claims(&mut self, at: usize, shell: &Shell<'a>) {
        let disk = &mut self.hosts[at].disk;
        if disk.trouble.is_none() {
            let own = disk.claims.first().copied().filter(|(run, _)| *run == shell.run);
            disk.claims = own.into_iter().chain(shell.older.iter().copied()).collect();
        }
    }

    fn agent_ended(&mut self, at: usize, mut shell: Shell<'a>) {
        self.hosts[at].services.iter_mut().for_each(|service| service.unseen |= service.process.is_none());
        self.write_state(at, &mut shell);
        if std::mem::take(&mut shell.owes_keep) {
            self.keep(at, &mut shell);
            self.write_state(at, &mut shell);
        }
        if let Some(stream) = shell.stream.take() {
            self.hang_up(stream, true);
        }
        self.trace.say(self.now, &format!("agent {at} has ended"));
        self.truth.ends(at, &self.hosts[at], shell.run);
        let again = self.within(100_000, 2_000_000);
        self.queue.put(again, Happening::Start(Place::Host(at)));
    }
}
