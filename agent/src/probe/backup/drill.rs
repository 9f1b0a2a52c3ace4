//! Drills: a program restores the newest copy somewhere and looks at it, beside the looks, one at a time per check.
//!
//! When one began, as which process, how it ended, what it said and which copy it had is kept in `STATE/drills`, so that
//! a restart of the agent is no reason for another; where that can't be written there is none. One that goes on over a
//! restart is waited for, and killed with its session once its time is up; how it ends by itself nobody sees, so that
//! another is due then. When one is due is weighed by the core.

use crate::clock;
use crate::config::Drill;
use crate::probe::process;
use crate::program::{End, Ran, Seat};
use crate::record::Record;
use picket_agent_core::past::{Drilled, NOT_STARTED, is_due, is_unstarted};
use picket_proto::{Span, Text};
use rustix::process::Pid;
use std::path::{Path, PathBuf};

/// As `timeout` ends where its command did not end in time.
const LATE: i32 = 124;
/// For the thread of a drill to end it: after a reload that may be another's than the one that looks.
const SPARE: Span = Span::from_secs(10);

/// What is kept of the drills of a check.
pub(super) struct Drills {
    file: PathBuf,
    record: Option<Record>,
}

/// What a drill may be about.
pub(super) struct Newest {
    pub(super) path: PathBuf,
    /// Its date in seconds of the wall clock.
    pub(super) made: i64,
}

impl Drills {
    pub(super) fn of(state: &Path, check: &str) -> Self {
        let file = state.join("drills").join(plain(check));
        Self { record: Record::read(&file).ok().flatten(), file }
    }

    /// How the last one that ended did; 0 where none did.
    pub(super) fn status(&self) -> i32 {
        self.record.map_or(0, Record::status)
    }

    /// What that means, where it did not end well.
    pub(super) fn words(&self) -> Option<String> {
        let said = || std::fs::read_to_string(self.beside("said")).unwrap_or_default();
        match self.status() {
            0 => None,
            status if is_unstarted(status) => Some(format!("the drill could not be started: {}", said())),
            status => Some(format!("the drill failed with status {status}: {}", said())),
        }
    }

    /// Begins one where it is due; ends one of an agent before this one that takes too long.
    pub(super) fn see_to(&self, drill: &Drill, newest: &Newest, asked: bool, seat: &Seat) {
        let (now, own) = (clock::now().wall, rustix::process::getpid());
        if seat.is_taken() {
            return;
        }
        if let Some((record, leader)) = self.record.and_then(|record| Some((record, record.running()?)))
            && leader != own
        {
            if record.age(now) > seconds(drill.timeout.plus(SPARE)) {
                end_session(leader);
                self.ended(record, LATE, "it did not end in time");
            }
            return;
        }
        let last = self.record.and_then(|record| {
            let another = std::fs::read_to_string(self.beside("copy")).is_ok_and(|had| had != newest.line());
            Some(Drilled { begun: record.begun(now)?, status: record.status(), another, asked })
        });
        if is_due(last, seconds(drill.every)) {
            self.begin(drill, newest, seat);
        }
    }

    fn begin(&self, drill: &Drill, newest: &Newest, seat: &Seat) {
        let begun = self.record.unwrap_or_default().begin();
        if let Err(error) = begun.write(&self.file) {
            let file = self.file.display();
            tracing::warn!(%file, %error, "the drill of a backup can't be recorded, so there is none");
            return;
        }
        self.keep("copy", &newest.line());
        let mut program = drill.program.clone();
        program.env.push(("PICKET_COPY".to_owned(), newest.path.to_string_lossy().into_owned()));
        let (started, ended) = (self.file.clone(), Self { file: self.file.clone(), record: None });
        let started = move |pid| {
            if let Err(error) = begun.of(pid).write(&started) {
                let file = started.display();
                tracing::warn!(%file, %error, "the process of a backup's drill can't be recorded");
            }
        };
        seat.begin(program, drill.timeout.to_duration(), started, move |ran| {
            let (status, said) = outcome(&ran);
            ended.ended(begun, status, &said);
        });
    }

    fn ended(&self, record: Record, status: i32, said: &str) {
        self.keep("said", said);
        if let Err(error) = record.end(status).write(&self.file) {
            let file = self.file.display();
            tracing::warn!(%file, %error, "the end of a backup's drill can't be recorded");
        }
    }

    /// What is kept beside the record.
    fn beside(&self, what: &str) -> PathBuf {
        self.file.with_extension(what)
    }

    fn keep(&self, what: &str, text: &str) {
        let file = self.beside(what);
        if let Err(error) = std::fs::write(&file, text) {
            tracing::warn!(file = %file.display(), %error, "what is known of a backup's drill can't be kept");
        }
    }
}

impl Newest {
    fn line(&self) -> String {
        format!("{} {}", self.made, self.path.display())
    }
}

fn seconds(span: Span) -> i64 {
    i64::try_from(span.secs()).unwrap_or(i64::MAX)
}

/// Kills all processes of the session that this one leads.
fn end_session(leader: Pid) {
    let leader = leader.as_raw_nonzero().get();
    process::kill_all(|pid| process::stat(pid).is_some_and(|stat| stat.session == leader));
}

/// Its status as a shell would have it, and its first line.
fn outcome(ran: &Ran) -> (i32, String) {
    let printed = String::from_utf8_lossy(&ran.printed);
    let first = printed.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    let first = Text::new(&first[..first.floor_char_boundary(1024)]).as_str().to_owned();
    match &ran.end {
        End::Status(status) => (*status, first),
        End::Signal(signal) => (128 + signal, first),
        End::Late | End::Taken => (LATE, format!("it did not end in time; {first}")),
        End::Flood => (LATE, format!("it printed more than 1 MiB; {first}")),
        End::NotStarted(_, why) => (NOT_STARTED, why.clone()),
    }
}

/// A check's name as a file's.
fn plain(check: &str) -> String {
    let plain = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    check.bytes().map(plain).collect()
}

#[cfg(test)]
mod tests;
