//! Checks of what is outside the agent, by a real agent: certificates, dates, files, metrics, logs. Each as `status`
//! shows it, for its success and its failure.

#![expect(clippy::unwrap_used, reason = "helpers of tests, where a panic is the report")]

mod ends;
mod files;
mod host;
mod logs;
mod metrics;
