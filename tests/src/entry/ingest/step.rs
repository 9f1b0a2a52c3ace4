//! One step of a story.

use super::world::World;
use crate::entry::cursor::Cursor;
use crate::entry::said;
use picket_collector_core::incident::{Command, IncidentId, Verb};
use picket_collector_core::ingest::{
    Close, Fact, Heard, Hello, Lane, Report, SessionId, Standing, Stands, Terms, Watched,
};
use picket_collector_core::view::{Query, Question, Watch, WatcherId};
use picket_collector_core::{Input, Token, identity, order, store};
use picket_proto::event::Ordered;
use picket_proto::{Event, HostId, Name, Offset, Run, Sample, Seq, Text};

/// Takes the next step.
pub(super) fn step(world: &mut World, cursor: &mut Cursor<'_>) {
    let at = cursor.below(world.agents.len());
    let session = world.agents[at].session;
    match cursor.below(21) {
        0..6 => batch(world, cursor, at),
        6 => open(world, cursor, at),
        7 => again(world, cursor, at),
        8 => stands(world, cursor, session),
        9 => {
            let (up, digest) = (cursor.half(), cursor.half());
            world.input(Input::Session(Fact::StandingEnd { session, up, digest }));
        }
        10 => world.pass(said::span(cursor)),
        11 | 12 => {
            let upto = world.durable().saturating_add(cursor.number());
            world.journaled(upto);
        }
        13 => heard(world, cursor, at),
        14 => ends(world, cursor, session),
        15 => answers(world, cursor, session),
        16 => command(world, cursor),
        17 => watch(world, cursor),
        18 => asks(world, cursor, at),
        19 => orders(world, cursor, at),
        _ => breaks(world, cursor, at),
    }
}

/// Frames of the present run or of another, in the order of their numbers or not, sound or spoiled.
fn batch(world: &mut World, cursor: &mut Cursor<'_>, at: usize) {
    let agent = &mut world.agents[at];
    let other = cursor.below(8) == 7;
    let run = if other { Run(cursor.number() % 16) } else { agent.run };
    let mut seq = match cursor.below(8) {
        0 => Seq(cursor.number()),
        1 => Seq(agent.seq.0.saturating_add(cursor.number())),
        2 => Seq(agent.seq.0.saturating_sub(cursor.number())),
        _ => agent.seq,
    };
    let mut frames = Vec::new();
    for _ in 0..=cursor.below(5) {
        seq = seq.next();
        frames.extend(said::frame(cursor, run, seq));
    }
    if cursor.below(8) == 7 {
        cursor.spoil(&mut frames);
    }
    if !other {
        agent.seq = seq;
    }
    agent.sent.clone_from(&frames);
    send(world, cursor, at, frames);
}

fn send(world: &mut World, cursor: &mut Cursor<'_>, at: usize, frames: Vec<u8>) {
    let session = world.agents[at].session;
    let lane = cursor.one_of(&[Lane::Live, Lane::Live, Lane::Backlog]);
    world.input(Input::Session(Fact::Batch { session, lane, frames }));
}

/// The last batch once more, as it was, doubled, spoiled, or any bytes in its place.
fn again(world: &mut World, cursor: &mut Cursor<'_>, at: usize) {
    let mut frames = world.agents[at].sent.clone();
    match cursor.below(4) {
        0 => {}
        1 => frames.extend_from_within(..),
        2 => {
            cursor.spoil(&mut frames);
        }
        _ => frames = cursor.some(1).to_vec(),
    }
    send(world, cursor, at, frames);
}

fn open(world: &mut World, cursor: &mut Cursor<'_>, at: usize) {
    if cursor.below(4) > 0 {
        let session = world.agents[at].session;
        world.input(Input::Session(Fact::Closed { session, how: Close::Broken }));
    }
    let agent = &mut world.agents[at];
    if cursor.below(4) == 3 {
        (agent.run, agent.seq) = (Run(cursor.number() % 16), Seq(0));
    }
    world.last_session += 1;
    // A number that is in use is the shell's mistake, and refused; which run a welcome to it means is then open.
    let is_twice = cursor.below(16) == 15;
    let session = if is_twice { agent.session } else { SessionId(world.last_session) };
    agent.session = session;
    let (host, run) = (agent.host.clone(), agent.run);
    let hello = Box::new(Hello {
        stamp: said::stamp(cursor, run),
        version: "0.1.0".to_owned(),
        watched: (0..cursor.below(6)).map(|_| watched(cursor)).collect(),
    });
    world.sessions.insert(session, (host.clone(), (!is_twice).then_some(run)));
    let terms = Terms { orders: u32::from(cursor.below(4) > 0), ..Terms::default() };
    world.input(Input::Session(Fact::Opened { session, host, hello, terms }));
}

fn watched(cursor: &mut Cursor<'_>) -> Watched {
    Watched { check: said::name(cursor), kind: cursor.one_of(&said::KINDS), service: said::some_name(cursor) }
}

fn stands(world: &mut World, cursor: &mut Cursor<'_>, session: SessionId) {
    let one = |cursor: &mut Cursor<'_>| Standing {
        check: said::name(cursor),
        kind: cursor.one_of(&said::KINDS),
        service: said::some_name(cursor),
        verdict: cursor.one_of(&said::VERDICTS),
        since: said::stamp(cursor, Run(1)),
    };
    let one = |cursor: &mut Cursor<'_>| Stands {
        standing: one(cursor),
        cause: cursor.flag().then(|| said::cause(cursor)),
        said: if cursor.flag() { said::text(cursor) } else { Text::default() },
    };
    let checks = (0..cursor.below(5)).map(|_| one(cursor)).collect();
    world.input(Input::Session(Fact::Standing { session, checks }));
}

fn heard(world: &mut World, cursor: &mut Cursor<'_>, at: usize) {
    let (host, run) = (world.agents[at].host.clone(), world.agents[at].run);
    let offset =
        cursor.flag().then(|| Offset { ahead: cursor.number().cast_signed(), bound: said::span(cursor) });
    let report = cursor.flag().then(|| Report {
        stamp: said::stamp(cursor, run),
        received: world.now.mono,
        received_wall: world.now.wall,
        sample: cursor.flag().then(|| Sample { cpu: Some(cursor.half()), ..Sample::default() }),
        offset,
    });
    world.input(Input::Heard(vec![Heard { host, report }]));
}

fn ends(world: &mut World, cursor: &mut Cursor<'_>, session: SessionId) {
    world.input(Input::Session(match cursor.below(4) {
        0 => Fact::Goodbye { session },
        3 => Fact::Removed { session },
        1 => Fact::Closed { session, how: Close::Ended },
        _ => Fact::Closed { session, how: Close::Broken },
    }));
}

fn answers(world: &mut World, cursor: &mut Cursor<'_>, session: SessionId) {
    let (nonce, back) = (cursor.number(), cursor.below(4));
    // Mostly what was asked last, of either session; now and then an older question.
    let asked = world.nonces.iter().rev().nth(back).copied();
    let (session, nonce) = asked.unwrap_or((session, nonce));
    world.input(Input::Session(Fact::Answered { session, nonce }));
}

fn command(world: &mut World, cursor: &mut Cursor<'_>) {
    let verb = match cursor.below(3) {
        0 => Verb::Acknowledge,
        1 => Verb::Note(String::from_utf8_lossy(cursor.some(5)).into_owned()),
        _ => Verb::Resolve(String::from_utf8_lossy(cursor.some(5)).into_owned()),
    };
    let revision = cursor.flag().then(|| cursor.half());
    let operator = Box::new(said::name(cursor));
    let incident = IncidentId(cursor.number());
    world.input(Input::Command(Command { reply: Token(1), operator, incident, revision, verb }));
}

/// Somebody wants a host's evidence, or a host tells of the order that went out last.
fn orders(world: &mut World, cursor: &mut Cursor<'_>, at: usize) {
    if cursor.flag() {
        let (operator, service) = (Box::new(said::name(cursor)), Box::new(said::name(cursor)));
        let host = Box::new(world.agents[at].host.clone());
        return world.input(Input::Order(order::Ask { reply: Token(4), operator, host, service }));
    }
    let agent = &mut world.agents[at];
    agent.seq = agent.seq.next();
    let (stamp, seq) = (said::stamp(cursor, agent.run), agent.seq);
    let ordered =
        Ordered { token: world.ordered, service: said::name(cursor), said: said::order::said(cursor) };
    let frame = said::framed(seq, &Event { stamp, fact: picket_proto::Fact::Ordered(ordered) });
    send(world, cursor, at, frame);
}

fn watch(world: &mut World, cursor: &mut Cursor<'_>) {
    let watcher = WatcherId(cursor.number() % 4);
    world.input(Input::Watch(match cursor.below(4) {
        0 => Watch::Come { watcher, after: None },
        1 => Watch::Come { watcher, after: Some(cursor.number()) },
        2 => Watch::Read { watcher, changes: cursor.short() },
        _ => Watch::Gone { watcher },
    }));
}

fn asks(world: &mut World, cursor: &mut Cursor<'_>, at: usize) {
    let host: Option<Box<HostId>> = cursor.flag().then(|| Box::new(world.agents[at].host.clone()));
    let limit = cursor.short();
    let behind: Option<Box<(HostId, Option<Name>)>> =
        cursor.flag().then(|| Box::new((world.agents[at].host.clone(), said::some_name(cursor))));
    let number = IncidentId(cursor.number());
    let question = match cursor.below(5) {
        0 => Question::Hosts { after: host, limit },
        1 => Question::Services { host, after: behind, limit },
        2 => {
            let before = cursor.flag().then_some(number);
            Question::Incidents { open_only: cursor.flag(), host, before, limit }
        }
        3 => Question::Incident(number),
        _ => Question::Summary,
    };
    world.input(Input::Query(Query { reply: Token(2), question }));
}

/// The journal fails, the process dies, or somebody enrols.
fn breaks(world: &mut World, cursor: &mut Cursor<'_>, at: usize) {
    let (reply, host) = (Token(3), Box::new(world.agents[at].host.clone()));
    let hash = Box::new([cursor.byte() % 4; 32]);
    match cursor.below(6) {
        0 => world.input(Input::Store(store::Fact::Failed { full: cursor.flag() })),
        1 => world.restart(cursor.number()),
        2 => {
            let operator = Box::new(said::name(cursor));
            world.input(Input::Identity(identity::Fact::Mint { reply, operator, host, hash }));
        }
        3 => {
            let key = Box::new([cursor.byte() % 4; 32]);
            world.input(Input::Identity(identity::Fact::Enrol { reply, host, hash, key }));
        }
        4 => {
            let (key, has_ended) = ([cursor.byte() % 4; 32], cursor.flag());
            let made = picket_proto::Wall::from_micros(i64::from(cursor.byte()) * 1_000_000);
            let shown = Box::new(identity::Shown { key, made, has_ended });
            world.input(Input::Identity(identity::Fact::Renew { reply, host, shown }));
        }
        _ => world.input(Input::Time),
    }
}
