//! The slots in which breakers, budgets and holds outlive a run: any bytes in them.

use crate::entry::cursor::Cursor;
use crate::entry::host::{Watches, with_agent};
use crate::entry::said;
use picket_agent_core::{Agent, Asked, Input, KEEP_MAX, hold};
use picket_proto::{BootId, Mono, Now, Run, Span};
use std::fs;
use std::path::Path;

/// Turns of an agent after it was given something back.
const TURNS: usize = 64;
/// No clock goes beyond this, some 35,000 years of a boot: at the very last moment everything is due for ever.
const END: u64 = 1 << 60;

/// Slots that were written, spoiled, or made of anything; an agent is given back what is found, and keeps it again.
pub(super) fn run(state: &Path, cursor: &mut Cursor<'_>) {
    for generation in 1..=1 + cursor.below(2) as u64 {
        let boot = BootId(u128::from(cursor.number() % 2));
        let at = Mono::from_micros(cursor.number());
        let mut bytes = kept(cursor);
        cursor.spoil(&mut bytes);
        picket_agent::entry::keep(state, (generation, boot, at), &bytes).expect("there is room");
        let path = state.join(if generation.is_multiple_of(2) { "keep.0" } else { "keep.1" });
        let mut file = fs::read(&path).expect("it was written");
        if cursor.flag() && cursor.spoil(&mut file) {
            fs::write(path, file).expect("there is room");
        }
    }
    let now = Now { mono: Mono::from_micros(cursor.number() % END), ..Now::default() };
    with_agent((Run(9), Watches::Some), &[], |agent| {
        picket_agent::entry::restore(state, BootId(1), now.mono, agent);
        turn(agent, now);
        keeps_again(agent, now);
    });
}

/// What an agent keeps that is held by a person, at times; or any bytes.
fn kept(cursor: &mut Cursor<'_>) -> Vec<u8> {
    if cursor.flag() {
        return cursor.some(2).to_vec();
    }
    with_agent((Run(8), Watches::Some), &[], |agent| {
        let now = Now { mono: Mono::from_micros(cursor.number() % (1 << 40)), ..Now::default() };
        for _ in 0..cursor.below(4) {
            let fact = hold::Fact {
                service: cursor.flag().then(|| cursor.short() % 2),
                lasts: cursor.flag().then(|| said::span(cursor)),
                by: "ann",
            };
            agent.handle(now, Input::Asked(Asked::Hold(fact)));
        }
        turn(agent, now);
        of(agent)
    })
}

fn of(agent: &Agent<'_>) -> Vec<u8> {
    let mut bytes = vec![0; KEEP_MAX];
    let (used, left_out) = agent.keep(&mut bytes);
    assert_eq!(left_out, 0, "one service has room");
    bytes.truncate(used);
    bytes
}

/// Lets it do what is due, some of which nobody answers.
fn turn(agent: &mut Agent<'_>, mut now: Now) {
    agent.handle(now, Input::Time);
    for _ in 0..TURNS {
        while agent.poll().is_some() {}
        let due = agent.deadline().map(|(due, _)| due).filter(|due| due.micros() < END);
        let Some(due) = due else { return };
        now.mono = due.max(now.mono.plus(Span::from_micros(1)));
        agent.handle(now, Input::Time);
    }
}

/// What it keeps is taken by the next run, which keeps the same.
fn keeps_again(agent: &Agent<'_>, now: Now) {
    use picket_agent_core::service::Away;
    let bytes = of(agent);
    with_agent((Run(10), Watches::Some), &[], |next| {
        let restored = next.restore(now.mono, Away::SameBoot(Span::ZERO), &bytes);
        assert!(!restored.damaged && restored.unknown == 0, "it can't read what it kept: {restored:?}");
    });
}
