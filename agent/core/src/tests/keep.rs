//! An agent that is started again goes on where its services stood.

mod bytes;
mod when;

use super::recovery::{opened, outcomes, starts};
use super::sim::kept;
use super::world::{World, ms, spec};
use crate::hold;
use crate::service::{self, Away, Fact, Phase};
use crate::{Input, KEEP_MAX};
use picket_proto::event::{self, Breaker, Exit, Outcome};
use picket_proto::{Mono, Span};
use std::string::ToString;
use std::vec;
use std::vec::Vec;

/// The next run of the agent, `gone` milliseconds after the end of `old`, with what `old` had last written.
fn again(old: World, services: Vec<service::Spec>, gone: u64) -> World {
    let mut new = World::new(99, services);
    new.at = old.at + gone * 1_000;
    new.next_pid = old.next_pid;
    new.sims = old.sims;
    if let Some((at, bytes)) = old.kept {
        let away = Away::SameBoot(Span::from_micros(new.at - at));
        assert!(!new.agent.restore(Mono::from_micros(new.at), away, &bytes).damaged);
    }
    look(&mut new);
    new
}

/// The next run, of whose services the first died as `pid` while no agent was there.
fn again_after_death(mut old: World, gone: u64) -> (World, u32) {
    let pid = old.sims[0].alive.take().unwrap();
    let mut new = World::new(98, vec![spec("web")]);
    new.at = old.at + gone * 1_000;
    new.next_pid = old.next_pid;
    if let Some((at, bytes)) = old.kept {
        let away = Away::SameBoot(Span::from_micros(new.at - at));
        assert!(!new.agent.restore(Mono::from_micros(new.at), away, &bytes).damaged);
    }
    new.input(Input::Service(Fact::Lost { service: 0, pid }));
    new.input(Input::Service(Fact::Evidence { service: 0, pid, last_line: "" }));
    (new, pid)
}

/// The deaths that were told: of which process, and how.
fn deaths(world: &World) -> Vec<(u32, Exit, bool)> {
    let told = world.told.iter().filter_map(|(_, fact)| match fact {
        event::Fact::Exited(exited) => Some((exited.pid, exited.exit, exited.asked)),
        _ => None,
    });
    told.collect()
}

/// The shell looks for processes.
fn look(world: &mut World) {
    let alive: Vec<_> = world.sims.iter().map(|sim| sim.alive).collect();
    for (service, pid) in (0..).zip(alive) {
        world.input(Input::Service(match pid {
            Some(pid) => Fact::Started { service, pid, adopted: true },
            None => Fact::Absent { service },
        }));
    }
}

fn phase(world: &World) -> Phase {
    world.agent.service_at(0).unwrap().phase()
}

/// A service that died three times in the same way: its breaker is open.
fn broken(seed: u64) -> World {
    let mut world = World::running(seed, vec![spec("web")]);
    world.sims[0].dies = Some((20, Exit::Code(1), "bad config".to_string()));
    world.kill(0);
    world.run(30_000);
    assert_eq!((opened(&world).len(), phase(&world)), (1, Phase::Broken));
    world
}

#[test]
fn an_open_breaker_stays_open_and_its_try_comes_when_it_would_have_come() {
    let old = broken(1);
    let due = old.agent.service_at(0).unwrap().deadline().unwrap().0.micros();
    let mut new = again(old, vec![spec("web")], 5_000);
    assert_eq!(phase(&new), Phase::Broken);
    let back = new.at;
    let until = (due - new.at) / 1_000;
    new.run(until - 10);
    assert!(starts(&new, back).is_empty(), "{:?}", new.story(back));
    new.run(20);
    assert_eq!(starts(&new, back).len(), 1);
    new.run(5_000);
    assert!(opened(&new)[0].2 > 90_000, "the second rest is longer than a first one: {:?}", opened(&new));
}

#[test]
fn a_crash_loop_of_service_and_agent_gets_no_fresh_budget() {
    let specs = || vec![service::Spec { same_deaths: 100, budget: 4, ..spec("web") }];
    let mut world = World::running(2, specs());
    let mut restarts = 0;
    for _ in 0..12 {
        let from = world.at;
        if world.sims[0].alive.is_some() {
            world.kill(0);
        }
        world.run(11_000);
        restarts += starts(&world, from).len();
        world = again(world, specs(), 100);
    }
    assert!(restarts <= 5, "{restarts} restarts with a budget of 4");
    assert_eq!(phase(&world), Phase::Broken);
}

#[test]
fn an_adopted_service_whose_remedy_was_open_gets_its_verification_and_the_outcome() {
    let mut old = World::running(3, vec![spec("web")]);
    let died = old.at;
    old.kill(0);
    old.run(500);
    assert!(outcomes(&old).is_empty(), "the hold of 2 s is not over");
    let mut new = again(old, vec![spec("web")], 1_000);
    assert_eq!(phase(&new), Phase::Rising);
    new.run(10_000);
    let told = outcomes(&new);
    let [Outcome::Held { check, back_after, .. }] = told.as_slice() else { panic!("{:?}", new.story(died)) };
    assert_eq!(check.as_str(), "web.process");
    assert!((ms(1_500)..ms(3_000)).contains(back_after), "{back_after}");
    assert_eq!(phase(&new), Phase::Running);
}

#[test]
fn a_service_that_died_unseen_while_it_was_to_prove_itself_has_not_held() {
    let mut old = World::running(4, vec![spec("web")]);
    old.kill(0);
    old.run(500);
    old.sims[0].alive = None;
    let mut new = again(old, vec![spec("web")], 1_000);
    new.run(200);
    assert_eq!(outcomes(&new), [Outcome::Died(Exit::Unknown)]);
    assert!(new.acts.is_empty(), "the second restart waits for its backoff");
    new.run(20_000);
    let story = new.story(0);
    assert!(story.iter().any(|told| told.contains("(attempt 2)")), "{story:?}");
    assert!(matches!(outcomes(&new).as_slice(), [_, Outcome::Held { .. }]), "{story:?}");
}

#[test]
fn a_service_that_died_while_no_agent_was_there_is_told_and_healed_at_once() {
    let (mut new, pid) = again_after_death(World::running(12, vec![spec("web")]), 60_000);
    let back = new.at;
    assert_eq!(deaths(&new), [(pid, Exit::Unknown, false)]);
    assert_eq!(starts(&new, back), [back], "the first remedy of a streak waits for nothing");
    let down = new.told.iter().any(|(_, fact)| {
        matches!(fact, event::Fact::Verdict(it) if it.check.as_str() == "web.process" && it.to == event::Verdict::Down)
    });
    assert!(down, "{:?}", new.told);
    new.run(10_000);
    let story = new.story(0);
    assert!(story.iter().any(|told| told.contains("(attempt 1)")), "{story:?}");
    assert!(matches!(outcomes(&new).as_slice(), [Outcome::Held { .. }]), "{story:?}");
    assert_eq!((phase(&new), deaths(&new).len()), (Phase::Running, 1));
}

#[test]
fn a_remedy_whose_service_died_while_no_agent_was_there_has_not_held() {
    let mut old = World::running(13, vec![spec("web")]);
    old.kill(0);
    old.run(500);
    let (mut new, pid) = again_after_death(old, 1_000);
    assert_eq!(
        (deaths(&new), outcomes(&new)),
        (vec![(pid, Exit::Unknown, false)], vec![Outcome::Died(Exit::Unknown)])
    );
    new.run(20_000);
    let story = new.story(0);
    assert!(matches!(outcomes(&new).as_slice(), [_, Outcome::Held { .. }]), "{story:?}");
}

#[test]
fn a_death_while_no_agent_was_there_is_told_under_a_hold_and_waits_for_its_end() {
    let mut old = World::running(14, vec![spec("web")]);
    let begun = old.at;
    old.input(Input::Asked(crate::Asked::Hold(hold::Fact {
        service: Some(0),
        lasts: Some(hold::LEAST),
        by: "root",
    })));
    let (mut new, pid) = again_after_death(old, 20_000);
    assert_eq!(deaths(&new), [(pid, Exit::Unknown, false)]);
    new.run(39_000);
    assert!(starts(&new, 0).is_empty(), "{:?}", new.story(0));
    new.run(5_000);
    assert_eq!(starts(&new, 0), [begun + 60_000_000], "{:?}", new.story(0));
}

#[test]
fn an_open_breaker_rests_over_a_death_while_no_agent_was_there() {
    let mut old = broken(15);
    let due = old.agent.service_at(0).unwrap().deadline().unwrap().0.micros();
    // It lived on beside the open breaker until the agent was gone.
    old.sims[0].alive = Some(4_711);
    let (mut new, pid) = again_after_death(old, 5_000);
    assert_eq!((deaths(&new), phase(&new)), (vec![(pid, Exit::Unknown, false)], Phase::Broken));
    new.run((due - new.at) / 1_000 - 10);
    assert!(starts(&new, 0).is_empty(), "{:?}", new.story(0));
    new.run(20);
    assert_eq!(starts(&new, 0).len(), 1);
}

#[test]
fn after_another_boot_an_open_remedy_goes_on_with_the_first_start() {
    let mut old = World::running(5, vec![spec("web")]);
    old.run(100_000);
    old.kill(0);
    old.run(500);
    let (_, bytes) = old.kept.clone().unwrap();
    let mut new = World::new(50, vec![spec("web")]);
    let restored = new.agent.restore(Mono::from_micros(new.at), Away::OtherBoot, &bytes);
    assert_eq!((restored.services, restored.unknown, restored.damaged), (1, 0, false));
    let back = new.at;
    look(&mut new);
    assert_eq!(starts(&new, back), [back], "a boot is no failure of the service: no backoff");
    new.run(10_000);
    assert!(matches!(outcomes(&new).as_slice(), [Outcome::Held { .. }]), "{:?}", new.story(0));
}

#[test]
fn after_another_boot_what_is_left_of_rests_and_holds_counts_from_the_start() {
    let mut old = broken(6);
    old.input(Input::Asked(crate::Asked::Hold(hold::Fact {
        service: None,
        lasts: Some(Span::from_secs(600)),
        by: "root",
    })));
    let (_, bytes) = old.kept.clone().unwrap();
    let mut new = World::new(60, vec![spec("web")]);
    new.sims = old.sims;
    new.sims[0].alive = None;
    new.agent.restore(Mono::from_micros(new.at), Away::OtherBoot, &bytes);
    let back = new.at;
    look(&mut new);
    assert_eq!(phase(&new), Phase::Broken);
    new.run(599_000);
    assert!(starts(&new, back).is_empty());
    new.run(2_000);
    assert_eq!(starts(&new, back).len(), 1, "{:?}", new.story(back));
}

#[test]
fn a_hold_stands_over_a_restart_and_ends_in_time() {
    let mut old = World::running(7, vec![spec("web")]);
    let begun = old.at;
    old.input(Input::Asked(crate::Asked::Hold(hold::Fact {
        service: Some(0),
        lasts: Some(hold::LEAST),
        by: "root",
    })));
    old.kill(0);
    let mut new = again(old, vec![spec("web")], 20_000);
    assert_eq!(new.agent.service_at(0).unwrap().held().unwrap().by.as_str(), "root");
    new.run(39_000);
    assert!(starts(&new, 0).is_empty(), "{:?}", new.story(0));
    new.run(2_000);
    assert_eq!(starts(&new, 0), [begun + 60_000_000]);
    assert!(new.told.iter().any(|(_, fact)| matches!(fact, event::Fact::Hold(it) if it.lasts.is_none())));
}
