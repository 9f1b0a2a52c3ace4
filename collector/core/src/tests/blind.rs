//! A check that can't be looked at: a condition of its own, which ends with the next verdict or with the check.

use super::*;
use crate::incident::{Severity, State};

/// The check `space:/` can't be looked at.
fn blind() -> Said {
    unknown("space:/", CheckKind::Space, None, Some(Cause::Local(13)))
}

fn unknown(check: &str, kind: CheckKind, service: Option<&str>, cause: Option<Cause>) -> Said {
    let Said::Verdict(told) = verdict(check, kind, service, Verdict::Unknown) else {
        unreachable!("it is a verdict's")
    };
    Said::Verdict(VerdictChanged { cause, said: Text::new("permission denied"), ..told })
}

/// The agent connects anew, as another run, and says of `space:/` what it is and why, and of the others that they are up.
fn again(world: &mut World, agent: &mut Agent, (to, cause): (Verdict, Option<Cause>)) {
    agent.close(world);
    (agent.run, agent.seq, agent.session) = (Run(agent.run.0 + 1), 0, SessionId(agent.session.0 + 1));
    agent.open(world);
    let (check, kind) = (name("space:/"), CheckKind::Space);
    let standing = Standing { check, kind, service: None, verdict: to, since: agent.stamp(world) };
    let checks = vec![Stands { cause, ..standing.into() }];
    world.input(Input::Session(Fact::Standing { session: agent.session, checks }));
    world.input(Input::Session(Fact::StandingEnd { session: agent.session, up: 3, digest: 0 }));
}

fn state(world: &mut World) -> State {
    world.the_incident().incident.state
}

#[test]
fn it_makes_an_incident_that_says_why_and_ends_when_it_is_seen_again() {
    let (mut world, mut agent) = connected();
    agent.say(&mut world, blind());
    let found = world.the_incident();
    let incident = &found.incident;
    assert_eq!((incident.severity, incident.severity_rule), (Severity::P3, "sev-check-blind"));
    let words = "space:/ can't be looked at: the probe failed with errno 13: permission denied";
    assert_eq!((&*incident.title, &*incident.cause), (&*alloc::format!("space:/ on web-1: {words}"), words));
    assert_eq!(codes(&found), ["incident-opened", "check-unknown"]);
    world.restart();
    agent.session = SessionId(9);
    agent.connect(&mut world);
    assert_eq!(state(&mut world), State::Verifying, "all was up as the agent connected");
    world.pass_heard(Span::from_secs(11), &[&agent]);
    assert_eq!(state(&mut world), State::Resolved);
}

#[test]
fn it_outlives_sessions_restarts_and_runs_that_have_not_looked_yet() {
    let (mut world, mut agent) = connected();
    agent.say(&mut world, blind());
    again(&mut world, &mut agent, (Verdict::Unknown, Some(Cause::Local(13))));
    assert_eq!(state(&mut world), State::Open);
    again(&mut world, &mut agent, (Verdict::Unknown, None));
    assert_eq!(state(&mut world), State::Open, "it was not looked at yet");
    world.restart();
    again(&mut world, &mut agent, (Verdict::Unknown, None));
    agent.say(&mut world, blind());
    assert_eq!((state(&mut world), world.the_incident().incident.firing), (State::Open, 1));
    agent.say(&mut world, space(Verdict::Up));
    assert_eq!(state(&mut world), State::Verifying);
}

#[test]
fn one_that_stood_so_before_the_session_is_told_with_its_cause_and_one_not_looked_at_yet_is_not() {
    let mut world = World::new();
    let mut agent = Agent::new("web-1", 1);
    agent.open(&mut world);
    again(&mut world, &mut agent, (Verdict::Unknown, None));
    assert_eq!(world.incidents(), []);
    again(&mut world, &mut agent, (Verdict::Unknown, Some(Cause::Plugin(3))));
    let found = world.the_incident();
    let words = "space:/ can't be looked at: its plugin can't tell (status 3)";
    assert_eq!(found.incident.cause, words);
    assert_eq!(codes(&found), ["incident-opened", "check-blind"]);
    assert!(texts(&found).ends_with(&alloc::format!("{words} (it stood so when the agent connected)")));
}

#[test]
fn it_ends_with_its_check() {
    let (mut world, mut agent) = connected();
    agent.say(&mut world, blind());
    agent.close(&mut world);
    agent.session = SessionId(2);
    let mut hello = agent.hello(&world);
    hello.watched.retain(|watched| watched.check != name("space:/"));
    let (session, host) = (agent.session, agent.host.clone());
    world.input(Input::Session(Fact::Opened {
        session,
        host,
        hello: Box::new(hello),
        terms: Terms::default(),
    }));
    assert_eq!(state(&mut world), State::Verifying);
}

#[test]
fn what_was_known_to_be_down_stays_so_and_a_verdict_ends_the_blindness() {
    let (mut world, mut agent) = connected();
    for said in [space(Verdict::Down), blind()] {
        agent.say(&mut world, said);
    }
    let found = world.the_incident();
    assert_eq!((found.incident.firing, found.incident.severity), (2, Severity::P2));
    assert_eq!(found.root, "space:/ is down: 97.3 %, limit 95.0 %");
    assert_eq!(found.symptoms, ["space:/ can't be looked at"]);
    agent.say(&mut world, space(Verdict::Down));
    assert_eq!(world.the_incident().incident.firing, 1);
    let (mut world, mut agent) = connected();
    for said in [blind(), space(Verdict::Down)] {
        agent.say(&mut world, said);
    }
    assert_eq!(world.the_incident().root, "space:/ is down: 97.3 %, limit 95.0 %");
}

#[test]
fn what_is_seen_is_the_root_before_what_is_not() {
    let (mut world, mut agent) = connected();
    for said in [blind(), tcp(Verdict::Down)] {
        agent.say(&mut world, said);
    }
    let found = world.the_incident();
    assert_eq!(found.root, "redis:tcp is down: connection refused: nothing listens");
    assert_eq!(found.incident.severity_rule, "sev-service-down");
    assert_eq!(found.reasons[1].0, "seen-before-blind");
    agent.say(&mut world, tcp(Verdict::Up));
    assert!(world.the_incident().root.starts_with("space:/ can't be looked at"), "it is what is left");
}

#[test]
fn a_service_that_fails_later_has_an_incident_of_its_own() {
    let (mut world, mut agent) = connected();
    agent.say(&mut world, unknown("nginx:http", CheckKind::Http, Some(SERVICE), Some(Cause::Local(13))));
    world.pass_heard(Span::from_secs(61), &[&agent]);
    for said in [process(Verdict::Down), killed(4711)] {
        agent.say(&mut world, said);
    }
    let all = world.incidents();
    assert_eq!(all.len(), 2, "{all:#?}");
    assert_eq!((all[0].severity, all[1].severity), (Severity::P2, Severity::P3));
    assert!(all[0].title.contains("SIGKILL"), "{}", all[0].title);
}

#[test]
fn a_service_that_is_left_alone_is_not_blind() {
    let (mut world, mut agent) = connected();
    agent.say(&mut world, unknown("nginx:http", CheckKind::Http, Some(SERVICE), Some(Cause::Local(13))));
    let to = Intent::Stopped;
    let told = IntentChanged { service: name(SERVICE), from: Intent::Run, to, witness: Witness::Job };
    agent.say(&mut world, Said::Intent(told));
    assert_eq!(state(&mut world), State::Resolved);
}

#[test]
fn a_process_between_two_states_of_its_unit_is_not_blind() {
    let (mut world, mut agent) = connected();
    let process =
        |errno| unknown("nginx:process", CheckKind::Process, Some(SERVICE), Some(Cause::Local(errno)));
    for errno in [11, 16] {
        agent.say(&mut world, process(errno));
    }
    agent.say(&mut world, unknown("nginx:http", CheckKind::Http, Some(SERVICE), None));
    assert_eq!(world.incidents(), []);
    agent.say(&mut world, process(107));
    assert_eq!(world.the_incident().incident.severity_rule, "sev-check-blind");
    let (mut world, mut agent) = connected();
    agent.say(&mut world, unknown("space:/", CheckKind::Space, None, Some(Cause::Local(11))));
    assert_eq!(world.the_incident().incident.severity_rule, "sev-check-blind", "no thread to look with");
}

#[test]
fn an_old_journal_of_what_stands_gives_the_same_state_without_causes() {
    let since = Agent::new("web-1", 1).stamp(&World::new());
    let of = |record: crate::record::Record| {
        let mut core = Collector::new(1);
        let now = World::new().now;
        core.replay(1, now, record);
        core.snapshot()
    };
    let (check, kind, verdict) = (name("redis:tcp"), CheckKind::Tcp, Verdict::Down);
    let standing = Standing { check, kind, service: None, verdict, since };
    let host = host_id("web-1");
    let old = crate::record::Record::Standing { host: host.clone(), checks: vec![standing.clone()] };
    let new = crate::record::Record::Stands { host, checks: vec![standing.into()] };
    assert_eq!(of(old), of(new));
}
