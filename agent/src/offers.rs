//! What this machine offers an agent, and what is missed without it: looked at as any user, without a configuration and
//! without a network, in less than a second. Nothing is changed: what can only be told by trying (a pidfd, an inotify instance) is
//! made for this process and closed.
//!
//! Missing is no fault of a host: most things an agent can do without. A problem is what a person should mend before an agent
//! runs here. Limits: 700 ms for systemd, 300 ms for the disk of the state folder, in a thread of its own.

mod around;
mod kernel;
mod place;
mod rights;

use std::path::Path;

/// How a thing stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Word {
    Ok,
    /// It is not there, and an agent does less without it.
    Without,
    /// Somebody should mend it.
    Problem,
}

impl Word {
    /// As it is shown.
    pub(crate) const fn text(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Without => "without",
            Self::Problem => "problem",
        }
    }
}

/// One thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Finding {
    pub(crate) what: &'static str,
    pub(crate) word: Word,
    /// What was seen.
    pub(crate) seen: String,
    /// What is missed, or what to do; empty where it is well.
    pub(crate) costs: String,
}

impl Finding {
    fn ok(what: &'static str, seen: impl Into<String>) -> Self {
        Self { what, word: Word::Ok, seen: seen.into(), costs: String::new() }
    }

    fn without(what: &'static str, seen: impl Into<String>, costs: impl Into<String>) -> Self {
        Self { what, word: Word::Without, seen: seen.into(), costs: costs.into() }
    }

    fn problem(what: &'static str, seen: impl Into<String>, costs: impl Into<String>) -> Self {
        Self { what, word: Word::Problem, seen: seen.into(), costs: costs.into() }
    }
}

/// Everything, in the order in which it is shown.
pub(crate) async fn all(state: &Path) -> Vec<Finding> {
    let mut found = vec![kernel::version(), around::systemd().await, around::journal()];
    found.extend(kernel::all());
    found.extend(rights::all());
    found.extend(place::all(state).await);
    found.extend(around::all());
    found
}
