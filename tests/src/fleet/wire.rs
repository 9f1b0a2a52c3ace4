//! A slow wire between a host and the bridge: a program in between that holds every frame up. Kernels without `netem` can't.
//!
//! The host's end of the bridge is taken off it; a second pair of links takes its place, and `wire.py` carries frames from
//! one to the other. Its end, however it comes, is a cut cable.

use super::net;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

/// What it takes, and the Debian packages that have it.
pub(super) const NEEDS: &[(&str, &str)] =
    &[("/usr/bin/python3", "python3-minimal"), ("/usr/sbin/ethtool", "ethtool")];
const PROGRAM: &str = include_str!("wire.py");

/// See the module.
pub(super) struct Wire {
    host: String,
    carrier: Child,
}

impl Wire {
    /// What goes to a host and what comes from it takes so many milliseconds longer, each way.
    ///
    /// # Errors
    /// The carrier does not start.
    pub(super) fn slow(host: &str, millis: u32) -> Result<Self, String> {
        net::insert(host);
        let words = ["-c", PROGRAM, host, &net::near(host), &millis.to_string()];
        let carrier =
            Command::new("/usr/bin/python3").args(words).stdin(Stdio::null()).stdout(Stdio::piped()).spawn();
        let mut wire = Self { host: host.to_owned(), carrier: carrier.map_err(|error| error.to_string())? };
        let said = wire.carrier.stdout.take().map(BufReader::new);
        let first = said.and_then(|said| said.lines().next()).and_then(Result::ok);
        if first.as_deref() == Some("carries") {
            Ok(wire)
        } else {
            Err("the wire carries nothing".to_owned())
        }
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        let _gone_already = self.carrier.kill();
        let _reaped = self.carrier.wait();
        net::remove(&self.host);
    }
}
