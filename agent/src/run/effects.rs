//! What the core says, done: acts at once, then the rest of the turn; and what is told of it.

use super::{Known, Shell};
use crate::act::Outcome;
use crate::clock;
use crate::disk;
use crate::link::{Heard, Word};
use crate::probe::process;
use crate::sd;
use picket_agent_core::service::{Act, ServiceIx};
use picket_agent_core::session::{self, Order};
use picket_agent_core::{Effect, Input, Kept, spool};
use picket_proto::event::Evidence;
use picket_proto::{Carried, Event, Fact, Mono, Now, Span, Stamp, Text};

/// A disk that takes longer does not answer: a flash pauses for less than a second.
pub(crate) const STUCK: Span = Span::from_secs(2);

impl Shell<'_> {
    pub(super) fn effects(&mut self) {
        let mut told = Vec::new();
        while let Some(effect) = self.agent.poll() {
            match effect {
                Effect::Act(Act::Unit { service, verb }) => self.systemd.call(service, verb),
                Effect::Act(Act::Collect { service, of }) => self.systemd.collect(service, of),
                Effect::Act(Act::Read { service, token, of: Some(of), .. }) => {
                    self.systemd.read(service, of, token);
                }
                Effect::Act(Act::Reboot { service }) => {
                    self.reboots = Some(service);
                    self.reboot_once_kept();
                }
                Effect::Unit(order) => self.systemd.obey(order),
                Effect::Baseline(order) => self.baseline.obey(order, &self.agent, &self.systemd),
                Effect::Act(act) => self.queue.extend(self.services.obey(act).map(Known::Outcome)),
                Effect::Probe(probe) => {
                    let (services, systemd) = (&self.services, &self.systemd);
                    let process = |service, limit| {
                        if services.ask(service, probe.check, limit) {
                            return None;
                        }
                        let unit = systemd.process(service);
                        Some(unit.unwrap_or_else(|| process::read(services.process(service)).into()))
                    };
                    self.probes.begin(probe, process);
                    self.queue_ready();
                }
                Effect::Link(order) => self.order(order),
                Effect::Disk(order) => self.keep(order),
                Effect::Told(bytes) => told.push(bytes),
                Effect::Keep(Kept::State) => self.keeper.keep(&self.agent, clock::now()),
                Effect::Keep(Kept::Weeks) => self.weeks.keep(&self.roster.checks, &self.agent),
                Effect::Ended => self.ended = true,
            }
        }
        told.iter().for_each(|bytes| self.legacy.made(self.agent.bytes(*bytes)));
        self.legacy.keep();
        for bytes in told {
            let frames = self.agent.bytes(bytes);
            self.answerer.made(frames);
            self.log.frames(frames);
        }
    }

    /// Has the host rebooted, as soon as it is on the disk that it was.
    pub(super) fn reboot_once_kept(&mut self) {
        let (Some(service), Some(kept)) = (self.reboots, self.keeper.is_kept()) else { return };
        self.reboots = None;
        if !self.agent.reboot_is_ordered(service) {
            // It was given up while the disk hung, and the service may be well by now.
            return;
        }
        if kept {
            tracing::warn!(command = ?self.plan.reboot, "the host is rebooted");
            return self.services.reboot(service, self.plan.reboot.clone());
        }
        let why = "that it is rebooted can't be written to the state folder".to_owned();
        self.queue.push_back(Known::Outcome(Outcome::NotRebooted { service, why }));
    }

    /// Hands in what was heard of a unit.
    pub(super) fn unit(&mut self, told: sd::Told) {
        match told {
            sd::Told::Fact(fact) => {
                self.systemd.passes(&fact);
                self.answerer.unheard = self.systemd.unheard();
                self.hand(Input::Unit(fact));
            }
            sd::Told::Silent(why) => self.systemd.silent(why),
            sd::Told::Printed { unit: service, token, text } => {
                self.hand(Input::Service(Outcome::Printed { service, token, text }.as_fact()));
            }
            sd::Told::Words { unit: service, pid, text: last_line } => {
                self.words(service, pid, &last_line);
                self.hand(Input::Service(Outcome::Evidence { service, pid, last_line }.as_fact()));
            }
        }
    }

    /// Last words that the core does not tell, since the link costs money: shown on this host all the same.
    pub(super) fn words(&mut self, service: ServiceIx, pid: u32, last_line: &str) {
        let is_kept = self.plan.collector.terms.is_metered() && !last_line.is_empty();
        let Some(name) = self.agent.service_at(service).filter(|_| is_kept).map(|it| it.name().clone())
        else {
            return;
        };
        let evidence = Evidence { service: name, pid, last_line: Text::new(last_line) };
        let event = Event { stamp: self.stamp(clock::now()), fact: Fact::Evidence(evidence) };
        self.answerer.kept(&event);
        self.log.kept(&event);
    }

    fn stamp(&self, now: Now) -> Stamp {
        Stamp { run: self.run, boot: self.boot, mono: now.mono, wall: now.wall, synced: self.synced }
    }

    /// Queues the readings that needed no waiting.
    pub(super) fn queue_ready(&mut self) {
        self.queue.extend(std::iter::from_fn(|| self.probes.ready()).map(Known::Reading));
    }

    pub(super) fn keep(&self, order: spool::Order) {
        let bytes = match order {
            spool::Order::Write { bytes, .. } | spool::Order::Keep { bytes } => self.agent.bytes(bytes),
            spool::Order::Open
            | spool::Order::Begin { .. }
            | spool::Order::Read { .. }
            | spool::Order::Drop { .. } => &[],
        };
        self.disk.obey(order, bytes);
    }

    /// Tells when events are kept another way than before.
    pub(super) fn tell_mode(&mut self) {
        let mode = self.agent.spool_view().mode;
        if std::mem::replace(&mut self.mode, mode) != mode
            && let Some((code, text)) = disk::words(mode)
        {
            self.log.link(clock::now().wall, code, text);
        }
    }

    /// Tells when the link has carried its cap, and when it may carry on.
    pub(super) fn tell_cap(&mut self, now: Mono) {
        let (_, _, carried, left) = self.agent.link_usage(now);
        let is_over = carried.is_some_and(Carried::is_over);
        if std::mem::replace(&mut self.is_over_cap, is_over) == is_over {
            return;
        }
        let (code, text) = if is_over {
            let bytes = carried.map_or(0, |carried| carried.bytes);
            let text = format!("the link carried {bytes} bytes; only critical events go for {left}");
            ("link-cap", text)
        } else {
            ("link-cap-over", "30 days are over: the link carries all events again".to_owned())
        };
        self.log.link(clock::now().wall, code, &text);
    }

    /// Tells when the disk of the state folder does not answer, and when it does again.
    pub(super) fn tell_stuck(&mut self, behind: Span) {
        let (was, is) = (self.answerer.stuck >= STUCK, behind >= STUCK);
        self.answerer.stuck = behind;
        let wall = clock::now().wall;
        if is && !was {
            self.log.link(
                wall,
                "state-stuck",
                "the disk of the state folder does not answer: claims, budgets and holds wait",
            );
        } else if was && !is {
            self.log.link(wall, "state-well", "the disk of the state folder answers again");
        }
    }

    pub(super) fn order(&mut self, order: Order) {
        let now = clock::now();
        let (frames, said): (&[u8], &str) = match order {
            Order::Send { bytes, .. } => (self.agent.bytes(bytes), ""),
            Order::Standing { check, .. } => (&[], self.answerer.said(check)),
            Order::Hello { .. } | Order::Heartbeat { .. } => {
                self.ask_synced();
                (&[], "")
            }
            Order::Connect
            | Order::StandingEnd { .. }
            | Order::Answer { .. }
            | Order::Goodbye
            | Order::Close => (&[], ""),
        };
        let stamp = self.stamp(now);
        self.link.obey(order, stamp, (frames, said));
    }

    pub(super) fn heard(&mut self, heard: Heard) {
        let Some(word) = self.link.sort(heard) else { return };
        let now = clock::now();
        match &word {
            Word::Welcomed { .. } => {
                let address = self.link.taken_by();
                self.answerer.link.opened(address);
                self.log.link(now.wall, "link-open", &format!("{address} took the session"));
            }
            Word::Lost { diagnosis } => {
                let text = diagnosis.to_string();
                self.answerer.link.lost(now.mono, diagnosis.code, &text);
                self.log.link(now.wall, diagnosis.code, &text);
            }
            // What comes of an order is told, within its budget; a flood of them must not fill the log.
            Word::Acked { .. }
            | Word::Opened { .. }
            | Word::Beat { .. }
            | Word::Challenged { .. }
            | Word::Ordered { .. } => {}
        }
        // Every exchange ends with a word, so that this misses nothing for long and wakes nobody.
        let bytes = self.link.carried();
        if bytes > 0 {
            self.hand(Input::Session(session::Fact::Carried { bytes }));
        }
        self.hand(Input::Session(word.as_fact()));
    }

    /// Ready when every service and unit was looked at once; alive as often as the init system wants to hear it.
    pub(super) fn tell_init(&mut self, now: Mono) {
        self.notify.turn(now);
        if self.agent.units_settled() && self.mode != spool::Mode::Opening {
            self.notify.ready();
        }
        if self.notify.wants_status(now) {
            let status = sd::notify::status(&self.agent);
            self.notify.status(now, status);
        }
    }

    pub(super) fn ask_synced(&mut self) {
        self.synced = clock::synced();
        self.agent.clock_synced(self.synced);
    }
}
