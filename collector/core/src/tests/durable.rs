//! The journal: what waits for it, what happens when it fails, what a replay gives.

use super::*;
use crate::Reason;
use crate::incident::Verb;
use crate::record::Record;

#[test]
fn a_replay_and_a_second_life_give_the_same_state() {
    let mut world = World::new();
    let mut agent = Agent::new("web-1", 1);
    agent.connect(&mut world);
    agent.killed_and_healed(&mut world, 7);
    world.restart();
    agent.session = SessionId(2);
    agent.connect(&mut world);
    agent.killed_and_healed(&mut world, 9);
    world.restart();
    assert_eq!(world.the_incident().incident.episode, 2);
}

#[test]
fn a_reboot_of_the_machine_does_not_set_the_journal_back() {
    let mut world = World::new();
    let agent = Agent::new("web-1", 1);
    world.pass(Span::from_secs(5_000));
    agent.connect(&mut world);
    world.now.mono = Mono::from_micros(10);
    world.restart();
    let (at, reason) = world.core.deadline().unwrap();
    assert_eq!((at.since(world.now.mono), reason), (Span::from_secs(60), Reason::Silence));
    let monos: Vec<Mono> = world.journal.iter().map(|entry| entry.now.mono).collect();
    assert!(monos.windows(2).all(|pair| pair[0] <= pair[1]), "{monos:?}");
    world.pass(Span::from_secs(61));
    assert_eq!(world.incidents().len(), 1);
}

fn fail(world: &mut World) {
    world.input(Input::Store(store::Fact::Failed { full: true }));
}

fn retries(world: &mut World) -> usize {
    world.take_effects().iter().filter(|effect| matches!(effect, Effect::Store(store::Order::Retry))).count()
}

#[test]
fn while_the_journal_fails_questions_are_answered_and_nothing_is_promised() {
    let mut world = World::new();
    let mut agent = Agent::new("web-1", 1);
    agent.connect(&mut world);
    world.disk = Disk::Held;
    world.take_effects();
    agent.say(&mut world, tcp(Verdict::Down));
    fail(&mut world);
    let incident = world.the_incident().incident;
    assert_eq!(world.command(incident.id, None, Verb::Acknowledge), Err("store-full"));
    let acks = world.take_effects().into_iter().filter(|effect| matches!(effect, Effect::Session(_))).count();
    assert_eq!(acks, 0);
    let mut waits = vec![];
    for _ in 0..7 {
        let failed = world.now.mono;
        while retries(&mut world) == 0 {
            let (at, _) = world.core.deadline().unwrap();
            world.to(at);
            world.input(Input::Time);
        }
        waits.push(world.now.mono.since(failed).secs());
        fail(&mut world);
    }
    assert_eq!(waits, [1, 2, 4, 8, 16, 30, 30]);
    world.journaled();
    assert!(world.session_orders().iter().any(|order| matches!(order, Order::Ack { .. })));
    assert!(world.core.deadline().is_none_or(|(_, reason)| reason != Reason::Retry));
}

#[test]
fn what_waits_for_the_journal_is_bounded_and_pushes_back() {
    let mut world = World::new();
    let mut agent = Agent::new("web-1", 1);
    agent.connect(&mut world);
    world.disk = Disk::Held;
    world.take_effects();
    let refused = (0..5_000).find_map(|_| {
        agent.say(&mut world, started(1));
        let orders = world.session_orders();
        orders.iter().find_map(|order| match order {
            Order::Refuse { code, .. } => Some(*code),
            Order::Welcome { .. } | Order::Ack { .. } | Order::Ask { .. } | Order::Challenge { .. } => None,
        })
    });
    assert_eq!(refused, Some("too-many"));
    assert!(world.journal.len() <= 4_096 + 10, "{}", world.journal.len());
    let frames: usize =
        world.journal.iter().filter(|entry| matches!(entry.record, Record::Frames { .. })).count();
    assert_eq!(world.host_now(&agent.host).frames, frames as u64, "what was refused was not taken");
}

#[test]
fn hosts_beyond_the_limit_are_refused() {
    let mut world = World::new();
    world.now.mono = Mono::from_micros(2_000_000);
    for at in 0..crate::host::HOSTS_MAX as u64 {
        let host = host_id(&alloc::format!("h{at}"));
        let hello =
            Hello { stamp: Agent::new("x", 1).stamp(&world), version: String::new(), watched: vec![] };
        let fact =
            Fact::Opened { session: SessionId(at), host, hello: Box::new(hello), terms: Terms::default() };
        world.input(Input::Session(fact));
    }
    world.take_effects();
    Agent::new("one-more", 1_000_000).open(&mut world);
    assert!(matches!(world.session_orders()[..], [Order::Refuse { code: "too-many", .. }]));
}
