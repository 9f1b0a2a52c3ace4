//! What belongs together, and which of it is the root.
