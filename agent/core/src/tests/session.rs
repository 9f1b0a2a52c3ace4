//! The link: what is said in which order, what is said again, and the farewell.

use super::world::{World, ms, spec};
use crate::session::{Fact, Lane, ORDERS_MAX, Order, Trouble};
use crate::timer::Reason;
use crate::{Ending, Input};
use picket_proto::event::Cause;
use picket_proto::frame::Crc32c;
use picket_proto::{Mono, Ranges, Seq, SeqRange, Span};
use std::collections::BTreeSet;
use std::format;
use std::vec::Vec;

/// What an agent says first over a link that costs nothing to a collector that it does not know.
const HELLO: Order = Order::Hello { report: Span::from_secs(10), known: None };

pub(super) fn ranges(parts: &[(u64, u64)]) -> Ranges {
    let mut ranges = Ranges::new();
    for (first, last) in parts {
        ranges.insert(SeqRange::new(Seq(*first), Seq(*last)).unwrap()).unwrap();
    }
    ranges
}

pub(super) fn lost(world: &mut World, trouble: Trouble) {
    world.input(Input::Session(Fact::Lost { trouble }));
}

pub(super) fn lane(world: &World, from: usize, lane: Lane) -> Vec<u64> {
    world.sent[from..].iter().filter(|(of, _)| *of == lane).map(|(_, seq)| *seq).collect()
}

/// The number of the last frame that was made.
pub(super) fn made(world: &World) -> u64 {
    world.told.len() as u64
}

#[test]
fn a_session_says_hello_what_stands_and_then_frames() {
    let mut world = World::running(1, std::vec![spec("web"), spec("db")]);
    world.sims[1].sick = true;
    world.run(3_500);
    let from = world.orders.len();
    world.opened();
    let said: Vec<_> = world.orders[from..].iter().map(|(_, order)| *order).collect();
    assert_eq!(said[0], HELLO);
    let why = Some(Cause::Refused);
    assert!(matches!(said[1], Order::Standing { check: 3, cause, .. } if cause == why), "{said:?}");
    let mut digest = Crc32c::new();
    for up in ["web.process", "web.tcp", "db.process"] {
        digest.add(format!("{up}\0").as_bytes());
    }
    assert_eq!(said[2], Order::StandingEnd { up: 3, digest: digest.value() });
    assert!(
        said[3..].iter().all(|order| matches!(order, Order::Send { lane: Lane::Backlog, .. })),
        "{said:?}"
    );
    assert_eq!(lane(&world, 0, Lane::Backlog), (1..=made(&world)).collect::<Vec<_>>());
}

#[test]
fn frames_made_after_opening_are_live_and_go_before_the_backlog() {
    let mut world = World::running(2, std::vec![spec("web")]);
    let old = made(&world);
    world.input(Input::Session(Fact::Opened));
    world.kill(0);
    world.welcomed(&Ranges::new());
    let live = lane(&world, 0, Lane::Live);
    assert!(!live.is_empty() && live.iter().all(|seq| *seq > old));
    assert_eq!(world.sent[0].0, Lane::Live);
    assert_eq!(lane(&world, 0, Lane::Backlog), (1..=old).collect::<Vec<_>>());
}

#[test]
fn after_a_loss_everything_unacked_is_sent_again_and_nothing_acked() {
    let mut world = World::running(3, std::vec![spec("web")]);
    world.opened();
    let all = made(&world);
    world.acked(&ranges(&[(1, 2), (4, 4)]));
    lost(&mut world, Trouble::Closed);
    let from = world.sent.len();
    world.run(400);
    world.input(Input::Session(Fact::Opened));
    world.welcomed(&ranges(&[(1, 2), (4, 4)]));
    let expected: Vec<u64> = (1..=all).filter(|seq| ![1, 2, 4].contains(seq)).collect();
    let again: BTreeSet<u64> = world.sent[from..].iter().map(|(_, seq)| *seq).collect();
    assert_eq!(again, expected.into_iter().collect());
}

#[test]
fn no_more_orders_are_out_than_the_shell_has_places_for() {
    let checks = (0..200).map(|at| crate::check::Spec {
        name: format!("c{at}").parse().unwrap(),
        kind: picket_proto::event::CheckKind::Tcp,
        service: None,
        interval: Span::from_secs(3600),
        timeout: ms(500),
        fall: 1,
        rise: 1,
        limits: None,
        full_within: Span::ZERO,
        unusual: Span::ZERO,
    });
    let mut world = World::with(4, checks.collect(), Vec::new(), 64 * 1024);
    world.input(Input::Time);
    world.opened();
    let standing =
        |world: &World| world.orders.iter().filter(|(_, it)| matches!(it, Order::Standing { .. })).count();
    assert!(world.orders.len() <= usize::from(ORDERS_MAX));
    let mut rounds = 0;
    while standing(&world) < 200 {
        let before = world.orders.len();
        world.all_sent();
        assert!(world.orders.len() - before <= usize::from(ORDERS_MAX));
        rounds += 1;
        assert!(rounds < 20, "it must come to an end");
    }
    world.all_sent();
    assert!(world.orders.iter().any(|(_, order)| matches!(order, Order::StandingEnd { up: 0, .. })));
}

#[test]
fn unacked_batches_stay_within_their_window_until_acks_come() {
    let mut world = World::running(5, std::vec![spec("web")]);
    world.opened();
    // Every input that makes frames makes a live batch of its own: three kills are more than 8.
    for _ in 0..3 {
        world.all_sent();
        world.kill(0);
        world.run(10_000);
    }
    let sends =
        |world: &World| world.orders.iter().filter(|(_, it)| matches!(it, Order::Send { .. })).count();
    assert_eq!(sends(&world), 8);
    let last = world.sent.iter().map(|(_, seq)| *seq).max().unwrap();
    world.acked(&ranges(&[(1, last)]));
    assert!(sends(&world) > 8);
    let sent: BTreeSet<u64> = world.sent.iter().map(|(_, seq)| *seq).collect();
    assert_eq!(sent.len() as u64, made(&world), "what waited goes in the next batch");
}

#[test]
fn waits_between_tries_double_and_a_refusal_waits_longer() {
    let wait = |trouble, times: usize| {
        let mut world = World::new(6, Vec::new());
        world.input(Input::Time);
        let mut waits = Vec::new();
        for _ in 0..times {
            let from = world.at;
            lost(&mut world, trouble);
            let (at, reason) = world.agent.deadline().unwrap();
            assert_eq!(reason, Reason::Connect);
            waits.push((at.micros() - from) / 1_000);
            world.at = at.micros();
            world.input(Input::Time);
        }
        waits
    };
    let refused = wait(Trouble::Refused, 10);
    assert!((187..=313).contains(&refused[0]) && (375..=625).contains(&refused[1]), "{refused:?}");
    assert!(refused[9] <= 37_500 && refused[9] >= 22_500, "{refused:?}");
    let denied = wait(Trouble::Denied, 8);
    assert!((22_500..=37_500).contains(&denied[0]) && denied[7] <= 750_000, "{denied:?}");
}

#[test]
fn a_heartbeat_goes_out_early_and_then_every_ten_seconds() {
    let mut world = World::new(7, Vec::new());
    world.input(Input::Time);
    world.opened();
    world.all_sent();
    let from = world.at;
    world.run(100_000);
    let beats: Vec<u64> = world
        .orders
        .iter()
        .filter(|(_, it)| matches!(it, Order::Heartbeat { .. }))
        .map(|(at, _)| *at)
        .collect();
    assert!((10..=12).contains(&beats.len()), "{beats:?}");
    assert_eq!(beats[0] - from, 1_000_000, "the first look at the host does not wait");
    assert!(
        beats.windows(2).all(|pair| (9_000_000..=11_000_000).contains(&(pair[1] - pair[0]))),
        "{beats:?}"
    );
    assert!(beats.windows(2).any(|pair| pair[1] - pair[0] != beats[1] - beats[0]), "they are jittered");
}

#[test]
fn a_heartbeat_carries_the_last_levels_what_waits_and_an_offset_that_is_news() {
    let beats = |world: &World| -> Vec<_> {
        let orders = world.orders.iter().map(|(_, order)| *order);
        orders.filter(|order| matches!(order, Order::Heartbeat { .. })).collect()
    };
    let mut world = World::running(7, std::vec![spec("web")]);
    world.opened();
    let now = Mono::from_micros(world.at);
    let received = now.plus(Span::from_secs(90));
    world.input(Input::Session(Fact::Beat { echo: now, received, answered: received }));
    world.all_sent();
    world.run(22_000);
    let told = beats(&world);
    let Order::Heartbeat { sample, offset } = told[0] else { panic!("{told:?}") };
    assert!(sample.waiting > 0, "nothing was acknowledged: {sample:?}");
    assert_eq!((sample.cpu, sample.lost), (None, 0), "no check reads the host here");
    assert_eq!(offset.unwrap().ahead, 90_000_000);
    for later in &told[1..] {
        assert!(matches!(later, Order::Heartbeat { offset: None, .. }), "it is no news: {later:?}");
    }
    lost(&mut world, Trouble::Closed);
    world.run(1_000);
    assert_eq!(world.agent.offset(Mono::from_micros(world.at)), None, "the next session measures anew");
}

#[test]
fn a_welcome_that_does_not_come_closes_the_stream_and_tries_again() {
    let mut world = World::new(8, Vec::new());
    world.input(Input::Time);
    world.input(Input::Session(Fact::Opened));
    world.run(32_000);
    let said: Vec<_> = world.orders.iter().map(|(_, order)| *order).collect();
    assert_eq!(said, [Order::Connect, HELLO, Order::Close, Order::Connect]);
}

#[test]
fn a_challenge_is_answered_with_its_nonce() {
    let mut world = World::new(9, Vec::new());
    world.input(Input::Time);
    world.opened();
    world.input(Input::Session(Fact::Challenged { nonce: 77 }));
    assert_eq!(world.orders.last().unwrap().1, Order::Answer { nonce: 77 });
}

#[test]
fn the_goodbye_waits_for_acks_of_live_frames_and_then_ends() {
    let mut world = World::running(10, std::vec![spec("web")]);
    world.opened();
    world.kill(0);
    let live = *world.sent.last().unwrap();
    assert_eq!(live.0, Lane::Live);
    world.stop(Ending::LeaveServices);
    assert_ne!(world.orders.last().unwrap().1, Order::Goodbye, "live frames are not acked yet");
    world.acked(&ranges(&[(1, made(&world))]));
    assert_eq!(world.orders.last().unwrap().1, Order::Goodbye);
    assert!(!world.ended);
    lost(&mut world, Trouble::Closed);
    assert!(world.ended);
}

#[test]
fn the_farewell_does_not_wait_longer_than_it_may() {
    let mut world = World::running(11, std::vec![spec("web")]);
    world.opened();
    world.kill(0);
    let from = world.at;
    world.stop(Ending::LeaveServices);
    world.run(10_000);
    let bye = world.orders.iter().find(|(_, order)| *order == Order::Goodbye).unwrap().0;
    assert_eq!(bye - from, 2_000_000);
    assert!(world.ended);
}
