//! Units that are only observed: what would be done is told, and nothing is.

use super::*;
use crate::service::NextTry;
use picket_proto::Mono;
use picket_proto::event::{Because, Fact as Told, Remedy, ShadowStep};

fn observed(seed: u64, spec: service::Spec) -> World {
    let mut world = unit(seed, service::Spec { observes: true, ..spec });
    world.input(Input::Unit(Fact::Opened));
    look(&mut world, running(1, 7));
    world.run(20_000);
    assert_eq!(phase(&world), Phase::Running);
    world
}

fn steps(world: &World) -> Vec<ShadowStep> {
    let told = world.told.iter();
    told.filter_map(|(_, fact)| if let Told::Shadow(it) = fact { Some(it.step.clone()) } else { None })
        .collect()
}

#[test]
fn what_would_be_done_is_told_once_and_nothing_is_done() {
    let mut world = observed(1, unit_spec());
    let died = world.at;
    read(&mut world, dead(1, Active::Failed, KILLED), Dones::default());
    world.run(3_600_000);
    assert!(
        matches!(steps(&world)[..], [ShadowStep::Would { remedy: Remedy::Restart, .. }]),
        "{:#?}",
        steps(&world)
    );
    assert_eq!((phase(&world), calls(&world, died)), (Phase::Observed, vec![]));
    let story = world.story(died);
    assert!(
        story.iter().any(|told| told
            == "web is only observed, so nothing is done: it would be restarted; it was killed by SIGKILL"),
        "{story:#?}"
    );
    let view = world.agent.service_at(0).unwrap();
    assert_eq!(view.next_try(Mono::from_micros(world.at)), NextTry::Held, "nor does a person's try");
    let past: Vec<_> = view.remedies().map(|past| (past.attempt, past.ended.is_some())).collect();
    assert_eq!(past, [(0, false)]);
}

#[test]
fn what_comes_back_without_the_agent_is_told_with_how_long_it_was_away() {
    let mut world = observed(2, unit_spec());
    read(&mut world, dead(1, Active::Failed, KILLED), Dones::default());
    world.run(12_000);
    read(&mut world, running(2, 8), Dones::default());
    world.run(20_000);
    assert_eq!(phase(&world), Phase::Running);
    let steps = steps(&world);
    let [ShadowStep::Would { .. }, ShadowStep::Back { after, .. }] = &steps[..] else { panic!("{steps:#?}") };
    assert!((12_000..14_000).contains(&after.millis()), "{after}");
    assert_eq!(outcomes(&world), [], "no remedy is claimed");
    world.run(60_000);
    let view = world.agent.service_at(0).unwrap();
    assert!(view.remedies().all(|past| past.ended.is_some()));
}

#[test]
fn a_check_that_fails_and_passes_again_is_an_episode_of_its_own() {
    let mut world = observed(3, unit_spec());
    let failed = world.at;
    for _ in 0..2 {
        world.sims[0].sick = true;
        world.run(30_000);
        world.sims[0].sick = false;
        world.run(30_000);
    }
    let steps = steps(&world);
    assert!(
        matches!(
            steps[..],
            [
                ShadowStep::Would { .. },
                ShadowStep::Back { .. },
                ShadowStep::Would { .. },
                ShadowStep::Back { .. }
            ]
        ),
        "{steps:#?}"
    );
    assert_eq!((phase(&world), calls(&world, failed)), (Phase::Running, vec![]));
}

/// The record is what the agent would really have done: its budget counts.
#[test]
fn a_budget_that_would_be_used_up_is_told() {
    let mut world = observed(4, service::Spec { budget: 1, ..unit_spec() });
    for life in 1..=2 {
        read(&mut world, dead(life, Active::Failed, KILLED), Dones::default());
        world.run(5_000);
        read(&mut world, running(life + 1, 7 + u32::from(life)), Dones::default());
        world.run(20_000);
    }
    let steps = steps(&world);
    assert!(
        matches!(steps[2], ShadowStep::WouldRest { because: Because::Budget { allowed: 1, .. }, .. }),
        "{steps:#?}"
    );
    assert_eq!(opened(&world).len(), 0, "no breaker opens");
}

#[test]
fn an_operators_stop_of_an_observed_unit_is_left_alone_like_any_other() {
    let mut world = observed(5, unit_spec());
    read(&mut world, dead(1, Active::Inactive, TERMINATED), done(9, JobEnd::Done));
    world.run(60_000);
    assert_eq!((phase(&world), steps(&world).len()), (Phase::Left, 0));
}

#[test]
fn a_configuration_that_lets_it_be_healed_has_what_is_down_healed_at_once() {
    let mut world = observed(6, unit_spec());
    read(&mut world, dead(1, Active::Failed, KILLED), Dones::default());
    world.run(60_000);
    let reloaded = world.at;
    world.respecified(&[unit_spec()]);
    world.run(1_000);
    assert_eq!(calls(&world, reloaded).len(), 1, "{:#?}", world.story(reloaded));
    let (spent, ..) = world.agent.service_at(0).unwrap().budget(Mono::from_micros(world.at));
    assert_eq!(spent, 1, "what was not done is not counted");
}

/// What would have been done is no remedy: it counts against none, over a reload as over a restart of the agent.
#[test]
fn imagined_remedies_count_against_no_real_one() {
    for restarts in [false, true] {
        let spec = service::Spec { budget: 1, ..unit_spec() };
        let mut world = observed(7, spec.clone());
        read(&mut world, dead(1, Active::Failed, KILLED), Dones::default());
        world.run(5_000);
        read(&mut world, running(2, 8), Dones::default());
        world.run(20_000);
        if restarts {
            let bytes = super::super::sim::kept(&world.agent);
            let (at, sims) = (world.at + 100_000, core::mem::take(&mut world.sims));
            world = unit(8, spec);
            (world.at, world.sims) = (at, sims);
            let away = service::Away::SameBoot(Span::from_millis(100));
            assert!(!world.agent.restore(Mono::from_micros(at), away, &bytes).damaged);
            world.input(Input::Unit(Fact::Opened));
            look(&mut world, running(2, 8));
        } else {
            world.respecified(&[spec]);
        }
        world.run(20_000);
        let died = world.at;
        read(&mut world, dead(2, Active::Failed, KILLED), Dones::default());
        assert_eq!(
            calls(&world, died),
            [(died, Verb::Start)],
            "restarts: {restarts}: {:#?}",
            world.story(died)
        );
        assert_eq!(opened(&world).len(), 0);
    }
}

#[test]
fn a_restart_of_the_agent_goes_on_with_the_record() {
    let mut world = observed(9, unit_spec());
    read(&mut world, dead(1, Active::Failed, KILLED), Dones::default());
    world.run(5_000);
    let bytes = super::super::sim::kept(&world.agent);
    let mut new = unit(10, service::Spec { observes: true, ..unit_spec() });
    (new.at, new.sims) = (world.at + 100_000, core::mem::take(&mut world.sims));
    let away = service::Away::SameBoot(Span::from_millis(100));
    assert!(!new.agent.restore(Mono::from_micros(new.at), away, &bytes).damaged);
    new.input(Input::Unit(Fact::Opened));
    look(&mut new, dead(1, Active::Failed, KILLED));
    new.run(10_000);
    assert!(matches!(steps(&new)[..], [ShadowStep::Would { .. }]), "{:#?}", new.story(0));
    read(&mut new, running(2, 8), Dones::default());
    new.run(20_000);
    let steps = steps(&new);
    let [_, ShadowStep::Back { after, .. }] = &steps[..] else { panic!("{steps:#?}") };
    assert!((15_000..17_000).contains(&after.millis()), "from the death on: {after}");
}

/// Turned on while its breaker is open, or while it waits for its next remedy: told then, and claimed by no remedy.
#[test]
fn a_remedy_that_does_not_come_any_more_is_told_when_observing_begins() {
    for waits in [0, 3_000] {
        let mut world = watched(11);
        read(&mut world, dead(1, Active::Failed, KILLED), Dones::default());
        let mut life = 1;
        while life < 4 && opened(&world).is_empty() {
            life += 1;
            answer(&mut world, Answer::Job(u32::from(life)));
            read(&mut world, running(life, 7 + u32::from(life)), done(u32::from(life), JobEnd::Done));
            world.run(10);
            read(&mut world, dead(life, Active::Failed, (1, 1)), Dones::default());
            if waits == 0 {
                break;
            }
            world.run(waits);
        }
        let calls_before = calls(&world, 0).len();
        world.respecified(&[service::Spec { observes: true, ..unit_spec() }]);
        world.run(600_000);
        assert_eq!(calls(&world, 0).len(), calls_before, "waits {waits}");
        assert_eq!(steps(&world).len(), 1, "waits {waits}: {:#?}", world.story(0));
        let outcomes_before = outcomes(&world).len();
        read(&mut world, running(9, 99), Dones::default());
        world.run(20_000);
        assert!(
            matches!(steps(&world)[..], [_, ShadowStep::Back { .. }]),
            "waits {waits}: {:#?}",
            world.story(0)
        );
        assert_eq!(outcomes(&world).len(), outcomes_before, "no remedy is claimed");
    }
}

/// The record of a check that flaps is bounded by the budget.
#[test]
fn what_would_not_be_healed_any_more_is_told_once() {
    let mut world = observed(12, service::Spec { budget: 2, ..unit_spec() });
    for _ in 0..10 {
        world.sims[0].sick = true;
        world.run(15_000);
        world.sims[0].sick = false;
        world.run(15_000);
    }
    let rests = steps(&world).iter().filter(|step| matches!(step, ShadowStep::WouldRest { .. })).count();
    assert_eq!((steps(&world).len(), rests), (6, 1), "{:#?}", steps(&world));
}
