//! The figures themselves: what is counted here, and what is read from the core and the kernel for one scrape.

use crate::config::Check;
use crate::local::{About, Costs, LinkFacts, Spoken};
use crate::probe::Figure;
use picket_agent_core::service::Phase;
use picket_agent_core::spool::Mode;
use picket_agent_core::{Agent, session};
use picket_proto::event::Verdict;
use picket_proto::{Now, Span, code};
use picket_rpc::metrics::{Text, seconds};
use std::collections::BTreeSet;

/// Upper bounds of the loop's lag, microseconds: 1 ms is usual, 1 s is a host that stood still.
const LAGS: [u64; 4] = [1_000, 10_000, 100_000, 1_000_000];

/// Values of plugins that a scrape tells: 64 plugins with all that they may say, some 100 KiB.
const SERIES_MAX: usize = 1024;

/// How late the loop's deadlines were handled.
#[derive(Debug, Default)]
pub(crate) struct Lag {
    /// Per bound those that were at most as late, and all.
    counts: [u64; LAGS.len()],
    all: u64,
    total: Span,
}

impl Lag {
    /// A deadline was handled so late.
    pub(crate) fn add(&mut self, late: Span) {
        self.all += 1;
        self.total = self.total.plus(late);
        for (count, bound) in self.counts.iter_mut().zip(LAGS) {
            *count += u64::from(late.micros() <= bound);
        }
    }

    fn tell(&self, text: &mut Text) {
        let upto = LAGS.into_iter().zip(self.counts);
        let help = "How late the loop handled its deadlines.";
        text.histogram("picket_agent_loop_lag_seconds", help, upto, (self.all, self.total.micros()));
    }
}

/// What is counted for the figures alone.
#[derive(Debug, Default)]
pub(crate) struct Figures {
    pub(crate) lag: Lag,
    /// Events by their code, in the order of `code::ALL`.
    events: Vec<(&'static str, u64)>,
}

impl Figures {
    /// An event was made.
    pub(crate) fn event(&mut self, code: &'static str) {
        match self.events.iter_mut().find(|(known, _)| *known == code) {
            Some((_, count)) => *count += 1,
            None => self.events.push((code, 1)),
        }
    }

    /// How many events of this code were made.
    fn of(&self, code: &str) -> u64 {
        self.events.iter().find(|(known, _)| *known == code).map_or(0, |(_, count)| *count)
    }

    /// The page of one scrape.
    /// `beside`: how the link fared, and the bytes that were written.
    pub(crate) fn page(
        &self,
        agent: &Agent<'_>,
        (about, spoken): (&About, &Spoken),
        beside: (&LinkFacts, u64),
        now: Now,
    ) -> String {
        let (link, written) = beside;
        let mut text = Text::default();
        let labels = [
            ("host", about.host.as_str()),
            ("version", env!("CARGO_PKG_VERSION")),
            ("run", &about.run.to_string()),
        ];
        text.head("picket_agent_info", "gauge", "Which agent this is; always 1.");
        text.sample("picket_agent_info", &labels, 1);
        let up = seconds(now.mono.since(about.started).micros());
        text.one("picket_agent_uptime_seconds", "gauge", "Time since the agent's start.", up);
        watched(agent, &mut text);
        measured(agent, (about, spoken), &mut text);
        self.healed(&mut text);
        waiting(agent, &mut text);
        linked(agent, link, now, &mut text);
        own(agent, written, &mut text);
        self.lag.tell(&mut text);
        text.finish()
    }

    fn healed(&self, text: &mut Text) {
        let begun = self.of("remedy-begun");
        text.one("picket_agent_remedies_begun_total", "counter", "Remedies that began.", begun);
        text.head("picket_agent_remedies_total", "counter", "Remedies that ended, by outcome.");
        for (outcome, code) in [("held", "remedy-held"), ("not_held", "remedy-not-held")] {
            text.sample("picket_agent_remedies_total", &[("outcome", outcome)], self.of(code));
        }
        text.head("picket_agent_events_total", "counter", "Events that were made, by code.");
        for known in code::ALL.iter().filter(|known| self.of(known.code) > 0) {
            text.sample("picket_agent_events_total", &[("code", known.code)], self.of(known.code));
        }
    }
}

fn watched(agent: &Agent<'_>, text: &mut Text) {
    text.head("picket_agent_checks", "gauge", "Checks by verdict.");
    let verdicts = [Verdict::Up, Verdict::Degraded, Verdict::Flapping, Verdict::Down, Verdict::Unknown];
    for verdict in verdicts {
        let slots = (0..agent.checks_end()).filter_map(|check| agent.check_at(check));
        let count = slots.filter(|slot| slot.verdict() == verdict).count();
        text.sample("picket_agent_checks", &[("verdict", &verdict.to_string())], count);
    }
    let services = || (0..agent.services_end()).filter_map(|service| agent.service_at(service));
    text.one("picket_agent_services", "gauge", "Services that the agent looks after.", services().count());
    let running = services().filter(|service| service.phase() == Phase::Running).count();
    text.one(
        "picket_agent_services_running",
        "gauge",
        "Services that run and have proved themselves.",
        running,
    );
    let open = services().filter(|service| !service.is_closed()).count();
    text.one("picket_agent_breakers_open", "gauge", "Services that are not healed any more for now.", open);
    let held = if agent.held().is_some() {
        services().count()
    } else {
        services().filter(|service| service.held().is_some()).count()
    };
    text.one(
        "picket_agent_services_held",
        "gauge",
        "Services whose remedies rest because a person asked.",
        held,
    );
}

/// What plugins measured, as they say it: the unit is a label, since it is the plugin's own.
fn measured(agent: &Agent<'_>, (about, spoken): (&About, &Spoken), text: &mut Text) {
    let of = |(number, check)| spoken.figures(number).iter().map(move |figure| (check, figure));
    let there = (0..).zip(about.checks.iter()).filter(|(number, _)| agent.check_at(*number).is_some());
    let all: Vec<(&Check, &Figure)> = there.flat_map(of).collect();
    if all.is_empty() {
        return;
    }
    let name = "picket_agent_check_value";
    text.head(name, "gauge", "What a check's plugin measured last, in the plugin's unit.");
    let mut told = BTreeSet::new();
    for (check, figure) in all.iter().take(SERIES_MAX) {
        // A plugin may use one label twice; a series may not be there twice.
        if told.insert((check.name(), &figure.label)) {
            let labels = [("check", check.name().as_str()), ("label", &figure.label), ("unit", &figure.unit)];
            text.sample(name, &labels, &figure.value);
        }
    }
    let left_out = all.len().saturating_sub(SERIES_MAX);
    let help = "What plugins measured beyond the 1,024 values that are told.";
    text.one("picket_agent_check_values_left_out", "gauge", help, left_out);
}

fn waiting(agent: &Agent<'_>, text: &mut Text) {
    let depth = agent.spool_view();
    text.one("picket_agent_spool_frames", "gauge", "Events that wait for the collector.", depth.frames);
    text.one("picket_agent_spool_bytes", "gauge", "Bytes that they take.", depth.bytes);
    text.one("picket_agent_spool_room_bytes", "gauge", "Bytes that there is room for.", depth.room);
    text.one("picket_agent_spool_disk_frames", "gauge", "Events that stand on the disk.", depth.on_disk);
    text.one("picket_agent_spool_segments", "gauge", "Segments on the disk.", depth.segments);
    let durable = u8::from(depth.mode == Mode::Disk);
    text.one("picket_agent_spool_durable", "gauge", "Whether events are made durable on the disk.", durable);
    let help = "Events that were given up and that no gap names yet.";
    text.one("picket_agent_spool_lost_frames", "gauge", help, depth.lost);
    text.one("picket_agent_frames_total", "counter", "Events that were made in this run.", depth.last.0);
}

fn linked(agent: &Agent<'_>, link: &LinkFacts, now: Now, text: &mut Text) {
    let up = matches!(agent.link(), session::Phase::Open { .. });
    text.one("picket_agent_link_up", "gauge", "Whether the collector has the agent's session.", u8::from(up));
    let sessions = link.sessions;
    text.one("picket_agent_link_sessions_total", "counter", "Sessions that the collector took.", sessions);
    let help = "Streams that were lost or did not come to be.";
    text.one("picket_agent_link_lost_total", "counter", help, link.lost);
    if let Some(offset) = agent.offset(now.mono) {
        let help = "Half the shortest round trip of late: how exact the collector's view of our clock is.";
        text.one("picket_agent_link_offset_bound_seconds", "gauge", help, seconds(offset.bound.micros()));
    }
}

fn own(agent: &Agent<'_>, written: u64, text: &mut Text) {
    let Costs { resident, cpu } = Costs::now();
    text.one("picket_agent_resident_bytes", "gauge", "Resident memory of the agent.", resident);
    text.one("picket_agent_cpu_seconds_total", "counter", "CPU time of the agent.", seconds(cpu.micros()));
    text.one("picket_agent_written_bytes_total", "counter", "Bytes that the agent gave to disks.", written);
    let help = "Inputs that the core could not take.";
    text.one("picket_agent_refused_inputs_total", "counter", help, agent.refused());
}

#[cfg(test)]
mod tests;
