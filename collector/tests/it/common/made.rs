//! Sound words of an agent, made by number.

use picket_proto::event::{Event, Evidence};
use picket_proto::{BootId, Fact, Mono, Run, Seq, Stamp, Text, Wall, frame};
use picket_rpc::{convert, v1};

pub(crate) fn stamp(run: u64) -> Stamp {
    Stamp {
        run: Run(run),
        boot: BootId(7),
        mono: Mono::from_micros(1),
        wall: Wall::from_micros(1_700_000_000_000_000),
        synced: true,
    }
}

pub(crate) fn hello(run: u64) -> v1::Hello {
    v1::Hello {
        now: Some(convert::stamp_to_wire(stamp(run))),
        version: "scripted".into(),
        ..v1::Hello::default()
    }
}

/// Sound frames with these numbers; `what` is in each.
pub(crate) fn frames(run: u64, seqs: impl IntoIterator<Item = u64>, what: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    for seq in seqs {
        let last_line = Text::new(&format!("{what} {seq}"));
        let fact = Fact::Evidence(Evidence { service: "nginx".parse().unwrap(), pid: 7, last_line });
        bytes.extend_from_slice(&frame(run, seq, fact));
    }
    bytes
}

/// One sound frame with this fact.
pub(crate) fn frame(run: u64, seq: u64, fact: Fact) -> Vec<u8> {
    let mut buffer = [0; frame::FRAME_MAX];
    let len = frame::encode(Seq(seq), &Event { stamp: stamp(run), fact }, &mut buffer).unwrap();
    buffer[..len].to_vec()
}
