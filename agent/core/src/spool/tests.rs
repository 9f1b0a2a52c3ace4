//! The spool under random appends and acks, and at its limits.
//!
//! 200 random scripts; `tests/replay.rs` says how to run a failing one again.
#![expect(clippy::disallowed_types, reason = "prop_oneof! names Arc in what it expands to")]
mod limits;

use super::*;
use crate::tests::replay::cases;
use event::Fact;
use picket_proto::event::{Breaker, BreakerMoved, Evidence, Started};
use picket_proto::frame::{self, Content};
use picket_proto::{BootId, Mono, Text};
use proptest::prelude::*;
use std::collections::BTreeSet;
use std::vec::Vec as List;

pub(super) fn identity() -> Identity {
    Identity { run: Run(9), boot: BootId(1), previous: None, version: Text::new("t") }
}

pub(super) fn fact(rank: Rank, words: usize) -> Fact {
    let service = "svc".parse().unwrap();
    match rank {
        Rank::Routine => {
            Fact::Evidence(Evidence { service, pid: 1, last_line: Text::new(&"w".repeat(words)) })
        }
        Rank::Notable => Fact::Started(Started { service, pid: 1, adopted: false }),
        Rank::Critical | Rank::Gap => Fact::Breaker(BreakerMoved { service, to: Breaker::Closed }),
    }
}

/// Every number that a held frame carries, or that a held gap frame names; a frame that is held twice fails.
fn accounted(spool: &Spool<'_>) -> (BTreeSet<u64>, BTreeSet<u64>) {
    let (mut held, mut named) = (BTreeSet::new(), BTreeSet::new());
    for entry in spool.index[spool.head..spool.tail].iter().filter(|entry| entry.is_held()) {
        let mut bytes = spool.bytes(Bytes { start: entry.at, len: u32::from(entry.len) });
        while !bytes.is_empty() {
            let (frame, rest) = frame::split(bytes).expect("whole frames");
            assert!(held.insert(frame.header.seq.0), "a frame is held once");
            if let Ok(Content::Known(Event { fact: Fact::Gap(gap), .. })) = frame.content() {
                for seq in gap.range.first().0..=gap.range.last().0 {
                    // A merge of two lost ranges may name again what an earlier gap names: closing twice is harmless.
                    named.insert(seq);
                }
            }
            bytes = rest;
        }
    }
    (held, named)
}

#[derive(Debug, Clone)]
enum Step {
    Append(Rank, usize),
    Ack(u64, u64),
    Name,
}

fn steps() -> impl Strategy<Value = List<Step>> {
    let rank = prop_oneof![Just(Rank::Routine), Just(Rank::Notable), Just(Rank::Critical)];
    let step = prop_oneof![
        12 => (rank, 0_usize..160).prop_map(|(rank, words)| Step::Append(rank, words)),
        1 => (0_u64..300, 0_u64..20).prop_map(|(back, count)| Step::Ack(back, count)),
        1 => Just(Step::Name),
    ];
    proptest::collection::vec(step, 1..600)
}

fn step(spool: &mut Spool<'_>, step: &Step, acked: &mut BTreeSet<u64>) {
    match step {
        Step::Append(rank, words) => spool.append(Now::default(), fact(*rank, *words)),
        Step::Name => {
            let _is_live = spool.name_losses(Now::default(), &Ranges::new(), Seq(0));
        }
        Step::Ack(back, count) => {
            // As the collector acks: what it holds, and what the gaps among that name.
            let first = spool.last().0.saturating_sub(*back).max(1);
            let (held, named) = accounted(spool);
            let last = (first + count).min(spool.last().0);
            for seq in (first..=last).filter(|seq| held.contains(seq)) {
                let one = SeqRange::one(Seq(seq)).unwrap();
                let mut ranges = Ranges::new();
                ranges.insert(one).unwrap();
                let before: BTreeSet<u64> = named.clone();
                spool.acked(Now::default().mono, &ranges);
                let gone: List<u64> = before.difference(&accounted(spool).1).copied().collect();
                acked.insert(seq);
                acked.extend(gone);
            }
        }
    }
}

proptest! {
    #![proptest_config(cases(200))]
    #[test]
    fn every_number_is_acked_or_held_or_lost_and_named(script in steps(), frames in 16_usize..200) {
        let (mut ring, mut index) = (std::vec![0; RING_MIN], std::vec![Entry::default(); frames]);
        let mut spool = Spool::new((&mut ring, &mut index), Lent::none(), identity());
        let mut acked = BTreeSet::new();
        for one in &script {
            step(&mut spool, one, &mut acked);
            let (held, named) = accounted(&spool);
            let bytes: u32 = spool.index[spool.head..spool.tail].iter().filter(|it| it.is_held()).map(|it| u32::from(it.len)).sum();
            prop_assert_eq!(bytes, spool.held);
            prop_assert_eq!(held.len(), spool.frames);
            for seq in 1..=spool.last().0 {
                let lost = spool.lost.contains(Seq(seq));
                let gone = named.contains(&seq) || lost;
                prop_assert!(!(held.contains(&seq) && gone), "{} is held and lost", seq);
                prop_assert!(held.contains(&seq) || gone || acked.contains(&seq), "{} is nowhere", seq);
            }
        }
        let mut everything = Ranges::new();
        everything.insert(SeqRange::new(Seq(1), spool.last().max(Seq(1))).unwrap()).unwrap();
        spool.acked(Now::default().mono, &everything);
        prop_assert!(spool.next_batch(&Ranges::new(), Seq(0)).is_none());
        prop_assert_eq!((spool.held, spool.frames), (0, 0));
    }
}

#[test]
fn critical_frames_survive_a_flood_of_routine_ones() {
    let (mut ring, mut index) = (std::vec![0; 32 * 1024], std::vec![Entry::default(); 512]);
    let mut spool = Spool::new((&mut ring, &mut index), Lent::none(), identity());
    for _ in 0..20 {
        spool.append(Now::default(), fact(Rank::Critical, 0));
    }
    for _ in 0..5_000 {
        spool.append(Now::default(), fact(Rank::Routine, 100));
    }
    spool.name_losses(Now::default(), &Ranges::new(), Seq(0));
    let (held, named) = accounted(&spool);
    assert!((1..=20).all(|seq| held.contains(&seq)));
    assert!(named.len() > 4_000 && spool.lost.is_empty());
    // The last eighth is still there for what matters.
    let before = spool.last();
    spool.append(Now::default(), fact(Rank::Critical, 0));
    assert!(spool.holds_any(before.next(), spool.last()) && spool.lost.is_empty());
}

#[test]
fn losses_between_critical_frames_need_no_ninth_range() {
    let (mut ring, mut index) = (std::vec![0; RING_MIN], std::vec![Entry::default(); 128]);
    let mut spool = Spool::new((&mut ring, &mut index), Lent::none(), identity());
    for _ in 0..300 {
        spool.append(Now::default(), fact(Rank::Critical, 0));
        spool.append(Now::default(), fact(Rank::Routine, 150));
    }
    assert!(!spool.lost.is_empty());
    spool.name_losses(Now::default(), &Ranges::new(), Seq(0));
    let (held, named) = accounted(&spool);
    assert_eq!(held.union(&named).count() as u64 + spool.lost.count(), spool.last().0);
}

#[test]
fn a_memory_too_small_for_a_frame_loses_all_and_says_so() {
    let (mut ring, mut index) = ([0; 100], std::vec::Vec::<Entry>::new());
    let mut spool = Spool::new((&mut ring, &mut index), Lent::none(), identity());
    for _ in 0..10 {
        spool.append(Now { mono: Mono::from_micros(1), ..Now::default() }, fact(Rank::Critical, 0));
    }
    assert_eq!(spool.lost.count(), 10);
}

#[test]
fn frames_say_whether_the_wall_clock_was_synchronised_when_they_were_made() {
    let (mut ring, mut index) = (std::vec![0; RING_MIN], std::vec![Entry::default(); 16]);
    let mut spool = Spool::new((&mut ring, &mut index), Lent::none(), identity());
    let mut synced = List::new();
    for now in [false, true, false] {
        spool.set_synced(now);
        spool.append(Now::default(), fact(Rank::Notable, 0));
        let bytes = spool.next_told().unwrap();
        match frame::split(spool.bytes(bytes)).unwrap().0.content() {
            Ok(Content::Known(event)) => synced.push(event.stamp.synced),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(synced, [false, true, false]);
}

#[test]
fn what_waits_and_what_was_given_up_is_counted() {
    let (mut ring, mut index) = (std::vec![0; RING_MIN], std::vec![Entry::default(); 64]);
    let mut spool = Spool::new((&mut ring, &mut index), Lent::none(), identity());
    assert_eq!((spool.waiting(), spool.given_up()), (0, 0));
    for made in 1..=500 {
        spool.append(Now::default(), fact(Rank::Routine, 100));
        assert_eq!(u64::from(spool.waiting()) + spool.given_up(), made);
    }
    assert_eq!(spool.given_up(), spool.lost.count());
    assert!(spool.waiting() > 10 && spool.given_up() > 400);
    let mut known = Ranges::new();
    known.insert(SeqRange::new(Seq(1), spool.last()).unwrap()).unwrap();
    spool.acked(Mono::default(), &known);
    assert_eq!((spool.waiting(), spool.lost.count()), (0, 0));
}

#[test]
fn where_a_ninth_range_would_be_needed_the_two_nearest_are_joined_and_no_others() {
    let one = |(first, last): &(u64, u64)| SeqRange::new(Seq(*first), Seq(*last)).unwrap();
    let told = |ranges: &Ranges| ranges.iter().map(|it| (it.first().0, it.last().0)).collect::<List<_>>();
    let eight = [(10, 11), (20, 21), (30, 31), (40, 41), (50, 51), (55, 56), (70, 71), (80, 81)];
    let most = u64::MAX - 1;
    for (new, joined) in [
        ((90, 91), &[(10, 11), (20, 21), (30, 31), (40, 41), (50, 56), (70, 71), (80, 81), (90, 91)][..]),
        ((1, 2), &[(1, 2), (10, 11), (20, 21), (30, 31), (40, 41), (50, 56), (70, 71), (80, 81)]),
        ((34, 35), &[(10, 11), (20, 21), (30, 35), (40, 41), (50, 51), (55, 56), (70, 71), (80, 81)]),
        ((37, 38), &[(10, 11), (20, 21), (30, 31), (37, 41), (50, 51), (55, 56), (70, 71), (80, 81)]),
        ((83, most), &[(10, 11), (20, 21), (30, 31), (40, 41), (50, 51), (55, 56), (70, 71), (80, most)]),
    ] {
        let (mut ring, mut index) = ([0; 100], List::<Entry>::new());
        let mut spool = Spool::new((&mut ring, &mut index), Lent::none(), identity());
        eight.iter().chain([&new]).for_each(|range| spool.lose(Some(one(range))));
        assert_eq!(told(&spool.lost), joined);
        let mut wide = Ranges::new();
        eight.iter().chain([&new]).for_each(|range| late::widen(&mut wide, one(range)));
        assert_eq!(told(&wide), joined);
    }
}
