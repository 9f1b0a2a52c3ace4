//! A service's log file, and the last line that one life of it printed.
//!
//! Looks at the last 4 KiB of the stretch at most: a longer last line is told from its later part. What the next life
//! prints meanwhile lies behind the stretch and is never quoted for this one.

use std::fs::{File, OpenOptions};
use std::io;
use std::ops::Range;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;

const LOOK: u64 = 4096;

/// Opens a log for a service to append to, readable by its owner only.
pub(super) fn open_log(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).append(true).create(true).mode(0o600).open(path)
}

/// Keeps the log as `NAME.log.1`, in place of an older one, and begins a new one.
pub(super) fn turn_over(path: &Path) -> io::Result<File> {
    let mut kept = path.as_os_str().to_owned();
    kept.push(".1");
    std::fs::rename(path, kept)?;
    open_log(path)
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

fn last_of(bytes: &[u8]) -> String {
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
}
