//! What somebody stopped or holds on purpose, and what only the backlog told of, which ends without a page.

use super::*;
use crate::incident::State;

fn intent(to: Intent) -> Said {
    let service = name(SERVICE);
    Said::Intent(IntentChanged { service, from: Intent::Run, to, witness: Witness::Job })
}

/// What should be of the service, as operators see it.
fn should_be(world: &mut World, agent: &Agent) -> Intent {
    let services = world.services(&agent.host);
    services.into_iter().find(|found| found.service == Some(name(SERVICE))).unwrap().intent
}

#[test]
fn an_incident_of_a_service_that_somebody_stops_is_over_and_its_checks_are_unknown() {
    for to in [Intent::Stopped, Intent::Masked, Intent::Unknown] {
        let mut world = World::new();
        let mut agent = Agent::new("web-1", 1);
        agent.connect(&mut world);
        for said in [process(Verdict::Down), killed(1), space(Verdict::Up), intent(to)] {
            agent.say(&mut world, said);
        }
        assert_eq!(should_be(&mut world, &agent), to);
        let detail = world.the_incident();
        assert_eq!((detail.incident.state, detail.incident.firing), (State::Resolved, 0), "{to:?}");
        let verdicts: Vec<(Option<Name>, Verdict)> = world
            .services(&agent.host)
            .into_iter()
            .flat_map(|found| {
                found.checks.into_iter().map(move |check| (found.service.clone(), check.verdict))
            })
            .collect();
        for (service, verdict) in verdicts {
            let expected = if service == Some(name(SERVICE)) { Verdict::Unknown } else { Verdict::Up };
            assert_eq!(verdict, expected, "{service:?} after {to:?}");
        }
        world.restart();
    }
}

#[test]
fn a_service_that_should_run_again_goes_on_failing() {
    let mut world = World::new();
    let mut agent = Agent::new("web-1", 1);
    agent.connect(&mut world);
    for said in [process(Verdict::Down), killed(1), intent(Intent::Run)] {
        agent.say(&mut world, said);
    }
    assert_eq!(should_be(&mut world, &agent), Intent::Run);
    assert_eq!(world.the_incident().incident.state, State::Open);
}

#[test]
fn a_late_intent_counts_if_no_newer_one_was_told_and_none_of_another_run() {
    let mut world = World::new();
    let mut agent = Agent::new("web-1", 1);
    agent.connect(&mut world);
    agent.say_late(&mut world, intent(Intent::Stopped));
    assert_eq!(should_be(&mut world, &agent), Intent::Stopped, "the first of all");
    agent.say_late(&mut world, intent(Intent::Run));
    assert_eq!(should_be(&mut world, &agent), Intent::Run, "newer in the same run");
    let older = agent.frame(&world, intent(Intent::Masked));
    agent.say(&mut world, intent(Intent::Stopped));
    agent.batch(&mut world, Lane::Backlog, older);
    assert_eq!(should_be(&mut world, &agent), Intent::Stopped, "older than the live one");
    let mut before = Agent { run: Run(3), seq: 100, ..Agent::new("web-1", 1) };
    before.say_late(&mut world, intent(Intent::Run));
    assert_eq!(should_be(&mut world, &agent), Intent::Stopped, "of an earlier run");
}

/// A host whose backlog tells of these; then the story ends as `end` does.
fn told_late(late: &[Said], end: impl FnOnce(&mut World, &mut Agent)) -> World {
    let mut world = World::new();
    let mut agent = Agent::new("web-1", 1);
    agent.connect(&mut world);
    for said in late {
        agent.say_late(&mut world, said.clone());
    }
    end(&mut world, &mut agent);
    world
}

#[test]
fn what_only_the_backlog_told_of_is_over_as_soon_as_something_says_so() {
    let died = [process(Verdict::Down), killed(1), restart(1)];
    let say = |said: Said| move |world: &mut World, agent: &mut Agent| agent.say(world, said);
    let reconnect = |world: &mut World, agent: &mut Agent| {
        agent.close(world);
        agent.session = SessionId(2);
        agent.connect(world);
    };
    for (mut world, outcome) in [
        (told_late(&died, say(held())), "recovered, verified"),
        (told_late(&[space(Verdict::Down)], say(space(Verdict::Up))), "recovered"),
        (told_late(&[tcp(Verdict::Down)], say(tcp(Verdict::Up))), "recovered"),
        (told_late(&[space(Verdict::Down)], reconnect), "recovered; its end was not seen"),
    ] {
        let incident = world.the_incident().incident;
        assert_eq!((incident.state, incident.late), (State::Resolved, true), "{outcome}");
        assert!(incident.outcome.starts_with(outcome), "{} is not {outcome}", incident.outcome);
    }
}

#[test]
fn a_live_failure_takes_over_what_the_backlog_told_of_it() {
    for said in [process(Verdict::Down), killed(2)] {
        let mut world =
            told_late(&[http(Verdict::Down)], |world: &mut World, agent: &mut Agent| agent.say(world, said));
        let detail = world.the_incident();
        assert_eq!((detail.incident.state, detail.incident.late), (State::Open, false));
        assert!(detail.timeline.iter().any(|entry| entry.late), "{:?}", detail.timeline);
    }
}

#[test]
fn a_hold_and_what_the_agent_did_not_see_stand_in_the_incidents_that_they_are_about() {
    let hold = |service: Option<&str>| {
        let service = service.map(name);
        Said::Hold(HoldChanged { service, lasts: Some(Span::from_secs(600)), by: Text::new("ann") })
    };
    let lasted = Span::from_secs(3);
    let blind = Said::Blind(Blind { source: BlindSource::Systemd, lasted, differences: 1 });
    for (said, stands) in
        [(hold(Some(SERVICE)), true), (hold(None), true), (hold(Some("redis")), false), (blind, true)]
    {
        let mut world = World::new();
        let mut agent = Agent::new("web-1", 1);
        agent.connect(&mut world);
        agent.say(&mut world, killed(1));
        let before = world.the_incident().timeline.len();
        agent.say(&mut world, said.clone());
        assert_eq!(world.the_incident().timeline.len(), before + usize::from(stands), "{said:?}");
    }
}
