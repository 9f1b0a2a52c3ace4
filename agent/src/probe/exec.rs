//! A program in the Nagios plugin protocol: its status is the reading, its first line the words, what stands behind
//! `|` are figures.
//!
//! | status | reading |
//! |---|---|
//! | 0, 1, 2 | good, a complaint, bad |
//! | 3 and all others | it can't tell: the verdict becomes unknown |
//! | killed by a signal, not startable | the probe failed: unknown, with the reason in words |
//! | no end in time, output without end | bad: no answer in time |
//!
//! How it is run, and within which bounds, is in `program.rs`.

mod perfdata;

use super::{Reading, Seen};
use crate::program::{End, Ran};
use picket_proto::event::Cause;
use picket_proto::text::TEXT_MAX;
use std::time::Duration;

/// What came of the plugin.
pub(super) fn seen(ran: Ran, time: Duration) -> Seen {
    let printed = String::from_utf8_lossy(&ran.printed);
    let (words, figures) = perfdata::split(&printed);
    let told = |what: String| match words.is_empty() {
        true => what,
        false => format!("{what}: {words}"),
    };
    let (reading, said) = match ran.end {
        End::Status(0) => (Reading::Good, words),
        End::Status(1) => (Reading::Poor(Cause::Plugin(1)), words),
        End::Status(status) => (Reading::Bad(Cause::Plugin(u8::try_from(status).unwrap_or(u8::MAX))), words),
        End::Signal(signal) => {
            (Reading::Bad(Cause::Local(libc::EINTR)), told(format!("it was killed by signal {signal}")))
        }
        End::Late => {
            (Reading::Bad(Cause::TimedOut), told(format!("it did not end within {} ms", time.as_millis())))
        }
        End::Flood => (Reading::Bad(Cause::TimedOut), told("it printed more than 1 MiB".to_owned())),
        End::NotStarted(errno, why) => {
            (Reading::Bad(Cause::Local(errno)), format!("it can't be started: {why}"))
        }
        End::Taken => {
            (Reading::Bad(Cause::TimedOut), "the one before it is still there and can't be killed".to_owned())
        }
    };
    Seen { reading, said: short(&said), figures }
}

/// So much as a verdict tells.
fn short(said: &str) -> String {
    picket_proto::Text::new(&said[..said.floor_char_boundary(4 * TEXT_MAX)]).as_str().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(end: End, printed: &str) -> (Reading, String) {
        let seen = seen(Ran { end, printed: printed.into() }, Duration::from_secs(2));
        (seen.reading, seen.said)
    }

    #[test]
    fn the_status_is_the_reading_and_the_first_line_the_words() {
        let words = "DISK WARNING - free space: / 10 MB".to_owned();
        let line = format!("{words}|/=90MB\nmore\n");
        for (status, reading) in [
            (0, Reading::Good),
            (1, Reading::Poor(Cause::Plugin(1))),
            (2, Reading::Bad(Cause::Plugin(2))),
            (3, Reading::Bad(Cause::Plugin(3))),
            (127, Reading::Bad(Cause::Plugin(127))),
        ] {
            assert_eq!(of(End::Status(status), &line), (reading, words.clone()));
        }
    }

    #[test]
    fn what_ended_otherwise_says_how_and_keeps_its_words() {
        let (reading, said) = of(End::Late, "half a word");
        assert_eq!(reading, Reading::Bad(Cause::TimedOut));
        assert_eq!(said, "it did not end within 2000 ms: half a word");
        let (reading, said) = of(End::Signal(11), "");
        assert_eq!(
            (reading, &*said),
            (Reading::Bad(Cause::Local(libc::EINTR)), "it was killed by signal 11")
        );
        let (reading, said) = of(End::NotStarted(2, "no such file".to_owned()), "");
        assert_eq!((reading, &*said), (Reading::Bad(Cause::Local(2)), "it can't be started: no such file"));
    }

    #[test]
    fn words_are_short_and_paint_no_terminal() {
        let (_, said) = of(End::Status(2), &format!("\u{1b}[31m{}", "é".repeat(500)));
        assert!(said.len() <= TEXT_MAX && said.ends_with('…') && !said.contains('\u{1b}'), "{said}");
    }
}
