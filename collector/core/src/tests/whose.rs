//! Whose failure an incident tells of where several fail on one host.

use super::*;
use crate::incident::State;

fn rests(service: &str, because: Because) -> Said {
    let to = Breaker::Open {
        because,
        attempts: 3,
        last: Trigger::Exit(Exit::Code(1)),
        retry_in: Span::from_secs(60),
    };
    Said::Breaker(BreakerMoved { service: name(service), to })
}

#[test]
fn an_outcome_names_the_service_that_is_not_healed_and_the_roots_own_first() {
    let (mut world, mut agent) = connected();
    agent.say(&mut world, died("redis"));
    let alone = world.the_incident().incident;
    assert_eq!(alone.title, "redis on web-1: exited with status 1");
    agent.say(&mut world, died(SERVICE));
    agent.say(&mut world, rests(SERVICE, Because::SameDeath(5)));
    let other = world.the_incident().incident;
    assert_eq!(other.title, "redis on web-1: exited with status 1 (+1 service)");
    assert!(other.outcome.starts_with("nginx: not healed, because it failed 5 times"), "{}", other.outcome);
    agent.say(&mut world, rests("redis", Because::SameDeath(3)));
    let both = world.the_incident();
    let (first, second) = both.incident.outcome.split_once("; ").unwrap();
    assert!(first.starts_with("redis: not healed, because it failed 3 times"), "{first}");
    assert!(second.starts_with("nginx: not healed, because it failed 5 times"), "{second}");
    assert_eq!(both.incident.services, [name("redis"), name(SERVICE)]);
    for symptom in ["redis is not healed", "nginx is not healed"] {
        assert!(both.symptoms.iter().any(|found| found == symptom), "{:?}", both.symptoms);
    }
}

#[test]
fn a_breaker_that_closes_takes_only_its_own_word_out_of_the_outcome() {
    let (mut world, mut agent) = connected();
    for said in [died("redis"), died(SERVICE)] {
        agent.say(&mut world, said);
    }
    for service in [SERVICE, "redis"] {
        agent.say(&mut world, rests(service, Because::SameDeath(3)));
    }
    agent.say(&mut world, Said::Breaker(BreakerMoved { service: name("redis"), to: Breaker::Closed }));
    let incident = world.the_incident().incident;
    assert_eq!(incident.state, State::Open);
    assert!(incident.outcome.starts_with("nginx: not healed"), "{}", incident.outcome);
    assert!(!incident.outcome.contains("redis"), "{}", incident.outcome);
}

#[test]
fn of_many_breakers_each_can_be_found() {
    let (mut world, mut agent) = connected();
    for number in 0..80 {
        agent.say(&mut world, died(&alloc::format!("s-{number}")));
    }
    for service in ["s-77", "s-78", "s-79", "s-76"] {
        agent.say(&mut world, rests(service, Because::SameDeath(3)));
    }
    let found = world.the_incident();
    assert!(found.incident.title.ends_with("(+79 services)"), "{}", found.incident.title);
    assert!(found.incident.outcome.ends_with("; 1 service more"), "{}", found.incident.outcome);
    for service in ["s-76", "s-77", "s-78", "s-79"] {
        assert!(found.incident.services.contains(&name(service)), "{:?}", found.incident.services);
        let symptom = alloc::format!("{service} is not healed");
        assert!(found.symptoms.contains(&symptom), "{:?}", found.symptoms);
    }
}

#[test]
fn title_and_cause_follow_what_fires_and_the_root_that_is_over_says_so() {
    let (mut world, mut agent) = connected();
    agent.say(&mut world, tcp(Verdict::Down));
    agent.say(&mut world, http(Verdict::Down));
    assert!(world.the_incident().root.starts_with("redis:tcp is down"));
    agent.say(&mut world, tcp(Verdict::Up));
    let found = world.the_incident();
    assert!(
        found.incident.title.starts_with("nginx on web-1: nginx:http is down"),
        "{}",
        found.incident.title
    );
    assert!(found.incident.cause.starts_with("nginx:http is down"), "{}", found.incident.cause);
    assert!(!found.root.contains("(over)"), "{}", found.root);
    agent.say(&mut world, http(Verdict::Up));
    let over = world.the_incident();
    assert!(over.root.starts_with("nginx:http is down") && over.root.ends_with(" (over)"), "{}", over.root);
}

#[test]
fn a_death_stays_the_root_of_its_checks_while_its_remedy_is_under_way() {
    let (mut world, mut agent) = connected();
    for said in [killed(9), evidence("boom"), http(Verdict::Down), restart(1), started(10)] {
        agent.say(&mut world, said);
    }
    world.pass_heard(Span::from_secs(2), &[&agent]);
    let found = world.the_incident();
    assert_eq!(found.incident.firing, 1, "the process lives, its page does not");
    assert_eq!(found.incident.title, "nginx on web-1: was killed by SIGKILL");
    assert!(found.root.ends_with("(over)"), "{}", found.root);
}

#[test]
fn a_resolved_incident_tells_the_death_behind_the_check_that_lasted_longer() {
    let (mut world, mut agent) = connected();
    for said in [killed(9), evidence("boom"), http(Verdict::Down), started(10)] {
        agent.say(&mut world, said);
    }
    world.pass_heard(Span::from_secs(2), &[&agent]);
    assert!(world.the_incident().incident.title.contains("nginx:http is down"), "nobody heals it");
    agent.say(&mut world, http(Verdict::Up));
    world.pass_heard(Span::from_secs(11), &[&agent]);
    let over = world.the_incident().incident;
    assert_eq!((over.state, over.title.as_str()), (State::Resolved, "nginx on web-1: was killed by SIGKILL"));
    assert!(over.cause.ends_with("last printed: boom"), "{}", over.cause);
}

#[test]
fn another_service_that_still_fails_is_the_root_once_the_first_is_healed() {
    let (mut world, mut agent) = connected();
    agent.say(&mut world, killed(9));
    agent.say(&mut world, died("redis"));
    for said in [restart(1), started(10)] {
        agent.say(&mut world, said);
    }
    world.pass_heard(Span::from_secs(5), &[&agent]);
    agent.say(&mut world, held());
    let found = world.the_incident();
    assert_eq!(found.incident.title, "redis on web-1: exited with status 1 (+1 service)");
    assert_eq!(found.incident.cause, "redis (pid 7) exited with status 1 after 3 s");
    assert!(found.symptoms.contains(&"nginx died (over)".to_string()), "{:?}", found.symptoms);
    world.restart();
}

#[test]
fn a_service_that_fails_beside_a_level_is_the_root() {
    let (mut world, mut agent) = connected();
    agent.say(&mut world, space(Verdict::Down));
    agent.say(&mut world, killed(9));
    let found = world.the_incident();
    assert_eq!(found.incident.title, "nginx on web-1: was killed by SIGKILL");
    assert!(found.reasons.iter().any(|(code, _)| *code == "service-before-levels"), "{:?}", found.reasons);
    assert_eq!(found.symptoms, ["space:/ is down"]);
}
