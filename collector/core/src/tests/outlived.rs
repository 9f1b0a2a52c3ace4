//! What was told of a service and is over, although nobody says so: its end was lost, or is of an earlier time.

use super::*;
use crate::incident::State;

fn intent(to: Intent) -> Said {
    Said::Intent(IntentChanged { service: name(SERVICE), from: Intent::Run, to, witness: Witness::Job })
}

/// The next run of the agent, connected.
fn next_run(world: &mut World, agent: &mut Agent, number: u64) {
    agent.close(world);
    (agent.run, agent.seq, agent.session) = (Run(agent.run.0 + 1), 0, SessionId(number));
    agent.open(world);
}

/// Nothing stands of the service's checks.
fn stands_unknown(world: &mut World, agent: &Agent) {
    let own = [("nginx:process", CheckKind::Process), ("nginx:http", CheckKind::Http)];
    for (check, kind) in own {
        let (check, service) = (name(check), Some(name(SERVICE)));
        let since = agent.stamp(world);
        let standing = Standing { check, kind, service, verdict: Verdict::Unknown, since };
        let checks = vec![standing.into()];
        world.input(Input::Session(Fact::Standing { session: agent.session, checks }));
    }
    world.input(Input::Session(Fact::StandingEnd { session: agent.session, up: 0, digest: 0 }));
}

/// The whole of a stop and a start happened while the link was down; what stands was told first.
#[test]
fn a_stop_that_the_backlog_tells_of_and_that_is_over_does_not_hide_what_stands() {
    let mut world = World::new();
    let mut agent = Agent::new("web-1", 1);
    agent.connect(&mut world);
    agent.say(&mut world, process(Verdict::Up));
    agent.close(&mut world);
    agent.session = SessionId(2);
    agent.connect(&mut world);
    for said in [intent(Intent::Stopped), intent(Intent::Run), started(7), process(Verdict::Up)] {
        agent.say_late(&mut world, said);
    }
    let services = world.services(&agent.host);
    let nginx = services.iter().find(|service| service.service == Some(name(SERVICE))).unwrap();
    assert_eq!((nginx.verdict, nginx.intent), (Verdict::Up, Intent::Run));
}

#[test]
fn a_stop_that_the_backlog_tells_of_and_that_still_stands_ends_what_fires() {
    let mut world = World::new();
    let mut agent = Agent::new("web-1", 1);
    agent.connect(&mut world);
    agent.say(&mut world, http(Verdict::Down));
    agent.close(&mut world);
    agent.session = SessionId(2);
    agent.open(&mut world);
    stands_unknown(&mut world, &agent);
    agent.say_late(&mut world, intent(Intent::Stopped));
    assert_eq!(world.the_incident().incident.state, State::Resolved);
}

/// A check that was taken out of the configuration stands as it was told last.
#[test]
fn a_check_that_is_watched_no_more_does_not_keep_a_late_stop_from_ending_what_fires() {
    let mut world = World::new();
    let mut agent = Agent::new("web-1", 1);
    agent.connect(&mut world);
    agent.say(&mut world, verdict("nginx:old", CheckKind::Tcp, Some(SERVICE), Verdict::Up));
    for said in [process(Verdict::Down), killed(1), restart(1), not_held(1), breaker_open()] {
        agent.say(&mut world, said);
    }
    next_run(&mut world, &mut agent, 2);
    stands_unknown(&mut world, &agent);
    agent.say_late(&mut world, intent(Intent::Stopped));
    assert_eq!(world.the_incident().incident.state, State::Resolved);
}

/// The breaker's end was lost with the run that told it; the present run has nothing to say of it.
#[test]
fn what_an_earlier_run_did_not_heal_is_over_once_all_checks_of_the_service_pass() {
    let mut world = World::new();
    let mut agent = Agent::new("web-1", 1);
    agent.connect(&mut world);
    for said in [process(Verdict::Down), killed(1), restart(1), not_held(1), breaker_open()] {
        agent.say(&mut world, said);
    }
    next_run(&mut world, &mut agent, 2);
    agent.stands(&mut world, &[("nginx:http", CheckKind::Http, Some(SERVICE))]);
    agent.say(&mut world, process(Verdict::Up));
    assert_eq!(world.the_incident().incident.state, State::Open, "its other check does not pass yet");
    agent.say(&mut world, http(Verdict::Up));
    world.pass_heard(Span::from_secs(11), &[&agent]);
    assert_eq!(world.the_incident().incident.state, State::Resolved);
}

#[test]
fn what_this_run_did_not_heal_stands_until_it_says_otherwise() {
    let mut world = World::new();
    let mut agent = Agent::new("web-1", 1);
    agent.connect(&mut world);
    for said in [process(Verdict::Down), killed(1), restart(1), not_held(1), breaker_open()] {
        agent.say(&mut world, said);
    }
    agent.say(&mut world, process(Verdict::Up));
    world.pass_heard(Span::from_secs(60), &[&agent]);
    let incident = world.the_incident().incident;
    assert_eq!((incident.state, incident.severity_rule), (State::Open, "sev-not-healed"));
}

#[test]
fn a_remedy_whose_outcome_never_comes_is_waited_for_15_min() {
    let mut world = World::new();
    let mut agent = Agent::new("web-1", 1);
    agent.connect(&mut world);
    for said in [killed(1), restart(1), started(2), process(Verdict::Up)] {
        agent.say(&mut world, said);
    }
    world.pass_heard(Span::from_secs(15 * 60), &[&agent]);
    assert_eq!(world.the_incident().incident.state, State::Verifying);
    world.pass_heard(Span::from_secs(2), &[&agent]);
    assert_eq!(world.the_incident().incident.outcome, "recovered, held for 15 min");
}
