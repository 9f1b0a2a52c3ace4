//! What was watched of the host since its start, without or with being named.
//!
//! An interface that lost its link, a sensor that answers no more, a mount that is gone or can only be read is what
//! these checks are for: reading the file again at such a moment must not take them for what was never well. Limits: what
//! the survey found, at most 32 of a kind; forgotten when the agent ends, so that a new start begins with what is well
//! then.

use super::super::check::Target;
use super::{Found, MOUNTS_MAX, Part};
use picket_proto::event::CheckKind;
use std::sync::Arc;

/// What earlier readings of this run found.
#[derive(Debug, Clone, Default)]
pub(crate) struct Seen(Arc<Vec<One>>);

#[derive(Debug, Clone)]
struct One {
    found: Found,
    /// Nobody named it.
    is_usual: bool,
}

impl Seen {
    /// Adds what is watched from now on.
    pub(super) fn saw(&mut self, found: &[Found], is_usual: bool) {
        let all = found.iter().map(|found| One { found: found.clone(), is_usual });
        Arc::make_mut(&mut self.0).extend(all);
    }

    /// Whether the check of this name was made without being asked for.
    pub(super) fn has(&self, name: &str) -> bool {
        self.0.iter().any(|one| one.is_usual && one.found.name == name)
    }

    /// Whether a mount was to be writable; nothing where it was not watched.
    pub(super) fn was_writable(&self, point: &str) -> Option<bool> {
        self.0.iter().find_map(|one| match &one.found.target {
            Target::Host(Part::Mount { mount, writable }) if mount == point => Some(*writable),
            _ => None,
        })
    }

    /// What is well now, and behind it what was at an earlier reading.
    pub(super) fn kept(&self, kind: CheckKind, well: Vec<Found>) -> Vec<Found> {
        let was = self.0.iter().filter(|one| one.is_usual && one.found.kind == kind).map(|one| &one.found);
        let gone = was.filter(|was| well.iter().all(|one| one.name != was.name)).cloned().collect::<Vec<_>>();
        // What was watched before goes first where there are too many.
        let (known, new): (Vec<_>, Vec<_>) = well.into_iter().partition(|one| self.has(&one.name));
        known.into_iter().chain(gone).chain(new).take(MOUNTS_MAX).collect()
    }
}
