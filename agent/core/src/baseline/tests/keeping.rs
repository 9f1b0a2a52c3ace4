//! What is kept of the baseline, and how much of it there can be.

use super::*;

#[test]
fn the_next_run_knows_what_should_be_there_and_what_was_told() {
    let mut host = Host::learned();
    host.run(20);
    // While no agent was there, the timer was disabled.
    let mut next = Host::with(64, &host.kept);
    next.usual();
    next.unit("web.timer", DISABLED);
    next.run(58);
    assert!(next.told.is_empty(), "a boot settles first: {:?}", next.said());
    next.run(65);
    assert_eq!(next.vanished().len(), 1, "{:?}", next.said());
    let mut third = Host::with(64, &next.kept);
    third.usual();
    third.unit("web.timer", DISABLED);
    third.run(200);
    assert!(third.told.is_empty(), "told before: {:?}", third.said());
    let mut out = Facts::new();
    third.baseline.tell_again(Mono::from_micros(third.at), &mut out);
    let again: Vec<Told> = out.all().collect();
    let [Told::Vanished(it)] = again.as_slice() else { panic!("{again:?}") };
    assert_eq!((it.number, it.again), (1, true));
    third.unit("web.timer", UP);
    third.stir();
    third.run(6);
    assert!(matches!(third.told.as_slice(), [(_, Told::Returned(it))] if it.number == 1));
}

#[test]
fn bytes_that_are_none_restore_nothing_and_end_nothing() {
    let mut host = Host::learned();
    host.run(20);
    for len in 0..host.kept.len() {
        let things = Box::leak(std::vec![Thing::default(); 2].into_boxed_slice());
        let mut baseline = Baseline::new(Lent { things, rules: Rules::default(), units: true });
        let _either_way_it_returns = baseline.restore(Mono::default(), &host.kept[..len]);
    }
}

#[test]
fn what_finds_no_place_is_counted_and_without_places_nothing_is_looked_at() {
    let mut host = Host::with(2, &[]);
    host.usual();
    host.run(1);
    assert!(host.baseline.left_out() >= 2);
    let mut none = Host::with(0, &[]);
    none.usual();
    none.run(600);
    assert_eq!((none.looks, none.baseline.deadline().0), (0, Mono::NEVER));
}

#[test]
fn the_longest_file_fits() {
    let mut host = Host::with(THINGS_MAX, &[]);
    for number in 0..THINGS_MAX {
        let long = std::format!("{number:0>56}.service");
        host.unit(&long, UP);
        host.units[number].of = Some(name(&"s".repeat(48)));
    }
    host.run(130);
    assert_eq!(host.names().len(), THINGS_MAX);
    assert!(host.kept.len() > THINGS_MAX * 64 && host.kept.len() < crate::KEEP_MAX, "{}", host.kept.len());
}
