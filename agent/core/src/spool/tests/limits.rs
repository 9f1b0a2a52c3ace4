//! The spool's limits: how much of it who may fill, how long a batch is, and how little is given up where nothing fits.

use super::*;

fn ranges(spans: &[(u64, u64)]) -> Ranges {
    let mut ranges = Ranges::new();
    for (first, last) in spans {
        ranges.insert(SeqRange::new(Seq(*first), Seq(*last)).unwrap()).unwrap();
    }
    ranges
}

fn spool(ring: usize, frames: usize) -> Spool<'static> {
    let ring = (std::vec![0; ring].leak(), std::vec![Entry::default(); frames].leak());
    Spool::new(ring, Lent::none(), identity())
}

#[test]
fn a_stretch_is_known_only_where_all_of_it_is() {
    let known = ranges(&[(3, 6), (8, 9)]);
    for (first, last, is_known) in
        [(3, 6, true), (4, 5, true), (2, 4, false), (5, 7, false), (6, 8, false), (1, 1, false), (5, 4, true)]
    {
        assert_eq!(covers(&known, Seq(first), Seq(last)), is_known, "{first} to {last}");
    }
}

#[test]
fn the_last_eighth_of_the_memory_and_of_its_places_is_for_critical_frames_alone() {
    for (places, by_bytes) in [(4_096, true), (64, false)] {
        let mut spool = spool(32 * 1024, places);
        let (mut bytes, mut frames) = (0, 0);
        for _ in 0..1_000 {
            spool.append(Now::default(), fact(Rank::Routine, 150));
            (bytes, frames) = (bytes.max(spool.held), frames.max(spool.frames));
        }
        let (used, most, slack) = if by_bytes { (bytes as usize, 28 * 1024, 1_100) } else { (frames, 56, 3) };
        assert!(used <= most && used > most - slack, "{used} of {most}");
        let full = spool.frames;
        for _ in 0..20 {
            spool.append(Now::default(), fact(Rank::Critical, 0));
        }
        assert!(spool.frames > full || !by_bytes);
    }
}

#[test]
fn a_batch_is_as_long_as_it_may_be_and_no_longer() {
    let mut spool = spool(64 * 1024, 1_024);
    for _ in 0..200 {
        spool.append(Now::default(), fact(Rank::Routine, 150));
    }
    let (batch, sent) = spool.next_batch(&Ranges::new(), Seq(0)).expect("all fits");
    let one = batch.bytes.len / (batch.last.0 as u32);
    assert!(batch.bytes.len <= BATCH_BYTES && batch.bytes.len + one > BATCH_BYTES, "{batch:?}");
    assert_eq!(BATCH_BYTES, 16 * 1024);
    let (next, _) = spool.next_batch(&sent, Seq(0)).expect("there is more");
    assert_eq!(next.first, batch.last.next());
}

#[test]
fn what_was_given_up_in_the_middle_does_not_hold_up_what_follows() {
    let mut spool = spool(RING_MIN, 64);
    for _ in 0..3 {
        spool.append(Now::default(), fact(Rank::Critical, 0));
    }
    spool.give_up(1);
    let sent = ranges(&[(1, 1)]);
    let (batch, _) = spool.next_batch(&sent, Seq(0)).expect("frame 3 is held");
    assert_eq!((batch.first, batch.last), (Seq(3), Seq(3)));
}

#[test]
fn a_session_has_told_all_when_no_loss_of_its_own_waits_for_its_name() {
    let mut spool = spool(RING_MIN, 64);
    spool.lose(SeqRange::one(Seq(5)));
    let told = |boundary| spool.has_told_since(Seq(boundary), &Ranges::new());
    assert_eq!([3, 4, 5, 6].map(told), [false, false, true, true]);
}

/// Eight islands at the collector, further from the first frame than a batch reaches: nothing fits.
#[test]
fn where_nothing_fits_only_the_two_shortest_holes_are_given_up_and_not_before_all_acks_are_there() {
    let mut spool = spool(128 * 1024, 1_024);
    for _ in 0..900 {
        spool.append(Now::default(), fact(Rank::Critical, 0));
    }
    let spans: List<_> = [300, 360, 410, 480, 540, 590, 660, 730].map(|at| (at, at)).to_vec();
    let sent = ranges(&spans);
    assert!(spool.next_batch(&sent, Seq(0)).is_none());
    assert!(!spool.name_losses(Now::default(), &sent, Seq(900)));
    assert_eq!((spool.given_up(), spool.last()), (0, Seq(900)), "acks may still come");
    spool.acked(Mono::default(), &sent);
    assert!(!spool.name_losses(Now::default(), &sent, Seq(900)));
    let (held, named) = accounted(&spool);
    let expected: BTreeSet<u64> = (361..=409).chain(541..=589).collect();
    assert_eq!(named, expected);
    assert_eq!(spool.given_up(), 98);
    let islands: BTreeSet<u64> = spans.iter().map(|(at, _)| *at).collect();
    let rest = (1..=902).filter(|seq| !expected.contains(seq) && !islands.contains(seq));
    assert_eq!(held, rest.collect());
}

#[test]
fn a_gap_frame_under_numbers_of_another_life_is_given_up_and_what_it_named_is_lost_again() {
    let mut spool = spool(RING_MIN, 64);
    for _ in 0..5 {
        spool.append(Now::default(), fact(Rank::Critical, 0));
    }
    spool.give_up(1);
    spool.name_losses(Now::default(), &Ranges::new(), Seq(0));
    assert_eq!((spool.last(), accounted(&spool).1), (Seq(6), BTreeSet::from([2])));
    assert!(spool.welcomed(Now::default(), &ranges(&[(1, 1), (4, 4), (6, 6), (9, 9)])));
    // Of 7 and 8, which only the other life has made, nothing will come; 1, 4 and 6 are named for what they held.
    assert_eq!(spool.lost, ranges(&[(2, 2), (7, 8)]));
    let (held, named) = accounted(&spool);
    assert_eq!(named, BTreeSet::from([1, 4, 6]));
    assert_eq!(held, BTreeSet::from([3, 5, 10, 11, 12]));
}
