//! The entry of the wire: protobuf messages of agents and of the collector, any bytes or made and then spoiled, decoded
//! and converted as the shells do it, and handed to both cores; and the request of a host that nobody knows yet.
//!
//! What is asserted: no bytes panic; a message is refused with a sentence or becomes what it said, so that a value that
//! is converted back is the field that came; values that a core can hold come back from the wire as they went. Of a
//! session, the core's state can be written and read after any message.

mod made;

use super::cursor::Cursor;
use super::host::{Watches, with_agent};
use super::said;
use picket_agent_core::{Agent, Effect, Input as AgentInput, session};
use picket_collector_core::ingest::{Fact, SessionId, Stands};
use picket_collector_core::{Collector, Input};
use picket_proto::{BootId, Carried, HostId, Mono, Now, Offset, Raw, Run, Sample, Wall};
use picket_rpc::v1::collector_message::Message as Answer;
use picket_rpc::v1::{AgentMessage, CollectorMessage, EnrolRequest, agent_message::Message};
use picket_rpc::{convert, v1};
use prost::Message as _;

/// The entry's name.
pub const NAME: &str = "rpc";
const SESSION: SessionId = SessionId(1);

/// Interprets any bytes.
pub fn run(bytes: &[u8]) {
    let mut cursor = Cursor::new(bytes);
    match cursor.below(6) {
        0 => collector_hears(&[cursor.rest().to_vec()]),
        1 => agent_hears(&[cursor.rest().to_vec()]),
        2 => enrols(cursor.rest()),
        3 => collector_hears(&made(&mut cursor, |cursor| made::of_agent(cursor).encode_to_vec())),
        4 => agent_hears(&made(&mut cursor, |cursor| made::of_collector(cursor).encode_to_vec())),
        _ => same_value(&mut cursor),
    }
}

/// Up to eight messages, some of them spoiled.
fn made(cursor: &mut Cursor<'_>, one: fn(&mut Cursor<'_>) -> Vec<u8>) -> Vec<Vec<u8>> {
    let one = |cursor: &mut Cursor<'_>| {
        let mut bytes = one(cursor);
        if cursor.below(4) == 3 {
            cursor.spoil(&mut bytes);
        }
        bytes
    };
    (0..=cursor.below(8)).map(|_| one(cursor)).collect()
}

fn now(at: u64) -> Now {
    Now { mono: Mono::from_micros(at), raw: Raw::default(), wall: Wall::from_micros(1_700_000_000_000_000) }
}

/// Messages of an agent on their way into the collector's core.
fn collector_hears(messages: &[Vec<u8>]) {
    let host: HostId = "h-1".parse().expect("a constant of allowed characters");
    let mut core = Collector::new(1);
    core.begin(now(1), BootId(7));
    for (at, bytes) in (2..).zip(messages) {
        let Ok(message) = AgentMessage::decode(&bytes[..]) else { continue };
        match picket_collector::entry::input(host.clone(), SESSION, now(at), message.clone()) {
            Err(why) => assert!(!why.is_empty(), "refused without a reason"),
            Ok(input) => {
                is_what_was_said(&input, message.message);
                core.handle(now(at), input);
                while core.poll().is_some() {}
            }
        }
    }
    assert!(Collector::restore(2, &core.snapshot()).is_ok());
}

/// What was taken is, converted back, the field that came.
fn is_what_was_said(input: &Input, message: Option<Message>) {
    match (input, message) {
        (Input::Session(Fact::Opened { hello, .. }), Some(Message::Hello(said))) => {
            assert_eq!(Some(convert::stamp_to_wire(hello.stamp)), said.now);
            assert_eq!((&hello.version, hello.watched.len()), (&said.version, said.watched.len()));
            for (watched, said) in hello.watched.iter().zip(said.watched) {
                assert_eq!(watched.check.as_str(), said.check);
                assert_eq!(watched.service.as_ref().map_or("", |name| name.as_str()), said.service);
                assert_eq!(i32::from(convert::check_kind_to_wire(watched.kind)), said.kind);
            }
        }
        (Input::Session(Fact::Standing { checks, .. }), Some(Message::Standing(said))) => {
            let back: Vec<v1::StandingCheck> = checks.iter().map(to_wire).collect();
            let known = said.checks.into_iter().map(what_can_be_known);
            assert_eq!(back, known.collect::<Vec<_>>());
        }
        (Input::Session(Fact::Batch { frames, .. }), Some(Message::Batch(said))) => {
            assert_eq!(*frames, said.frames);
        }
        (Input::Heard(heard), Some(Message::Heartbeat(said))) => {
            let report = heard[0].report.expect("a heartbeat says something");
            assert_eq!(Some(convert::stamp_to_wire(report.stamp)), said.now);
            assert_eq!(report.sample.map(convert::sample_to_wire), said.sample);
            assert_eq!(report.offset.map(convert::offset_to_wire), said.offset);
        }
        (
            Input::Session(
                Fact::StandingEnd { .. }
                | Fact::Answered { .. }
                | Fact::Goodbye { .. }
                | Fact::Removed { .. },
            ),
            Some(_),
        ) => {}
        (input, said) => panic!("{said:?} became {input:?}"),
    }
}

/// A check that stands, without a cause that is none and without what is too much of its words.
fn what_can_be_known(check: v1::StandingCheck) -> v1::StandingCheck {
    let cause = convert::cause(&check.cause);
    v1::StandingCheck {
        cause: convert::cause_to_wire(cause),
        said: picket_proto::Text::new(&check.said).to_string(),
        ..check
    }
}

fn to_wire(stands: &Stands) -> v1::StandingCheck {
    let check = &stands.standing;
    v1::StandingCheck {
        cause: convert::cause_to_wire(stands.cause),
        said: stands.said.to_string(),
        check: check.check.to_string(),
        service: check.service.as_ref().map(ToString::to_string).unwrap_or_default(),
        kind: convert::check_kind_to_wire(check.kind).into(),
        verdict: convert::verdict_to_wire(check.verdict).into(),
        since: Some(convert::stamp_to_wire(check.since)),
    }
}

/// Messages of a collector on their way into an agent's core whose stream is open.
fn agent_hears(messages: &[Vec<u8>]) {
    with_agent((Run(3), Watches::Some), &[(Run(2), picket_proto::Seq(9))], |agent| {
        agent.handle(now(1), AgentInput::Time);
        settle(agent);
        agent.handle(now(2), AgentInput::Session(session::Fact::Opened));
        for (at, bytes) in (3..).zip(messages) {
            settle(agent);
            let Ok(message) = CollectorMessage::decode(&bytes[..]) else { continue };
            let said = ranges_in(&message);
            let heard = picket_agent::entry::hear(message, &mut |fact| {
                if let session::Fact::Acked { ranges, .. } | session::Fact::Welcomed { known: ranges, .. } =
                    fact
                {
                    assert_eq!(Some(convert::ranges_to_wire(ranges)), said, "not the ranges that came");
                }
                agent.handle(now(at * 1_000_000), AgentInput::Session(fact));
            });
            assert!(heard.is_ok() || heard.is_err_and(|why| !why.is_empty()), "cut without a reason");
        }
        settle(agent);
    });
}

fn ranges_in(message: &CollectorMessage) -> Option<Vec<v1::SeqRange>> {
    match message.message.as_ref()? {
        Answer::Welcome(welcome) => Some(welcome.known.clone()),
        Answer::Ack(ack) => Some(ack.ranges.clone()),
        Answer::Challenge(_) | Answer::Order(_) | Answer::Beat(_) => None,
    }
}

/// Takes all effects; what is to be sent can be read.
fn settle(agent: &mut Agent<'_>) {
    while let Some(effect) = agent.poll() {
        if let Effect::Link(session::Order::Send { bytes, .. }) = effect {
            assert_eq!(agent.bytes(bytes).len(), bytes.len as usize);
        }
    }
}

/// A host that nobody knows asks for a certificate.
fn enrols(bytes: &[u8]) {
    let csr = match EnrolRequest::decode(bytes) {
        Ok(asked) => {
            if let Ok(host) = convert::host("host", &asked.host) {
                assert_eq!(host.as_str(), asked.host);
            }
            asked.csr
        }
        Err(_) => bytes.to_vec(),
    };
    let _good_or_not = picket_collector::entry::is_request(&csr);
}

/// Values come back as they went.
fn same_value(cursor: &mut Cursor<'_>) {
    let run = Run(cursor.number());
    let sent = said::stamp(cursor, run);
    assert_eq!(convert::stamp("now", Some(convert::stamp_to_wire(sent))), Ok(sent));
    let sent = Offset { ahead: cursor.number().cast_signed(), bound: said::span(cursor) };
    assert_eq!(convert::offset(convert::offset_to_wire(sent)), sent);
    let some = |cursor: &mut Cursor<'_>| cursor.flag().then(|| cursor.half());
    let sent = Sample {
        cpu: some(cursor),
        memory: some(cursor),
        load: some(cursor),
        waiting: cursor.half(),
        lost: cursor.number(),
        rss_kib: some(cursor),
        carried: some(cursor).map(|cap| Carried { bytes: u64::from(cap) << 16, cap: cap.into() }),
    };
    assert_eq!(convert::sample(convert::sample_to_wire(sent)), sent);
    let mut ranges = picket_proto::Ranges::new();
    while ranges.insert(said::range(cursor)).is_ok() && !cursor.is_done() {}
    assert_eq!(convert::ranges("known", &convert::ranges_to_wire(&ranges)).as_ref(), Ok(&ranges));
    for verdict in said::VERDICTS {
        assert_eq!(convert::verdict("v", convert::verdict_to_wire(verdict).into()), Ok(verdict));
    }
    for kind in said::KINDS {
        assert_eq!(convert::check_kind("k", convert::check_kind_to_wire(kind).into()), Ok(kind));
    }
    let cause = cursor.flag().then(|| said::cause(cursor));
    assert_eq!(convert::cause(&convert::cause_to_wire(cause)), cause);
    for lane in [convert::Lane::Live, convert::Lane::Backlog] {
        assert_eq!(convert::lane("l", convert::lane_to_wire(lane).into()), Ok(lane));
    }
    let name = said::some_name(cursor);
    let text = name.as_ref().map(ToString::to_string).unwrap_or_default();
    assert_eq!(convert::optional_name("n", &text), Ok(name));
}
