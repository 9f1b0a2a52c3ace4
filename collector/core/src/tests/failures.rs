//! What fails on one host: incidents, roots, outcomes.

use super::*;
use crate::incident::{Severity, State};

#[test]
fn a_killed_service_that_comes_back_is_one_incident_with_cause_and_proof() {
    let mut world = World::new();
    let mut agent = Agent::new("web-1", 1);
    agent.connect(&mut world);
    agent.say(&mut world, process(Verdict::Down));
    agent.say(&mut world, killed(4711));
    agent.say(&mut world, evidence("worker 3 hangs"));
    let open = world.the_incident();
    assert_eq!(open.incident.title, "nginx on web-1: was killed by SIGKILL");
    assert_eq!(
        open.incident.cause,
        "nginx (pid 4711) was killed by SIGKILL after 3 h 2 min; last printed: worker 3 hangs"
    );
    assert_eq!((open.incident.state, open.incident.severity), (State::Open, Severity::P2));
    assert_eq!(open.incident.severity_rule, "sev-service-down");
    assert!(open.reasons.iter().any(|(code, _)| *code == "process-before-checks"), "{:?}", open.reasons);
    agent.say(&mut world, restart(1));
    agent.say(&mut world, started(4712));
    agent.say(&mut world, process(Verdict::Up));
    assert_eq!(world.the_incident().incident.state, State::Open, "a blink proves nothing");
    world.pass_heard(Span::from_secs(1), &[&agent]);
    assert_eq!(world.the_incident().incident.state, State::Verifying);
    world.pass_heard(Span::from_secs(4), &[&agent]);
    agent.say(&mut world, held());
    let over = world.the_incident();
    assert_eq!(
        (over.incident.state, over.incident.outcome.as_str()),
        (State::Resolved, "recovered, verified")
    );
    assert_eq!(over.incident.firing, 0);
    for code in
        ["incident-opened", "service-died", "evidence", "remedy-begun", "remedy-held", "incident-resolved"]
    {
        assert!(codes(&over).contains(&code), "{code} in {:?}", codes(&over));
    }
    let services = world.services(&agent.host);
    let nginx = services.iter().find(|found| found.service == Some(name(SERVICE))).unwrap();
    assert_eq!((nginx.pid, nginx.remedies, nginx.verdict), (4712, 1, Verdict::Up));
}

#[test]
fn three_kills_within_a_minute_are_one_incident_that_ends_recovered_and_verified() {
    let mut world = World::new();
    let mut agent = Agent::new("web-1", 1);
    agent.connect(&mut world);
    for pid in [100, 200, 300] {
        agent.killed_and_healed(&mut world, pid);
        world.pass_heard(Span::from_secs(10), &[&agent]);
    }
    let incident = world.the_incident().incident;
    assert_eq!((incident.state, incident.episode), (State::Resolved, 3));
    assert_eq!(incident.outcome, "recovered, verified");
}

#[test]
fn what_is_not_healed_stays_open_as_p1_and_says_why() {
    let mut world = World::new();
    let mut agent = Agent::new("web-1", 1);
    agent.connect(&mut world);
    for said in [process(Verdict::Down), killed(1), restart(1), not_held(1), breaker_open()] {
        agent.say(&mut world, said);
    }
    world.pass_heard(Span::from_secs(3600), &[&agent]);
    let incident = world.the_incident().incident;
    assert_eq!((incident.state, incident.severity), (State::Open, Severity::P1));
    assert_eq!(incident.severity_rule, "sev-not-healed");
    let why = "nginx: not healed, because it failed 3 times in the same way";
    assert!(incident.outcome.starts_with(why), "{}", incident.outcome);
    let services = world.services(&agent.host);
    assert!(services.iter().any(|found| found.not_healed.contains("3 times")));
    for said in [Said::Breaker(BreakerMoved { service: name(SERVICE), to: Breaker::Closed }), started(5)] {
        agent.say(&mut world, said);
    }
    agent.say(&mut world, process(Verdict::Up));
    agent.say(&mut world, held());
    let incident = world.the_incident().incident;
    assert_eq!((incident.state, incident.outcome.as_str()), (State::Resolved, "recovered, verified"));
    assert_eq!(incident.severity, Severity::P1, "severity only rises");
}

#[test]
fn a_restart_that_does_not_hold_opens_what_was_verifying() {
    let mut world = World::new();
    let mut agent = Agent::new("web-1", 1);
    agent.connect(&mut world);
    for said in [killed(1), restart(1), started(2)] {
        agent.say(&mut world, said);
    }
    world.pass_heard(Span::from_secs(1), &[&agent]);
    assert_eq!(world.the_incident().incident.state, State::Verifying);
    agent.say(&mut world, not_held(1));
    let incident = world.the_incident().incident;
    assert_eq!((incident.state, incident.episode), (State::Open, 1));
}

#[test]
fn a_service_that_dies_again_and_again_is_never_told_to_be_verifying() {
    let mut world = World::new();
    let mut agent = Agent::new("web-1", 1);
    agent.connect(&mut world);
    agent.say(&mut world, process(Verdict::Down));
    agent.say(&mut world, killed(1));
    for attempt in 1..=3 {
        for said in [restart(attempt), started(2), process(Verdict::Up)] {
            agent.say(&mut world, said);
        }
        world.pass(Span::from_millis(900));
        for said in [process(Verdict::Down), killed(2), not_held(attempt)] {
            agent.say(&mut world, said);
        }
        world.pass_heard(Span::from_secs(5), &[&agent]);
    }
    agent.say(&mut world, breaker_open());
    let told = world.told();
    assert!(told.iter().all(|(code, _)| *code != "incident-verifying"), "{told:?}");
    let incident = world.the_incident().incident;
    assert_eq!((incident.state, incident.severity, incident.episode), (State::Open, Severity::P1, 1));
}

#[test]
fn a_death_is_not_over_while_its_process_check_fails() {
    let mut world = World::new();
    let mut agent = Agent::new("web-1", 1);
    agent.connect(&mut world);
    for said in [process(Verdict::Down), killed(1), started(2)] {
        agent.say(&mut world, said);
    }
    world.pass_heard(Span::from_secs(5), &[&agent]);
    assert_eq!(world.the_incident().incident.firing, 2);
    agent.say(&mut world, process(Verdict::Up));
    assert_eq!(world.the_incident().incident.firing, 1);
    world.restart();
    world.pass(Span::from_secs(1));
    assert_eq!(world.the_incident().incident.firing, 0, "a restart of the collector forgets no deadline");
}

#[test]
fn failures_within_60_s_on_one_host_are_one_incident_and_later_ones_another() {
    let mut world = World::new();
    let mut agent = Agent::new("web-1", 1);
    agent.connect(&mut world);
    agent.say(&mut world, tcp(Verdict::Down));
    world.pass_heard(Span::from_secs(60), &[&agent]);
    agent.say(&mut world, space(Verdict::Down));
    let one = world.the_incident();
    assert_eq!((one.incident.firing, one.incident.signals), (2, 2));
    assert!(one.root.contains("redis:tcp"), "the first seen is the root: {}", one.root);
    assert_eq!(one.symptoms, ["space:/ is down"]);
    assert!(one.reasons.iter().any(|(code, _)| *code == "same-host-window"));
    world.pass_heard(Span::from_secs(61), &[&agent]);
    agent.say(&mut world, http(Verdict::Down));
    assert_eq!(world.incidents().len(), 2);
}

#[test]
fn the_dead_process_is_the_root_of_its_checks_whichever_was_seen_first() {
    let mut world = World::new();
    let mut agent = Agent::new("web-1", 1);
    agent.connect(&mut world);
    agent.say(&mut world, http(Verdict::Down));
    assert!(world.the_incident().root.starts_with("nginx:http is down"));
    agent.say(&mut world, tcp(Verdict::Down));
    agent.say(&mut world, killed(9));
    let detail = world.the_incident();
    assert!(detail.root.contains("SIGKILL"), "{}", detail.root);
    assert!(detail.reasons.iter().any(|(code, _)| *code == "process-before-checks"));
}

#[test]
fn a_check_without_remedy_must_hold_for_10_s() {
    let mut world = World::new();
    let mut agent = Agent::new("web-1", 1);
    agent.connect(&mut world);
    agent.say(&mut world, space(Verdict::Degraded));
    let incident = world.the_incident().incident;
    assert_eq!((incident.severity, incident.severity_rule), (Severity::P3, "sev-host-pressure"));
    agent.say(&mut world, space(Verdict::Down));
    let incident = world.the_incident().incident;
    assert_eq!((incident.severity, incident.firing), (Severity::P2, 1));
    assert!(incident.cause.contains("97.3 %"), "{}", incident.cause);
    agent.say(&mut world, space(Verdict::Up));
    world.pass_heard(Span::from_secs(9), &[&agent]);
    assert_eq!(world.the_incident().incident.state, State::Verifying);
    world.pass_heard(Span::from_secs(2), &[&agent]);
    let incident = world.the_incident().incident;
    assert_eq!((incident.state, incident.outcome.as_str()), (State::Resolved, "recovered, held for 10 s"));
}

#[test]
fn the_same_root_opens_its_incident_again_within_30_min_and_a_new_one_later() {
    let mut world = World::new();
    let mut agent = Agent::new("web-1", 1);
    agent.connect(&mut world);
    let fails_and_recovers = |world: &mut World, agent: &mut Agent| {
        agent.say(world, tcp(Verdict::Down));
        agent.say(world, tcp(Verdict::Up));
        world.pass_heard(Span::from_secs(11), &[&*agent]);
    };
    fails_and_recovers(&mut world, &mut agent);
    world.pass_heard(Span::from_secs(29 * 60), &[&agent]);
    fails_and_recovers(&mut world, &mut agent);
    assert_eq!(world.the_incident().incident.episode, 2);
    world.pass_heard(Span::from_secs(31 * 60), &[&agent]);
    fails_and_recovers(&mut world, &mut agent);
    assert_eq!(world.incidents().len(), 2);
}

#[test]
fn late_failures_never_page_and_are_told_as_over() {
    let mut world = World::new();
    let mut agent = Agent::new("web-1", 1);
    agent.connect(&mut world);
    for said in
        [process(Verdict::Down), killed(4711), evidence("boom"), restart(1), started(5), process(Verdict::Up)]
    {
        agent.say_late(&mut world, said);
    }
    assert!(world.incidents().is_empty(), "nothing opens while the end is not known");
    world.take_effects();
    agent.say_late(&mut world, held());
    let told: Vec<&str> = world.take_effects().iter().filter_map(told).collect();
    assert_eq!(told, ["incident-late"]);
    let detail = world.the_incident();
    assert_eq!((detail.incident.state, detail.incident.late), (State::Resolved, true));
    assert_eq!(detail.incident.outcome, "recovered, verified");
    assert!(detail.incident.cause.contains("SIGKILL"), "{}", detail.incident.cause);
    assert!(detail.timeline.iter().filter(|entry| entry.host.is_some()).all(|entry| entry.late));
}

fn told(effect: &Effect) -> Option<&'static str> {
    match effect {
        Effect::Told(change) => Some(change.code),
        _ => None,
    }
}

#[test]
fn late_facts_explain_what_stands() {
    let mut world = World::new();
    let mut agent = Agent::new("web-1", 1);
    agent.open(&mut world);
    agent.stands(&mut world, &[("nginx:process", CheckKind::Process, Some(SERVICE))]);
    assert_eq!(world.the_incident().incident.state, State::Open, "what stands opens an incident");
    agent.say_late(&mut world, killed(4711));
    agent.say_late(&mut world, evidence("out of descriptors"));
    let detail = world.the_incident();
    assert!(detail.incident.cause.contains("was killed by SIGKILL"), "{}", detail.incident.cause);
    assert!(detail.incident.cause.ends_with("last printed: out of descriptors"));
    assert!(detail.timeline.iter().any(|entry| entry.code == "service-died" && entry.late));
}

#[test]
fn a_recovery_that_was_lost_is_seen_by_what_no_longer_stands() {
    let mut world = World::new();
    let mut agent = Agent::new("web-1", 1);
    agent.connect(&mut world);
    for said in [process(Verdict::Down), killed(1), restart(1)] {
        agent.say(&mut world, said);
    }
    agent.close(&mut world);
    agent.session = SessionId(2);
    agent.open(&mut world);
    assert_eq!(world.the_incident().incident.firing, 2, "a new session alone proves nothing");
    agent.stands(&mut world, &[]);
    assert_eq!(world.the_incident().incident.state, State::Verifying);
    world.pass_heard(Span::from_secs(11), &[&agent]);
    assert_eq!(world.the_incident().incident.outcome, "recovered, held for 10 s");
    agent.say(&mut world, held());
    assert_eq!(world.the_incident().incident.outcome, "recovered, verified");
}

#[test]
fn a_long_story_keeps_its_beginning_and_its_end() {
    let mut world = World::new();
    let mut agent = Agent::new("web-1", 1);
    agent.connect(&mut world);
    agent.say(&mut world, killed(1));
    for attempt in 1..=300 {
        agent.say(&mut world, restart(attempt));
    }
    let detail = world.the_incident();
    assert_eq!(detail.timeline.len(), 200);
    assert_eq!(detail.left_out, 302 - 200);
    assert_eq!(detail.timeline[0].code, "incident-opened");
    assert!(detail.timeline[199].text.contains("attempt 300"));
    assert_eq!(texts(&detail).matches("attempt 10)").count(), 1);
}
