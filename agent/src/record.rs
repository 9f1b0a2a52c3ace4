//! The record of one job's runs: `STATE/jobs/NAME`, written by `picket-agent job run`, read by checks of kind `job`; and
//! of a backup's drills: `STATE/drills/CHECK`, by the agent itself.
//!
//! One line of numbers, replaced as a whole: version, boot, when the last run began, the wrapper's pid and its start in
//! ticks (which together name a process of one boot), when the run ended (0: it has not) and with which status, and when
//! one last ended well (0: never). Times are microseconds of the wall clock. Of two runs at once the
//! older one stands until it ends.

use crate::clock;
use crate::probe::process::{Stat, stat};
use picket_agent_core::past::Runs;
use picket_proto::Wall;
use rustix::process::Pid;
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, chown};
use std::path::{Path, PathBuf};

const VERSION: u32 = 1;
/// Longer than any record: nine numbers of 39 digits at most.
const LONGEST: u64 = 400;

/// What is recorded of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Record {
    boot: u128,
    began: i64,
    pid: i32,
    started: u64,
    ended: i64,
    status: i32,
    well: i64,
}

/// Where the record of the job of this name is.
pub(crate) fn file(state: &Path, name: &str) -> PathBuf {
    state.join("jobs").join(name)
}

impl Record {
    /// Reads it; a job that never ran has none.
    ///
    /// # Errors
    /// It can't be read, or is no record.
    pub(crate) fn read(file: &Path) -> io::Result<Option<Self>> {
        let mut text = String::new();
        match std::fs::File::open(file) {
            Ok(found) => io::Read::read_to_string(&mut io::Read::take(found, LONGEST), &mut text)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        parse(&text).map(Some).ok_or_else(|| io::ErrorKind::InvalidData.into())
    }

    /// A run of this process begins.
    pub(crate) fn begin(self) -> Self {
        let own = rustix::process::getpid();
        let started = stat(own).map(|stat| stat.started).unwrap_or_default();
        let boot = clock::boot().map(|boot| boot.0).unwrap_or_default();
        let began = clock::now().wall.micros();
        Self { boot, began, pid: own.as_raw_nonzero().get(), started, ended: 0, ..self }
    }

    /// The run is one of this process.
    pub(crate) fn of(self, pid: Pid) -> Self {
        let started = stat(pid).map(|stat| stat.started).unwrap_or_default();
        Self { pid: pid.as_raw_nonzero().get(), started, ..self }
    }

    /// It has ended.
    pub(crate) fn end(self, status: i32) -> Self {
        let ended = clock::now().wall.micros();
        Self { ended, status, well: if status == 0 { ended } else { self.well }, ..self }
    }

    /// What is to be recorded at this run's end, where this is recorded now: another run that still lives stands.
    pub(crate) fn over(self, now: Option<Self>) -> Self {
        let Some(now) = now else { return self };
        let well = self.well.max(now.well);
        let other = now.running().is_some_and(|pid| pid.as_raw_nonzero().get() != self.pid);
        if other { Self { well, ..now } } else { Self { well, ..self } }
    }

    /// Writes it in the place of the one before. Its folder is made where there is none, but no state folder.
    ///
    /// # Errors
    /// The folder or the file can't be written; `NotFound` if there is no state folder.
    pub(crate) fn write(self, file: &Path) -> io::Result<()> {
        if let Some(folder) = file.parent() {
            make(folder)?;
        }
        let Self { boot, began, pid, started, ended, status, well } = self;
        let line = format!("{VERSION} {boot} {began} {pid} {started} {ended} {status} {well}\n");
        let new = file.with_extension(format!("new-{}", std::process::id()));
        std::fs::write(&new, line)?;
        std::fs::rename(new, file)
    }

    /// How the last run that ended did.
    pub(crate) const fn status(self) -> i32 {
        self.status
    }

    /// How many seconds ago the last run began; nothing where its process is gone and left no word.
    pub(crate) fn begun(self, now: Wall) -> Option<i64> {
        (self.ended != 0 || self.lives()).then(|| self.age(now))
    }

    /// How many seconds ago the last run began.
    pub(crate) fn age(self, now: Wall) -> i64 {
        (now.micros() - self.began).div_euclid(1_000_000)
    }

    /// The process whose run has not ended, while it lives.
    pub(crate) fn running(self) -> Option<Pid> {
        Pid::from_raw(self.pid).filter(|_| self.ended == 0 && self.lives())
    }

    fn lives(self) -> bool {
        let is_it = |stat: Stat| stat.started == self.started && !stat.is_dead();
        let lives = Pid::from_raw(self.pid).and_then(stat).is_some_and(is_it);
        lives && clock::boot().is_ok_and(|boot| boot.0 == self.boot)
    }

    /// As if it had begun so many seconds before.
    #[cfg(test)]
    pub(crate) fn earlier(self, seconds: i64) -> Self {
        Self { began: self.began - seconds * 1_000_000, ..self }
    }

    /// What it says of the runs, and in words what its causes can't say.
    pub(crate) fn runs(self, now: Wall) -> (Runs, &'static str) {
        let ago = |at: i64| (now.micros() - at).div_euclid(1_000_000);
        let well = (self.well != 0).then(|| ago(self.well));
        if self.ended != 0 {
            return (
                Runs { running: None, failed: Some(self.status).filter(|status| *status != 0), well },
                "",
            );
        }
        if self.lives() {
            return (Runs { running: Some(ago(self.began)), failed: None, well }, "");
        }
        let words = "its end was not recorded: `job run` was killed, or the host went down";
        (Runs { running: None, failed: Some(-1), well }, words)
    }
}

/// Makes a folder within the state folder, for whom that belongs to: a job may run as root, and the agent not.
fn make(folder: &Path) -> io::Result<()> {
    match std::fs::DirBuilder::new().mode(0o700).create(folder) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
        Ok(()) => {
            let of = folder.parent().map(std::fs::metadata).transpose()?;
            let owner = of.map(|of| (of.uid(), of.gid()));
            // Whoever is not root has made it for himself.
            let _only_root_can = owner.map(|(user, group)| chown(folder, Some(user), Some(group)));
            Ok(())
        }
    }
}

fn parse(text: &str) -> Option<Record> {
    let mut fields = text.strip_suffix('\n')?.split(' ');
    let version: u32 = fields.next()?.parse().ok()?;
    let record = Record {
        boot: fields.next()?.parse().ok()?,
        began: fields.next()?.parse().ok()?,
        pid: fields.next()?.parse().ok()?,
        started: fields.next()?.parse().ok()?,
        ended: fields.next()?.parse().ok()?,
        status: fields.next()?.parse().ok()?,
        well: fields.next()?.parse().ok()?,
    };
    (version == VERSION && fields.next().is_none()).then_some(record)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_read_as_it_was_written_and_what_is_torn_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let path = file(folder.path(), "nightly");
        assert_eq!(Record::read(&path).unwrap(), None);
        let begun = Record::default().begin();
        begun.write(&path).unwrap();
        assert_eq!(Record::read(&path).unwrap(), Some(begun));
        let now = clock::now().wall;
        assert!(matches!(begun.runs(now).0, Runs { running: Some(0..=60), failed: None, well: None }));
        let ended = begun.end(0).begin().end(7);
        ended.write(&path).unwrap();
        let (runs, _) = Record::read(&path).unwrap().unwrap().runs(now);
        assert!(matches!(runs, Runs { running: None, failed: Some(7), well: Some(-60..=60) }), "{runs:?}");
        let line = std::fs::read_to_string(&path).unwrap();
        for len in 0..line.len() {
            std::fs::write(&path, &line[..len]).unwrap();
            assert!(Record::read(&path).is_err(), "{len} bytes of {line}");
        }
    }

    #[test]
    fn an_older_run_that_lives_stands_until_it_ends() {
        let older = Record { pid: 1, ..Record::default().begin() }.of(Pid::INIT);
        let second = older.begin().end(0);
        let recorded = second.over(Some(older));
        assert_eq!(recorded.running(), Some(Pid::INIT));
        assert_eq!(recorded.well, second.well);
        let ended = older.end(3).over(Some(recorded));
        assert_eq!((ended.status, ended.well), (3, second.well));
        assert_eq!(second.over(Some(older.end(3))), second);
    }

    #[test]
    fn a_run_whose_process_is_gone_without_a_word_has_failed() {
        let killed = Record { started: 1, ..Record::default().begin() };
        let (runs, words) = killed.runs(clock::now().wall);
        assert_eq!(runs.failed, Some(-1));
        assert!(words.contains("not recorded"));
        let before_the_boot = Record { boot: 1, ..Record::default().begin() };
        assert_eq!(before_the_boot.runs(clock::now().wall).0.failed, Some(-1));
    }
}
