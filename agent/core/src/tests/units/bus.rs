//! The bus itself: when it is tried, when all units are compared, and what was missed is told.

use super::*;

/// What was ordered of the bus, with the time.
fn orders(world: &World) -> Vec<(u64, String)> {
    let lines = world.log.lines().filter_map(|line| line.split_once(" Unit("));
    lines.map(|(at, order)| (at.parse().unwrap(), String::from(order.trim_end_matches(')')))).collect()
}

fn names(world: &World, from: u64) -> Vec<String> {
    orders(world).into_iter().filter(|(at, _)| *at >= from).map(|(_, order)| order).collect()
}

/// How long systemd was not heard, and how many differences were found.
fn blind(world: &World) -> Vec<(Span, u16)> {
    let told = world.told.iter().filter_map(|(_, fact)| match fact {
        event::Fact::Blind(blind) => Some((blind.lasted, blind.differences)),
        _ => None,
    });
    told.collect()
}

#[test]
fn the_bus_is_sought_at_once_and_units_are_settled_when_every_one_was_read() {
    let mut world = unit(30, unit_spec());
    world.input(Input::Time);
    assert_eq!((names(&world, 0), world.agent.units_settled()), (vec![String::from("Connect")], false));
    world.input(Input::Unit(Fact::Opened));
    assert_eq!(
        (names(&world, 0), world.agent.units_settled()),
        (vec!["Connect".into(), "Look".into()], false)
    );
    read(&mut world, running(1, 7), Dones::default());
    assert!(world.agent.units_settled());
    assert_eq!(blind(&world), [], "what was never seen was not missed");
}

#[test]
fn where_no_service_is_a_unit_no_bus_is_sought() {
    let mut world = World::running(31, vec![spec("web")]);
    world.run(300_000);
    assert_eq!((names(&world, 0), world.agent.units_settled()), (Vec::new(), true));
}

#[test]
fn a_bus_that_is_not_there_is_tried_ever_more_seldom_and_nothing_waits_for_it() {
    let mut world = unit(32, unit_spec());
    world.input(Input::Time);
    let mut tries = Vec::new();
    for _ in 0..10 {
        let from = world.at;
        world.input(Input::Unit(Fact::Lost));
        assert!(world.agent.units_settled());
        world.run(10_000);
        let (at, order) = orders(&world).pop().unwrap();
        assert_eq!(order, "Connect");
        tries.push((at - from) / 1_000);
    }
    assert!((75..=125).contains(&tries[0]) && (3_750..=6_250).contains(&tries[9]), "{tries:?}");
    assert_eq!(blind(&world), []);
}

#[test]
fn all_units_are_compared_every_two_minutes_and_what_no_signal_told_is_counted() {
    let mut world = watched(33);
    let opened = world.at - 20_000_000;
    world.run(99_999);
    assert_eq!(names(&world, opened + 1), Vec::<String>::new());
    world.run(1);
    assert_eq!(orders(&world).pop(), Some((opened + 120_000_000, "Look".into())));
    look(&mut world, running(1, 7));
    assert_eq!(blind(&world), [], "it is as it was");
    world.run(120_000);
    look(&mut world, Seen { changed: 99, ..running(1, 7) });
    assert_eq!(blind(&world), [(Span::ZERO, 1)]);
    world.run(120_000);
    look(&mut world, Seen { changed: 99, ..running(1, 7) });
    assert_eq!(blind(&world).len(), 1, "counted once");
}

#[test]
fn a_bus_that_was_away_is_told_with_what_differs_when_all_was_read_again() {
    let mut world = watched(34);
    let lost = world.at;
    world.input(Input::Unit(Fact::Lost));
    assert_eq!(phase(&world), Phase::Running, "a bus that is gone is no failure of its units");
    world.run(3_000);
    world.input(Input::Unit(Fact::Lost));
    world.run(7_000);
    world.input(Input::Unit(Fact::Opened));
    assert_eq!(blind(&world), []);
    read(&mut world, Seen { restarts: 1, ..running(2, 8) }, Dones::default());
    assert_eq!(blind(&world), [(Span::from_micros(world.at - lost), 1)]);
    assert_eq!((phase(&world), calls(&world, 0).len()), (Phase::Rising, 0));
}

#[test]
fn a_call_that_was_out_when_the_bus_went_is_looked_after_and_not_repeated_at_once() {
    let mut world = watched(35);
    read(&mut world, dead(1, Active::Failed, KILLED), Dones::default());
    let lost = world.at;
    world.input(Input::Unit(Fact::Lost));
    assert_eq!(phase(&world), Phase::Awaiting);
    world.run(1_000);
    world.input(Input::Unit(Fact::Opened));
    look(&mut world, running(2, 8));
    assert_eq!((phase(&world), calls(&world, lost + 1).len()), (Phase::Rising, 0), "it had been heard");
}

#[test]
fn words_of_units_that_are_none_change_nothing() {
    let mut world = watched(36);
    let told = world.told.len();
    let (wake, seen, done) = (Wake::Signal, dead(1, Active::Failed, KILLED), Dones::default());
    world.input(Input::Unit(Fact::Read { unit: 9, wake, seen, done }));
    world.input(Input::Unit(Fact::Answered { unit: 9, answer: Answer::Job(5) }));
    answer(&mut world, Answer::Job(5));
    assert_eq!((world.told.len(), phase(&world)), (told, Phase::Running));
}

#[test]
fn a_bus_that_goes_before_every_unit_was_read_once_was_never_seen_and_is_not_missed() {
    let mut world = unit(37, unit_spec());
    world.input(Input::Unit(Fact::Opened));
    world.input(Input::Unit(Fact::Lost));
    world.run(1_000);
    world.input(Input::Unit(Fact::Opened));
    look(&mut world, running(1, 7));
    assert_eq!((blind(&world), phase(&world)), (Vec::new(), Phase::Running));
}

#[test]
fn units_are_settled_when_the_last_of_several_was_read() {
    let services = ["web", "db"].map(|name| service::Spec { driver: Driver::Systemd, ..spec(name) });
    let mut world = World::with(38, Vec::new(), services.to_vec(), 65_536);
    world.input(Input::Unit(Fact::Opened));
    for unit in [0, 1] {
        assert!(!world.agent.units_settled());
        let (wake, seen, done) = (Wake::Look, running(1, 7), Dones::default());
        world.input(Input::Unit(Fact::Read { unit, wake, seen, done }));
        world.input(Input::Unit(Fact::Read { unit, wake: Wake::Signal, seen, done }));
    }
    assert!(world.agent.units_settled());
}

#[test]
fn a_process_that_is_gone_is_for_systemd_to_explain_however_slow_the_bus_is() {
    let checks = vec![check_spec("web.process", CheckKind::Process, 0)];
    let mut world = World::with(31, checks, vec![unit_spec()], 65_536);
    world.sims = vec![Sim { alive: Some(7), ..Sim::healthy() }];
    world.input(Input::Unit(Fact::Opened));
    look(&mut world, running(1, 7));
    world.run(20_000);
    let gone = world.at;
    world.sims[0].alive = None;
    world.run(20_000);
    assert_eq!((phase(&world), calls(&world, gone)), (Phase::Running, vec![]), "{:#?}", world.story(gone));
    assert_eq!(world.agent.check_at(0).unwrap().verdict(), Verdict::Down, "it is told");
    let asked = names(&world, gone);
    assert!((1..=4).contains(&asked.iter().filter(|order| *order == "Look").count()), "{asked:?}");
    read(&mut world, running(2, 8), Dones::default());
    world.run(20_000);
    assert_eq!((phase(&world), calls(&world, gone)), (Phase::Running, vec![]), "{:#?}", world.story(gone));
}

#[test]
fn a_check_that_is_ahead_of_systemd_waits_for_its_word_for_a_few_seconds() {
    for (word, interval) in [(true, 1), (false, 1), (true, 5), (false, 5)] {
        let interval = Span::from_secs(interval);
        let checks =
            vec![crate::check::Spec { interval, ..check_spec("web.process", CheckKind::Process, 0) }];
        let mut world = World::with(39, checks, vec![unit_spec()], 65_536);
        world.sims = vec![Sim { alive: Some(7), ..Sim::healthy() }];
        world.input(Input::Unit(Fact::Opened));
        look(&mut world, running(1, 7));
        world.run(20_000);
        let (gone, told) = (world.at, world.told.len());
        world.sims[0].alive = None;
        // It looks every second from its next reading on.
        let first = |world: &World| world.agent.check_at(0).unwrap().last().map(|(at, _)| at.micros());
        while first(&world) <= Some(gone) {
            world.run(100);
        }
        if word {
            world.sims[0].alive = Some(8);
            read(&mut world, running(2, 8), done(5, JobEnd::Done));
            world.run(20_000);
        } else {
            world.run(5_000);
        }
        let is_verdict = |fact: &&(u64, picket_proto::Fact)| matches!(fact.1, event::Fact::Verdict(_));
        let verdicts = || world.told[told..].iter().filter(is_verdict).count();
        assert_eq!(verdicts(), 0, "{:#?}", world.story(gone));
        world.run(3_000);
        let down = world.agent.check_at(0).unwrap().verdict() == Verdict::Down;
        assert_eq!(down, !word, "a bus that says nothing hides nothing: {:#?}", world.story(gone));
    }
}
