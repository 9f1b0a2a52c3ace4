//! The collector's figures: names that stay, with their units at the end.

use crate::clock;
use crate::counts::Counts;
use crate::store::{COMMIT_BOUNDS, Journaling};
use picket_collector_core::incident::{Severity, State};
use picket_collector_core::view::{HostState, Summary};
use picket_proto::Wall;
use picket_rpc::metrics::{Text, seconds};

/// The page of one scrape.
pub(super) fn page(summary: &Summary, journal: &Journaling, (begun, counts): (Wall, &Counts)) -> String {
    let mut text = Text::default();
    text.head("picket_collector_info", "gauge", "Which collector this is; always 1.");
    text.sample("picket_collector_info", &[("version", env!("CARGO_PKG_VERSION"))], 1);
    text.one("picket_collector_uptime_seconds", "gauge", "Time since the collector's start.", age(begun));
    fleet(&mut text, summary);
    traffic(&mut text, summary, (journal, counts));
    written(&mut text, journal);
    kept(&mut text, journal);
    text.finish()
}

/// By the wall clock; one that was set back gives 0.
fn age(since: Wall) -> String {
    seconds(u64::try_from(clock::wall().micros().saturating_sub(since.micros())).unwrap_or(0))
}

fn fleet(text: &mut Text, summary: &Summary) {
    text.head("picket_collector_hosts", "gauge", "Hosts by their state.");
    for (state, count) in summary.hosts() {
        text.sample("picket_collector_hosts", &[("state", host_state(state))], count);
    }
    text.one("picket_collector_sessions", "gauge", "Sessions of agents.", summary.sessions);
    text.one("picket_collector_watchers", "gauge", "Watchers of incidents.", summary.watchers);
    text.head(
        "picket_collector_incidents",
        "gauge",
        "Incidents by severity and state, also resolved ones that are remembered.",
    );
    for (severity, state, count) in summary.incidents() {
        let labels = [("severity", severity_word(severity)), ("state", state_word(state))];
        text.sample("picket_collector_incidents", &labels, count);
    }
    text.one("picket_collector_signals_firing", "gauge", "Conditions that fire.", summary.firing);
    text.one(
        "picket_collector_signals_overflow_total",
        "counter",
        "Conditions that found no room.",
        summary.overflow,
    );
}

fn traffic(text: &mut Text, summary: &Summary, (journal, counts): (&Journaling, &Counts)) {
    text.one(
        "picket_collector_frames_total",
        "counter",
        "Frames journaled, since the first day.",
        summary.frames,
    );
    text.one(
        "picket_collector_frames_lost_total",
        "counter",
        "Frames named as lost, since the first day.",
        summary.lost,
    );
    text.one(
        "picket_collector_frames_unknown_total",
        "counter",
        "Frames that this version cannot read: of a newer kind, or spoiled in their agent's memory.",
        summary.unknown,
    );
    text.one("picket_collector_batches_total", "counter", "Batches of frames journaled.", journal.batches);
    text.one("picket_collector_acks_total", "counter", "Acks sent.", counts.acks());
    text.head("picket_collector_refused_total", "counter", "Refusals by their code.");
    for (code, count) in counts.refusals() {
        text.sample("picket_collector_refused_total", &[("code", code)], count);
    }
    text.one(
        "picket_collector_waiting_entries",
        "gauge",
        "Records that wait to be durable.",
        summary.waiting_entries,
    );
    text.one(
        "picket_collector_waiting_bytes",
        "gauge",
        "Bytes that wait to be durable.",
        summary.waiting_bytes,
    );
}

fn written(text: &mut Text, journal: &Journaling) {
    let failing = |full: bool| u8::from(journal.failing.is_some_and(|failing| failing.full == full));
    text.head(
        "picket_collector_journal_failed",
        "gauge",
        "1 while the journal cannot be written, by the reason.",
    );
    text.sample("picket_collector_journal_failed", &[("reason", "full")], failing(true));
    text.sample("picket_collector_journal_failed", &[("reason", "error")], failing(false));
    let since = journal.failing.map_or_else(|| seconds(0), |failing| age(failing.since));
    text.one("picket_collector_journal_failed_seconds", "gauge", "For how long it cannot be written.", since);
    text.one("picket_collector_journal_failures_total", "counter", "Writes that failed.", journal.failures);
    text.one("picket_collector_journal_index", "gauge", "The last durable record.", journal.index);
    text.one(
        "picket_collector_journal_written_bytes_total",
        "counter",
        "Bytes of records written.",
        journal.bytes,
    );
    let upto = COMMIT_BOUNDS.into_iter().zip(journal.commits.upto);
    let help = "How long a durable group of records took.";
    let all = (journal.commits.count, journal.commits.us);
    text.histogram("picket_collector_journal_commit_seconds", help, upto, all);
}

fn kept(text: &mut Text, journal: &Journaling) {
    let disk = journal.disk;
    text.one("picket_collector_journal_segments", "gauge", "Files of the journal.", disk.segments);
    text.one("picket_collector_journal_bytes", "gauge", "Bytes of the journal's files.", disk.bytes);
    text.one("picket_collector_journal_oldest_index", "gauge", "The first record that is kept.", disk.oldest);
    text.one(
        "picket_collector_disk_free_bytes",
        "gauge",
        "What the journal's file system has free.",
        disk.free,
    );
    text.one("picket_collector_journal_rolled_total", "counter", "Segments begun.", journal.rolled);
    text.one(
        "picket_collector_journal_dropped_segments_total",
        "counter",
        "Segments dropped by retention.",
        journal.dropped_segments,
    );
    text.one(
        "picket_collector_journal_dropped_bytes_total",
        "counter",
        "Bytes dropped by retention.",
        journal.dropped_bytes,
    );
    text.one(
        "picket_collector_journal_damaged_rows_total",
        "counter",
        "Damaged rows found.",
        journal.damaged,
    );
    text.one(
        "picket_collector_journal_missing_entries_total",
        "counter",
        "Entries that are not there, found at the last start: events in them are gone.",
        journal.missing,
    );
    text.one(
        "picket_collector_journal_verified_segments_total",
        "counter",
        "Segments read through.",
        journal.verified,
    );
    snapshots(text, journal);
}

fn snapshots(text: &mut Text, journal: &Journaling) {
    text.one(
        "picket_collector_snapshot_index",
        "gauge",
        "The last record in the newest snapshot.",
        journal.snapshot_index,
    );
    if let Some(made) = journal.snapshot_made {
        text.one(
            "picket_collector_snapshot_age_seconds",
            "gauge",
            "How old the newest snapshot is.",
            age(made),
        );
    }
    text.one(
        "picket_collector_snapshot_seconds",
        "gauge",
        "How long making it took.",
        seconds(journal.snapshot_us),
    );
    text.one(
        "picket_collector_snapshot_failures_total",
        "counter",
        "Snapshots that could not be made.",
        journal.snapshot_failures,
    );
}

const fn host_state(state: HostState) -> &'static str {
    match state {
        HostState::Connected => "connected",
        HostState::Away => "away",
        HostState::Silent => "silent",
        HostState::Stopped => "stopped",
        HostState::Quarantined => "quarantined",
        HostState::Expected => "expected",
        HostState::Retired => "retired",
    }
}

const fn severity_word(severity: Severity) -> &'static str {
    match severity {
        Severity::P0 => "p0",
        Severity::P1 => "p1",
        Severity::P2 => "p2",
        Severity::P3 => "p3",
    }
}

const fn state_word(state: State) -> &'static str {
    match state {
        State::Open => "open",
        State::Acknowledged => "acknowledged",
        State::Verifying => "verifying",
        State::Resolved => "resolved",
    }
}
