//! Whose certificate is renewed, and whose is not.

use super::contest::{answers, second_session};
use super::*;
use crate::identity::{Answer as Told, Fact, Shown};

fn asked(world: &mut World, fact: Fact) -> Result<(), &'static str> {
    world.take_effects();
    world.input(Input::Identity(fact));
    match world.take_effects().pop() {
        Some(Effect::Identity(Told::Refused { code, .. })) => Err(code),
        Some(Effect::Identity(Told::Granted { .. })) => Ok(()),
        other => panic!("{other:?}"),
    }
}

/// Enrols web-1 with this key by a token of its own; when that was.
fn enrol(world: &mut World, key: u8) -> Wall {
    let (operator, host) = (Box::new(name("ann")), || Box::new(host_id("web-1")));
    let hash = || Box::new([key; 32]);
    world.input(Input::Identity(Fact::Mint { reply: Token(1), operator, host: host(), hash: hash() }));
    let fact = Fact::Enrol { reply: Token(2), host: host(), hash: hash(), key: Box::new([key; 32]) };
    assert_eq!(asked(world, fact), Ok(()));
    world.now.wall
}

fn renew(world: &mut World, host: &str, key: u8, made: Wall, has_ended: bool) -> Result<(), &'static str> {
    let shown = Box::new(Shown { key: [key; 32], made, has_ended });
    asked(world, Fact::Renew { reply: Token(3), host: Box::new(host_id(host)), shown })
}

#[test]
fn a_key_that_was_replaced_by_an_enrolment_is_not_renewed_and_every_other_is() {
    let mut world = World::new();
    let first = enrol(&mut world, 1);
    world.pass(Span::from_secs(4_000));
    for has_ended in [false, true] {
        assert_eq!(renew(&mut world, "web-1", 1, first, has_ended), Ok(()));
        assert_eq!(renew(&mut world, "web-2", 1, first, has_ended), Err("not-an-agent"));
        let now = world.now.wall;
        assert_eq!(renew(&mut world, "web-1", 3, now, has_ended), Ok(()), "renewed for another key");
    }
    let second = enrol(&mut world, 2);
    world.pass(Span::from_secs(4_000));
    for _restarted in 0..2 {
        for has_ended in [false, true] {
            assert_eq!(renew(&mut world, "web-1", 1, first, has_ended), Err("key-replaced"));
            assert_eq!(renew(&mut world, "web-1", 2, second, has_ended), Ok(()));
        }
        world.restart();
    }
    world.pass(Span::from_secs(4_000));
    let _third = enrol(&mut world, 1);
    assert_eq!(renew(&mut world, "web-1", 1, first, true), Ok(()), "the first key again, by a person's word");
}

#[test]
fn a_host_that_is_quarantined_has_no_grace() {
    let mut world = World::new();
    let made = enrol(&mut world, 1);
    let ((first, nonce), (second, new)) = second_session(&mut world);
    answers(&mut world, &first, nonce);
    answers(&mut world, &second, new);
    assert_eq!(world.host(&host_id("web-1")).state, view::HostState::Quarantined);
    assert_eq!(renew(&mut world, "web-1", 1, made, true), Err("quarantined"));
    assert_eq!(renew(&mut world, "web-1", 1, made, false), Ok(()), "as ever");
    // One that is heard at an interval of its own stands beside the keys in a snapshot.
    let mut metered = Agent::new("buoy-1", 9);
    metered.terms = Terms { report: Span::from_secs(900), ..Terms::default() };
    metered.open(&mut world);
    world.restart();
    assert_eq!(renew(&mut world, "web-1", 1, made, true), Err("quarantined"), "after a restart as well");
}
