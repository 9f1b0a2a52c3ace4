//! Somebody else is at work on a unit: systemd itself, an operator, or an earlier run of the agent.

use super::*;
use crate::Ending;
use crate::service::Away;
use crate::service::files::{Good, Order};
use picket_proto::Mono;
use picket_proto::event::Remedy;

fn restarting(life: u8) -> Seen {
    Seen { sub: Sub::AutoRestart, ..dead(life, Active::Activating, KILLED) }
}

#[test]
fn what_systemd_restarts_itself_is_told_and_neither_raced_nor_called_a_remedy() {
    let mut world = watched(10);
    let died = world.at;
    read(&mut world, restarting(1), Dones::default());
    assert_eq!((world.story(died).len(), phase(&world)), (1, Phase::Awaiting));
    world.run(60_000);
    read(&mut world, Seen { restarts: 1, ..running(2, 8) }, done(3, JobEnd::Done));
    assert_eq!(phase(&world), Phase::Rising);
    world.run(10_000);
    assert_eq!((phase(&world), calls(&world, 0).len(), outcomes(&world).len()), (Phase::Running, 0, 0));
}

#[test]
fn what_systemd_does_not_bring_back_in_its_time_is_started() {
    let mut world = watched(11);
    let died = world.at;
    read(&mut world, restarting(1), Dones::default());
    world.run(94_999);
    assert_eq!(calls(&world, died), []);
    world.run(1);
    assert_eq!(calls(&world, died), [(died + 95_000_000, Verb::Start)]);
    let story = world.story(died);
    assert!(story[1].contains("(attempt 1): it was killed by SIGKILL"), "{story:#?}");
}

#[test]
fn what_systemd_gives_up_is_started_at_once_and_its_crash_is_not_told_twice() {
    let mut world = watched(12);
    read(&mut world, restarting(1), Dones::default());
    world.run(1_000);
    let gave_up = world.at;
    read(&mut world, dead(2, Active::Failed, (1, 1)), Dones::default());
    assert_eq!(calls(&world, gave_up), [(gave_up, Verb::Start)]);
    assert!(!world.told.iter().any(|(at, fact)| *at == gave_up && matches!(fact, event::Fact::Exited(_))));
}

#[test]
fn a_remedy_whose_process_systemd_has_to_restart_did_not_hold() {
    let mut world = watched(13);
    read(&mut world, dead(1, Active::Failed, KILLED), Dones::default());
    answer(&mut world, Answer::Job(5));
    read(&mut world, running(2, 8), done(5, JobEnd::Done));
    world.run(500);
    read(&mut world, restarting(2), Dones::default());
    assert!(matches!(outcomes(&world)[..], [Outcome::Died(_)]), "{:#?}", world.story(0));
    read(&mut world, running(3, 9), done(6, JobEnd::Done));
    world.run(10_000);
    assert_eq!((phase(&world), calls(&world, 0).len()), (Phase::Running, 1));
}

#[test]
fn a_unit_that_is_being_restarted_by_a_remedy_has_not_failed_it_yet() {
    let mut world = watched(14);
    world.sims[0].sick = true;
    world.run(20_000);
    assert_eq!(phase(&world), Phase::Stopping);
    answer(&mut world, Answer::Busy);
    read(&mut world, restarting(1), Dones::default());
    assert_eq!((phase(&world), outcomes(&world).len()), (Phase::Awaiting, 0));
}

#[test]
fn another_life_than_the_known_one_ended_that_by_itself_only_where_systemd_counted_a_restart() {
    for (restarts, asked) in [(1, false), (0, true)] {
        let mut world = watched(15);
        let from = world.at;
        read(&mut world, Seen { restarts, ..running(2, 8) }, Dones::default());
        let told: Vec<_> = world.told.iter().filter(|(at, _)| *at >= from).map(|(_, fact)| fact).collect();
        let event::Fact::Exited(exited) = told[0] else { panic!("{told:?}") };
        assert_eq!((exited.pid, exited.asked), (7, asked));
        assert!(matches!(told[1], event::Fact::Started(started) if started.pid == 8 && !started.adopted));
        assert_eq!(phase(&world), Phase::Rising);
        world.run(10_000);
        assert_eq!((phase(&world), calls(&world, 0).len()), (Phase::Running, 0));
    }
}

#[test]
fn lives_that_end_by_themselves_unseen_count_as_deaths_and_those_that_were_asked_to_do_not() {
    for (grows, expected) in [(1, Phase::Broken), (0, Phase::Starting)] {
        let mut world = watched(23);
        for life in 1..=3_u8 {
            let (restarts, pid) = (grows * u32::from(life), 7 + u32::from(life));
            read(&mut world, Seen { restarts, ..running(1 + life, pid) }, Dones::default());
        }
        read(&mut world, dead(4, Active::Failed, (0, 0)), Dones::default());
        world.run(600);
        assert_eq!(phase(&world), expected, "{:#?}", world.story(20_000_000));
    }
}

#[test]
fn somebody_elses_job_and_a_silent_bus_are_given_ten_seconds_before_the_next_try() {
    for said in [Answer::Busy, Answer::Unheard] {
        let mut world = watched(16);
        read(&mut world, dead(1, Active::Failed, KILLED), Dones::default());
        let busy = world.at;
        answer(&mut world, said);
        assert_eq!(phase(&world), Phase::Awaiting);
        world.run(9_999);
        assert_eq!(calls(&world, busy + 1), []);
        world.run(2_500);
        assert_eq!(calls(&world, busy + 1).len(), 1, "{said:?}: {:#?}", world.story(busy));
    }
}

#[test]
fn a_call_that_systemd_refuses_is_a_remedy_that_failed() {
    let mut world = watched(17);
    read(&mut world, dead(1, Active::Failed, KILLED), Dones::default());
    let refused = world.at;
    answer(&mut world, Answer::Refused(2));
    assert_eq!(outcomes(&world), [Outcome::Died(event::Exit::NotStarted(2))]);
    world.run(700);
    assert_eq!(calls(&world, refused + 1), [], "the second one waits for its backoff");
    world.run(1_000);
    assert_eq!(calls(&world, refused + 1).len(), 1);
}

/// The next run of the agent, with what `old` had last written; its unit died as pid 0 shows.
fn again(mut old: World, millis: u64) -> World {
    let mut bytes = vec![0; crate::KEEP_MAX];
    old.run(10_000);
    let (len, _) = old.agent.keep(&mut bytes);
    let mut new = unit(18, unit_spec());
    new.at = old.at + millis * 1_000;
    let away = Away::SameBoot(Span::from_millis(millis));
    let restored = new.agent.restore(Mono::from_micros(new.at), away, &bytes[..len]);
    assert_eq!((restored.services, restored.damaged), (1, false));
    new.input(Input::Unit(Fact::Opened));
    new
}

#[test]
fn a_stop_that_is_known_from_before_is_not_told_again_by_the_next_run() {
    let mut old = watched(19);
    read(&mut old, dead(1, Active::Inactive, TERMINATED), done(3, JobEnd::Done));
    let mut new = again(old, 5_000);
    look(&mut new, dead(1, Active::Inactive, TERMINATED));
    assert_eq!((phase(&new), new.agent.service_at(0).unwrap().intent()), (Phase::Left, Intent::Stopped));
    assert!(!new.told.iter().any(|(_, fact)| matches!(fact, event::Fact::Intent(_))), "{:?}", new.told);
    let mut unknown = unit(20, unit_spec());
    unknown.input(Input::Unit(Fact::Opened));
    look(&mut unknown, dead(1, Active::Inactive, TERMINATED));
    let told = unknown.story(0);
    assert!(told.last().unwrap().contains("how it ended was not seen"), "{told:?}");
}

#[test]
fn a_wait_and_an_open_breaker_go_on_over_a_restart_of_the_agent() {
    let slow = Span::from_secs(3_600);
    const ENDED: (i32, i32) = (1, 0);
    for (same_deaths, (active, how)) in [1, 100]
        .into_iter()
        .flat_map(|same| [(same, (Active::Failed, KILLED)), (same, (Active::Inactive, ENDED))])
    {
        let spec = service::Spec { same_deaths, backoff_first: slow, backoff_max: slow, ..unit_spec() };
        let mut old = unit(21, spec);
        old.input(Input::Unit(Fact::Opened));
        look(&mut old, running(1, 7));
        read(&mut old, dead(1, active, how), Dones::default());
        answer(&mut old, Answer::Job(5));
        read(&mut old, dead(2, active, how), done(5, JobEnd::Other));
        old.run(1_000);
        let stood = phase(&old);
        assert_eq!(stood, if same_deaths == 1 { Phase::Broken } else { Phase::Waiting });
        let due = old.agent.service_at(0).unwrap().deadline().unwrap().0;
        let mut new = again(old, 20_000);
        look(&mut new, dead(2, active, how));
        assert_eq!((phase(&new), calls(&new, 0).len()), (stood, 0), "{active:?}: {:#?}", new.story(0));
        assert_eq!(new.agent.service_at(0).unwrap().deadline().unwrap().0, due);
        assert_eq!(new.agent.service_at(0).unwrap().intent(), Intent::Run);
    }
}

#[test]
fn an_agent_that_stops_its_services_leaves_units_to_systemd() {
    let mut world = watched(22);
    world.stop(Ending::StopServices);
    read(&mut world, dead(1, Active::Failed, KILLED), Dones::default());
    world.run(10_000);
    assert!(world.ended);
    assert_eq!((phase(&world), calls(&world, 0).len()), (Phase::Ended, 0));
}

/// It lived and failed its check when the agent went: that it is stopped by now was a person's doing.
#[test]
fn what_was_stopped_while_the_agent_was_away_is_left_alone_though_a_remedy_was_due() {
    let slow = Span::from_secs(60);
    let spec =
        service::Spec { same_deaths: 100, budget: 1, backoff_first: slow, backoff_max: slow, ..unit_spec() };
    let mut old = unit(24, spec);
    old.input(Input::Unit(Fact::Opened));
    look(&mut old, running(1, 7));
    old.run(20_000);
    old.sims[0].sick = true;
    old.run(10_000);
    answer(&mut old, Answer::Job(5));
    read(&mut old, running(2, 8), done(5, JobEnd::Done));
    old.run(30_000);
    assert_eq!(phase(&old), Phase::Broken, "{:#?}", old.story(0));
    let mut new = again(old, 20_000);
    look(&mut new, dead(2, Active::Inactive, TERMINATED));
    new.run(7_200_000);
    assert_eq!((phase(&new), calls(&new, 0)), (Phase::Left, vec![]), "{:#?}", new.story(0));
}

/// Up to its packages being put back, which takes three seconds.
fn putting_back(seed: u64) -> World {
    let packages = Some(Good { after: Span::from_secs(5), precheck: false });
    let ladder = [Remedy::Restart, Remedy::Package].into_iter().collect();
    let mut world = unit(seed, service::Spec { packages, ladder, ..unit_spec() });
    world.input(Input::Unit(Fact::Opened));
    look(&mut world, running(1, 7));
    world.run(22_000);
    assert_eq!(world.sims[0].packages.good, Some(0));
    world.sims[0].packages.now = 1;
    read(&mut world, dead(1, Active::Failed, (1, 1)), Dones::default());
    answer(&mut world, Answer::Job(5));
    world.sims[0].packages.slow = 3_000;
    read(&mut world, dead(2, Active::Failed, (1, 1)), done(5, JobEnd::Done));
    for _ in 0..100 {
        if !world.sims[0].packages.orders.contains(&Order::RollBack) {
            world.run(50);
        }
    }
    let orders = &world.sims[0].packages.orders;
    assert!(orders.contains(&Order::RollBack), "{orders:?} {:#?}", world.story(0));
    world
}

/// What the scripts of a package do with its unit: started, stopped, and started again.
fn scripts(world: &mut World, life: u8) {
    world.run(500);
    read(world, running(life, 9), Dones::default());
    world.run(500);
    read(world, dead(life, Active::Inactive, TERMINATED), done(77, JobEnd::Done));
    world.run(500);
    read(world, running(life + 1, 10), Dones::default());
}

/// The scripts of a package that is put back stop its unit and start it again: nobody wished that, and the new life may
/// have begun with half of it.
#[test]
fn what_scripts_do_with_the_unit_while_its_packages_are_put_back_is_nobodys_stop() {
    let mut world = putting_back(40);
    let (begun, calls_before) = (world.at, calls(&world, 0).len());
    scripts(&mut world, 3);
    assert_eq!((phase(&world), calls(&world, 0).len()), (Phase::Waiting, calls_before));
    world.run(3_000);
    assert_eq!(calls(&world, begun).last().map(|(_, verb)| *verb), Some(Verb::Restart));
    answer(&mut world, Answer::Job(6));
    read(&mut world, running(5, 11), done(6, JobEnd::Done));
    world.run(20_000);
    assert_eq!((phase(&world), calls(&world, 0).len()), (Phase::Running, calls_before + 1));
    let story = world.story(begun);
    assert!(!story.iter().any(|line| line.contains("left alone")), "{story:#?}");
    assert!(story.iter().any(|line| line.contains("recovered, verified")), "{story:#?}");
    assert_eq!(world.sims[0].packages.aside, None);
}

#[test]
fn where_systemd_restarts_what_was_put_back_undoing_is_waited_for_all_the_same() {
    let mut world = putting_back(41);
    world.run(3_100);
    answer(&mut world, Answer::Job(6));
    read(&mut world, running(3, 8), done(6, JobEnd::Done));
    let begun = world.at;
    read(&mut world, restarting(3), Dones::default());
    world.run(10);
    assert_eq!(world.sims[0].packages.orders.last(), Some(&Order::Undo));
    scripts(&mut world, 4);
    assert_eq!((phase(&world), calls(&world, begun)), (Phase::Waiting, vec![]), "{:#?}", world.story(begun));
    world.run(1_600);
    assert_eq!(world.sims[0].packages.aside, None);
    world.run(60_000);
    assert!(!calls(&world, begun).is_empty() || phase(&world) == Phase::Running, "{:#?}", world.story(begun));
}
