//! What watchers are told: a line per fact, none twice.

use super::*;

pub(super) fn codes_of(told: &[(&'static str, String)]) -> Vec<&'static str> {
    told.iter().map(|(code, _)| *code).collect()
}

#[test]
fn a_failure_that_opens_an_incident_is_one_line_and_one_that_joins_it_another() {
    let mut world = World::new();
    let mut agent = Agent::new("web-1", 1);
    agent.connect(&mut world);
    world.told();
    agent.say(&mut world, tcp(Verdict::Down));
    assert_eq!(codes_of(&world.told()), ["incident-opened"]);
    agent.say(&mut world, killed(4711));
    let told = world.told();
    assert_eq!(codes_of(&told), ["incident-joined"]);
    assert_eq!(told[0].1, "nginx (pid 4711) was killed by SIGKILL after 3 h 2 min");
    let detail = world.the_incident();
    assert!(codes(&detail).contains(&"service-died"), "the timeline has the event all the same");
}

#[test]
fn what_was_part_of_the_incident_before_does_not_join_it_again() {
    let mut world = World::new();
    let mut agent = Agent::new("web-1", 1);
    agent.connect(&mut world);
    agent.say(&mut world, killed(1));
    agent.say(&mut world, tcp(Verdict::Down));
    agent.say(&mut world, tcp(Verdict::Up));
    world.told();
    agent.say(&mut world, tcp(Verdict::Down));
    agent.say(&mut world, killed(2));
    let told = world.told();
    assert_eq!(codes_of(&told), ["check-down", "service-died"], "{told:?}");
}

#[test]
fn what_opens_an_incident_again_is_one_line() {
    let mut world = World::new();
    let mut agent = Agent::new("web-1", 1);
    agent.connect(&mut world);
    agent.killed_and_healed(&mut world, 1);
    world.told();
    agent.say(&mut world, killed(2));
    assert_eq!(codes_of(&world.told()), ["incident-reopened"]);
}

#[test]
fn two_that_join_in_one_batch_are_both_told_and_500_are_told_in_8_lines() {
    let mut world = World::new();
    let mut agent = Agent::new("web-1", 1);
    agent.connect(&mut world);
    agent.say(&mut world, space(Verdict::Down));
    world.told();
    let mut both = agent.frame(&world, tcp(Verdict::Down));
    both.extend(agent.frame(&world, http(Verdict::Down)));
    agent.batch(&mut world, Lane::Live, both);
    assert_eq!(codes_of(&world.told()), ["incident-joined", "incident-joined"]);
    let mut many = vec![];
    for number in 0..500 {
        let check = alloc::format!("check-{number}");
        many.extend(agent.frame(&world, verdict(&check, CheckKind::Tcp, None, Verdict::Down)));
    }
    agent.batch(&mut world, Lane::Live, many);
    let told = world.told();
    assert_eq!(told.len(), 8, "{told:?}");
    assert!(told[7].1.starts_with("check-499 is down"), "the last is told: {told:?}");
    assert_eq!(world.the_incident().incident.firing, 503);
}

#[test]
fn a_process_that_was_started_is_no_return_while_its_other_checks_were_not_read() {
    let mut world = World::new();
    let mut agent = Agent::new("web-1", 1);
    agent.connect(&mut world);
    agent.say(&mut world, http(Verdict::Unknown));
    for said in [process(Verdict::Down), killed(1), restart(1), started(2), process(Verdict::Up)] {
        agent.say(&mut world, said);
    }
    world.pass_heard(Span::from_secs(3), &[&agent]);
    assert_eq!(world.the_incident().incident.firing, 0);
    let told = codes_of(&world.told());
    assert!(!told.contains(&"incident-verifying"), "{told:?}");
    agent.say(&mut world, http(Verdict::Up));
    let told = world.told();
    let back = ("incident-verifying", "back; it must prove that it holds".to_string());
    assert!(told.contains(&back), "{told:?}");
    agent.say(&mut world, held());
    assert_eq!(world.the_incident().incident.outcome, "recovered, verified");
}

#[test]
fn what_waits_for_a_check_that_is_never_read_goes_on_with_the_next_session() {
    let mut world = World::new();
    let mut agent = Agent::new("web-1", 1);
    agent.connect(&mut world);
    agent.say(&mut world, http(Verdict::Unknown));
    for said in [killed(1), restart(1), started(2)] {
        agent.say(&mut world, said);
    }
    world.pass_heard(Span::from_secs(3), &[&agent]);
    agent.close(&mut world);
    agent.session = SessionId(2);
    agent.connect(&mut world);
    world.pass_heard(Span::from_secs(11), &[&agent]);
    assert_eq!(world.the_incident().incident.outcome, "recovered, held for 10 s");
}

#[test]
fn a_host_that_falls_silent_again_says_so_in_the_timeline() {
    let mut world = World::new();
    let agent = Agent::new("web-1", 1);
    agent.connect(&mut world);
    for _ in 0..2 {
        world.pass(Span::from_secs(40));
        world.pass_heard(Span::from_secs(12), &[&agent]);
    }
    let found = world.the_incident();
    assert_eq!(found.incident.episode, 2);
    let silences: Vec<&str> = found
        .timeline
        .iter()
        .filter(|entry| entry.code == "host-silent")
        .map(|entry| entry.text.as_str())
        .collect();
    let first = "web-1 is silent: nothing was heard of it for 25 s";
    assert_eq!(silences, [first, "web-1 is silent again: nothing was heard of it for 25 s"]);
    let opened = codes_of(&world.told()).into_iter().filter(|code| *code == "host-silent").count();
    assert_eq!(opened, 0, "a line per fact: opening told it");
}
