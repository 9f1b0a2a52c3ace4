//! Power cuts, damage and full disks under the real segment code, and what it costs on real files.
//!
//! 1,000 stories from one seed, which is printed; `PICKET_SEED=N` makes the same again.

mod folder;
mod platter;

use super::*;
use crate::disk::files::Folder;
use picket_agent_core::spool::{Fact, PAGE};
use picket_proto::event::{Breaker, BreakerMoved, Evidence, Started};
use picket_proto::frame::FRAME_MAX;
use picket_proto::{BootId, Event, Fact as Said, Mono, Run, Seq, Stamp, Text, Wall};
use platter::{Fault, Platter};
use std::collections::BTreeSet;
use std::hash::{BuildHasher as _, RandomState};

/// Numbers by chance: splitmix64, as everywhere in this house.
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) as usize % limit.max(1)
    }
}

fn seed() -> u64 {
    let given = std::env::var("PICKET_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed = given.unwrap_or_else(|| RandomState::new().hash_one("power"));
    println!("to make these cases again: PICKET_SEED={seed}");
    seed
}

fn frame(run: u64, seq: u64, class: Class) -> Vec<u8> {
    let service = "web".parse().unwrap();
    let fact = match class {
        Class::Routine => {
            Said::Evidence(Evidence { service, pid: 1, last_line: Text::new(&"w".repeat(seq as usize % 90)) })
        }
        Class::Notable => Said::Started(Started { service, pid: 1, adopted: false }),
        Class::Critical => Said::Breaker(BreakerMoved { service, to: Breaker::Closed }),
    };
    let (mono, wall) = (Mono::from_micros(seq), Wall::from_micros(0));
    let stamp = Stamp { run: Run(run), boot: BootId(1), mono, wall, synced: false };
    let mut bytes = vec![0; FRAME_MAX];
    let len = frame::encode(Seq(seq), &Event { stamp, fact }, &mut bytes).unwrap();
    bytes.truncate(len);
    bytes
}

fn ask<F: Files>(store: &mut Store<F>, order: Order, bytes: &[u8]) -> Vec<Told> {
    let mut all = Vec::new();
    store.obey(order, bytes, &mut |told| all.push(told));
    assert!(!all.is_empty(), "every order is answered");
    all
}

fn write<F: Files>(store: &mut Store<F>, segment: SegmentId, bytes: &[u8]) -> bool {
    let order = Order::Write { segment, bytes: picket_agent_core::spool::Bytes { start: 0, len: 0 } };
    matches!(ask(store, order, bytes)[..], [Told::Done { .. }])
}

/// All frames of a run, and how many stretches could not be read.
fn read_all<F: Files>(store: &mut Store<F>, run: u64) -> (Vec<Vec<u8>>, u32) {
    let (mut all, mut from, mut holes) = (Vec::new(), Seq::FIRST, 0);
    for _ in 0..100_000 {
        let told = ask(store, Order::Read { run: Run(run), from, only: None }, &[]);
        let [Told::Page { bytes, damaged }] = &told[..] else { panic!("{told:?}") };
        holes += damaged;
        if bytes.is_empty() {
            return (all, holes);
        }
        assert!(bytes.len() <= PAGE);
        let mut rest = &bytes[..];
        while !rest.is_empty() {
            let (frame, after) = frame::split(rest).expect("whole frames");
            assert!(frame.header.run == Run(run) && frame.header.seq >= from, "ascending, of one run");
            from = frame.header.seq.next();
            all.push(frame.bytes.to_vec());
            rest = after;
        }
    }
    panic!("reading never ends");
}

fn opened(told: &[Told]) -> bool {
    matches!(told.last(), Some(Told::Opened { .. }))
}

/// One life before the power went: what was written, and which of it was said to be durable.
struct Life {
    written: BTreeSet<Vec<u8>>,
    durable: Vec<(u64, SegmentId, Vec<u8>)>,
}

/// Writes groups of frames until the power goes or `groups` are written.
fn live(store: &mut Store<Platter>, dice: &mut Dice, (run, groups): (u64, usize)) -> Life {
    let mut life = Life { written: BTreeSet::new(), durable: Vec::new() };
    let told = ask(store, Order::Open, &[]);
    let found = told.iter().filter_map(|told| match told {
        Told::Found { segment, .. } => Some(*segment),
        _ => None,
    });
    let (mut next, mut seq) = (found.max().unwrap_or(0) + 1, 0);
    let mut open: [Option<(SegmentId, usize)>; 3] = [None; 3];
    for told in &told {
        if let Told::Found { segment, class, shape: Shape::Open(used), .. } = told {
            open[*class as usize] = Some((*segment, *used as usize));
        }
    }
    for _ in 0..groups {
        let class = CLASSES[dice.below(3)];
        let frames: Vec<Vec<u8>> = (0..=dice.below(40))
            .map(|_| {
                seq += 1;
                frame(run, seq, class)
            })
            .collect();
        let bytes = frames.concat();
        let room = picket_agent_core::spool::SEGMENT_FRAMES as usize;
        let place = open[class as usize].filter(|(_, used)| used + bytes.len() <= room && dice.below(12) > 0);
        let segment = place.map(|(segment, _)| segment).or_else(|| {
            next += 1;
            let begun = ask(store, Order::Begin { segment: next, class }, &[]);
            matches!(begun[..], [Told::Done { .. }]).then_some(next)
        });
        let Some(segment) = segment else { continue };
        life.written.extend(frames.iter().cloned());
        if write(store, segment, &bytes) {
            let used = place.map_or(0, |(_, used)| used) + bytes.len();
            open[class as usize] = Some((segment, used));
            life.durable.extend(frames.into_iter().map(|frame| (run, segment, frame)));
        } else {
            open[class as usize] = None;
        }
    }
    life
}

#[test]
fn a_thousand_power_cuts_lose_nothing_that_was_synced_and_nothing_ever_stops_it() {
    let seed = seed();
    let (mut bytes, mut frames, mut kept) = (0, 0, 0);
    for story in 0..1000 {
        let mut dice = Dice(seed ^ (story << 20));
        let platter = Platter::new();
        let fault = Fault::by(story as usize, &mut dice);
        let mut lives = Vec::new();
        for run in 1..=2 + dice.below(2) as u64 {
            let mut store = Store::new(platter.clone());
            platter.fail(fault, &mut dice);
            let groups = 1 + dice.below(12);
            lives.push(live(&mut store, &mut dice, (run, groups)));
            drop(store);
            platter.cut_power(&mut dice);
        }
        let spoiled = platter.spoil(story as usize, &mut dice);
        let written: BTreeSet<&Vec<u8>> = lives.iter().flat_map(|life| &life.written).collect();
        let mut store = Store::new(platter.clone());
        assert!(opened(&ask(&mut store, Order::Open, &[])), "story {story}: {fault:?}, {spoiled:?}");
        for (run, life) in (1..).zip(&lives) {
            let (read, _) = read_all(&mut store, run);
            assert!(read.iter().all(|frame| written.contains(frame)), "story {story}: never made");
            let read: BTreeSet<&Vec<u8>> = read.iter().collect();
            for (_, segment, frame) in &life.durable {
                let is_there = read.contains(frame);
                assert!(
                    is_there || spoiled.touches(*segment),
                    "story {story}: {fault:?}, {spoiled:?} lost it"
                );
                kept += usize::from(is_there);
            }
            frames += life.durable.len();
        }
        // And it goes on: a new run writes and reads.
        let life = live(&mut store, &mut dice, (99, 3));
        let read = read_all(&mut store, 99).0;
        assert!(life.durable.iter().all(|(_, _, frame)| read.contains(frame)), "story {story}");
        assert!(platter.bad() <= BAD_MAX);
        bytes += platter.written_bytes();
    }
    println!("1000 power cuts: {frames} frames synced, {kept} read back, {bytes} bytes written");
    assert!(kept > frames * 8 / 10, "the damage of these stories is small");
}

#[test]
fn cut_at_every_byte_of_the_tail_what_was_whole_before_is_there() {
    let platter = Platter::new();
    let mut store = Store::new(platter.clone());
    ask(&mut store, Order::Open, &[]);
    ask(&mut store, Order::Begin { segment: 1, class: Class::Routine }, &[]);
    let frames: Vec<Vec<u8>> = (1..=24).map(|seq| frame(5, seq, Class::Routine)).collect();
    assert!(write(&mut store, 1, &frames.concat()));
    let whole = frames.concat().len();
    for cut in 0..=whole {
        let copy = platter.cut_off("00000001.seg", HEAD + cut);
        let mut store = Store::new(copy);
        assert!(opened(&ask(&mut store, Order::Open, &[])));
        let (read, _) = read_all(&mut store, 5);
        let mut end = 0;
        let left = frames.iter().take_while(|frame| {
            end += frame.len();
            end <= cut
        });
        assert!(left.eq(read.iter()), "cut at {cut}");
        let next = frame(5, 25, Class::Routine);
        if !read.is_empty() {
            assert!(write(&mut store, 1, &next), "the torn tail is written over");
            assert_eq!(read_all(&mut store, 5).0.last(), Some(&next));
        }
    }
}

#[test]
fn a_flipped_bit_costs_one_frame_and_is_counted() {
    let platter = Platter::new();
    let mut store = Store::new(platter.clone());
    ask(&mut store, Order::Open, &[]);
    ask(&mut store, Order::Begin { segment: 1, class: Class::Critical }, &[]);
    let frames: Vec<Vec<u8>> = (1..=50).map(|seq| frame(5, seq, Class::Critical)).collect();
    assert!(write(&mut store, 1, &frames.concat()));
    for at in (HEAD..HEAD + frames[..49].concat().len()).step_by(7) {
        let mut store = Store::new(platter.flipped("00000001.seg", at));
        let told = ask(&mut store, Order::Open, &[]);
        assert_eq!(
            told.last(),
            Some(&Told::Opened {
                damaged: u32::from(at >= HEAD + frames[0].len()) + u32::from(at < HEAD + frames[0].len())
            }),
            "at {at}"
        );
        assert_eq!(read_all(&mut store, 5).0.len(), 49, "at {at}");
    }
}
