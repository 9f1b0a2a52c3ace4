//! Two sessions of one certificate: who waits, who takes over, who is sent away, and when both are put aside.

use super::*;
use crate::incident::{Severity, Verb};
use crate::view::HostState;

/// A session and another one of the same host that waits for it, each with the nonce that it is to answer.
pub(super) fn second_session(world: &mut World) -> ((Agent, u64), (Agent, u64)) {
    let first = Agent::new("web-1", 1);
    first.connect(world);
    let mut second = Agent::new("web-1", 2);
    second.run = Run(5);
    world.take_effects();
    second.open(world);
    let orders = world.session_orders();
    let [Order::Challenge { session: to, nonce: new }, Order::Challenge { session, nonce }] = orders[..]
    else {
        panic!("{orders:?}")
    };
    assert_eq!((to, session), (second.session, first.session), "both are asked");
    assert_ne!(new, nonce);
    ((first, nonce), (second, new))
}

pub(super) fn answers(world: &mut World, agent: &Agent, nonce: u64) {
    world.input(Input::Session(Fact::Answered { session: agent.session, nonce }));
}

#[test]
fn a_second_session_takes_over_when_the_first_does_not_answer() {
    let mut world = World::new();
    let (_, (mut second, _)) = second_session(&mut world);
    let kept = second.frame(&world, started(1));
    second.batch(&mut world, Lane::Live, kept);
    assert!(world.session_orders().is_empty(), "who waits gets no answer");
    world.pass(Span::from_secs(2));
    let orders = world.session_orders();
    assert!(matches!(orders[0], Order::Welcome { session, .. } if session == second.session), "{orders:?}");
    assert!(matches!(orders[1], Order::Ack { session, .. } if session == second.session), "{orders:?}");
    assert!(world.incidents().is_empty());
}

#[test]
fn a_second_session_takes_over_at_once_when_the_first_ends() {
    let mut world = World::new();
    let ((first, _), (second, _)) = second_session(&mut world);
    first.close(&mut world);
    let orders = world.session_orders();
    assert!(
        matches!(orders[..], [Order::Welcome { session, .. }] if session == second.session),
        "{orders:?}"
    );
}

#[test]
fn two_live_sessions_are_both_quarantined_until_an_operator_resolves_it() {
    let mut world = World::new();
    let ((first, nonce), (second, new)) = second_session(&mut world);
    answers(&mut world, &first, nonce);
    assert_eq!(
        world.host(&first.host).state,
        HostState::Connected,
        "that one lives says nothing of the other"
    );
    answers(&mut world, &second, new);
    let refused = refused(&mut world);
    assert_eq!(refused, [(second.session, "quarantined"), (first.session, "quarantined")]);
    let incident = world.the_incident().incident;
    assert_eq!((incident.severity, incident.severity_rule), (Severity::P1, "sev-duplicate-identity"));
    assert_eq!(world.host(&first.host).state, HostState::Quarantined);
    let third = Agent::new("web-1", 3);
    third.open(&mut world);
    assert!(matches!(world.session_orders()[..], [Order::Refuse { code: "quarantined", .. }]));
    world.pass(Span::from_secs(300));
    assert_eq!(world.incidents().len(), 1, "a quarantined host is not silent");
    world
        .command(incident.id, Some(incident.revision), Verb::Resolve("the clone is off".to_string()))
        .unwrap();
    assert!(codes(&world.the_incident()).contains(&"quarantine-lifted"));
    let fourth = Agent::new("web-1", 4);
    world.take_effects();
    fourth.connect(&mut world);
    assert!(matches!(world.session_orders()[..], [Order::Welcome { .. }]));
}

#[test]
fn late_answers_after_one_session_replaced_the_other_mean_that_both_live() {
    for first_is_first in [true, false] {
        let mut world = World::new();
        let ((first, nonce), (second, new)) = second_session(&mut world);
        world.pass(Span::from_secs(2));
        let both = [(&first, nonce), (&second, new)];
        for (agent, nonce) in if first_is_first { both } else { [both[1], both[0]] } {
            assert_eq!(world.host(&first.host).state, HostState::Connected);
            answers(&mut world, agent, nonce);
        }
        assert_eq!(world.host(&first.host).state, HostState::Quarantined);
    }
}

#[test]
fn a_newcomer_that_was_overtaken_by_its_agents_next_session_is_sent_away() {
    let mut world = World::new();
    let ((mut alive, nonce), (mut dead, _)) = second_session(&mut world);
    let old_words = dead.frame(&world, started(1));
    dead.batch(&mut world, Lane::Live, old_words);
    answers(&mut world, &alive, nonce);
    world.pass_heard(Span::from_secs(29), &[&alive]);
    assert!(world.session_orders().is_empty(), "a slow link may still bring its answer");
    world.pass_heard(Span::from_secs(1), &[&alive]);
    let orders = world.session_orders();
    let [Order::Refuse { session, code: "no-answer" }] = orders[..] else { panic!("{orders:?}") };
    assert_eq!(session, dead.session);
    alive.say(&mut world, started(2));
    let host = world.host(&alive.host);
    assert_eq!((host.state, host.frames), (HostState::Connected, 1), "nothing of the dead one is believed");
    assert!(world.incidents().is_empty());
}

/// A session that was replaced, and the one that took its place, which has answered or not.
fn replaced(world: &mut World, has_answered: bool) -> ((Agent, u64), (Agent, u64)) {
    let (first, second) = second_session(world);
    if has_answered {
        answers(world, &second.0, second.1);
    }
    world.pass(Span::from_secs(2));
    world.take_effects();
    (first, second)
}

#[test]
fn a_copy_behind_a_slow_link_is_found_by_an_answer_that_takes_half_a_minute() {
    let mut world = World::new();
    let ((first, nonce), (second, new)) = second_session(&mut world);
    answers(&mut world, &first, nonce);
    world.pass_heard(Span::from_secs(29), &[&first]);
    answers(&mut world, &second, new);
    assert_eq!(world.host(&first.host).state, HostState::Quarantined);
}

#[test]
fn who_was_replaced_is_not_left_behind_one_that_is_gone() {
    let mut world = World::new();
    let ((first, nonce), (second, _)) = replaced(&mut world, false);
    second.close(&mut world);
    let orders = world.session_orders();
    assert_eq!(orders, [Order::Refuse { session: first.session, code: "no-answer" }], "to come again");
    answers(&mut world, &first, nonce);
    let mut again = Agent::new("web-1", 3);
    again.open(&mut world);
    assert!(matches!(world.session_orders()[..], [Order::Welcome { .. }]));
    again.say(&mut world, started(1));
    assert_eq!(world.host(&first.host).frames, 1);
}

#[test]
fn that_a_second_machine_lived_is_known_after_it_is_gone() {
    let mut world = World::new();
    let ((first, nonce), (second, _)) = replaced(&mut world, true);
    second.close(&mut world);
    assert!(world.session_orders().is_empty());
    answers(&mut world, &first, nonce);
    assert_eq!(world.host(&first.host).state, HostState::Quarantined);
    assert_eq!(refused(&mut world), [(first.session, "quarantined")]);
}

#[test]
fn a_third_session_takes_away_nothing_of_what_two_have_proven() {
    let mut world = World::new();
    let ((first, nonce), _) = replaced(&mut world, true);
    let third = Agent::new("web-1", 3);
    third.open(&mut world);
    third.close(&mut world);
    answers(&mut world, &first, nonce);
    assert_eq!(world.host(&first.host).state, HostState::Quarantined);
}

#[test]
fn who_took_anothers_place_has_lived_if_it_answers_what_it_is_asked_for_a_third() {
    for (is_right, state) in [(true, HostState::Quarantined), (false, HostState::Connected)] {
        let mut world = World::new();
        let ((first, nonce), (second, _)) = replaced(&mut world, false);
        let third = Agent::new("web-1", 3);
        third.open(&mut world);
        let orders = world.session_orders();
        let [_, Order::Challenge { session, nonce: asked }] = orders[..] else { panic!("{orders:?}") };
        assert_eq!(session, second.session);
        answers(&mut world, &second, if is_right { asked } else { asked ^ 1 });
        answers(&mut world, &first, nonce);
        assert_eq!(world.host(&first.host).state, state);
    }
}

#[test]
fn who_waits_takes_the_place_of_one_that_is_sent_away() {
    let mut world = World::new();
    let ((first, _), (second, _)) = second_session(&mut world);
    first.batch(&mut world, Lane::Live, b"no frame".to_vec());
    let orders = world.session_orders();
    let [Order::Refuse { session: gone, code: "bad-frame" }, Order::Welcome { session, .. }] = orders[..]
    else {
        panic!("{orders:?}")
    };
    assert_eq!((gone, session), (first.session, second.session));
}

fn refused(world: &mut World) -> Vec<(SessionId, &'static str)> {
    let orders = world.session_orders().into_iter();
    let refused = orders.filter_map(|order| match order {
        Order::Refuse { session, code } => Some((session, code)),
        Order::Welcome { .. } | Order::Ack { .. } | Order::Ask { .. } | Order::Challenge { .. } => None,
    });
    refused.collect()
}

#[test]
fn what_was_on_its_way_since_before_an_agent_ended_is_not_believed_and_quarantines_nobody() {
    let mut world = World::new();
    let ((mut first, nonce), (second, new)) = second_session(&mut world);
    world.pass(Span::from_secs(2));
    first.say(&mut world, started(1));
    answers(&mut world, &second, new);
    answers(&mut world, &first, nonce + 1);
    assert_eq!(world.host(&first.host).state, HostState::Connected);
    assert_eq!(world.host(&first.host).frames, 0, "nothing of it is believed");
    first.close(&mut world);
    second.stands(&mut world, &[]);
    assert_eq!(world.host(&first.host).state, HostState::Connected);
}

#[test]
fn who_waits_may_send_8_batches_and_no_more() {
    let mut world = World::new();
    let (_, (mut second, _)) = second_session(&mut world);
    for _ in 0..8 {
        second.say(&mut world, started(1));
    }
    assert!(world.session_orders().is_empty());
    second.say(&mut world, started(1));
    assert!(matches!(world.session_orders()[..], [Order::Refuse { code: "too-many", .. }]));
}
