//! Facts in words: one wording for the agent's log, the collector's timeline and `picket up`.
//!
//! Only [`core::fmt::Display`], so that nothing allocates; spans are told with two significant parts. Words may get
//! better between versions: programs read codes ([`crate::code`]), not these sentences.

mod baseline;
mod fact;
mod why;

pub use why::Why;

use crate::event::{Because, CheckKind, Event, Exit, GapReason, Intent, Remedy, Ruling, Trigger, Verdict};
use crate::time::Span;
use core::fmt::{Display, Formatter, Result};

impl Display for Event {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        self.fact.fmt(f)
    }
}

/// A level in the unit of its check's kind.
#[derive(Debug, Clone, Copy)]
pub struct Level(pub CheckKind, pub i64);

impl Display for Level {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        level_in(self.0, self.1, f)
    }
}

/// A level in the unit of its kind.
fn level_in(kind: CheckKind, level: i64, f: &mut Formatter<'_>) -> Result {
    let (whole, sign) = (level.unsigned_abs(), if level < 0 { "-" } else { "" });
    match kind {
        CheckKind::Cpu
        | CheckKind::Memory
        | CheckKind::Space
        | CheckKind::Pressure
        | CheckKind::Swap
        | CheckKind::Inodes => write!(f, "{sign}{}.{} %", whole / 10, whole % 10),
        CheckKind::Load => write!(f, "{sign}{}.{:02} per core", whole / 100, whole % 100),
        CheckKind::Temperature => write!(f, "{sign}{}.{} °C", whole / 10, whole % 10),
        CheckKind::Metric => thousandths(sign, whole, f),
        CheckKind::Tls | CheckKind::Expires if whole < 48 => write!(f, "{sign}{whole} h"),
        CheckKind::Tls | CheckKind::Expires => write!(f, "{sign}{} days", whole / 24),
        CheckKind::File | CheckKind::Job | CheckKind::Backup => {
            write!(f, "{sign}{}", Span::from_secs(whole))
        }
        CheckKind::Log => write!(f, "{level} lines"),
        CheckKind::Net => write!(f, "{level} errors"),
        CheckKind::Process
        | CheckKind::Tcp
        | CheckKind::Http
        | CheckKind::Exec
        | CheckKind::Mount
        | CheckKind::Container => write!(f, "{level}"),
    }
}

/// As many places as it needs.
fn thousandths(sign: &str, value: u64, f: &mut Formatter<'_>) -> Result {
    let (whole, rest) = (value / 1000, value % 1000);
    match (rest % 10, rest % 100) {
        _ if rest == 0 => write!(f, "{sign}{whole}"),
        (_, 0) => write!(f, "{sign}{whole}.{}", rest / 100),
        (0, _) => write!(f, "{sign}{whole}.{:02}", rest / 10),
        (_, _) => write!(f, "{sign}{whole}.{rest:03}"),
    }
}

impl Display for Verdict {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.pad(match self {
            Self::Unknown => "unknown",
            Self::Up => "up",
            Self::Degraded => "degraded",
            Self::Flapping => "flapping",
            Self::Down => "down",
        })
    }
}

impl Display for Intent {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.pad(match self {
            Self::Run => "run",
            Self::Stopped => "stopped",
            Self::Masked => "masked",
            Self::Unknown => "unknown",
        })
    }
}

impl Display for CheckKind {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.pad(match self {
            Self::Process => "process",
            Self::Tcp => "tcp",
            Self::Http => "http",
            Self::Cpu => "cpu",
            Self::Memory => "memory",
            Self::Load => "load",
            Self::Space => "space",
            Self::Exec => "exec",
            Self::Tls => "tls",
            Self::Expires => "expires",
            Self::File => "file",
            Self::Log => "log",
            Self::Metric => "metric",
            Self::Pressure => "pressure",
            Self::Swap => "swap",
            Self::Inodes => "inodes",
            Self::Mount => "mount",
            Self::Net => "net",
            Self::Temperature => "temperature",
            Self::Job => "job",
            Self::Backup => "backup",
            Self::Container => "container",
        })
    }
}

impl Display for Exit {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Self::Code(code) => write!(f, "exited with status {code}"),
            Self::Signal(number) => match signal_name(*number) {
                Some(name) => write!(f, "was killed by {name}"),
                None => write!(f, "was killed by signal {number}"),
            },
            Self::NotStarted(errno) => {
                write!(f, "could not be started (errno {errno}: {})", errno_words(*errno))
            }
            Self::Unknown => f.write_str("ended, how is not known"),
            Self::Ruled(ruling) => ruling.fmt(f),
        }
    }
}

impl Display for Ruling {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.write_str(match self {
            Self::OutOfMemory => "was killed for want of memory",
            Self::Watchdog => "was killed by its watchdog: no sign of life in time",
            Self::Timeout => "was killed: it did not start or stop in time",
            Self::Protocol => "did not start in the way that its unit's type promises",
            Self::Resources => "could not be started: something that it is started with is missing",
            Self::StartLimit => "was not started: its start limit is hit",
            Self::Dependency => "was not started: something that it needs did not start",
            Self::Condition => "was not started: a condition of its unit is not met",
            Self::Step => "was not started: a step before it failed",
        })
    }
}

/// Signal numbers that Linux gives the same name on every architecture that Rust runs on but MIPS and SPARC.
const fn signal_name(number: i32) -> Option<&'static str> {
    Some(match number {
        1 => "SIGHUP",
        2 => "SIGINT",
        3 => "SIGQUIT",
        4 => "SIGILL",
        5 => "SIGTRAP",
        6 => "SIGABRT",
        7 => "SIGBUS",
        8 => "SIGFPE",
        9 => "SIGKILL",
        11 => "SIGSEGV",
        13 => "SIGPIPE",
        14 => "SIGALRM",
        15 => "SIGTERM",
        24 => "SIGXCPU",
        25 => "SIGXFSZ",
        31 => "SIGSYS",
        _ => return None,
    })
}

/// The errnos that starting a program gives in practice.
const fn errno_words(errno: i32) -> &'static str {
    match errno {
        1 => "not permitted",
        2 => "no such file",
        7 => "arguments too long",
        8 => "not an executable format",
        11 => "too many processes",
        12 => "out of memory",
        13 => "permission denied",
        20 => "not a directory",
        24 => "too many open files",
        26 => "the file is being written",
        _ => "see errno(3)",
    }
}

impl Display for Trigger {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Self::Exit(exit) => write!(f, "it {exit}"),
            Self::Check { check, cause } => write!(f, "{check}: {cause}"),
            Self::Root(root) => write!(f, "it was stopped while {root} was restarted"),
            Self::Changed(file) => write!(f, "it fails since {file} changed"),
        }
    }
}

impl Display for Because {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Self::SameDeath(times) | Self::SameDeathIsolated(times) => {
                write!(f, "it failed {times} times in the same way without once being up for 1 s")
            }
            Self::Budget { allowed, window } | Self::BudgetIsolated { allowed, window } => {
                write!(f, "the {allowed} remedies that it may have within {window} are used up")
            }
            Self::Isolated => f.write_str("no remedy of its ladder held"),
        }?;
        match self {
            Self::SameDeath(_) | Self::Budget { .. } => Ok(()),
            Self::Isolated | Self::SameDeathIsolated(_) | Self::BudgetIsolated { .. } => {
                f.write_str(", so it was stopped")
            }
        }
    }
}

impl Display for Remedy {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.pad(match self {
            Self::Restart => "is restarted",
            Self::Reload => "is reloaded",
            Self::Dependents => "is restarted while those that need it are stopped",
            Self::Rollback => "is rolled back to its last good files and restarted",
            Self::Isolate => "is stopped and left to a person",
            Self::Reboot => "has its host rebooted",
            Self::Package => "is put back to its last good package and restarted",
        })
    }
}

impl Display for GapReason {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.write_str(match self {
            Self::SpoolFull => "the spool was full",
            Self::AgentEnded => "the agent ended before they were sent",
            Self::Damaged => "they could not be read back",
            Self::Conflict => {
                "other content stands under these numbers (a clone of the run, or a restored snapshot)"
            }
            Self::RestoredFromBackup => "the collector was restored from an older backup",
        })
    }
}

impl Display for Span {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let (us, ms, s) = (self.micros(), self.millis(), self.secs());
        match s {
            0 if ms == 0 => write!(f, "{us} us"),
            0 => write!(f, "{ms} ms"),
            1..60 if ms % 1000 == 0 => write!(f, "{s} s"),
            1..60 => write!(f, "{s}.{} s", ms % 1000 / 100),
            60..3600 if s % 60 == 0 => write!(f, "{} min", s / 60),
            60..3600 => write!(f, "{} min {} s", s / 60, s % 60),
            3600..86_400 => write!(f, "{} h {} min", s / 3600, s % 3600 / 60),
            _ => write!(f, "{} d {} h", s / 86_400, s % 86_400 / 3600),
        }
    }
}

#[cfg(test)]
mod tests {
    mod not_done;
    mod sentences;

    use super::*;
    use crate::event::{Cause, Exited, Fact, Outcome, RemedyEnded, VerdictChanged};
    use std::string::ToString;

    #[test]
    fn people_read_what_happened() {
        let died = Fact::Exited(Exited {
            service: "nginx".parse().unwrap(),
            pid: 4711,
            exit: Exit::Signal(9),
            ran: Span::from_secs(3 * 3600 + 120),
            asked: false,
        });
        assert_eq!(died.to_string(), "nginx (pid 4711) was killed by SIGKILL after 3 h 2 min");
        let Fact::Exited(seen) = died else { unreachable!() };
        let found = Fact::Exited(Exited { ran: Span::ZERO, asked: true, ..seen });
        assert_eq!(found.to_string(), "nginx (pid 4711) was killed by SIGKILL, as asked");
        let held = Fact::Outcome(RemedyEnded {
            service: "nginx".parse().unwrap(),
            remedy: Remedy::Restart,
            attempt: 1,
            outcome: Outcome::Held {
                check: "nginx:http".parse().unwrap(),
                back_after: Span::from_millis(12),
                held_for: Span::from_secs(5),
            },
            took: Span::from_secs(5),
        });
        assert_eq!(
            held.to_string(),
            "nginx recovered, verified: nginx:http passed 12 ms after the failure and held for 5 s"
        );
    }

    #[test]
    fn levels_carry_their_unit() {
        let full = Fact::Verdict(VerdictChanged {
            check: "space:/".parse().unwrap(),
            kind: CheckKind::Space,
            service: None,
            from: Verdict::Up,
            to: Verdict::Down,
            cause: Some(Cause::Above { level: 973, limit: 950 }),
            said: crate::Text::default(),
            after: Span::ZERO,
        });
        assert_eq!(full.to_string(), "space:/ is down: 97.3 %, limit 95.0 %");
    }
}
