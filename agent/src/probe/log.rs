//! Lines of a log that match, since the look before: every line counts once, over rotations and restarts of the agent.
//!
//! A thread of the check reads (the file's disk may hang), for three quarters of the time that the look has, and at
//! most 64 MiB, the newest; what waits beyond is passed over and told. What time did not suffice for is read at the
//! next look. Of what a look that was given up has counted the next one tells. [`follow`] says how a file is followed,
//! [`kept`] what outlives a restart, [`lines`] how bytes become lines; [`journal`] reads a unit's.
//!
//! A look over which something was passed, and that found nothing in the rest, can't tell: its reading is of no
//! verdict.

mod follow;
pub(super) mod journal;
pub(super) mod kept;
mod lines;

use super::Seen;
use crate::clock;
use crate::config::{Check, Log, LogSource, Target};
use follow::Follower;
use picket_agent_core::check::Reading;
use picket_proto::event::Cause;
use picket_proto::{Mono, Span};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::sync::Mutex;

/// What was counted and is not told yet.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Counted {
    /// Lines that match.
    pub(super) matches: i64,
    /// The last of them.
    pub(super) last: String,
    /// Bytes that were passed over.
    pub(super) skipped: u64,
}

impl Counted {
    fn seen(self) -> Seen {
        let Self { matches, mut last, skipped } = self;
        if skipped > 0 {
            let between = if last.is_empty() { "" } else { "; " };
            last = format!(
                "{} MiB came too fast and were passed over{between}{last}",
                skipped.div_ceil(1 << 20)
            );
        }
        if skipped > 0 && matches == 0 {
            return Seen::new(Reading::Bad(Cause::Local(libc::EOVERFLOW)), last);
        }
        Seen::new(Reading::Level(matches), last)
    }
}

/// The place in a log that was read to.
#[derive(Debug)]
pub(super) struct Place {
    file: Follower,
    journal: journal::Cursor,
    untold: Counted,
}

/// What a log's place is kept under: its check's name and its source; nothing for other kinds.
pub(super) fn key(check: &Check) -> Option<String> {
    let Target::Log(log) = &check.target else { return None };
    Some(match &log.source {
        LogSource::File(path) => format!("{} {}", check.name(), path.to_string_lossy()),
        LogSource::Unit(unit) => format!("{} {unit}", check.name()),
    })
}

/// The places of all checks that read logs, by check; `known` are those that this run has already.
pub(super) fn places(
    checks: &[Check],
    state: &Path,
    known: impl Fn(usize, &str) -> Option<Arc<Mutex<Place>>>,
) -> Vec<Option<Arc<Mutex<Place>>>> {
    let folder = kept::Folder::below(state);
    let places = checks.iter().enumerate().map(|(at, check)| {
        let (Target::Log(log), key) = (&check.target, key(check)?) else { return None };
        let path = match &log.source {
            LogSource::File(path) => path.clone(),
            LogSource::Unit(_) => PathBuf::new(),
        };
        let new = || {
            let (journal, file) =
                (journal::Cursor::new(folder.of(&key)), Follower::new(path, folder.of(&key)));
            Arc::new(Mutex::new(Place { file, journal, untold: Counted::default() }))
        };
        Some(known(at, &key).unwrap_or_else(new))
    });
    let places = places.collect();
    folder.forget_all_but(&checks.iter().filter_map(key).collect::<Vec<_>>());
    places
}

/// Looks at a file once, within `time`.
pub(super) fn read(log: &Log, place: &Mutex<Place>, time: Span) -> Seen {
    // There is one thread for a check at a time.
    let Ok(mut place) = place.try_lock() else { return Reading::Bad(Cause::Stuck).into() };
    let begun = clock::now().mono;
    let Place { file, untold, .. } = &mut *place;
    let outcome = file.look(log, before(begun, time), untold);
    if clock::now().mono.since(begun) >= time {
        return Reading::Bad(Cause::Stuck).into();
    }
    match outcome {
        Ok(true) => std::mem::take(untold).seen(),
        // What was counted before it went is told when it is back.
        Ok(false) => Reading::Bad(Cause::Absent).into(),
        Err(error) => failed(&error),
    }
}

/// When reading ends, so that the answer comes in time.
fn before(begun: Mono, time: Span) -> Mono {
    begun.plus(Span::from_micros(time.micros() / 4 * 3))
}

fn failed(error: &io::Error) -> Seen {
    let cause = Cause::Local(error.raw_os_error().unwrap_or(libc::EIO));
    Seen::new(Reading::Bad(cause), error.to_string())
}
