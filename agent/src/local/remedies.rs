//! What a person asks about remedies: that they rest, or that the next one begins now.

use super::VERSION;
use super::ask::Answer;
use super::page;
use picket_agent_core::hold::{self, Held};
use picket_agent_core::service::{NextTry, Phase, ServiceIx, View};
use picket_agent_core::{Agent, Asked};
use picket_proto::{Mono, Span};
use serde_json::json;
use tokio::sync::oneshot;

/// Of which service, or of all; for how long, or that it ends.
type Wanted = (Option<ServiceIx>, Option<Span>);

/// A hold that is asked for.
pub(crate) struct Holding {
    service: Option<ServiceIx>,
    lasts: Option<Span>,
    by: String,
    reply: oneshot::Sender<Answer>,
}

impl Holding {
    pub(super) fn new(wanted: Wanted, by: String, reply: oneshot::Sender<Answer>) -> Self {
        Self { service: wanted.0, lasts: wanted.1, by, reply }
    }

    /// The fact that the core takes.
    pub(crate) fn as_fact(&self) -> hold::Fact<'_> {
        hold::Fact { service: self.service, lasts: self.lasts, by: &self.by }
    }

    /// Says what stands now.
    pub(crate) fn done(self, agent: &Agent<'_>, now: Mono) {
        let stands = match self.service {
            None => agent.held(),
            Some(service) => agent.service_at(service).and_then(View::held),
        };
        let document = json!({ "v": VERSION, "hold": page::hold(stands, now) });
        let _asker_is_gone = self.reply.send(Answer::Whole(document.to_string()));
    }
}

/// A try that is asked for.
pub(crate) struct Trying {
    pub(super) service: ServiceIx,
    /// With the rung that is next; else with the first.
    pub(super) goes_on: bool,
    pub(super) reply: oneshot::Sender<Answer>,
}

impl Trying {
    /// The fact that the core takes.
    pub(crate) const fn as_asked(&self) -> Asked<'_> {
        Asked::Try { service: self.service, goes_on: self.goes_on }
    }

    /// Says what has begun; nothing has where it waits for something first.
    pub(crate) fn done(self, agent: &Agent<'_>) {
        let view = agent.service_at(self.service);
        let begun = view.and_then(|view| view.remedies().last()).filter(|past| past.ended.is_none());
        let remedy = begun.map(|past| crate::config::rung(past.remedy));
        let document =
            json!({ "v": VERSION, "tried": view.map(|view| view.name().as_str()), "remedy": remedy });
        let _asker_is_gone = self.reply.send(Answer::Whole(document.to_string()));
    }
}

/// What is to be held, for how long.
pub(super) fn holding(agent: &Agent<'_>, name: Option<String>, seconds: u64) -> Result<Wanted, String> {
    let lasts = (seconds > 0).then(|| Span::from_secs(seconds));
    if lasts.is_some_and(|lasts| !(hold::LEAST..=hold::MOST).contains(&lasts)) {
        return Err(format!("a hold lasts from {} to {}", hold::LEAST, hold::MOST));
    }
    let Some(name) = name else { return Ok((None, lasts)) };
    named(agent, &name).map(|(service, _)| (Some(service), lasts))
}

/// The service of this name.
fn named<'a>(agent: &'a Agent<'_>, name: &str) -> Result<(ServiceIx, View<'a>), String> {
    let places = 0..agent.services_end();
    let mut services = places.filter_map(|service| Some((service, agent.service_at(service)?)));
    let found = services.find(|(_, view)| view.name().as_str() == name);
    found.ok_or_else(|| format!("there is no service `{name}`; `status` lists them"))
}

/// Who keeps remedies from a service, until when, and how that ends.
fn at_rest(name: &str, own: Option<&Held>, all: Option<&Held>, now: Mono) -> String {
    let (of, ends, held) = match (own, all) {
        (Some(held), _) => (name, format!("hold off --service {name}"), Some(held)),
        (None, held) => ("all services", "hold off".to_owned(), held),
    };
    let who =
        held.map_or_else(String::new, |held| format!(", by {}, for {} more", held.by, held.until.since(now)));
    format!("remedies of {of} rest{who}: `{ends}` ends that")
}

/// Which service is to be tried now; or why there is nothing to try.
pub(super) fn next_try(agent: &Agent<'_>, now: Mono, name: &str) -> Result<ServiceIx, String> {
    let (service, view) = named(agent, name)?;
    match view.next_try(now) {
        NextTry::At(_) => Ok(service),
        NextTry::Held if view.observes() => Err(format!(
            "{name} is only observed: `observe = false` in its [[service]] has it healed, by a reload"
        )),
        NextTry::Held => Err(at_rest(name, view.held(), agent.held(), now)),
        NextTry::Root(root) => Err(format!("{name} waits for {root}, which is not well: mend that first")),
        NextTry::None if view.phase() == Phase::Left => Err(format!(
            "{name} is left alone, since somebody stopped or masked it, or its unit is not there: start it yourself, and it is \
             watched again"
        )),
        NextTry::None if view.observes() => Err(format!("{name} is only observed, and does not fail now")),
        NextTry::None => Err(format!(
            "{name} is {}: nothing is to be tried; where a check fails, its remedy begins by itself",
            page::phase(view.phase())
        )),
    }
}
