//! The edges of what is taken: just enough and one too many, too old, too late, and answers that nobody asked for.

use super::contest::{answers, second_session};
use super::*;
use crate::ingest::phase::Life;
use crate::record::Record;
use crate::view::HostState;

/// Opens a session with a Hello of so many checks and so long a version; the refusal, if it is one.
fn opened(checks: usize, version: usize) -> Option<&'static str> {
    let mut world = World::new();
    let agent = Agent::new("web-1", 1);
    let mut hello = agent.hello(&world);
    hello.watched.resize(checks, hello.watched[0].clone());
    hello.version = "v".repeat(version);
    let hello = Box::new(hello);
    world.input(Input::Session(Fact::Opened {
        session: agent.session,
        host: agent.host.clone(),
        hello,
        terms: Terms::default(),
    }));
    match world.session_orders()[..] {
        [Order::Refuse { code, .. }] => Some(code),
        [Order::Welcome { .. }] => None,
        ref other => panic!("{other:?}"),
    }
}

#[test]
fn a_hello_of_the_most_checks_and_the_longest_version_is_taken_and_one_more_is_not() {
    assert_eq!(opened(4_096, 160), None);
    assert_eq!(opened(4_097, 160), Some("bad-message"));
    assert_eq!(opened(4_096, 161), Some("bad-message"));
}

#[test]
fn five_hundred_standing_checks_fit_one_message_and_one_more_does_not() {
    for (count, taken) in [(500, true), (501, false)] {
        let mut world = World::new();
        let agent = Agent::new("web-1", 1);
        agent.connect(&mut world);
        let standing = Standing {
            check: name("nginx:http"),
            kind: CheckKind::Http,
            service: Some(name(SERVICE)),
            verdict: Verdict::Down,
            since: agent.stamp(&world),
        };
        world.take_effects();
        let checks = vec![standing.into(); count];
        world.input(Input::Session(Fact::Standing { session: agent.session, checks }));
        let refused = matches!(world.session_orders()[..], [Order::Refuse { code: "bad-message", .. }]);
        assert_eq!(refused, !taken, "{count} checks");
    }
}

/// A gap frame that closes these numbers of the agent's run.
fn closes(agent: &Agent, first: u64, last: u64) -> Said {
    let range = SeqRange::new(Seq(first), Seq(last)).unwrap();
    Said::Gap(Gap { run: agent.run, range, reason: GapReason::SpoolFull })
}

#[test]
fn a_number_too_old_for_its_checksum_counts_as_a_repeat_whatever_it_holds() {
    // The second is far enough on in a run that its numbers need more than 20 bits.
    for start in [2, 3 << 20] {
        let mut world = World::new();
        let agent = Agent::new("web-1", 1);
        agent.connect(&mut world);
        let (newest, next) = (start + 4_096, start + 4_097);
        for (seq, said) in [
            (start, started(1)),
            (newest - 1, started(2)),
            (newest, started(3)),
            (next, closes(&agent, 1, newest - 2)),
        ] {
            let frame = agent.frame_at(&world, seq, said);
            agent.batch(&mut world, Lane::Live, frame);
        }
        let (lost, frames) = (newest - 2 - 1, 4);
        assert_eq!((world.host(&agent.host).lost, world.host(&agent.host).frames), (lost, frames));
        for seq in [start, newest - 1] {
            let other = agent.frame_at(&world, seq, started(9));
            agent.batch(&mut world, Lane::Live, other);
        }
        assert_eq!(world.host(&agent.host).lost, lost + 1, "only the newer one is known to be another");
        assert_eq!(world.host(&agent.host).frames, frames);
    }
}

#[test]
fn a_host_is_silent_though_the_time_is_handed_in_late() {
    let mut world = World::new();
    let agent = Agent::new("web-1", 1);
    agent.connect(&mut world);
    world.now.mono = world.now.mono.plus(Span::from_secs(300));
    world.input(Input::Time);
    assert_eq!(world.host(&agent.host).state, HostState::Silent);
}

#[test]
fn only_the_answers_that_were_asked_for_mean_that_both_sessions_live() {
    let mut world = World::new();
    let ((first, nonce), (second, new)) = second_session(&mut world);
    answers(&mut world, &first, nonce);
    for (agent, nonce) in [(&first, new), (&second, nonce), (&second, new ^ 1)] {
        answers(&mut world, agent, nonce);
        assert_eq!(world.host(&first.host).state, HostState::Connected);
    }
    answers(&mut world, &second, new);
    assert_eq!(world.host(&first.host).state, HostState::Quarantined);
}

#[test]
fn an_answer_means_nothing_once_the_session_that_waited_is_gone() {
    let mut world = World::new();
    let ((first, nonce), (second, _)) = second_session(&mut world);
    second.close(&mut world);
    answers(&mut world, &first, nonce);
    assert_eq!(world.host(&first.host).state, HostState::Connected);
    world.pass(Span::from_secs(3));
    assert!(world.session_orders().is_empty(), "and nobody takes over");
}

#[test]
fn as_many_sessions_as_fit_are_taken_and_then_one_for_each_that_ends() {
    let mut world = World::new();
    let most = crate::ingest::sessions::SESSIONS_MAX as u64;
    for at in 1..most {
        world.core.live.sessions.sit((SessionId(1_000 + at), Life::default()), host_id("far"), 9);
    }
    let agents = [Agent::new("web-1", 1), Agent::new("web-2", 2)];
    let is_taken = |world: &mut World, agent: &Agent| {
        world.take_effects();
        agent.open(world);
        matches!(world.session_orders()[..], [Order::Welcome { .. }])
    };
    assert!(is_taken(&mut world, &agents[0]));
    assert!(!is_taken(&mut world, &agents[1]));
    agents[0].close(&mut world);
    assert!(is_taken(&mut world, &agents[1]));
}

#[test]
fn a_number_beyond_all_that_a_run_can_reach_is_a_repeat_where_it_was_closed() {
    let mut world = World::new();
    let agent = Agent::new("web-1", 1);
    agent.connect(&mut world);
    let far = 1 << 50;
    for (seq, said) in [(20, started(1)), (21, closes(&agent, far, far + 9))] {
        let frame = agent.frame_at(&world, seq, said);
        agent.batch(&mut world, Lane::Live, frame);
    }
    assert_eq!(world.host(&agent.host).lost, 10);
    let frame = agent.frame_at(&world, far + 5, started(2));
    agent.batch(&mut world, Lane::Live, frame);
    assert_eq!((world.host(&agent.host).lost, world.host(&agent.host).frames), (10, 2));
}

#[test]
fn a_frame_that_is_still_under_way_after_a_goodbye_makes_no_silence() {
    let mut world = World::new();
    let mut agent = Agent::new("web-1", 1);
    agent.connect(&mut world);
    world.input(Input::Session(Fact::Goodbye { session: agent.session }));
    agent.say(&mut world, started(1));
    world.pass(Span::from_secs(60));
    assert_eq!(world.host(&agent.host).state, HostState::Stopped);
    assert!(!world.journal.iter().any(|entry| matches!(entry.record, Record::Silent { .. })));
}
