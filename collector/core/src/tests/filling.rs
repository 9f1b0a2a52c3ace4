//! What is no failure yet, a mount that will be full and a level that is unusual: how much that matters, and what is said.

use super::*;
use crate::incident::Severity;

#[test]
fn a_mount_that_will_be_full_is_for_today_and_says_when_and_one_that_will_be_soon_is_for_now() {
    let mut world = World::new();
    let mut agent = Agent::new("db-1", 1);
    agent.connect(&mut world);
    let filling = |left, to| {
        let Said::Verdict(change) = space(to) else { panic!("a verdict") };
        let cause = Some(Cause::Filling { left, rate: 2_100_000, grown: 4_800 });
        Said::Verdict(VerdictChanged { cause, ..change })
    };
    agent.say(&mut world, filling(10_200, Verdict::Degraded));
    let incident = world.the_incident().incident;
    assert_eq!(incident.severity, Severity::P3);
    let words = "full in about 2 h 50 min: grows by 2050 MiB/h, for 1 h 20 min so far";
    assert!(incident.cause.contains(words), "{}", incident.cause);
    agent.say(&mut world, filling(3_000, Verdict::Down));
    assert_eq!(world.the_incident().incident.severity, Severity::P2);
}

#[test]
fn a_level_that_is_unusual_is_for_today_and_says_what_is_usual() {
    let mut world = World::new();
    let mut agent = Agent::new("db-1", 1);
    agent.connect(&mut world);
    let Said::Verdict(change) = space(Verdict::Degraded) else { panic!("a verdict") };
    let cause = Some(Cause::Unusual { level: 712, usual: 150, lasts: 32 });
    agent.say(&mut world, Said::Verdict(VerdictChanged { cause, ..change }));
    let incident = world.the_incident().incident;
    assert_eq!(incident.severity, Severity::P3);
    let words = "71.2 %, far above the usual 15.0 % of this hour, for 32 min so far";
    assert!(incident.cause.contains(words), "{}", incident.cause);
}
