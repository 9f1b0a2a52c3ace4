//! What `picket up` says: what it watches, how to ask, and a line for everything that happens.
//!
//! The first verdict of a check is no news while it is "up": these are counted and told in one line. Output that
//! nobody reads any more (a closed pipe) is no reason to stop watching.

use super::folder::{Afterwards, Folder};
use super::listening::Ports;
use crate::page::wrap;
use crate::screen::{Ink, Screen};
use crate::words::{self, plain};
use jiff::Timestamp;
use picket_agent::config::{Check, Config};
use picket_proto::event::CheckKind;
use picket_rpc::v1;
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::Write;

/// Columns before the words of a line: time of day, sign and their gaps.
const TIMES: usize = 12;

/// Prints at once.
pub(crate) fn say(text: &str) {
    let mut out = std::io::stdout().lock();
    let _nobody_reads = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

/// The heading: what is watched.
pub(crate) fn watched(config: &Config, ports: Option<Ports>, screen: &Screen) -> String {
    let strong = |text: &str| screen.paint(Ink::Strong, text);
    let mut text = match ports {
        None => {
            format!("Picket watches {} as {} says:\n", strong(config.host.as_str()), config.file.display())
        }
        Some(ports) => format!(
            "Picket watches {}: its levels and {}.\n\
             It observes only; to have services started and healed, give it --config FILE.\n\
             What it made of this machine stands in {}.\n",
            strong(config.host.as_str()),
            ports_in_words(ports),
            config.file.display(),
        ),
    };
    for (at, service) in config.services().iter().enumerate() {
        let command = service.command.join(" ");
        text.push_str(&item("service", service.spec.name.as_str(), &command, screen));
        for check in config.checks().iter().filter(|check| check.spec.service.map(usize::from) == Some(at)) {
            text.push_str(&item("", check.name().as_str(), &said(check), screen));
        }
    }
    let (levels, alone): (Vec<&Check>, Vec<&Check>) = config
        .checks()
        .iter()
        .filter(|check| check.spec.service.is_none())
        .partition(|check| is_level(check.kind()));
    for check in alone {
        text.push_str(&item("check", check.name().as_str(), &said(check), screen));
    }
    if let Some(first) = levels.first() {
        let targets: Vec<String> = levels.iter().map(|check| check.target()).collect();
        let said = format!("{}, every {}", targets.join(", "), first.spec.interval);
        text.push_str(&item("host", config.host.as_str(), &said, screen));
    }
    text
}

fn ports_in_words(ports: Ports) -> String {
    match (ports.listening, ports.watched) {
        (0, _) => "no TCP port, since none listens now".to_owned(),
        (1, _) => "the one TCP port that listens now".to_owned(),
        (all, watched) if all == watched => format!("the {all} TCP ports that listen now"),
        (all, watched) => format!("the first {watched} of {all} TCP ports that listen now"),
    }
}

const fn is_level(kind: CheckKind) -> bool {
    match kind {
        CheckKind::Cpu
        | CheckKind::Memory
        | CheckKind::Load
        | CheckKind::Space
        | CheckKind::Pressure
        | CheckKind::Swap
        | CheckKind::Inodes
        | CheckKind::Temperature => true,
        CheckKind::Process
        | CheckKind::Tcp
        | CheckKind::Http
        | CheckKind::Exec
        | CheckKind::Tls
        | CheckKind::Expires
        | CheckKind::File
        | CheckKind::Log
        | CheckKind::Metric
        | CheckKind::Mount
        | CheckKind::Net
        | CheckKind::Job
        | CheckKind::Backup
        | CheckKind::Container => false,
    }
}

fn said(check: &Check) -> String {
    format!("{}, every {}", check.target(), check.spec.interval)
}

fn item(what: &str, name: &str, said: &str, screen: &Screen) -> String {
    let pad = " ".repeat(20_usize.saturating_sub(name.chars().count()));
    let named = 13 + name.chars().count().max(20);
    let ink = if what.is_empty() { Ink::Plain } else { Ink::Strong };
    let said = wrap(&plain(said), named, screen.paper());
    format!(
        "  {}  {}{pad}  {said}\n",
        screen.paint(Ink::Faint, &format!("{what:<7}")),
        screen.paint(ink, name)
    )
}

/// How to ask, with commands that work as they stand, and what Ctrl-C does.
pub(crate) fn how_to_ask(folder: &Folder, address: &str) -> String {
    let program = program();
    let place = match folder.afterwards() {
        Afterwards::Removed => String::new(),
        Afterwards::Kept => {
            let credentials = folder.path().join(crate::place::CREDENTIALS);
            format!(" --collector {address} --credentials {}", quoted(&credentials.to_string_lossy()))
        }
    };
    let path = folder.path().display();
    let end = match folder.afterwards() {
        Afterwards::Removed => format!("Ctrl-C ends all of it and removes {path}."),
        Afterwards::Kept => format!("Ctrl-C ends all of it; the data stays in {path}."),
    };
    let asks = ["services", "incidents --all", "incident show", "watch"];
    let lines: String = asks.iter().map(|ask| format!("  {program}{place} {ask}\n")).collect();
    format!("\nAsk in another terminal:\n{lines}{end}\n\n")
}

/// How this program was called, for a shell in the same folder.
fn program() -> String {
    std::env::args().next().map_or_else(|| "picket".to_owned(), |called| quoted(&called))
}

/// For a shell.
fn quoted(text: &str) -> String {
    let harmless = |letter: char| letter.is_ascii_alphanumeric() || "/._-+,:@%".contains(letter);
    if text.chars().all(harmless) { text.to_owned() } else { format!("'{}'", text.replace('\'', "'\\''")) }
}

/// Turns what the agent and the collector tell into lines.
pub(crate) struct Teller {
    screen: Screen,
    checks: usize,
    /// The last verdict's code of every check that has told one.
    heard: BTreeMap<String, String>,
    /// The last death that the agent told: the collector's change says the same.
    death: String,
}

impl Teller {
    pub(crate) const fn new(screen: Screen, checks: usize) -> Self {
        Self { screen, checks, heard: BTreeMap::new(), death: String::new() }
    }

    pub(crate) const fn screen(&self) -> &Screen {
        &self.screen
    }

    /// A line of the agent's log.
    pub(crate) fn event(&mut self, line: &str) -> String {
        let Ok(event) = serde_json::from_str::<Value>(line) else { return format!("{}\n", plain(line)) };
        let field = |name: &str| event.get(name).and_then(Value::as_str).unwrap_or_default();
        let (code, text) = (field("code"), field("text"));
        if code.is_empty() {
            return String::new();
        }
        let at =
            event.get("at_us").and_then(Value::as_i64).and_then(|us| Timestamp::from_microsecond(us).ok());
        let at = at.or_else(|| field("at").parse().ok());
        let (check, verdict) = (field("check").to_owned(), code.to_owned());
        let first = code.starts_with("check-") && self.heard.insert(check, verdict).is_none();
        let quiet = first && code == "check-up";
        if code == "service-died" {
            text.clone_into(&mut self.death);
        }
        let mut told = if quiet { String::new() } else { self.line(at, words::sign(code), text) };
        if first && self.heard.len() == self.checks {
            let up = self.heard.values().filter(|verdict| *verdict == "check-up").count();
            let (sign, rest) = match self.checks - up {
                0 => (words::sign("check-up"), String::new()),
                1 => (('!', Ink::Warning), ", 1 is not".to_owned()),
                more => (('!', Ink::Warning), format!(", {more} are not")),
            };
            told.push_str(&self.line(at, sign, &format!("{up} of {} checks are up{rest}", self.checks)));
        }
        told
    }

    /// A change of an incident. What the agent has told already, or will, is not told twice.
    pub(crate) fn change(&mut self, change: &v1::IncidentChange) -> String {
        let collectors =
            ["host-silent", "host-back", "agent-overstay", "duplicate-identity", "quarantine-lifted"];
        let code = change.code.as_str();
        if (code == "incident-joined" && change.text == self.death)
            || !(code.starts_with("incident-") || collectors.contains(&code))
        {
            return String::new();
        }
        let incident = change.incident.clone().unwrap_or_default();
        let severity = words::severity(incident.severity).0.to_ascii_uppercase();
        let (state, _) = words::incident_state(incident.state);
        let said = match code {
            "incident-opened" => format!("{severity} opened: {}", incident.title),
            "incident-reopened" => {
                format!("{severity} is back (episode {}): {}", incident.episode, incident.title)
            }
            "incident-resolved" => format!("resolved: {}", incident.outcome),
            "incident-joined" => {
                format!("grew: {} of {} conditions fire now", incident.signals_firing, incident.signals)
            }
            "incident-verifying" => words::VERIFYING.to_owned(),
            _ if change.text.is_empty() => format!("{state}: {code}"),
            _ => change.text.clone(),
        };
        let at = words::time(incident.changed.as_ref());
        self.line(at, words::sign(code), &format!("incident {} {said}", incident.id))
    }

    /// A line of our own.
    pub(crate) fn remark(&mut self, text: &str) -> String {
        self.line(None, ('-', Ink::Faint), text)
    }

    fn line(&mut self, at: Option<Timestamp>, (sign, ink): (char, Ink), text: &str) -> String {
        let at = at.unwrap_or_else(|| self.screen.refreshed().now());
        let said = wrap(&plain(text), TIMES, self.screen.paper());
        format!("{}  {} {said}\n", self.screen.of_day(at), self.screen.paint(ink, &sign.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn teller() -> Teller {
        Teller::new(Screen::still(80, "2026-03-01T12:00:00Z"), 2)
    }

    #[test]
    fn first_passes_are_counted_and_not_told_one_by_one() {
        let mut teller = teller();
        assert_eq!(teller.event(r#"{"at_us":0,"code":"check-up","text":"a is up","check":"a"}"#), "");
        let last = teller.event(r#"{"at_us":0,"code":"check-up","text":"b is up","check":"b"}"#);
        assert_eq!(last, "00:00:00  + 2 of 2 checks are up\n");
        let again = teller.event(r#"{"at_us":0,"code":"check-up","text":"b is up (was down)","check":"b"}"#);
        assert_eq!(again, "00:00:00  + b is up (was down)\n");
    }

    #[test]
    fn the_count_has_no_good_sign_while_a_check_is_not_up() {
        let mut teller = teller();
        teller.event(r#"{"at_us":0,"code":"check-up","text":"a is up","check":"a"}"#);
        let last = teller.event(r#"{"at_us":0,"code":"check-down","text":"b is down","check":"b"}"#);
        assert_eq!(last, "00:00:00  ! b is down\n00:00:00  ! 1 of 2 checks are up, 1 is not\n");
    }

    #[test]
    fn a_line_that_is_no_event_is_shown_as_it_is() {
        assert_eq!(teller().event("out of memory"), "out of memory\n");
    }

    #[test]
    fn commands_can_be_pasted_into_a_shell() {
        assert_eq!(quoted("target/release/picket"), "target/release/picket");
        assert_eq!(quoted("/tmp/it's here"), "'/tmp/it'\\''s here'");
    }
}
