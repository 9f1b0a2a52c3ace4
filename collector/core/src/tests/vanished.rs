//! What vanished of a host, what came back, what a person accepted; and a stop that lasts too long.

use super::*;
use crate::incident::State;
use picket_proto::event::{Change, ChangeKind, Ended, Gone, Lost, Returned, ThingKind, Vanished};

fn vanished(number: u32, again: bool, service: Option<&str>) -> Said {
    let lost = |kind, text: &str, gone| Lost { kind, name: name(text), owner: None, gone };
    let things = [
        lost(ThingKind::Service, "nginx.service", Gone::NoFile),
        lost(ThingKind::Timer, "nginx.timer", Gone::NoFile),
    ];
    let change =
        Change { kind: ChangeKind::Removed, name: Text::new("nginx 1.24"), before: Span::from_secs(4) };
    Said::Vanished(Vanished {
        number,
        again,
        things: things.into_iter().collect(),
        more: 0,
        service: service.map(name),
        change: Some(change),
        since: Span::from_secs(3),
    })
}

fn returned(number: u32, ended: Ended) -> Said {
    let by = Text::new(if ended == Ended::Accepted { "root" } else { "" });
    let service = None;
    Said::Returned(Returned { number, ended, name: name("nginx.service"), service, by, after: Span::ZERO })
}

fn stopped(to: Intent) -> Said {
    Said::Intent(IntentChanged { service: name(SERVICE), from: Intent::Run, to, witness: Witness::Job })
}

fn connected() -> (World, Agent) {
    let (mut world, agent) = (World::new(), Agent::new("web-1", 1));
    agent.connect(&mut world);
    (world, agent)
}

#[test]
fn a_loss_is_one_incident_that_says_what_changed_just_before_however_often_it_is_told() {
    let (mut world, mut agent) = connected();
    for said in [vanished(1, false, None), vanished(1, true, None)] {
        agent.say(&mut world, said);
    }
    let detail = world.the_incident();
    assert_eq!(detail.incident.title, "nginx.service on web-1: vanished (+1)");
    assert!(detail.incident.cause.contains("package nginx 1.24 was removed, 4 s before"), "{detail:?}");
    assert_eq!((detail.incident.severity_rule, detail.incident.firing), ("sev-vanished", 1));
    agent.say(&mut world, returned(1, Ended::Back));
    world.pass_heard(Span::from_secs(15), &[&agent]);
    assert_eq!(world.the_incident().incident.state, State::Resolved);
    world.restart();
    assert_eq!(world.the_incident().incident.state, State::Resolved);
}

#[test]
fn what_a_person_accepts_is_over_at_once() {
    let (mut world, mut agent) = connected();
    agent.say(&mut world, vanished(4, false, None));
    agent.say(&mut world, returned(4, Ended::Accepted));
    let incident = world.the_incident().incident;
    assert_eq!((incident.state, incident.outcome.as_str()), (State::Resolved, "accepted by root"));
}

#[test]
fn what_the_backlog_tells_of_a_loss_pages_nobody() {
    let (mut world, mut agent) = connected();
    agent.say_late(&mut world, vanished(1, false, None));
    assert!(world.incidents().is_empty());
}

#[test]
fn a_stop_is_an_incident_after_15_minutes_and_a_start_ends_it() {
    let (mut world, mut agent) = connected();
    agent.say(&mut world, stopped(Intent::Stopped));
    world.pass_heard(Span::from_secs(14 * 60), &[&agent]);
    assert!(world.incidents().is_empty(), "it was told, and is nobody's trouble yet");
    world.pass_heard(Span::from_secs(2 * 60), &[&agent]);
    let incident = world.the_incident().incident;
    assert_eq!(
        (incident.title.as_str(), incident.severity_rule),
        ("nginx on web-1: still stopped", "sev-stop-overstay")
    );
    agent.say(&mut world, stopped(Intent::Run));
    world.pass_heard(Span::from_secs(15), &[&agent]);
    assert_eq!(world.the_incident().incident.state, State::Resolved);
}

#[test]
fn a_stop_that_ended_in_time_and_a_service_that_vanished_make_no_second_incident() {
    let (mut world, mut agent) = connected();
    for to in [Intent::Stopped, Intent::Run] {
        agent.say(&mut world, stopped(to));
    }
    world.pass_heard(Span::from_secs(20 * 60), &[&agent]);
    assert!(world.incidents().is_empty());
    agent.say(&mut world, stopped(Intent::Stopped));
    agent.say(&mut world, vanished(1, false, Some(SERVICE)));
    world.pass_heard(Span::from_secs(20 * 60), &[&agent]);
    let detail = world.the_incident();
    assert_eq!((detail.incident.state, detail.incident.firing), (State::Open, 2), "{detail:?}");
}
