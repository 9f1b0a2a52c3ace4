//! Two services of one host beside each other: what is said of one moves nothing of the other.

use super::*;
use crate::incident::State;

fn say(world: &mut World, agent: &mut Agent, all: &[Said]) {
    for said in all {
        agent.say(world, said.clone());
    }
}

#[test]
fn the_first_line_that_the_roots_own_service_printed_stays_beside_the_cause() {
    let (mut world, mut agent) = connected();
    say(&mut world, &mut agent, &[killed(9), died("redis"), printed("redis", "not mine")]);
    assert!(!world.the_incident().incident.cause.contains("last printed"));
    say(&mut world, &mut agent, &[evidence("the first"), evidence("the second")]);
    let cause = world.the_incident().incident.cause;
    assert!(cause.ends_with("last printed: the first; since then: the second"), "{cause}");
    say(&mut world, &mut agent, &[evidence("the first 17"), evidence("the 2 third"), evidence("the first")]);
    say(&mut world, &mut agent, &[evidence("the third"), printed("redis", "not mine either")]);
    let cause = world.the_incident().incident.cause;
    assert!(cause.ends_with("last printed: the first; since then: the third"), "{cause}");
}

#[test]
fn a_check_that_can_not_be_read_any_more_goes_on_failing() {
    let (mut world, mut agent) = connected();
    say(&mut world, &mut agent, &[tcp(Verdict::Down), tcp(Verdict::Unknown)]);
    world.pass_heard(Span::from_secs(60), &[&agent]);
    let incident = world.the_incident().incident;
    assert_eq!((incident.state, incident.firing), (State::Open, 1));
}

#[test]
fn a_service_that_was_started_and_whose_process_fails_at_once_is_not_over() {
    for (check, firing) in [(process(Verdict::Down), 2), (http(Verdict::Down), 1)] {
        let (mut world, mut agent) = connected();
        say(&mut world, &mut agent, &[killed(9), started(10)]);
        world.pass(Span::from_millis(500));
        say(&mut world, &mut agent, &[check]);
        world.pass_heard(Span::from_secs(3), &[&agent]);
        assert_eq!(world.the_incident().incident.firing, firing, "a page that fails is no death");
    }
}

#[test]
fn a_remedy_that_did_not_hold_is_a_death_though_another_service_fails() {
    let (mut world, mut agent) = connected();
    say(&mut world, &mut agent, &[tcp(Verdict::Down), killed(9), restart(1), started(10)]);
    world.pass_heard(Span::from_secs(2), &[&agent]);
    assert_eq!(world.the_incident().incident.firing, 1);
    say(&mut world, &mut agent, &[not_held(1)]);
    assert_eq!(world.the_incident().incident.firing, 2);
    say(&mut world, &mut agent, &[not_held(2)]);
    assert_eq!(world.the_incident().incident.firing, 2, "it fires already");
}

#[test]
fn a_check_of_another_service_does_not_keep_one_from_verifying() {
    let (mut world, mut agent) = connected();
    say(&mut world, &mut agent, &[tcp(Verdict::Down)]);
    world.pass_heard(Span::from_secs(61), &[&agent]);
    say(&mut world, &mut agent, &[killed(9), restart(1), started(10)]);
    world.pass_heard(Span::from_secs(2), &[&agent]);
    let all = world.incidents();
    assert_eq!((all[0].state, all[1].state), (State::Verifying, State::Open));
}

#[test]
fn a_remedy_that_is_proven_after_its_incident_was_resolved_proves_no_other() {
    let (mut world, mut agent) = connected();
    say(&mut world, &mut agent, &[killed(9), restart(1)]);
    agent.stands(&mut world, &[]);
    world.pass_heard(Span::from_secs(70), &[&agent]);
    say(&mut world, &mut agent, &[tcp(Verdict::Down), tcp(Verdict::Up)]);
    world.pass_heard(Span::from_secs(11), &[&agent]);
    say(&mut world, &mut agent, &[held()]);
    let all = world.incidents();
    let outcomes: Vec<&str> = all.iter().map(|found| found.outcome.as_str()).collect();
    assert_eq!(outcomes, ["recovered, held for 10 s", "recovered, verified"]);
}

/// The next run of the agent, on a new session; what stands is not said yet.
fn next_run(world: &mut World, agent: &mut Agent) {
    agent.close(world);
    (agent.run, agent.seq, agent.session) = (Run(agent.run.0 + 1), 0, SessionId(agent.session.0 + 1));
    agent.open(world);
}

#[test]
fn what_an_earlier_run_did_not_heal_is_not_over_while_a_check_of_the_service_fails() {
    let (mut world, mut agent) = connected();
    say(&mut world, &mut agent, &[process(Verdict::Down), killed(1), restart(1), breaker_open()]);
    next_run(&mut world, &mut agent);
    agent.stands(&mut world, &[("nginx:http", CheckKind::Http, Some(SERVICE))]);
    say(&mut world, &mut agent, &[process(Verdict::Up)]);
    let outcome = world.the_incident().incident.outcome;
    assert!(outcome.starts_with("nginx: not healed"), "{outcome}");
}

#[test]
fn what_an_earlier_run_did_not_heal_is_over_once_its_checks_pass_whatever_others_do() {
    let (mut world, mut agent) = connected();
    say(&mut world, &mut agent, &[process(Verdict::Down), killed(1), restart(1), breaker_open()]);
    next_run(&mut world, &mut agent);
    let others =
        [("redis:tcp", CheckKind::Tcp, Some("redis")), ("nginx:http", CheckKind::Http, Some(SERVICE))];
    agent.stands(&mut world, &others);
    say(&mut world, &mut agent, &[process(Verdict::Up), http(Verdict::Up)]);
    let incident = world.the_incident().incident;
    assert_eq!((incident.firing, incident.outcome.as_str()), (1, ""), "only the other one fails");
}

#[test]
fn a_late_stop_of_before_does_not_end_what_fails_though_nothing_is_probed() {
    let (mut world, mut agent) = connected();
    let intent = |to| {
        Said::Intent(IntentChanged { service: name(SERVICE), from: Intent::Run, to, witness: Witness::Job })
    };
    let stop = agent.frame(&world, intent(Intent::Stopped));
    let unknown = [process(Verdict::Unknown), http(Verdict::Unknown)];
    say(&mut world, &mut agent, &[intent(Intent::Run), process(Verdict::Down)]);
    say(&mut world, &mut agent, &unknown);
    agent.batch(&mut world, Lane::Backlog, stop);
    assert_eq!(world.the_incident().incident.state, State::Open);
}

#[test]
fn what_an_operator_resolved_and_fires_on_adds_nothing_to_its_incident() {
    let (mut world, mut agent) = connected();
    say(&mut world, &mut agent, &[tcp(Verdict::Down)]);
    let id = world.the_incident().incident.id;
    world.command(id, None, incident::Verb::Resolve(String::new())).unwrap();
    let before = world.the_incident();
    world.told();
    say(&mut world, &mut agent, &[tcp(Verdict::Down), tcp(Verdict::Up)]);
    let after = world.the_incident();
    assert_eq!((after.incident, after.timeline), (before.incident, before.timeline));
    assert_eq!(world.told(), []);
}

#[test]
fn the_checks_of_a_service_are_one_incident_however_far_apart_they_fail() {
    let (mut world, mut agent) = connected();
    say(&mut world, &mut agent, &[http(Verdict::Down)]);
    world.pass_heard(Span::from_secs(120), &[&agent]);
    say(&mut world, &mut agent, &[process(Verdict::Down)]);
    let found = world.the_incident();
    assert_eq!(found.incident.firing, 2);
    assert!(found.root.starts_with("nginx:process"), "the process is nearer to the cause: {}", found.root);
}

#[test]
fn two_levels_of_a_host_that_fail_far_apart_are_two_incidents() {
    let (mut world, mut agent) = connected();
    let load = |to| verdict("load", CheckKind::Load, None, to);
    say(&mut world, &mut agent, &[space(Verdict::Degraded)]);
    world.pass_heard(Span::from_secs(120), &[&agent]);
    say(&mut world, &mut agent, &[space(Verdict::Down)]);
    assert_eq!(world.the_incident().incident.firing, 1, "the same check joins however late");
    world.pass_heard(Span::from_secs(120), &[&agent]);
    say(&mut world, &mut agent, &[load(Verdict::Down)]);
    assert_eq!(world.incidents().len(), 2);
}

#[test]
fn a_root_that_is_over_is_shown_again_at_the_end_only_if_it_was_the_cause_of_the_next() {
    let port = |to| verdict("nginx:port", CheckKind::Tcp, Some(SERVICE), to);
    for (story, end) in [
        (vec![http(Verdict::Down), port(Verdict::Down), http(Verdict::Up), port(Verdict::Up)], "nginx:port"),
        (
            vec![tcp(Verdict::Down), http(Verdict::Degraded), tcp(Verdict::Up), http(Verdict::Up)],
            "nginx:http",
        ),
    ] {
        let (mut world, mut agent) = connected();
        say(&mut world, &mut agent, &story);
        assert!(world.the_incident().root.starts_with(end), "{}", world.the_incident().root);
    }
    let (mut world, mut agent) = connected();
    say(&mut world, &mut agent, &[died("redis"), http(Verdict::Down)]);
    say(&mut world, &mut agent, &[Said::Started(Started { service: name("redis"), pid: 8, adopted: false })]);
    world.pass_heard(Span::from_secs(2), &[&agent]);
    say(&mut world, &mut agent, &[http(Verdict::Up)]);
    let root = world.the_incident().root;
    assert!(root.starts_with("nginx:http"), "the death of another service is not what it came from: {root}");
}
