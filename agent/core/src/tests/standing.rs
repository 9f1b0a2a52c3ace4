//! What stands is told again where events of the session itself were lost, and only behind the last of its frames.

use super::world::{World, spec};
use crate::session::Order;
use picket_proto::{Ranges, Seq, SeqRange, event};
use std::vec::Vec;

/// Which orders end a telling of what stands.
fn ends(world: &World) -> Vec<usize> {
    let orders = world.orders.iter().enumerate();
    orders.filter(|(_, (_, order))| matches!(order, Order::StandingEnd { .. })).map(|(at, _)| at).collect()
}

/// A check that fails and passes until frames are lost, while the collector says nothing.
fn flood(world: &mut World) {
    for _ in 0..2_000 {
        world.sims[0].sick = !world.sims[0].sick;
        world.run(3_000);
        world.all_sent();
        if world.agent.spool_view().lost > 0 {
            return;
        }
    }
    panic!("nothing was lost");
}

fn acked_what_was_sent(world: &mut World) {
    let mut known = Ranges::new();
    for (_, seq) in &world.sent {
        if let event::Fact::Gap(gap) = &world.told[*seq as usize - 1].1 {
            known.insert(gap.range).expect("a gap closes a hole");
        }
        known.insert(SeqRange::new(Seq(*seq), Seq(*seq)).unwrap()).expect("what is sent fits in 8 ranges");
    }
    world.acked(&known);
    world.all_sent();
}

#[test]
fn what_stands_is_told_again_behind_what_was_lost_in_a_session() {
    let mut world = World::running(11, std::vec![spec("web")]);
    world.opened();
    world.all_sent();
    assert_eq!(ends(&world).len(), 1);
    flood(&mut world);
    assert_eq!(ends(&world).len(), 1, "not yet: older frames would undo it");
    world.sims[0].sick = true;
    world.run(3_000);
    let mut turns = 0;
    while world.agent.spool_view().frames > 0 {
        acked_what_was_sent(&mut world);
        turns += 1;
        assert!(turns < 100, "it must come to an end");
    }
    assert!(world.told.iter().any(|(_, fact)| matches!(fact, event::Fact::Gap(_))));
    let [_, again] = ends(&world)[..] else { panic!("{:?}", ends(&world)) };
    let lasts = world.orders.iter().rposition(|(_, order)| matches!(order, Order::Send { .. }));
    assert!(lasts < Some(again), "{lasts:?} is sent behind it");
    assert!(matches!(world.orders[again - 1].1, Order::Standing { check: 1, .. }));
}

#[test]
fn what_stands_is_told_once_where_nothing_is_lost() {
    let mut world = World::running(12, std::vec![spec("web")]);
    world.opened();
    for _ in 0..5 {
        world.kill(0);
        world.run(10_000);
        acked_what_was_sent(&mut world);
    }
    assert_eq!(ends(&world).len(), 1);
}
