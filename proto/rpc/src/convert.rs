//! The only conversion between `picket.v1` messages and `picket-proto` values.
//!
//! What the wire may leave out or get wrong is refused here with a [`BadMessage`] that names the field, so that
//! nothing behind this file has to ask again. It knows no sessions and no state.

use crate::v1;
use picket_proto::event::{CAUSE_MAX, Cause, CheckKind, Intent, Verdict};
use picket_proto::id::BadName;
use picket_proto::{
    BootId, Carried, HostId, Mono, Name, Offset, Ranges, Run, Sample, Seq, SeqRange, Span, Stamp, Wall,
};
use std::fmt;

/// Why a message is refused: which field, and what is wrong with it. Nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadMessage {
    /// The field, as in the .proto file.
    pub field: &'static str,
    /// What is wrong with it.
    pub problem: Problem,
}

/// What is wrong with a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Problem {
    /// It must be set.
    Missing,
    /// The name in it is not one.
    Name(BadName),
    /// It must have this many bytes.
    Length(usize),
    /// The number is none of the enum's.
    Unknown(i32),
    /// The ranges are out of order, touch, or are more than 8.
    Ranges,
}

impl fmt::Display for BadMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let field = self.field;
        match &self.problem {
            Problem::Missing => write!(f, "{field} must be set"),
            Problem::Name(bad) => write!(f, "{field} {bad}"),
            Problem::Length(bytes) => write!(f, "{field} must have {bytes} bytes"),
            Problem::Unknown(number) => write!(f, "{field} has the unknown value {number}"),
            Problem::Ranges => write!(f, "{field} must be at most 8 ranges, in order and apart"),
        }
    }
}

impl std::error::Error for BadMessage {}

/// Which lane a batch came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lane {
    /// What happened since the session opened.
    Live,
    /// What waited in the spool.
    Backlog,
}

/// A name out of a field.
pub fn name(field: &'static str, text: &str) -> Result<Name, BadMessage> {
    text.parse().map_err(|bad| BadMessage { field, problem: Problem::Name(bad) })
}

/// A name out of a field where empty means none.
pub fn optional_name(field: &'static str, text: &str) -> Result<Option<Name>, BadMessage> {
    if text.is_empty() { Ok(None) } else { name(field, text).map(Some) }
}

/// A host's id out of a field.
pub fn host(field: &'static str, text: &str) -> Result<HostId, BadMessage> {
    text.parse().map_err(|bad| BadMessage { field, problem: Problem::Name(bad) })
}

/// A stamp out of a field.
pub fn stamp(field: &'static str, stamp: Option<v1::Stamp>) -> Result<Stamp, BadMessage> {
    let stamp = stamp.ok_or(BadMessage { field, problem: Problem::Missing })?;
    let boot = <[u8; 16]>::try_from(stamp.boot.as_slice())
        .map_err(|_| BadMessage { field: "stamp.boot", problem: Problem::Length(16) })?;
    Ok(Stamp {
        run: Run(stamp.run),
        boot: BootId(u128::from_be_bytes(boot)),
        mono: Mono::from_micros(stamp.mono_us),
        wall: Wall::from_micros(stamp.wall_us),
        synced: stamp.synced,
    })
}

/// A stamp for the wire.
pub fn stamp_to_wire(stamp: Stamp) -> v1::Stamp {
    v1::Stamp {
        run: stamp.run.0,
        boot: stamp.boot.0.to_be_bytes().to_vec(),
        mono_us: stamp.mono.micros(),
        wall_us: stamp.wall.micros(),
        synced: stamp.synced,
    }
}

/// A host's sample.
pub fn sample(sample: v1::Sample) -> Sample {
    Sample {
        cpu: sample.cpu_permille,
        memory: sample.memory_permille,
        load: sample.load_hundredths,
        waiting: sample.frames_waiting,
        lost: sample.frames_lost,
        rss_kib: sample.agent_rss_kib,
        carried: sample.carried.map(|v1::Carried { bytes, cap }| Carried { bytes, cap }),
    }
}

/// A host's sample for the wire.
pub fn sample_to_wire(sample: Sample) -> v1::Sample {
    v1::Sample {
        cpu_permille: sample.cpu,
        memory_permille: sample.memory,
        load_hundredths: sample.load,
        frames_waiting: sample.waiting,
        frames_lost: sample.lost,
        agent_rss_kib: sample.rss_kib,
        carried: sample.carried.map(|Carried { bytes, cap }| v1::Carried { bytes, cap }),
    }
}

/// An offset between two clocks.
pub const fn offset(offset: v1::Offset) -> Offset {
    Offset { ahead: offset.ahead_us, bound: Span::from_micros(offset.bound_us) }
}

/// An offset between two clocks for the wire.
pub const fn offset_to_wire(offset: Offset) -> v1::Offset {
    v1::Offset { ahead_us: offset.ahead, bound_us: offset.bound.micros() }
}

/// Ranges out of a field: ascending and apart, as [`ranges_to_wire`] gives them.
pub fn ranges(field: &'static str, wire: &[v1::SeqRange]) -> Result<Ranges, BadMessage> {
    let bad = BadMessage { field, problem: Problem::Ranges };
    let mut ranges = Ranges::new();
    for range in wire {
        let range = SeqRange::new(Seq(range.first), Seq(range.last)).ok_or_else(|| bad.clone())?;
        ranges.insert(range).map_err(|_| bad.clone())?;
    }
    if ranges_to_wire(&ranges) == wire { Ok(ranges) } else { Err(bad) }
}

/// Ranges for the wire.
pub fn ranges_to_wire(ranges: &Ranges) -> Vec<v1::SeqRange> {
    ranges.iter().map(|range| v1::SeqRange { first: range.first().0, last: range.last().0 }).collect()
}

/// A lane out of a field.
pub fn lane(field: &'static str, number: i32) -> Result<Lane, BadMessage> {
    match v1::Lane::try_from(number) {
        Ok(v1::Lane::Live) => Ok(Lane::Live),
        Ok(v1::Lane::Backlog) => Ok(Lane::Backlog),
        Ok(v1::Lane::Unspecified) | Err(_) => Err(BadMessage { field, problem: Problem::Unknown(number) }),
    }
}

/// A lane for the wire.
pub const fn lane_to_wire(lane: Lane) -> v1::Lane {
    match lane {
        Lane::Live => v1::Lane::Live,
        Lane::Backlog => v1::Lane::Backlog,
    }
}

/// A verdict out of a field.
pub fn verdict(field: &'static str, number: i32) -> Result<Verdict, BadMessage> {
    match v1::Verdict::try_from(number) {
        Ok(v1::Verdict::Unknown) => Ok(Verdict::Unknown),
        Ok(v1::Verdict::Up) => Ok(Verdict::Up),
        Ok(v1::Verdict::Degraded) => Ok(Verdict::Degraded),
        Ok(v1::Verdict::Flapping) => Ok(Verdict::Flapping),
        Ok(v1::Verdict::Down) => Ok(Verdict::Down),
        Ok(v1::Verdict::Unspecified) | Err(_) => Err(BadMessage { field, problem: Problem::Unknown(number) }),
    }
}

/// A verdict for the wire.
pub const fn verdict_to_wire(verdict: Verdict) -> v1::Verdict {
    match verdict {
        Verdict::Unknown => v1::Verdict::Unknown,
        Verdict::Up => v1::Verdict::Up,
        Verdict::Degraded => v1::Verdict::Degraded,
        Verdict::Flapping => v1::Verdict::Flapping,
        Verdict::Down => v1::Verdict::Down,
    }
}

/// A check's cause out of a field; one that only a newer agent knows is left out.
pub fn cause(bytes: &[u8]) -> Option<Cause> {
    Cause::from_bytes(bytes)
}

/// A check's cause for the wire; empty where there is none.
pub fn cause_to_wire(cause: Option<Cause>) -> Vec<u8> {
    cause.map_or_else(Vec::new, |cause| cause.to_bytes(&mut [0; CAUSE_MAX]).to_vec())
}

/// What should be of a service, for the wire.
pub const fn intent_to_wire(intent: Intent) -> v1::Intent {
    match intent {
        Intent::Run => v1::Intent::Run,
        Intent::Stopped => v1::Intent::Stopped,
        Intent::Masked => v1::Intent::Masked,
        Intent::Unknown => v1::Intent::Unknown,
    }
}

/// A check's kind out of a field.
pub fn check_kind(field: &'static str, number: i32) -> Result<CheckKind, BadMessage> {
    match v1::CheckKind::try_from(number) {
        Ok(v1::CheckKind::Process) => Ok(CheckKind::Process),
        Ok(v1::CheckKind::Tcp) => Ok(CheckKind::Tcp),
        Ok(v1::CheckKind::Http) => Ok(CheckKind::Http),
        Ok(v1::CheckKind::Cpu) => Ok(CheckKind::Cpu),
        Ok(v1::CheckKind::Memory) => Ok(CheckKind::Memory),
        Ok(v1::CheckKind::Load) => Ok(CheckKind::Load),
        Ok(v1::CheckKind::Space) => Ok(CheckKind::Space),
        Ok(v1::CheckKind::Exec) => Ok(CheckKind::Exec),
        Ok(v1::CheckKind::Tls) => Ok(CheckKind::Tls),
        Ok(v1::CheckKind::Expires) => Ok(CheckKind::Expires),
        Ok(v1::CheckKind::File) => Ok(CheckKind::File),
        Ok(v1::CheckKind::Log) => Ok(CheckKind::Log),
        Ok(v1::CheckKind::Metric) => Ok(CheckKind::Metric),
        Ok(v1::CheckKind::Pressure) => Ok(CheckKind::Pressure),
        Ok(v1::CheckKind::Swap) => Ok(CheckKind::Swap),
        Ok(v1::CheckKind::Inodes) => Ok(CheckKind::Inodes),
        Ok(v1::CheckKind::Mount) => Ok(CheckKind::Mount),
        Ok(v1::CheckKind::Net) => Ok(CheckKind::Net),
        Ok(v1::CheckKind::Temperature) => Ok(CheckKind::Temperature),
        Ok(v1::CheckKind::Job) => Ok(CheckKind::Job),
        Ok(v1::CheckKind::Backup) => Ok(CheckKind::Backup),
        Ok(v1::CheckKind::Container) => Ok(CheckKind::Container),
        Ok(v1::CheckKind::Unspecified) | Err(_) => {
            Err(BadMessage { field, problem: Problem::Unknown(number) })
        }
    }
}

/// A check's kind for the wire.
pub const fn check_kind_to_wire(kind: CheckKind) -> v1::CheckKind {
    match kind {
        CheckKind::Process => v1::CheckKind::Process,
        CheckKind::Tcp => v1::CheckKind::Tcp,
        CheckKind::Http => v1::CheckKind::Http,
        CheckKind::Cpu => v1::CheckKind::Cpu,
        CheckKind::Memory => v1::CheckKind::Memory,
        CheckKind::Load => v1::CheckKind::Load,
        CheckKind::Space => v1::CheckKind::Space,
        CheckKind::Exec => v1::CheckKind::Exec,
        CheckKind::Tls => v1::CheckKind::Tls,
        CheckKind::Expires => v1::CheckKind::Expires,
        CheckKind::File => v1::CheckKind::File,
        CheckKind::Log => v1::CheckKind::Log,
        CheckKind::Metric => v1::CheckKind::Metric,
        CheckKind::Pressure => v1::CheckKind::Pressure,
        CheckKind::Swap => v1::CheckKind::Swap,
        CheckKind::Inodes => v1::CheckKind::Inodes,
        CheckKind::Mount => v1::CheckKind::Mount,
        CheckKind::Net => v1::CheckKind::Net,
        CheckKind::Temperature => v1::CheckKind::Temperature,
        CheckKind::Job => v1::CheckKind::Job,
        CheckKind::Backup => v1::CheckKind::Backup,
        CheckKind::Container => v1::CheckKind::Container,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn stamps_and_ranges_come_back_as_they_went(run: u64, boot: u128, mono: u64, wall: i64, synced: bool) {
            let sent = Stamp {
                run: Run(run),
                boot: BootId(boot),
                mono: Mono::from_micros(mono),
                wall: Wall::from_micros(wall),
                synced,
            };
            prop_assert_eq!(stamp("now", Some(stamp_to_wire(sent))), Ok(sent));
        }

        #[test]
        fn whatever_ranges_the_wire_holds_are_taken_whole_or_refused(
            wire in prop::collection::vec((0u64..40, 0u64..40), 0..12),
        ) {
            let wire: Vec<_> = wire.into_iter().map(|(first, last)| v1::SeqRange { first, last }).collect();
            if let Ok(taken) = ranges("known", &wire) {
                prop_assert_eq!(ranges_to_wire(&taken), wire);
            }
        }
    }

    #[test]
    fn enums_of_a_newer_peer_are_refused_by_name() {
        let refused = lane("lane", 7).unwrap_err();
        assert_eq!(refused.to_string(), "lane has the unknown value 7");
        assert!(verdict("verdict", 0).is_err());
        assert!(check_kind("kind", 99).is_err());
    }
}
