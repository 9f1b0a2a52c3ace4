//! Services fail in every way that is known, and what the agent does is told as a story.

use super::world::{Sim, World, ms, spec};
use crate::service::{self, Act};
use crate::{Ending, Input};
use picket_proto::event::{Because, Breaker, Exit, Fact, Outcome, Verdict};
use std::string::{String, ToString};
use std::vec;
use std::vec::Vec;

pub(super) fn starts(world: &World, from: u64) -> Vec<u64> {
    let starts = world.acts.iter().filter(|(at, act)| *at >= from && matches!(act, Act::Start { .. }));
    starts.map(|(at, _)| *at).collect()
}

pub(super) fn outcomes(world: &World) -> Vec<Outcome> {
    let told = world.told.iter().filter_map(|(_, fact)| match fact {
        Fact::Outcome(ended) => Some(ended.outcome.clone()),
        _ => None,
    });
    told.collect()
}

pub(super) fn opened(world: &World) -> Vec<(u64, Because, u64)> {
    let told = world.told.iter().filter_map(|(at, fact)| match fact {
        Fact::Breaker(moved) => match moved.to {
            Breaker::Open { because, retry_in, .. } => Some((*at, because, retry_in.millis())),
            Breaker::HalfOpen | Breaker::Closed | Breaker::Waits { .. } | Breaker::Starved { .. } => None,
        },
        _ => None,
    });
    told.collect()
}

#[test]
fn the_first_restart_goes_out_with_the_exit_and_is_believed_after_the_hold() {
    let mut world = World::running(1, vec![spec("web")]);
    let died = world.at;
    world.kill(0);
    assert_eq!(world.acts.last(), Some(&(died, Act::Start { service: 0 })));
    world.run(10_000);
    let Some(Outcome::Held { check, back_after, held_for }) = outcomes(&world).pop() else {
        panic!("{:?}", world.story(died));
    };
    assert_eq!(check.as_str(), "web.process");
    assert!(back_after >= ms(30) && back_after <= ms(80), "back after {back_after}");
    assert!(held_for >= ms(2_000), "held for {held_for}");
    assert!(opened(&world).is_empty());
}

#[test]
fn three_kills_with_recoveries_between_open_no_breaker_and_flap_nothing() {
    let mut world = World::running(2, vec![spec("web")]);
    for _ in 0..3 {
        let died = world.at;
        world.kill(0);
        assert_eq!(starts(&world, died), [died], "each is restarted at once");
        world.run(10_000);
    }
    assert_eq!(outcomes(&world).len(), 3);
    assert!(outcomes(&world).iter().all(|outcome| matches!(outcome, Outcome::Held { .. })));
    assert!(opened(&world).is_empty());
    assert!(
        !world.told.iter().any(|(_, fact)| matches!(fact, Fact::Verdict(it) if it.to == Verdict::Flapping))
    );
}

#[test]
fn a_budget_that_is_used_up_opens_the_breaker_and_says_so() {
    let mut world = World::running(3, vec![service::Spec { budget: 2, ..spec("web") }]);
    for _ in 0..3 {
        world.kill(0);
        world.run(10_000);
    }
    let opened = opened(&world);
    assert_eq!(opened.len(), 1, "{:?}", world.story(0));
    assert!(matches!(opened[0].1, Because::Budget { allowed: 2, .. }));
}

fn broken(seed: u64) -> World {
    let mut world = World::running(seed, vec![spec("web")]);
    world.sims[0].dies = Some((20, Exit::Code(1), "12:00:01 pid 77: bad config".to_string()));
    world.kill(0);
    world
}

#[test]
fn backoff_grows_with_jitter_and_is_the_same_for_the_same_seed() {
    let delays = |seed| {
        let spec = service::Spec { same_deaths: 100, budget: 30, ..spec("web") };
        let mut world = World::running(seed, vec![spec]);
        world.sims[0].dies = Some((20, Exit::Code(1), String::new()));
        let died = world.at;
        world.kill(0);
        world.run(60_000);
        starts(&world, died).windows(2).map(|pair| pair[1] - pair[0] - 20_000).collect::<Vec<_>>()
    };
    let one = delays(1);
    for (at, delay) in one.iter().enumerate().take(5) {
        let middle = 1_000_000 << at;
        assert!((middle * 3 / 4..middle * 5 / 4).contains(delay), "{at}: {delay}");
    }
    assert_eq!(one, delays(1));
    assert_ne!(one, delays(2));
}

#[test]
fn identical_deaths_open_the_breaker_and_retries_rest_longer_each_time() {
    let mut world = broken(4);
    world.run(600_000);
    let opened = opened(&world);
    assert_eq!(opened[0].1, Because::SameDeath(3), "{:#?}", world.story(0));
    assert!(opened.len() >= 3, "{opened:?}");
    for pair in opened.windows(2) {
        assert!(pair[1].2 > pair[0].2, "{opened:?}");
    }
    assert_eq!(outcomes(&world).iter().filter(|outcome| matches!(outcome, Outcome::Held { .. })).count(), 0);
}

#[test]
fn a_half_open_try_that_holds_closes_the_breaker() {
    let mut world = broken(5);
    world.run(10_000);
    assert_eq!(opened(&world).len(), 1);
    world.sims[0] = Sim { alive: world.sims[0].alive, ..Sim::healthy() };
    world.run(100_000);
    let story = world.story(0);
    assert!(story.iter().any(|line| line.contains("gets one more try")), "{story:#?}");
    assert!(story.last().unwrap().contains("its breaker closed"), "{story:#?}");
    let died = world.at;
    world.kill(0);
    assert_eq!(starts(&world, died), [died], "the streak is over: the next restart is at once");
}

#[test]
fn a_pass_and_then_a_death_within_the_hold_is_no_recovery() {
    let mut world = World::running(6, vec![spec("web")]);
    world.kill(0);
    world.run(1_000);
    world.kill(0);
    world.run(100);
    assert_eq!(outcomes(&world), [Outcome::Died(Exit::Signal(9))]);
    world.run(20_000);
    assert!(matches!(outcomes(&world)[1], Outcome::Held { .. }), "{:#?}", world.story(0));
}

#[test]
fn a_check_that_fails_within_the_hold_is_no_recovery() {
    let mut world = World::running(7, vec![spec("web")]);
    world.kill(0);
    world.run(1_000);
    world.sims[0].sick = true;
    world.run(3_000);
    assert!(matches!(outcomes(&world)[0], Outcome::StillFailing { .. }), "{:#?}", world.story(0));
}

#[test]
fn a_frozen_process_is_stopped_killed_after_the_timeout_and_restarted() {
    let mut world = World::running(8, vec![spec("web")]);
    let from = world.at;
    world.sims[0].frozen = true;
    world.sims[0].ignores_stop = true;
    world.run(20_000);
    let acts: Vec<_> = world.acts.iter().filter(|(at, _)| *at >= from).collect();
    assert!(matches!(acts[0].1, Act::Stop { .. }), "{acts:?}");
    assert!(matches!(acts[1].1, Act::Kill { .. }) && acts[1].0 - acts[0].0 == 500_000, "{acts:?}");
    assert!(matches!(acts[2].1, Act::Start { .. }) && acts[2].0 == acts[1].0, "{acts:?}");
    assert!(matches!(outcomes(&world)[..], [Outcome::Held { .. }]), "{:#?}", world.story(from));
    let asked = world.told.iter().any(|(_, fact)| matches!(fact, Fact::Exited(it) if it.asked));
    assert!(asked, "the exit was asked for");
}

#[test]
fn a_start_that_never_passes_is_still_failing_after_the_start_timeout() {
    let mut world = World::running(10, vec![spec("web")]);
    world.sims[0].boots = None;
    world.kill(0);
    world.run(5_100);
    assert!(matches!(outcomes(&world)[..], [Outcome::StillFailing { .. }]), "{:#?}", world.story(0));
}

#[test]
fn an_adopted_service_is_not_restarted() {
    let mut world = World::new(11, vec![spec("web")]);
    world.sims[0].alive = Some(42);
    world.input(Input::Service(service::Fact::Started { service: 0, pid: 42, adopted: true }));
    world.run(60_000);
    assert!(world.acts.is_empty());
}

#[test]
fn two_services_that_fail_together_do_not_disturb_each_other() {
    let mut world = World::running(13, vec![spec("web"), spec("db")]);
    let died = world.at;
    world.kill(0);
    world.kill(1);
    world.run(10_000);
    assert_eq!(starts(&world, died), [died, died]);
    let names = world.told.iter().filter_map(|(_, fact)| match fact {
        Fact::Outcome(it) if matches!(it.outcome, Outcome::Held { .. }) => Some(it.service.to_string()),
        _ => None,
    });
    let mut names: Vec<_> = names.collect();
    names.sort();
    assert_eq!(names, ["db", "web"]);
}

#[test]
fn stopping_with_the_services_stops_kills_and_then_ends() {
    let mut world = World::running(14, vec![spec("web"), spec("db")]);
    world.sims[1].ignores_stop = true;
    world.stop(Ending::StopServices);
    world.run(400);
    assert!(!world.ended);
    world.run(2_700);
    assert!(world.ended && world.sims.iter().all(|sim| sim.alive.is_none()));
}

#[test]
fn a_second_stop_kills_what_lives_and_ends_at_once() {
    let mut world = World::running(15, vec![spec("web")]);
    world.sims[0].ignores_stop = true;
    world.stop(Ending::StopServices);
    world.stop(Ending::StopServices);
    assert_eq!(world.acts.last().unwrap().1, Act::Kill { service: 0 });
    assert!(world.ended);
}

#[test]
fn leaving_the_services_alive_orders_nothing() {
    let mut world = World::running(16, vec![spec("web")]);
    let acts = world.acts.len();
    world.stop(Ending::LeaveServices);
    world.run(5_000);
    assert!(world.ended && world.acts.len() == acts);
}

#[test]
fn a_remedy_that_helps_after_it_was_told_as_not_held_is_told_as_recovered_all_the_same() {
    let slow = service::Spec { backoff_first: ms(8_000), ..spec("web") };
    let mut world = World::running(31, vec![slow]);
    world.sims[0].sick = true;
    world.kill(0);
    while outcomes(&world).is_empty() {
        world.run(100);
    }
    assert!(matches!(outcomes(&world)[..], [Outcome::StillFailing { .. }]));
    world.sims[0].sick = false;
    let starts_before = starts(&world, 0).len();
    world.run(20_000);
    assert!(matches!(outcomes(&world)[1..], [Outcome::Held { .. }]), "{:?}", outcomes(&world));
    assert_eq!(starts(&world, 0).len(), starts_before, "it is left alone");
}
