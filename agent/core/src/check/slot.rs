//! One check and all that is remembered of it, in 304 bytes at most: the 1,024 of an agent take 304 KiB.
//!
//! What its readings say is judged in [`super::verdict`]; when it is probed is set in [`super::pace`].

use super::pace::{Flight, Pace};
use super::verdict::{FLAPS, Streak};
use super::{Reading, Spec};
use crate::shelf::{Place, Placed};
use crate::timer::{Seat, Timed};
use picket_proto::event::{Cause, CheckKind, Verdict};
use picket_proto::{Mono, Span};

/// One check with all that is remembered of it.
#[derive(Debug)]
pub struct Slot {
    pub(super) spec: Spec,
    /// When to probe; never while an answer is awaited.
    pub(super) due: Mono,
    /// The last due time of the regular pace: keeps the check's phase when an answer takes long.
    pub(super) beat: Mono,
    /// The last good reading since its service started.
    pub(super) good_at: Option<Mono>,
    /// Since when it is what was told.
    pub(super) since: Mono,
    pub(super) streak: Option<Streak>,
    /// Why the last reading was bad; nothing after a good one.
    pub(super) cause: Option<Cause>,
    pub(super) pace: Pace,
    /// The latest changes in whole seconds, newest first.
    pub(super) flips: [u32; FLAPS],
    pub(super) flipped: u8,
    pub(super) seat: Seat,
    pub(super) place: Place,
    /// What the readings say.
    pub(super) base: Verdict,
    /// What was told: the base, or that it flaps.
    pub(super) told: Verdict,
    /// Whether it was told that it can't be looked at. What is unknown else was not looked at yet, or rests.
    pub(super) blind: bool,
    pub(super) flight: Flight,
    /// When the probe that is out was asked for.
    pub(super) asked: Mono,
    /// Whether the last answer came too late.
    pub(super) late: bool,
    /// Whether the probe that is out, or the next one, is asked for words.
    pub(super) explain: bool,
    /// Bad readings in a row.
    pub(super) bad: u8,
    /// Readings that were withheld since the last good one.
    pub(super) withheld: u8,
    /// The last reading that counted, and when it came.
    pub(super) last: Option<(Mono, Reading)>,
}

impl Slot {
    /// A check of which nothing is known yet.
    pub fn new(spec: Spec) -> Self {
        Self {
            spec,
            due: Mono::NEVER,
            beat: Mono::NEVER,
            good_at: None,
            since: Mono::NEVER,
            streak: None,
            cause: None,
            pace: Pace::Steady,
            flips: [0; FLAPS],
            flipped: 0,
            seat: Seat::default(),
            place: Place::Taken,
            base: Verdict::Unknown,
            told: Verdict::Unknown,
            blind: false,
            flight: Flight::Home,
            asked: Mono::NEVER,
            late: false,
            explain: false,
            bad: 0,
            withheld: 0,
            last: None,
        }
    }

    /// A place for a check that a later configuration may have. Such places stand behind the others.
    pub fn free() -> Self {
        let spec = Spec {
            name: "free".parse().expect("a constant of allowed characters"),
            kind: CheckKind::Tcp,
            service: None,
            interval: Span::ZERO,
            timeout: Span::ZERO,
            fall: 1,
            rise: 1,
            limits: None,
            full_within: Span::ZERO,
            unusual: Span::ZERO,
        };
        Self { place: Place::Free, ..Self::new(spec) }
    }

    /// What it is.
    pub fn spec(&self) -> &Spec {
        &self.spec
    }

    /// What was told of it last.
    pub fn verdict(&self) -> Verdict {
        self.told
    }

    /// Since when.
    pub fn since(&self) -> Mono {
        self.since
    }

    /// Why the last reading was bad; nothing after a good one.
    pub fn cause(&self) -> Option<Cause> {
        self.cause
    }

    /// The last reading that counted, and when it came.
    pub fn last(&self) -> Option<(Mono, Reading)> {
        self.last
    }
}

impl Placed for Slot {
    fn place(&self) -> Place {
        self.place
    }
}

impl Timed for Slot {
    fn due(&self) -> Mono {
        self.due
    }
    fn seat(&mut self) -> &mut Seat {
        &mut self.seat
    }
    fn seated(&self) -> Seat {
        self.seat
    }
}

const _: () = assert!(size_of::<Slot>() <= 304);
