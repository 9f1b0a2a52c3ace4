//! The entry of frames: a batch of sound, spoiled and foreign ones is taken apart, events are encoded and decoded, and
//! ranges are held against a set of numbers.
//!
//! What is asserted: what is split off lies in what was given and is exactly as long as its header says; nothing is
//! consumed by a refusal; an event comes back as the same event and the same bytes; and what decodes although nobody
//! encoded it (postcard also reads numbers that are longer than they need be) is encoded to bytes that decode to it
//! and stay the same from then on. A batch of sound frames comes apart into just these.

use super::cursor::Cursor;
use super::said;
use picket_proto::frame::{self, Content, FRAME_MAX, HEADER_LEN};
use picket_proto::{Event, Ranges, Run, Seq, SeqRange};
use std::collections::BTreeSet;

/// The entry's name.
pub const NAME: &str = "frame";

/// Interprets any bytes.
pub fn run(bytes: &[u8]) {
    let mut cursor = Cursor::new(bytes);
    match cursor.below(4) {
        0 => {
            take_apart(cursor.rest());
        }
        1 => batch(&mut cursor),
        2 => same_bytes(&mut cursor),
        _ => ranges(&mut cursor),
    }
}

/// Takes frames off the front until none is there, looking at each; how many there were.
fn take_apart(bytes: &[u8]) -> usize {
    let (mut rest, mut count) = (bytes, 0);
    while let Ok((frame, after)) = frame::split(rest) {
        let len = HEADER_LEN + usize::from(frame.header.body_len);
        assert!(len <= FRAME_MAX, "longer than any frame");
        assert_eq!(frame.bytes, &rest[..len], "it is not what stands at the front");
        assert_eq!(after, &rest[len..], "the rest is not what stands behind it");
        assert!(frame::split(&rest[..len - 1]).is_err(), "it was taken without its last byte");
        assert!((1..u64::MAX).contains(&frame.header.seq.0), "no agent writes this number");
        if let Ok(Content::Known(event)) = frame.content() {
            settles(frame.header.seq, &event);
            assert_eq!(event.stamp.run, frame.header.run, "the stamp is another run's");
            assert_eq!(event.fact.kind(), frame.header.kind, "the fact is of another kind");
        }
        (rest, count) = (after, count + 1);
    }
    count
}

/// What was decoded is encoded to bytes that decode to it, and those are the only ones from then on.
fn settles(seq: Seq, event: &Event) {
    let bytes = said::framed(seq, event);
    let again = decoded(&bytes);
    assert_eq!(&again, event, "it is another event after it was encoded");
    assert_eq!(said::framed(seq, &again), bytes, "the same event has two encodings");
}

fn decoded(bytes: &[u8]) -> Event {
    let (frame, rest) = frame::split(bytes).expect("what was encoded is a frame");
    assert!(rest.is_empty(), "what was encoded is longer than it says");
    match frame.content() {
        Ok(Content::Known(event)) => event,
        other => panic!("what was encoded says {other:?}"),
    }
}

/// Sound frames, and some that are spoiled, in a row.
fn batch(cursor: &mut Cursor<'_>) {
    let (mut all, mut sound, mut is_sound) = (Vec::new(), 0, true);
    let run = Run(cursor.number());
    for seq in 1..=cursor.below(40) as u64 {
        let mut bytes = said::frame(cursor, run, Seq(seq));
        // One whose class is not known is refused although its checksum is right.
        is_sound &= frame::split(&bytes).is_ok();
        if cursor.below(16) == 15 {
            is_sound &= !cursor.spoil(&mut bytes);
        }
        sound += usize::from(is_sound);
        all.append(&mut bytes);
    }
    let count = take_apart(&all);
    assert!(count >= sound, "{sound} sound frames stood at the front, {count} were taken");
    assert!(!is_sound || count == sound, "{sound} sound frames became {count}");
}

/// An event comes back as it went, and as the same bytes; cut off anywhere it does not.
fn same_bytes(cursor: &mut Cursor<'_>) {
    let (run, seq) = (Run(cursor.number()), Seq(cursor.number().clamp(1, u64::MAX - 1)));
    let event = Event { stamp: said::stamp(cursor, run), fact: said::fact(cursor, run) };
    let bytes = said::framed(seq, &event);
    assert_eq!(decoded(&bytes), event);
    settles(seq, &event);
    let mut small = vec![0; cursor.below(bytes.len())];
    assert!(frame::encode(seq, &event, &mut small).is_err(), "it was encoded into less than it needs");
    let mut spoiled = bytes.clone();
    if cursor.spoil(&mut spoiled) && spoiled.len() <= bytes.len() {
        let taken = frame::split(&spoiled).map(|(frame, _)| frame.bytes);
        assert!(taken.is_err() || taken == Ok(&bytes), "a spoiled frame was taken");
    }
}

/// Numbers up to here are followed one by one.
const NUMBERS: u64 = 96;

/// Ranges do as a set of numbers does, or refuse and stay as they are.
fn ranges(cursor: &mut Cursor<'_>) {
    let (mut ranges, mut set) = (Ranges::new(), BTreeSet::new());
    while !cursor.is_done() {
        let is_added = cursor.below(3) > 0;
        let range = said::range(cursor);
        let before = ranges.clone();
        let done = if is_added { ranges.insert(range) } else { ranges.remove(range) };
        if done.is_err() {
            assert_eq!(ranges, before, "refused and changed");
            continue;
        }
        let numbers = range.first().0..=range.last().0.min(NUMBERS);
        if is_added {
            set.extend(numbers);
        } else {
            set.retain(|number| !numbers.contains(number));
        }
        well_formed(&ranges);
        let has = (1..=NUMBERS).filter(|number| ranges.contains(Seq(*number)));
        assert!(has.eq(set.iter().copied()), "{ranges} is not {set:?}");
        assert_eq!(ranges.contains(range.last()), is_added);
    }
}

fn well_formed(ranges: &Ranges) {
    let all: Vec<SeqRange> = ranges.iter().collect();
    assert!(all.len() <= picket_proto::ranges::RANGES_MAX);
    for pair in all.windows(2) {
        assert!(pair[0].last().0 + 1 < pair[1].first().0, "{ranges} touch");
    }
    let bytes = postcard::to_stdvec(ranges).expect("a vector grows");
    assert_eq!(postcard::from_bytes::<Ranges>(&bytes).as_ref(), Ok(ranges));
}
