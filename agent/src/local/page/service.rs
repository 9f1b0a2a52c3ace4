//! One service: where it stands, its files, and its latest remedies.

use super::{HoldDoc, hold};
use picket_agent_core::Reason;
use picket_agent_core::service::{Ended, Kept, Past, Phase, View};
use picket_proto::{Mono, Name};
use serde::Serialize;

/// One service.
#[derive(Serialize)]
pub(in crate::local) struct ServiceDoc<'d> {
    name: &'d str,
    phase: &'static str,
    pid: Option<u32>,
    since_ms: Option<u64>,
    breaker: &'static str,
    next: Option<&'static str>,
    next_ms: Option<u64>,
    /// The service that it waits for.
    waits_for: Option<&'d str>,
    budget_used: u16,
    budget: u16,
    budget_window_ms: u64,
    hold: Option<HoldDoc<'d>>,
    /// Nothing is done about it.
    observed: bool,
    /// How its files stand to the good ones, and which one differs.
    files: Option<&'static str>,
    changed_file: Option<&'d str>,
    /// The same of its packages.
    packages: Option<&'static str>,
    changed_package: Option<&'d str>,
    remedies: Vec<RemedyDoc>,
}

/// One remedy.
#[derive(Serialize)]
struct RemedyDoc {
    remedy: &'static str,
    attempt: u16,
    began_ms: u64,
    outcome: String,
    ended_ms: Option<u64>,
}

/// One service as it stands.
pub(in crate::local) fn service(view: View<'_>, now: Mono) -> ServiceDoc<'_> {
    let (used, allowed, window) = view.budget(now);
    let due = view.deadline();
    let (files, changed_file) = view.files().map(kept).unzip();
    let (packages, changed_package) = view.packages().map(kept).unzip();
    ServiceDoc {
        name: view.name().as_str(),
        phase: phase(view.phase()),
        pid: view.process().map(|(pid, _)| pid),
        since_ms: view.process().map(|(_, since)| now.since(since).millis()),
        breaker: if view.is_closed() { "closed" } else { "open" },
        next: due.map(|(_, reason)| next(reason)),
        next_ms: due.map(|(at, _)| at.since(now).millis()),
        waits_for: view.waits_for().map(Name::as_str),
        budget_used: used,
        budget: allowed,
        budget_window_ms: window.millis(),
        hold: hold(view.held(), now),
        observed: view.observes(),
        files,
        changed_file: changed_file.flatten(),
        packages,
        changed_package: changed_package.flatten(),
        remedies: view.remedies().map(|past| remedy(past, now)).collect(),
    }
}

fn kept(kept: Kept<'_>) -> (&'static str, Option<&str>) {
    match kept {
        Kept::None => ("none good yet", None),
        Kept::Same => ("good", None),
        Kept::Away => ("good, not in the cache", None),
        Kept::Changed(file) => ("changed", Some(file.as_str())),
        Kept::RolledBack => ("rolled back", None),
        Kept::Unread => ("can't be kept", None),
    }
}

fn remedy(past: &Past, now: Mono) -> RemedyDoc {
    let outcome = match past.ended {
        None if past.attempt == 0 => "not begun: only observed".to_owned(),
        Some((_, Ended::Held)) if past.attempt == 0 => "not begun; it came back without".to_owned(),
        None => "open".to_owned(),
        Some((_, Ended::Held)) => "held".to_owned(),
        Some((_, Ended::Died(exit))) => format!("not held: it {exit}"),
        Some((_, Ended::StillFailing(cause))) => format!("not held: {cause}"),
        Some((_, Ended::Worse)) => "made worse".to_owned(),
        Some((_, Ended::NotDone)) => "could not be done".to_owned(),
        Some((_, Ended::Isolated)) => "stopped, left to a person".to_owned(),
    };
    RemedyDoc {
        remedy: crate::config::rung(past.remedy),
        attempt: past.attempt,
        began_ms: now.since(past.began).millis(),
        outcome,
        ended_ms: past.ended.map(|(at, _)| now.since(at).millis()),
    }
}

pub(in crate::local) const fn phase(phase: Phase) -> &'static str {
    match phase {
        Phase::Unknown => "unknown",
        Phase::Starting => "starting",
        Phase::Rising => "verifying",
        Phase::Holding => "holding",
        Phase::Running => "running",
        Phase::Stopping => "stopping",
        Phase::Waiting => "waiting",
        Phase::Observed => "only observed",
        Phase::Broken => "not healed",
        Phase::Awaiting => "left to systemd",
        Phase::Left => "left alone",
        Phase::Ended => "ended",
    }
}

const fn next(reason: Reason) -> &'static str {
    match reason {
        Reason::Probe => "probe",
        Reason::Restart => "restart",
        Reason::Awaited => "left to systemd until",
        Reason::Kill => "kill",
        Reason::StartTimeout => "must pass",
        Reason::Held => "believed",
        Reason::HalfOpen => "one more try",
        Reason::Evidence => "last words",
        Reason::Files => "look at its files",
        Reason::Reboot => "reboot",
        Reason::HoldOver => "hold over",
        Reason::Keep => "keep",
        Reason::Look => "look",
        Reason::Connect => "connect",
        Reason::Heartbeat => "heartbeat",
        Reason::Disk => "disk",
        Reason::Farewell => "end",
    }
}
