//! A session and where it stands: it speaks for its host, waits to, or was replaced; see [`super::contest`].

use super::terms::Granted;
use super::{Fact, Hello};
use alloc::boxed::Box;
use alloc::vec::Vec;
use picket_proto::{HostId, Mono};

/// A session.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) host: HostId,
    pub(crate) slot: u32,
    pub(crate) phase: Phase,
}

/// Where it stands.
#[derive(Debug)]
pub(crate) enum Phase {
    /// It speaks for its host.
    Live(Life),
    /// Another one speaks for the host, and both are asked.
    Waiting(Box<Waiting>),
    /// It did not answer, and another one speaks for the host. Only the answer to its challenge says that it lives:
    /// what else comes may have been on a slow way since before its agent ended.
    Replaced(Rival),
}

/// What a session was asked, and whether it answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Asked {
    pub(crate) nonce: u64,
    pub(crate) answered: bool,
}

impl Asked {
    /// Not answered yet.
    pub(crate) const fn new(nonce: u64) -> Self {
        Self { nonce, answered: false }
    }

    /// Whether something was asked and answered.
    pub(crate) fn is_answered(asked: Option<Self>) -> bool {
        asked.is_some_and(|asked| asked.answered)
    }
}

/// Of the session that speaks for its host.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Life {
    /// What it is asked since another one waits.
    pub(crate) asked: Option<Asked>,
    /// What it was asked when it came itself.
    pub(crate) came: Option<u64>,
    /// It answered something: its agent lived after its Hello had come.
    pub(crate) lived: bool,
}

/// Of a session that was replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rival {
    pub(crate) asked: Option<Asked>,
    /// The one that took its place has answered.
    pub(crate) successor_lived: bool,
}

impl Session {
    /// Notes an answer, if it was asked for.
    pub(crate) fn answered(&mut self, nonce: u64) {
        let asked = match &mut self.phase {
            Phase::Live(life) => {
                let is_asked = life.asked.is_some_and(|asked| asked.nonce == nonce);
                life.lived |= is_asked || life.came == Some(nonce);
                life.asked.as_mut()
            }
            Phase::Waiting(waiting) => Some(&mut waiting.asked),
            Phase::Replaced(rival) => rival.asked.as_mut(),
        };
        if let Some(asked) = asked.filter(|asked| asked.nonce == nonce) {
            asked.answered = true;
        }
    }
}

/// A session that waits for the one before it.
#[derive(Debug)]
pub(crate) struct Waiting {
    pub(crate) hello: Hello,
    /// What is granted to it.
    pub(crate) granted: Granted,
    pub(crate) until: Mono,
    /// It waits no longer than this.
    pub(crate) last: Mono,
    pub(crate) kept: Vec<Fact>,
    pub(crate) asked: Asked,
}
