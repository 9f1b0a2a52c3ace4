//! One host as a page: whether it is heard, how it fares, how its clocks lie, and what to ask next.

use super::at;
use crate::screen::Screen;
use crate::words::{self, plain};
use picket_proto::Span;
use picket_rpc::v1;
use std::fmt::Write;

/// A wall clock that is off by more is shown as a fault: half of what certificates and people forgive.
const CLOCK_OFF_MS: i64 = 1_000;
/// How often a host is heard whose link costs nothing.
const USUAL_MS: u32 = 10_000;
/// Columns of a label with its indent and gap.
const LABEL: usize = 12;

/// One host.
pub(crate) fn host(host: &v1::Host, screen: &Screen) -> String {
    let (state, ink) = words::host_state(host.state);
    let name = plain(&host.host);
    let mut text =
        format!("{name}  {}, heard {}\n", screen.paint(ink, &state), at(host.last_heard.as_ref(), screen));
    let mut line = |label: &str, words: String| {
        let _text_takes_all = writeln!(text, "  {label:<width$}{words}", width = LABEL - 2);
    };
    line("agent", format!("{}{}", plain(&host.agent_version), memory(host)));
    line("checks", format!("{}, of which {} are not up", host.checks, host.checks_not_up));
    line("events", format!("{} journaled, {} lost{}", host.frames, host.frames_lost, waiting(host)));
    if let Some(words) = metered(host) {
        line("link", words);
    }
    if let Some(sample) = &host.sample {
        line("load", levels(sample));
    }
    if let Some(clock) = &host.clock {
        line("clock", clock_words(clock));
    }
    if !host.same_machine.is_empty() {
        line("image", copies(&host.same_machine));
    }
    let _text_takes_all =
        writeln!(text, "\nnext: `picket services --host {name}`, `picket events --host {name}`");
    text
}

/// How often a host is heard whose link costs money, behind the time when it was last; nothing of any other.
pub(crate) fn every(host: &v1::Host) -> String {
    report(host).map_or_else(String::new, |report| format!(", every {report}"))
}

fn report(host: &v1::Host) -> Option<Span> {
    (host.report_ms > USUAL_MS).then(|| Span::from_millis(host.report_ms.into()))
}

/// How old the word of a host may be whose link costs money, and what that link carried.
fn metered(host: &v1::Host) -> Option<String> {
    let report = report(host).map(|report| {
        let silent = Span::from_micros(report.micros().saturating_mul(5) / 2);
        format!("metered: heard every {report}, so what is shown may be as old; silent after {silent}")
    });
    let carried = host.sample.and_then(|sample| sample.carried).map(|v1::Carried { bytes, cap }| {
        let over = if bytes >= cap { ", so only critical events come" } else { "" };
        format!("carried {} of {} KiB in its 30 days{over}", bytes / 1_024, cap / 1_024)
    });
    let words: Vec<String> = report.into_iter().chain(carried).collect();
    (!words.is_empty()).then(|| words.join("; "))
}

/// Of whom this host is a copy, behind its agent's version; nothing of any other.
pub(crate) fn copy(host: &v1::Host) -> String {
    host.same_machine.first().map_or_else(String::new, |other| format!(", copy of {}", plain(other)))
}

/// Who else is a copy of the same image.
fn copies(hosts: &[String]) -> String {
    let names: Vec<String> = hosts.iter().map(|host| plain(host).to_string()).collect();
    format!(
        "its machine-id is also that of {}: an image must be sealed before it is copied",
        names.join(", ")
    )
}

fn memory(host: &v1::Host) -> String {
    let rss = host.sample.and_then(|sample| sample.agent_rss_kib);
    rss.map_or_else(String::new, |kib| format!(", {}.{} MiB", kib / 1_024, kib % 1_024 * 10 / 1_024))
}

fn waiting(host: &v1::Host) -> String {
    let waiting = host.sample.map_or(0, |sample| sample.frames_waiting);
    if waiting == 0 { String::new() } else { format!(", {waiting} wait on the host") }
}

fn levels(sample: &v1::Sample) -> String {
    let load = sample.load_hundredths.map(|load| format!("{}.{:02} per core", load / 100, load % 100));
    let parts = [
        sample.cpu_permille.map(|level| format!("CPU {}", percent(level))),
        sample.memory_permille.map(|level| format!("memory {}", percent(level))),
        load.map(|load| format!("load {load}")),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    if parts.is_empty() { "its agent reads none of it".to_owned() } else { parts.join(", ") }
}

/// A level per mille as people read it.
pub(crate) fn percent(permille: u32) -> String {
    format!("{} %", (permille + 5) / 10)
}

fn clock_words(clock: &v1::HostClock) -> String {
    let synced = if clock.synced { "synchronised" } else { "NOT synchronised" };
    let way = if clock.wall_ahead_ms < 0 { "behind" } else { "ahead of" };
    let bound = clock
        .bound_us
        .map_or_else(String::new, |us| format!("; events are placed to {} ms", us.div_ceil(1_000)));
    format!("{synced}, {} ms {way} the collector's{bound}", clock.wall_ahead_ms.unsigned_abs())
}

/// Whether the host's wall clock is one that people can go by; nothing where no heartbeat came.
pub(crate) fn clock(host: &v1::Host) -> Option<(String, bool)> {
    let clock = host.clock?;
    let off = clock.wall_ahead_ms;
    let is_good = clock.synced && off.abs() <= CLOCK_OFF_MS;
    let words = match (clock.synced, off.abs() <= CLOCK_OFF_MS) {
        (true, true) => "ok".to_owned(),
        (false, true) => "unsynced".to_owned(),
        (_, false) => format!("{}{} s", if off < 0 { "-" } else { "+" }, off.unsigned_abs().div_ceil(1_000)),
    };
    Some((words, is_good))
}
