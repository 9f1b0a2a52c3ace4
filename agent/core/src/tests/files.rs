//! A service's own files: when they count as good, what is named when it fails with others, and rollbacks.

use super::recovery::{opened, outcomes, starts};
use super::sim::{Files, kept};
use super::world::{World, spec};
use crate::Input;
use crate::service::files::{Good, Order};
use crate::service::{self, Away, Ended, Fact, Kept, Phase};
use picket_proto::event::{self, Outcome, Remedy, Trigger};
use picket_proto::{Mono, Span};
use std::vec;
use std::vec::Vec;

const AFTER: Span = Span::from_secs(10);

fn with(ladder: &[Remedy], precheck: bool) -> service::Spec {
    let good = Some(Good { after: AFTER, precheck });
    service::Spec { ladder: ladder.iter().copied().collect(), good, ..spec("web") }
}

/// A service that is up with files number 0, which are known to be good.
fn running(seed: u64, ladder: &[Remedy], precheck: bool) -> World {
    let world = World::running(seed, vec![with(ladder, precheck)]);
    assert_eq!(files(&world).good, Some(0), "it was well with them for as long");
    world
}

fn files(world: &World) -> &Files {
    &world.sims[0].files
}

pub(super) fn begun(world: &World) -> Vec<(Remedy, Trigger)> {
    let begun = world.told.iter().filter_map(|(_, fact)| match fact {
        event::Fact::Remedy(begun) => Some((begun.remedy, begun.trigger.clone())),
        _ => None,
    });
    begun.collect()
}

pub(super) fn remedies(world: &World) -> Vec<Remedy> {
    begun(world).into_iter().map(|(remedy, _)| remedy).collect()
}

const BOTH: [Remedy; 2] = [Remedy::Restart, Remedy::Rollback];

#[test]
fn a_change_that_nobody_may_have_read_is_no_good_one_until_a_start_has_proved_it() {
    let mut world = running(1, &BOTH, false);
    world.sims[0].files.now = 1;
    world.run(120_000);
    assert_eq!(files(&world).good, Some(0), "two minutes beside a process that began with others");
    world.kill(0);
    world.run(11_000);
    assert_eq!(files(&world).good, Some(0), "not long enough");
    world.run(5_000);
    assert_eq!(files(&world).good, Some(1));
    assert_eq!(remedies(&world), [Remedy::Restart]);
}

#[test]
fn where_a_precheck_passes_a_change_is_good_once_it_was_there_for_long_enough() {
    let mut world = running(2, &BOTH, true);
    (world.sims[0].files.now, world.sims[0].files.refused) = (1, vec![1]);
    world.run(120_000);
    assert_eq!(files(&world).good, Some(0), "what the precheck refuses is none");
    world.sims[0].files.now = 2;
    world.run(9_000);
    assert_eq!(files(&world).good, Some(0));
    world.run(15_000);
    assert_eq!(files(&world).good, Some(2));
    assert!(files(&world).orders.contains(&Order::Take { digest: 2, precheck: true }));
}

#[test]
fn what_died_of_a_change_is_rolled_back_and_proved() {
    let mut world = running(3, &BOTH, false);
    (world.sims[0].files.now, world.sims[0].files.broken) = (1, vec![1]);
    world.kill(0);
    world.run(30_000);
    let begun = begun(&world);
    assert!(
        matches!(begun[0], (Remedy::Restart, Trigger::Exit(_))),
        "SIGKILL is no change's doing: {begun:?}"
    );
    let changed =
        |trigger: &Trigger| matches!(trigger, Trigger::Changed(file) if file.as_str() == "/etc/it-1");
    assert!(begun.len() == 2 && begun[1].0 == Remedy::Rollback && changed(&begun[1].1), "{begun:?}");
    assert!(
        matches!(outcomes(&world)[..], [Outcome::Died(_), Outcome::Held { .. }]),
        "{:#?}",
        world.story(0)
    );
    assert_eq!((files(&world).now, files(&world).aside), (0, None), "it has held: it is closed");
    assert_eq!(world.agent.service_at(0).unwrap().phase(), Phase::Running);
    assert!(opened(&world).is_empty());
}

#[test]
fn where_the_good_ones_do_not_help_the_newer_ones_are_put_back_and_the_breaker_opens() {
    let mut world = running(4, &BOTH, false);
    (world.sims[0].files.now, world.sims[0].files.broken) = (1, vec![0, 1]);
    world.kill(0);
    world.run(60_000);
    assert_eq!(files(&world).now, 1, "as the operator left them: {:#?}", world.story(0));
    assert_eq!(files(&world).aside, None);
    assert_eq!(remedies(&world), [Remedy::Restart, Remedy::Rollback, Remedy::Restart]);
    assert_eq!(opened(&world).len(), 1, "{:#?}", world.story(0));
}

#[test]
fn what_the_budget_held_up_is_what_the_breakers_single_try_begins_with() {
    let mut world = World::running(12, vec![service::Spec { budget: 1, ..with(&BOTH, false) }]);
    (world.sims[0].files.now, world.sims[0].files.broken) = (1, vec![1]);
    world.kill(0);
    world.run(5_000);
    let view = world.agent.service_at(0).unwrap();
    assert_eq!(view.phase(), Phase::Broken, "{:#?}", world.story(0));
    assert!(matches!(view.files(), Some(Kept::Changed(file)) if file.as_str() == "/etc/it-1"));
    assert_eq!(remedies(&world), [Remedy::Restart]);
    world.run(3_600_000);
    assert_eq!(remedies(&world), [Remedy::Restart, Remedy::Rollback], "{:#?}", world.story(0));
    let view = world.agent.service_at(0).unwrap();
    assert_eq!(
        (view.phase(), view.is_closed(), view.files()),
        (Phase::Running, true, Some(Kept::RolledBack))
    );
    let last = view.remedies().last().unwrap();
    assert_eq!((last.remedy, last.ended.map(|(_, ended)| ended)), (Remedy::Rollback, Some(Ended::Held)));
}

/// Whoever mends a file and has the service tried must not find the mended file rolled back.
#[test]
fn what_a_person_has_mended_is_restarted_first_and_not_rolled_back() {
    let mut world = World::running(12, vec![service::Spec { budget: 1, ..with(&BOTH, false) }]);
    (world.sims[0].files.now, world.sims[0].files.broken) = (1, vec![1]);
    world.kill(0);
    world.run(5_000);
    assert!(!world.agent.service_at(0).unwrap().is_closed(), "{:#?}", world.story(0));
    world.sims[0].files.now = 2;
    world.input(Input::Asked(crate::Asked::Try { service: 0, goes_on: false }));
    world.run(20_000);
    assert_eq!((remedies(&world), files(&world).now), (vec![Remedy::Restart, Remedy::Restart], 2));
}

#[test]
fn without_the_rung_the_change_is_named_and_nothing_is_put_back() {
    let mut world = running(5, &[Remedy::Restart], false);
    (world.sims[0].files.now, world.sims[0].files.broken) = (1, vec![1]);
    world.kill(0);
    world.run(60_000);
    let named = begun(&world).into_iter().filter(|(_, trigger)| matches!(trigger, Trigger::Changed(_)));
    assert!(named.count() >= 1, "{:#?}", world.story(0));
    let story = world.story(0);
    assert!(story.iter().any(|line| line.contains("last: it fails since /etc/it-1 changed")), "{story:#?}");
    assert!(!files(&world).orders.contains(&Order::RollBack));
}

#[test]
fn what_did_not_change_is_not_rolled_back_and_the_next_rung_follows() {
    let mut world = running(6, &[Remedy::Rollback, Remedy::Restart], false);
    world.kill(0);
    world.run(30_000);
    assert_eq!(remedies(&world), [Remedy::Rollback, Remedy::Restart]);
    let outcomes = outcomes(&world);
    assert!(matches!(outcomes[..], [Outcome::NotDone { .. }, Outcome::Held { .. }]), "{outcomes:?}");
    assert_eq!(starts(&world, 20_500_000).len(), 1, "nothing was started for what could not be done");
}

#[test]
fn a_disk_that_hangs_costs_the_rung_and_no_restart() {
    let mut world = running(7, &[Remedy::Restart, Remedy::Rollback], false);
    world.sims[0].files.hang = true;
    for _ in 0..2 {
        let killed = world.at;
        world.kill(0);
        assert_eq!(starts(&world, killed), [killed], "at once");
        world.run(20_000);
        assert_eq!(world.agent.service_at(0).unwrap().phase(), Phase::Running);
    }
    world.sims[0].sick = true;
    world.run(30_000);
    assert_eq!(remedies(&world).last(), Some(&Remedy::Rollback));
    world.sims[0].sick = false;
    world.run(90_000);
    let not_done = |outcome: &Outcome| matches!(outcome, Outcome::NotDone { why } if why.as_str() == "its files could not be put back in time");
    assert!(outcomes(&world).iter().any(not_done), "{:#?}", world.story(0));
    assert_eq!(world.agent.service_at(0).unwrap().phase(), Phase::Running);
}

/// The next run finds its process alive, after a rollback that had not held yet.
fn next_run(mut old: World, seed: u64) -> World {
    let bytes = kept(&old.agent);
    let mut new = World::new(seed, vec![with(&BOTH, false)]);
    (new.at, new.next_pid) = (old.at + 100_000, old.next_pid);
    new.sims = core::mem::take(&mut old.sims);
    let away = Away::SameBoot(Span::from_millis(100));
    assert!(!new.agent.restore(Mono::from_micros(new.at), away, &bytes).damaged);
    let fact = new.sims[0].alive.map_or(Fact::Absent { service: 0 }, |pid| Fact::Started {
        service: 0,
        pid,
        adopted: true,
    });
    new.input(Input::Service(fact));
    new
}

#[test]
fn the_next_run_of_the_agent_brings_a_rollback_to_its_end() {
    for helps in [true, false] {
        let mut world = running(8, &BOTH, false);
        (world.sims[0].files.now, world.sims[0].files.broken) = (1, vec![1]);
        world.kill(0);
        while files(&world).aside.is_none() {
            let until = world.at + 10_000_000;
            assert!(world.step(until), "a rollback comes: {:#?}", world.story(0));
        }
        world.run(100);
        let mut next = next_run(world, 9);
        next.sims[0].sick = !helps;
        next.run(if helps { 10_000 } else { 7_000 });
        assert_eq!(files(&next).aside, None, "helps: {helps}: {:#?}", next.story(0));
        assert_eq!(files(&next).now, if helps { 0 } else { 1 });
        let first = next.told.iter().find_map(|(_, fact)| match fact {
            event::Fact::Outcome(ended) => Some(ended.remedy),
            _ => None,
        });
        assert_eq!(first, Some(Remedy::Rollback));
    }
}

/// The agent was killed in the midst of it: a mixture lies there, and what runs is no proof of it.
#[test]
fn what_the_last_run_left_half_done_is_undone_whatever_the_service_does() {
    for helps in [true, false] {
        let mut world = running(10, &BOTH, false);
        (world.sims[0].files.now, world.sims[0].files.aside) = (7, Some(0));
        world.sims[0].files.is_half = true;
        let mut next = next_run(world, 11);
        next.sims[0].sick = !helps;
        next.run(10_000);
        let files = files(&next);
        assert_eq!((files.now, files.aside), (0, None), "helps: {helps}: {:#?}", next.story(0));
        assert!(!files.orders.contains(&Order::Close), "{:?}", files.orders);
    }
}

/// An undoing of an earlier run was stuck when it dies: the rollback that is ordered undoes that first.
#[test]
fn a_look_that_finds_one_begun_does_not_take_the_rollback_away() {
    let mut world = running(20, &[Remedy::Rollback, Remedy::Restart], false);
    let files = &mut world.sims[0].files;
    (files.now, files.aside, files.is_half) = (7, Some(1), true);
    let at = world.at;
    world.kill(0);
    world.run(60_000);
    let begun = starts(&world, at).first().map(|start| start - at);
    assert!(begun.is_some_and(|after| after < 1_000_000), "{begun:?}: {:#?}", world.story(at));
    assert_eq!(remedies(&world).first(), Some(&Remedy::Rollback));
}

/// The agent was killed when the good files stood in their places, before the process that fails was restarted.
#[test]
fn a_process_that_began_with_the_newer_files_is_no_proof_of_the_good_ones() {
    for helps in [true, false] {
        let mut world = running(21, &BOTH, false);
        let bytes = kept(&world.agent);
        (world.sims[0].files.now, world.sims[0].files.aside) = (0, Some(1));
        let mut new = World::new(22, vec![with(&BOTH, false)]);
        (new.at, new.next_pid) = (world.at + 100_000, world.next_pid);
        new.sims = core::mem::take(&mut world.sims);
        let away = Away::SameBoot(Span::from_millis(100));
        assert!(!new.agent.restore(Mono::from_micros(new.at), away, &bytes).damaged);
        let pid = new.sims[0].alive.unwrap();
        new.sims[0].sick = !helps;
        new.input(Input::Service(Fact::Started { service: 0, pid, adopted: true }));
        new.run(60_000);
        let files = files(&new);
        assert_eq!(files.now, if helps { 0 } else { 1 }, "{helps}: {:#?}", new.story(0));
        assert_eq!(files.aside, None, "{:?}", files.orders);
    }
}
