//! What is kept as bytes: by names, when, how much, and what damage does.

use super::*;

#[test]
fn what_is_kept_goes_by_names() {
    let old = broken(8);
    let (_, bytes) = old.kept.unwrap();
    let mut other = World::new(80, vec![spec("db"), spec("web")]);
    let away = Away::SameBoot(Span::ZERO);
    assert_eq!(other.agent.restore(Mono::from_micros(1), away, &bytes).services, 1);
    look(&mut other);
    assert_eq!(other.agent.service_at(1).unwrap().phase(), Phase::Broken);
    assert_ne!(other.agent.service_at(0).unwrap().phase(), Phase::Broken);
    let mut none = World::new(81, vec![spec("db")]);
    let restored = none.agent.restore(Mono::from_micros(1), away, &bytes);
    assert_eq!((restored.services, restored.unknown), (0, 1));
}

#[test]
fn at_rest_nothing_is_kept_and_a_breaker_at_once() {
    let mut world = World::running(9, vec![spec("web")]);
    let first = world.kept.take();
    world.run(3_600_000);
    assert_eq!(world.kept, None, "an hour at rest writes nothing (at the start: {first:?})");
    world.sims[0].dies = Some((20, Exit::Code(1), "bad config".to_string()));
    world.kill(0);
    let died = world.at;
    world.run(30_000);
    let open = world.told.iter().find(
        |(_, fact)| matches!(fact, event::Fact::Breaker(moved) if matches!(moved.to, Breaker::Open { .. })),
    );
    let opened = open.map(|(at, _)| *at).unwrap();
    let mut bytes = vec![0; KEEP_MAX];
    assert!(world.agent.keep(&mut bytes).0 > 10);
    assert!(world.kept.as_ref().is_some_and(|(at, _)| *at >= opened && *at > died), "{:?}", world.kept);
}

#[test]
fn bytes_that_are_cut_or_flipped_anywhere_restore_what_is_whole_and_never_panic() {
    let bytes = kept(&broken(10).agent);
    for cut in 0..bytes.len() {
        let mut world = World::new(100, vec![spec("web")]);
        let restored = world.agent.restore(Mono::from_micros(1), Away::SameBoot(Span::ZERO), &bytes[..cut]);
        assert!(restored.damaged || restored.services == 0, "cut at {cut}: {restored:?}");
        look(&mut world);
        world.run(50);
    }
    for at in 0..bytes.len() * 8 {
        let mut flipped = bytes.clone();
        flipped[at / 8] ^= 1 << (at % 8);
        let mut world = World::new(100, vec![spec("web")]);
        world.agent.restore(Mono::from_micros(1), Away::OtherBoot, &flipped);
        look(&mut world);
        world.run(50);
    }
}

#[test]
fn all_of_256_services_at_their_worst_fit() {
    let names: Vec<_> = (0..256).map(|at| std::format!("{at:_>48}")).collect();
    let specs: Vec<_> =
        names.iter().map(|name| service::Spec { budget: 32, same_deaths: 100, ..spec(name) }).collect();
    let mut world = World::new(11, specs);
    for sim in &mut world.sims {
        sim.dies = Some((2_000, Exit::Signal(11), "12:00:00 segmentation fault".to_string()));
        sim.boots = Some(10);
    }
    for service in 0..256 {
        world.input(Input::Service(Fact::Absent { service }));
    }
    world.run(40_000);
    let bytes = kept(&world.agent);
    assert!(bytes.len() > 20_000, "{}", bytes.len());
}
