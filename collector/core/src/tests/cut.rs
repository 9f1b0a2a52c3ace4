//! What a link cut hides: what still stands pages, what is late alone does not.

use super::*;
use crate::incident::{Severity, State};

const STANDS: &[(&str, CheckKind, Option<&str>)] = &[("nginx:process", CheckKind::Process, Some(SERVICE))];

/// A host whose service failed, live, before the link was cut, and whose agent is there again.
fn cut() -> (World, Agent) {
    let mut world = World::new();
    let mut agent = Agent::new("web-1", 1);
    agent.connect(&mut world);
    for said in [process(Verdict::Down), killed(1)] {
        agent.say(&mut world, said);
    }
    agent.close(&mut world);
    agent.session = SessionId(2);
    agent.open(&mut world);
    (world, agent)
}

fn late(world: &mut World, agent: &mut Agent, all: Vec<Said>) {
    for said in all {
        agent.say_late(world, said);
    }
}

fn closed() -> Said {
    Said::Breaker(BreakerMoved { service: name(SERVICE), to: Breaker::Closed })
}

fn assert_not_healed(world: &mut World) {
    let incident = world.the_incident().incident;
    assert_eq!((incident.state, incident.severity), (State::Open, Severity::P1));
    assert_eq!(incident.severity_rule, "sev-not-healed");
    let why = "nginx: not healed, because it failed 3 times";
    assert!(incident.outcome.starts_with(why), "{}", incident.outcome);
}

#[test]
fn a_breaker_that_opened_during_a_cut_pages_for_what_still_stands() {
    let (mut world, mut agent) = cut();
    agent.stands(&mut world, STANDS);
    world.told();
    late(&mut world, &mut agent, vec![restart(1), not_held(1), breaker_open()]);
    assert_not_healed(&mut world);
    let detail = world.the_incident();
    assert!(detail.timeline.iter().any(|entry| entry.code == "breaker-open" && entry.late));
}

#[test]
fn it_pages_as_well_if_what_stands_is_told_behind_the_backlog() {
    let (mut world, mut agent) = cut();
    late(&mut world, &mut agent, vec![restart(1), not_held(1), breaker_open()]);
    let before = world.the_incident().incident;
    assert_eq!(before.severity, Severity::P2, "what fired before the cut may be over");
    agent.stands(&mut world, STANDS);
    assert_not_healed(&mut world);
    world.restart();
    assert_not_healed(&mut world);
}

#[test]
fn a_service_that_failed_and_rested_in_one_cut_pages_once_it_stands() {
    let mut world = World::new();
    let mut agent = Agent::new("web-1", 1);
    agent.open(&mut world);
    agent.stands(&mut world, STANDS);
    late(&mut world, &mut agent, vec![process(Verdict::Down), killed(1), restart(1), breaker_open()]);
    assert_not_healed(&mut world);
    assert!(world.the_incident().incident.title.contains("SIGKILL"), "the death is the root");
}

#[test]
fn a_late_breaker_alone_pages_nobody() {
    let (mut world, mut agent) = cut();
    agent.stands(&mut world, &[]);
    late(&mut world, &mut agent, vec![restart(1), breaker_open()]);
    let incident = world.the_incident().incident;
    assert_eq!((incident.severity, incident.state), (Severity::P2, State::Verifying));
}

#[test]
fn a_late_recovery_ends_what_is_not_healed() {
    for end in [closed(), held()] {
        let (mut world, mut agent) = cut();
        agent.stands(&mut world, STANDS);
        late(&mut world, &mut agent, vec![restart(1), breaker_open()]);
        assert_not_healed(&mut world);
        let firing = world.the_incident().incident.firing;
        late(&mut world, &mut agent, vec![end]);
        let incident = world.the_incident().incident;
        assert_eq!((incident.firing, incident.outcome.as_str()), (firing - 1, ""));
        assert!(world.services(&agent.host).iter().all(|service| service.not_healed.is_empty()));
    }
}

#[test]
fn a_breaker_that_was_open_before_the_cut_stays_open_while_its_service_stands() {
    let mut world = World::new();
    let mut agent = Agent::new("web-1", 1);
    agent.connect(&mut world);
    for said in [process(Verdict::Down), killed(1), restart(1), breaker_open()] {
        agent.say(&mut world, said);
    }
    agent.close(&mut world);
    agent.session = SessionId(2);
    agent.open(&mut world);
    agent.stands(&mut world, STANDS);
    assert_not_healed(&mut world);
}

#[test]
fn a_late_breaker_does_not_undo_what_was_heard_live_of_the_time_behind_it() {
    let (mut world, mut agent) = cut();
    agent.stands(&mut world, STANDS);
    let late = agent.frame(&world, breaker_open());
    agent.say(&mut world, closed());
    agent.batch(&mut world, Lane::Backlog, late);
    let incident = world.the_incident().incident;
    assert_eq!(incident.severity, Severity::P2, "live frames go first, and this one is newer");
}

#[test]
fn a_death_is_over_when_the_process_lives_though_another_check_stands() {
    let (mut world, mut agent) = cut();
    agent.stands(&mut world, &[("nginx:http", CheckKind::Http, Some(SERVICE))]);
    world.pass_heard(Span::from_secs(1), &[&agent]);
    assert_eq!(world.the_incident().incident.firing, 1, "only the check that stands");
    agent.say(&mut world, http(Verdict::Up));
    assert_eq!(world.the_incident().incident.firing, 0);
}

/// Its agent lost the event that said so, in the middle of a session, and tells once more what stands.
#[test]
fn what_no_longer_stands_is_over_within_a_session() {
    let (mut world, mut agent) = cut();
    agent.stands(&mut world, &[]);
    for said in [process(Verdict::Down), killed(7), restart(1)] {
        agent.say(&mut world, said);
    }
    agent.stands(&mut world, STANDS);
    assert_eq!(world.the_incident().incident.state, State::Open, "it stands");
    agent.stands(&mut world, &[]);
    let detail = world.the_incident();
    assert_eq!(detail.incident.firing, 0);
    assert!(texts(&detail).contains("is up (told when the agent had lost events)"), "{}", texts(&detail));
}

#[test]
fn a_service_that_died_before_the_session_and_dies_with_every_start_is_never_verifying() {
    let mut world = World::new();
    let mut agent = Agent::new("web-1", 1);
    agent.open(&mut world);
    agent.stands(&mut world, STANDS);
    for said in [restart(1), started(2), process(Verdict::Up)] {
        agent.say(&mut world, said);
    }
    world.pass(Span::from_millis(20));
    for said in [process(Verdict::Down), killed(2), not_held(1)] {
        agent.say(&mut world, said);
    }
    let told = world.told();
    assert!(told.iter().all(|(code, _)| *code != "incident-verifying"), "{told:?}");
    for said in [restart(2), started(3), process(Verdict::Up)] {
        agent.say(&mut world, said);
    }
    world.pass_heard(Span::from_secs(1), &[&agent]);
    assert_eq!(world.the_incident().incident.state, State::Verifying);
    agent.say(&mut world, held());
    assert_eq!(world.the_incident().incident.outcome, "recovered, verified");
}

/// The outcome of a remedy may be lost with the agent that began it; then what stands must be enough.
#[test]
fn a_late_remedy_of_an_earlier_run_does_not_wait_for_an_outcome_that_may_never_come() {
    let mut world = World::new();
    let mut before = Agent::new("web-1", 1);
    before.connect(&mut world);
    for said in [process(Verdict::Down), killed(1)] {
        before.say(&mut world, said);
    }
    before.close(&mut world);
    let mut after = Agent { run: Run(2_000), session: SessionId(2), ..Agent::new("web-1", 1) };
    after.connect(&mut world);
    let remedy = before.frame(&world, restart(1));
    after.batch(&mut world, Lane::Backlog, remedy);
    // Something else on the host fails and is back, which looks at the incident anew.
    after.say(&mut world, tcp(Verdict::Down));
    after.say(&mut world, tcp(Verdict::Up));
    world.pass_heard(Span::from_secs(12), &[&after]);
    let incident = world.the_incident().incident;
    assert_eq!(incident.state, State::Resolved, "{incident:?}");
}

fn pid(world: &mut World, agent: &Agent) -> u32 {
    let services = world.services(&agent.host);
    services.iter().find(|service| service.service == Some(name(SERVICE))).unwrap().pid
}

/// The agent as it is started again, killed during the cut.
fn again(world: &mut World, old: &Agent) -> Agent {
    let mut new = Agent::new("web-1", 2);
    new.seq = 1;
    new.open(world);
    assert_ne!(new.run, old.run);
    new.stands(world, &[]);
    new
}

/// A service that runs as pid 100, whose link is cut.
fn cut_while_it_runs() -> (World, Agent) {
    let mut world = World::new();
    let mut agent = Agent::new("web-1", 1);
    agent.connect(&mut world);
    agent.say(&mut world, started(100));
    agent.close(&mut world);
    (world, agent)
}

#[test]
fn the_pid_that_the_present_run_adopted_before_its_session_is_the_services() {
    let (mut world, old) = cut_while_it_runs();
    let mut new = again(&mut world, &old);
    new.say_late(&mut world, started(200));
    assert_eq!(pid(&mut world, &new), 200, "what the killed run told of the restart is lost");
    world.restart();
    assert_eq!(pid(&mut world, &new), 200);
}

#[test]
fn late_words_of_an_earlier_run_do_not_undo_the_pid_that_the_present_run_told() {
    let (mut world, mut old) = cut_while_it_runs();
    let mut new = again(&mut world, &old);
    new.say(&mut world, started(200));
    old.session = new.session;
    for said in [killed(100), started(150), killed(150)] {
        old.say_late(&mut world, said);
        assert_eq!(pid(&mut world, &new), 200);
    }
}

#[test]
fn a_late_start_does_not_undo_the_end_that_was_heard_live() {
    let (mut world, mut agent) = cut_while_it_runs();
    agent.session = SessionId(2);
    agent.open(&mut world);
    let late = agent.frame(&world, started(150));
    agent.say(&mut world, killed(150));
    agent.batch(&mut world, Lane::Backlog, late);
    assert_eq!(pid(&mut world, &agent), 0);
}
