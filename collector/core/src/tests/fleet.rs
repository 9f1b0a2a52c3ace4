//! Who is there: silence, planned stops, restarts, second sessions.

use super::contest::{answers, second_session};
use super::*;
use crate::incident::{Severity, State};
use crate::view::HostState;

#[test]
fn silence_is_one_incident_and_ends_with_the_first_word() {
    let mut world = World::new();
    let agent = Agent::new("web-1", 1);
    agent.connect(&mut world);
    world.pass(Span::from_secs(24));
    assert!(world.incidents().is_empty());
    world.pass(Span::from_secs(300));
    let incident = world.the_incident().incident;
    assert_eq!((incident.severity_rule, incident.firing), ("sev-host-silent", 1));
    assert_eq!(world.host(&agent.host).state, HostState::Silent);
    let verdicts: Vec<Verdict> = world.services(&agent.host).iter().map(|found| found.verdict).collect();
    assert!(verdicts.iter().all(|verdict| *verdict == Verdict::Unknown), "{verdicts:?}");
    world.input(Input::Heard(vec![heard(&agent)]));
    let host = world.host(&agent.host);
    assert_eq!((host.state, host.last_heard), (HostState::Connected, Some(world.now.wall)));
    assert_eq!(world.the_incident().incident.state, State::Verifying);
    world.pass_heard(Span::from_secs(11), &[&agent]);
    assert_eq!(world.the_incident().incident.state, State::Resolved);
}

#[test]
fn a_planned_stop_is_not_silence_but_may_overstay() {
    let mut world = World::new();
    let mut agent = Agent::new("web-1", 1);
    agent.connect(&mut world);
    world.input(Input::Session(Fact::Goodbye { session: agent.session }));
    agent.close(&mut world);
    world.pass(Span::from_secs(14 * 60));
    assert_eq!(world.host(&agent.host).state, HostState::Stopped);
    assert!(world.incidents().is_empty());
    world.pass(Span::from_secs(2 * 60));
    let incident = world.the_incident().incident;
    assert_eq!((incident.severity, incident.severity_rule), (Severity::P3, "sev-overstay"));
    agent.session = SessionId(2);
    agent.connect(&mut world);
    world.pass_heard(Span::from_secs(11), &[&agent]);
    assert_eq!(world.the_incident().incident.state, State::Resolved);
}

#[test]
fn a_host_whose_agent_is_removed_is_retired_and_awaited_no_more_until_it_is_back() {
    let mut world = World::new();
    let mut agent = Agent::new("web-1", 1);
    agent.connect(&mut world);
    agent.say(&mut world, space(Verdict::Down));
    let open = world.the_incident().incident.id;
    world.input(Input::Session(Fact::Removed { session: agent.session }));
    agent.close(&mut world);
    world.pass(Span::from_secs(3_600));
    assert_eq!(world.host(&agent.host).state, HostState::Retired);
    assert_eq!(world.the_incident().incident.id, open, "neither silent nor stopped for too long");
    let codes: Vec<_> = world.the_incident().timeline.iter().map(|entry| entry.code).collect();
    assert!(codes.contains(&"agent-removed"), "{codes:?}");
    world.restart();
    world.pass(Span::from_secs(120));
    assert_eq!(world.host(&agent.host).state, HostState::Retired);
    agent.session = SessionId(2);
    agent.connect(&mut world);
    assert_eq!(world.host(&agent.host).state, HostState::Connected);
}

#[test]
fn a_restarted_collector_blames_nobody_for_60_s_and_then_who_never_comes_back() {
    let mut world = World::new();
    let mut back = Agent::new("web-1", 1);
    let gone = Agent::new("web-2", 2);
    for agent in [&back, &gone] {
        agent.connect(&mut world);
    }
    world.pass(Span::from_secs(10));
    world.restart();
    world.pass(Span::from_secs(30));
    back.session = SessionId(11);
    back.connect(&mut world);
    world.pass_heard(Span::from_secs(29), &[&back]);
    assert!(world.incidents().is_empty());
    world.pass_heard(Span::from_secs(2), &[&back]);
    assert_eq!(world.the_incident().incident.hosts, [gone.host]);
}

#[test]
fn five_hosts_and_30_percent_silent_at_once_are_one_p0_and_four_are_not() {
    for (silent, all, fleet) in [(4_u64, 4_u64, false), (5, 17, false), (5, 16, true), (8, 20, true)] {
        let mut world = World::new();
        let agents: Vec<Agent> = (1..=all).map(|at| Agent::new(&alloc::format!("h-{at}"), at)).collect();
        for agent in &agents {
            agent.connect(&mut world);
        }
        let heard: Vec<&Agent> = agents.iter().skip(usize::try_from(silent).unwrap()).collect();
        world.pass_heard(Span::from_secs(40), &heard);
        let incidents = world.incidents();
        if fleet {
            assert_eq!(incidents.len(), 1, "{silent} of {all}");
            assert_eq!((incidents[0].severity, u64::from(incidents[0].firing)), (Severity::P0, silent));
        } else {
            assert_eq!(incidents.len() as u64, silent, "{silent} of {all}");
            assert!(incidents.iter().all(|incident| incident.severity == Severity::P2));
        }
    }
}

#[test]
fn hosts_that_fall_silent_one_after_another_are_gathered_into_the_fleets_incident() {
    let mut world = World::new();
    let agents: Vec<Agent> = (1..=10).map(|at| Agent::new(&alloc::format!("h-{at}"), at)).collect();
    for agent in &agents {
        agent.connect(&mut world);
        world.pass(Span::from_secs(2));
    }
    world.pass(Span::from_secs(40));
    let open: Vec<Incident> =
        world.incidents().into_iter().filter(|found| found.state != State::Resolved).collect();
    assert_eq!(open.len(), 1, "{open:#?}");
    assert_eq!((open[0].severity, open[0].firing, open[0].hosts.len()), (Severity::P0, 10, 10));
    assert_eq!(open[0].title, "10 of 10 hosts are silent");
    for agent in &agents {
        world.input(Input::Heard(vec![heard(agent)]));
    }
    let all: Vec<&Agent> = agents.iter().collect();
    world.pass_heard(Span::from_secs(11), &all);
    assert!(world.incidents().iter().all(|found| found.state == State::Resolved));
}

fn checks(world: &mut World, host: &HostId) -> Vec<view::Check> {
    world.services(host).into_iter().flat_map(|service| service.checks).collect()
}

fn assert_unknown(world: &mut World, host: &HostId, why: &str, since: Wall) {
    let all = checks(world, host);
    assert_eq!(all.len(), 4);
    for check in all {
        assert_eq!((check.verdict, check.cause.as_str(), check.since), (Verdict::Unknown, why, Some(since)));
    }
    let host = world.host(host);
    assert_eq!((host.checks, host.not_up), (4, 4), "hosts and services say the same");
}

#[test]
fn the_checks_of_a_host_that_is_not_there_are_unknown_since_it_went_and_say_why() {
    let mut world = World::new();
    let mut agent = Agent::new("web-1", 1);
    agent.connect(&mut world);
    agent.say(&mut world, space(Verdict::Down));
    let last = world.now.wall;
    world.pass(Span::from_secs(300));
    let silent = Wall::from_micros(last.micros() + 25_000_000);
    assert_unknown(&mut world, &agent.host, "web-1 is silent", silent);
    world.input(Input::Heard(vec![heard(&agent)]));
    assert_eq!(world.host(&agent.host).not_up, 1);
    world.input(Input::Session(Fact::Goodbye { session: agent.session }));
    let stopped = world.now.wall;
    world.pass(Span::from_secs(5));
    assert_unknown(&mut world, &agent.host, "its agent was stopped", stopped);
}

#[test]
fn the_checks_of_a_quarantined_host_are_unknown_and_say_why() {
    let mut world = World::new();
    let ((first, nonce), (second, new)) = second_session(&mut world);
    answers(&mut world, &first, nonce);
    answers(&mut world, &second, new);
    let since = world.now.wall;
    world.pass(Span::from_secs(5));
    assert_unknown(&mut world, &first.host, "web-1 is quarantined", since);
}

#[test]
fn after_a_restart_of_the_collector_nothing_is_known_of_a_host_until_it_is_heard() {
    let mut world = World::new();
    let mut agent = Agent::new("web-1", 1);
    agent.connect(&mut world);
    world.pass(Span::from_secs(20));
    world.restart();
    let since = world.now.wall;
    world.pass(Span::from_secs(50));
    assert_eq!(world.host(&agent.host).state, HostState::Away);
    assert_unknown(&mut world, &agent.host, "not heard since the collector's restart", since);
    agent.session = SessionId(2);
    agent.connect(&mut world);
    assert!(checks(&mut world, &agent.host).iter().all(|check| check.verdict == Verdict::Up));
    agent.close(&mut world);
    assert!(checks(&mut world, &agent.host).iter().all(|check| check.verdict == Verdict::Up), "a blink");
}
