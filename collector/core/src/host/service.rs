//! A service as its host's agent tells of it.

use crate::table::Named;
use alloc::string::String;
use picket_proto::event::Intent;
use picket_proto::{Mono, Name, Run, Seq};
use serde::{Deserialize, Serialize};

/// Whether a remedy is under way whose outcome is not known yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Healing {
    No,
    Underway,
}

/// A service.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Service {
    pub(crate) name: Name,
    pub(crate) pid: u32,
    /// The frame that told the pid, or its end: an older one does not change it.
    pub(crate) pid_told: Option<(Run, Seq)>,
    pub(crate) remedies: u64,
    pub(crate) healing: Healing,
    /// Why remedies rest, in words; empty while they don't.
    pub(crate) not_healed: String,
    /// The frame that last told of a breaker or a remedy's end: an older one does not change what it told.
    pub(crate) healing_told: Option<(Run, Seq)>,
    /// What should be of it, as its agent last said.
    pub(crate) intent: Intent,
    /// The frame that told it: an older one does not change it.
    pub(crate) intent_told: Option<(Run, Seq)>,
    /// Since when somebody has it stopped.
    pub(crate) stopped: Option<Mono>,
    /// How it last died; empty before the first time.
    pub(crate) death: Death,
    /// The service that it was last said to wait for: without it it can't be well.
    pub(crate) needs: Option<u32>,
    /// When its death is over unless it fails again: it was started and its process check does not fail.
    pub(crate) calm_at: Option<Mono>,
}

/// A death in words.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Death {
    /// One line for a list.
    pub(crate) title: String,
    /// The cause.
    pub(crate) cause: String,
}

impl Named for Service {
    fn name(&self) -> &str {
        self.name.as_str()
    }
}
