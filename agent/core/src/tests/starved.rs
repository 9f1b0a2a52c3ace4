//! A starved host: what lives is not restarted while everything on it waits, but not for ever.

use super::recovery::starts;
use super::world::{Sim, World, check_spec, spec};
use crate::Input;
use crate::check::{self, Limits, Side};
use crate::service::{self, Phase};
use picket_proto::event::{Breaker, CheckKind, Fact};
use std::string::{String, ToString};
use std::vec;
use std::vec::Vec;

const WEB: u16 = 0;
const CALM: i64 = 10;
const STARVED: i64 = 200;

/// A service that is up and proved, on a host whose memory pressure is read each second.
fn calm(seed: u64) -> World {
    let limits = Some(Limits { degraded: STARVED, down: 500, bad: Side::Above });
    let pressure = check_spec("pressure:memory", CheckKind::Pressure, 0);
    let checks = vec![
        check_spec("web.process", CheckKind::Process, WEB),
        check_spec("web.tcp", CheckKind::Tcp, WEB),
        check::Spec { service: None, limits, ..pressure },
    ];
    let mut world = World::with(seed, checks, vec![spec("web")], 64 * 1024);
    world.sims.push(Sim::healthy());
    world.input(Input::Service(service::Fact::Absent { service: WEB }));
    run(&mut world, 20, CALM);
    world
}

/// So many seconds at this pressure.
fn run(world: &mut World, seconds: u64, level: i64) {
    world.level = Some(level);
    world.run(seconds * 1_000);
}

fn waits(world: &World) -> Vec<String> {
    let told = world.told.iter().filter_map(|(_, fact)| match fact {
        Fact::Breaker(moved) if matches!(moved.to, Breaker::Starved { .. }) => Some(fact.to_string()),
        _ => None,
    });
    told.collect()
}

fn phase(world: &World) -> Phase {
    world.agent.service_at(WEB).unwrap().phase()
}

#[test]
fn what_lives_waits_until_the_host_has_room_and_that_is_told_once() {
    let mut world = calm(1);
    let before = starts(&world, 0).len();
    world.sims[0].sick = true;
    run(&mut world, 120, STARVED);
    let sentence = "web is not restarted while the host is starved (pressure:memory), for 5 min at most";
    assert_eq!(waits(&world), [sentence]);
    assert_eq!((starts(&world, 0).len(), phase(&world)), (before, Phase::Waiting), "{:#?}", world.story(0));
    run(&mut world, 8, CALM);
    assert_eq!(starts(&world, 0).len(), before + 1, "{:#?}", world.story(0));
}

#[test]
fn what_heals_while_it_waits_is_left_alone() {
    let mut world = calm(2);
    let before = starts(&world, 0).len();
    world.sims[0].sick = true;
    run(&mut world, 30, STARVED);
    world.sims[0].sick = false;
    run(&mut world, 30, STARVED);
    assert_eq!((starts(&world, 0).len(), phase(&world)), (before, Phase::Running));
}

#[test]
fn what_is_dead_is_started_all_the_same() {
    let mut world = calm(3);
    let before = starts(&world, 0).len();
    run(&mut world, 5, STARVED);
    world.kill(WEB);
    run(&mut world, 1, STARVED);
    assert_eq!((starts(&world, 0).len(), waits(&world).len()), (before + 1, 0));
}

#[test]
fn who_starves_the_host_itself_is_restarted_in_the_end() {
    let mut world = calm(4);
    let before = starts(&world, 0).len();
    world.sims[0].sick = true;
    run(&mut world, 295, STARVED);
    assert_eq!(starts(&world, 0).len(), before);
    run(&mut world, 20, STARVED);
    assert_eq!(starts(&world, 0).len(), before + 1, "{:#?}", world.story(0));
}

#[test]
fn a_pressure_that_is_read_no_more_holds_nothing_back() {
    let mut world = calm(5);
    let before = starts(&world, 0).len();
    run(&mut world, 5, STARVED);
    world.level = None;
    world.run(4_000);
    world.sims[0].sick = true;
    world.run(6_000);
    assert_eq!((starts(&world, 0).len(), waits(&world).len()), (before + 1, 0), "{:#?}", world.story(0));
}
