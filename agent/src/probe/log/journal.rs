//! What a unit has in the journal since the look before, by the journal's own cursor.
//!
//! journalctl is run for each look, two at once for all checks, at most 4 MiB of its export format: what is beyond is
//! read at the next look, from the last entry that came whole. The first look asks for the newest entry of the journal,
//! and begins there. Without journalctl, or without the right to read, there is no verdict.

use super::kept::Kept;
use super::{Place, before, lines};
use crate::child::{Bounds, Places};
use crate::clock;
use crate::config::Log;
use crate::probe::Seen;
use picket_agent_core::check::Reading;
use picket_proto::Span;
use picket_proto::event::Cause;
use std::process::Command;
use std::time::Duration;
use tokio::sync::Mutex;

/// journalctl's that run at once.
pub(in crate::probe) const PLACES: usize = 2;
const BYTES: usize = 4 * 1024 * 1024;
/// Longest cursor that is kept: a real one has some 180 bytes.
const CURSOR_MAX: usize = 400;

/// The place in the journal.
#[derive(Debug)]
pub(super) struct Cursor {
    kept: Kept,
    at: Option<String>,
}

impl Cursor {
    pub(super) fn new(kept: Kept) -> Self {
        Self { kept, at: None }
    }

    fn move_to(&mut self, at: String) {
        if self.at.as_ref() != Some(&at) {
            self.kept.save(&format!("j {at}"));
            self.at = Some(at);
        }
    }
}

/// Looks at a unit's journal once, within `time`.
pub(in crate::probe) async fn read(
    log: &Log,
    unit: &str,
    place: &Mutex<Place>,
    (places, time): (Places, Span),
) -> Seen {
    let mut place = place.lock().await;
    let Place { journal, untold, .. } = &mut *place;
    let begun = clock::now().mono;
    let left = before(begun, time).since(begun);
    let bounds = Bounds { time: Duration::from_micros(left.micros()), bytes: BYTES };
    if journal.at.is_none() {
        journal.at = journal.kept.load().and_then(|line| line.strip_prefix("j ").map(str::to_owned));
    }
    let command = match &journal.at {
        Some(at) => after(unit, at),
        None => newest(),
    };
    let Some(printed) = places.run(command, bounds).await else {
        let words = "the journal can't be read: journalctl failed, or took too long";
        return Seen::new(Reading::Bad(Cause::Local(libc::EIO)), words);
    };
    let is_first = journal.at.is_none();
    let mut at = None;
    for entry in entries(&printed) {
        at = entry.cursor.or(at);
        if !is_first {
            lines::count(entry.message, log, untold);
        }
    }
    if let Some(at) = at.filter(|at| at.len() <= CURSOR_MAX) {
        journal.move_to(at.to_owned());
    }
    std::mem::take(untold).seen()
}

fn after(unit: &str, cursor: &str) -> Command {
    let mut command = Command::new("journalctl");
    command.args(["--quiet", "--no-pager", "--output=export", "--output-fields=MESSAGE"]);
    command.args([format!("--unit={unit}"), format!("--after-cursor={cursor}")]);
    command
}

fn newest() -> Command {
    let mut command = Command::new("journalctl");
    command.args(["--quiet", "--no-pager", "--output=export", "--output-fields=MESSAGE", "--lines=1"]);
    command
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Entry<'p> {
    cursor: Option<&'p str>,
    message: &'p [u8],
}

/// Entries of the export format that are whole: a field a line, `NAME=value`, or `NAME`, 8 bytes of length, that
/// many bytes and a line's end where the value has control characters; an empty line ends an entry.
fn entries(mut printed: &[u8]) -> impl Iterator<Item = Entry<'_>> {
    std::iter::from_fn(move || {
        let mut entry = Entry { cursor: None, message: b"" };
        loop {
            let end = printed.iter().position(|byte| *byte == b'\n')?;
            let (line, mut rest) = (&printed[..end], &printed[end + 1..]);
            if line.is_empty() {
                printed = rest;
                return Some(entry);
            }
            let (name, value) = match line.iter().position(|byte| *byte == b'=') {
                Some(at) => (&line[..at], &line[at + 1..]),
                None => {
                    let (length, behind) = rest.split_first_chunk()?;
                    let length = usize::try_from(u64::from_le_bytes(*length)).ok()?;
                    let (value, behind) = behind.split_at_checked(length)?;
                    rest = behind.strip_prefix(b"\n")?;
                    (line, value)
                }
            };
            match name {
                b"__CURSOR" => entry.cursor = str::from_utf8(value).ok(),
                b"MESSAGE" => entry.message = value,
                _ => {}
            }
            printed = rest;
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_read_as_far_as_they_are_whole() {
        let mut text = b"__CURSOR=s=1;i=2\n__REALTIME_TIMESTAMP=3\nMESSAGE=plain = text\n\n".to_vec();
        text.extend(b"__CURSOR=s=1;i=3\nMESSAGE\n\x07\0\0\0\0\0\0\0two\n\nx=\n\n__CURSOR=s=1;i=4\nMESSAGE=x");
        let all: Vec<_> = entries(&text).collect();
        let first = Entry { cursor: Some("s=1;i=2"), message: b"plain = text" };
        let second = Entry { cursor: Some("s=1;i=3"), message: b"two\n\nx=" };
        assert_eq!(all, [first, second]);
        for end in 0..text.len() {
            assert!(entries(&text[..end]).count() <= 2, "a torn entry is none");
        }
    }
}
