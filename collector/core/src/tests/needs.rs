//! A service that waits for another: the one that is needed is the root, whichever was seen first.

use super::*;

fn waits(service: &str, root: &str) -> Said {
    Said::Breaker(BreakerMoved { service: name(service), to: Breaker::Waits { root: name(root) } })
}

#[test]
fn what_is_needed_is_the_root_although_its_dependent_was_seen_first() {
    let (mut world, mut agent) = connected();
    agent.say(&mut world, http(Verdict::Down));
    agent.say(&mut world, died("redis"));
    assert!(
        world.the_incident().incident.title.starts_with("nginx on web-1"),
        "nothing is known of needs yet"
    );
    agent.say(&mut world, waits(SERVICE, "redis"));
    let found = world.the_incident();
    assert_eq!(found.incident.title, "redis on web-1: exited with status 1 (+1 service)");
    assert!(found.reasons.iter().any(|(code, _)| *code == "need-before-dependents"), "{:?}", found.reasons);
    assert!(
        found.symptoms.iter().any(|symptom| symptom.contains("nginx:http is down")),
        "{:?}",
        found.symptoms
    );
    world.restart();
}

#[test]
fn a_dependent_that_fails_much_later_joins_its_root() {
    let (mut world, mut agent) = connected();
    agent.say(&mut world, http(Verdict::Down));
    agent.say(&mut world, waits(SERVICE, "redis"));
    agent.say(&mut world, http(Verdict::Up));
    world.pass_heard(Span::from_secs(20), &[&agent]);
    agent.say(&mut world, died("redis"));
    world.pass_heard(Span::from_secs(600), &[&agent]);
    agent.say(&mut world, http(Verdict::Down));
    let open = |incident: &Incident| incident.state == incident::State::Open;
    let active = world.incidents().into_iter().filter(open).count();
    assert_eq!(active, 1, "one incident, although the window is over");
}

#[test]
fn needs_that_go_in_a_circle_choose_no_root() {
    let (mut world, mut agent) = connected();
    for said in [http(Verdict::Down), died("redis"), waits(SERVICE, "redis"), waits("redis", SERVICE)] {
        agent.say(&mut world, said);
    }
    agent.say(&mut world, waits(SERVICE, SERVICE));
    assert_eq!(world.the_incident().incident.services.len(), 2);
}
