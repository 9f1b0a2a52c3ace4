//! Silence of many hosts, at its edges: who belongs to the fleet's incident, and who is silent for itself.

use super::*;
use crate::identity;
use crate::incident::{Severity, State};

/// So many hosts, all connected, named `h-1` and on.
fn fleet(world: &mut World, count: u64) -> Vec<Agent> {
    let agents: Vec<Agent> = (1..=count).map(|at| Agent::new(&alloc::format!("h-{at}"), at)).collect();
    agents.iter().for_each(|agent| agent.connect(world));
    agents
}

fn from(agents: &[Agent], first: usize) -> Vec<&Agent> {
    agents.iter().skip(first).collect()
}

/// Of 16 hosts five are silent since a moment ago: the fleet's incident is open.
fn five_of_16_silent() -> (World, Vec<Agent>) {
    let mut world = World::new();
    let agents = fleet(&mut world, 16);
    world.pass_heard(Span::from_secs(26), &from(&agents, 5));
    let incident = world.the_incident().incident;
    assert_eq!((incident.severity, incident.firing), (Severity::P0, 5));
    (world, agents)
}

#[test]
fn hosts_that_are_stopped_are_no_part_of_the_fleet() {
    let mut world = World::new();
    let agents = fleet(&mut world, 18);
    for stopped in &agents[16..] {
        world.input(Input::Session(Fact::Goodbye { session: stopped.session }));
    }
    world.pass_heard(Span::from_secs(26), &from(&agents[..16], 5));
    let incident = world.the_incident().incident;
    assert_eq!((incident.severity, incident.title.as_str()), (Severity::P0, "5 of 16 hosts are silent"));
}

/// Of 16 that were seen five are a third, of 36 with those that are only expected they would be a seventh.
#[test]
fn hosts_that_were_never_seen_are_no_part_of_the_fleet() {
    let mut world = World::new();
    let agents = fleet(&mut world, 16);
    for at in 0..20_u8 {
        let (hash, key) = (Box::new([at; 32]), Box::new([7; 32]));
        let host = || Box::new(host_id(&alloc::format!("new-{at}")));
        let operator = Box::new(name("ann"));
        let mint = identity::Fact::Mint { reply: Token(1), operator, host: host(), hash: hash.clone() };
        world.input(Input::Identity(mint));
        world.input(Input::Identity(identity::Fact::Enrol { reply: Token(2), host: host(), hash, key }));
        assert_eq!(world.host(&host()).state, view::HostState::Expected);
    }
    world.pass_heard(Span::from_secs(26), &from(&agents, 5));
    let incident = world.the_incident().incident;
    assert_eq!((incident.severity, incident.title.as_str()), (Severity::P0, "5 of 16 hosts are silent"));
}

#[test]
fn a_host_that_falls_silent_while_the_fleets_incident_is_open_is_part_of_it_however_late() {
    let (mut world, agents) = five_of_16_silent();
    let id = world.incidents()[0].id;
    world.pass_heard(Span::from_secs(10), &from(&agents, 5));
    world.pass_heard(Span::from_secs(30), &from(&agents, 6));
    let one_more = world.the_incident().incident;
    assert_eq!((one_more.id, one_more.firing), (id, 6));
    world.pass_heard(Span::from_secs(300), &from(&agents, 6));
    world.pass_heard(Span::from_secs(30), &from(&agents, 7));
    let late = world.the_incident().incident;
    assert_eq!((late.id, late.firing, late.title.as_str()), (id, 7, "7 of 16 hosts are silent"));
}

#[test]
fn a_host_that_falls_silent_just_as_all_are_back_is_still_the_fleets_trouble() {
    let (mut world, agents) = five_of_16_silent();
    world.pass_heard(Span::from_secs(20), &from(&agents, 6));
    world.pass_heard(Span::from_secs(4), &[&from(&agents, 6)[..], &from(&agents[..5], 0)].concat());
    assert_eq!(world.the_incident().incident.state, State::Verifying);
    world.pass_heard(Span::from_secs(2), &[&from(&agents, 6)[..], &from(&agents[..5], 0)].concat());
    let incident = world.the_incident().incident;
    assert_eq!((incident.state, incident.firing), (State::Open, 1));
}

#[test]
fn a_host_that_falls_silent_once_the_fleets_incident_is_over_is_silent_for_itself() {
    let (mut world, agents) = five_of_16_silent();
    world.pass_heard(Span::from_secs(11), &from(&agents, 0));
    assert_eq!(world.the_incident().incident.state, State::Resolved);
    world.pass_heard(Span::from_secs(26), &from(&agents, 1));
    let all = world.incidents();
    let (new, fleets) = (&all[0], &all[1]);
    assert_eq!((new.severity, new.severity_rule, new.firing), (Severity::P2, "sev-host-silent", 1));
    assert_eq!((fleets.state, fleets.firing), (State::Resolved, 0));
}

#[test]
fn the_fleets_finding_says_that_many_are_silent_and_that_it_is_over_once_all_are_back() {
    let (mut world, agents) = five_of_16_silent();
    let found = world.the_incident();
    assert!(found.root.starts_with("many hosts fell silent") && !found.root.ends_with("(over)"));
    let reasons: Vec<&str> = found.reasons.iter().map(|(code, _)| *code).collect();
    assert_eq!(reasons, ["sev-fleet-silent", "first-seen"]);
    world.pass_heard(Span::from_secs(11), &from(&agents, 0));
    assert!(world.the_incident().root.ends_with("(over)"));
}

#[test]
fn the_first_silence_of_a_host_in_an_incident_is_not_told_as_another_one() {
    let mut world = World::new();
    let mut agents = fleet(&mut world, 2);
    agents[0].say(&mut world, space(Verdict::Down));
    world.pass_heard(Span::from_secs(30), &[&agents[1]]);
    let found = world.the_incident();
    assert!(codes(&found).contains(&"check-down"));
    let silence = "h-1 is silent: nothing was heard of it for 25 s";
    assert!(found.timeline.iter().any(|entry| entry.text == silence), "{}", texts(&found));
}

#[test]
fn that_an_operator_resolves_something_gives_no_host_more_time() {
    let mut world = World::new();
    let mut agents = fleet(&mut world, 2);
    agents[0].say(&mut world, space(Verdict::Down));
    let id = world.the_incident().incident.id;
    world.pass_heard(Span::from_secs(10), &[&agents[0]]);
    world.command(id, None, incident::Verb::Resolve(String::new())).unwrap();
    world.pass_heard(Span::from_secs(16), &[&agents[0]]);
    assert_eq!(world.host(&agents[1].host).state, view::HostState::Silent);
}

#[test]
fn a_stop_that_lasts_is_told_when_it_is_due_and_not_with_something_else_that_is() {
    let mut world = World::new();
    let mut agents = fleet(&mut world, 2);
    world.input(Input::Session(Fact::Goodbye { session: agents[1].session }));
    agents[0].say(&mut world, space(Verdict::Down));
    agents[0].say(&mut world, space(Verdict::Up));
    world.pass_heard(Span::from_secs(20), &[&agents[0]]);
    assert_eq!(world.the_incident().incident.state, State::Resolved);
    world.now.mono = world.now.mono.plus(Span::from_secs(20 * 60));
    world.input(Input::Heard(vec![heard(&agents[0])]));
    world.input(Input::Time);
    let rules: Vec<&str> = world.incidents().iter().map(|found| found.severity_rule).collect();
    assert_eq!(rules[0], "sev-overstay", "also where the time is handed in late");
}
