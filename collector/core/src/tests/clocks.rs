//! Clocks of hosts against the journal's: what is measured, what becomes a record, what a stamp means here.

use super::*;
use crate::ingest::{Heard, Report};
use crate::{host, record::Record};

fn offsets(world: &World) -> usize {
    world.journal.iter().filter(|entry| matches!(entry.record, Record::Offset { .. })).count()
}

fn host<'w>(world: &'w World, agent: &Agent) -> &'w host::Host {
    let slot = world.core.state.hosts.find(agent.host.as_str()).unwrap();
    world.core.state.hosts.get(slot).unwrap()
}

/// A moment of the host's own clock, `ahead` of which the collector is.
fn at(agent: &Agent, world: &World, ahead: i64) -> Stamp {
    let mono = Mono::from_micros(world.now.mono.micros().saturating_add_signed(-ahead));
    Stamp { mono, ..agent.stamp(world) }
}

#[test]
fn a_measured_offset_is_one_record_until_it_says_more() {
    let mut world = World::new();
    let agent = Agent::new("web-1", 1);
    agent.connect(&mut world);
    world.pass(Span::from_secs(100));
    for (offset, records, why) in [
        (None, 0, "nothing was measured"),
        (Some((1, 20_000_000)), 0, "known worse than by the Hello"),
        (Some((90_000, 4_000)), 1, "the first"),
        (Some((91_000, 4_000)), 1, "within the bound"),
        (Some((90_500, 2_500)), 1, "better, but not twice as well"),
        (Some((90_000, 2_000)), 2, "twice as well"),
        (Some((92_001, 2_000)), 3, "moved beyond the bound"),
        (Some((-92_001, 2_000)), 4, "behind instead of ahead"),
    ] {
        let input = beat(&world, &agent, offset);
        world.input(input);
        assert_eq!(offsets(&world), records, "{why}");
    }
    world.restart();
}

#[test]
fn a_stamp_is_an_interval_that_holds_the_truth_whichever_machine_is_older() {
    for ahead in [5_000_000_i64, -700_000_000, 0] {
        let mut world = World::new();
        world.pass(Span::from_secs(1_000));
        let agent = Agent::new("web-1", 1);
        agent.connect(&mut world);
        let (earliest, latest) = host(&world, &agent).local(&agent.stamp(&world)).unwrap();
        assert!(earliest < world.now.mono && latest == world.now.mono, "by the Hello alone");
        let input = beat(&world, &agent, Some((ahead + 300, 400)));
        world.input(input);
        world.pass(Span::from_secs(60));
        let (earliest, latest) = host(&world, &agent).local(&at(&agent, &world, ahead)).unwrap();
        assert!(earliest <= world.now.mono && world.now.mono <= latest, "{ahead}");
        assert_eq!(latest.since(earliest), Span::from_micros(800));
        let other = Stamp { boot: BootId(71), ..agent.stamp(&world) };
        assert_eq!(host(&world, &agent).local(&other), None, "of another boot nothing is known");
    }
}

#[test]
fn what_was_measured_holds_over_sessions_but_not_over_the_collectors_reboot() {
    let mut world = World::new();
    let agent = Agent::new("web-1", 1);
    agent.connect(&mut world);
    let input = beat(&world, &agent, Some((90_000, 4_000)));
    world.input(input);
    let again = Agent { session: SessionId(2), ..Agent::new("web-1", 1) };
    world.input(Input::Session(Fact::Closed { session: agent.session, how: Close::Broken }));
    again.connect(&mut world);
    let measured = host(&world, &agent).offset.unwrap();
    assert_eq!(measured.bound, host::Bound::Within(Span::from_millis(4)), "a Hello says less");
    world.core.begin(world.now, BootId(8));
    assert_eq!(host(&world, &agent).offset, None);
}

#[test]
fn an_operator_sees_the_last_look_and_how_far_the_wall_clock_is_off() {
    let mut world = World::new();
    let agent = Agent::new("web-1", 1);
    agent.connect(&mut world);
    assert_eq!(world.host(&agent.host).sample, None);
    world.pass(Span::from_secs(20));
    let input = beat(&world, &agent, Some((0, 500)));
    world.input(input);
    let Input::Heard(heard) = beat(&world, &agent, None) else { unreachable!("a beat is heard") };
    let report = heard[0].report.unwrap();
    // It was sent 40 ms ago, by a wall clock that is 5 s ahead.
    let mono = Mono::from_micros(report.stamp.mono.micros() - 40_000);
    let wall = Wall::from_micros(report.stamp.wall.micros() + 5_000_000 - 40_000);
    let stamp = Stamp { mono, wall, synced: false, ..report.stamp };
    let report = Some(Report { stamp, ..report });
    world.input(Input::Heard(vec![Heard { host: agent.host.clone(), report }]));
    let seen = world.host(&agent.host);
    assert_eq!(seen.sample.unwrap().cpu, Some(125));
    let clock = seen.clock.unwrap();
    assert_eq!((clock.wall_ahead, clock.synced), (5_000_000, false), "the way here is taken out");
    assert_eq!(clock.bound, Some(Span::from_micros(500)));
    world.restart();
    assert_eq!(world.host(&agent.host).sample, None, "it is live, not journaled");
}

#[test]
fn what_was_measured_of_a_boot_says_nothing_of_the_next_one() {
    let mut world = World::new();
    let agent = Agent::new("web-1", 1);
    agent.connect(&mut world);
    let input = beat(&world, &agent, Some((90_000, 4_000)));
    world.input(input);
    agent.close(&mut world);
    let rebooted = Agent { session: SessionId(2), ..Agent::new("web-1", 2) };
    let stamp = Stamp { boot: BootId(71), mono: Mono::from_micros(9_000_000), ..rebooted.stamp(&world) };
    let hello = Box::new(Hello { stamp, ..rebooted.hello(&world) });
    let opened = Fact::Opened {
        session: rebooted.session,
        host: rebooted.host.clone(),
        hello,
        terms: Terms::default(),
    };
    world.input(Input::Session(opened));
    let (_, latest) = host(&world, &agent).local(&stamp).expect("the boot of the last Hello is known");
    assert_eq!(latest, world.now.mono);
}

/// After a reboot of the collector's machine the journal's Mono is ahead of the process'.
#[test]
fn what_is_measured_after_a_reboot_of_the_collector_is_by_the_journals_clock() {
    let mut world = World::new();
    let mut agent = Agent::new("web-1", 1);
    agent.connect(&mut world);
    world.pass(Span::from_secs(5_000));
    world.now.mono = Mono::from_micros(10);
    world.restart();
    world.pass(Span::from_secs(20));
    agent.session = SessionId(2);
    agent.connect(&mut world);
    let unmeasured = beat(&world, &agent, None);
    world.input(unmeasured);
    assert_eq!(world.host(&agent.host).clock.unwrap().wall_ahead, 0);
    let measured = beat(&world, &agent, Some((0, 500)));
    world.input(measured);
    assert_eq!(world.host(&agent.host).clock.unwrap().wall_ahead, 0, "it came as it was sent");
    let Input::Heard(mut slow) = beat(&world, &agent, None) else { unreachable!("a beat is heard") };
    let report = slow[0].report.as_mut().unwrap();
    let way = 40_000;
    report.stamp.mono = Mono::from_micros(report.stamp.mono.micros() - way);
    report.stamp.wall = Wall::from_micros(report.stamp.wall.micros() - way.cast_signed());
    world.input(Input::Heard(slow));
    assert_eq!(world.host(&agent.host).clock.unwrap().wall_ahead, 0, "the way here is taken out");
    let journals = world.core.local(world.now).mono;
    let (earliest, latest) = host(&world, &agent).local(&agent.stamp(&world)).unwrap();
    assert!(earliest <= journals && journals <= latest, "{journals:?} in {earliest:?} to {latest:?}");
}

/// A death and its healing in the backlog, as a boot saw them at these times of its own clocks, in microseconds.
fn told(world: &mut World, agent: &mut Agent, (boot, mono, wall): (u64, u64, i64)) -> Detail {
    for said in [killed(7), held()] {
        let (boot, mono, wall) = (BootId(boot.into()), Mono::from_micros(mono), Wall::from_micros(wall));
        let stamp = Stamp { boot, mono, wall, synced: false, ..agent.stamp(world) };
        let frame = agent.frame_by(stamp, said);
        agent.batch(world, Lane::Backlog, frame);
    }
    let newest = world.incidents().first().unwrap().id;
    world.detail(newest)
}

#[test]
fn what_happened_at_1970_is_dated_by_what_is_known_of_the_boot() {
    let mut world = World::new();
    world.pass(Span::from_secs(10_000));
    let mut agent = Agent::new("web-1", 1);
    agent.connect(&mut world);
    let input = beat(&world, &agent, Some((0, 500)));
    world.input(input);
    let (mono, wall) = (world.now.mono.micros(), world.now.wall.micros());
    let (earlier, hour, minute) = (4_000_000, 3_600_000_000, 60_000_000);
    let began = wall - mono.cast_signed();
    for (stamp, shown, why) in [
        ((70, mono - earlier, 30_000_000), wall - 4_000_000, "4 s ago, though its clock said 1970"),
        ((70, mono - earlier, wall + hour), wall - 4_000_000, "or an hour ahead"),
        ((70, mono - earlier, wall - minute), wall - minute, "a clock that is a minute off keeps its word"),
        ((69, 9_000_000, 30_000_000), began, "an earlier boot was over when this one began"),
        (
            (69, 9_000_000, wall - hour),
            wall - hour,
            "of that nothing better is known than a date that can be",
        ),
    ] {
        let found = told(&mut world, &mut agent, stamp);
        assert_eq!(found.incident.opened.micros(), shown, "{why}");
        let [first, ..] = found.timeline.as_slice() else { unreachable!("it has a timeline") };
        assert_eq!((first.at.micros(), first.unsynced), (shown, true), "{why}");
    }
    world.restart();
}

#[test]
fn what_is_told_live_by_a_host_at_1970_is_dated_by_its_hello() {
    let mut world = World::new();
    world.pass(Span::from_secs(10_000));
    let mut agent = Agent::new("web-1", 1);
    agent.connect(&mut world);
    let wall = world.now.wall.micros();
    // Its clock is set between the two, as a time client does that finds it decades away.
    for (said, clock) in [(killed(7), 30_000_000), (held(), wall)] {
        let stamp = Stamp { wall: Wall::from_micros(clock), synced: false, ..agent.stamp(&world) };
        let frame = agent.frame_by(stamp, said);
        agent.batch(&mut world, Lane::Live, frame);
    }
    let found = world.the_incident();
    let transit = 10_000_000;
    for at in found.timeline.iter().map(|entry| entry.at).chain([found.incident.opened]) {
        assert!(at.micros().abs_diff(wall) <= transit, "{at:?}, and it was {wall}");
    }
    world.restart();
}
