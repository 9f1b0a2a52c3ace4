//! One incident as a page.
//!
//! The first lines answer what, how bad and where it stands; the labelled ones the next questions; then the finding;
//! then the timeline with the time of day, the distance from the opening, a sign and the words. The last lines are
//! the commands that fit its state.

use super::{UNSYNCED, UNSYNCED_NOTE};
use crate::args::Incident as Asked;
use crate::page::wrap;
use crate::screen::{Ink, Screen, Times, span};
use crate::words::{self, plain};
use jiff::Timestamp;
use picket_proto::Span;
use picket_rpc::v1;
use picket_rpc::v1::IncidentState;
use std::fmt::Write;

/// Columns of a label with its indent and gap.
const LABEL: usize = 14;
/// Columns before the words of a timeline entry: time of day, distance, sign and their gaps.
const TIMES: usize = 31;

/// What was done to an incident, and how it stands now.
pub(crate) fn acted(incident: &v1::Incident, asked: &Asked, screen: &Screen) -> String {
    let id = incident.id;
    let done = match asked {
        Asked::Show { .. } => format!("Incident {id}"),
        Asked::Ack { .. } => format!("Incident {id} is yours"),
        Asked::Note { .. } => format!("The note stands in the timeline of incident {id}"),
        Asked::Resolve { .. } => format!("Incident {id} is resolved"),
    };
    let (state, ink) = words::incident_state(incident.state);
    format!(
        "{done}: {} ({}, revision {}).\n",
        plain(&incident.title),
        screen.paint(ink, &state),
        incident.revision
    )
}

/// One incident with finding and timeline.
pub(crate) fn detail(detail: &v1::GetIncidentResponse, screen: &Screen) -> String {
    let mut text = String::new();
    let Some(incident) = &detail.incident else { return text };
    heading(incident, screen, &mut text);
    facts(incident, screen, &mut text);
    if let Some(finding) = &detail.finding {
        found(finding, screen, &mut text);
    }
    timeline(detail, incident, screen, &mut text);
    commands(incident, screen, &mut text);
    text
}

fn heading(incident: &v1::Incident, screen: &Screen, text: &mut String) {
    let number = format!("#{}", incident.id);
    let title = wrap(&plain(&incident.title), number.len() + 2, screen.paper());
    let (severity, severity_ink) = words::severity(incident.severity);
    let (state, state_ink) = words::incident_state(incident.state);
    let late = if incident.late { ", known only afterwards (late)" } else { "" };
    push(
        text,
        format_args!("{}  {}\n", screen.paint(Ink::Strong, &number), screen.paint(Ink::Strong, &title)),
    );
    push(
        text,
        format_args!(
            "{}{} ({})  {}{late}\n\n",
            " ".repeat(number.len() + 2),
            screen.paint(severity_ink, &severity.to_ascii_uppercase()),
            plain(&incident.severity_rule),
            screen.paint(state_ink, &state),
        ),
    );
}

fn facts(incident: &v1::Incident, screen: &Screen, text: &mut String) {
    let opened = words::time(incident.opened.as_ref());
    let resolved = words::time(incident.resolved.as_ref());
    fact("Cause", Ink::Plain, &incident.cause, screen, text);
    let outcome_ink = if resolved.is_some() { Ink::Good } else { Ink::Bad };
    fact("Outcome", outcome_ink, &incident.outcome, screen, text);
    fact("Then", Ink::Plain, &then(incident), screen, text);
    let whole = if incident.services.is_empty() {
        String::new()
    } else {
        format!(": {}", incident.services.join(", "))
    };
    fact("Where", Ink::Plain, &format!("{}{whole}", incident.hosts.join(", ")), screen, text);
    fact("Output", Ink::Plain, &output(incident), screen, text);
    if let Some(opened) = opened {
        fact("Opened", Ink::Plain, &both(opened, screen), screen, text);
        let lasted = span(opened, resolved.unwrap_or_else(|| screen.now()));
        let so_far = if resolved.is_some() { "" } else { " so far" };
        fact("Lasted", Ink::Plain, &format!("{lasted}{so_far}"), screen, text);
    }
    if let Some(resolved) = resolved {
        fact("Resolved", Ink::Plain, &both(resolved, screen), screen, text);
    }
    if incident.episode > 1 {
        fact(
            "Episode",
            Ink::Warning,
            &format!("{}: the failure came back within 30 min", incident.episode),
            screen,
            text,
        );
    }
    fact("Taken by", Ink::Plain, &incident.acknowledged_by, screen, text);
    let firing = format!("{} of {} fire now", incident.signals_firing, incident.signals);
    fact("Conditions", Ink::Plain, &firing, screen, text);
    fact("Revision", Ink::Faint, &incident.revision.to_string(), screen, text);
}

/// What a person has to do on the host once they have mended the cause, where the agent does not find out by itself.
fn then(incident: &v1::Incident) -> String {
    if incident.resolved.is_some() {
        return String::new();
    }
    if incident.severity_rule == "sev-vanished" {
        return "bring it back; if it went on purpose, on the host: picket-agent baseline accept".to_owned();
    }
    let resting = incident.outcome.split_once(": not healed, because ").map(|(service, _)| {
        format!("mend the cause, then have it tried at once, on the host: picket-agent try {service}")
    });
    let observed = incident.outcome.split_once(" is only observed, ").map(|(before, _)| {
        let service = before.rsplit("; ").next().unwrap_or(before);
        format!("bring {service} back by hand; `observe = false` in its [[service]] has the agent do that")
    });
    resting.into_iter().chain(observed).collect::<Vec<_>>().join("; ")
}

/// Where to read what the services printed. The collector knows neither the agent's state folder nor which services are units: a
/// person does.
fn output(incident: &v1::Incident) -> String {
    let file = match &incident.services[..] {
        [] => return String::new(),
        [one] => format!("STATE/services/{one}.log"),
        [_, _, ..] => "STATE/services/NAME.log".to_owned(),
    };
    let host = if let [one] = &incident.hosts[..] { one } else { "HOST" };
    let (unit, service) =
        if let [one] = &incident.services[..] { (one.as_str(), one.as_str()) } else { ("UNIT", "SERVICE") };
    format!(
        "picket evidence {host} {service}; or on the host: journalctl -u {unit} of a unit, {file} of what the agent starts \
         (STATE: agent.state or --state)"
    )
}

/// How long ago and exactly; only exactly where that is asked for.
fn both(at: Timestamp, screen: &Screen) -> String {
    match screen.times {
        Times::Ago => format!("{} ({})", screen.exact(at), screen.time(at)),
        Times::Exact => screen.exact(at),
    }
}

fn fact(label: &str, ink: Ink, said: &str, screen: &Screen, text: &mut String) {
    if said.is_empty() {
        return;
    }
    let said = wrap(&plain(said), LABEL, screen.paper());
    let label = screen.paint(Ink::Faint, &format!("{label:<10}"));
    push(text, format_args!("  {label}  {}\n", screen.paint(ink, &said)));
}

fn found(finding: &v1::Finding, screen: &Screen, text: &mut String) {
    push(text, format_args!("\n{}\n", screen.paint(Ink::Strong, "Why this is one incident")));
    fact("root", Ink::Plain, &finding.root, screen, text);
    for symptom in &finding.symptoms {
        fact("symptom", Ink::Plain, symptom, screen, text);
    }
    for reason in &finding.reasons {
        fact("reason", Ink::Faint, reason, screen, text);
    }
}

fn timeline(detail: &v1::GetIncidentResponse, incident: &v1::Incident, screen: &Screen, text: &mut String) {
    let Some((first, _)) = in_time(&detail.timeline).first().copied() else { return };
    let opened = words::time(incident.opened.as_ref()).unwrap_or(first);
    let several = incident.hosts.len() > 1;
    let heading = format!("Timeline of {}, by the clock of the host that saw it", screen.date(first));
    push(text, format_args!("\n{}\n", screen.paint(Ink::Strong, &heading)));
    let mut day = screen.precise(first).0;
    for (at, entry) in in_time(&detail.timeline) {
        let (date, time) = screen.precise(at);
        if date != day {
            push(text, format_args!("  {}\n", screen.paint(Ink::Faint, &date)));
            day = date;
        }
        happened(entry, &[time, distance(opened, at)], several, (screen, text));
    }
    if detail.timeline.iter().any(|entry| entry.unsynced) {
        push(text, format_args!("  {}\n", screen.paint(Ink::Faint, UNSYNCED_NOTE)));
    }
    if detail.entries_left_out > 0 {
        push(
            text,
            format_args!("  ({} more in between; `picket events` has all)\n", detail.entries_left_out),
        );
    }
}

/// The entries by their time; they come in the order in which the collector heard of them, the late ones last.
fn in_time(entries: &[v1::TimelineEntry]) -> Vec<(Timestamp, &v1::TimelineEntry)> {
    let mut timed: Vec<_> =
        entries.iter().filter_map(|entry| words::time(entry.at.as_ref()).map(|at| (at, entry))).collect();
    timed.sort_by_key(|(at, _)| *at);
    timed
}

fn happened(
    entry: &v1::TimelineEntry,
    times: &[String; 2],
    several: bool,
    (screen, text): (&Screen, &mut String),
) {
    let (sign, ink) = words::sign(&entry.code);
    let host = if several && !entry.host.is_empty() { format!("{}: ", entry.host) } else { String::new() };
    let late = if entry.late { " (late)" } else { "" };
    let said = wrap(&plain(&format!("{host}{}{late}", entry.text)), TIMES, screen.paper());
    let mark = if entry.unsynced { UNSYNCED } else { ' ' };
    let [time, distance] = times;
    let distance = screen.paint(Ink::Faint, &format!("{distance:>11}"));
    push(text, format_args!("  {time}{mark} {distance}  {} {said}\n", screen.paint(ink, &sign.to_string())));
}

/// How far from the opening: `+12 ms`, or `-1.2 s` for what led to it.
fn distance(opened: Timestamp, at: Timestamp) -> String {
    let (before, after) = (span(at, opened), span(opened, at));
    match (before > Span::ZERO, after > Span::ZERO) {
        (true, _) => format!("-{before}"),
        (false, true) => format!("+{after}"),
        (false, false) => "0".to_owned(),
    }
}

fn commands(incident: &v1::Incident, screen: &Screen, text: &mut String) {
    let id = incident.id;
    let fitting = match IncidentState::try_from(incident.state) {
        Ok(IncidentState::Open) => format!("picket incident ack {id}      picket incident note {id} TEXT"),
        Ok(IncidentState::Acknowledged | IncidentState::Verifying) => {
            format!("picket incident note {id} TEXT      picket incident resolve {id}")
        }
        Ok(IncidentState::Resolved | IncidentState::Unspecified) | Err(_) => {
            format!("picket incident note {id} TEXT      picket explain CODE")
        }
    };
    push(text, format_args!("\n  {}\n", screen.paint(Ink::Faint, &fitting)));
}

fn push(text: &mut String, line: std::fmt::Arguments<'_>) {
    let _infallible = text.write_fmt(line);
}
