//! Events and frames out of any bytes: every kind of fact, with names that often meet, and frames whose checksum is
//! right whatever stands in them.

mod baseline;
pub(super) mod order;
mod remedies;

use super::cursor::Cursor;
use baseline::{returned, vanished};
use picket_proto::event::{
    Because, Began, Blind, BlindSource, Breaker, BreakerMoved, Cause, Change, ChangeKind, CheckKind, Ended,
    Evidence, Exit, Exited, Gap, GapReason, Gone, HoldChanged, Intent, IntentChanged, LOST_MAX, Lost,
    Outcome, Remedy, RemedyBegun, RemedyEnded, Returned, Ruling, Shadow, ShadowStep, Started, ThingKind,
    Trigger, Vanished, Verdict, VerdictChanged, Witness,
};
use picket_proto::frame::{self, Crc32c};
use picket_proto::{BootId, Event, Fact, Mono, Name, Run, Seq, SeqRange, Span, Stamp, Text, Wall};
use remedies::{breaker, ended, remedy, shadow};

/// Verdicts.
pub const VERDICTS: [Verdict; 5] =
    [Verdict::Down, Verdict::Up, Verdict::Degraded, Verdict::Flapping, Verdict::Unknown];
/// Kinds of checks.
pub const KINDS: [CheckKind; 22] = CheckKind::ALL;
const NAMES: [&str; 8] = ["nginx", "nginx:process", "nginx:http", "redis", "redis:tcp", "space:/", "a", "zz"];

/// A name, mostly one of a few.
pub fn name(cursor: &mut Cursor<'_>) -> Name {
    let at = cursor.below(12);
    let spelled = || "nginx".to_owned();
    let text = NAMES.get(at).map_or_else(spelled, |name| (*name).to_owned());
    if at < 11 {
        return text.parse().expect("a constant of allowed characters");
    }
    let own: String = cursor.some(1).iter().map(|byte| char::from(b'!' + byte % 94)).take(64).collect();
    own.parse().unwrap_or_else(|_| text.parse().expect("a constant of allowed characters"))
}

/// A name, or none.
pub fn some_name(cursor: &mut Cursor<'_>) -> Option<Name> {
    (cursor.below(3) > 0).then(|| name(cursor))
}

/// A length of time.
pub fn span(cursor: &mut Cursor<'_>) -> Span {
    let number = cursor.number();
    if cursor.flag() { Span::from_micros(number) } else { Span::from_secs(number) }
}

/// A stamp of this run.
pub fn stamp(cursor: &mut Cursor<'_>, run: Run) -> Stamp {
    Stamp {
        run,
        boot: BootId(u128::from(cursor.number() % 3)),
        mono: Mono::from_micros(cursor.number()),
        wall: Wall::from_micros(cursor.number().cast_signed()),
        synced: cursor.flag(),
    }
}

/// A range of numbers.
pub fn range(cursor: &mut Cursor<'_>) -> SeqRange {
    let first = cursor.number().max(1);
    let last = first.saturating_add(cursor.number());
    SeqRange::new(Seq(first), Seq(last)).expect("it begins at 1 or later and ends behind its begin")
}

pub(super) fn text(cursor: &mut Cursor<'_>) -> Text {
    Text::new(&String::from_utf8_lossy(cursor.some(1)))
}

fn exit(cursor: &mut Cursor<'_>) -> Exit {
    let number = i32::from_le_bytes(cursor.half().to_le_bytes());
    let ruling = cursor.one_of(&[
        Ruling::OutOfMemory,
        Ruling::Watchdog,
        Ruling::Timeout,
        Ruling::Protocol,
        Ruling::Resources,
        Ruling::StartLimit,
        Ruling::Dependency,
        Ruling::Condition,
        Ruling::Step,
    ]);
    cursor.one_of(&[
        Exit::Signal(9),
        Exit::Code(number),
        Exit::Signal(number),
        Exit::NotStarted(number),
        Exit::Unknown,
        Exit::Ruled(ruling),
    ])
}

pub(super) fn cause(cursor: &mut Cursor<'_>) -> Cause {
    let (level, limit) = (cursor.half(), cursor.half());
    let all = [
        Cause::NoProcess,
        Cause::Refused,
        Cause::TimedOut,
        Cause::Unreachable,
        Cause::Closed,
        Cause::Mismatch,
        Cause::Status(limit as u16),
        Cause::Unresolved,
        Cause::Tls,
        Cause::Frozen,
        Cause::Above { level, limit },
        Cause::Stuck,
        Cause::Local(level.cast_signed()),
        Cause::Plugin(limit as u8),
        Cause::Beyond { level: level.into(), limit: -i64::from(limit) },
        Cause::Absent,
        Cause::Present,
        Cause::ReadOnly,
        Cause::NoLink,
        Cause::Ended(level.cast_signed()),
        Cause::Overdue,
        Cause::TooFew { found: level, wanted: limit },
        Cause::TooSmall { bytes: level.into(), wanted: limit.into() },
        Cause::Unhealthy,
        Cause::Filling { left: level, rate: limit.into(), grown: level },
        Cause::Unusual { level: level.into(), usual: -i64::from(limit), lasts: limit as u16 },
    ];
    cursor.one_of(&all)
}

fn gap(cursor: &mut Cursor<'_>, run: Run) -> Gap {
    let reasons = [
        GapReason::SpoolFull,
        GapReason::AgentEnded,
        GapReason::Damaged,
        GapReason::Conflict,
        GapReason::RestoredFromBackup,
    ];
    let run = if cursor.flag() { run } else { Run(cursor.number() % 16) };
    Gap { run, range: range(cursor), reason: cursor.one_of(&reasons) }
}

fn intent(cursor: &mut Cursor<'_>) -> IntentChanged {
    let all = [Intent::Stopped, Intent::Run, Intent::Masked, Intent::Unknown];
    let (from, to) = (cursor.one_of(&all), cursor.one_of(&all));
    IntentChanged { service: name(cursor), from, to, witness: cursor.one_of(&[Witness::Job, Witness::State]) }
}

fn verdict(cursor: &mut Cursor<'_>) -> VerdictChanged {
    VerdictChanged {
        check: name(cursor),
        kind: cursor.one_of(&KINDS),
        service: some_name(cursor),
        from: cursor.one_of(&VERDICTS),
        to: cursor.one_of(&VERDICTS),
        cause: cursor.flag().then(|| cause(cursor)),
        after: span(cursor),
        said: if cursor.flag() { text(cursor) } else { Text::default() },
    }
}

fn began(cursor: &mut Cursor<'_>) -> Began {
    let previous = cursor.flag().then(|| (Run(cursor.number() % 16), Seq(cursor.number())));
    let (checks, services) = (cursor.short(), cursor.short());
    Began { boot: BootId(u128::from(cursor.number())), previous, version: text(cursor), checks, services }
}

/// A fact of any kind, told by this run.
pub fn fact(cursor: &mut Cursor<'_>, run: Run) -> Fact {
    match cursor.below(16) {
        0 => Fact::Verdict(verdict(cursor)),
        1 => Fact::Exited(Exited {
            service: name(cursor),
            pid: cursor.half(),
            exit: exit(cursor),
            ran: span(cursor),
            asked: cursor.flag(),
        }),
        2 => Fact::Started(Started { service: name(cursor), pid: cursor.half(), adopted: cursor.flag() }),
        3 => Fact::Remedy(remedy(cursor)),
        4 => Fact::Outcome(ended(cursor)),
        5 => Fact::Breaker(BreakerMoved { service: name(cursor), to: breaker(cursor) }),
        6 => Fact::Gap(gap(cursor, run)),
        7 => Fact::Began(began(cursor)),
        8 => Fact::Evidence(Evidence { service: name(cursor), pid: cursor.half(), last_line: text(cursor) }),
        9 => Fact::Intent(intent(cursor)),
        10 => Fact::Blind(Blind {
            source: BlindSource::Systemd,
            lasted: span(cursor),
            differences: cursor.short(),
        }),
        11 => Fact::Vanished(vanished(cursor)),
        12 => Fact::Returned(returned(cursor)),
        13 => Fact::Shadow(shadow(cursor)),
        14 => Fact::Ordered(order::ordered(cursor)),
        _ => {
            let lasts = cursor.flag().then(|| span(cursor));
            Fact::Hold(HoldChanged { service: some_name(cursor), lasts, by: text(cursor) })
        }
    }
}

/// The frame of an event.
pub fn framed(seq: Seq, event: &Event) -> Vec<u8> {
    let mut bytes = vec![0; frame::FRAME_MAX];
    let len = frame::encode(seq, event, &mut bytes).expect("no event is too large for a frame");
    bytes.truncate(len);
    bytes
}

/// Any body, or one that an event's was before it was spoiled, under a header whose checksum is right.
pub fn sealed(cursor: &mut Cursor<'_>, run: Run, seq: Seq) -> Vec<u8> {
    let stamp = stamp(cursor, run);
    let mut bytes = framed(seq, &Event { stamp, fact: fact(cursor, run) });
    let mut body = bytes.split_off(frame::HEADER_LEN);
    if cursor.flag() {
        body = cursor.some(4).to_vec();
    }
    cursor.spoil(&mut body);
    body.truncate(frame::FRAME_MAX - frame::HEADER_LEN);
    match cursor.below(8) {
        0 => bytes[3] = cursor.byte(),
        1 => bytes[4] = cursor.byte(),
        2 => bytes[8] = cursor.byte(),
        _ => {}
    }
    let len = u16::try_from(body.len()).expect("a thousand bytes");
    bytes[6..8].copy_from_slice(&len.to_le_bytes());
    bytes.append(&mut body);
    seal(&mut bytes);
    bytes
}

/// Makes the checksum of a frame right.
pub fn seal(bytes: &mut [u8]) {
    if bytes.len() >= frame::HEADER_LEN {
        let mut crc = Crc32c::new();
        crc.add(&bytes[..28]);
        crc.add(&bytes[frame::HEADER_LEN..]);
        bytes[28..32].copy_from_slice(&crc.value().to_le_bytes());
    }
}

/// A frame of this run and number: mostly an event's, at times one whose body is anything.
pub fn frame(cursor: &mut Cursor<'_>, run: Run, seq: Seq) -> Vec<u8> {
    if cursor.below(8) == 7 {
        return sealed(cursor, run, seq);
    }
    let stamp = stamp(cursor, run);
    framed(seq, &Event { stamp, fact: fact(cursor, run) })
}
