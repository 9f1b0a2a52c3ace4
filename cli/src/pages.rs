//! The pages that people read: one function per command, messages in, text out.
//!
//! A list is a table and an empty one a sentence. [`detail`] is the page that somebody reads at three in the morning:
//! what, how bad, where it stands and what to type come first, then why it is one incident, then what happened.

mod host;
mod incident;
mod status;

use crate::args::Incidents;
use crate::page::{Cell, Lean, Table, wrap};
use crate::screen::{Ink, Screen};
use crate::words::{self, plain};
use picket_rpc::v1;

pub(crate) use host::host;
pub(crate) use incident::{acted, detail};
pub(crate) use status::{kept_since, status};

/// Stands behind a time that a host told while its clock was not synchronised.
const UNSYNCED: char = '~';
/// What the mark means; shown once, below.
const UNSYNCED_NOTE: &str = "~ by a clock that was not synchronised";

fn at(at: Option<&prost_types::Timestamp>, screen: &Screen) -> String {
    words::time(at).map_or_else(|| "never".to_owned(), |at| screen.time(at))
}

/// The hosts.
pub(crate) fn hosts(hosts: &[v1::Host], screen: &Screen) -> String {
    if hosts.is_empty() {
        return "No hosts yet. `picket token HOST` makes a token that lets one enrol.\n".to_owned();
    }
    let mut table = Table::new(&[
        ("HOST", Lean::Left),
        ("STATE", Lean::Left),
        ("HEARD", Lean::Left),
        ("CHECKS", Lean::Right),
        ("NOT UP", Lean::Right),
        ("EVENTS", Lean::Right),
        ("LOST", Lean::Right),
        ("CPU", Lean::Right),
        ("MEM", Lean::Right),
        ("CLOCK", Lean::Left),
        ("AGENT", Lean::Left),
    ]);
    for host in hosts {
        let sample = host.sample.unwrap_or_default();
        let level = |level: Option<u32>| Cell::plain(level.map(host::percent).unwrap_or_default());
        let (clock, is_good) = host::clock(host).unwrap_or_default();
        let (state, ink) = words::host_state(host.state);
        table.row(vec![
            Cell::plain(plain(&host.host)),
            Cell::inked(ink, state),
            Cell::plain(format!("{}{}", at(host.last_heard.as_ref(), screen), host::every(host))),
            Cell::plain(host.checks.to_string()),
            count(u64::from(host.checks_not_up)),
            Cell::plain(host.frames.to_string()),
            count(host.frames_lost),
            level(sample.cpu_permille),
            level(sample.memory_permille),
            Cell::inked(if is_good { Ink::Faint } else { Ink::Bad }, clock),
            Cell::plain(format!("{}{}", plain(&host.agent_version), host::copy(host))),
        ]);
    }
    table.render(screen)
}

/// A number that should be 0.
fn count(number: u64) -> Cell {
    Cell::inked(if number == 0 { Ink::Faint } else { Ink::Bad }, number.to_string())
}

/// How a check of a service is named in the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Naming {
    /// As everywhere: `nginx:http`.
    Whole,
    /// Behind its service's name: `http`.
    Short,
}

/// The column with the checks' names.
const CHECK: usize = 3;

/// The services, a line per check; host and service stand on their first line only. Where the checks' names would be
/// cut, they lose the service's name that stands beside them.
pub(crate) fn services(services: &[v1::Service], screen: &Screen) -> String {
    if services.is_empty() {
        return "No services and no checks yet: no agent has connected.\n".to_owned();
    }
    let whole = service_table(services, Naming::Whole, screen);
    if whole.cuts(CHECK, screen) {
        return service_table(services, Naming::Short, screen).render(screen);
    }
    whole.render(screen)
}

fn service_table(services: &[v1::Service], naming: Naming, screen: &Screen) -> Table {
    let mut table = Table::new(&[
        ("HOST", Lean::Left),
        ("SERVICE", Lean::Left),
        ("PID", Lean::Right),
        ("CHECK", Lean::Left),
        ("VERDICT", Lean::Left),
        ("SINCE", Lean::Left),
        ("WHY", Lean::Left),
    ]);
    let mut last_host = "";
    for service in services {
        for (nth, check) in service.checks.iter().enumerate() {
            let (host, name) =
                if nth == 0 { (service.host.as_str(), service.service.as_str()) } else { ("", "") };
            let host = if host == last_host { "" } else { host };
            let mut cells = line(host, name, service, check, screen);
            if naming == Naming::Short
                && let Some(cell) = cells.get_mut(CHECK)
            {
                *cell = Cell::plain(plain(behind(&service.service, &check.check)));
            }
            table.row(cells);
        }
        last_host = &service.host;
    }
    table
}

/// The check's name behind the service's own: `http` of `nginx:http`.
fn behind<'c>(service: &str, check: &'c str) -> &'c str {
    let short = check.strip_prefix(service).and_then(|rest| rest.strip_prefix(':'));
    short.filter(|rest| !rest.is_empty()).unwrap_or(check)
}

fn line(host: &str, name: &str, service: &v1::Service, check: &v1::Check, screen: &Screen) -> Vec<Cell> {
    let (verdict, ink) = words::verdict(check.verdict);
    let pid = if name.is_empty() || service.pid == 0 { String::new() } else { service.pid.to_string() };
    let since = words::time(check.since.as_ref()).map_or_else(String::new, |since| screen.time(since));
    let up = check.verdict == i32::from(v1::Verdict::Up);
    let left = words::left_alone(service.intent);
    let why = match (check.cause.as_str(), service.not_healed_because.as_str()) {
        _ if !left.is_empty() && !up => left.to_owned(),
        (cause, because) if up || because.is_empty() => cause.to_owned(),
        ("", because) => format!("not healed, because {because}"),
        (cause, because) => format!("{cause}; not healed, because {because}"),
    };
    vec![
        Cell::inked(Ink::Strong, plain(host)),
        Cell::plain(plain(name)),
        Cell::inked(Ink::Faint, pid),
        Cell::plain(plain(&check.check)),
        Cell::inked(ink, verdict),
        Cell::plain(since),
        Cell::plain(plain(&why)),
    ]
}

/// The incidents.
pub(crate) fn incidents(incidents: &[v1::Incident], asked: &Incidents, screen: &Screen) -> String {
    if incidents.is_empty() {
        let on = asked.host.as_deref().map(|host| format!(" on {}", plain(host))).unwrap_or_default();
        return if asked.all {
            format!("No incidents{on}, neither open nor resolved.\n")
        } else {
            format!("No open incidents{on}. `picket incidents --all` shows the resolved ones too.\n")
        };
    }
    let mut table = Table::new(&[
        ("ID", Lean::Right),
        ("SEV", Lean::Left),
        ("STATE", Lean::Left),
        ("OPENED", Lean::Left),
        ("TITLE", Lean::Left),
        ("OUTCOME", Lean::Left),
    ]);
    for incident in incidents {
        let (severity, severity_ink) = words::severity(incident.severity);
        let (state, state_ink) = words::incident_state(incident.state);
        let over = incident.resolved.is_some();
        table.row(vec![
            Cell::inked(Ink::Strong, incident.id.to_string()),
            Cell::inked(if over { Ink::Faint } else { severity_ink }, severity.to_ascii_uppercase()),
            Cell::inked(state_ink, state),
            Cell::plain(at(incident.opened.as_ref(), screen)),
            Cell::plain(plain(&incident.title)),
            Cell::inked(if over { Ink::Plain } else { Ink::Bad }, plain(&incident.outcome)),
        ]);
    }
    table.render(screen)
}

/// The events, newest first as they came.
pub(crate) fn events(events: &[v1::Event], screen: &Screen) -> String {
    if events.is_empty() {
        return "No events: nothing of that kind was received in that time.\n".to_owned();
    }
    let mut table = Table::new(&[
        ("TIME", Lean::Left),
        ("HOST", Lean::Left),
        ("", Lean::Left),
        ("WHAT HAPPENED", Lean::Left),
    ]);
    for event in events {
        let (sign, ink) = words::sign(&event.code);
        let late = if event.late { " (late)" } else { "" };
        let mark = if event.unsynced { UNSYNCED } else { ' ' };
        table.row(vec![
            Cell::plain(format!("{}{mark}", at(event.at.as_ref(), screen))),
            Cell::plain(plain(&event.host)),
            Cell::inked(ink, sign),
            Cell::plain(format!("{}{late}", plain(&event.text))),
        ]);
    }
    let mut text = table.render(screen);
    if events.iter().any(|event| event.unsynced) {
        text.push_str(&format!("{}\n", screen.paint(Ink::Faint, UNSYNCED_NOTE)));
    }
    text
}

/// What a service printed last, line by line; in a table or a frame it could not be copied.
pub(crate) fn evidence(host: &str, service: &str, text: &str) -> String {
    if text.is_empty() {
        return format!(
            "{} on {} printed nothing that is still there. Of what other programs start only those are heard.\n",
            plain(service),
            plain(host)
        );
    }
    text.lines().flat_map(|line| [plain(line), "\n".to_owned()]).collect()
}

/// A token, and beside it what to do with it: `picket token HOST > FILE` must put the first alone into the file. For the name of a host
/// that is known it is another machine's way to be that host, so that is said.
pub(crate) fn token(
    host: &str,
    made: &v1::CreateTokenResponse,
    known: Option<&v1::Host>,
    screen: &Screen,
) -> (String, String) {
    let until = words::time(made.expires.as_ref())
        .map_or_else(|| "within an hour".to_owned(), |at| format!("before {}", screen.exact(at)));
    let advice = format!(
        "It lets {0} enrol once, {until}, and is not shown again. Put it into a file that only root of {0} can read \
         (umask 077); there, `picket-agent enroll --collector HOST:PORT --name {0} --token-file FILE` does the rest.",
        plain(host),
    );
    let mut text = wrap(&advice, 0, screen.paper());
    if let Some(known) = known {
        let warning = format!(
            "Note: {} has enrolled already{}. Who enrols by this token takes its place: its certificate is not renewed any more. Where \
             that is not meant, throw the token away.",
            plain(host),
            if known.state() == v1::HostState::Connected { " and is connected" } else { "" },
        );
        text = format!("{}\n{text}", wrap(&warning, 0, screen.paper()));
    }
    (format!("{}\n", plain(&made.token)), format!("{text}\n"))
}

#[cfg(test)]
mod tests;
