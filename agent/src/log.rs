//! What the agent tells the person or program that started it: one line per frame, one per change of the link.
//!
//! Plain: to stderr through tracing, failures, losses and a link that is away as warnings and the rest as info, with `RUST_LOG` as its filter: a level for all, or `target=level` by commas, and
//! `info` without it. Filters by span or field would cost the agent 0.3 MB of regular expressions, and what h2 and
//! others trace 0.1 MB: the first are left out, the second is compiled out of release builds.
//! JSON: one object per line on stdout, for `picket up` and other programs: `at` (RFC 3339, UTC), `code`, `text`, and where they apply `service`,
//! `check`, and the frame's `run` (16 hex digits) and `seq`, which `picket events --json` shows too. Words come from `picket_proto::tell`; programs read codes.
//! Acts of the same turn are done before their lines are written. A thread writes the plain ones, and 512 may wait for it
//! (some 100 KB): what stderr does not take then (a journald that hangs with its disk) is lost in silence, since the next
//! service must still be healed. Writes of JSON block: the program that started the agent reads what it prints.

use picket_proto::event::Trigger;
use picket_proto::frame::{self, Content};
use picket_proto::{Event, Fact, Name, Seq, Wall, code};
use serde::Serialize;
use std::io::Write;
use tracing_appender::non_blocking::{NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// Most plain lines that wait: what a host with all its services failing tells in a minute or two.
const LINES_MAX: usize = 512;

/// How lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    /// Text on stderr.
    Plain,
    /// One JSON object per line on stdout.
    Json,
}

/// Where lines go.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Log {
    format: Format,
}

#[derive(Serialize)]
struct Line<'l> {
    #[serde(serialize_with = "written")]
    at: Wall,
    code: &'l str,
    text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    service: Option<&'l str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    check: Option<&'l str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    run: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    seq: Option<u64>,
}

impl Log {
    /// Sets the process' log up. A second call in one process keeps the first one's filter. Whoever drops what it gives
    /// waits for the last lines to be written, for a second at most.
    pub(crate) fn new(format: Format) -> (Self, WorkerGuard) {
        let waiting =
            NonBlockingBuilder::default().lossy(true).buffered_lines_limit(LINES_MAX).thread_name("log");
        let (stderr, last_lines) = waiting.finish(std::io::stderr());
        let wished = std::env::var("RUST_LOG").unwrap_or_default();
        let lines = tracing_subscriber::fmt::layer().with_target(false).with_ansi(false);
        // A line that can't be written (a full disk, a closed pipe) is lost; the default tells so on the same stderr,
        // which panics.
        let lines = lines.with_writer(stderr).log_internal_errors(false);
        let told = tracing_subscriber::registry().with(lines).with(filter(&wished).unwrap_or_else(info));
        let _first_one_stays = told.try_init();
        if filter(&wished).is_none() {
            tracing::warn!(
                RUST_LOG = wished,
                "not understood, so it is info: write error, warn, info, debug, trace or target=level"
            );
        }
        (Self { format }, last_lines)
    }

    /// Tells the frames in `bytes`.
    pub(crate) fn frames(self, mut bytes: &[u8]) {
        while let Ok((frame, rest)) = frame::split(bytes) {
            bytes = rest;
            if let Ok(Content::Known(event)) = frame.content() {
                self.event(frame.header.seq, &event);
            }
        }
    }

    /// Tells an event that is not sent: it has no number.
    pub(crate) fn kept(self, event: &Event) {
        self.told(None, event);
    }

    fn event(self, seq: Seq, event: &Event) {
        self.told(Some(seq), event);
    }

    fn told(self, seq: Option<Seq>, event: &Event) {
        self.line(&Line {
            at: event.stamp.wall,
            code: code::of(&event.fact),
            text: event.to_string(),
            service: event.fact.service().map(Name::as_str),
            check: check_of(&event.fact).map(Name::as_str),
            run: seq.map(|_| event.stamp.run.to_string()),
            seq: seq.map(|seq| seq.0),
        });
    }

    /// Tells something about the link.
    pub(crate) fn link(self, at: Wall, code: &str, text: &str) {
        self.line(&Line {
            at,
            code,
            text: text.to_owned(),
            service: None,
            check: None,
            run: None,
            seq: None,
        });
    }

    fn line(self, line: &Line<'_>) {
        match self.format {
            Format::Plain if warns(line.code) => tracing::warn!(code = line.code, "{}", line.text),
            Format::Plain => tracing::info!(code = line.code, "{}", line.text),
            Format::Json => {
                let mut json = serde_json::to_vec(line).unwrap_or_default();
                json.push(b'\n');
                // Nobody reads any more; the collector still gets the frame.
                let _reader_is_gone =
                    std::io::stdout().write_all(&json).and_then(|()| std::io::stdout().flush());
            }
        }
    }
}

/// Whether somebody may have to act: a failure, one that was not healed, a loss, or no link.
fn warns(code: &str) -> bool {
    match code {
        "check-down" | "service-died" | "breaker-open" | "remedy-not-held" | "remedy-worse"
        | "host-starved" => true,
        "gap" | "vanished" | "spool-ram" | "spool-full" | "state-stuck" | "config-kept" => true,
        // What a collector refuses with, as it comes here.
        "token-used" | "token-unknown" | "quarantined" | "no-certificate" | "not-an-agent" => true,
        _ => code.starts_with("link-") && code != "link-open",
    }
}

/// What `RUST_LOG` asks for; `None` if it can't be read. Empty is as unset: the parser would take it for everything.
fn filter(wished: &str) -> Option<Targets> {
    if wished.is_empty() { Some(info()) } else { wished.parse().ok() }
}

fn info() -> Targets {
    Targets::new().with_default(LevelFilter::INFO)
}

fn written<S: serde::Serializer>(at: &Wall, out: S) -> Result<S::Ok, S::Error> {
    out.serialize_str(&rfc3339(*at))
}

/// A wall time as text, UTC, microseconds.
pub(crate) fn rfc3339(at: Wall) -> String {
    jiff::Timestamp::from_microsecond(at.micros()).map_or_else(|_| String::new(), |at| format!("{at:.6}"))
}

const fn check_of(fact: &Fact) -> Option<&Name> {
    use picket_proto::event::Outcome;
    match fact {
        Fact::Verdict(change) => Some(&change.check),
        Fact::Remedy(begun) => match &begun.trigger {
            Trigger::Check { check, .. } => Some(check),
            Trigger::Exit(_) | Trigger::Root(_) | Trigger::Changed(_) => None,
        },
        Fact::Outcome(ended) => match &ended.outcome {
            Outcome::Held { check, .. }
            | Outcome::StillFailing { check, .. }
            | Outcome::Worse { check, .. } => Some(check),
            Outcome::Died(_) | Outcome::NotDone { .. } => None,
        },
        Fact::Began(_)
        | Fact::Gap(_)
        | Fact::Started(_)
        | Fact::Exited(_)
        | Fact::Breaker(_)
        | Fact::Evidence(_)
        | Fact::Intent(_)
        | Fact::Blind(_)
        | Fact::Hold(_)
        | Fact::Vanished(_)
        | Fact::Returned(_)
        | Fact::Shadow(_)
        | Fact::Ordered(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tracing::Level;

    /// Whether what the agent itself and a crate below it say at this level is told.
    fn told(wished: &str, level: Level) -> Option<(bool, bool)> {
        let filter = filter(wished)?;
        Some((filter.would_enable("picket_agent::link", &level), filter.would_enable("h2::client", &level)))
    }

    #[test]
    fn without_a_wish_or_with_an_empty_one_info_is_told_and_debug_is_not() {
        assert_eq!(told("", Level::INFO), Some((true, true)));
        assert_eq!(told("", Level::DEBUG), Some((false, false)));
    }

    #[test]
    fn a_level_is_for_all_and_a_target_only_for_what_lies_below_it() {
        assert_eq!(told("debug", Level::DEBUG), Some((true, true)));
        assert_eq!(told("warn", Level::INFO), Some((false, false)));
        assert_eq!(told("warn,picket_agent=debug", Level::DEBUG), Some((true, false)));
    }

    #[test]
    fn what_failed_or_was_lost_is_a_warning_and_the_rest_is_not() {
        for code in ["check-down", "service-died", "breaker-open", "remedy-not-held", "gap", "link-refused"] {
            assert!(warns(code) && code::find(code).is_some(), "{code}");
        }
        for code in ["check-up", "remedy-held", "service-started", "link-open", "spool-disk"] {
            assert!(!warns(code), "{code}");
        }
    }

    #[test]
    fn what_can_not_be_read_is_no_filter() {
        assert_eq!(told("picket_agent=loud", Level::INFO), None);
    }
}
