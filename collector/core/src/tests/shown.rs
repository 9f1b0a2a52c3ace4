//! What operators are shown: pages by their filters, causes in words, symptoms, reasons and clocks.

use super::*;
use crate::incident::{State, Verb};
use crate::view::{Push, Watch, WatcherId};

fn listed(world: &mut World, open_only: bool, host: Option<&str>) -> Vec<(State, String)> {
    let host = host.map(|host| Box::new(host_id(host)));
    match world.ask(Question::Incidents { open_only, host, before: None, limit: 500 }) {
        Answer::Incidents(all, view::More::No) => {
            all.into_iter().map(|found| (found.state, found.hosts[0].as_str().to_string())).collect()
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn incidents_are_listed_by_host_and_without_those_that_are_over() {
    let mut world = World::new();
    let mut agents = [Agent::new("web-1", 1), Agent::new("web-2", 2)];
    for agent in &mut agents {
        agent.connect(&mut world);
        agent.say(&mut world, tcp(Verdict::Down));
    }
    let id = world.incidents()[1].id;
    world.command(id, None, Verb::Resolve(String::new())).unwrap();
    let over = (State::Resolved, "web-1".to_string());
    let open = (State::Open, "web-2".to_string());
    assert_eq!(listed(&mut world, false, None), [open.clone(), over.clone()]);
    assert_eq!(listed(&mut world, true, None), vec![open.clone()]);
    assert_eq!(listed(&mut world, false, Some("web-1")), [over]);
    assert_eq!(listed(&mut world, true, Some("web-1")), []);
    assert_eq!(listed(&mut world, true, Some("web-2")), [open]);
    assert_eq!(listed(&mut world, false, Some("web-3")), []);
}

fn cause(world: &mut World, agent: &Agent, check: &str) -> String {
    let services = world.services(&agent.host);
    let mut checks = services.into_iter().flat_map(|service| service.checks);
    checks.find(|found| found.check == name(check)).unwrap().cause
}

#[test]
fn a_check_says_why_it_is_not_up_in_the_unit_of_what_it_watches() {
    let (mut world, mut agent) = connected();
    for said in [space(Verdict::Down), tcp(Verdict::Down), http(Verdict::Flapping)] {
        agent.say(&mut world, said);
    }
    assert_eq!(cause(&mut world, &agent, "space:/"), "97.3 %, limit 95.0 %");
    assert_eq!(cause(&mut world, &agent, "redis:tcp"), "connection refused: nothing listens");
    assert_eq!(cause(&mut world, &agent, "nginx:http"), "", "what flaps has no one cause");
    assert_eq!(cause(&mut world, &agent, "nginx:process"), "");
}

#[test]
fn a_cause_outlives_a_new_session_as_long_as_the_check_stands_as_before() {
    let (mut world, mut agent) = connected();
    agent.say(&mut world, tcp(Verdict::Down));
    agent.close(&mut world);
    agent.session = SessionId(2);
    agent.open(&mut world);
    agent.stands(&mut world, &[("redis:tcp", CheckKind::Tcp, Some("redis"))]);
    assert_eq!(cause(&mut world, &agent, "redis:tcp"), "connection refused: nothing listens");
    let since = agent.stamp(&world);
    let standing = Standing {
        check: name("redis:tcp"),
        kind: CheckKind::Tcp,
        service: Some(name("redis")),
        verdict: Verdict::Flapping,
        since,
    };
    world.input(Input::Session(Fact::Standing { session: agent.session, checks: vec![standing.into()] }));
    assert_eq!(cause(&mut world, &agent, "redis:tcp"), "", "of another verdict it says nothing");
}

#[test]
fn a_check_that_stood_so_before_the_session_says_why() {
    let (mut world, agent) = connected();
    let stands = |world: &mut World, cause, said: &str| {
        let (check, kind, verdict) = (name("redis:tcp"), CheckKind::Tcp, Verdict::Down);
        let standing =
            Standing { check, kind, service: Some(name("redis")), verdict, since: agent.stamp(world) };
        let checks = vec![Stands { standing, cause, said: Text::new(said) }];
        world.input(Input::Session(Fact::Standing { session: agent.session, checks }));
    };
    stands(&mut world, Some(Cause::TimedOut), "2 of 3 tries");
    assert_eq!(cause(&mut world, &agent, "redis:tcp"), "no answer in time: 2 of 3 tries");
    assert_eq!(world.the_incident().incident.cause, "redis:tcp is down: no answer in time: 2 of 3 tries");
    stands(&mut world, None, "");
    assert_eq!(cause(&mut world, &agent, "redis:tcp"), "no answer in time: 2 of 3 tries", "nothing newer");
    stands(&mut world, Some(Cause::Refused), "");
    assert_eq!(cause(&mut world, &agent, "redis:tcp"), "connection refused: nothing listens");
}

#[test]
fn what_stands_is_told_once_and_again_only_if_it_is_new() {
    let (mut world, mut agent) = connected();
    agent.say(&mut world, tcp(Verdict::Down));
    world.told();
    let stands = [("redis:tcp", CheckKind::Tcp, Some("redis")), ("space:/", CheckKind::Space, None)];
    agent.stands(&mut world, &stands[..1]);
    assert_eq!(world.told(), [], "it stood before");
    agent.stands(&mut world, &stands);
    let stood = "space:/ is down (it stood so when the agent had lost events)";
    assert!(texts(&world.the_incident()).contains(stood), "{}", texts(&world.the_incident()));
    assert_eq!(texts(&world.the_incident()).matches("it stood so").count(), 1);
}

#[test]
fn a_single_condition_is_its_own_reason_and_a_late_one_says_so() {
    let codes_of = |world: &mut World| -> Vec<&'static str> {
        world.the_incident().reasons.into_iter().map(|(code, _)| code).collect()
    };
    let (mut world, mut agent) = connected();
    agent.say(&mut world, tcp(Verdict::Down));
    assert_eq!(codes_of(&mut world), ["first-seen"]);
    agent.say(&mut world, space(Verdict::Down));
    assert_eq!(codes_of(&mut world), ["same-host-window", "first-seen"]);
    let (mut world, mut agent) = connected();
    for said in [tcp(Verdict::Down), tcp(Verdict::Up)] {
        agent.say_late(&mut world, said);
    }
    assert_eq!(codes_of(&mut world), ["incident-late", "first-seen"]);
}

fn of(service: &str) -> (Said, Said) {
    let (exit, ran) = (Exit::Code(1), Span::from_secs(3));
    let died = Said::Exited(Exited { service: name(service), pid: 7, exit, ran, asked: false });
    let Said::Breaker(moved) = breaker_open() else { unreachable!("it is a breaker's") };
    (died, Said::Breaker(BreakerMoved { service: name(service), ..moved }))
}

#[test]
fn a_breaker_that_is_open_is_named_before_all_symptoms_however_many_there_are() {
    let (mut world, mut agent) = connected();
    for number in 0..210 {
        agent.say(&mut world, of(&alloc::format!("s-{number}")).0);
    }
    for service in ["s-1", "s-2", "s-3"] {
        agent.say(&mut world, of(service).1);
    }
    let found = world.the_incident();
    assert_eq!(found.symptoms.len(), 200);
    let first = ["s-1 is not healed", "s-2 is not healed", "s-3 is not healed", "s-1 died"];
    assert_eq!(found.symptoms[..4], first);
    assert!(found.incident.outcome.contains("s-3: not healed"), "{}", found.incident.outcome);
    assert!(!found.incident.outcome.contains(" more"), "{}", found.incident.outcome);
}

#[test]
fn an_entry_says_whether_the_clock_behind_it_was_synchronised() {
    let (mut world, mut agent) = connected();
    agent.say(&mut world, tcp(Verdict::Down));
    let stamp = Stamp { synced: false, ..agent.stamp(&world) };
    let frame = agent.frame_by(stamp, tcp(Verdict::Flapping));
    agent.batch(&mut world, Lane::Live, frame);
    let unsynced: Vec<(&str, bool)> =
        world.the_incident().timeline.iter().map(|entry| (entry.code, entry.unsynced)).collect();
    assert_eq!(unsynced[1..], [("check-down", false), ("check-flapping", true)]);
}

#[test]
fn a_breaker_that_is_the_root_is_told_in_the_words_of_its_event() {
    let (mut world, mut agent) = connected();
    agent.say(&mut world, breaker_open());
    let found = world.the_incident();
    let told = found.timeline.iter().find(|entry| entry.code == "breaker-open").unwrap();
    assert_eq!(found.incident.cause, told.text);
}

fn pushes(world: &mut World) -> (usize, Option<&'static str>) {
    let (mut changes, mut cut) = (0, None);
    for effect in world.take_effects() {
        match effect {
            Effect::Watch(Push::Change { .. }) => changes += 1,
            Effect::Watch(Push::Cut { code, .. }) => cut = Some(code),
            _ => {}
        }
    }
    (changes, cut)
}

#[test]
fn a_watcher_whose_next_change_is_the_oldest_that_is_kept_is_not_cut() {
    let (mut world, mut agent) = connected();
    agent.say(&mut world, tcp(Verdict::Down));
    let id = world.the_incident().incident.id;
    let note = |world: &mut World| world.command(id, None, Verb::Note("x".to_string())).unwrap();
    world.input(Input::Watch(Watch::Come { watcher: WatcherId(1), after: None }));
    world.take_effects();
    for _ in 0..256 + 1_024 {
        note(&mut world);
    }
    assert_eq!(pushes(&mut world), (256, None));
    world.input(Input::Watch(Watch::Read { watcher: WatcherId(1), changes: 256 }));
    assert_eq!(pushes(&mut world), (256, None), "all that comes is kept");
}

#[test]
fn a_token_of_changes_that_a_snapshot_does_not_keep_is_too_old_and_the_newest_is_not() {
    let (mut world, mut agent) = connected();
    for said in [tcp(Verdict::Down), space(Verdict::Down)] {
        agent.say(&mut world, said);
    }
    let newest = world.core.state.changes;
    world.core = Collector::restore(5, &world.core.snapshot()).unwrap();
    world.core.begin(world.now, BOOT);
    world.drain();
    world.take_effects();
    world.input(Input::Watch(Watch::Come { watcher: WatcherId(1), after: Some(newest) }));
    assert_eq!(pushes(&mut world), (0, None));
    world.input(Input::Watch(Watch::Come { watcher: WatcherId(2), after: Some(newest - 1) }));
    assert_eq!(pushes(&mut world), (0, Some("resume-too-old")));
}
