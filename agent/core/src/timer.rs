//! Deadlines by reason.
