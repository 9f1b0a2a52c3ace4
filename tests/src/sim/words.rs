//! Words of the wire and of people: what a host says of itself, and frames as sentences.

use super::happening::{AgentIn, Happening};
use super::host::Host;
use super::net::{Down, Up};
use picket_agent_core::session;
use picket_collector_core::ingest::{Hello, Lane, Standing, Stands, Terms, Watched};
use picket_collector_core::order::EVIDENCE;
use picket_proto::event::{Cause, Verdict};
use picket_proto::frame::{self, Content};
use picket_proto::watched::digest;
use picket_proto::{Mono, Name, Now, Run, Span, Stamp};

/// A host's clocks now.
pub(super) const fn stamp(host: &Host<'_>, run: Run, now: Now) -> Stamp {
    Stamp { run, boot: host.clock.boot, mono: now.mono, wall: now.wall, synced: true }
}

/// In brief, where the collector has that very list.
pub(super) fn hello(
    host: &Host<'_>,
    (run, now): (Run, Now),
    (report, known): (Span, Option<u32>),
) -> (Hello, Terms) {
    let watched = host.shape.checks.iter().map(|check| {
        let service = check.service.and_then(|service| host.shape.services.get(usize::from(service)));
        let service = service.map(|spec| spec.name.clone());
        Watched { check: check.name.clone(), kind: check.kind, service }
    });
    let watched: Vec<Watched> = watched.collect();
    let listed = watched.iter().map(|one| (one.check.as_str(), one.kind, one.service.as_ref()));
    let digest = digest(listed.map(|(check, kind, service)| (check, kind, service.map_or("", Name::as_str))));
    let is_known = known == Some(digest);
    let hello = Hello {
        stamp: stamp(host, run, now),
        version: format!("0.{}.0", host.version),
        watched: if is_known { Vec::new() } else { watched },
    };
    (hello, Terms { report, orders: EVIDENCE, watched: is_known.then_some(digest), machine: 0 })
}

pub(super) fn standing(
    host: &Host<'_>,
    (run, now): (Run, Now),
    (check, verdict, since, cause): (u16, Verdict, Mono, Option<Cause>),
) -> Stands {
    let spec = &host.shape.checks[usize::from(check)];
    let service = spec.service.and_then(|service| host.shape.services.get(usize::from(service)));
    let standing = Standing {
        check: spec.name.clone(),
        kind: spec.kind,
        service: service.map(|spec| spec.name.clone()),
        verdict,
        since: stamp(host, run, now).back_to(since),
    };
    Stands { cause, ..standing.into() }
}

pub(super) const fn lane(lane: session::Lane) -> Lane {
    match lane {
        session::Lane::Live => Lane::Live,
        session::Lane::Backlog => Lane::Backlog,
    }
}

/// What frames say, in short.
pub(super) fn frames(mut bytes: &[u8]) -> String {
    let mut words = Vec::new();
    while let Ok((frame, rest)) = frame::split(bytes) {
        let said = match frame.content() {
            Ok(Content::Known(event)) => event.fact.to_string(),
            Ok(Content::Unknown) => "an unknown kind".to_owned(),
            Err(bad) => bad.to_string(),
        };
        words.push(format!("{}: {said}", frame.header.seq.0));
        bytes = rest;
    }
    words.join("; ")
}

/// A happening for people; nothing for what only ticks on.
pub(super) fn happening(happening: &Happening) -> Option<String> {
    let words = match happening {
        Happening::Up(stream, up) => format!("up {}: {}", stream.0, up_in_words(up)?),
        Happening::Down(stream, down) => format!("down {}: {}", stream.0, down_in_words(down)?),
        Happening::Agent(
            _,
            _,
            AgentIn::Answer(_) | AgentIn::Sent(..) | AgentIn::Time | AgentIn::TooLate(_),
        ) => return None,
        Happening::Agent(at, _, AgentIn::Disk(told)) => {
            let mut words = format!("agent {at} hears of its disk: {told:?}");
            words.truncate(words.floor_char_boundary(120));
            words
        }
        Happening::Agent(at, _, input) => format!("agent {at} hears {input:?}"),
        Happening::Start(_) | Happening::Boot(_) | Happening::Service(..) => format!("{happening:?}"),
        Happening::Deed(_)
        | Happening::AgentTimer(..)
        | Happening::Disk(..)
        | Happening::ReadUnit(..)
        | Happening::Dial(_)
        | Happening::Ping(_)
        | Happening::Collector(..)
        | Happening::CollectorTimer(..) => return None,
    };
    Some(words)
}

fn up_in_words(up: &Up) -> Option<String> {
    Some(match up {
        Up::Hello(hello, terms) => {
            let brief = if terms.watched.is_some() { ", in brief" } else { "" };
            format!("hello of run {}{brief}", hello.stamp.run)
        }
        Up::Batch(lane, bytes) => format!("{lane:?} {}", frames(bytes)),
        Up::Standing(checks) => {
            let named: Vec<_> = checks
                .iter()
                .map(|Stands { standing: it, .. }| format!("{} {:?}", it.check, it.verdict))
                .collect();
            format!("stands: {}", named.join(", "))
        }
        Up::StandingEnd { up, .. } => format!("all else stands: {up} up"),
        Up::Heartbeat { .. } => return None,
        Up::Answer(nonce) => format!("answers {nonce}"),
        Up::Goodbye => "goodbye".to_owned(),
        Up::Fin { in_order } => format!("end, in order: {in_order}"),
    })
}

fn down_in_words(down: &Down) -> Option<String> {
    Some(match down {
        Down::Open => "open".to_owned(),
        Down::Welcome { known, .. } => format!("welcome, known: {known}"),
        Down::Ack { run, ranges } => format!("ack of run {run}: {ranges}"),
        Down::Beat(..) => return None,
        Down::Order(token, service) => format!("order {token:016x}: what {service} printed last"),
        Down::Challenge(nonce) => format!("challenge {nonce}"),
        Down::Refuse(code) => format!("refused: {code}"),
        Down::Fin => "end".to_owned(),
    })
}
