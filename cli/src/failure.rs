//! What went wrong and what to do about it, as one line on stderr and an exit status.
//!
//! The statuses are an interface: 0 done, 1 failed, 2 wrong usage (clap, and what it can't know), 4 not found, 5 refused, 64 mistakes in a
//! configuration, 69 the collector can't be reached (64 and 69 as in sysexits). A refusal by the collector keeps its
//! own words; where it begins with a stable code, that code's advice is added.

use crate::words;
use picket_proto::code;
use std::fmt;
use std::process::ExitCode;
use tonic::{Code, Status};

/// Why a command ends without having done what it should.
#[derive(Debug)]
pub(crate) struct Failure {
    /// What went wrong, without a full stop.
    what: String,
    /// What to do, a sentence; empty where `what` says it all.
    next: String,
    /// The exit status.
    pub(crate) exit: Exit,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    Failed,
    Usage,
    NotFound,
    Refused,
    Config,
    Unreachable,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Failed => 1,
            Exit::Usage => 2,
            Exit::NotFound => 4,
            Exit::Refused => 5,
            Exit::Config => 64,
            Exit::Unreachable => 69,
        })
    }
}

impl Failure {
    pub(crate) fn new(exit: Exit, what: impl Into<String>, next: impl Into<String>) -> Self {
        Self { what: what.into(), next: next.into(), exit }
    }

    pub(crate) fn failed(what: impl Into<String>, next: impl Into<String>) -> Self {
        Self::new(Exit::Failed, what, next)
    }

    pub(crate) fn refused(what: impl Into<String>, next: impl Into<String>) -> Self {
        Self::new(Exit::Refused, what, next)
    }

    pub(crate) fn unreachable(what: impl Into<String>, next: impl Into<String>) -> Self {
        Self::new(Exit::Unreachable, what, next)
    }

    /// The collector's own answer, or what became of the connection.
    pub(crate) fn from_status(status: &Status) -> Self {
        let exit = match status.code() {
            Code::NotFound => Exit::NotFound,
            Code::Unavailable | Code::DeadlineExceeded => Exit::Unreachable,
            Code::Unknown | Code::Internal | Code::Cancelled
                if std::error::Error::source(status).is_some() =>
            {
                Exit::Unreachable
            }
            Code::FailedPrecondition
            | Code::PermissionDenied
            | Code::Unauthenticated
            | Code::ResourceExhausted
            | Code::InvalidArgument
            | Code::OutOfRange
            | Code::AlreadyExists
            | Code::Aborted => Exit::Refused,
            Code::Ok
            | Code::Cancelled
            | Code::Unknown
            | Code::Internal
            | Code::Unimplemented
            | Code::DataLoss => Exit::Failed,
        };
        if exit == Exit::Unreachable {
            let why = plainly(&innermost(status));
            return Self::new(
                exit,
                format!("the connection to the collector broke: {why}"),
                "Is the collector running, and are these its credentials? `picket --help` names the options.",
            );
        }
        let what = words::plain(status.message());
        let next = advice(&what);
        Self::new(exit, what.trim_end_matches('.'), next)
    }

    /// Whether it is the refusal with this code.
    pub(crate) fn names(&self, code: &str) -> bool {
        self.what.contains(code)
    }

    /// What went wrong, without what to do about it.
    pub(crate) fn what(&self) -> &str {
        &self.what
    }

    /// Prints `error: what. what to do` on stderr.
    pub(crate) fn tell(&self) {
        use std::io::Write;
        let _nobody_reads = writeln!(std::io::stderr(), "error: {self}");
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let stop = if self.what.ends_with(['?', '.', '\n']) { "" } else { "." };
        write!(f, "{}{stop}", self.what)?;
        if self.next.is_empty() { Ok(()) } else { write!(f, " {}", self.next) }
    }
}

/// The code table's advice for a message that begins with a code, unless the message gives it already.
fn advice(message: &str) -> String {
    let first = message.split([':', ' ']).next().unwrap_or_default();
    match code::find(first) {
        Some(known) if !message.contains(known.next) => known.next.to_owned(),
        Some(_) | None => String::new(),
    }
}

/// The deepest cause that a transport error carries: "connection refused" rather than "transport error".
fn innermost(status: &Status) -> String {
    let mut cause: &dyn std::error::Error = status;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    let text = cause.to_string();
    if text.is_empty() || std::ptr::addr_eq(cause, status) { status.message().to_owned() } else { text }
}

/// A transport's words for a person: without the library's address, and what a killed peer looks like by name.
pub(crate) fn plainly(why: &str) -> String {
    if why.contains("close_notify") {
        return "it ended without a goodbye (killed, or cut off on the way)".to_owned();
    }
    words::plain(why.split(": https://").next().unwrap_or(why))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_keeps_its_words_and_gains_the_codes_advice() {
        let status = Status::failed_precondition("stale-revision: incident 1 is at revision 4");
        let failure = Failure::from_status(&status);
        assert_eq!(failure.exit, Exit::Refused);
        assert_eq!(
            failure.to_string(),
            "stale-revision: incident 1 is at revision 4. Look again and repeat the command with the new revision."
        );
    }

    #[test]
    fn a_transports_words_carry_no_librarys_address() {
        let killed = "peer closed connection without sending TLS close_notify: https://docs.rs/rustls/x";
        assert_eq!(plainly(killed), "it ended without a goodbye (killed, or cut off on the way)");
        assert_eq!(plainly("no such thing: https://docs.rs/x"), "no such thing");
        assert_eq!(plainly("connection refused"), "connection refused");
    }

    #[test]
    fn statuses_are_told_apart() {
        assert_eq!(Failure::from_status(&Status::not_found("x")).exit, Exit::NotFound);
        assert_eq!(Failure::from_status(&Status::unavailable("x")).exit, Exit::Unreachable);
        assert_eq!(Failure::from_status(&Status::internal("x")).exit, Exit::Failed);
        assert_eq!(Failure::from_status(&Status::permission_denied("not-an-operator")).exit, Exit::Refused);
    }
}
