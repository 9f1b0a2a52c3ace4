//! Remedies: what is due, how often, and when to rest.
