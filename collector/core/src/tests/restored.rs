//! A snapshot and the journal behind it give what the whole journal gives, wherever the cut is and whatever the clock
//! did in between; bytes that are no snapshot are refused. A failing case prints its seed and its smallest story.

use super::random::{Journal, step, tell};
use super::*;
use crate::Unreadable;
use crate::store::Entry;
use proptest::prelude::*;

fn replayed(mut core: Collector, entries: &[Entry]) -> Collector {
    for entry in entries {
        core.replay(entry.index, entry.now, entry.record.clone());
    }
    core
}

/// A second life on a machine that was booted anew, so that its clock stands far behind the journal's.
fn second_life(mut core: Collector) -> (Collector, Vec<Entry>) {
    let now = Now { mono: Mono::from_micros(5), raw: Raw::default(), wall: Wall::from_micros(9) };
    core.begin(now, BootId(8));
    while let Some((at, _)) = core.deadline().filter(|(at, _)| *at < Mono::from_micros(120_000_000)) {
        core.handle(Now { mono: at.max(now.mono), ..now }, Input::Time);
    }
    let mut entries = vec![];
    while let Some(effect) = core.poll() {
        if let Effect::Store(store::Order::Append(entry)) = effect {
            entries.push(*entry);
        }
    }
    (core, entries)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_snapshot_and_the_tail_give_the_state_of_a_straight_replay(
        steps in proptest::collection::vec(step(), 1..120),
        cut in 0_usize..100,
        second in 0_usize..100,
    ) {
        let mut journal = tell(&steps, Journal::AtOnce).journal;
        let (_, more) = second_life(replayed(Collector::new(1), &journal));
        journal.extend(more);
        let straight = replayed(Collector::new(2), &journal);
        // Two snapshots one after the other, as a running collector makes them.
        let (cut, second) = (journal.len() * cut.min(second) / 100, journal.len() * cut.max(second) / 100);
        let early = replayed(Collector::new(3), &journal[..cut]).snapshot();
        let early = Collector::restore(4, &early).expect("a snapshot can be read back");
        prop_assert_eq!(early.index(), cut as u64);
        let late = replayed(early, &journal[cut..second]).snapshot();
        let late = Collector::restore(5, &late).expect("a snapshot can be read back");
        let late = replayed(late, &journal[second..]);
        prop_assert!(late.snapshot() == straight.snapshot(), "cut at {cut} and {second}");
        // And it lives on like the other: the same deadlines, the same records, the same state.
        let ((late, said), (straight, expected)) = (second_life(late), second_life(straight));
        prop_assert_eq!(said, expected);
        prop_assert!(late.snapshot() == straight.snapshot(), "after a life more");
    }
}

#[test]
fn what_is_no_snapshot_is_refused() {
    let mut world = World::new();
    let mut agent = Agent::new("web-1", 1);
    agent.connect(&mut world);
    agent.killed_and_healed(&mut world, 7);
    let bytes = world.core.snapshot();
    for length in 0..bytes.len() {
        assert_eq!(Collector::restore(1, &bytes[..length]).err(), Some(Unreadable), "{length} bytes");
    }
    let mut more = bytes.clone();
    more.push(0);
    assert_eq!(Collector::restore(1, &more).err(), Some(Unreadable));
    let code = b"service-died";
    let at = bytes.windows(code.len()).position(|part| part == code).expect("the story has a death");
    let mut other = bytes;
    other[at] = b'z';
    assert_eq!(Collector::restore(1, &other).err(), Some(Unreadable), "a code that nobody knows");
}
