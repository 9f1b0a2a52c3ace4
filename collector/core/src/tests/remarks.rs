//! What is to be known of services beside what fires: files that were put back, and what is not done.

use super::*;
use crate::incident::State;
use picket_proto::event::{Exit, Remedy, RemedyEnded, Shadow, ShadowStep, Trigger};
use std::format;

/// What a remedy put back is not mended: whoever reads only how it ended has to see it.
#[test]
fn an_incident_says_how_it_ended_that_files_or_a_package_were_put_back() {
    for (remedy, outcome) in [
        (Remedy::Rollback, "recovered, verified; nginx runs with its last good files"),
        (Remedy::Package, "recovered, verified; nginx runs with its last good package"),
        (Remedy::Reboot, "recovered, verified; nginx runs after a reboot of its host"),
        (Remedy::Restart, "recovered, verified"),
    ] {
        let mut world = World::new();
        let mut agent = Agent::new("web-1", 1);
        agent.connect(&mut world);
        agent.say(&mut world, process(Verdict::Down));
        agent.say(&mut world, killed(4711));
        agent.say(&mut world, restart(1));
        agent.say(&mut world, process(Verdict::Up));
        world.pass_heard(Span::from_secs(1), &[&agent]);
        let Said::Outcome(ended) = held() else { unreachable!("it is one") };
        agent.say(&mut world, Said::Outcome(RemedyEnded { remedy, ..ended }));
        let over = world.the_incident();
        assert_eq!((over.incident.state, over.incident.outcome.as_str()), (State::Resolved, outcome));
        // The next failure is no longer about that.
        agent.killed_and_healed(&mut world, 5);
        assert_eq!(world.the_incident().incident.outcome, "recovered, verified");
    }
}

/// Whoever is paged sees first that nothing is done, and with what another service of the incident runs.
#[test]
fn what_is_to_be_known_of_each_service_stands_as_the_outcome() {
    let mut world = World::new();
    let mut agent = Agent::new("web-1", 1);
    agent.connect(&mut world);
    agent.say(&mut world, process(Verdict::Down));
    agent.say(&mut world, killed(4711));
    let trigger = Trigger::Exit(Exit::Signal(9));
    let would = ShadowStep::Would { remedy: Remedy::Restart, trigger };
    agent.say(&mut world, Said::Shadow(Shadow { service: name(SERVICE), step: would }));
    let said = "nginx is only observed, so nothing is done: it would be restarted; it was killed by SIGKILL";
    assert_eq!(world.the_incident().incident.outcome, said);
    agent.say(&mut world, died("db"));
    let Said::Outcome(ended) = held() else { unreachable!("it is one") };
    agent.say(
        &mut world,
        Said::Outcome(RemedyEnded { service: name("db"), remedy: Remedy::Rollback, ..ended.clone() }),
    );
    let both = format!("{said}; db runs with its last good files");
    assert_eq!(world.the_incident().incident.outcome, both);
    agent.say(&mut world, restart(1));
    assert_eq!(
        world.the_incident().incident.outcome,
        "db runs with its last good files",
        "it is healed after all"
    );
    agent.say(&mut world, process(Verdict::Up));
    world.pass_heard(Span::from_secs(1), &[&agent]);
    agent.say(&mut world, Said::Outcome(ended));
    assert_eq!(
        world.the_incident().incident.outcome,
        "recovered, verified; db runs with its last good files"
    );
}

/// An outage that nobody does anything about must not stand behind that of another service.
#[test]
fn beside_a_service_that_is_not_healed_one_that_is_only_observed_is_named() {
    let mut world = World::new();
    let mut agent = Agent::new("web-1", 1);
    agent.connect(&mut world);
    for said in [killed(4711), breaker_open(), died("db")] {
        agent.say(&mut world, said);
    }
    let trigger = Trigger::Exit(Exit::Code(1));
    let would = ShadowStep::Would { remedy: Remedy::Restart, trigger };
    agent.say(&mut world, Said::Shadow(Shadow { service: name("db"), step: would }));
    let outcome = world.the_incident().incident.outcome;
    let beside = "; db is only observed, so nothing is done: it would be restarted; it exited with status 1";
    assert!(outcome.starts_with("nginx: not healed, because ") && outcome.ends_with(beside), "{outcome}");
}

/// The collector was away as it failed, or as it came back: what stands is what was told last.
#[test]
fn what_is_not_done_is_known_though_it_was_told_late_and_is_over_though_that_was() {
    let trigger = Trigger::Exit(Exit::Signal(9));
    let step = |step| Said::Shadow(Shadow { service: name(SERVICE), step });
    let would = || step(ShadowStep::Would { remedy: Remedy::Restart, trigger: trigger.clone() });
    let back = || step(ShadowStep::Back { after: Span::from_secs(5), held_for: Span::from_secs(3) });
    let said = "nginx is only observed, so nothing is done: it would be restarted; it was killed by SIGKILL";
    let outcome = |world: &mut World| world.the_incident().incident.outcome;
    for joins_later in [false, true] {
        let mut world = World::new();
        let mut agent = Agent::new("web-1", 1);
        agent.connect(&mut world);
        if joins_later {
            agent.say_late(&mut world, killed(4711));
            agent.say_late(&mut world, would());
            agent.say(&mut world, process(Verdict::Down));
        } else {
            agent.say(&mut world, process(Verdict::Down));
            agent.say_late(&mut world, killed(4711));
            agent.say_late(&mut world, would());
        }
        assert_eq!(outcome(&mut world), said, "joins later: {joins_later}");
        agent.say_late(&mut world, back());
        assert_eq!(outcome(&mut world), "");
        world.restart();
    }
    let mut world = World::new();
    let mut agent = Agent::new("web-1", 1);
    agent.connect(&mut world);
    let late = agent.frame(&world, would());
    agent.say(&mut world, process(Verdict::Down));
    agent.say(&mut world, back());
    agent.batch(&mut world, Lane::Backlog, late);
    assert_eq!(outcome(&mut world), "", "what was told before does not count again");
}
