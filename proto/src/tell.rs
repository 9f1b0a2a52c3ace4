//! Facts in words: one wording for the agent's log, the collector's timeline and `picket up`.
//!
//! Only [`core::fmt::Display`], so that nothing allocates; spans are told with two significant parts. Words may get
//! better between versions: programs read codes ([`crate::code`]), not these sentences.

use crate::event::{
    Because, BlindSource, Breaker, Cause, CheckKind, Event, Exit, Fact, GapReason, Intent, IntentChanged,
    Outcome, Trigger, Verdict, VerdictChanged, Witness,
};
use crate::time::Span;
use core::fmt::{Display, Formatter, Result};

impl Display for Event {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        self.fact.fmt(f)
    }
}

impl Display for Fact {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Self::Began(it) => {
                write!(f, "agent {} began: {} checks, {} services", it.version, it.checks, it.services)
            }
            Self::Gap(it) => write!(f, "frames {} of run {} are lost: {}", it.range, it.run, it.reason),
            Self::Verdict(it) => verdict(it, f),
            Self::Started(it) if it.adopted => {
                write!(f, "{} found running and adopted (pid {})", it.service, it.pid)
            }
            Self::Started(it) => write!(f, "{} started (pid {})", it.service, it.pid),
            Self::Exited(it) if it.pid == 0 => write!(f, "{} {}", it.service, it.exit),
            Self::Exited(it) => {
                let asked = if it.asked { ", as asked" } else { "" };
                write!(f, "{} (pid {}) {} after {}{asked}", it.service, it.pid, it.exit, it.ran)
            }
            Self::Remedy(it) => {
                write!(f, "{} is restarted (attempt {}): {}", it.service, it.attempt, it.trigger)?;
                if it.delay.millis() > 0 { write!(f, ", {} after the failure", it.delay) } else { Ok(()) }
            }
            Self::Outcome(it) => match &it.outcome {
                Outcome::Held { check, back_after, held_for } => write!(
                    f,
                    "{} recovered, verified: {check} passed {back_after} after the failure and held for {held_for}",
                    it.service
                ),
                Outcome::Died(exit) => {
                    write!(f, "{} not healed by attempt {}: it {exit}", it.service, it.attempt)
                }
                Outcome::StillFailing { check, cause } => {
                    write!(f, "{} not healed by attempt {}: {check} {cause}", it.service, it.attempt)
                }
            },
            Self::Breaker(it) => match &it.to {
                Breaker::Open { because, last, retry_in, .. } => write!(
                    f,
                    "{} not healed, because {because}; last: {last}; one more try in {retry_in}",
                    it.service
                ),
                Breaker::HalfOpen => write!(f, "{} gets one more try", it.service),
                Breaker::Closed => write!(f, "{} may be healed again: its breaker closed", it.service),
            },
            Self::Evidence(it) => write!(f, "{} (pid {}) last printed: {}", it.service, it.pid, it.last_line),
            Self::Intent(it) => intent(it, f),
            Self::Blind(it) => match it.source {
                BlindSource::Systemd => {
                    write!(f, "systemd was not heard for {}; {} differences found", it.lasted, it.differences)
                }
            },
            Self::Hold(it) => {
                match it.lasts {
                    Some(lasts) => write!(f, "nothing is healed for {lasts}")?,
                    None => f.write_str("failures are healed again")?,
                }
                if let Some(service) = &it.service {
                    write!(f, " on {service}")?;
                }
                write!(f, ", by {}", it.by)
            }
        }
    }
}

fn intent(it: &IntentChanged, f: &mut Formatter<'_>) -> Result {
    match (it.to, it.witness) {
        (Intent::Run, Witness::Job) => write!(f, "{} was started: it is kept up again", it.service),
        (Intent::Run, Witness::State) => write!(f, "{} runs: it is kept up", it.service),
        (Intent::Stopped, Witness::Job) => {
            write!(f, "{} was stopped by an operator: it is left alone", it.service)
        }
        (Intent::Stopped, Witness::State) => write!(f, "{} is stopped: it is left alone", it.service),
        (Intent::Masked, Witness::Job | Witness::State) => {
            write!(f, "{} is masked: it is left alone", it.service)
        }
        (Intent::Unknown, Witness::Job | Witness::State) => {
            write!(f, "{} does not run, and how it ended was not seen: it is left alone", it.service)
        }
    }
}

fn verdict(it: &VerdictChanged, f: &mut Formatter<'_>) -> Result {
    write!(f, "{} is {}", it.check, it.to)?;
    match it.cause {
        Some(Cause::Above { level, limit }) => {
            f.write_str(": ")?;
            level_in(it.kind, level, f)?;
            f.write_str(", limit ")?;
            level_in(it.kind, limit, f)
        }
        Some(cause) => write!(f, ": {cause}"),
        None => write!(f, " (was {})", it.from),
    }
}

/// A level in the unit of its check's kind.
#[derive(Debug, Clone, Copy)]
pub struct Level(pub CheckKind, pub u32);

impl Display for Level {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        level_in(self.0, self.1, f)
    }
}

/// A level in the unit of its kind.
fn level_in(kind: CheckKind, level: u32, f: &mut Formatter<'_>) -> Result {
    match kind {
        CheckKind::Cpu | CheckKind::Memory | CheckKind::Space => write!(f, "{}.{} %", level / 10, level % 10),
        CheckKind::Load => write!(f, "{}.{:02} per core", level / 100, level % 100),
        CheckKind::Process | CheckKind::Tcp | CheckKind::Http => write!(f, "{level}"),
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
        })
    }
}

impl Display for Cause {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Self::Refused => f.write_str("connection refused: nothing listens"),
            Self::TimedOut => f.write_str("no answer in time"),
            Self::Unreachable => f.write_str("the address cannot be reached"),
            Self::Closed => f.write_str("the connection was closed before the answer was whole"),
            Self::Mismatch => f.write_str("the answer is not the expected one"),
            Self::Status(status) => write!(f, "HTTP status {status}"),
            Self::Unresolved => f.write_str("the name does not resolve"),
            Self::Tls => f.write_str("TLS failed"),
            Self::NoProcess => f.write_str("no process"),
            Self::Frozen => f.write_str("the process is frozen (stopped by a signal or a tracer)"),
            Self::Above { level, limit } => write!(f, "level {level}, limit {limit}"),
            Self::Stuck => f.write_str("the mount does not answer"),
            Self::Local(errno) => write!(f, "the probe failed with errno {errno}"),
        }
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
        }
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
        }
    }
}

impl Display for Because {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Self::SameDeath(times) => {
                write!(f, "it failed {times} times in the same way without once being up for 1 s")
            }
            Self::Budget { allowed, window } => write!(f, "{allowed} remedies within {window} did not last"),
        }
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
    use super::*;
    use crate::event::{Exited, RemedyEnded};
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
        let held = Fact::Outcome(RemedyEnded {
            service: "nginx".parse().unwrap(),
            remedy: crate::event::Remedy::Restart,
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
            after: Span::ZERO,
        });
        assert_eq!(full.to_string(), "space:/ is down: 97.3 %, limit 95.0 %");
    }
}
