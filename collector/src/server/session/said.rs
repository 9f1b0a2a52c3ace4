//! What an agent's message says, in the core's words, or why it is refused. It knows no session and no state.

use super::super::{refusal, refusal_because};
use picket_collector_core::ingest::{Fact, Hello, Lane, Report, SessionId, Standing, Stands, Terms, Watched};
use picket_proto::{Now, Span, Text};
use picket_rpc::convert::{self, BadMessage};
use picket_rpc::v1::{self, AgentMessage, agent_message::Message};
use picket_rpc::{BATCH_MAX, PAGE_MAX};
use tonic::Status;

/// Most checks of one agent, as in the core's Hello.
const WATCHED_MAX: usize = 4_096;
/// Longest version in bytes, as in the core's Hello.
const VERSION_MAX: usize = 160;

/// What was said.
#[derive(Debug)]
pub(crate) enum Said {
    /// Who speaks: the first message, and no later one.
    Hello(v1::Hello),
    /// To be answered at once.
    Beat(v1::Heartbeat),
    /// For the core.
    Fact(Fact),
}

/// The status that a message is refused with.
#[derive(Debug)]
pub(crate) struct Refused(pub(crate) Box<Status>);

impl From<Status> for Refused {
    fn from(status: Status) -> Self {
        Self(Box::new(status))
    }
}

impl From<BadMessage> for Refused {
    fn from(bad: BadMessage) -> Self {
        refusal_because("bad-message", &bad.to_string()).into()
    }
}

/// Takes a message apart.
///
/// # Errors
/// The refusal; nothing of it counts.
pub(crate) fn said(session: SessionId, message: AgentMessage) -> Result<Said, Refused> {
    let missing = || refusal_because("bad-message", "message must be set");
    Ok(Said::Fact(match message.message.ok_or_else(missing)? {
        Message::Hello(hello) => return Ok(Said::Hello(hello)),
        Message::Heartbeat(beat) => return Ok(Said::Beat(beat)),
        Message::Batch(batch) => batch_from(session, batch)?,
        Message::Standing(standing) => standing_from(session, standing)?,
        Message::StandingEnd(end) => Fact::StandingEnd { session, up: end.up, digest: end.digest },
        Message::Answer(answer) => Fact::Answered { session, nonce: answer.nonce },
        // A reason of a newer agent is a stop.
        Message::Goodbye(goodbye) => match goodbye.reason() {
            v1::GoodbyeReason::Removed => Fact::Removed { session },
            v1::GoodbyeReason::Unspecified | v1::GoodbyeReason::Stopped => Fact::Goodbye { session },
        },
    }))
}

/// What a heartbeat says that came now.
pub(crate) fn report(now: Now, beat: v1::Heartbeat) -> Result<Report, Refused> {
    Ok(Report {
        stamp: convert::stamp("heartbeat.now", beat.now)?,
        received: now.mono,
        received_wall: now.wall,
        sample: beat.sample.map(convert::sample),
        offset: beat.offset.map(convert::offset),
    })
}

/// What a Hello says.
pub(crate) fn hello(hello: v1::Hello) -> Result<(Hello, Terms), Refused> {
    let stamp = convert::stamp("hello.now", hello.now)?;
    if hello.version.len() > VERSION_MAX || hello.version.chars().any(char::is_control) {
        return Err(refusal_because("bad-message", "version must be at most 160 bytes of plain text").into());
    }
    if hello.watched.len() > WATCHED_MAX {
        return Err(refusal_because("bad-message", "an agent watches at most 4,096 checks").into());
    }
    if hello.watched_digest.is_some() && !hello.watched.is_empty() {
        return Err(refusal_because("bad-message", "watched_digest stands in the place of watched").into());
    }
    let report = Span::from_millis(hello.report_ms.into());
    let (orders, machine) = (hello.orders, hello.machine);
    let terms = Terms { report, orders, watched: hello.watched_digest, machine };
    let watched = hello.watched.into_iter().map(watched_from).collect::<Result<_, _>>()?;
    Ok((Hello { stamp, version: hello.version, watched }, terms))
}

fn watched_from(watched: v1::Watched) -> Result<Watched, BadMessage> {
    Ok(Watched {
        check: convert::name("watched.check", &watched.check)?,
        kind: convert::check_kind("watched.kind", watched.kind)?,
        service: convert::optional_name("watched.service", &watched.service)?,
    })
}

fn batch_from(session: SessionId, batch: v1::Batch) -> Result<Fact, Refused> {
    if batch.frames.len() > BATCH_MAX {
        return Err(refusal("too-large").into());
    }
    let lane = match convert::lane("batch.lane", batch.lane)? {
        convert::Lane::Live => Lane::Live,
        convert::Lane::Backlog => Lane::Backlog,
    };
    Ok(Fact::Batch { session, lane, frames: batch.frames })
}

fn standing_from(session: SessionId, standing: v1::Standing) -> Result<Fact, Refused> {
    if standing.checks.len() > PAGE_MAX {
        return Err(refusal("too-large").into());
    }
    let one = |check: v1::StandingCheck| {
        let standing = Standing {
            check: convert::name("standing.check", &check.check)?,
            kind: convert::check_kind("standing.kind", check.kind)?,
            service: convert::optional_name("standing.service", &check.service)?,
            verdict: convert::verdict("standing.verdict", check.verdict)?,
            since: convert::stamp("standing.since", check.since)?,
        };
        let (cause, said) = (convert::cause(&check.cause), Text::new(&check.said));
        Ok::<_, BadMessage>(Stands { standing, cause, said })
    };
    let checks = standing.checks.into_iter().map(one).collect::<Result<_, _>>()?;
    Ok(Fact::Standing { session, checks })
}
