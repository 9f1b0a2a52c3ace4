//! Why there is no link: at which step a try ended, the stable code of the reason, and what exactly was seen.
//!
//! What the core needs of it is a [`Trouble`], which sets the pace of the next tries; a person needs the rest. What
//! to do next stands in the table of codes, so that `picket explain` says the same. Errors of the resolver come as
//! text from the C library, in English since no program here sets a locale.

use crate::clock;
use picket_agent_core::session::Trouble;
use picket_proto::code;
use std::error::Error;
use std::fmt;
use std::io;

/// The collector takes no session, but renews the certificate.
pub(super) const ENDED: &str = "certificate-ended";

/// A step on the way to a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Step {
    /// The host's own key and certificate.
    Identity,
    /// The name becomes addresses.
    Resolve,
    /// TCP.
    Connect,
    /// The proxy opens its tunnel.
    Proxy,
    /// TLS.
    Tls,
    /// The token becomes a certificate.
    Enrol,
    /// The collector takes the session.
    Session,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Identity => "identity",
            Self::Resolve => "resolve",
            Self::Connect => "connect",
            Self::Proxy => "proxy",
            Self::Tls => "tls",
            Self::Enrol => "enrol",
            Self::Session => "session",
        })
    }
}

/// Why a try failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Diagnosis {
    /// Which address, as the configuration names it; empty where no address was the matter.
    pub(crate) address: String,
    /// At which step.
    pub(crate) step: Step,
    /// The stable code.
    pub(crate) code: &'static str,
    /// What exactly.
    pub(crate) detail: String,
}

impl Diagnosis {
    pub(super) fn new(step: Step, code: &'static str, detail: impl ToString) -> Self {
        Self { address: String::new(), step, code, detail: detail.to_string() }
    }

    pub(super) fn at(self, address: impl ToString) -> Self {
        Self { address: address.to_string(), ..self }
    }

    /// What a person can do about it.
    pub(crate) fn next(&self) -> &'static str {
        code::find(self.code).map_or("", |known| known.next)
    }

    /// What it means for the pace of the next tries: a person has to act first where nothing else helps.
    pub(crate) fn trouble(&self) -> Trouble {
        match self.code {
            "link-refused" => Trouble::Refused,
            "link-unreachable" | "link-no-route" => Trouble::Unreachable,
            "link-unresolved" | "link-no-resolver" => Trouble::Unresolved,
            "link-timed-out" => Trouble::TimedOut,
            "link-proxy" | "link-proxy-auth" | "link-proxy-away" => Trouble::Proxy,
            // A collector that is ending is back soon, another session's end is seen soon, a spoiled frame is taken
            // once, the next Hello is whole, and a certificate that had ended is renewed by then: nobody has to act.
            "link-closed" | "shutting-down" | "no-answer" | "frame-spoiled" | "hello-unknown" | ENDED => {
                Trouble::Closed
            }
            "link-tls" | "link-clock" | "link-expired" | "link-name" | "link-ca" | "link-intercepted"
            | "link-not-tls" | "link-not-picket" => Trouble::Tls,
            // The collector's own refusals, and what only a person can mend.
            _ => Trouble::Denied,
        }
    }
}

impl fmt::Display for Diagnosis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Errors of TCP name the address themselves.
        let named = self.detail.strip_prefix(&self.address).is_some_and(|rest| rest.starts_with(": "));
        if !(self.address.is_empty() || named) {
            write!(f, "{}: ", self.address)?;
        }
        f.write_str(&self.detail)
    }
}

/// A step that ended, for a person who tests the link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Taken {
    /// Which step.
    pub(crate) step: Step,
    /// How long it took.
    pub(crate) took: picket_proto::Span,
    /// What it came to.
    pub(crate) outcome: Result<String, Diagnosis>,
}

/// The steps of one try at one address, as they are taken.
#[derive(Debug)]
pub(super) struct Trail {
    address: String,
    step: Step,
    since: picket_proto::Mono,
    pub(super) taken: Vec<Taken>,
}

impl Trail {
    pub(super) fn new(address: String) -> Self {
        Self { address, step: Step::Identity, since: clock::now().mono, taken: Vec::new() }
    }

    pub(super) fn enter(&mut self, step: Step) {
        (self.step, self.since) = (step, clock::now().mono);
    }

    /// The step came to something.
    pub(super) fn good(&mut self, outcome: impl ToString) {
        self.end(Ok(outcome.to_string()));
    }

    /// The step came to nothing.
    pub(super) fn bad(&mut self, diagnosis: Diagnosis) -> Diagnosis {
        let diagnosis = diagnosis.at(&self.address);
        self.end(Err(diagnosis.clone()));
        diagnosis
    }

    /// The step took too long.
    pub(super) fn late(&mut self, seconds: u64) -> Diagnosis {
        let detail = format!("no answer within {seconds} s, at the step {}", self.step);
        self.bad(Diagnosis::new(self.step, "link-timed-out", detail))
    }

    fn end(&mut self, outcome: Result<String, Diagnosis>) {
        let took = clock::now().mono.since(self.since);
        self.taken.push(Taken { step: self.step, took, outcome });
    }
}

/// What the resolver's refusal means.
pub(super) fn unresolved(name: &str, error: &io::Error) -> Diagnosis {
    let text = error.to_string();
    // EAI_AGAIN in the words of glibc and of musl.
    let silent = ["Temporary failure", "Try again"].iter().any(|words| text.contains(words));
    let code = if silent { "link-no-resolver" } else { "link-unresolved" };
    Diagnosis::new(Step::Resolve, code, format!("{name}: {text}"))
}

/// What a failed TCP connection, or one that broke, means.
pub(super) fn broken(step: Step, error: &io::Error) -> Diagnosis {
    let code = match error.kind() {
        io::ErrorKind::ConnectionRefused => "link-refused",
        io::ErrorKind::TimedOut => "link-timed-out",
        io::ErrorKind::NetworkUnreachable => "link-no-route",
        io::ErrorKind::HostUnreachable => "link-unreachable",
        _ => "link-closed",
    };
    Diagnosis::new(step, code, chain_of(error))
}

/// What a status means: a refusal of the collector, which names its code first, or a transport that failed.
pub(super) fn refused(step: Step, status: &tonic::Status) -> Diagnosis {
    use tonic::Code;
    let words = if status.message().is_empty() { chain_of(status) } else { status.message().to_owned() };
    let named = words.split_once(':').and_then(|(first, _)| code::find(first));
    if let Some(known) = named {
        return Diagnosis::new(step, known.code, words);
    }
    if let Some(error) = super::tls::below(status) {
        return super::tls::why(step, error);
    }
    let code = match status.code() {
        Code::PermissionDenied | Code::FailedPrecondition | Code::Unauthenticated => "link-denied",
        Code::DeadlineExceeded => "link-timed-out",
        _ => "link-closed",
    };
    Diagnosis::new(step, code, words)
}

/// The error and what it rests on.
pub(super) fn sources<'e>(
    error: &'e (dyn Error + 'static),
) -> impl Iterator<Item = &'e (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error| (*error).source())
}

pub(super) fn chain_of(error: &(dyn Error + 'static)) -> String {
    sources(error).map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_collector_that_is_ending_is_tried_again_soon() {
        let ending = tonic::Status::unavailable("shutting-down: The collector is ending.");
        let why = refused(Step::Session, &ending);
        assert_eq!((why.code, why.trouble()), ("shutting-down", Trouble::Closed));
        let denied = tonic::Status::permission_denied("quarantined: two machines");
        assert_eq!(refused(Step::Session, &denied).trouble(), Trouble::Denied);
    }

    #[test]
    fn every_code_that_a_try_can_end_with_is_explained() {
        let codes = [
            "link-refused",
            "link-unreachable",
            "link-no-route",
            "link-unresolved",
            "link-no-resolver",
            "link-timed-out",
            "link-proxy",
            "link-proxy-auth",
            "link-proxy-away",
            "link-closed",
            "link-tls",
            "link-clock",
            "link-expired",
            "link-own-expired",
            "link-name",
            "link-ca",
            "link-intercepted",
            "link-not-tls",
            "link-not-picket",
            "link-revoked",
            "link-token",
            "link-identity",
            "link-denied",
        ];
        for code in codes {
            let next = Diagnosis::new(Step::Tls, code, "").next();
            assert!(!next.is_empty(), "{code}");
        }
    }

    #[test]
    fn a_resolver_that_is_silent_is_told_from_a_name_that_is_not_there() {
        let of = |text: &str| unresolved("c.example", &io::Error::other(text.to_owned())).code;
        let before = "failed to lookup address information: ";
        assert_eq!(of(&format!("{before}Temporary failure in name resolution")), "link-no-resolver");
        assert_eq!(of(&format!("{before}Try again")), "link-no-resolver", "musl");
        assert_eq!(of(&format!("{before}Name or service not known")), "link-unresolved");
        assert_eq!(of(&format!("{before}Name does not resolve")), "link-unresolved", "musl");
    }

    #[test]
    fn an_address_is_told_once() {
        let of = |detail: &str| {
            Diagnosis::new(Step::Connect, "link-refused", detail).at("192.0.2.1:74").to_string()
        };
        assert_eq!(of("192.0.2.1:74: refused"), "192.0.2.1:74: refused");
        assert_eq!(of("192.0.2.1:7440: refused"), "192.0.2.1:74: 192.0.2.1:7440: refused");
    }

    #[test]
    fn the_collectors_own_code_is_kept_and_slows_the_next_tries() {
        let status = tonic::Status::permission_denied("token-used: The one-time token was used already.");
        let diagnosis = refused(Step::Enrol, &status).at("c.example:7440");
        assert_eq!((diagnosis.code, diagnosis.trouble()), ("token-used", Trouble::Denied));
        assert!(diagnosis.next().contains("picket token"), "{}", diagnosis.next());
        assert!(diagnosis.to_string().starts_with("c.example:7440: token-used"), "{diagnosis}");
        let other = refused(Step::Session, &tonic::Status::permission_denied("no: because"));
        assert_eq!(other.code, "link-denied");
        let gone = refused(Step::Session, &tonic::Status::unavailable(""));
        assert_eq!((gone.code, gone.trouble()), ("link-closed", Trouble::Closed));
    }
}
