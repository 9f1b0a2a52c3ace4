//! The limits of what is remembered: what fills them, and what makes room again.

use super::told::codes_of;
use super::*;
use crate::incident::life::{self, Ending, Opening, Root, Scope};
use crate::incident::table::Incidents;
use crate::incident::{IncidentId, Severity, State, Verb};
use crate::signal::{Depth, Key, What};
use crate::{host, identity};
use alloc::collections::BTreeMap;
use alloc::format;

/// The agent comes again and watches these.
fn reconfigured(world: &mut World, agent: &mut Agent, watched: Vec<Watched>) {
    agent.close(world);
    agent.session = SessionId(agent.session.0 + 1);
    let hello = Box::new(Hello { watched, ..agent.hello(world) });
    world.input(Input::Session(Fact::Opened {
        session: agent.session,
        host: agent.host.clone(),
        hello,
        terms: Terms::default(),
    }));
}

fn watched(check: &str, kind: CheckKind, service: Option<&str>) -> Watched {
    Watched { check: name(check), kind, service: service.map(name) }
}

#[test]
fn a_services_name_beyond_the_1024th_is_treated_as_none() {
    let (mut world, mut agent) = connected();
    let services = host::SERVICES_MAX as u64;
    for number in 2..=services {
        let (exit, ran) = (Exit::Code(1), Span::from_secs(3));
        let service = name(&format!("s-{number}"));
        agent.say(&mut world, Said::Exited(Exited { service, pid: 7, exit, ran, asked: false }));
    }
    assert_eq!(u64::from(world.the_incident().incident.firing), services - 2, "nginx and redis were there");
}

#[test]
fn a_check_that_nobody_watches_any_more_makes_room_among_4096() {
    let (mut world, mut agent) = connected();
    let most = host::CHECKS_MAX;
    let all = |from: usize| -> Vec<Watched> {
        (from..from + most).map(|at| watched(&format!("c-{at:05}"), CheckKind::Tcp, None)).collect()
    };
    reconfigured(&mut world, &mut agent, all(4));
    assert_eq!(world.host(&agent.host).checks as usize, most, "the four of before made room");
    agent.say(&mut world, verdict("one-more", CheckKind::Tcp, None, Verdict::Down));
    assert!(world.incidents().is_empty(), "all are watched");
    reconfigured(&mut world, &mut agent, all(6));
    agent.say(&mut world, verdict("c-04100", CheckKind::Tcp, None, Verdict::Down));
    let [level] = &world.services(&agent.host)[..] else { panic!("checks of no service") };
    let names: Vec<&str> = level.checks.iter().map(|check| check.check.as_str()).collect();
    let expected: Vec<String> = (6..6 + most).map(|at| format!("c-{at:05}")).collect();
    assert_eq!(names, expected);
    let failing = level.checks.iter().filter(|check| check.verdict == Verdict::Down);
    assert_eq!(failing.map(|check| check.check.as_str()).collect::<Vec<_>>(), ["c-04100"]);
    world.restart();
}

#[test]
fn a_check_follows_its_configuration_to_another_service_and_another_kind() {
    for (kind, service) in [(CheckKind::Tcp, "nginx"), (CheckKind::Http, "redis"), (CheckKind::Http, "nginx")]
    {
        let (mut world, mut agent) = connected();
        reconfigured(&mut world, &mut agent, vec![watched("redis:tcp", kind, Some(service))]);
        let [found] = &world.services(&agent.host)[..] else { panic!("one service") };
        assert_eq!((found.service.clone(), found.checks[0].kind), (Some(name(service)), kind));
    }
}

#[test]
fn what_a_configuration_no_longer_names_does_not_fail_on() {
    let (mut world, mut agent) = connected();
    agent.say(&mut world, tcp(Verdict::Down));
    agent.say(&mut world, space(Verdict::Down));
    reconfigured(&mut world, &mut agent, vec![watched("space:/", CheckKind::Space, None)]);
    assert_eq!(world.the_incident().incident.firing, 1, "the disk is full as before");
    reconfigured(&mut world, &mut agent, vec![]);
    world.pass_heard(Span::from_secs(11), &[&agent]);
    assert_eq!(world.the_incident().incident.state, State::Resolved);
}

fn identity(world: &mut World, fact: identity::Fact) -> Result<(), &'static str> {
    world.take_effects();
    world.input(Input::Identity(fact));
    match world.take_effects().pop() {
        Some(Effect::Identity(identity::Answer::Refused { code, .. })) => Err(code),
        Some(Effect::Identity(_)) => Ok(()),
        other => panic!("{other:?}"),
    }
}

fn mint(world: &mut World, hash: u8) -> Result<(), &'static str> {
    let (operator, host) = (Box::new(name("ann")), Box::new(host_id("web-1")));
    identity(world, identity::Fact::Mint { reply: Token(1), operator, host, hash: Box::new([hash; 32]) })
}

fn enrol(world: &mut World, hash: u8) -> Result<(), &'static str> {
    let (host, hash, key) = (Box::new(host_id("web-1")), Box::new([hash; 32]), Box::new([7; 32]));
    identity(world, identity::Fact::Enrol { reply: Token(2), host, hash, key })
}

#[test]
fn as_many_tokens_as_hosts_fit_and_one_more_when_the_oldest_is_an_hour_old() {
    let mut world = World::new();
    let made = |world: &World| (host_id("web-1"), world.now.mono, 0_u8);
    let hash = |at: u16| -> [u8; 32] {
        let mut hash = [0; 32];
        hash[..2].copy_from_slice(&at.to_le_bytes());
        hash
    };
    let of_before: BTreeMap<[u8; 32], _> = (0..19_999).map(|at| (hash(at), made(&world))).collect();
    let bytes = postcard::to_allocvec(&of_before).unwrap();
    world.core.state.tokens = postcard::from_bytes(&bytes).unwrap();
    world.now.mono = world.now.mono.plus(Span::from_secs(1));
    assert_eq!(mint(&mut world, 201), Ok(()));
    assert_eq!(mint(&mut world, 202), Err("too-many"));
    world.now.mono = world.now.mono.plus(Span::from_secs(3_599));
    assert_eq!(mint(&mut world, 202), Err("too-many"), "just an hour: they are good still");
    world.now.mono = world.now.mono.plus(Span::from_micros(1));
    assert_eq!(mint(&mut world, 202), Ok(()));
    for good in [201, 202] {
        assert_eq!(enrol(&mut world, good), Ok(()), "token {good}");
    }
}

#[test]
fn nothing_is_promised_to_a_host_while_the_journal_can_not_be_written() {
    let mut world = World::new();
    assert_eq!(mint(&mut world, 1), Ok(()));
    world.input(Input::Store(store::Fact::Failed { full: true }));
    assert_eq!(mint(&mut world, 2), Err("store-full"));
    assert_eq!(enrol(&mut world, 1), Err("store-full"));
}

#[test]
fn an_operators_words_may_have_1000_bytes() {
    let (mut world, mut agent) = connected();
    agent.say(&mut world, tcp(Verdict::Down));
    let id = world.the_incident().incident.id;
    let (just, more) = ("x".repeat(1_000), "x".repeat(1_001));
    assert!(world.command(id, None, Verb::Note(just.clone())).is_ok());
    assert_eq!(world.command(id, None, Verb::Resolve(more)), Err("bad-input"));
    assert!(world.command(id, None, Verb::Resolve(just)).is_ok());
}

fn incident(number: u64) -> life::Incident {
    let key = Key { host: 0, what: What::HostSilent };
    let root = Root { key, depth: Depth::Host, text: String::new(), rule: "first-seen" };
    let opening = Opening {
        id: IncidentId(number),
        scope: Scope::Host,
        severity: (Severity::P2, "sev-host-silent"),
        title: String::new(),
        root,
        opened: Wall::from_micros(1),
    };
    life::Incident::open(World::new().now, opening)
}

#[test]
fn of_10_000_incidents_the_oldest_that_is_over_makes_room_for_one_more() {
    let mut all = Incidents::new();
    let now = World::new().now;
    for number in 1..=10_000 {
        let mut one = incident(number);
        if number > 3 {
            one.resolve(now, Ending::Recovery, "");
        }
        all.add(one);
        all.settled(IncidentId(number));
    }
    assert_eq!(all.newest(None).count(), 10_000);
    all.add(incident(10_001));
    assert_eq!(all.newest(None).count(), 10_000);
    assert!(all.get(IncidentId(4)).is_none(), "the oldest that is over");
    assert!((1..=3).all(|open| all.get(IncidentId(open)).is_some()), "what is not over stays");
}

#[test]
fn conditions_beyond_10_000_of_an_incident_are_counted_and_those_it_remembers_once() {
    let mut one = incident(1);
    let now = World::new().now;
    let key = |host| Key { host, what: What::HostSilent };
    for host in 0..10_002 {
        one.join(now, key(host), None);
    }
    for host in [0, 5, 9_999] {
        one.clear(key(host));
        one.join(now, key(host), None);
    }
    assert_eq!((one.members.len(), one.more_members, one.firing.len()), (10_000, 2, 10_002));
    for host in 0..10_003 {
        one.clear(key(host));
    }
    assert_eq!((one.cleared.len(), one.firing.len()), (10_000, 0));
}

#[test]
fn of_each_kind_of_change_a_record_tells_eight_and_one_kind_takes_no_place_of_another() {
    let (mut world, mut agent) = connected();
    agent.say(&mut world, killed(1));
    world.told();
    let mut batch = Vec::new();
    for number in 0..10 {
        let check = format!("check-{number}");
        batch.extend(agent.frame(&world, verdict(&check, CheckKind::Tcp, None, Verdict::Down)));
        batch.extend(agent.frame(&world, evidence(&check)));
    }
    agent.batch(&mut world, Lane::Live, batch);
    let told = codes_of(&world.told());
    let count = |code| told.iter().filter(|told| **told == code).count();
    assert_eq!((count("incident-joined"), count("evidence")), (8, 8), "{told:?}");
}
