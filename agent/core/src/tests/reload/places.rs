//! Places: how many there are, and who may have one that was another's.

use super::*;

#[test]
fn what_does_not_fit_is_refused_with_how_many_places_there_are_and_changes_nothing() {
    let mut world = running(8, &file(&["a", "b"]), 1);
    reload(&mut world, &file(&["a", "c"]), &[]).unwrap_err();
    let log = world.log.len();
    let full = reload(&mut world, &file(&["a", "b", "c", "d"]), &[]).unwrap_err();
    assert_eq!(full, Full { places: 3, gone: 0 });
    assert_eq!((world.log.len(), names(&world).len()), (log, 4));
}

#[test]
fn a_place_of_a_check_without_service_is_another_ones_once_its_answer_is_home() {
    let alone = |name: &str| File {
        services: Vec::new(),
        checks: std::vec![check::Spec { service: None, ..check_spec(name, CheckKind::Tcp, 0) }],
    };
    let mut world = world(9, &alone("one"), 0);
    world.input(Input::Time);
    world.input(Input::Asked(crate::Asked::Look(0)));
    reload(&mut world, &alone("two"), &[]).unwrap_err();
    reload(&mut world, &File { services: Vec::new(), checks: Vec::new() }, &[]).unwrap();
    reload(&mut world, &alone("two"), &[]).unwrap_err();
    read(&mut world, 0, Reading::Good);
    reload(&mut world, &alone("two"), &[]).unwrap();
    assert_eq!(names(&world), ["two"]);
    assert_eq!(world.agent.check_at(0).unwrap().verdict(), Verdict::Unknown);
    assert_eq!(world.agent.refused(), 0);
}
