//! Inputs of an agent's process, in its core's words.

use super::happening::{AgentIn, Known, Word};
use picket_agent_core::service::Fact;
use picket_agent_core::{Agent, Asked, Input, hold, session};
use picket_proto::Now;

/// The input, in the core's words.
pub(super) fn tell(agent: &mut Agent<'_>, now: Now, input: &AgentIn) {
    match input {
        AgentIn::Answer(fact) | AgentIn::Known(Known::Reading(fact)) => {
            agent.handle(now, Input::Check(*fact));
        }
        AgentIn::Exited { service, pid, exit } | AgentIn::Known(Known::Exited { service, pid, exit }) => {
            agent.handle(now, Input::Service(Fact::Exited { service: *service, pid: *pid, exit: *exit }));
        }
        AgentIn::Known(Known::Absent(service)) => {
            agent.handle(now, Input::Service(Fact::Absent { service: *service }));
        }
        AgentIn::Known(Known::Lost(service, pid)) => {
            agent.handle(now, Input::Service(Fact::Lost { service: *service, pid: *pid }));
        }
        AgentIn::Known(Known::Started { service, pid, adopted }) => {
            let fact = Fact::Started { service: *service, pid: *pid, adopted: *adopted };
            agent.handle(now, Input::Service(fact));
        }
        AgentIn::Known(Known::Evidence(service, pid)) => {
            let fact = Fact::Evidence { service: *service, pid: *pid, last_line: "a last line" };
            agent.handle(now, Input::Service(fact));
        }
        AgentIn::Known(Known::Printed(service, token)) => {
            // Two parts; of some it can't be read.
            let text = (token % 8 > 0).then(|| "a line of its log, long enough to be one\n".repeat(20));
            let fact = Fact::Printed { service: *service, token: *token, text: text.as_deref() };
            agent.handle(now, Input::Service(fact));
        }
        AgentIn::Unit(fact) => agent.handle(now, Input::Unit(*fact)),
        AgentIn::Disk(told) => agent.handle(now, Input::Disk(told.as_fact())),
        AgentIn::Word(_, word) => agent.handle(now, Input::Session(fact_of(word))),
        AgentIn::TooLate(_) => {
            let fact = session::Fact::Lost { trouble: session::Trouble::TimedOut };
            agent.handle(now, Input::Session(fact));
        }
        AgentIn::Sent(_, messages) => {
            agent.handle(now, Input::Session(session::Fact::Sent { messages: *messages }));
        }
        AgentIn::Hold(service, lasts) => {
            agent.handle(
                now,
                Input::Asked(Asked::Hold(hold::Fact { service: *service, lasts: *lasts, by: "ann" })),
            );
        }
        AgentIn::Try(service, goes_on) => agent.handle(now, tried(*service, *goes_on)),
        AgentIn::Stop(ending) => agent.handle(now, Input::Stop(*ending)),
        AgentIn::Time => agent.handle(now, Input::Time),
    }
}

const fn tried(service: u16, goes_on: bool) -> Input<'static> {
    Input::Asked(Asked::Try { service, goes_on })
}

fn fact_of(word: &Word) -> session::Fact<'_> {
    match word {
        Word::Opened => session::Fact::Opened,
        Word::Welcomed { heartbeat, known, watched } => {
            session::Fact::Welcomed { heartbeat: *heartbeat, known, watched: Some(*watched) }
        }
        Word::Acked { run, ranges } => session::Fact::Acked { run: *run, ranges },
        Word::Beat { echo, received, answered } => {
            session::Fact::Beat { echo: *echo, received: *received, answered: *answered }
        }
        Word::Ordered { token, service } => session::Fact::Ordered { token: *token, service },
        Word::Challenged { nonce } => session::Fact::Challenged { nonce: *nonce },
        Word::Lost(trouble) => session::Fact::Lost { trouble: *trouble },
    }
}
