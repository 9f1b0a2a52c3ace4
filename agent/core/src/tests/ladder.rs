//! Ladders: each rung is proved like any remedy, and the next follows where it did not hold.

use super::recovery::{opened, outcomes};
use super::world::{World, spec};
use crate::service::{self, Act, Ended, Phase};
use picket_proto::event::{Because, Fact, Outcome, Remedy};
use std::vec;
use std::vec::Vec;

fn with(seed: u64, ladder: &[Remedy]) -> World {
    let ladder = ladder.iter().copied().collect();
    World::running(seed, vec![service::Spec { ladder, ..spec("web") }])
}

fn remedies(world: &World) -> Vec<Remedy> {
    let begun = world.told.iter().filter_map(|(_, fact)| match fact {
        Fact::Remedy(begun) => Some(begun.remedy),
        _ => None,
    });
    begun.collect()
}

#[test]
fn a_reload_that_helps_is_proved_with_the_same_process() {
    let mut world = with(1, &[Remedy::Reload, Remedy::Restart]);
    let pid = world.sims[0].alive;
    (world.sims[0].sick, world.sims[0].heals_by_reload) = (true, true);
    world.run(20_000);
    assert_eq!(remedies(&world), [Remedy::Reload]);
    assert!(matches!(outcomes(&world)[..], [Outcome::Held { .. }]), "{:#?}", world.story(0));
    assert_eq!((world.sims[0].alive, world.agent.service_at(0).unwrap().phase()), (pid, Phase::Running));
}

#[test]
fn a_reload_that_does_not_help_is_followed_by_a_restart() {
    let mut world = with(2, &[Remedy::Reload, Remedy::Restart]);
    world.sims[0].sick = true;
    world.run(9_000);
    assert_eq!(remedies(&world), [Remedy::Reload, Remedy::Restart], "{:#?}", world.story(0));
    world.sims[0].sick = false;
    world.run(20_000);
    assert!(matches!(outcomes(&world)[..], [Outcome::StillFailing { .. }, Outcome::Held { .. }]));
    world.sims[0].sick = true;
    world.run(4_000);
    assert_eq!(remedies(&world)[2..], [Remedy::Reload], "what held begins the ladder anew");
}

#[test]
fn what_is_dead_is_not_reloaded() {
    let mut world = with(3, &[Remedy::Reload, Remedy::Restart]);
    world.kill(0);
    world.run(10_000);
    assert_eq!(remedies(&world), [Remedy::Restart]);
}

#[test]
fn what_nothing_heals_is_stopped_and_tried_once_more_later() {
    let mut world = with(4, &[Remedy::Restart, Remedy::Isolate]);
    world.sims[0].sick = true;
    world.run(30_000);
    assert_eq!(remedies(&world), [Remedy::Restart, Remedy::Isolate], "{:#?}", world.story(0));
    assert_eq!(
        opened(&world).iter().map(|(_, because, _)| *because).collect::<Vec<_>>(),
        [Because::Isolated]
    );
    assert_eq!((world.sims[0].alive, world.agent.service_at(0).unwrap().phase()), (None, Phase::Broken));
    let last = world.agent.service_at(0).unwrap().remedies().last().and_then(|past| past.ended);
    assert!(matches!(last, Some((_, Ended::Isolated))), "it is stopped, and nothing is open: {last:?}");
    assert!(matches!(world.acts.last(), Some((_, Act::Stop { .. }))));
    world.sims[0].sick = false;
    world.run(120_000);
    assert_eq!(world.agent.service_at(0).unwrap().phase(), Phase::Running, "nothing gives up for ever");
}

#[test]
fn an_open_breaker_stops_what_still_lives_where_its_ladder_says_so() {
    let mut world =
        with(5, &[Remedy::Restart, Remedy::Restart, Remedy::Restart, Remedy::Restart, Remedy::Isolate]);
    world.sims[0].sick = true;
    world.run(60_000);
    assert_eq!(remedies(&world).last(), Some(&Remedy::Isolate));
    assert!(
        remedies(&world).len() < 5,
        "the same failure three times: the breaker does not wait for the rest"
    );
    assert_eq!(world.sims[0].alive, None);
    assert_eq!(opened(&world)[0].1, Because::SameDeathIsolated(3), "it says why, and that it was stopped");
}

#[test]
fn a_used_up_budget_is_the_reason_of_what_it_stops() {
    let ladder = [Remedy::Restart, Remedy::Isolate].into_iter().collect();
    let spec = service::Spec { ladder, budget: 0, same_deaths: 0, ..spec("web") };
    let window = spec.budget_window;
    let mut world = World::running(6, vec![spec]);
    world.sims[0].sick = true;
    world.run(30_000);
    assert_eq!(remedies(&world), [Remedy::Isolate], "{:#?}", world.story(0));
    assert_eq!(opened(&world)[0].1, Because::BudgetIsolated { allowed: 0, window });
}
