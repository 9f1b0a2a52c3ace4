//! The commands that ask one question: what goes to the collector, page by page, and which page shows the answer.
//!
//! `--limit` bounds what is fetched. A command that changes an incident names the revision it is about; without
//! `--revision` the present one is read first, so that a change between the two is refused and not overwritten.

use crate::args::{Command, Events, Incident, Incidents, Page, Seen, Services};
use crate::failure::{Exit, Failure};
use crate::json;
use crate::link::{self, Link, answer, changed};
use crate::pages;
use crate::place::Place;
use crate::screen::{self, Reader, Screen};
use crate::words::plain;
use picket_rpc::{PAGE_MAX, v1};
use serde_json::{Value, json};
use std::cmp::Reverse;

/// How many hosts are searched for one that a list was asked for: what `picket hosts` shows.
const HOSTS_LOOKED_AT: usize = 10_000;
/// How many names an error tells: it stays about one line.
const NAMES_TOLD: usize = 8;

/// Asks and shows.
pub(crate) async fn ask(place: &Place, command: &Command, screen: &Screen) -> Result<String, Failure> {
    let mut link = link::open(place).await?;
    match command {
        Command::Status => status(&mut link, screen).await,
        Command::Hosts(page) => hosts(&mut link, page, screen).await,
        Command::Host { host } => one_host(&mut link, host, screen).await,
        Command::Services(asked) => services(&mut link, asked, screen).await,
        Command::Incidents(asked) => incidents(&mut link, asked, screen).await,
        Command::Incident(Incident::Show { id }) => {
            let id = match id {
                Some(id) => *id,
                None => foremost(&mut link).await?,
            };
            let detail = get(&mut link, id).await?;
            Ok(shown(screen, || json::document(&json::detail(&detail)), || pages::detail(&detail, screen)))
        }
        Command::Incident(asked) => {
            let incident = act(&mut link, asked).await.map_err(|failure| absent(failure, asked.id()))?;
            let document = || json::document(&json!({"incident": json::incident(&incident)}));
            Ok(shown(screen, document, || pages::acted(&incident, asked, screen)))
        }
        Command::Evidence { host, service } => evidence(&mut link, host, service, screen).await,
        Command::Events(asked) => events(&mut link, asked, screen).await,
        Command::Token { host } => token(&mut link, host, screen).await,
        Command::Up(_) | Command::Watch { .. } | Command::Explain { .. } => Err(misdirected()),
    }
}

fn shown(screen: &Screen, program: impl FnOnce() -> String, person: impl FnOnce() -> String) -> String {
    match screen.reader {
        Reader::Program => program(),
        Reader::Person => person(),
    }
}

fn list<T>(name: &str, items: &[T], value: fn(&T) -> Value) -> String {
    json::document(&json!({name: items.iter().map(value).collect::<Vec<_>>()}))
}

/// How many items to ask for when `have` of `limit` are here.
fn page_size(limit: usize, have: usize) -> u32 {
    u32::try_from(limit.saturating_sub(have).min(PAGE_MAX)).unwrap_or(0)
}

/// Fetches pages until the limit or the end. `$call` is the method, `$request` the request without its page,
/// `$items` the field with the items.
macro_rules! fetch {
    ($link:expr, $call:ident, $request:expr, $items:ident, $limit:expr) => {
        fetch!($link, $call, $request, $items, $limit, |_page| ())
    };
    ($link:expr, $call:ident, $request:expr, $items:ident, $limit:expr, |$page:ident| $seen:expr) => {{
        let mut items = Vec::new();
        let mut request = $request;
        while items.len() < $limit {
            request.page_size = page_size($limit, items.len());
            let $page = answer($link.$call(request.clone())).await?;
            $seen;
            items.extend($page.$items);
            if $page.next_page_token.is_empty() {
                break;
            }
            request.page_token = $page.next_page_token;
        }
        items
    }};
}

async fn status(link: &mut Link, screen: &Screen) -> Result<String, Failure> {
    let status = answer(link.get_status(v1::GetStatusRequest {})).await?;
    let document = || json::document(&json!({"status": json::status(&status)}));
    Ok(shown(screen, document, || pages::status(&status, screen)))
}

async fn hosts(link: &mut Link, page: &Page, screen: &Screen) -> Result<String, Failure> {
    let hosts = fetch!(link, list_hosts, v1::ListHostsRequest::default(), hosts, page.limit);
    Ok(shown(screen, || list("hosts", &hosts, json::host), || pages::hosts(&hosts, screen)))
}

async fn one_host(link: &mut Link, asked: &str, screen: &Screen) -> Result<String, Failure> {
    let hosts = fetch!(link, list_hosts, v1::ListHostsRequest::default(), hosts, HOSTS_LOOKED_AT);
    let Some(host) = hosts.iter().find(|host| host.host == asked) else {
        let names: Vec<String> = hosts.iter().map(|host| plain(&host.host)).collect();
        return Err(no_host(asked, &names));
    };
    let document = || json::document(&json!({"host": json::host(host)}));
    Ok(shown(screen, document, || pages::host(host, screen)))
}

async fn services(link: &mut Link, asked: &Services, screen: &Screen) -> Result<String, Failure> {
    let request =
        v1::ListServicesRequest { host: asked.host.clone().unwrap_or_default(), ..Default::default() };
    let services = fetch!(link, list_services, request, services, asked.page.limit);
    known(link, asked.host.as_deref(), services.len()).await?;
    Ok(shown(screen, || list("services", &services, json::service), || pages::services(&services, screen)))
}

async fn incidents(link: &mut Link, asked: &Incidents, screen: &Screen) -> Result<String, Failure> {
    let request = v1::ListIncidentsRequest {
        open_only: !asked.all,
        host: asked.host.clone().unwrap_or_default(),
        ..Default::default()
    };
    let incidents = fetch!(link, list_incidents, request, incidents, asked.limit);
    known(link, asked.host.as_deref(), incidents.len()).await?;
    let page = || pages::incidents(&incidents, asked, screen);
    Ok(shown(screen, || list("incidents", &incidents, json::incident), page))
}

async fn events(link: &mut Link, asked: &Events, screen: &Screen) -> Result<String, Failure> {
    let within = asked.within.and_then(|within| prost_types::Duration::try_from(within).ok());
    let request = v1::ListEventsRequest {
        host: asked.host.clone().unwrap_or_default(),
        service: asked.service.clone().unwrap_or_default(),
        within,
        ..Default::default()
    };
    let mut kept_since = None;
    let events = fetch!(link, list_events, request, events, asked.limit, |page| kept_since = page.kept_since);
    known(link, asked.host.as_deref(), events.len()).await?;
    let lines = || events.iter().map(|event| json::line(&json::event(event))).collect();
    Ok(shown(screen, lines, || pages::events(&events, screen) + &pages::kept_since(kept_since, screen)))
}

async fn evidence(link: &mut Link, host: &str, service: &str, screen: &Screen) -> Result<String, Failure> {
    let request = v1::AskEvidenceRequest { host: host.to_owned(), service: service.to_owned() };
    let asked = link::ordered(link.ask_evidence(request)).await;
    if asked.as_ref().is_err_and(|failure| failure.names("not-found")) {
        known(link, Some(host), 0).await?;
    }
    let evidence = asked?;
    let document = || json::document(&json::evidence(host, service, &evidence));
    Ok(shown(screen, document, || pages::evidence(host, service, &evidence.text)))
}

/// Where nothing was found on a host: whether there is such a host. A typo must not read like "all is well".
async fn known(link: &mut Link, host: Option<&str>, found: usize) -> Result<(), Failure> {
    let Some(asked) = host.filter(|_| found == 0) else { return Ok(()) };
    let hosts = fetch!(link, list_hosts, v1::ListHostsRequest::default(), hosts, HOSTS_LOOKED_AT);
    let names: Vec<String> = hosts.iter().map(|host| plain(&host.host)).collect();
    if names.iter().any(|name| name == asked) { Ok(()) } else { Err(no_host(asked, &names)) }
}

fn no_host(asked: &str, names: &[String]) -> Failure {
    let named = names.iter().take(NAMES_TOLD).map(String::as_str).collect::<Vec<_>>().join(", ");
    let next = match names.len() {
        0 => "No host has enrolled yet: `picket token HOST` lets one.".to_owned(),
        1..=NAMES_TOLD => format!("Known: {named} (see `picket hosts`)."),
        all => format!("Known: {named} and {} more (see `picket hosts`).", all - NAMES_TOLD),
    };
    Failure::new(Exit::NotFound, format!("no host {asked:?}"), next)
}

async fn token(link: &mut Link, host: &str, screen: &Screen) -> Result<String, Failure> {
    let hosts = fetch!(link, list_hosts, v1::ListHostsRequest::default(), hosts, HOSTS_LOOKED_AT);
    let known = hosts.iter().find(|known| known.host == host);
    let made = create_token(link, host).await?;
    if screen.reader == Reader::Program {
        return Ok(json::document(&json::token(host, &made, known.is_some())));
    }
    let (token, advice) = pages::token(host, &made, known, screen);
    if screen.terminal {
        return Ok(format!("{token}\n{advice}"));
    }
    screen::aside(&advice);
    Ok(token)
}

/// A one-time token for `host`; `up` enrols its own agent with one.
pub(crate) async fn create_token(link: &mut Link, host: &str) -> Result<v1::CreateTokenResponse, Failure> {
    changed(link.create_token(v1::CreateTokenRequest { host: host.to_owned() })).await
}

async fn get(link: &mut Link, id: u64) -> Result<v1::GetIncidentResponse, Failure> {
    let found = answer(link.get_incident(v1::GetIncidentRequest { id })).await;
    found.map_err(|failure| absent(failure, id))
}

/// Repeats the id where there is no such incident: it may be mistyped.
fn absent(failure: Failure, id: u64) -> Failure {
    if failure.exit != Exit::NotFound {
        return failure;
    }
    let next = "`picket incidents --all` lists those that there are.";
    Failure::new(Exit::NotFound, format!("there is no incident {id}"), next)
}

/// Acknowledges, notes or resolves.
async fn act(link: &mut Link, asked: &Incident) -> Result<v1::Incident, Failure> {
    match asked {
        Incident::Ack { id, seen } => {
            let revision = revision(link, *id, *seen).await?;
            let request = v1::AcknowledgeIncidentRequest { id: *id, revision };
            changed(link.acknowledge_incident(request)).await.map_err(|failure| stale(failure, *id, "ack"))
        }
        Incident::Resolve { id, text, seen } => {
            let revision = revision(link, *id, *seen).await?;
            let request = v1::ResolveIncidentRequest { id: *id, revision, text: text.join(" ") };
            changed(link.resolve_incident(request)).await.map_err(|failure| stale(failure, *id, "resolve"))
        }
        Incident::Note { id, text } => {
            changed(link.note_incident(v1::NoteIncidentRequest { id: *id, text: text.join(" ") })).await
        }
        Incident::Show { .. } => Err(misdirected()),
    }
}

/// The id of the worst incident that is open, of several the newest; where none is open, of the newest.
async fn foremost(link: &mut Link) -> Result<u64, Failure> {
    let open = v1::ListIncidentsRequest {
        open_only: true,
        page_size: u32::try_from(PAGE_MAX).unwrap_or(0),
        ..Default::default()
    };
    let open = answer(link.list_incidents(open)).await?.incidents;
    if let Some(worst) = open.iter().min_by_key(|incident| (incident.severity, Reverse(incident.id))) {
        return Ok(worst.id);
    }
    let all = v1::ListIncidentsRequest { page_size: 1, ..Default::default() };
    answer(link.list_incidents(all)).await?.incidents.first().map(|incident| incident.id).ok_or_else(|| {
        Failure::new(
            Exit::NotFound,
            "there are no incidents, neither open nor resolved",
            "`picket watch` tells the first.",
        )
    })
}

fn misdirected() -> Failure {
    Failure::failed("this command was sent the wrong way", "This is a mistake in picket; please report it.")
}

/// The revision that a command is about: 0 asks for whatever stands.
async fn revision(link: &mut Link, id: u64, seen: Seen) -> Result<u32, Failure> {
    match (seen.force, seen.revision) {
        (true, _) => Ok(0),
        (false, Some(revision)) => Ok(revision),
        (false, None) => Ok(get(link, id).await?.incident.map_or(0, |incident| incident.revision)),
    }
}

/// Names the commands that help where the incident has changed.
fn stale(failure: Failure, id: u64, verb: &str) -> Failure {
    if failure.names("stale-revision") {
        Failure::refused(
            format!("stale-revision: incident {id} changed since you looked at it"),
            format!(
                "Look again with `picket incident show {id}`, then repeat `picket incident {verb} {id}`."
            ),
        )
    } else {
        failure
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistyped_host_is_told_with_the_known_ones() {
        let names: Vec<String> = (1..=9).map(|number| format!("web-{number}")).collect();
        let told = no_host("nope", &names[..2]).to_string();
        assert_eq!(told, "no host \"nope\". Known: web-1, web-2 (see `picket hosts`).");
        let told = no_host("nope", &names).to_string();
        assert!(told.ends_with("web-7, web-8 and 1 more (see `picket hosts`)."), "{told}");
        let told = no_host("nope", &[]).to_string();
        assert!(told.ends_with("No host has enrolled yet: `picket token HOST` lets one."), "{told}");
    }

    #[test]
    fn a_page_asks_for_no_more_than_is_missing() {
        assert_eq!(page_size(10_000, 0), 500);
        assert_eq!(page_size(510, 500), 10);
        assert_eq!(page_size(5, 5), 0);
    }
}
