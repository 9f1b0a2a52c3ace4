//! Late facts of several services, and of a time that is over: each goes where it belongs, and changes no more.

use super::*;
use crate::incident::State;

fn late(world: &mut World, agent: &mut Agent, all: &[Said]) {
    for said in all {
        agent.say_late(world, said.clone());
    }
}

fn exited(service: &str, exit: Exit, asked: bool) -> Said {
    Said::Exited(Exited { service: name(service), pid: 7, exit, ran: Span::from_secs(3), asked })
}

#[test]
fn an_exit_that_somebody_asked_for_is_no_late_failure_and_no_cause() {
    let asked = exited(SERVICE, Exit::Signal(15), true);
    let (mut world, mut agent) = connected();
    late(&mut world, &mut agent, &[asked.clone(), held()]);
    assert!(world.incidents().is_empty());
    agent.say(&mut world, process(Verdict::Down));
    let before = world.the_incident().incident;
    late(&mut world, &mut agent, &[asked]);
    let after = world.the_incident().incident;
    assert_eq!((after.title, after.cause), (before.title, before.cause));
}

#[test]
fn the_first_late_death_is_the_cause_and_what_else_was_told_stands_in_its_timeline() {
    let (mut world, mut agent) = connected();
    let story = [
        http(Verdict::Down),
        exited(SERVICE, Exit::Signal(9), false),
        exited("redis", Exit::Code(1), false),
        printed(SERVICE, "out of descriptors"),
        printed("redis", "out of memory"),
        exited(SERVICE, Exit::Code(3), false),
        http(Verdict::Down),
        restart(1),
        held(),
    ];
    late(&mut world, &mut agent, &story);
    let found = world.the_incident();
    assert_eq!(found.incident.title, "nginx on web-1: was killed by SIGKILL");
    let told = ["check-down", "service-died", "evidence", "service-died", "check-down", "remedy-begun"];
    assert_eq!(codes(&found)[..6], told);
    assert!(texts(&found).contains("out of descriptors"), "{}", texts(&found));
    assert!(!texts(&found).contains("redis") && !texts(&found).contains("out of memory"));
}

#[test]
fn a_late_death_ends_with_its_remedy_and_not_with_a_check_that_passes() {
    let (mut world, mut agent) = connected();
    late(&mut world, &mut agent, &[exited(SERVICE, Exit::Signal(9), false), process(Verdict::Up)]);
    assert!(world.incidents().is_empty(), "how it ended is not told yet");
    late(&mut world, &mut agent, &[held()]);
    assert_eq!(world.the_incident().incident.outcome, "recovered, verified");
}

#[test]
fn a_late_check_whose_service_is_under_remedy_ends_with_that() {
    let (mut world, mut agent) = connected();
    late(&mut world, &mut agent, &[http(Verdict::Down), restart(1), http(Verdict::Up)]);
    assert!(world.incidents().is_empty(), "the remedy's outcome is under way");
    late(&mut world, &mut agent, &[held()]);
    let found = world.the_incident();
    assert_eq!(found.incident.outcome, "recovered, verified");
    assert_eq!(codes(&found)[..4], ["check-down", "remedy-begun", "check-up", "remedy-held"]);
}

#[test]
fn a_late_death_of_another_service_does_not_become_the_cause_of_what_stands() {
    let (mut world, mut agent) = connected();
    for said in [process(Verdict::Down), tcp(Verdict::Down)] {
        agent.say(&mut world, said);
    }
    let other = [exited("redis", Exit::Code(1), false), printed("redis", "out of memory")];
    late(&mut world, &mut agent, &other);
    let incident = world.the_incident().incident;
    assert!(incident.title.starts_with("nginx on web-1: nginx:process is down"), "{}", incident.title);
    assert!(!incident.cause.contains("out of memory"), "{}", incident.cause);
}

#[test]
fn a_late_death_does_not_take_the_place_of_the_one_that_was_heard_live() {
    let (mut world, mut agent) = connected();
    agent.say(&mut world, killed(9));
    late(&mut world, &mut agent, &[exited(SERVICE, Exit::Code(3), false)]);
    assert_eq!(world.the_incident().incident.title, "nginx on web-1: was killed by SIGKILL");
}

/// A resolved incident of a service, and frames of the time before, within and behind it that are still to come.
#[test]
fn a_late_fact_joins_the_resolved_incident_of_its_service_whose_time_it_is_of() {
    let (mut world, mut agent) = connected();
    let minute = Span::from_secs(60);
    let mut lines = vec![agent.frame(&world, printed(SERVICE, "before"))];
    world.pass_heard(minute, &[&agent]);
    agent.say(&mut world, http(Verdict::Down));
    world.pass_heard(minute, &[&agent]);
    lines.push(agent.frame(&world, printed(SERVICE, "within")));
    lines.push(agent.frame(&world, printed("redis", "of another")));
    world.pass_heard(minute, &[&agent]);
    agent.say(&mut world, http(Verdict::Up));
    world.pass_heard(minute, &[&agent]);
    lines.push(agent.frame(&world, printed(SERVICE, "behind")));
    world.pass_heard(minute, &[&agent]);
    for line in lines {
        agent.batch(&mut world, Lane::Backlog, line);
    }
    let found = world.the_incident();
    assert_eq!(found.incident.state, State::Resolved);
    let late: Vec<&str> =
        found.timeline.iter().filter(|entry| entry.late).map(|entry| entry.text.as_str()).collect();
    assert!(matches!(late[..], [line] if line.contains("within")), "{late:?}");
}

#[test]
fn thirty_two_late_failures_wait_for_their_end_and_one_more_tells_the_oldest_without_it() {
    let (mut world, mut agent) = connected();
    for number in 1..=32 {
        let check = alloc::format!("check-{number}");
        agent.say_late(&mut world, verdict(&check, CheckKind::Tcp, None, Verdict::Down));
    }
    assert!(world.incidents().is_empty());
    agent.say_late(&mut world, verdict("check-33", CheckKind::Tcp, None, Verdict::Down));
    let incident = world.the_incident().incident;
    assert_eq!((incident.state, incident.late), (State::Resolved, true));
    assert!(incident.title.starts_with("check-1 on web-1"), "{}", incident.title);
    assert_eq!(incident.outcome, "how it ended is not known");
}

#[test]
fn a_remedy_that_held_before_what_was_heard_live_does_not_undo_it() {
    let (mut world, mut agent) = connected();
    for said in [process(Verdict::Down), killed(1), restart(1)] {
        agent.say(&mut world, said);
    }
    let before = agent.frame(&world, held());
    for said in [not_held(2), breaker_open()] {
        agent.say(&mut world, said);
    }
    agent.batch(&mut world, Lane::Backlog, before);
    let incident = world.the_incident().incident;
    assert!(incident.outcome.starts_with("nginx: not healed"), "{}", incident.outcome);
}

#[test]
fn a_late_failure_is_over_once_nothing_of_its_service_stands_though_nobody_saw_how() {
    let reconnect = |world: &mut World, agent: &mut Agent| {
        agent.close(world);
        agent.session = SessionId(agent.session.0 + 1);
        agent.open(world);
    };
    let (mut world, mut agent) = connected();
    late(&mut world, &mut agent, &[exited(SERVICE, Exit::Code(1), false)]);
    reconnect(&mut world, &mut agent);
    let standing = Standing {
        check: name("nginx:http"),
        kind: CheckKind::Http,
        service: Some(name(SERVICE)),
        verdict: Verdict::Unknown,
        since: agent.stamp(&world),
    };
    world.input(Input::Session(Fact::Standing { session: agent.session, checks: vec![standing.into()] }));
    world.input(Input::Session(Fact::StandingEnd { session: agent.session, up: 3, digest: 0 }));
    assert!(world.incidents().is_empty(), "a check of it was not read yet");
    reconnect(&mut world, &mut agent);
    agent.stands(&mut world, &[]);
    assert_eq!(world.the_incident().incident.outcome, "recovered; its end was not seen");
}
