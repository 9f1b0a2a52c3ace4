//! Checks that run or follow programs, with the real agent and the real things: plugins, jobs, backups, containers.

#![expect(clippy::unwrap_used, reason = "helpers of tests, where a panic is the report")]

mod backups;
mod containers;
mod exec;
mod host;
mod jobs;
