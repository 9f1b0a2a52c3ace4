//! The agent or the whole host stands still: what could not be seen meanwhile is no failure of a service.

use super::recovery::{opened, outcomes, starts};
use super::world::{Sim, World, check_spec, spec};
use crate::Input;
use crate::check;
use crate::service::{self, Act};
use picket_proto::event::{CheckKind, Fact, Outcome, Verdict};
use std::vec;

const PAUSE: u64 = 19_000;

/// A service whose checks are down with the first bad reading.
fn nervous(seed: u64) -> World {
    let checks = vec![
        check::Spec { fall: 1, ..check_spec("web.process", CheckKind::Process, 0) },
        check::Spec { fall: 1, ..check_spec("web.tcp", CheckKind::Tcp, 0) },
    ];
    let mut world = World::with(seed, checks, vec![spec("web")], 65_536);
    world.sims = vec![Sim::healthy()];
    world.input(Input::Service(service::Fact::Absent { service: 0 }));
    world
}

fn downs(world: &World, from: u64) -> usize {
    let down = |fact: &Fact| matches!(fact, Fact::Verdict(it) if it.to == Verdict::Down);
    world.told.iter().filter(|(at, fact)| *at >= from && down(fact)).count()
}

fn assert_left_alone(world: &World, from: u64) {
    let acts: vec::Vec<_> = world.acts.iter().filter(|(at, _)| *at >= from).collect();
    assert!(acts.is_empty() && opened(world).is_empty(), "{acts:?} {:#?}", world.story(from));
    assert_eq!(downs(world, from), 0, "no check is down");
}

#[test]
fn a_pause_while_a_service_starts_costs_it_nothing() {
    for millis in [100, 1_000, 2_900] {
        let mut world = World::new(20, vec![spec("web")]);
        world.sims[0].boots = Some(4_000);
        world.input(Input::Service(service::Fact::Absent { service: 0 }));
        world.run(millis);
        world.order_what_is_due();
        let paused = world.at;
        world.pause(PAUSE);
        world.run(30_000);
        assert_left_alone(&world, paused);
    }
}

#[test]
fn a_start_that_never_passes_fails_after_pauses_too() {
    let mut world = World::new(21, vec![spec("web")]);
    world.sims[0].boots = None;
    world.input(Input::Service(service::Fact::Absent { service: 0 }));
    for _ in 0..10 {
        world.run(1_000);
        world.pause(PAUSE);
    }
    assert!(world.acts.iter().any(|(_, act)| matches!(act, Act::Stop { .. })), "{:?}", world.acts);
}

#[test]
fn a_pause_within_the_hold_breaks_no_recovery() {
    for millis in [100, 900, 1_900] {
        let mut world = World::running(22, vec![spec("web")]);
        world.kill(0);
        world.run(millis);
        world.order_what_is_due();
        let paused = world.at;
        world.pause(PAUSE);
        world.run(30_000);
        assert_left_alone(&world, paused);
        assert!(matches!(outcomes(&world)[..], [Outcome::Held { .. }]), "{:#?}", world.story(0));
    }
}

#[test]
fn a_pause_with_a_probe_out_is_no_bad_reading() {
    let mut world = nervous(23);
    world.run(20_000);
    for _ in 0..5 {
        let paused = world.at;
        world.order_what_is_due();
        world.pause(PAUSE);
        world.run(1_300);
        assert_left_alone(&world, paused);
    }
}

#[test]
fn a_failure_is_seen_at_once_after_a_pause() {
    let mut world = nervous(24);
    world.run(20_000);
    world.order_what_is_due();
    world.sims[0].sick = true;
    world.pause(PAUSE);
    let awake = world.at;
    world.run(2_000);
    assert_eq!(downs(&world, awake), 1);
    assert_eq!(starts(&world, awake).len(), 1, "{:#?}", world.story(awake));
}

#[test]
fn a_start_is_not_judged_while_the_answer_is_out() {
    let mut world = World::running(25, vec![spec("web")]);
    world.sims[0].boots = Some(4_600);
    let started = world.at;
    world.kill(0);
    world.run(4_700);
    let is_out =
        |world: &World| world.probes.iter().any(|(at, check)| *at >= started + 4_700_000 && *check == 1);
    while !is_out(&world) {
        assert!(world.step(started + 10_000_000), "no probe goes out");
    }
    world.at = started + 5_200_000;
    world.input(Input::Time);
    world.run(30_000);
    assert_left_alone(&world, started + 1);
    assert!(matches!(outcomes(&world)[..], [Outcome::Held { .. }]), "{:#?}", world.story(started));
}
