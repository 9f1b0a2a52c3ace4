//! The link: whose acks count, how long is rested between sessions, and a farewell before the welcome.

use super::session::{lost, made, ranges};
use super::world::{World, spec};
use crate::session::{Fact, Order, Phase, Trouble};
use crate::{Ending, Input};
use picket_proto::{Ranges, Run, Seq};
use std::vec::Vec;

#[test]
fn an_ack_of_a_run_that_nobody_knows_is_refused_and_acknowledges_nothing() {
    let mut world = World::running(1, std::vec![spec("web")]);
    world.opened();
    let (all, refused) = (ranges(&[(1, made(&world))]), world.agent.refused());
    world.input(Input::Session(Fact::Acked { run: Run(99), ranges: &all }));
    assert_eq!((world.agent.waits(Seq(1)), world.agent.refused()), (true, refused + 1));
    world.acked(&all);
    assert_eq!((world.agent.waits(Seq(1)), world.agent.refused()), (false, refused + 1));
}

/// Loses the link: after how many milliseconds it is tried again.
fn rest(world: &mut World) -> u64 {
    let (from, orders) = (world.at, world.orders.len());
    lost(world, Trouble::Closed);
    world.run(60_000);
    let again = &world.orders[orders..];
    let [(at, Order::Connect)] = again else { panic!("{again:?}") };
    (at - from) / 1_000
}

#[test]
fn rests_grow_with_failures_and_start_anew_after_a_session_of_ten_seconds() {
    let mut world = World::new(2, Vec::new());
    world.input(Input::Time);
    let rests: Vec<u64> = (0..5).map(|_| rest(&mut world)).collect();
    assert!(rests.windows(2).all(|pair| pair[1] > pair[0]), "{rests:?}");
    assert!((187..=313).contains(&rests[0]) && rests[4] >= 3_000, "{rests:?}");
    world.opened();
    world.run(9_999);
    assert!(rest(&mut world) > rests[4], "that was no good session");
    world.opened();
    world.run(10_000);
    assert!((187..=313).contains(&rest(&mut world)));
}

#[test]
fn an_agent_that_ends_before_it_is_welcomed_waits_two_seconds_for_the_welcome() {
    let mut world = World::running(3, std::vec![spec("web")]);
    world.input(Input::Session(Fact::Opened));
    world.stop(Ending::LeaveServices);
    world.run(1_999);
    assert!(!world.ended);
    world.run(1);
    assert!(world.ended && !world.orders.iter().any(|(_, order)| *order == Order::Goodbye));
    let mut world = World::running(3, std::vec![spec("web")]);
    world.input(Input::Session(Fact::Opened));
    world.stop(Ending::LeaveServices);
    world.run(1_000);
    world.welcomed(&Ranges::new());
    world.all_sent();
    assert_eq!(world.orders.last().unwrap().1, Order::Goodbye, "no live frame waits for its ack");
    assert!(!world.ended);
}

#[test]
fn an_agent_that_ends_while_the_link_rests_waits_for_nothing() {
    let mut world = World::running(4, std::vec![spec("web")]);
    lost(&mut world, Trouble::Closed);
    assert!(matches!(world.agent.link(), Phase::Resting { .. }));
    world.stop(Ending::LeaveServices);
    assert!(world.ended);
}
