//! JSON for programs: one value per message, with names that stay.
//!
//! Times are RFC 3339 in UTC with microseconds; enums are lower case joined by `-`; what is not set is null; runs are
//! 16 hexadecimal digits, since not every reader of JSON keeps 64-bit numbers. A later version may add fields.

use crate::words;
use picket_rpc::v1;
use serde_json::{Value, json};

/// A document: indented, with a newline at its end.
pub(crate) fn document(value: &Value) -> String {
    format!("{value:#}\n")
}

/// A line of a stream of documents.
pub(crate) fn line(value: &Value) -> String {
    format!("{value}\n")
}

fn time(at: Option<&prost_types::Timestamp>) -> Value {
    words::time(at).map_or(Value::Null, |at| Value::String(format!("{at:.6}")))
}

fn text(text: &str) -> Value {
    if text.is_empty() { Value::Null } else { Value::String(text.to_owned()) }
}

pub(crate) fn status(status: &v1::CollectorStatus) -> Value {
    json!({
        "version": status.version,
        "started": time(status.started.as_ref()),
        "journal": words::journal_state(status.journal).0,
        "failing_since": time(status.failing_since.as_ref()),
        "journal_index": status.journal_index,
        "journal_bytes": status.journal_bytes,
        "segments": status.segments,
        "oldest_index": status.oldest_index,
        "damaged": status.damaged,
        "missing": status.missing,
        "snapshot_index": status.snapshot_index,
        "snapshot_made": time(status.snapshot_made.as_ref()),
        "waiting_entries": status.waiting_entries,
        "waiting_bytes": status.waiting_bytes,
        "sessions": status.sessions,
        "watchers": status.watchers,
        "hosts": status.hosts,
        "incidents_open": status.incidents_open,
        "signals_firing": status.signals_firing,
        "frames": status.frames,
        "frames_lost": status.frames_lost,
        "disk_free": status.disk_free,
    })
}

pub(crate) fn host(host: &v1::Host) -> Value {
    json!({
        "host": host.host,
        "state": words::host_state(host.state).0,
        "last_heard": time(host.last_heard.as_ref()),
        "agent_version": text(&host.agent_version),
        "report_ms": host.report_ms,
        "same_machine": host.same_machine,
        "checks": host.checks,
        "checks_not_up": host.checks_not_up,
        "frames": host.frames,
        "frames_lost": host.frames_lost,
        "frames_unknown": host.frames_unknown,
        "standing_differences": host.standing_differences,
        "sample": host.sample.map(|sample| json!({
            "cpu_permille": sample.cpu_permille,
            "memory_permille": sample.memory_permille,
            "load_hundredths": sample.load_hundredths,
            "frames_waiting": sample.frames_waiting,
            "frames_lost": sample.frames_lost,
            "agent_rss_kib": sample.agent_rss_kib,
            "carried": sample.carried.map(|carried| json!({ "bytes": carried.bytes, "cap": carried.cap })),
        })),
        "clock": host.clock.map(|clock| json!({
            "wall_ahead_ms": clock.wall_ahead_ms,
            "synced": clock.synced,
            "bound_us": clock.bound_us,
        })),
    })
}

pub(crate) fn service(service: &v1::Service) -> Value {
    let checks: Vec<Value> = service
        .checks
        .iter()
        .map(|check| {
            json!({
                "check": check.check,
                "kind": words::kind(check.kind).0,
                "verdict": words::verdict(check.verdict).0,
                "since": time(check.since.as_ref()),
                "cause": text(&check.cause),
            })
        })
        .collect();
    json!({
        "host": service.host,
        "service": text(&service.service),
        "verdict": words::verdict(service.verdict).0,
        "checks": checks,
        "remedies": service.remedies,
        "not_healed_because": text(&service.not_healed_because),
        "intent": text(&words::intent(service.intent)),
        "pid": if service.pid == 0 { Value::Null } else { Value::from(service.pid) },
    })
}

pub(crate) fn incident(incident: &v1::Incident) -> Value {
    json!({
        "id": incident.id,
        "revision": incident.revision,
        "state": words::incident_state(incident.state).0,
        "severity": words::severity(incident.severity).0,
        "severity_rule": incident.severity_rule,
        "title": incident.title,
        "cause": text(&incident.cause),
        "outcome": text(&incident.outcome),
        "hosts": incident.hosts,
        "services": incident.services,
        "opened": time(incident.opened.as_ref()),
        "changed": time(incident.changed.as_ref()),
        "resolved": time(incident.resolved.as_ref()),
        "episode": incident.episode,
        "acknowledged_by": text(&incident.acknowledged_by),
        "signals_firing": incident.signals_firing,
        "signals": incident.signals,
        "late": incident.late,
    })
}

pub(crate) fn detail(detail: &v1::GetIncidentResponse) -> Value {
    let timeline: Vec<Value> = detail
        .timeline
        .iter()
        .map(|entry| {
            json!({
                "at": time(entry.at.as_ref()),
                "host": text(&entry.host),
                "code": entry.code,
                "text": entry.text,
                "late": entry.late,
                "unsynced": entry.unsynced,
            })
        })
        .collect();
    let finding = detail.finding.as_ref().map_or(Value::Null, |finding| {
        json!({"root": text(&finding.root), "symptoms": finding.symptoms, "reasons": finding.reasons})
    });
    json!({
        "incident": detail.incident.as_ref().map_or(Value::Null, incident),
        "finding": finding,
        "timeline": timeline,
        "entries_left_out": detail.entries_left_out,
    })
}

pub(crate) fn event(event: &v1::Event) -> Value {
    json!({
        "host": event.host,
        "run": format!("{:016x}", event.run),
        "seq": event.seq,
        "at": time(event.at.as_ref()),
        "received": time(event.received.as_ref()),
        "service": text(&event.service),
        "code": event.code,
        "text": event.text,
        "late": event.late,
        "unsynced": event.unsynced,
        "lost": event.lost.as_ref().map_or(Value::Null, |lost| json!({
            "run": format!("{:016x}", lost.run),
            "first": lost.first,
            "last": lost.last,
        })),
    })
}

pub(crate) fn change(change: &v1::IncidentChange) -> Value {
    json!({
        "code": change.code,
        "text": text(&change.text),
        "incident": change.incident.as_ref().map_or(Value::Null, incident),
        "resume_token": change.resume_token,
    })
}

/// `known`: a host of that name has enrolled before.
pub(crate) fn token(host: &str, made: &v1::CreateTokenResponse, known: bool) -> Value {
    json!({"host": host, "known": known, "token": made.token, "expires": time(made.expires.as_ref())})
}

/// What a service printed last.
pub(crate) fn evidence(host: &str, service: &str, evidence: &v1::AskEvidenceResponse) -> Value {
    let order = format!("{:016x}", evidence.token);
    json!({"host": host, "service": service, "order": order, "text": evidence.text})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_utc_and_what_is_not_set_is_null() {
        let shown = incident(&v1::Incident {
            id: 7,
            severity: v1::Severity::P2.into(),
            state: v1::IncidentState::Open.into(),
            opened: Some(prost_types::Timestamp { seconds: 0, nanos: 5_000 }),
            ..v1::Incident::default()
        });
        assert_eq!(shown["opened"], "1970-01-01T00:00:00.000005Z");
        assert_eq!(shown["severity"], "p2");
        assert_eq!(shown["state"], "open");
        assert_eq!(shown["resolved"], Value::Null);
        assert_eq!(shown["outcome"], Value::Null);
    }

    #[test]
    fn runs_are_text_so_that_no_reader_rounds_them() {
        let shown = event(&v1::Event { run: u64::MAX, ..v1::Event::default() });
        assert_eq!(shown["run"], "ffffffffffffffff");
    }
}
