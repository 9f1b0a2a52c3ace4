//! Frames: golden bytes of every kind, and what damage does.

mod filling;
mod ladder;
mod order;
mod ruled;
mod unusual;
mod vanished;

use super::*;
use crate::event::*;
use crate::id::BootId;
use crate::ranges::SeqRange;
use crate::text::{TEXT_MAX, Text};
use crate::time::{Mono, Span, Wall};
use proptest::prelude::*;
use std::string::String;
use std::vec::Vec;
use std::{format, fs};

fn stamp() -> Stamp {
    Stamp {
        run: Run(0x1122_3344_5566_7788),
        boot: BootId(0x0102_0304_0506_0708_090a_0b0c_0d0e_0f10),
        mono: Mono::from_micros(3_600_000_000),
        wall: Wall::from_micros(1_790_000_000_000_000),
        synced: true,
    }
}

/// One event of each kind, with the longest names and text: also the proof that they fit a frame.
fn samples() -> Vec<(&'static str, Fact)> {
    let long = "n".repeat(64).parse::<crate::Name>().unwrap();
    let name = |text: &str| text.parse::<crate::Name>().unwrap();
    let gap = SeqRange::new(Seq(7), Seq(9)).unwrap();
    let refused = Trigger::Check { check: long.clone(), cause: Cause::Refused };
    std::vec![
        (
            "began",
            Fact::Began(Began {
                boot: BootId(5),
                previous: Some((Run(9), Seq(41))),
                version: Text::new("0.1.0"),
                checks: 12,
                services: 3,
            }),
        ),
        ("gap", Fact::Gap(Gap { run: Run(9), range: gap, reason: GapReason::SpoolFull })),
        (
            "verdict",
            Fact::Verdict(VerdictChanged {
                check: name("web:http"),
                kind: CheckKind::Http,
                service: Some(name("web")),
                from: Verdict::Up,
                to: Verdict::Down,
                cause: Some(Cause::Status(503)),
                after: Span::from_millis(1500),
                said: Text::default(),
            }),
        ),
        ("started", Fact::Started(Started { service: name("web"), pid: 4711, adopted: true })),
        (
            "exited",
            Fact::Exited(Exited {
                service: name("web"),
                pid: 4711,
                exit: Exit::Signal(9),
                ran: Span::from_secs(86_400),
                asked: false,
            }),
        ),
        (
            "remedy",
            Fact::Remedy(RemedyBegun {
                service: name("web"),
                remedy: Remedy::Restart,
                attempt: 2,
                trigger: Trigger::Exit(Exit::Signal(9)),
                delay: Span::from_millis(200),
            }),
        ),
        (
            "outcome",
            Fact::Outcome(RemedyEnded {
                service: long.clone(),
                remedy: Remedy::Restart,
                attempt: u16::MAX,
                outcome: Outcome::Held { check: long.clone(), back_after: Span::MAX, held_for: Span::MAX },
                took: Span::MAX,
            }),
        ),
        (
            "breaker",
            Fact::Breaker(BreakerMoved {
                service: long.clone(),
                to: Breaker::Open {
                    because: Because::Budget { allowed: u16::MAX, window: Span::MAX },
                    attempts: u16::MAX,
                    last: refused,
                    retry_in: Span::MAX,
                },
            }),
        ),
        (
            "evidence",
            Fact::Evidence(Evidence {
                service: long.clone(),
                pid: u32::MAX,
                last_line: Text::new(&"e".repeat(TEXT_MAX))
            }),
        ),
        (
            "intent",
            Fact::Intent(IntentChanged {
                service: long.clone(),
                from: Intent::Run,
                to: Intent::Stopped,
                witness: Witness::Job,
            }),
        ),
        (
            "blind",
            Fact::Blind(Blind {
                source: BlindSource::Systemd,
                lasted: Span::from_millis(2300),
                differences: u16::MAX,
            }),
        ),
        (
            "hold",
            Fact::Hold(HoldChanged {
                service: Some(long),
                lasts: Some(Span::MAX),
                by: Text::new(&"b".repeat(TEXT_MAX)),
            }),
        ),
    ]
}

fn encoded(fact: &Fact) -> Vec<u8> {
    let mut out = [0; FRAME_MAX];
    let len = encode(Seq(41), &Event { stamp: stamp(), fact: fact.clone() }, &mut out).unwrap();
    out[..len].to_vec()
}

#[test]
fn a_number_without_one_before_or_behind_it_is_no_frames() {
    let event = Event { stamp: stamp(), fact: samples().remove(0).1 };
    let mut out = [0; FRAME_MAX];
    for (seq, is_sound) in [(0, false), (1, true), (u64::MAX - 1, true), (u64::MAX, false)] {
        let len = encode(Seq(seq), &event, &mut out).unwrap();
        let found = split(&out[..len]).map(|(frame, _)| frame.header.seq);
        assert_eq!(found, if is_sound { Ok(Seq(seq)) } else { Err(BadFrame::Seq) });
    }
}

/// The released bytes never change. `PICKET_WRITE_GOLDEN=1` writes a file that is missing; it never replaces one.
#[test]
fn golden_bytes_of_every_kind_stay_as_released() {
    let of = |version, samples: Vec<_>| samples.into_iter().map(move |(label, fact)| (version, label, fact));
    let newer = of(1, vanished::samples())
        .chain(of(1, ladder::shadows()))
        .chain(of(1, order::samples()))
        .chain(of(2, ruled::samples()))
        .chain(of(3, ladder::samples()));
    let newer = newer.chain(of(4, ladder::starved())).chain(of(5, ladder::given_up()));
    let newer = newer.chain(of(6, filling::samples())).chain(of(7, unusual::samples()));
    for (version, label, fact) in of(1, samples()).chain(newer) {
        let path = format!("{}/testdata/v{version}/{label}.bin", env!("CARGO_MANIFEST_DIR"));
        let now = encoded(&fact);
        if std::env::var_os("PICKET_WRITE_GOLDEN").is_some() && fs::metadata(&path).is_err() {
            fs::write(&path, &now).unwrap();
        }
        let released = fs::read(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
        assert_eq!(now[3], version, "{label}");
        assert_eq!(now, released, "{label}: a released body changed; add a kind version instead");
        let (frame, rest) = split(&released).unwrap();
        assert!(rest.is_empty());
        assert_eq!(frame.content(), Ok(Content::Known(Event { stamp: stamp(), fact })));
    }
}

#[test]
fn every_flipped_bit_is_seen() {
    let whole = encoded(&samples()[2].1);
    for bit in 0..whole.len() * 8 {
        let mut bytes = whole.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        assert!(split(&bytes).is_err(), "bit {bit} flipped unseen");
    }
}

#[test]
fn every_torn_tail_is_short() {
    let whole = encoded(&samples()[0].1);
    for len in 0..whole.len() {
        assert_eq!(split(&whole[..len]).unwrap_err(), BadFrame::Short, "{len} bytes");
    }
}

fn resealed(mut bytes: Vec<u8>) -> Vec<u8> {
    let crc = checksum(&bytes[..CRC_AT], &bytes[HEADER_LEN..]);
    bytes[CRC_AT..HEADER_LEN].copy_from_slice(&crc.to_le_bytes());
    bytes
}

#[test]
fn an_unknown_kind_or_version_is_kept_not_refused() {
    let mut newer = encoded(&samples()[3].1);
    newer[3] = 2;
    let newer = resealed(newer);
    assert_eq!(split(&newer).unwrap().0.content(), Ok(Content::Unknown));
    let mut stranger = encoded(&samples()[3].1);
    stranger[4..6].copy_from_slice(&999u16.to_le_bytes());
    let stranger = resealed(stranger);
    assert_eq!(split(&stranger).unwrap().0.content(), Ok(Content::Unknown));
}

#[test]
fn a_body_longer_than_its_fields_is_refused() {
    let mut padded = encoded(&samples()[3].1);
    padded.push(0);
    let len = u16::try_from(padded.len() - HEADER_LEN).unwrap();
    padded[6..8].copy_from_slice(&len.to_le_bytes());
    let padded = resealed(padded);
    assert_eq!(split(&padded).unwrap().0.content(), Err(BadFrame::Body));
}

#[test]
fn bytes_without_the_magic_or_with_a_spare_byte_in_use_are_no_frame() {
    for at in [0, 1, 9, 10, 11] {
        let mut spoiled = encoded(&samples()[3].1);
        spoiled[at] ^= 1;
        assert_eq!(split(&resealed(spoiled)).unwrap_err(), BadFrame::NoMagic, "byte {at}");
    }
}

#[test]
fn a_frame_of_the_longest_length_is_read_and_one_byte_more_is_not() {
    let of_length = |len: usize| {
        let mut bytes = encoded(&samples()[3].1);
        bytes.resize(len, 0);
        bytes[4..6].copy_from_slice(&999u16.to_le_bytes());
        bytes[6..8].copy_from_slice(&u16::try_from(len - HEADER_LEN).unwrap().to_le_bytes());
        resealed(bytes)
    };
    assert_eq!(split(&of_length(FRAME_MAX)).unwrap().0.bytes.len(), FRAME_MAX);
    assert_eq!(split(&of_length(FRAME_MAX + 1)).unwrap_err(), BadFrame::TooLong(993));
}

/// The check value of RFC 3720's polynomial over "123456789".
#[test]
fn a_digest_over_pieces_is_the_crc32c_of_the_whole() {
    let mut digest = Crc32c::new();
    assert_eq!(digest.value(), 0);
    for piece in ["1234", "", "56789"] {
        digest.add(piece.as_bytes());
    }
    assert_eq!(digest.value(), 0xe306_9283);
}

proptest! {
    #[test]
    fn no_bytes_make_the_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), seal in any::<bool>()) {
        let mut bytes = bytes;
        if seal && bytes.len() >= HEADER_LEN {
            bytes[..2].copy_from_slice(&MAGIC);
            bytes[2] = HEADER_VERSION;
            bytes[3] = 1;
            let kind = u16::from(bytes[4] % 18).to_le_bytes();
            bytes[4..6].copy_from_slice(&kind);
            let len = u16::try_from(bytes.len() - HEADER_LEN).unwrap();
            bytes[6..8].copy_from_slice(&len.to_le_bytes());
            bytes[8] %= 3;
            bytes[9..12].fill(0);
            bytes = resealed(bytes);
        }
        if let Ok((frame, _)) = split(&bytes) {
            let _either_way_it_returns = frame.content();
        }
    }

    #[test]
    fn frames_in_a_row_split_again(count in 1usize..12) {
        let row: Vec<u8> = (0..count).flat_map(|at| encoded(&samples()[at].1)).collect();
        let mut rest = row.as_slice();
        let mut seen = String::new();
        while !rest.is_empty() {
            let (frame, after) = split(rest).unwrap();
            seen.push(char::from(b'0' + u8::try_from(frame.header.kind).unwrap()));
            rest = after;
        }
        prop_assert_eq!(seen.len(), count);
    }
}
