//! What a service printed last, read because an operator asked: the end of its log, some 40 lines.
//!
//! Of a service that the agent starts it is the life that ended last, or the end of the log where none did in this run, or, where it
//! lives and fails, that life; of one
//! that other programs start, what those printed. A thread reads 16 KiB at most and is waited for for 2 s; one whose disk hangs keeps its
//! place, so that no second one hangs beside it. The core asks for one at a time.

use super::evidence::Source;
use super::{Notice, Outcome, Services};
use crate::scribe::STACK;
use crate::words;
use picket_agent_core::service::ServiceIx;
use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::oneshot;

/// As much as is asked of a journal.
const BYTES: u64 = 16 * 1024;
const TIME: Duration = Duration::from_secs(2);

impl Services {
    /// Reads what a service printed last; it comes as a notice, unless that can't be.
    pub(crate) fn read(&mut self, service: ServiceIx, token: u64, lives: bool) -> Option<Outcome> {
        let unread = Some(Outcome::Printed { service, token, text: None });
        if Arc::strong_count(&self.reader) > 1 {
            return unread;
        }
        let (place, notices) = (Arc::clone(&self.reader), self.notices.clone());
        let item = self.item(service);
        let source = match &item.script {
            Some(script) => Ok(Source::Path(script.output(), None)),
            None if lives => item.log.this_life(),
            None => item.log.last_life(),
        };
        let Ok(source) = source else { return unread };
        let (tell, printed) = oneshot::channel();
        let thread = std::thread::Builder::new().name("read log".to_owned()).stack_size(STACK);
        let begun = thread.spawn(move || {
            let _nobody_may_listen_any_more = tell.send(end_of(source).ok());
            drop(place);
        });
        if begun.is_err() {
            return unread;
        }
        tokio::spawn(async move {
            let text = tokio::time::timeout(TIME, printed).await.ok().and_then(Result::ok).flatten();
            let _loop_is_ending_when_nobody_listens =
                notices.send(Notice::Printed { service, token, text }).await;
        });
        None
    }
}

/// The last lines; none of a file that is not there.
fn end_of(source: Source) -> io::Result<String> {
    let (file, life) = match source {
        Source::Open(file, life) => (file, life),
        Source::Path(path, life) => match File::open(path) {
            Ok(file) => (file, life),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(String::new()),
            Err(error) => return Err(error),
        },
    };
    let life = life.map_or_else(|| file.metadata().map(|it| 0..it.len()), Ok)?;
    tail(&file, life)
}

fn tail(file: &File, life: Range<u64>) -> io::Result<String> {
    let start = life.start.max(life.end.saturating_sub(BYTES));
    let mut bytes = vec![0; usize::try_from(life.end.saturating_sub(start)).unwrap_or(0)];
    file.read_exact_at(&mut bytes, start)?;
    let whole = match bytes.iter().position(|byte| *byte == b'\n') {
        Some(first) if start > life.start => &bytes[first..],
        Some(_) | None => &bytes[..],
    };
    Ok(words::lines(String::from_utf8_lossy(whole).lines().rev()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn file_of(text: &str) -> File {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(text.as_bytes()).unwrap();
        file
    }

    fn of(text: &str, life: Range<u64>) -> String {
        end_of(Source::Open(file_of(text), Some(life))).unwrap()
    }

    #[test]
    fn the_last_forty_lines_come_in_their_order_and_no_other_life_is_quoted() {
        let text: String = (1..=100).map(|line| format!("  line {line}\n")).collect();
        let told = of(&text, 0..text.len() as u64);
        assert_eq!(told.lines().count(), 40);
        assert!(told.starts_with("  line 61\n") && told.ends_with("  line 100\n"), "{told}");
        assert_eq!(of("old life\nthis life\nnext life\n", 9..19), "this life\n");
        assert_eq!(of("old life\n", 9..9), "");
    }

    #[test]
    fn a_line_that_is_cut_at_its_beginning_is_left_out_unless_it_is_the_only_one() {
        let long = "x".repeat(10_000);
        let told = of(&format!("{long}\n{long}\nlast\n"), 0..20_007);
        assert_eq!(told, format!("{long}\nlast\n"));
        let long = "y".repeat(30_000);
        assert_eq!(of(&long, 0..30_000).trim_end().len(), 16 * 1024);
    }

    #[test]
    fn a_file_that_is_not_there_has_no_lines_and_one_that_was_cut_can_not_be_read() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(end_of(Source::Path(folder.path().join("web.out"), None)).unwrap(), "");
        assert!(end_of(Source::Open(file_of("short"), Some(0..100))).is_err());
    }
}
