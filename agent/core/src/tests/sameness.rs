//! The same inputs and seed give the same effects, and no input does harm.
//!
//! 64 random scripts each; [`super::replay`] says how to run a failing one again.
#![expect(clippy::disallowed_types, reason = "prop_oneof! names Arc in what it expands to")]

use super::replay::cases;
use super::world::{World, spec};
use crate::check::{self, Reading};
use crate::service;
use crate::session::{self, Trouble};
use crate::{Ending, Input};
use picket_proto::event::{Cause, Exit, Ruling};
use picket_proto::{Ranges, Run, Seq, SeqRange, Span};
use proptest::prelude::*;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::string::String;
use std::vec::Vec;

/// An input that owns its parts.
#[derive(Debug, Clone)]
pub(super) enum Owned {
    Check(u16, Reading),
    Absent(u16),
    DiedUnseen(u16, u32),
    Started(u16, u32, bool),
    Exited(u16, u32, Exit),
    Evidence(u16, u32, String),
    Opened,
    Welcomed(u64, Ranges),
    Acked(u64, Ranges),
    Challenged(u64),
    Ordered(u64, bool),
    Printed(u16, u64, Option<String>),
    Lost(Trouble),
    Sent(u16),
    Time,
    Stop(Ending),
    /// Nothing but time passes, ms.
    Pass(u64),
    /// The world does what was ordered for so many ms.
    Run(u64),
}

fn ranges() -> impl Strategy<Value = Ranges> {
    proptest::collection::vec((1_u64..200, 0_u64..50), 0..6).prop_map(|parts| {
        let mut ranges = Ranges::new();
        for (first, more) in parts {
            let _refused_where_full = ranges.insert(SeqRange::new(Seq(first), Seq(first + more)).unwrap());
        }
        ranges
    })
}

fn reading() -> impl Strategy<Value = Reading> {
    prop_oneof![
        3 => Just(Reading::Good),
        2 => Just(Reading::Bad(Cause::Refused)),
        1 => Just(Reading::Bad(Cause::Local(5))),
        1 => any::<i64>().prop_map(Reading::Level),
    ]
}

fn service_input() -> impl Strategy<Value = Owned> {
    let pid = 99_u32..110;
    let exit = prop_oneof![
        Just(Exit::Code(1)),
        Just(Exit::Signal(9)),
        Just(Exit::NotStarted(2)),
        Just(Exit::Unknown),
        Just(Exit::Ruled(Ruling::OutOfMemory))
    ];
    prop_oneof![
        (0_u16..4).prop_map(Owned::Absent),
        (0_u16..4, pid.clone()).prop_map(|(service, pid)| Owned::DiedUnseen(service, pid)),
        (0_u16..4, pid.clone(), any::<bool>())
            .prop_map(|(service, pid, adopted)| Owned::Started(service, pid, adopted)),
        (0_u16..4, pid.clone(), exit).prop_map(|(service, pid, exit)| Owned::Exited(service, pid, exit)),
        (any::<u16>(), pid, ".{0,20}").prop_map(|(service, pid, line)| Owned::Evidence(
            service % 5,
            pid,
            line
        )),
    ]
}

fn session_input() -> impl Strategy<Value = Owned> {
    prop_oneof![
        Just(Owned::Opened),
        (any::<u64>(), ranges()).prop_map(|(beat, known)| Owned::Welcomed(beat, known)),
        (5_u64..9, ranges()).prop_map(|(run, ranges)| Owned::Acked(run, ranges)),
        any::<u64>().prop_map(Owned::Challenged),
        (0_u64..3, any::<bool>()).prop_map(|(token, known)| Owned::Ordered(token, known)),
        (0_u16..3, 0_u64..3, proptest::option::of(".{0,900}"))
            .prop_map(|(service, token, text)| Owned::Printed(service, token, text)),
        prop_oneof![Just(Trouble::Closed), Just(Trouble::Denied)].prop_map(Owned::Lost),
        any::<u16>().prop_map(Owned::Sent),
    ]
}

pub(super) fn input() -> impl Strategy<Value = Owned> {
    prop_oneof![
        3 => (0_u16..10, reading()).prop_map(|(check, reading)| Owned::Check(check, reading)),
        4 => service_input(),
        4 => session_input(),
        2 => Just(Owned::Time),
        2 => (0_u64..5_000).prop_map(Owned::Pass),
        3 => (0_u64..1_000).prop_map(Owned::Run),
    ]
}

pub(super) fn hand_in(world: &mut World, input: &Owned) {
    let input = match input {
        Owned::Check(check, reading) => Input::Check(check::Fact::new(*check, *reading)),
        Owned::Absent(service) => Input::Service(service::Fact::Absent { service: *service }),
        Owned::DiedUnseen(service, pid) => {
            Input::Service(service::Fact::Lost { service: *service, pid: *pid })
        }
        Owned::Started(service, pid, adopted) => {
            Input::Service(service::Fact::Started { service: *service, pid: *pid, adopted: *adopted })
        }
        Owned::Exited(service, pid, exit) => {
            Input::Service(service::Fact::Exited { service: *service, pid: *pid, exit: *exit })
        }
        Owned::Evidence(service, pid, last_line) => {
            Input::Service(service::Fact::Evidence { service: *service, pid: *pid, last_line })
        }
        Owned::Opened => Input::Session(session::Fact::Opened),
        Owned::Welcomed(beat, known) => Input::Session(session::Fact::Welcomed {
            heartbeat: Span::from_micros(*beat),
            known,
            watched: None,
        }),
        Owned::Acked(run, ranges) => Input::Session(session::Fact::Acked { run: Run(*run), ranges }),
        Owned::Challenged(nonce) => Input::Session(session::Fact::Challenged { nonce: *nonce }),
        Owned::Ordered(token, known) => {
            let service = if *known { "a" } else { "other" }.parse().expect("it is a name");
            return world.input(Input::Session(session::Fact::Ordered { token: *token, service: &service }));
        }
        Owned::Printed(service, token, text) => {
            let (service, token, text) = (*service, *token, text.as_deref());
            Input::Service(service::Fact::Printed { service, token, text })
        }
        Owned::Lost(trouble) => Input::Session(session::Fact::Lost { trouble: *trouble }),
        Owned::Sent(messages) => Input::Session(session::Fact::Sent { messages: *messages }),
        Owned::Time => Input::Time,
        Owned::Stop(ending) => Input::Stop(*ending),
        Owned::Pass(ms) => {
            world.at += ms * 1_000;
            return;
        }
        Owned::Run(ms) => return world.run(*ms),
    };
    world.input(input);
}

fn lived(seed: u64, script: &[Owned], tiny: bool) -> World {
    let spec = |name| match tiny {
        false => spec(name),
        true => service::Spec {
            stop_timeout: Span::from_millis(10),
            start_timeout: Span::from_millis(10),
            hold: Span::from_millis(10),
            backoff_first: Span::from_millis(10),
            backoff_max: Span::from_millis(10),
            retry_after: Span::from_millis(10),
            ..spec(name)
        },
    };
    let mut world = World::new(seed, std::vec![spec("a"), spec("b"), spec("c")]);
    world.agent.give_evidence(true);
    for input in script {
        hand_in(&mut world, input);
    }
    world
}

fn hash(world: &World) -> u64 {
    let mut hasher = DefaultHasher::new();
    world.log.hash(&mut hasher);
    hasher.finish()
}

proptest! {
    #![proptest_config(cases(64))]
    #[test]
    fn the_same_inputs_and_seed_give_the_same_effects(
        seed in any::<u64>(),
        script in proptest::collection::vec(input(), 1..60),
    ) {
        prop_assert_eq!(hash(&lived(seed, &script, false)), hash(&lived(seed, &script, false)), "seed {}", seed);
    }

    #[test]
    fn no_input_panics_spins_or_is_answered_after_the_end(
        seed in any::<u64>(),
        script in proptest::collection::vec(input(), 1..60),
        tiny in any::<bool>(),
        ending in prop_oneof![Just(Ending::LeaveServices), Just(Ending::StopServices)],
        after in proptest::collection::vec(input(), 0..30),
    ) {
        let mut world = lived(seed, &script, tiny);
        hand_in(&mut world, &Owned::Stop(ending));
        for input in &after {
            hand_in(&mut world, input);
        }
        hand_in(&mut world, &Owned::Stop(ending));
        prop_assert!(world.ended, "a second stop ends");
        let said = world.log.len();
        hand_in(&mut world, &Owned::Time);
        prop_assert_eq!(said, world.log.len());
    }
}

#[test]
fn other_seeds_give_other_effects() {
    let script: Vec<Owned> = [Owned::Absent(0), Owned::Run(5_000)].into();
    assert_ne!(hash(&lived(1, &script, false)), hash(&lived(2, &script, false)));
}
