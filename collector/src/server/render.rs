//! Views as `picket.v1` messages. Only words change here: no value is computed, left out or made up.

use crate::store::{Journaling, Page};
use picket_collector_core::incident::{Change, Severity, State};
use picket_collector_core::view::{self, More, Summary};
use picket_proto::Wall;
use picket_rpc::convert;
use picket_rpc::v1;
use prost_types::Timestamp;

pub(super) fn hosts(hosts: Vec<view::Host>, more: More) -> v1::ListHostsResponse {
    let next_page_token = next(more, hosts.last().map(|last| last.host.to_string()));
    v1::ListHostsResponse { hosts: hosts.into_iter().map(host).collect(), next_page_token }
}

pub(super) fn services(services: Vec<view::Service>, more: More) -> v1::ListServicesResponse {
    let place = services
        .last()
        .map(|last| format!("{}/{}", last.host, last.service.as_ref().map_or("", |name| name.as_str())));
    v1::ListServicesResponse {
        next_page_token: next(more, place),
        services: services.into_iter().map(service).collect(),
    }
}

pub(super) fn incidents(incidents: Vec<view::Incident>, more: More) -> v1::ListIncidentsResponse {
    let next_page_token = next(more, incidents.last().map(|last| last.id.0.to_string()));
    v1::ListIncidentsResponse { incidents: incidents.into_iter().map(incident).collect(), next_page_token }
}

pub(super) fn events(page: Page) -> v1::ListEventsResponse {
    let event = |found: crate::store::Found| v1::Event {
        host: found.host,
        run: found.run.0,
        seq: found.seq.0,
        at: Some(time(found.at)),
        received: Some(time(found.received)),
        service: found.service.map_or_else(String::new, |name| name.to_string()),
        code: found.code.to_owned(),
        text: found.text,
        late: found.late,
        unsynced: found.unsynced,
        lost: found.lost.map(|(run, range)| v1::Lost {
            run: run.0,
            first: range.first().0,
            last: range.last().0,
        }),
    };
    v1::ListEventsResponse {
        events: page.events.into_iter().map(event).collect(),
        next_page_token: page
            .next
            .map_or_else(String::new, |place| format!("{}:{}", place.index, place.skip)),
        kept_since: page.kept_since.map(time),
    }
}

pub(super) fn status(summary: &Summary, journal: &Journaling, begun: Wall) -> v1::CollectorStatus {
    let state = match journal.failing {
        None => v1::JournalState::Writing,
        Some(failing) if failing.full => v1::JournalState::Full,
        Some(_) => v1::JournalState::Failing,
    };
    let is_open = |state| state != State::Resolved;
    v1::CollectorStatus {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        started: Some(time(begun)),
        journal: state.into(),
        failing_since: journal.failing.map(|failing| time(failing.since)),
        journal_index: journal.index,
        journal_bytes: journal.disk.bytes,
        segments: journal.disk.segments,
        oldest_index: journal.disk.oldest,
        damaged: journal.damaged,
        missing: journal.missing,
        snapshot_index: journal.snapshot_index,
        snapshot_made: journal.snapshot_made.map(time),
        waiting_entries: summary.waiting_entries,
        waiting_bytes: summary.waiting_bytes,
        sessions: summary.sessions,
        watchers: summary.watchers,
        hosts: summary.hosts().map(|(_, count)| count).sum(),
        incidents_open: summary
            .incidents()
            .filter(|(_, state, _)| is_open(*state))
            .map(|(.., count)| count)
            .sum(),
        signals_firing: summary.firing,
        frames: summary.frames,
        frames_lost: summary.lost,
        disk_free: journal.disk.free,
    }
}

pub(super) fn detail(detail: view::Detail) -> v1::GetIncidentResponse {
    let entry = |entry: view::Entry| v1::TimelineEntry {
        at: Some(time(entry.at)),
        host: entry.host.map_or_else(String::new, |host| host.to_string()),
        code: entry.code.to_owned(),
        text: entry.text,
        late: entry.late,
        unsynced: entry.unsynced,
    };
    let reasons = detail.reasons.into_iter().map(|(code, words)| format!("{code}: {words}")).collect();
    v1::GetIncidentResponse {
        incident: Some(incident(detail.incident)),
        timeline: detail.timeline.into_iter().map(entry).collect(),
        entries_left_out: detail.left_out,
        finding: Some(v1::Finding { root: detail.root, symptoms: detail.symptoms, reasons }),
    }
}

pub(super) fn change(change: Change) -> v1::IncidentChange {
    v1::IncidentChange {
        incident: Some(incident(*change.incident)),
        code: change.code.to_owned(),
        text: change.text,
        resume_token: change.number.to_string(),
    }
}

pub(super) fn incident(incident: view::Incident) -> v1::Incident {
    v1::Incident {
        id: incident.id.0,
        revision: incident.revision,
        state: state(incident.state).into(),
        severity: severity(incident.severity).into(),
        severity_rule: incident.severity_rule.to_owned(),
        title: incident.title,
        cause: incident.cause,
        outcome: incident.outcome,
        hosts: incident.hosts.iter().map(ToString::to_string).collect(),
        services: incident.services.iter().map(ToString::to_string).collect(),
        opened: Some(time(incident.opened)),
        changed: Some(time(incident.changed)),
        resolved: incident.resolved.map(time),
        episode: incident.episode,
        acknowledged_by: incident.acknowledged_by.map_or_else(String::new, |name| name.to_string()),
        signals_firing: incident.firing,
        signals: incident.signals,
        late: incident.late,
    }
}

pub(super) fn time(wall: Wall) -> Timestamp {
    let us = wall.micros();
    let nanos = i32::try_from(us.rem_euclid(1_000_000) * 1_000).unwrap_or(0); // below 10^9 by the remainder
    Timestamp { seconds: us.div_euclid(1_000_000), nanos }
}

fn next(more: More, last: Option<String>) -> String {
    match more {
        More::Yes => last.unwrap_or_default(),
        More::No => String::new(),
    }
}

fn host(host: view::Host) -> v1::Host {
    v1::Host {
        host: host.host.to_string(),
        state: host_state(host.state).into(),
        last_heard: host.last_heard.map(time),
        agent_version: host.version,
        checks: host.checks,
        checks_not_up: host.not_up,
        frames: host.frames,
        frames_lost: host.lost,
        frames_unknown: host.unknown,
        standing_differences: host.differences,
        sample: host.sample.map(convert::sample_to_wire),
        clock: host.clock.map(|clock| v1::HostClock {
            wall_ahead_ms: clock.wall_ahead / 1_000,
            synced: clock.synced,
            bound_us: clock.bound.map(picket_proto::Span::micros),
        }),
        report_ms: u32::try_from(host.report.millis()).unwrap_or(u32::MAX),
        same_machine: host.same_machine.iter().map(ToString::to_string).collect(),
    }
}

fn service(service: view::Service) -> v1::Service {
    let check = |check: view::Check| v1::Check {
        check: check.check.to_string(),
        kind: convert::check_kind_to_wire(check.kind).into(),
        verdict: convert::verdict_to_wire(check.verdict).into(),
        since: check.since.map(time),
        cause: check.cause,
    };
    v1::Service {
        host: service.host.to_string(),
        service: service.service.map_or_else(String::new, |name| name.to_string()),
        verdict: convert::verdict_to_wire(service.verdict).into(),
        checks: service.checks.into_iter().map(check).collect(),
        remedies: service.remedies,
        not_healed_because: service.not_healed,
        pid: service.pid,
        intent: convert::intent_to_wire(service.intent).into(),
    }
}

const fn host_state(state: view::HostState) -> v1::HostState {
    match state {
        view::HostState::Connected => v1::HostState::Connected,
        view::HostState::Away => v1::HostState::Away,
        view::HostState::Silent => v1::HostState::Silent,
        view::HostState::Stopped => v1::HostState::Stopped,
        view::HostState::Quarantined => v1::HostState::Quarantined,
        view::HostState::Expected => v1::HostState::Expected,
        view::HostState::Retired => v1::HostState::Retired,
    }
}

const fn state(state: State) -> v1::IncidentState {
    match state {
        State::Open => v1::IncidentState::Open,
        State::Acknowledged => v1::IncidentState::Acknowledged,
        State::Verifying => v1::IncidentState::Verifying,
        State::Resolved => v1::IncidentState::Resolved,
    }
}

const fn severity(severity: Severity) -> v1::Severity {
    match severity {
        Severity::P0 => v1::Severity::P0,
        Severity::P1 => v1::Severity::P1,
        Severity::P2 => v1::Severity::P2,
        Severity::P3 => v1::Severity::P3,
    }
}
