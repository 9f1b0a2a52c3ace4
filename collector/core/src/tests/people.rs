//! What operators ask, say and watch; tokens.

use super::*;
use crate::identity;
use crate::incident::{Change, IncidentId, State, Verb};
use crate::view::{Push, Watch, WatcherId};

fn troubled() -> (World, Agent, Incident) {
    let mut world = World::new();
    let mut agent = Agent::new("web-1", 1);
    agent.connect(&mut world);
    agent.say(&mut world, tcp(Verdict::Down));
    let incident = world.the_incident().incident;
    (world, agent, incident)
}

#[test]
fn commands_need_the_revision_that_stands() {
    let (mut world, _, incident) = troubled();
    let stale = Some(incident.revision - 1);
    assert_eq!(world.command(incident.id, stale, Verb::Acknowledge), Err("stale-revision"));
    assert_eq!(world.command(IncidentId(999), None, Verb::Acknowledge), Err("not-found"));
    let taken = world.command(incident.id, Some(incident.revision), Verb::Acknowledge).unwrap();
    assert_eq!((taken.state, taken.acknowledged_by.clone()), (State::Acknowledged, Some(name("ann"))));
    assert!(taken.revision > incident.revision);
    let resolve = Verb::Resolve("known".to_string());
    assert_eq!(world.command(incident.id, Some(taken.revision), resolve.clone()), Err("still-firing"));
    let over = world.command(incident.id, None, resolve.clone()).unwrap();
    assert_eq!((over.state, over.outcome.as_str()), (State::Resolved, "resolved by ann: known"));
    assert_eq!(world.command(incident.id, None, Verb::Acknowledge), Err("already-resolved"));
    assert_eq!(world.command(incident.id, None, resolve), Err("already-resolved"));
    let noted = world.command(incident.id, None, Verb::Note("see the wiki".to_string())).unwrap();
    assert_eq!(noted.state, State::Resolved);
    assert!(texts(&world.the_incident()).contains("ann: see the wiki"));
    for text in ["".to_string(), "x".repeat(1_001)] {
        assert_eq!(world.command(incident.id, None, Verb::Note(text)), Err("bad-input"));
    }
}

#[test]
fn what_an_operator_resolved_does_not_open_again_but_a_new_failure_opens_another() {
    let (mut world, mut agent, incident) = troubled();
    world.command(incident.id, None, Verb::Resolve(String::new())).unwrap();
    agent.say(&mut world, tcp(Verdict::Down));
    assert_eq!(world.incidents().len(), 1, "it fires on");
    agent.say(&mut world, tcp(Verdict::Up));
    agent.say(&mut world, tcp(Verdict::Down));
    let all = world.incidents();
    assert_eq!((all.len(), all[0].state, all[0].episode), (2, State::Open, 1));
}

fn watch(world: &mut World, watcher: u64, after: Option<u64>) {
    world.input(Input::Watch(Watch::Come { watcher: WatcherId(watcher), after }));
}

fn pushed(world: &mut World, watcher: u64) -> (Vec<Change>, Option<&'static str>) {
    let (mut changes, mut cut) = (vec![], None);
    for effect in world.take_effects() {
        match effect {
            Effect::Watch(Push::Change { watcher: to, change }) if to == WatcherId(watcher) => {
                changes.push(*change);
            }
            Effect::Watch(Push::Cut { watcher: to, code }) if to == WatcherId(watcher) => cut = Some(code),
            _ => {}
        }
    }
    (changes, cut)
}

#[test]
fn watchers_see_every_change_in_order_and_resume_behind_their_token() {
    let (mut world, mut agent, _) = troubled();
    world.take_effects();
    watch(&mut world, 1, None);
    agent.say(&mut world, tcp(Verdict::Up));
    world.pass_heard(Span::from_secs(11), &[&agent]);
    let (changes, cut) = pushed(&mut world, 1);
    let codes: Vec<&str> = changes.iter().map(|change| change.code).collect();
    assert_eq!((codes, cut), (vec!["check-up", "incident-verifying", "incident-resolved"], None));
    assert!(changes.windows(2).all(|pair| pair[0].number + 1 == pair[1].number));
    watch(&mut world, 2, Some(changes[0].number));
    assert_eq!(pushed(&mut world, 2).0, changes[1..]);
    world.restart();
    watch(&mut world, 3, Some(changes[0].number));
    assert_eq!(pushed(&mut world, 3).0, changes[1..], "tokens outlive a restart");
    watch(&mut world, 4, Some(changes[2].number + 1));
    assert_eq!(
        pushed(&mut world, 4).1,
        Some("resume-too-old"),
        "a token from the future is another journal's"
    );
}

#[test]
fn a_slow_watcher_gets_256_changes_and_is_cut_when_the_ring_leaves_it_behind() {
    let (mut world, _, incident) = troubled();
    world.take_effects();
    watch(&mut world, 1, None);
    let note = |world: &mut World| world.command(incident.id, None, Verb::Note("x".to_string())).unwrap();
    for _ in 0..300 {
        note(&mut world);
    }
    assert_eq!(pushed(&mut world, 1).0.len(), 256);
    world.input(Input::Watch(Watch::Read { watcher: WatcherId(1), changes: 10 }));
    assert_eq!(pushed(&mut world, 1).0.len(), 10);
    for _ in 0..1_024 {
        note(&mut world);
    }
    assert_eq!(pushed(&mut world, 1), (vec![], Some("watch-cut")));
    watch(&mut world, 2, Some(1));
    assert_eq!(pushed(&mut world, 2).1, Some("resume-too-old"));
}

#[test]
fn the_257th_watcher_is_refused() {
    let mut world = World::new();
    for watcher in 0..256 {
        watch(&mut world, watcher, None);
    }
    assert!(world.take_effects().is_empty());
    watch(&mut world, 256, None);
    assert_eq!(pushed(&mut world, 256).1, Some("too-many"));
    world.input(Input::Watch(Watch::Gone { watcher: WatcherId(0) }));
    watch(&mut world, 257, None);
    assert_eq!(pushed(&mut world, 257).1, None);
}

#[test]
fn pages_continue_behind_their_last_item() {
    let mut world = World::new();
    for at in 0..7 {
        Agent::new(&alloc::format!("h-{at}"), at).connect(&mut world);
    }
    let (mut seen, mut after) = (vec![], None);
    loop {
        let Answer::Hosts(hosts, more) = world.ask(Question::Hosts { after: after.take(), limit: 3 }) else {
            panic!()
        };
        after = hosts.last().map(|host| Box::new(host.host.clone()));
        seen.extend(hosts);
        if more == view::More::No {
            break;
        }
    }
    assert_eq!(seen.len(), 7);
    let (mut services, mut after) = (vec![], None);
    loop {
        let question = Question::Services { host: None, after: after.take(), limit: 2 };
        let Answer::Services(found, more) = world.ask(question) else { panic!() };
        after = found.last().map(|last| Box::new((last.host.clone(), last.service.clone())));
        services.extend(found);
        if more == view::More::No {
            break;
        }
    }
    assert_eq!(services.len(), 7 * 3, "nginx, redis and what belongs to none");
    let checks: usize = services.iter().map(|service| service.checks.len()).sum();
    assert_eq!(checks, 7 * 4);
}

#[test]
fn a_token_is_good_for_its_host_and_one_key_within_an_hour() {
    let mut world = World::new();
    let mint = |world: &mut World, hash: u8| {
        let (operator, host, hash) =
            (Box::new(name("ann")), Box::new(host_id("web-1")), Box::new([hash; 32]));
        world.input(Input::Identity(identity::Fact::Mint { reply: Token(1), operator, host, hash }));
    };
    let enrol_with = |world: &mut World, host: &str, hash: u8, key: u8| {
        world.take_effects();
        let (host, hash, key) = (Box::new(host_id(host)), Box::new([hash; 32]), Box::new([key; 32]));
        world.input(Input::Identity(identity::Fact::Enrol { reply: Token(2), host, hash, key }));
        match world.take_effects().pop() {
            Some(Effect::Identity(identity::Answer::Refused { code, .. })) => Err(code),
            Some(Effect::Identity(identity::Answer::Granted { .. })) => Ok(()),
            other => panic!("{other:?}"),
        }
    };
    let enrol = |world: &mut World, host: &str, hash: u8| enrol_with(world, host, hash, 7);
    mint(&mut world, 1);
    assert_eq!(enrol(&mut world, "web-2", 1), Err("token-unknown"));
    assert_eq!(enrol(&mut world, "web-1", 2), Err("token-unknown"));
    assert_eq!(enrol(&mut world, "web-1", 1), Ok(()));
    assert_eq!(enrol(&mut world, "web-1", 1), Ok(()), "the answer was lost: the same key may ask again");
    assert_eq!(enrol_with(&mut world, "web-1", 1, 8), Err("token-used"));
    assert_eq!(world.host(&host_id("web-1")).state, view::HostState::Expected);
    world.pass(Span::from_secs(60));
    assert!(world.incidents().is_empty(), "who is expected is not silent");
    mint(&mut world, 3);
    world.pass(Span::from_secs(3601));
    assert_eq!(enrol(&mut world, "web-1", 3), Err("token-unknown"));
}

#[test]
fn thousands_of_hosts_may_be_enrolled_within_an_hour() {
    let mut world = World::new();
    for at in 0..3_000_u16 {
        let mut hash = [0; 32];
        hash[..2].copy_from_slice(&at.to_le_bytes());
        let (operator, host) = (Box::new(name("ann")), Box::new(host_id(&alloc::format!("web-{at}"))));
        let mint = identity::Fact::Mint { reply: Token(1), operator, host, hash: Box::new(hash) };
        world.input(Input::Identity(mint));
        let minted =
            matches!(world.take_effects().pop(), Some(Effect::Identity(identity::Answer::Minted { .. })));
        assert!(minted, "token {at}");
    }
}
