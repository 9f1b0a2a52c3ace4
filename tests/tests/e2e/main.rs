//! End to end: real processes, real TLS, real services, real faults. One thread through everything.
//!
//! A test that needs a server which is not installed says `cannot run here: NAME: reason`, which CI counts.

#![expect(clippy::unwrap_used, reason = "a test that can't go on ends there, and the line says where")]

mod blind;
mod breaker;
mod chaos;
mod ended;
mod evidence;
mod first;
mod identity;
mod link;
mod local;
mod metered;
mod older;
mod once;
mod reasons;
mod reboot;
mod rollback;
mod seal;
mod servers;
mod story;
mod thread;
mod ways;
