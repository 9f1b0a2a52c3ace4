//! Messages of either side, most of them sound.

use crate::entry::cursor::Cursor;
use crate::entry::said;
use picket_proto::{Run, Seq};
use picket_rpc::v1::{self, AgentMessage, CollectorMessage};
use picket_rpc::{convert, v1::agent_message::Message, v1::collector_message::Message as Answer};

fn stamp(cursor: &mut Cursor<'_>) -> Option<v1::Stamp> {
    let run = Run(cursor.number() % 16);
    let mut stamp = convert::stamp_to_wire(said::stamp(cursor, run));
    match cursor.below(16) {
        14 => stamp.boot.truncate(cursor.below(17)),
        15 => return None,
        _ => {}
    }
    Some(stamp)
}

fn name(cursor: &mut Cursor<'_>) -> String {
    match cursor.below(16) {
        15 => String::from_utf8_lossy(cursor.some(1)).into_owned(),
        _ => said::name(cursor).to_string(),
    }
}

/// A number of an enum with so many, or none of them.
fn number(cursor: &mut Cursor<'_>, of: usize) -> i32 {
    match cursor.below(16) {
        15 => cursor.half().cast_signed(),
        _ => cursor.below(of) as i32 + 1,
    }
}

fn service(cursor: &mut Cursor<'_>) -> String {
    if cursor.flag() { name(cursor) } else { String::new() }
}

/// A message of an agent.
pub(super) fn of_agent(cursor: &mut Cursor<'_>) -> AgentMessage {
    let message = match cursor.below(9) {
        0 | 1 => Message::Hello(v1::Hello {
            now: stamp(cursor),
            version: String::from_utf8_lossy(cursor.some(1)).into_owned(),
            watched: (0..cursor.below(6)).map(|_| watched(cursor)).collect(),
            watched_digest: cursor.flag().then(|| cursor.half()),
            report_ms: cursor.half(),
            orders: cursor.half(),
            machine: cursor.number(),
        }),
        2 | 3 => Message::Batch(batch(cursor)),
        4 => Message::Standing(v1::Standing {
            checks: (0..cursor.below(5)).map(|_| standing(cursor)).collect(),
        }),
        5 => Message::StandingEnd(v1::StandingEnd { up: cursor.half(), digest: cursor.half() }),
        6 => Message::Heartbeat(v1::Heartbeat {
            now: stamp(cursor),
            sample: cursor.flag().then(|| v1::Sample {
                cpu_permille: cursor.flag().then(|| cursor.half()),
                frames_lost: cursor.number(),
                ..v1::Sample::default()
            }),
            offset: cursor
                .flag()
                .then(|| v1::Offset { ahead_us: cursor.number().cast_signed(), bound_us: cursor.number() }),
        }),
        7 => Message::Answer(v1::Answer { nonce: cursor.number() }),
        _ => Message::Goodbye(v1::Goodbye { reason: number(cursor, 1) }),
    };
    AgentMessage { message: (cursor.below(32) < 31).then_some(message) }
}

fn watched(cursor: &mut Cursor<'_>) -> v1::Watched {
    v1::Watched { check: name(cursor), kind: number(cursor, 7), service: service(cursor) }
}

fn batch(cursor: &mut Cursor<'_>) -> v1::Batch {
    let (run, first) = (Run(cursor.number() % 16), cursor.number());
    let mut frames = Vec::new();
    for seq in 1..=cursor.below(5) as u64 {
        frames.extend(said::frame(cursor, run, Seq(first.saturating_add(seq))));
    }
    v1::Batch { lane: number(cursor, 2), frames }
}

fn standing(cursor: &mut Cursor<'_>) -> v1::StandingCheck {
    v1::StandingCheck {
        check: name(cursor),
        service: service(cursor),
        kind: number(cursor, 7),
        verdict: number(cursor, 5),
        since: stamp(cursor),
        cause: cause(cursor),
        said: if cursor.flag() { said::text(cursor).to_string() } else { String::new() },
    }
}

/// Mostly one that is known; else nothing, or any bytes.
fn cause(cursor: &mut Cursor<'_>) -> Vec<u8> {
    match cursor.below(4) {
        0 => Vec::new(),
        1 => cursor.some(1).to_vec(),
        _ => convert::cause_to_wire(Some(said::cause(cursor))),
    }
}

fn ranges(cursor: &mut Cursor<'_>) -> Vec<v1::SeqRange> {
    let mut first = 0_u64;
    let mut one = |cursor: &mut Cursor<'_>| {
        first = first.saturating_add(cursor.number());
        let last = first.saturating_add(cursor.number());
        let range = v1::SeqRange { first, last };
        first = last;
        range
    };
    (0..cursor.below(10)).map(|_| one(cursor)).collect()
}

fn beat(cursor: &mut Cursor<'_>) -> v1::Beat {
    v1::Beat { echo_us: cursor.number(), received_us: cursor.number(), sent_us: cursor.number() }
}

/// A message of the collector.
pub(super) fn of_collector(cursor: &mut Cursor<'_>) -> CollectorMessage {
    let message = match cursor.below(7) {
        0 | 1 => Answer::Welcome(v1::Welcome {
            heartbeat_ms: cursor.half(),
            known: ranges(cursor),
            clock: cursor.flag().then(|| beat(cursor)),
            watched_digest: cursor.flag().then(|| cursor.half()),
        }),
        2 | 3 => Answer::Ack(v1::Ack { run: cursor.number() % 4, ranges: ranges(cursor) }),
        4 => Answer::Challenge(v1::Challenge { nonce: cursor.number() }),
        5 => Answer::Order(v1::Order {
            token: cursor.number(),
            what: cursor.flag().then(|| v1::order::What::EvidenceOf(name(cursor))),
        }),
        _ => Answer::Beat(beat(cursor)),
    };
    CollectorMessage { message: (cursor.below(32) < 31).then_some(message) }
}
