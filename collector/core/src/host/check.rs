//! A check as its host's agent tells of it.

use crate::table::Named;
use picket_proto::event::{Cause, CheckKind, Verdict};
use picket_proto::{Name, Text, Wall};
use serde::{Deserialize, Serialize};

/// A check.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Check {
    pub(crate) name: Name,
    pub(crate) kind: CheckKind,
    /// The slot of its service.
    pub(crate) service: Option<u32>,
    pub(crate) verdict: Verdict,
    pub(crate) since: Option<Wall>,
    pub(crate) cause: Option<Cause>,
    /// What its probe said with it.
    pub(crate) said: Text,
    pub(crate) watched: Watched,
}

/// Whether the agent's configuration names a check now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Watched {
    Yes,
    No,
}

impl Named for Check {
    fn name(&self) -> &str {
        self.name.as_str()
    }
}
