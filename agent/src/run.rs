//! The loop: one task owns the core, selects an input, hands it in, does every effect, and arms one timer.
//!
//! | port | places | full means |
//! |---|---|---|
//! | notices (processes) | 3 per service + 1 | can't be: one watcher, one clearing and one order about files per service |
//! | units (systemd) | 64 | readings wait in their own tasks, one per unit |
//! | answers (probes) | 96 | can't be: one place per probe in flight, what is beyond waits unasked |
//! | ends (processes of others) | 1 per check that asks for such | their watchers wait; one is out per check |
//! | words (link) | 16 | the link's task waits; HTTP/2 holds the collector back |
//! | orders (link) | 64 | can't be: the core keeps at most 40 out; if it is, the stream is cut and told as lost |
//! | sent (link) | a counter | latest value wins: counts add up |
//! | orders, answers (disk) | 1, 8 | can't be: one order is out at a time; its thread waits with the answers of an Open |
//! | news (baseline) | 4 | can't be: one look, one trace and one write are out at most |
//! | asks (local socket, metrics) | 8 | can't be: one question per client |
//! | watched (the configuration's folders) | 1 | one change stands for all that come meanwhile |
//!
//! Exits are selected first, then signals, answers and the timer: a deadline must not judge by older readings than
//! there are. What stands before the timer is bounded by checks and services, so it can't starve. Acts are done the
//! moment that the core says them; lines of log, identity files, evidence and the state file come after, in the same
//! turn. What the shell knows at once (a start, a reading of `/proc` or of a port of this host) is queued and handed in after the effects of the
//! input before it are done; the queue holds at most one entry per check and two per service. The core is never
//! entered twice at once.

mod doors;
mod effects;
mod places;
mod reload;
mod roster;
mod signals;
mod start;
mod world;

use crate::act::{Notice, Outcome, Services};
use crate::baseline::{self, Baseline};
use crate::clock::{self, Timer};
use crate::disk::{self, Disk};
use crate::keep::{Keeper, LAST_WRITE};
use crate::link::{Heard, Link, Sent};
use crate::local::{Answerer, Ask, Wish};
use crate::log::Log;
use crate::plan::Plan;
use crate::probe::{Answer, Probes};
use crate::sd::notify::Notify;
use crate::sd::{self, Systemd};
use crate::state::Legacy;
use crate::watch;
use crate::weeks::Weeks;
pub(crate) use effects::STUCK;
use picket_agent_core::check::CheckIx;
use picket_agent_core::service::ServiceIx;
use picket_agent_core::session;
use picket_agent_core::{Agent, Asked, Ending, Input, spool};
use picket_proto::{BootId, Mono, Run, Span};
use reload::Reloader;
use roster::Roster;
use signals::{Signalled, Signals};
pub(crate) use start::run;
use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use tokio::sync::mpsc;

/// What a start may take beyond the init system's patience: a long spool is read back in it, and a bus tried.
const RECOVERY: Span = Span::from_secs(30);

/// Where inputs come from.
struct Ports {
    notices: mpsc::Receiver<Notice>,
    units: mpsc::Receiver<sd::Told>,
    answers: mpsc::Receiver<Answer>,
    ends: mpsc::Receiver<CheckIx>,
    words: mpsc::Receiver<Heard>,
    segments: mpsc::Receiver<disk::Told>,
    asks: mpsc::Receiver<Ask>,
    news: baseline::News,
    sent: Arc<Sent>,
    watched: mpsc::Receiver<watch::Told>,
    signals: Signals,
    timer: Timer,
}

/// The core with everything that does what it says.
struct Shell<'s> {
    agent: Agent<'s>,
    /// The configuration in force.
    plan: Arc<Plan>,
    roster: Roster,
    reloader: Reloader,
    services: Services,
    systemd: Systemd,
    baseline: Baseline,
    notify: Notify,
    probes: Probes,
    link: Link,
    disk: Disk,
    /// As it was told last.
    mode: spool::Mode,
    /// The link has carried its cap.
    is_over_cap: bool,
    log: Log,
    run: Run,
    boot: BootId,
    synced: bool,
    queue: VecDeque<Known>,
    legacy: Legacy,
    keeper: Keeper,
    weeks: Weeks,
    answerer: Answerer,
    /// The service for which the host is to be rebooted.
    reboots: Option<ServiceIx>,
    ended: bool,
}

/// What the shell knows without waiting.
enum Known {
    Reading(Answer),
    Outcome(Outcome),
}

impl Shell<'_> {
    async fn turn_until_ended(&mut self, mut ports: Ports) -> io::Result<()> {
        self.notify.extend(RECOVERY);
        self.ask_synced();
        self.queue.extend(self.services.look().into_iter().map(Known::Outcome));
        self.hand(Input::Time);
        self.settle();
        while !self.ended {
            ports.timer.arm(self.deadline())?;
            tokio::select! {
                biased;
                Some(notice) = ports.notices.recv() => self.noticed(notice),
                Some(told) = ports.units.recv() => self.unit(told),
                asked = ports.signals.next() => self.signalled(asked),
                Some(answer) = ports.answers.recv() => self.answered(&answer),
                Some(check) = ports.ends.recv() => self.hand(Input::Asked(Asked::Look(check))),
                () = ports.timer.fired() => self.time(&mut ports).await,
                messages = ports.sent.take() => self.hand(Input::Session(session::Fact::Sent { messages })),
                Some(told) = ports.segments.recv() => self.disk_told(&told),
                Some(heard) = ports.words.recv() => self.heard(heard),
                Some(ask) = ports.asks.recv() => self.asked(ask),
                told = ports.news.next() => self.world(told),
                (owed, bytes) = self.keeper.written() => self.written(owed, bytes),
                Some(told) = ports.watched.recv() => self.watched(told),
                (why, read) = self.reloader.done() => self.reread(why, read),
            }
            self.settle();
        }
        Ok(())
    }

    /// The core has ended: what must not be left behind is brought to its end.
    async fn finish(self, ending: Ending) {
        self.notify.stopping();
        if ending == Ending::StopServices {
            self.services.clear_escaped().await;
        }
        self.keeper.finish(&self.agent, clock::now()).await;
        self.legacy.finish(LAST_WRITE);
        self.services.finish(LAST_WRITE);
        self.link.finish().await;
    }

    fn noticed(&mut self, notice: Notice) {
        self.queue.extend(self.services.reading(&notice).map(Known::Reading));
        self.queue.extend(self.services.noticed(notice).map(Known::Outcome));
    }

    fn answered(&mut self, answer: &Answer) {
        self.probes.ended(answer.check);
        self.queue_ready();
        self.read(answer);
    }

    fn read(&mut self, answer: &Answer) {
        self.hand(Input::Check(answer.as_fact()));
        self.answerer.read(&self.agent, clock::now().mono, answer);
    }

    fn asked(&mut self, ask: Ask) {
        match self.answerer.answer(&self.agent, clock::now(), ask) {
            Some(Wish::Look(check)) => {
                self.probes.asked(check);
                self.hand(Input::Asked(Asked::Look(check)));
            }
            Some(Wish::Accept(accepting)) => self.accept(accepting),
            Some(Wish::Hold(holding)) => {
                self.hand(Input::Asked(Asked::Hold(holding.as_fact())));
                holding.done(&self.agent, clock::now().mono);
            }
            Some(Wish::Try(trying)) => {
                self.hand(Input::Asked(trying.as_asked()));
                trying.done(&self.agent);
            }
            Some(Wish::Reload(reply)) => self.reload(Some(reply)),
            None => {}
        }
    }

    fn signalled(&mut self, asked: Signalled) {
        match asked {
            Signalled::End(ending) => self.hand(Input::Stop(ending)),
            Signalled::Reload => self.reload(None),
        }
    }

    fn disk_told(&mut self, told: &disk::Told) {
        if let disk::Told::Done { flash } = told {
            self.answerer.wrote(*flash);
        }
        self.hand(Input::Disk(told.as_fact()));
    }

    /// The time has come. Watchers and probes whose news came with it speak first: after a loop that stood still all
    /// of them are ready at once, and a deadline must not judge a service by older readings than there are.
    async fn time(&mut self, ports: &mut Ports) {
        let late = clock::now().mono.since(self.deadline().unwrap_or(Mono::NEVER));
        self.answerer.figures.lag.add(late);
        // Levels are held against their hours once it is, whether or not there is a collector.
        self.ask_synced();
        tokio::task::yield_now().await;
        while let Ok(notice) = ports.notices.try_recv() {
            self.noticed(notice);
            self.settle();
        }
        while let Ok(told) = ports.units.try_recv() {
            self.unit(told);
            self.settle();
        }
        while let Ok(answer) = ports.answers.try_recv() {
            self.answered(&answer);
            self.settle();
        }
        self.hand(Input::Time);
    }

    fn hand(&mut self, input: Input<'_>) {
        self.agent.handle(clock::now(), input);
        self.effects();
    }

    /// Hands in what is known until nothing more follows from it.
    fn settle(&mut self) {
        loop {
            match self.queue.pop_front() {
                Some(Known::Reading(answer)) => self.read(&answer),
                // What is heard of a service that the configuration has no more is nobody's concern.
                Some(Known::Outcome(outcome)) if !self.serves(outcome.service()) => {}
                Some(Known::Outcome(outcome)) => {
                    if let Outcome::Evidence { service, pid, last_line } = &outcome {
                        self.words(*service, *pid, last_line);
                    }
                    self.hand(Input::Service(outcome.as_fact()));
                }
                None => match self.services.afterwards() {
                    Some(outcome) => self.queue.push_back(Known::Outcome(outcome)),
                    None => break,
                },
            }
        }
        for (service, newcomer) in self.services.newcomers() {
            self.systemd.place(service, newcomer);
        }
        self.link.flush();
        let now = clock::now();
        let claims = self.legacy.settle(now.mono, |run| self.agent.misses(run));
        let identities = self.services.settle(now.mono);
        self.tell_stuck(claims.max(identities));
        self.tell_mode();
        self.tell_cap(now.mono);
        self.answerer.wrote(self.weeks.written());
        self.answerer.turn(now);
        self.tell_init(now.mono);
    }

    fn deadline(&self) -> Option<Mono> {
        let core = self.agent.deadline().map(|(deadline, _)| deadline);
        core.into_iter().chain(self.notify.due()).min()
    }
}
