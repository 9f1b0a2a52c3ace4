//! How many descriptors the agent may have open, and that its services don't inherit that.
//!
//! The soft limit (1,024 on most hosts, often less in containers) is raised to the hard one: two descriptors per
//! service and one per probe may need more than it. A child gets the old one back, since programs that use select or
//! close every possible descriptor rely on it: the limit is lowered while a child is made. A thread that resolves a
//! name in that moment meets the old limit too.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// The agent's own limit and that of its children.
#[derive(Debug, Clone, Copy)]
pub(super) struct Descriptors {
    own: Rlimit,
    inherited: Rlimit,
}

impl Descriptors {
    /// Raises the agent's limit. One that can't be raised stays, and is told.
    pub(super) fn raise() -> Self {
        let inherited = getrlimit(Resource::Nofile);
        let own = Rlimit { current: inherited.maximum, maximum: inherited.maximum };
        match setrlimit(Resource::Nofile, own) {
            Ok(()) => Self { own, inherited },
            Err(error) => {
                tracing::warn!(%error, "the limit of open files can't be raised");
                Self { own: inherited, inherited }
            }
        }
    }

    /// What a child inherits.
    pub(super) const fn inherited(&self) -> Rlimit {
        self.inherited
    }

    /// Makes a child, which inherits what the agent inherited.
    pub(super) fn around<T>(&self, make: impl FnOnce() -> T) -> T {
        // Going between two limits below the hard one is always allowed; a child with the higher one is no harm to it.
        let _lowered = setrlimit(Resource::Nofile, self.inherited);
        let made = make();
        let _raised = setrlimit(Resource::Nofile, self.own);
        made
    }
}
