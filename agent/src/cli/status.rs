//! `status`, `events` and `check NAME`: what the running agent answers, for people or as JSON.
//!
//! `status` ends with 1 where the agent is not connected, so that a script can ask.

use super::keeping::{stuck, waiting};
use super::metered::metered;
use super::reload::config;
use super::rest::{files, observed, packages};
use super::socket::{Failure, LOOK_PATIENCE, Place};
use super::table::{Table, age, alarming, bytes, coloured, cut, number, span, text};
use crate::local::VERSION;
use serde_json::{Value, json};
use std::fmt::Write;

/// What to print, and whether all is well.
pub(super) struct Page {
    pub(super) text: String,
    pub(super) well: bool,
}

impl Default for Page {
    fn default() -> Self {
        Self { text: String::new(), well: true }
    }
}

/// `status`.
///
/// # Errors
/// As in [`Failure`].
pub(super) fn status(place: &Place, as_json: bool) -> Result<Page, Failure> {
    let mut socket = place.connect()?;
    let mut whole = socket.simple("status")?;
    let checks = socket.pages("checks")?;
    let services = socket.pages("services")?;
    let well = text(&whole["link"], "state") == "open";
    let text = if as_json {
        whole["each_check"] = Value::Array(checks);
        whole["each_service"] = Value::Array(services);
        format!("{whole}\n")
    } else {
        tell(&whole, &checks, &services, coloured())
    };
    Ok(Page { text, well })
}

fn tell(whole: &Value, checks: &[Value], services: &[Value], colour: bool) -> String {
    let mut out = head(whole);
    out.push_str(&link(&whole["link"], colour));
    out.push_str(&config(&whole["config"], colour));
    out.push_str(&unheard(whole, colour));
    out.push_str(&counts(whole));
    out.push_str(&holds(whole, services, colour));
    out.push_str(&observed(services));
    out.push_str(&files(services));
    out.push_str(&packages(services));
    let mut table = Table::new(&["CHECK", "VERDICT", "FOR", "READ", "LAST READING"]);
    let mut alarms = vec![false];
    for check in checks {
        alarms.push(text(check, "verdict") == "down");
        table.row(vec![
            text(check, "name").to_owned(),
            text(check, "verdict").to_owned(),
            age(check, "since_ms").unwrap_or_default(),
            age(check, "read_ms").map_or_else(|| "never".to_owned(), |age| format!("{age} ago")),
            reading(check),
        ]);
    }
    append(&mut out, &table, &alarms, colour);
    let mut table = Table::new(&["SERVICE", "STATE", "PID", "BREAKER", "BUDGET", "NEXT"]);
    let mut alarms = vec![false];
    for service in services {
        alarms.push(text(service, "breaker") == "open");
        let waits = service["waits_for"].as_str().map(|root| format!("waits for {root}"));
        let next = age(service, "next_ms").map(|age| format!("{} in {age}", text(service, "next")));
        let pid = service["pid"].as_u64().map_or_else(|| "-".to_owned(), |pid| pid.to_string());
        table.row(vec![
            text(service, "name").to_owned(),
            text(service, "phase").to_owned(),
            pid,
            text(service, "breaker").to_owned(),
            format!("{} of {} used", number(service, "budget_used"), number(service, "budget")),
            // What would come next does not come before the hold of all is over.
            held(&service["hold"])
                .or(waits)
                .or_else(|| next.map(|next| held(&whole["hold"]).unwrap_or(next)))
                .unwrap_or_default(),
        ]);
    }
    append(&mut out, &table, &alarms, colour);
    append(&mut out, &remedies(services), &[], colour);
    out
}

/// What stands in the place of the next try where remedies rest.
fn held(hold: &Value) -> Option<String> {
    age(hold, "left_ms").map(|left| format!("held by {} for {left}", text(hold, "by")))
}

/// The hold of all, then those of services.
fn holds(whole: &Value, services: &[Value], colour: bool) -> String {
    let named = services.iter().map(|service| (format!(" of {}", text(service, "name")), &service["hold"]));
    let all = std::iter::once((String::new(), &whole["hold"])).chain(named);
    let told = all.filter_map(|(of, hold)| {
        let (left, by) = (age(hold, "left_ms")?, text(hold, "by"));
        Some(alarming(&format!("hold:   no remedy{of} begins for {left}, by {by}"), colour) + "\n")
    });
    told.collect()
}

fn remedies(services: &[Value]) -> Table {
    let mut table = Table::new(&["LAST REMEDIES OF", "ATTEMPT", "REMEDY", "BEGAN", "OUTCOME"]);
    for service in services {
        for remedy in service["remedies"].as_array().into_iter().flatten() {
            table.row(vec![
                text(service, "name").to_owned(),
                number(remedy, "attempt").to_string(),
                text(remedy, "remedy").to_owned(),
                age(remedy, "began_ms").map(|age| format!("{age} ago")).unwrap_or_default(),
                text(remedy, "outcome").to_owned(),
            ]);
        }
    }
    table
}

fn append(out: &mut String, table: &Table, alarms: &[bool], colour: bool) {
    if table.is_empty() {
        return;
    }
    out.push('\n');
    for (at, line) in table.lines().iter().enumerate() {
        let alarm = alarms.get(at).copied().unwrap_or(false);
        out.push_str(&alarming(line, colour && alarm));
        out.push('\n');
    }
}

fn head(whole: &Value) -> String {
    format!(
        "{}: picket-agent {}, pid {}, up {}, run {}\n",
        text(whole, "host"),
        text(whole, "version"),
        number(whole, "pid"),
        age(whole, "up_ms").unwrap_or_default(),
        text(whole, "run"),
    )
}

/// Services are units, and nobody can be asked about them.
fn unheard(whole: &Value, colour: bool) -> String {
    let Some(why) = whole["systemd_unheard"].as_str() else { return String::new() };
    let line = format!(
        "units:  NOT seen and not restarted: systemd is not heard over D-Bus ({why}); see `picket-agent doctor`"
    );
    alarming(&line, colour) + "\n"
}

fn counts(whole: &Value) -> String {
    let (spool, agent, checks) = (&whole["spool"], &whole["agent"], &whole["checks"]);
    let mut out = String::new();
    let _a_string_takes_it = writeln!(
        out,
        "spool:  {}\nagent:  {} resident, {} CPU, {} written today",
        waiting(spool),
        bytes(number(agent, "resident")),
        span(number(agent, "cpu_ms")),
        bytes(number(agent, "written_today")),
    );
    out.push_str(&stuck(whole));
    let kinds = ["up", "degraded", "flapping", "down", "unknown"];
    let told: Vec<_> = kinds.into_iter().filter(|kind| number(checks, kind) > 0).collect();
    let told: Vec<_> = told.into_iter().map(|kind| format!("{} {kind}", number(checks, kind))).collect();
    let _a_string_takes_it =
        writeln!(out, "checks: {}", if told.is_empty() { "none".to_owned() } else { told.join(", ") });
    out
}

/// Connected since when, or why not and what to do.
fn link(link: &Value, colour: bool) -> String {
    let collector = text(link, "collector");
    if text(link, "state") == "open" {
        let since = age(link, "since_ms").unwrap_or_default();
        return format!("link:   connected to {collector} for {since}\n") + &metered(link, colour);
    }
    let trouble = &link["trouble"];
    let mut out = String::new();
    let state = match text(link, "state") {
        "connecting" => ", trying now".to_owned(),
        "greeting" => ", waiting for its welcome".to_owned(),
        _ => age(link, "next_try_ms").map(|age| format!(", next try in {age}")).unwrap_or_default(),
    };
    out.push_str(&alarming(&format!("link:   NOT connected to {collector}{state}"), colour));
    out.push('\n');
    if trouble.is_object() {
        let ago = age(trouble, "ago_ms").unwrap_or_default();
        let _a_string_takes_it = writeln!(
            out,
            "  why:  {} ({ago} ago)\n  what: {} ({})\n  next: {}",
            cut(detail(trouble), 160),
            text(trouble, "meaning"),
            text(trouble, "code"),
            text(trouble, "next"),
        );
    }
    out + &metered(link, colour)
}

/// What exactly was seen. A collector that refuses says its code's next step too, which has a line of its own.
fn detail(trouble: &Value) -> &str {
    let whole = text(trouble, "detail");
    whole.strip_suffix(text(trouble, "next")).unwrap_or(whole).trim_end()
}

/// `events`.
///
/// # Errors
/// As in [`Failure`].
pub(super) fn events(place: &Place, n: u16, as_json: bool) -> Result<Page, Failure> {
    let mut socket = place.connect()?;
    let request = json!({ "v": VERSION, "ask": "events", "n": n });
    let whole = socket.ask(&request, Some(LOOK_PATIENCE))?;
    let events = whole["events"].as_array().into_iter().flatten();
    let text = events.map(|event| line(event, as_json) + "\n").collect();
    Ok(Page { text, well: true })
}

/// One event as a line.
fn line(event: &Value, as_json: bool) -> String {
    if as_json {
        return event.to_string();
    }
    let at = text(event, "at").get(..19).unwrap_or_default().replace('T', " ");
    let unsynced = if event["unsynced"] == true { "~" } else { " " };
    let waits = if event["waits"] == true { "*" } else { " " };
    format!("{at}{unsynced}{waits} {:<18} {}", text(event, "code"), text(event, "text"))
}

/// `events --follow`: `print` gets a line each; it answers whether anyone still reads.
///
/// # Errors
/// As in [`Failure`].
pub(super) fn follow(
    place: &Place,
    as_json: bool,
    mut print: impl FnMut(&str) -> bool,
) -> Result<(), Failure> {
    let mut socket = place.connect()?;
    socket.simple("follow")?;
    socket.be_patient();
    loop {
        let event = match socket.next() {
            Ok(Some(event)) => event,
            Ok(None) | Err(Failure::Nobody(_)) => {
                return Err(Failure::Refused("the agent has ended, so nothing more comes".to_owned()));
            }
            Err(other) => return Err(other),
        };
        if !print(&line(&event, as_json)) {
            return Ok(());
        }
    }
}

/// What was read last, and what was said with it.
pub(super) fn reading(check: &Value) -> String {
    let (read, said) = (text(check, "reading"), text(check, "said"));
    if said.is_empty() { read.to_owned() } else { format!("{read}: {said}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_names_the_holds_of_services() {
        let services =
            [json!({ "name": "web", "hold": { "left_ms": 60_000, "by": "ann" } }), json!({ "name": "db" })];
        assert_eq!(
            holds(&json!({}), &services, false),
            "hold:   no remedy of web begins for 1 min, by ann\n"
        );
    }

    #[test]
    fn units_that_nobody_sees_are_said_to_be() {
        assert_eq!(unheard(&json!({ "systemd_unheard": null }), false), "");
        let said = unheard(&json!({ "systemd_unheard": "no socket" }), false);
        assert!(said.starts_with("units:  NOT seen") && said.contains("(no socket)"), "{said}");
    }

    #[test]
    fn a_refusal_leaves_the_next_step_to_its_own_line() {
        let trouble =
            json!({ "detail": "c:1: token-used: It was used. Make a new one.", "next": "Make a new one." });
        assert_eq!(detail(&trouble), "c:1: token-used: It was used.");
    }
}
