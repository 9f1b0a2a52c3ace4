//! A collector that knows less of this run than it acknowledged, or more than the run has made.

use super::session::{lane, lost, made, ranges};
use super::world::{World, spec};
use crate::Input;
use crate::session::{Fact, Lane, Order};
use picket_proto::Ranges;
use picket_proto::event::{self, Gap, GapReason};
use std::vec::Vec;

/// The next session begins with this.
fn again(world: &mut World, known: &Ranges) {
    lost(world, crate::session::Trouble::Closed);
    world.run(400);
    world.input(Input::Session(Fact::Opened));
    world.welcomed(known);
    world.all_sent();
    world.run(100);
}

/// The gaps that were told: of which numbers, and why.
fn gaps(world: &World) -> Vec<(u64, u64, GapReason)> {
    let told = world.told.iter().filter_map(|(_, fact)| match fact {
        event::Fact::Gap(Gap { range, reason, .. }) => Some((range.first().0, range.last().0, *reason)),
        _ => None,
    });
    told.collect()
}

#[test]
fn what_an_older_backup_no_longer_knows_and_nobody_has_is_named() {
    let mut world = World::running(5, std::vec![spec("web")]);
    world.opened();
    let all = made(&world);
    assert!(all >= 4, "{all}");
    world.acked(&ranges(&[(1, all)]));
    again(&mut world, &ranges(&[(1, 2)]));
    assert_eq!(gaps(&world), [(3, all, GapReason::RestoredFromBackup)]);
}

#[test]
fn a_collector_that_knows_what_it_acknowledged_makes_nothing_be_named() {
    let mut world = World::running(6, std::vec![spec("web")]);
    world.opened();
    let all = made(&world);
    world.acked(&ranges(&[(1, all)]));
    again(&mut world, &ranges(&[(1, all)]));
    assert_eq!(gaps(&world), []);
}

/// The machine was resumed from a snapshot; the life that went on then had made more than this one.
#[test]
fn numbers_that_another_life_of_the_run_has_given_are_not_given_again() {
    let mut world = World::running(7, std::vec![spec("web")]);
    world.opened();
    let all = made(&world);
    world.acked(&ranges(&[(1, all)]));
    lost(&mut world, crate::session::Trouble::Closed);
    world.kill(0);
    world.run(400);
    let shadowed = made(&world);
    assert!(shadowed > all);
    world.input(Input::Session(Fact::Opened));
    let from = world.orders.len();
    world.welcomed(&ranges(&[(1, shadowed + 3), (shadowed + 6, shadowed + 9)]));
    world.all_sent();
    world.run(100);
    assert_eq!(
        gaps(&world),
        [(all + 1, shadowed, GapReason::Conflict), (shadowed + 4, shadowed + 5, GapReason::Conflict),]
    );
    let closed = event::Fact::Breaker(event::BreakerMoved {
        service: "web".parse().unwrap(),
        to: event::Breaker::Closed,
    });
    let said = world.told.iter().filter(|(_, fact)| *fact == closed).count();
    assert_eq!(said, 1, "the other life may have said that it is open, and a closed one does not move");
    let sent: Vec<u64> = lane(&world, 0, Lane::Live);
    assert!(sent.iter().rev().take(2).all(|seq| *seq > shadowed + 9), "{sent:?}");
    assert!(world.orders[from..].iter().any(|(_, order)| matches!(order, Order::Send { .. })));
    world.kill(0);
    let last = frames_of(&world).last().copied();
    assert!(last > Some(shadowed + 10), "numbering goes on behind theirs: {last:?}");
}

fn frames_of(world: &World) -> Vec<u64> {
    world.sent.iter().map(|(_, seq)| *seq).collect()
}

#[test]
fn a_collector_that_knows_of_numbers_that_no_run_can_give_is_left_alone() {
    let mut world = World::running(8, std::vec![spec("web")]);
    world.input(Input::Session(Fact::Opened));
    let from = world.orders.len();
    world.welcomed(&ranges(&[(1, 2), (u64::MAX - 5, u64::MAX - 1)]));
    let said: Vec<_> = world.orders[from..].iter().map(|(_, order)| *order).collect();
    assert_eq!(said, [Order::Close]);
    assert_eq!(gaps(&world), []);
}
