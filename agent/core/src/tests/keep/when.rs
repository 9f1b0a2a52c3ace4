//! When the state is written, and what of it.

use super::*;
use crate::Ending;

/// When the state was written from a time on, in milliseconds.
fn writes(world: &mut World, millis: u64) -> Vec<u64> {
    let from = world.at;
    let mut all = Vec::new();
    let upto = from + millis * 1_000;
    while world.at < upto {
        if let Some((at, _)) = world.kept.take() {
            all.push((at - from) / 1_000);
        }
        world.run(1);
    }
    all.extend(world.kept.take().map(|(at, _)| (at - from) / 1_000));
    all
}

/// A service that has been up for long, and a state that was written long ago.
fn settled(seed: u64) -> World {
    let mut world = World::running(seed, vec![spec("web")]);
    world.run(100_000);
    world.kept = None;
    world
}

#[test]
fn a_first_change_is_kept_at_once_and_others_at_most_every_ten_seconds() {
    let mut world = settled(20);
    world.kill(0);
    let written = writes(&mut world, 60_000);
    assert_eq!(written[..2], [0, 10_000], "{written:?}");
    assert!(written.windows(2).all(|pair| pair[1] - pair[0] >= 10_000), "{written:?}");
}

#[test]
fn a_breaker_and_a_hold_are_kept_at_once_and_anew_every_ten_minutes() {
    let mut world = settled(21);
    world.sims[0].dies = Some((20, Exit::Code(1), "bad config".to_string()));
    let from = world.at;
    world.kill(0);
    let written = writes(&mut world, 8_000);
    let open = (opened(&world)[0].0 - from) / 1_000;
    assert!(open < 10_000 && written.contains(&open), "{written:?} of {open}");
    for all in [true, false] {
        let mut world = settled(22);
        let service = (!all).then_some(0);
        world.kill(0);
        world.run(10);
        world.kept = None;
        let lasts = Some(Span::from_secs(7_200));
        world.input(Input::Asked(crate::Asked::Hold(hold::Fact { service, lasts, by: "root" })));
        assert_eq!(world.kept.take().map(|(at, _)| at), Some(world.at));
        let written = writes(&mut world, 3_600_000);
        let late: Vec<_> = written.iter().filter(|at| **at > 30_000).collect();
        assert_eq!(late.len(), 5, "every 10 minutes of the hour: {written:?}");
    }
}

#[test]
fn an_open_breaker_is_kept_anew_every_ten_minutes_while_it_rests() {
    let long = service::Spec { retry_after: Span::from_secs(7_200), ..spec("web") };
    let mut world = World::running(23, vec![long]);
    world.sims[0].dies = Some((20, Exit::Code(1), "bad config".to_string()));
    world.kill(0);
    world.run(30_000);
    assert_eq!(phase(&world), Phase::Broken);
    world.kept = None;
    assert_eq!(writes(&mut world, 3_600_000).len(), 6);
}

#[test]
fn an_agent_that_ends_keeps_what_has_changed_without_waiting() {
    let mut world = settled(24);
    world.kill(0);
    world.run(9_000);
    world.kept = None;
    world.stop(Ending::LeaveServices);
    assert_eq!(world.kept.take().map(|(at, _)| at), Some(world.at));
}

#[test]
fn of_services_at_rest_nothing_is_kept_and_of_others_as_long_as_it_counts() {
    let len = |world: &World| kept(&world.agent).len();
    let mut world = World::running(25, vec![spec("web"), spec("db")]);
    let rest = len(&world);
    assert!(rest < 8, "{rest} bytes");
    world.kill(0);
    world.run(20_000);
    let one = len(&world);
    assert!(one > rest && one < 64, "{one} bytes");
    world.run(600_000);
    assert_eq!(len(&world), rest, "the remedy is out of the budget's window");
}

#[test]
fn services_that_do_not_fit_are_left_out_and_counted() {
    let mut world = World::running(26, vec![spec("web"), spec("db"), spec("mq")]);
    for service in 0..3 {
        world.kill(service);
    }
    world.run(20_000);
    let mut bytes = [0; 256];
    let (all, left_out) = world.agent.keep(&mut bytes);
    assert_eq!(left_out, 0);
    let (most, left_out) = world.agent.keep(&mut bytes[..all - 1]);
    assert_eq!((most < all, left_out), (true, 1));
    assert_eq!(world.agent.keep(&mut bytes[..4]).1, 3);
    assert_eq!(world.agent.keep(&mut bytes[..0]), (0, 3));
}

#[test]
fn bytes_that_cannot_be_read_are_called_damaged_and_after_the_first_input_nothing_is_taken_back() {
    let bytes = kept(&broken(27).agent);
    let restore = |bytes: &[u8]| {
        let mut world = World::new(100, vec![spec("web")]);
        world.agent.restore(Mono::from_micros(1), Away::SameBoot(Span::ZERO), bytes)
    };
    assert!(!restore(&bytes).damaged);
    let other_version = [&[bytes[0] + 2], &bytes[1..]].concat();
    for damaged in [&[][..], &bytes[..bytes.len() - 1], &other_version] {
        let restored = restore(damaged);
        assert_eq!((restored.damaged, restored.services), (true, 0));
    }
    let mut world = World::new(100, vec![spec("web")]);
    world.input(Input::Time);
    let restored = world.agent.restore(Mono::from_micros(1), Away::SameBoot(Span::ZERO), &bytes);
    assert_eq!(restored, service::Restored::default());
    look(&mut world);
    assert_eq!(phase(&world), Phase::Starting, "its breaker is closed");
}
