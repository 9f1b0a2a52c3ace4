//! A service's log file, and the last line that one life of it printed.
//!
//! Looks at the last 4 KiB of a life's stretch at most: a longer last line is told from its later part. What the next
//! life prints meanwhile lies behind the stretch, or in a new file, and is never quoted for this one.
//!
//! A log never stops a start. One that can't be turned over (a full disk, no descriptors) grows on; where none can be
//! opened the output goes to `/dev/null` and the file is tried again at the next start. Told once until it works again.
//! A thread does both, one per log at most, and is waited for for 50 ms: where the disk hangs, the old file serves until
//! the start after it goes on.

use crate::scribe::{STACK, WAIT};
use std::fs::{File, OpenOptions};
use std::io;
use std::ops::Range;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::Duration;

const LOOK: u64 = 4096;
/// Where a log is turned over at the next start.
const LOG_MAX: u64 = 1024 * 1024;

/// The log of one service.
pub(super) struct Log {
    path: PathBuf,
    file: File,
    /// Where this life's output begins.
    life_start: u64,
    /// What the last life printed, until it was looked at.
    unread: Option<Range<u64>>,
    /// Where that stands, if the log was turned over since.
    before: Option<File>,
    /// What the life printed that ended last, in this file or in the one before it.
    ended: Option<(Where, Range<u64>)>,
    wants: Wants,
    /// The new file, where a thread is out for it.
    coming: Option<Receiver<io::Result<File>>>,
    /// How long a start waits for it.
    patience: Duration,
    told: bool,
}

/// What is read of a log when somebody asks: a stretch of a file that is open, or that is to be opened; all of it, where none
/// is known.
pub(super) enum Source {
    Open(File, Option<Range<u64>>),
    Path(PathBuf, Option<Range<u64>>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Where {
    Here,
    /// In the file that was turned over.
    Before,
}

/// What is to be done before the next start.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wants {
    Nothing,
    /// It grew too long.
    TurnOver,
    /// It could not be opened.
    Open,
}

impl Log {
    /// Opens the log at `path`, or `/dev/null` in its place.
    ///
    /// # Errors
    /// Not even that can be opened.
    pub(super) fn new(path: PathBuf) -> io::Result<Self> {
        let mut log = Self::unused(path)?;
        let opened = open_log(&log.path);
        log.take(opened);
        log.wants = if log.life_start > LOG_MAX { Wants::TurnOver } else { log.wants };
        Ok(log)
    }

    /// For a service that writes its log elsewhere: nothing is made.
    ///
    /// # Errors
    /// `/dev/null` can't be opened.
    pub(super) fn unused(path: PathBuf) -> io::Result<Self> {
        let null = OpenOptions::new().read(true).append(true).open("/dev/null")?;
        Ok(Self {
            path,
            file: null,
            life_start: 0,
            unread: None,
            before: None,
            ended: None,
            wants: Wants::Open,
            coming: None,
            patience: WAIT,
            told: false,
        })
    }

    /// Where the file is, as `/proc` names it.
    pub(super) fn path(&self) -> PathBuf {
        std::fs::canonicalize(&self.path).unwrap_or_else(|_| self.path.clone())
    }

    /// Output and errors of the next life.
    pub(super) fn outputs(&mut self) -> (Stdio, Stdio) {
        if self.wants != Wants::Nothing {
            self.renew();
        }
        let copy = || self.file.try_clone().map_or_else(|_| Stdio::null(), Stdio::from);
        (copy(), copy())
    }

    /// The life ended here: what it printed can be looked at.
    pub(super) fn life_ended(&mut self) {
        let end = self.file.metadata().map_or(self.life_start, |log| log.len());
        self.unread = Some(self.life_start..end);
        self.ended = Some((Where::Here, self.life_start..end));
        (self.before, self.life_start) = (None, end);
        if end > LOG_MAX {
            self.wants = Wants::TurnOver;
        }
    }

    /// The last line of the life that ended last and was not looked at; empty if there is none.
    pub(super) fn last_line(&mut self) -> String {
        let before = self.before.take();
        let Some(life) = self.unread.take() else { return String::new() };
        last_line(before.as_ref().unwrap_or(&self.file), life)
    }

    /// The life that ended last; where none did in this run, all of the log.
    ///
    /// # Errors
    /// There are no descriptors left.
    pub(super) fn last_life(&self) -> io::Result<Source> {
        Ok(match &self.ended {
            Some((Where::Before, life)) => Source::Path(kept(&self.path), Some(life.clone())),
            Some((Where::Here, life)) => Source::Open(self.file.try_clone()?, Some(life.clone())),
            None => Source::Open(self.file.try_clone()?, None),
        })
    }

    /// The life that has not ended.
    ///
    /// # Errors
    /// There are no descriptors left, or the file can't be looked at.
    pub(super) fn this_life(&self) -> io::Result<Source> {
        let end = self.file.metadata()?.len();
        Ok(Source::Open(self.file.try_clone()?, Some(self.life_start.min(end)..end)))
    }

    /// Gets a new file, now or at a later start.
    fn renew(&mut self) {
        let is_new = self.coming.is_none();
        let coming = match self.coming.take() {
            Some(coming) => coming,
            None => match begin(self.path.clone(), self.wants) {
                Ok(coming) => coming,
                Err(error) => return self.take(Err(error)),
            },
        };
        match coming.recv_timeout(if is_new { self.patience } else { Duration::ZERO }) {
            Ok(renewed) => self.take(renewed),
            Err(RecvTimeoutError::Timeout) => self.coming = Some(coming),
            Err(RecvTimeoutError::Disconnected) => self.take(Err(io::ErrorKind::BrokenPipe.into())),
        }
    }

    fn take(&mut self, renewed: io::Result<File>) {
        match renewed {
            Ok(file) => {
                self.life_start = file.metadata().map_or(0, |log| log.len());
                let old = std::mem::replace(&mut self.file, file);
                self.before = self.unread.is_some().then_some(old);
                let is_kept = self.wants == Wants::TurnOver;
                self.ended = self.ended.take().filter(|_| is_kept).map(|(_, life)| (Where::Before, life));
                (self.wants, self.told) = (Wants::Nothing, false);
            }
            Err(error) => {
                if !std::mem::replace(&mut self.told, true) {
                    let file = self.path.display();
                    tracing::warn!(%file, %error, "the log can't be renewed; the service starts with what there is");
                }
            }
        }
    }
}

/// Begins a thread that renews the log at `path`.
///
/// # Errors
/// There can be no more threads.
fn begin(path: PathBuf, wants: Wants) -> io::Result<Receiver<io::Result<File>>> {
    let (tell, coming) = sync_channel(1);
    std::thread::Builder::new().name("renew log".to_owned()).stack_size(STACK).spawn(move || {
        let renewed = match wants {
            Wants::TurnOver => turn_over(&path),
            Wants::Nothing | Wants::Open => open_log(&path),
        };
        let _the_agent_may_be_gone = tell.send(renewed);
    })?;
    Ok(coming)
}

/// Opens a log for a service to append to, readable by its owner only.
fn open_log(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).append(true).create(true).mode(0o600).open(path)
}

/// Keeps the log as `NAME.log.1`, in place of an older one, and begins a new one.
fn turn_over(path: &Path) -> io::Result<File> {
    match std::fs::rename(path, kept(path)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => open_log(path),
    }
}

/// Where a log is kept that was turned over.
fn kept(path: &Path) -> PathBuf {
    let mut kept = path.as_os_str().to_owned();
    kept.push(".1");
    kept.into()
}

/// The last line of `life` that is not empty; empty if there is none or it can't be read.
pub(super) fn last_line(log: &File, life: Range<u64>) -> String {
    let start = life.start.max(life.end.saturating_sub(LOOK));
    let mut bytes = vec![0; usize::try_from(life.end.saturating_sub(start)).unwrap_or(0)];
    match log.read_exact_at(&mut bytes, start) {
        Ok(()) => last_of(&bytes),
        Err(_) => String::new(),
    }
}

/// The last line that is not empty.
pub(super) fn last_of(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let line = text.lines().rev().map(str::trim).find(|line| !line.is_empty());
    line.unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn log_of(text: &str) -> File {
        let mut log = tempfile::tempfile().unwrap();
        log.write_all(text.as_bytes()).unwrap();
        log
    }

    #[test]
    fn empty_lines_and_a_missing_newline_do_not_hide_the_last_word() {
        for text in ["first\nbind failed\n", "first\nbind failed", "bind failed\n\n  \r\n", "bind failed\r\n"]
        {
            let end = u64::try_from(text.len()).unwrap();
            assert_eq!(last_line(&log_of(text), 0..end), "bind failed", "{text:?}");
        }
        assert_eq!(last_line(&log_of("\n\n"), 0..2), "");
    }

    #[test]
    fn another_life_is_not_quoted() {
        let log = log_of("old life\nthis life\nnext life\n");
        assert_eq!(last_line(&log, 9..19), "this life");
        assert_eq!(last_line(&log, 9..9), "", "a life that printed nothing has no last line");
    }

    #[test]
    fn of_a_long_log_only_the_end_is_read() {
        let text = format!("{}\nlast\n", "x".repeat(100_000));
        assert_eq!(last_line(&log_of(&text), 0..u64::try_from(text.len()).unwrap()), "last");
    }

    /// A log that waits for its disk for as long as a busy machine may take.
    fn patient(path: PathBuf) -> Log {
        Log { patience: Duration::from_secs(20), ..Log::new(path).unwrap() }
    }

    /// A log with a life that printed more than is kept, its last line being `last`.
    fn long(folder: &Path, last: &str) -> Log {
        let mut log = patient(folder.join("it.log"));
        log.file.write_all("x".repeat(1024 * 1024).as_bytes()).unwrap();
        log.file.write_all(format!("\n{last}\n").as_bytes()).unwrap();
        log.life_ended();
        log
    }

    #[test]
    fn a_start_before_the_last_line_was_read_does_not_lose_it() {
        let folder = tempfile::tempdir().unwrap();
        let mut log = long(folder.path(), "bind failed");
        drop(log.outputs());
        assert_eq!(log.last_line(), "bind failed");
        assert!(folder.path().join("it.log.1").is_file());
        log.file.write_all(b"next life\n").unwrap();
        log.life_ended();
        assert_eq!(log.last_line(), "next life");
    }

    #[test]
    fn a_removed_log_is_begun_anew() {
        let folder = tempfile::tempdir().unwrap();
        let mut log = long(folder.path(), "last");
        std::fs::remove_file(log.path()).unwrap();
        drop(log.outputs());
        assert!(!log.told && log.path().is_file());
    }

    #[test]
    fn a_log_that_can_not_be_turned_over_grows_on() {
        let folder = tempfile::tempdir().unwrap();
        let mut log = long(folder.path(), "last");
        std::fs::create_dir(folder.path().join("it.log.1")).unwrap();
        drop(log.outputs());
        assert!(log.told);
        log.file.write_all(b"next life\n").unwrap();
        log.life_ended();
        assert_eq!(log.last_line(), "next life");
    }

    #[test]
    fn a_log_that_can_not_be_opened_is_opened_once_it_can() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("it.log");
        std::fs::create_dir(&path).unwrap();
        let mut log = patient(path.clone());
        assert!(log.told);
        drop(log.outputs());
        std::fs::remove_dir(&path).unwrap();
        drop(log.outputs());
        assert!(!log.told && path.is_file());
    }

    #[test]
    fn where_the_disk_hangs_the_old_file_serves_until_the_start_after_it_goes_on() {
        let folder = tempfile::tempdir().unwrap();
        let mut log = long(folder.path(), "bind failed");
        let (disk, coming) = sync_channel(1);
        log.coming = Some(coming);
        drop(log.outputs());
        assert_eq!(log.last_line(), "bind failed");
        log.file.write_all(b"still in the old file\n").unwrap();
        log.life_ended();
        disk.send(turn_over(&log.path)).unwrap();
        drop(log.outputs());
        assert_eq!(log.last_line(), "still in the old file");
        assert!(log.coming.is_none() && log.file.metadata().unwrap().len() == 0, "the new file is empty");
    }
}
