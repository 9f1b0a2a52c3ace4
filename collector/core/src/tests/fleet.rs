//! Who is there: silence, planned stops, restarts, second sessions.

use super::*;
use crate::incident::{Severity, State, Verb};
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

/// A session and another one of the same host that waits for it, each with the nonce that it is to answer.
pub(super) fn second_session(world: &mut World) -> ((Agent, u64), (Agent, u64)) {
    let first = Agent::new("web-1", 1);
    first.connect(world);
    let mut second = Agent::new("web-1", 2);
    second.run = Run(5);
    world.take_effects();
    second.open(world);
    let orders = world.session_orders();
    let [Order::Challenge { session: to, nonce: new }, Order::Challenge { session, nonce }] = orders[..]
    else {
        panic!("{orders:?}")
    };
    assert_eq!((to, session), (second.session, first.session), "both are asked");
    assert_ne!(new, nonce);
    ((first, nonce), (second, new))
}

pub(super) fn answers(world: &mut World, agent: &Agent, nonce: u64) {
    world.input(Input::Session(Fact::Answered { session: agent.session, nonce }));
}

#[test]
fn a_second_session_takes_over_when_the_first_does_not_answer() {
    let mut world = World::new();
    let (_, (mut second, _)) = second_session(&mut world);
    let kept = second.frame(&world, started(1));
    second.batch(&mut world, Lane::Live, kept);
    assert!(world.session_orders().is_empty(), "who waits gets no answer");
    world.pass(Span::from_secs(2));
    let orders = world.session_orders();
    assert!(matches!(orders[0], Order::Welcome { session, .. } if session == second.session), "{orders:?}");
    assert!(matches!(orders[1], Order::Ack { session, .. } if session == second.session), "{orders:?}");
    assert!(world.incidents().is_empty());
}

#[test]
fn a_second_session_takes_over_at_once_when_the_first_ends() {
    let mut world = World::new();
    let ((first, _), (second, _)) = second_session(&mut world);
    first.close(&mut world);
    let orders = world.session_orders();
    assert!(
        matches!(orders[..], [Order::Welcome { session, .. }] if session == second.session),
        "{orders:?}"
    );
}

#[test]
fn two_live_sessions_are_both_quarantined_until_an_operator_resolves_it() {
    let mut world = World::new();
    let ((first, nonce), (second, new)) = second_session(&mut world);
    answers(&mut world, &first, nonce);
    assert_eq!(
        world.host(&first.host).state,
        HostState::Connected,
        "that one lives says nothing of the other"
    );
    answers(&mut world, &second, new);
    let refused: Vec<(SessionId, &str)> = world
        .session_orders()
        .into_iter()
        .filter_map(|order| match order {
            Order::Refuse { session, code } => Some((session, code)),
            _ => None,
        })
        .collect();
    assert_eq!(refused, [(first.session, "quarantined"), (second.session, "quarantined")]);
    let incident = world.the_incident().incident;
    assert_eq!((incident.severity, incident.severity_rule), (Severity::P1, "sev-duplicate-identity"));
    assert_eq!(world.host(&first.host).state, HostState::Quarantined);
    let third = Agent::new("web-1", 3);
    third.open(&mut world);
    assert!(matches!(world.session_orders()[..], [Order::Refuse { code: "quarantined", .. }]));
    world.pass(Span::from_secs(300));
    assert_eq!(world.incidents().len(), 1, "a quarantined host is not silent");
    world
        .command(incident.id, Some(incident.revision), Verb::Resolve("the clone is off".to_string()))
        .unwrap();
    assert!(codes(&world.the_incident()).contains(&"quarantine-lifted"));
    let fourth = Agent::new("web-1", 4);
    world.take_effects();
    fourth.connect(&mut world);
    assert!(matches!(world.session_orders()[..], [Order::Welcome { .. }]));
}

#[test]
fn late_answers_after_one_session_replaced_the_other_mean_that_both_live() {
    for first_is_first in [true, false] {
        let mut world = World::new();
        let ((first, nonce), (second, new)) = second_session(&mut world);
        world.pass(Span::from_secs(2));
        let both = [(&first, nonce), (&second, new)];
        for (agent, nonce) in if first_is_first { both } else { [both[1], both[0]] } {
            assert_eq!(world.host(&first.host).state, HostState::Connected);
            answers(&mut world, agent, nonce);
        }
        assert_eq!(world.host(&first.host).state, HostState::Quarantined);
    }
}

#[test]
fn a_newcomer_that_was_overtaken_by_its_agents_next_session_is_sent_away() {
    let mut world = World::new();
    let ((mut alive, nonce), (mut dead, _)) = second_session(&mut world);
    let old_words = dead.frame(&world, started(1));
    dead.batch(&mut world, Lane::Live, old_words);
    answers(&mut world, &alive, nonce);
    world.pass(Span::from_secs(1));
    assert!(world.session_orders().is_empty());
    world.pass(Span::from_secs(1));
    let orders = world.session_orders();
    let [Order::Refuse { session, code: "no-answer" }] = orders[..] else { panic!("{orders:?}") };
    assert_eq!(session, dead.session);
    alive.say(&mut world, started(2));
    let host = world.host(&alive.host);
    assert_eq!((host.state, host.frames), (HostState::Connected, 1), "nothing of the dead one is believed");
    assert!(world.incidents().is_empty());
}

#[test]
fn what_was_on_its_way_since_before_an_agent_ended_is_not_believed_and_quarantines_nobody() {
    let mut world = World::new();
    let ((mut first, nonce), (second, new)) = second_session(&mut world);
    world.pass(Span::from_secs(2));
    first.say(&mut world, started(1));
    answers(&mut world, &second, new);
    answers(&mut world, &first, nonce + 1);
    assert_eq!(world.host(&first.host).state, HostState::Connected);
    assert_eq!(world.host(&first.host).frames, 0, "nothing of it is believed");
    first.close(&mut world);
    second.stands(&mut world, &[]);
    assert_eq!(world.host(&first.host).state, HostState::Connected);
}

#[test]
fn who_waits_may_send_8_batches_and_no_more() {
    let mut world = World::new();
    let (_, (mut second, _)) = second_session(&mut world);
    for _ in 0..8 {
        second.say(&mut world, started(1));
    }
    assert!(world.session_orders().is_empty());
    second.say(&mut world, started(1));
    assert!(matches!(world.session_orders()[..], [Order::Refuse { code: "too-many", .. }]));
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
