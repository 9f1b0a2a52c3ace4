//! Being believed and being given up: looks while a recovery is watched, checks that hang, kills that do not end it.

use super::recovery::{opened, outcomes, starts};
use super::session::lost;
use super::world::{World, ms, spec};
use crate::service::{self, Act, Phase};
use crate::session::{Order, Trouble};
use crate::{Ending, Input};
use picket_proto::event::{Because, Cause, Exit, Outcome};
use std::string::String;
use std::vec;
use std::vec::Vec;

fn phase(world: &World) -> Phase {
    world.agent.service_at(0).unwrap().phase()
}

fn due(world: &World) -> u64 {
    world.agent.service_at(0).unwrap().deadline().unwrap().0.micros()
}

/// Times of the looks at a check between two times, in milliseconds from the first.
fn looks(world: &World, check: u16, from: u64, upto: u64) -> Vec<u64> {
    let looks = world.probes.iter().filter(|(at, of)| *of == check && (from..upto).contains(at));
    looks.map(|(at, _)| (at - from) / 1_000).collect()
}

#[test]
fn a_recovery_is_looked_at_four_times_within_its_hold_and_then_at_the_regular_pace() {
    let mut world = World::running(1, vec![spec("web")]);
    world.kill(0);
    while phase(&world) != Phase::Holding {
        world.order_what_is_due();
        world.run(0);
    }
    let passed = world.at;
    world.run(12_000);
    assert_eq!(phase(&world), Phase::Running);
    for check in [0, 1] {
        let held = looks(&world, check, passed + 1, passed + 2_000_000);
        assert!((3..=4).contains(&held.len()), "every 500 ms: {held:?}");
        let later = looks(&world, check, passed + 2_000_000, passed + 12_000_000);
        assert!((9..=11).contains(&later.len()), "every second: {later:?}");
    }
}

#[test]
fn a_check_that_has_passed_is_not_hurried_while_another_is_waited_for() {
    let mut world = World::new(2, vec![spec("web")]);
    world.sims[0].boots = Some(4_000);
    world.input(Input::Service(service::Fact::Absent { service: 0 }));
    let from = world.at;
    world.run(3_900);
    assert!(looks(&world, 0, from, world.at).len() <= 6, "it passed at once");
    assert!(looks(&world, 1, from, world.at).len() >= 10, "it did not pass yet");
}

#[test]
fn a_hold_is_not_believed_while_a_check_hangs_and_not_prolonged_for_ever() {
    let mut world = World::running(3, vec![spec("web")]);
    world.kill(0);
    while phase(&world) != Phase::Holding {
        world.run(1);
    }
    let until = due(&world);
    world.run(700);
    // From here on no probe is answered.
    world.sims.clear();
    world.run((until - world.at) / 1_000);
    assert_eq!((phase(&world), due(&world)), (Phase::Holding, until + 500_000), "by a quarter of the hold");
    world.run(8_000);
    assert_eq!((phase(&world), outcomes(&world).len()), (Phase::Holding, 0));
    while outcomes(&world).is_empty() {
        world.run(100);
        assert!(world.at < until + 20_000_000);
    }
    let [Outcome::StillFailing { cause: Cause::TimedOut, .. }] = &outcomes(&world)[..] else {
        panic!("{:#?}", world.story(0))
    };
}

#[test]
fn a_living_service_whose_breaker_is_open_is_not_believed_while_one_check_fails() {
    let mut world = World::running(4, vec![service::Spec { same_deaths: 1, ..spec("web") }]);
    world.sims[0].sick = true;
    world.run(5_000);
    assert_eq!((phase(&world), opened(&world).len()), (Phase::Broken, 1));
    world.run(40_000);
    assert_eq!(phase(&world), Phase::Broken, "its process passes, its port does not");
    world.sims[0].sick = false;
    world.run(1_200);
    assert_eq!(phase(&world), Phase::Holding);
    world.run(3_000);
    assert_eq!((phase(&world), starts(&world, 1_000_001).len()), (Phase::Running, 0));
}

#[test]
fn a_service_that_waits_for_its_backoff_is_not_believed_while_one_check_fails() {
    let slow = service::Spec { backoff_first: ms(30_000), same_deaths: 0, ..spec("web") };
    let mut world = World::running(5, vec![slow]);
    world.kill(0);
    world.run(1_000);
    world.sims[0].sick = true;
    world.run(3_000);
    assert_eq!(phase(&world), Phase::Waiting);
    let at = due(&world);
    world.run(10_000);
    assert_eq!((phase(&world), due(&world)), (Phase::Waiting, at));
    world.sims[0].sick = false;
    world.run(3_000);
    assert_eq!((phase(&world), due(&world)), (Phase::Waiting, at), "that is seen when the restart is due");
}

#[test]
fn without_a_limit_of_same_deaths_only_the_budget_opens_the_breaker() {
    let mut world = World::running(6, vec![service::Spec { same_deaths: 0, budget: 4, ..spec("web") }]);
    world.sims[0].dies = Some((20, Exit::Code(1), String::new()));
    world.kill(0);
    world.run(60_000);
    let opened = opened(&world);
    assert!(matches!(opened[0].1, Because::Budget { allowed: 4, .. }), "{opened:?}");
}

/// A service whose process nothing ends.
fn stuck(seed: u64) -> World {
    let mut world = World::running(seed, vec![spec("web")]);
    lost(&mut world, Trouble::Closed);
    world.sims[0].ignores_stop = true;
    world.sims[0].alive = None;
    world
}

fn kills(world: &World, from: u64) -> Vec<u64> {
    let kills = world.acts.iter().filter(|(_, act)| matches!(act, Act::Kill { .. }));
    kills.map(|(at, _)| (at - from) / 1_000).collect()
}

#[test]
fn a_process_that_a_remedy_cannot_end_is_killed_every_ten_seconds_for_as_long_as_it_takes() {
    let mut world = stuck(7);
    world.run(3_000);
    let from = world.acts.iter().find(|(_, act)| matches!(act, Act::Stop { .. })).expect("it is sick").0;
    world.run(45_000);
    assert_eq!(kills(&world, from), [500, 10_500, 20_500, 30_500, 40_500]);
    assert_eq!(phase(&world), Phase::Stopping);
}

#[test]
fn an_agent_that_ends_with_its_services_waits_for_two_kills_and_no_longer() {
    let mut world = stuck(8);
    let from = world.at;
    world.stop(Ending::StopServices);
    world.run(20_499);
    assert_eq!((kills(&world, from), world.ended), (vec![500, 10_500], false));
    world.run(1);
    assert_eq!((kills(&world, from).len(), phase(&world)), (2, Phase::Ended));
    world.run(2_000);
    assert!(world.ended, "the link is given its time");
}

#[test]
fn an_agent_that_ends_at_once_kills_what_lives_and_nothing_else() {
    let mut world = World::running(9, vec![spec("web"), spec("db")]);
    world.sims[0].dies = Some((20, Exit::Code(1), String::new()));
    world.kill(0);
    world.run(20_000);
    assert_eq!(phase(&world), Phase::Broken);
    world.sims[1].ignores_stop = true;
    world.stop(Ending::StopServices);
    let from = world.acts.len();
    world.stop(Ending::StopServices);
    assert_eq!(world.acts[from..], [(world.at, Act::Kill { service: 1 })]);
}

#[test]
fn the_goodbye_is_given_half_a_second_to_be_flushed() {
    let mut world = World::running(10, vec![spec("web")]);
    world.opened();
    world.all_sent();
    world.stop(Ending::LeaveServices);
    assert_eq!(world.orders.last().unwrap().1, Order::Goodbye);
    world.run(499);
    assert!(!world.ended);
    world.run(1);
    assert!(world.ended);
}

#[test]
fn what_was_made_before_the_link_opened_is_backlog_up_to_its_last_frame() {
    use super::session::{lane, made, ranges};
    use crate::session::{Fact, Lane};
    let mut world = World::running(11, vec![spec("web")]);
    let last = made(&world);
    world.input(Input::Session(Fact::Opened));
    world.welcomed(&ranges(&[(1, last - 1)]));
    assert_eq!((lane(&world, 0, Lane::Backlog), lane(&world, 0, Lane::Live)), (vec![last], vec![]));
    world.acked(&ranges(&[(1, last)]));
    world.kill(0);
    assert!(lane(&world, 0, Lane::Live).iter().all(|seq| *seq > last));
}
