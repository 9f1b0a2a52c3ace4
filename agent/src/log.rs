//! What the agent tells the person or program that started it: one line per frame, one per change of the link.
//!
//! Plain: to stderr through tracing, with `RUST_LOG` as its filter (default `info`). JSON: one object per line on
//! stdout, for `picket up` and other programs: `at` (RFC 3339, UTC), `code`, `text`, and where they apply `service`,
//! `check`, and the frame's `run` (16 hex digits) and `seq`, which `picket events --json` shows too. Words come from `picket_proto::tell`; programs read codes. Writes block: whoever starts the agent
//! reads what it prints, as for any daemon; acts of the same turn are done before their lines are written.

use picket_proto::event::Trigger;
use picket_proto::frame::{self, Content};
use picket_proto::{Event, Fact, Name, Seq, Wall, code};
use serde::Serialize;
use std::io::Write;
use tracing_subscriber::EnvFilter;

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
    /// Sets the process' log up. A second call in one process keeps the first one's filter.
    pub(crate) fn new(format: Format) -> Self {
        let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
        let lines = tracing_subscriber::fmt().with_env_filter(filter).with_target(false).with_ansi(false);
        let _first_one_stays = lines.with_writer(std::io::stderr).try_init();
        Self { format }
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

    fn event(self, seq: Seq, event: &Event) {
        self.line(&Line {
            at: event.stamp.wall,
            code: code::of(&event.fact),
            text: event.to_string(),
            service: event.fact.service().map(Name::as_str),
            check: check_of(&event.fact).map(Name::as_str),
            run: Some(event.stamp.run.to_string()),
            seq: Some(seq.0),
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
            Trigger::Exit(_) => None,
        },
        Fact::Outcome(ended) => match &ended.outcome {
            Outcome::Held { check, .. } | Outcome::StillFailing { check, .. } => Some(check),
            Outcome::Died(_) => None,
        },
        Fact::Began(_)
        | Fact::Gap(_)
        | Fact::Started(_)
        | Fact::Exited(_)
        | Fact::Breaker(_)
        | Fact::Evidence(_)
        | Fact::Intent(_)
        | Fact::Blind(_)
        | Fact::Hold(_) => None,
    }
}
