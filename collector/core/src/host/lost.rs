//! What vanished of a host, in words.

use alloc::string::String;
use serde::{Deserialize, Serialize};

/// One loss.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct LostThings {
    /// The service that is part of it.
    pub(crate) service: Option<u32>,
    /// One line for a list.
    pub(crate) title: String,
    /// What vanished, and what changed just before.
    pub(crate) cause: String,
}
