//! What should be on this host, a page at a time, and what a person makes of it.

use super::VERSION;
use super::ask::Answer;
use crate::log::rfc3339;
use picket_agent_core::Agent;
use picket_agent_core::baseline::{Fact, Standing, Thing};
use picket_proto::{Mono, Now};
use serde::Serialize;
use serde_json::json;
use tokio::sync::oneshot;

/// Things of one page.
const THINGS: u16 = 64;

/// One thing.
#[derive(Serialize)]
struct ThingDoc<'d> {
    name: &'d str,
    kind: String,
    of: Option<&'d str>,
    /// When it was learned; none while it is only known so far.
    since: Option<String>,
    state: &'static str,
    /// How it is gone.
    gone: Option<String>,
    gone_ms: Option<u64>,
    /// The number of the loss that told it.
    loss: Option<u32>,
}

/// A page of what should be here.
pub(super) fn page(agent: &Agent<'_>, now: Now, from: u16) -> String {
    let page = agent.things().skip(usize::from(from)).take(usize::from(THINGS));
    let things: Vec<ThingDoc<'_>> = page.map(|thing| document(thing, now.mono)).collect();
    let next = (things.len() == usize::from(THINGS)).then(|| from.saturating_add(THINGS));
    let losses = agent.losses().iter().map(|loss| {
        let change = loss.change.as_ref().map(ToString::to_string);
        json!({ "number": loss.number, "ago_ms": now.mono.since(loss.since).millis(), "change": change })
    });
    let losses: Vec<_> = losses.collect();
    let (at, left_out) = (rfc3339(now.wall), agent.things_left_out());
    json!({ "v": VERSION, "now": at, "baseline": things, "losses": losses, "left_out": left_out, "next": next })
        .to_string()
}

fn document(thing: &Thing, now: Mono) -> ThingDoc<'_> {
    let (state, gone, since, loss) = match thing.standing() {
        _ if thing.since.is_none() => ("new", None, None, None),
        Standing::Here => ("here", None, None, None),
        Standing::Resting => ("not running", None, None, None),
        Standing::Gone { gone, since, told } => ("GONE", Some(gone), Some(since), told),
    };
    ThingDoc {
        name: thing.name.as_ref().map_or("", |name| name.as_str()),
        kind: thing.kind().to_string(),
        of: thing.of.as_ref().map(|of| of.as_str()),
        since: thing.since.map(rfc3339),
        state,
        gone: gone.map(|gone| gone.to_string()),
        gone_ms: since.map(|since| now.since(since).millis()),
        loss,
    }
}

/// A person takes the host as it is.
pub(crate) struct Accepting {
    by: String,
    reply: oneshot::Sender<Answer>,
}

impl Accepting {
    pub(super) const fn new(by: String, reply: oneshot::Sender<Answer>) -> Self {
        Self { by, reply }
    }

    /// The fact that the core takes.
    pub(crate) fn as_fact(&self) -> Fact<'_> {
        Fact::Accept { by: &self.by }
    }

    /// Says what came of it; `missing` things are not missed any more.
    pub(crate) fn done(self, agent: &Agent<'_>, missing: usize) {
        let things = agent.things().count();
        tracing::info!(by = self.by, missing, things, "the host as it is now is what should be");
        let document = json!({ "v": VERSION, "accepted": { "missing": missing, "things": things } });
        let _asker_is_gone = self.reply.send(Answer::Whole(document.to_string()));
    }
}
