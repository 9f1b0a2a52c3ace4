//! What changed just before, packages at work, a state without rest, and a person who takes the host as it is.

use super::*;

#[test]
fn while_packages_are_at_work_and_a_minute_after_only_what_is_left_counts() {
    let mut host = Host::learned();
    // An upgrade: all is gone for a while.
    let units = core::mem::take(&mut host.units);
    host.packages = Some(Span::ZERO);
    host.stir();
    host.run(45);
    host.units = units;
    host.packages = Some(Span::from_secs(10));
    host.stir();
    host.run(300);
    assert!(host.told.is_empty(), "{:?}", host.said());
    // A removal.
    host.units.clear();
    host.packages = Some(Span::ZERO);
    let removed = host.at / 1_000_000;
    host.stir();
    host.run(30);
    host.packages = Some(Span::from_secs(61));
    host.run(29);
    assert!(host.told.is_empty(), "{:?}", host.said());
    host.run(40);
    let at = host.vanished()[0].0 - removed;
    assert!((85..=96).contains(&at), "a minute after it was last seen at work: {at}");
}

#[test]
fn only_what_changed_shortly_before_is_named_and_a_package_before_a_file() {
    for (traces, named) in [
        (std::vec![(ChangeKind::Config, "a", 5), (ChangeKind::UnitFile, "b", 60)], Some("b")),
        (std::vec![(ChangeKind::UnitFile, "old", 700)], None),
        (std::vec![(ChangeKind::Installed, "p", 500), (ChangeKind::UnitFile, "b", 4)], Some("p")),
        (std::vec![(ChangeKind::UnitFile, "b", 9), (ChangeKind::UnitFile, "c", 4)], Some("c")),
    ] {
        let mut host = Host::learned();
        for (kind, what, ago) in traces {
            host.trace(kind, what, ago);
        }
        host.unit("web.service", DISABLED);
        host.stir();
        host.run(6);
        let change = host.vanished()[0].1.change.as_ref().map(|change| change.name.as_str().to_string());
        assert_eq!(change.as_deref(), named);
    }
}

#[test]
fn a_state_that_never_comes_to_rest_is_judged_after_a_minute() {
    let mut host = Host::learned();
    host.unit("web.service", DISABLED);
    host.ports.clear();
    let mount = host.mounts[0].clone();
    for second in 0..70 {
        host.mounts = if second % 2 == 0 { std::vec![] } else { std::vec![mount.clone()] };
        host.stir();
        host.run(1);
    }
    assert!(!host.vanished().is_empty(), "{:?}", host.said());
}

#[test]
fn a_person_takes_the_host_as_it_is() {
    let mut host = Host::learned();
    host.unit("web.service", DISABLED);
    host.unit("new.service", UP);
    host.ports.clear();
    host.stir();
    host.run(6);
    host.hand(Fact::Accept { by: "root" });
    assert_eq!(host.said()[1..], ["web.service is not missed any more: accepted by root"]);
    host.run(600);
    assert_eq!(host.told.len(), 2, "{:?}", host.said());
    assert_eq!(host.names(), ["web.timer", "/srv", "new.service"]);
}
