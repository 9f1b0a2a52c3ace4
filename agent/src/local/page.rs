//! The documents of the answers: what stands where, and how it is called.

mod service;

pub(super) use service::{phase, service};

use super::VERSION;
use super::answer::{About, Answerer};
use super::facts::{ConfigFacts, Costs};
use super::spoken::{FigureDoc, Spoken, figure};
use picket_agent_core::check::{self, CheckIx, Reading, Usually};
use picket_agent_core::hold::Held;
use picket_agent_core::spool::Mode;
use picket_agent_core::{Agent, session};
use picket_proto::event::{CheckKind, Verdict};
use picket_proto::tell::{Level, Why};
use picket_proto::{Mono, Now, code};
use serde::Serialize;
use serde_json::json;

/// One check.
#[derive(Serialize)]
pub(super) struct CheckDoc<'d> {
    name: &'d str,
    kind: String,
    target: String,
    verdict: String,
    since_ms: u64,
    cause: Option<String>,
    reading: Option<String>,
    said: Option<&'d str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    usual: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    figures: Vec<FigureDoc<'d>>,
    read_ms: Option<u64>,
    interval_ms: u64,
}

/// A hold that stands.
#[derive(Serialize)]
pub(super) struct HoldDoc<'d> {
    left_ms: u64,
    by: &'d str,
}

/// A hold as it stands.
pub(super) fn hold(held: Option<&Held>, now: Mono) -> Option<HoldDoc<'_>> {
    held.map(|held| HoldDoc { left_ms: held.until.since(now).millis(), by: held.by.as_str() })
}

/// What a look needs.
pub(super) struct Look<'l> {
    pub(super) about: &'l About,
    pub(super) spoken: &'l Spoken,
    pub(super) now: Mono,
}

impl Look<'_> {
    /// One check as it stands.
    pub(super) fn check<'d>(
        &'d self,
        (number, slot): (CheckIx, &'d check::Slot),
        usual: Option<Usually>,
    ) -> CheckDoc<'d> {
        let spec = slot.spec();
        let target = self.about.checks.get(usize::from(number)).map(|check| check.target().to_string());
        let say = |reading: Reading| match reading.leveled() {
            Reading::Good | Reading::Room { .. } => "good".to_owned(),
            Reading::Poor(cause) | Reading::Bad(cause) => Why(spec.kind, cause, "").to_string(),
            Reading::Level(level) => Level(spec.kind, level).to_string(),
        };
        CheckDoc {
            name: spec.name.as_str(),
            kind: spec.kind.to_string(),
            target: target.unwrap_or_default(),
            verdict: slot.verdict().to_string(),
            since_ms: self.now.since(slot.since()).millis(),
            cause: slot.cause().map(|cause| Why(spec.kind, cause, "").to_string()),
            reading: slot.last().map(|(_, reading)| say(reading)),
            usual: usual.map(|usual| said(spec.kind, usual)),
            said: Some(self.spoken.said(number)).filter(|said| !said.is_empty()),
            figures: self.spoken.figures(number).iter().map(figure).collect(),
            read_ms: slot.last().map(|(at, _)| self.now.since(at).millis()),
            interval_ms: spec.interval.millis(),
        }
    }
}

/// What a level usually is at this hour.
fn said(kind: CheckKind, usual: Usually) -> String {
    match usual {
        Usually::NoClock => "not known: the clock is not synchronised (see `timedatectl`)".to_owned(),
        Usually::Days(days) => format!("not known yet: {days} days of this hour, 3 are needed"),
        Usually::Between(None, high) => format!("up to {} at this hour", Level(kind, high)),
        Usually::Between(Some(low), high) => {
            format!("{} to {} at this hour", Level(kind, low), Level(kind, high))
        }
    }
}

/// The overview.
pub(super) fn status(answerer: &Answerer, agent: &Agent<'_>, now: Now) -> String {
    let about = &answerer.about;
    let spool = agent.spool_view();
    let costs = Costs::now();
    let today = answerer.written.today();
    json!({
        "v": VERSION,
        "now": crate::log::rfc3339(now.wall),
        "host": about.host.as_str(),
        "run": about.run.to_string(),
        "version": env!("CARGO_PKG_VERSION"),
        "pid": std::process::id(),
        "up_ms": now.mono.since(about.started).millis(),
        "checks": counts(agent),
        "hold": hold(agent.held(), now.mono),
        "state_stuck_ms": answerer.stuck.millis(),
        "systemd_unheard": answerer.unheard,
        "config": config(&answerer.config),
        "link": link(answerer, agent, now.mono),
        "spool": {
            "mode": mode(spool.mode), "frames": spool.frames, "bytes": spool.bytes, "room": spool.room,
            "on_disk": spool.on_disk, "segments": spool.segments, "lost": spool.lost, "damaged": spool.damaged,
            "over_budget": spool.is_over_budget, "runs": spool.runs,
        },
        "agent": { "resident": costs.resident, "cpu_ms": costs.cpu.millis(), "written_today": today, "written": answerer.written.total(), "refused": agent.refused() },
    })
    .to_string()
}

/// The configuration in force. Ten mistakes are enough for a page: `check --config FILE` tells all.
fn config(facts: &ConfigFacts) -> serde_json::Value {
    json!({
        "file": facts.file,
        "since": crate::log::rfc3339(facts.since),
        "mistakes": facts.mistakes.len(),
        "first_mistakes": facts.mistakes.iter().take(10).collect::<Vec<_>>(),
        "skipped": facts.skipped.iter().take(64).collect::<Vec<_>>(),
        "not_watched": facts.blind,
    })
}

const fn mode(mode: Mode) -> &'static str {
    match mode {
        Mode::Opening => "opening",
        Mode::Disk => "disk",
        Mode::Ram(_) => "memory",
    }
}

fn counts(agent: &Agent<'_>) -> serde_json::Value {
    let mut counts = [0u16; 5];
    let slots = (0..agent.checks_end()).filter_map(|number| agent.check_at(number));
    for slot in slots {
        counts[match slot.verdict() {
            Verdict::Unknown => 0,
            Verdict::Up => 1,
            Verdict::Degraded => 2,
            Verdict::Flapping => 3,
            Verdict::Down => 4,
        }] += 1;
    }
    let [unknown, up, degraded, flapping, down] = counts;
    json!({ "up": up, "degraded": degraded, "flapping": flapping, "down": down, "unknown": unknown })
}

fn link(answerer: &Answerer, agent: &Agent<'_>, now: Mono) -> serde_json::Value {
    let facts = &answerer.link;
    let (state, since, next_try) = match agent.link() {
        session::Phase::Resting { until } => ("down", None, Some(until.since(now).millis())),
        session::Phase::Connecting => ("connecting", None, None),
        session::Phase::Greeting => ("greeting", None, None),
        session::Phase::Open { since } => ("open", Some(now.since(since).millis()), None),
    };
    let open = matches!(agent.link(), session::Phase::Open { .. });
    let trouble = facts.trouble.as_ref().map(|(at, code, detail)| {
        let (code, known) = named(code, detail);
        json!({
            "ago_ms": now.since(*at).millis(),
            "code": code,
            "detail": detail,
            "meaning": known.map(|known| known.meaning),
            "next": known.map(|known| known.next),
        })
    });
    let (terms, beat, carried, left) = agent.link_usage(now);
    json!({
        "report_ms": terms.report.millis(),
        "heartbeat_ms": beat.map(picket_proto::Span::millis),
        "carried": carried.map(|carried| json!({
            "bytes": carried.bytes, "cap": carried.cap, "left_ms": left.millis(), "only_critical": carried.is_over(),
        })),
        "state": state,
        "collector": if open { &facts.address } else { &answerer.about.collector },
        "since_ms": since,
        "next_try_ms": next_try,
        "sessions": facts.sessions,
        "lost": facts.lost,
        "trouble": trouble,
    })
}

/// The most exact code of a trouble: where the collector refused, its message begins with its own.
fn named<'d>(code: &'d str, detail: &'d str) -> (&'d str, Option<&'static code::Code>) {
    let own = detail.split_once(':').map_or(detail, |(own, _)| own);
    match code::find(own) {
        Some(known) => (known.code, Some(known)),
        None => (code, code::find(code)),
    }
}
