//! The screen: colour, width, character set, and how times are told. Nothing else in this crate looks at the
//! terminal or the environment for its output.
//!
//! Colour only on a terminal, unless `--color` says otherwise or NO_COLOR is set; lines are cut to the terminal's
//! width and never where output goes to a file or pipe. A reader that closes the pipe early (`| head`) is no error.

use crate::args::{Colour, Globals};
use crate::clock;
use crate::failure::Failure;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use picket_proto::Span;
use std::io::{self, ErrorKind, IsTerminal, Write};

/// Width for wrapping text where there is no terminal.
const PAPER: usize = 100;

/// For whom the output is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reader {
    Person,
    Program,
}

/// How times are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Times {
    /// "3 min ago".
    Ago,
    /// Local, with the offset.
    Exact,
}

/// What a piece of text means; the screen knows how that looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ink {
    Plain,
    Strong,
    Faint,
    Good,
    Warning,
    Bad,
}

/// The screen of one command.
#[derive(Debug, Clone)]
pub(crate) struct Screen {
    pub(crate) reader: Reader,
    pub(crate) times: Times,
    /// Whether stdout is a terminal, and not a file or a pipe.
    pub(crate) terminal: bool,
    /// The terminal's width; `None` where lines are not cut.
    width: Option<usize>,
    colour: Colour,
    /// What stands for what was cut away.
    ellipsis: char,
    zone: TimeZone,
    now: Timestamp,
}

impl Screen {
    pub(crate) fn open(globals: &Globals) -> Self {
        let terminal = io::stdout().is_terminal();
        let quiet = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
            || std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        let colour = match globals.color {
            Colour::Auto if terminal && !quiet => Colour::Always,
            Colour::Auto | Colour::Never => Colour::Never,
            Colour::Always => Colour::Always,
        };
        Self {
            reader: if globals.json { Reader::Program } else { Reader::Person },
            times: if globals.times { Times::Exact } else { Times::Ago },
            terminal,
            width: if terminal { columns() } else { None },
            colour,
            ellipsis: if speaks_utf8() { '…' } else { '~' },
            zone: clock::zone(),
            now: clock::now(),
        }
    }

    /// The same screen a moment later, for pages that last.
    pub(crate) fn refreshed(&mut self) -> &Self {
        self.now = clock::now();
        self
    }

    /// The width to wrap text at.
    pub(crate) fn paper(&self) -> usize {
        self.width.unwrap_or(PAPER).clamp(40, 120)
    }

    /// The width that lines must not exceed, if any.
    pub(crate) const fn width(&self) -> Option<usize> {
        self.width
    }

    /// Now, by the clock of this machine.
    pub(crate) const fn now(&self) -> Timestamp {
        self.now
    }

    pub(crate) fn paint(&self, ink: Ink, text: &str) -> String {
        let code = match ink {
            Ink::Plain => return text.to_owned(),
            Ink::Strong => "1",
            Ink::Faint => "2",
            Ink::Good => "32",
            Ink::Warning => "33",
            Ink::Bad => "1;31",
        };
        match self.colour {
            Colour::Always => format!("\x1b[{code}m{text}\x1b[0m"),
            Colour::Auto | Colour::Never => text.to_owned(),
        }
    }

    /// `text` in at most `width` characters.
    pub(crate) fn cut(&self, text: &str, width: usize) -> String {
        if text.chars().count() <= width {
            return text.to_owned();
        }
        let mut kept: String = text.chars().take(width.saturating_sub(1)).collect();
        kept.push(self.ellipsis);
        kept
    }

    /// A time as this screen tells it: "3 min ago", or exactly.
    pub(crate) fn time(&self, at: Timestamp) -> String {
        match self.times {
            Times::Ago => ago(at, self.now),
            Times::Exact => self.exact(at),
        }
    }

    /// Local date and time with the offset from UTC.
    pub(crate) fn exact(&self, at: Timestamp) -> String {
        at.to_zoned(self.zone.clone()).strftime("%Y-%m-%d %H:%M:%S %:z").to_string()
    }

    /// Local time of day.
    pub(crate) fn of_day(&self, at: Timestamp) -> String {
        at.to_zoned(self.zone.clone()).strftime("%H:%M:%S").to_string()
    }

    /// Local date and offset, for a heading over times of day.
    pub(crate) fn date(&self, at: Timestamp) -> String {
        at.to_zoned(self.zone.clone()).strftime("%Y-%m-%d, UTC%:z").to_string()
    }

    /// Local day, time of day and milliseconds.
    pub(crate) fn precise(&self, at: Timestamp) -> (String, String) {
        let local = at.to_zoned(self.zone.clone());
        (local.strftime("%Y-%m-%d").to_string(), local.strftime("%H:%M:%S%.3f").to_string())
    }
}

/// "3 min ago", with one unit below a day: people compare, they don't compute.
pub(crate) fn ago(at: Timestamp, now: Timestamp) -> String {
    let seconds = now.as_second().saturating_sub(at.as_second());
    match seconds {
        ..=0 => "just now".to_owned(),
        1..60 => format!("{seconds} s ago"),
        60..3_600 => format!("{} min ago", seconds / 60),
        3_600..86_400 => format!("{} h ago", seconds / 3_600),
        86_400.. => format!("{} d ago", seconds / 86_400),
    }
}

/// From `from` to `to`, never below zero.
pub(crate) fn span(from: Timestamp, to: Timestamp) -> Span {
    let micros = to.as_microsecond().saturating_sub(from.as_microsecond());
    Span::from_micros(u64::try_from(micros).unwrap_or(0))
}

/// Writes to stdout at once. A closed pipe ends the program quietly.
pub(crate) fn write(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == ErrorKind::BrokenPipe => std::process::exit(0),
        Err(error) => Err(Failure::failed(format!("cannot write the output: {error}"), "")),
    }
}

/// A remark beside the output: stderr, so that it never stands in a file or among a program's lines.
pub(crate) fn aside(text: &str) {
    let _nobody_reads = io::stderr().lock().write_all(text.as_bytes());
}

fn columns() -> Option<usize> {
    let size = rustix::termios::tcgetwinsize(io::stdout()).ok()?;
    (size.ws_col > 0).then_some(usize::from(size.ws_col))
}

fn speaks_utf8() -> bool {
    let set = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
    let locale = set("LC_ALL").or_else(|| set("LC_CTYPE")).or_else(|| set("LANG")).unwrap_or_default();
    let locale = locale.to_ascii_lowercase();
    locale.contains("utf-8") || locale.contains("utf8")
}

#[cfg(test)]
impl Screen {
    /// A screen of fixed width without colour at a fixed time in UTC.
    pub(crate) fn still(width: usize, now: &str) -> Self {
        Self {
            reader: Reader::Person,
            times: Times::Ago,
            terminal: true,
            width: Some(width),
            colour: Colour::Never,
            ellipsis: '…',
            zone: TimeZone::UTC,
            now: now.parse().unwrap(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_read_how_long_ago() {
        let now: Timestamp = "2026-03-01T12:00:00Z".parse().unwrap();
        for (then, told) in [
            ("2026-03-01T12:00:05Z", "just now"),
            ("2026-03-01T11:59:48Z", "12 s ago"),
            ("2026-03-01T11:57:00Z", "3 min ago"),
            ("2026-03-01T09:59:00Z", "2 h ago"),
            ("2026-02-20T12:00:00Z", "9 d ago"),
        ] {
            assert_eq!(ago(then.parse().unwrap(), now), told);
        }
    }

    #[test]
    fn exact_times_carry_their_offset() {
        let mut screen = Screen::still(80, "2026-03-01T12:00:00Z");
        screen.zone = TimeZone::fixed(jiff::tz::offset(-3));
        assert_eq!(screen.exact(screen.now()), "2026-03-01 09:00:00 -03:00");
    }

    #[test]
    fn what_is_cut_says_so() {
        let screen = Screen::still(80, "2026-03-01T12:00:00Z");
        assert_eq!(screen.cut("abcdef", 4), "abc…");
        assert_eq!(screen.cut("abcd", 4), "abcd");
    }
}
