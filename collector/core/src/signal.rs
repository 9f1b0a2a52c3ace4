//! Signals: one fingerprinted condition each, firing or not.
