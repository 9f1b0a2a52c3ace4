//! Services that need others: a root's failure is waited for, and its dependents come back with it.

use super::recovery::{opened, starts};
use super::world::{World, spec};
use crate::service::{self, Phase};
use crate::{Asked, Input, hold};
use picket_proto::Span;
use picket_proto::event::{Breaker, Exit, Fact, Outcome, Remedy};
use std::string::{String, ToString};
use std::vec;
use std::vec::Vec;

const DB: u16 = 0;
const WEB: u16 = 1;

/// A database and a web server that needs it, both up and proved.
fn tied(seed: u64) -> World {
    let web = service::Spec { needs: [DB].into_iter().collect(), ..spec("web") };
    World::running(seed, vec![spec("db"), web])
}

fn remedies(world: &World, of: &str) -> usize {
    let of_it =
        |(_, fact): &&(u64, Fact)| matches!(fact, Fact::Remedy(begun) if begun.service.as_str() == of);
    world.told.iter().filter(of_it).count()
}

fn waits(world: &World) -> Vec<String> {
    let told = world.told.iter().filter_map(|(_, fact)| match fact {
        Fact::Breaker(moved) if matches!(moved.to, Breaker::Waits { .. }) => Some(fact.to_string()),
        _ => None,
    });
    told.collect()
}

fn phase(world: &World, service: u16) -> Phase {
    world.agent.service_at(service).unwrap().phase()
}

/// From now on it dies 20 ms after each start.
fn broken(world: &mut World, service: u16) {
    world.sims[usize::from(service)].dies = Some((20, Exit::Code(1), String::from("no disk")));
}

#[test]
fn a_dependent_of_a_root_that_is_down_is_told_once_and_not_restarted() {
    let mut world = tied(1);
    broken(&mut world, DB);
    world.kill(DB);
    world.sims[usize::from(WEB)].sick = true;
    world.run(120_000);
    assert_eq!(waits(&world), ["web waits for db: nothing is done until that is well"]);
    assert_eq!(remedies(&world, "web"), 0, "{:#?}", world.story(0));
    assert_eq!(phase(&world, WEB), Phase::Waiting);
    let waits_for = |service| world.agent.service_at(service).unwrap().waits_for().map(|name| name.as_str());
    assert_eq!((waits_for(WEB), waits_for(DB)), (Some("db"), None), "a person sees for what");
    assert_eq!(opened(&world).len(), 2, "only the root's breaker opened, once and after its single try");
    let verdict =
        |(_, fact): &&(u64, Fact)| matches!(fact, Fact::Verdict(it) if it.check.as_str() == "web.tcp");
    assert!(world.told.iter().any(|told| verdict(&told)), "what its checks say is told all the same");
}

#[test]
fn a_dependent_that_died_is_started_once_its_root_has_held() {
    let mut world = tied(2);
    broken(&mut world, DB);
    world.kill(DB);
    world.kill(WEB);
    world.run(30_000);
    let web_starts = |world: &World, from| {
        let of_web = |(at, act): &(u64, service::Act)| match act {
            service::Act::Start { service: WEB } if *at >= from => Some(*at),
            _ => None,
        };
        world.acts.iter().filter_map(of_web).collect::<Vec<_>>()
    };
    let since = world.at;
    assert_eq!(web_starts(&world, 20_000_000), [0_u64; 0]);
    world.sims[usize::from(DB)].dies = None;
    world.run(120_000);
    assert_eq!((phase(&world, DB), phase(&world, WEB)), (Phase::Running, Phase::Running));
    let held = world.told.iter().find_map(|(at, fact)| match fact {
        Fact::Outcome(ended) if ended.service.as_str() == "db" => {
            matches!(ended.outcome, Outcome::Held { .. }).then_some(*at)
        }
        _ => None,
    });
    assert_eq!(web_starts(&world, since), [held.unwrap()], "with the moment in which the root had held");
}

#[test]
fn a_dependent_that_comes_back_by_itself_is_left_alone() {
    let mut world = tied(3);
    world.sims[usize::from(WEB)].sick = true;
    broken(&mut world, DB);
    world.kill(DB);
    world.run(10_000);
    assert_eq!(phase(&world, WEB), Phase::Waiting);
    world.sims[usize::from(DB)].dies = None;
    world.sims[usize::from(WEB)].sick = false;
    world.run(120_000);
    assert_eq!((phase(&world, WEB), remedies(&world, "web")), (Phase::Running, 0));
}

#[test]
fn a_dependent_that_stays_down_is_restarted_after_its_root() {
    let mut world = tied(4);
    world.sims[usize::from(WEB)].sick = true;
    world.kill(DB);
    world.run(4_000);
    assert_eq!((waits(&world).len(), remedies(&world, "web")), (1, 0));
    world.run(4_000);
    assert_eq!(remedies(&world, "web"), 1, "{:#?}", world.story(0));
    world.sims[usize::from(WEB)].sick = false;
    world.run(30_000);
    assert_eq!(phase(&world, WEB), Phase::Running);
}

#[test]
fn a_root_whose_failure_is_read_later_is_looked_at_in_time() {
    let mut world = tied(5);
    // Both fail in the same moment, but the root's check needs two readings as well.
    world.sims[usize::from(DB)].sick = true;
    world.sims[usize::from(WEB)].sick = true;
    world.run(3_000);
    assert_eq!((waits(&world).len(), remedies(&world, "web")), (1, 0), "{:#?}", world.story(0));
    assert_eq!(remedies(&world, "db"), 1);
}

#[test]
fn those_that_need_it_are_stopped_before_it_is_restarted_and_come_back_once_it_has_held() {
    const SHOP: u16 = 2;
    let ladder = [Remedy::Dependents, Remedy::Restart].into_iter().collect();
    let web = service::Spec { needs: [DB].into_iter().collect(), ..spec("web") };
    // It needs the database by way of the web server only.
    let shop = service::Spec { needs: [WEB].into_iter().collect(), ..spec("shop") };
    let db = service::Spec { ladder, ..spec("db") };
    let mut world = World::running(7, vec![db, web, shop, spec("other")]);
    let from = world.at;
    world.kill(DB);
    world.run(60_000);
    let acts: Vec<_> = world.acts.iter().filter(|(at, _)| *at >= from).copied().collect();
    let at = |wanted: service::Act| acts.iter().find(|(_, act)| *act == wanted).map(|(at, _)| *at);
    let (stop, start) = (|service| service::Act::Stop { service }, |service| service::Act::Start { service });
    assert_eq!((at(stop(WEB)), at(stop(SHOP))), (Some(from), Some(from)), "{:#?}", world.story(from));
    assert_eq!((at(stop(3)), at(start(3))), (None, None), "what does not need it is left alone");
    assert!(at(start(DB)) > Some(from), "it is started once both are down: {acts:?}");
    let held = world.told.iter().find_map(|(at, fact)| match fact {
        Fact::Outcome(ended) if ended.service.as_str() == "db" => Some(*at),
        _ => None,
    });
    assert_eq!(at(start(WEB)), held, "with the moment in which it had held");
    assert!(at(start(SHOP)) > at(start(WEB)), "and each after what it needs");
    for service in [DB, WEB, SHOP] {
        assert_eq!(phase(&world, service), Phase::Running, "{:#?}", world.story(from));
    }
    let story = world.story(from);
    let told = |line: &str| story.iter().any(|told| told.contains(line));
    assert!(told("db is restarted while those that need it are stopped (attempt 1)"), "{story:#?}");
    assert!(told("web is restarted (attempt 1): it was stopped while db was restarted"), "{story:#?}");
}

#[test]
fn a_dependent_that_does_not_end_or_rests_holds_nobody_up() {
    let ladder = [Remedy::Dependents, Remedy::Restart].into_iter().collect();
    let web = service::Spec {
        needs: [DB].into_iter().collect(),
        stop_timeout: Span::from_secs(600),
        ..spec("web")
    };
    let db = service::Spec { ladder, ..spec("db") };
    for rests in [true, false] {
        let mut world = World::running(8, vec![db.clone(), web.clone()]);
        world.sims[usize::from(WEB)].ignores_stop = true;
        if rests {
            let hold = hold::Fact { service: Some(WEB), lasts: Some(Span::from_secs(600)), by: "me" };
            world.input(Input::Asked(Asked::Hold(hold)));
        }
        let from = world.at;
        world.kill(DB);
        world.run(100_000);
        assert_eq!(phase(&world, DB), Phase::Running, "{:#?}", world.story(from));
        let waited = starts(&world, from)[0] - from;
        assert_eq!(waited, if rests { 0 } else { 60_000_000 });
        let stopped = world.acts.iter().any(|(_, act)| *act == service::Act::Stop { service: WEB });
        assert_eq!(stopped, !rests, "whoever asked for rest has it");
    }
}

/// What the agent itself has stopped it brings back, also where its services are only observed from then on.
#[test]
fn a_dependent_that_was_stopped_comes_back_although_observing_has_begun_meanwhile() {
    let ladder: service::Ladder = [Remedy::Dependents, Remedy::Restart].into_iter().collect();
    let specs = |observes| {
        let web = service::Spec { needs: [DB].into_iter().collect(), observes, ..spec("web") };
        vec![service::Spec { ladder: ladder.clone(), observes, ..spec("db") }, web]
    };
    let mut world = World::running(14, specs(false));
    world.kill(DB);
    world.run(5);
    assert!(matches!(phase(&world, WEB), Phase::Stopping | Phase::Waiting), "{:#?}", world.story(0));
    world.respecified(&specs(true));
    world.run(60_000);
    assert_eq!(
        (phase(&world, DB), phase(&world, WEB)),
        (Phase::Running, Phase::Running),
        "{:#?}",
        world.story(0)
    );
    let begun = remedies(&world, "web");
    world.kill(WEB);
    world.run(60_000);
    assert_eq!((phase(&world, WEB), remedies(&world, "web")), (Phase::Observed, begun));
}

/// Another init system's service is started by others as well: their process is the service's from then on.
#[test]
fn what_a_person_started_behind_a_hold_is_believed_by_its_checks_and_not_started_again() {
    let driver = service::Driver::Command;
    let mut world = World::running(15, vec![service::Spec { driver, ..spec("web") }]);
    world.input(Input::Asked(Asked::Hold(hold::Fact { service: None, lasts: Some(hold::LEAST), by: "ann" })));
    world.kill(0);
    world.run(10_000);
    assert_eq!(phase(&world, 0), Phase::Waiting);
    let down = world.at;
    (world.sims[0].alive, world.sims[0].listens_at) = (Some(77), 0);
    world.input(Input::Service(service::Fact::Started { service: 0, pid: 0, adopted: true }));
    world.input(Input::Service(service::Fact::Started { service: 0, pid: 77, adopted: true }));
    assert_eq!(
        world.agent.service_at(0).unwrap().process().map(|(pid, _)| pid),
        Some(77),
        "it has a name now"
    );
    world.run(90_000);
    assert_eq!(
        (phase(&world, 0), starts(&world, down)),
        (Phase::Running, vec![]),
        "{:#?}",
        world.story(down)
    );
}

/// A host is observed whose service is down already: that is told behind its check's failure, and that it came back.
#[test]
fn what_is_down_at_the_start_and_only_observed_is_told_by_its_check() {
    let driver = service::Driver::Command;
    let mut world = World::new(16, vec![service::Spec { driver, observes: true, ..spec("web") }]);
    world.input(Input::Service(service::Fact::Absent { service: 0 }));
    world.run(60_000);
    let story = world.story(0);
    let said = "so nothing is done: it would be restarted; web.tcp: connection refused: nothing listens";
    assert!(story.iter().any(|line| line.ends_with(said)), "{story:#?}");
    (world.sims[0].alive, world.sims[0].listens_at) = (Some(77), 0);
    world.input(Input::Service(service::Fact::Started { service: 0, pid: 77, adopted: true }));
    world.run(60_000);
    assert!(world.story(0).iter().any(|line| line.contains("it came back without the agent")));
    assert_eq!((phase(&world, 0), starts(&world, 0)), (Phase::Running, vec![]));
}

#[test]
fn a_second_failure_of_the_root_is_told_anew() {
    let mut world = tied(6);
    for round in 1..=2 {
        world.sims[usize::from(WEB)].sick = true;
        world.kill(DB);
        world.run(2_500);
        world.sims[usize::from(WEB)].sick = false;
        world.run(60_000);
        assert_eq!((waits(&world).len(), phase(&world, WEB)), (round, Phase::Running));
    }
    assert_eq!(starts(&world, 20_500_000).len(), 2, "only the root was started");
}
