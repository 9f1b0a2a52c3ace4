//! What two readings in a row mean.
//!
//! | seen | and | means |
//! |---|---|---|
//! | active | another invocation than before | it was started anew: by us, by systemd, or by a person |
//! | activating, auto-restart | | systemd restarts it: told, not raced |
//! | deactivating | a stop job that is not ours | a person or a dependency stops it: left alone |
//! | inactive or failed | another's job was done, and no new life began | it was stopped: left alone |
//! | inactive or failed | no job | it died: also by a stray SIGTERM, which systemd calls a success |
//! | failed | after systemd's own restarts | systemd gave up: ours |
//! | not running, no new life | its start's job failed | its start limit, a dependency, a condition: said which |
//! | inactive | nobody looked when it ended | unknown: told, left alone |
//! | not running | masked | left alone |

use super::{Active, File, JobEnd, JobKind, Kind, Load, Seen, Sub};
use picket_proto::Span;
use picket_proto::event::{Exit, Intent, Ruling, Witness};

/// Added to what systemd allows itself for a restart: a loaded host is late by less.
const MARGIN: Span = Span::from_secs(5);
/// The longest that systemd's own restart is waited for, whatever its unit allows: `TimeoutStartSec=infinity` must
/// not keep a service down for ever.
const PATIENCE_MAX: Span = Span::from_secs(600);

/// One life of a unit, or the lack of one, as last told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Life {
    /// It was never read.
    New,
    /// It runs.
    Up { invocation: [u8; 16], pid: u32, restarts: u32 },
    /// It died, and systemd restarts it.
    Restarting { invocation: [u8; 16] },
    /// It died, and whatever comes next is ours.
    Down { invocation: [u8; 16] },
    /// It is left alone.
    Left,
}

/// Where a call of ours stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ours {
    /// There is none.
    None,
    /// Its job is not done yet.
    Pending,
    /// Its job has ended.
    Ended,
}

/// Whether somebody else stopped it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stop {
    /// Not as far as was seen.
    Unseen,
    /// A stop job of another's runs.
    Runs,
    /// A job of another's was done; what it did was not seen.
    Done,
    /// A job of another's that was seen to be a stop was done.
    Seen,
}

/// Whether everything was seen since the last reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sight {
    Whole,
    /// The bus was away.
    Blind,
}

/// What was known before a reading.
#[derive(Debug, Clone, Copy)]
pub(super) struct Before {
    pub(super) life: Life,
    pub(super) ours: Ours,
    pub(super) stop: Stop,
    pub(super) sight: Sight,
    /// How the last job ended, whosever it was.
    pub(super) fate: Option<JobEnd>,
}

/// Who ended a life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Who {
    /// Somebody asked for it.
    Asked,
    /// It ended by itself.
    Itself,
}

/// What a reading means for the service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Turn {
    /// Nothing new.
    Nothing,
    /// It was found running when it was first read.
    Found { pid: u32 },
    /// It runs.
    Up { pid: u32 },
    /// It runs, still or again, as a call of ours asked for; it may be told already.
    Still { pid: u32 },
    /// Another life runs than the one before, which ended unseen.
    Replaced { old: u32, pid: u32, who: Who },
    /// It ended by itself, and systemd does nothing about it.
    Died { pid: u32, exit: Exit },
    /// It ended by itself, and systemd starts it again within this time.
    Restarting { pid: u32, exit: Exit, within: Span },
    /// It should not run.
    Left { exit: Exit, to: Intent, witness: Witness },
    /// Somebody else is at work, or nobody answers: look again after this time.
    Later { within: Span },
}

pub(super) fn classify(before: &Before, seen: &Seen) -> Turn {
    match (seen.active, seen.sub) {
        (Active::Active, _) => up(before, seen),
        (Active::Activating | Active::Inactive | Active::Failed, Sub::AutoRestart) => {
            restarting(before, seen)
        }
        (Active::Deactivating, _) => match (before.stop, before.life) {
            (Stop::Runs, Life::Up { .. } | Life::New) => left(seen, Intent::Stopped, Witness::Job),
            (Stop::Runs | Stop::Done | Stop::Seen | Stop::Unseen, _) => Turn::Nothing,
        },
        (Active::Activating | Active::Other, _) => Turn::Nothing,
        (Active::Inactive | Active::Failed, Sub::Other) => down(before, seen),
    }
}

fn up(before: &Before, seen: &Seen) -> Turn {
    match before.life {
        Life::New => Turn::Found { pid: seen.pid },
        Life::Up { invocation, .. } if invocation == seen.invocation => match before.ours {
            Ours::Ended => Turn::Still { pid: seen.pid },
            Ours::None | Ours::Pending => Turn::Nothing,
        },
        Life::Up { pid, restarts, .. } => {
            let by_systemd = seen.restarts > restarts && before.ours == Ours::None;
            let who = if by_systemd { Who::Itself } else { Who::Asked };
            Turn::Replaced { old: pid, pid: seen.pid, who }
        }
        Life::Restarting { .. } | Life::Down { .. } | Life::Left => Turn::Up { pid: seen.pid },
    }
}

fn restarting(before: &Before, seen: &Seen) -> Turn {
    let pid = match before.life {
        Life::Up { pid, .. } => pid,
        Life::Restarting { invocation } | Life::Down { invocation } if invocation == seen.invocation => {
            return Turn::Nothing;
        }
        Life::New | Life::Restarting { .. } | Life::Down { .. } | Life::Left => 0,
    };
    if before.ours == Ours::Pending {
        return Turn::Nothing;
    }
    Turn::Restarting { pid, exit: exit(seen), within: seen.patience.plus(MARGIN).min(PATIENCE_MAX) }
}

fn down(before: &Before, seen: &Seen) -> Turn {
    // A unit that systemd has forgotten since it ended shows no invocation at all.
    let is_new = |invocation: [u8; 16]| seen.invocation != [0; 16] && invocation != seen.invocation;
    let died = |pid| Turn::Died { pid, exit: exit(seen) };
    if before.ours == Ours::Pending || seen.job.is_some() {
        return Turn::Nothing;
    }
    // A life that began unseen and is over says nothing of what another's job was, unless our own job began it.
    let began_by_us = before.ours == Ours::Ended && seen.active == Active::Inactive;
    let stopped = before.stop != Stop::Unseen;
    match before.life {
        Life::Left => Turn::Nothing,
        _ if before.stop == Stop::Seen || (before.stop == Stop::Done && began_by_us) => {
            left(seen, Intent::Stopped, Witness::Job)
        }
        _ if seen.load == Load::Masked => left(seen, Intent::Masked, Witness::State),
        Life::New if seen.active == Active::Failed && seen.file == File::Wanted => died(0),
        Life::New => left(seen, Intent::Unknown, Witness::State),
        Life::Up { invocation, .. } | Life::Restarting { invocation } | Life::Down { invocation }
            if stopped && !is_new(invocation) =>
        {
            left(seen, Intent::Stopped, Witness::Job)
        }
        Life::Up { .. } if is_done(seen) => Turn::Nothing,
        Life::Up { .. } if before.sight == Sight::Blind && seen.active == Active::Inactive => {
            left(seen, Intent::Unknown, Witness::State)
        }
        Life::Up { pid, .. } => died(pid),
        Life::Restarting { invocation } => died_again(is_new(invocation), before, seen),
        Life::Down { invocation } if before.ours == Ours::Ended || is_new(invocation) => {
            died_again(is_new(invocation), before, seen)
        }
        Life::Down { .. } => Turn::Nothing,
    }
}

/// A start that failed: what the unit says of its end is of this start only if a new life had begun.
fn died_again(is_new: bool, before: &Before, seen: &Seen) -> Turn {
    Turn::Died { pid: 0, exit: if is_new { exit(seen) } else { not_begun(before, seen) } }
}

/// Why no new life began. That a start limit was hit is told nowhere (systemd 252): what runs into it is a failed job
/// of a unit that could be started, or a restart of systemd's own that does not come.
fn not_begun(before: &Before, seen: &Seen) -> Exit {
    let gave_up = matches!(before.life, Life::Restarting { .. });
    match before.fate {
        Some(JobEnd::Dependency) => Exit::Ruled(Ruling::Dependency),
        _ if seen.unmet => Exit::Ruled(Ruling::Condition),
        Some(JobEnd::Failed) => Exit::Ruled(Ruling::StartLimit),
        _ if gave_up && seen.active == Active::Failed => Exit::Ruled(Ruling::StartLimit),
        Some(JobEnd::Done | JobEnd::Other) | None => Exit::Unknown,
    }
}

fn left(seen: &Seen, to: Intent, witness: Witness) -> Turn {
    Turn::Left { exit: exit(seen), to, witness }
}

/// A oneshot unit that has done its work.
fn is_done(seen: &Seen) -> bool {
    seen.kind == Kind::Oneshot && seen.active == Active::Inactive && seen.code == 1 && seen.status == 0
}

/// How it ended, as systemd tells it: its own ruling before the main process' status.
fn exit(seen: &Seen) -> Exit {
    match (seen.ruling, seen.code) {
        (Some(ruling), _) => Exit::Ruled(ruling),
        (None, 1) => Exit::Code(seen.status),
        (None, 2 | 3) => Exit::Signal(seen.status),
        (None, _) => Exit::Unknown,
    }
}

/// A stop job that somebody else has queued.
pub(super) fn is_stop(seen: &Seen, own: Option<u32>) -> bool {
    seen.job.is_some_and(|job| job.kind == JobKind::Stop && Some(job.id) != own)
}
