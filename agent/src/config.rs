//! The agent's file and its drop-ins: parsed once into parts with no string that is a length of time and no `Option` that means
//! "default"; all mistakes are reported together, with file, line, key and what to write instead.
//!
//! Limits: 1,024 checks (the core's storage is sized from it), 256 services (one spawned process each), texts of at
//! most 1 MiB in all, 64 drop-ins. Lengths of time are texts such as "500ms", "10s", "5m", "1h", "14d". Relative paths are relative to the file.
//!
//! | key | unit, range | default |
//! |---|---|---|
//! | `agent.state` | folder, made with mode 0700 | none: this or `--state` |
//! | `agent.host` | 1-63 of `a-z 0-9 . _ -` | the kernel's host name, lower case |
//! | `agent.spool` | MiB of disk, 1-1024: events that wait for the collector | 16: some 100,000 events, weeks of an outage |
//! | `agent.flash_budget` | MiB written to it in 24 h, 1-1024; above, routine events wait in memory | 10 |
//! | `agent.reboot` | `{ command, max, per }`: how the host is rebooted, and how often at most | none: no service may ask for it |
//! | `agent.bus` | `system`, `user`, or a D-Bus address such as `unix:path=/run/bus` | `system`, or what `DBUS_SYSTEM_BUS_ADDRESS` says |
//! | `collector.address` | `host:port`, or a list of up to 8; `https://` may stand before it | none: this or `--collector` |
//! | `collector.server_name` | the name that the collector's certificate is for | the address' own |
//! | `collector.ca` | PEM file of the collector's CA | what the token pins, kept after enrolment |
//! | `collector.token_file` | file with a one-time token; only its owner can read it | none |
//! | `collector.token` | the token itself; only if no one but the owner can read this file | none |
//! | `collector.proxy` | `http://USER@HOST:PORT`, for every address | the environment's, see `config/proxy.rs` |
//! | `collector.proxy_password_file` | file with its password; only its owner can read it | none |
//! | `collector.profile` | `normal`, `metered` | `normal` |
//! | `collector.report` | 10 s to 1 h: how often the collector hears of this host | 10 s; 15 min where `metered` |
//! | `collector.cap` | 64KiB to 1024GiB: what the link may carry in 30 days | none |
//!
//! The tables `[baseline]`, `[host]`, `[metrics]`, `[[service]]` and `[[check]]` are described in `config/baseline.rs`,
//! `config/host.rs`, `config/metrics.rs`, `config/service.rs` and `config/check.rs`. It starts nothing. It looks
//! at nothing but the files that it names, and once at which mounts, interfaces and sensors the host has.

mod agent;
mod baseline;
mod bus;
mod check;
mod collector;
mod command;
mod draft;
mod example;
mod explain;
mod files;
mod host;
mod kept;
pub(crate) mod keys;
mod ladder;
mod merge;
mod metrics;
mod mistake;
mod needs;
mod proxy;
mod read;
pub(crate) mod schema;
mod service;
mod token;
mod unusual;
mod when;
mod words;

pub use bus::BusAddress;
pub use check::{
    Backup, Check, Combine, Container, Drill, Exec, Expires, Job, JobSource, Log, LogSource, Metric, Pattern,
    Program, Selector, Starttls, Target, Tls, Wanted, Watched,
};
pub(crate) use check::{COUNT_MAX, is_job_name, labels};
pub use collector::{ADDRESSES_MAX, Address, Collector, NoAddress};
pub use command::Commands;
pub use example::example;
pub(crate) use explain::Section;
pub(crate) use host::{MOUNTS_MAX, Seen};
pub use host::{Part, Resource, Sensor};
pub use kept::Kept;
pub(crate) use ladder::rung;
pub(crate) use mistake::counted;
pub use mistake::{Mistake, Mistakes};
pub(crate) use proxy::Environment;
pub use proxy::Proxy;
pub use service::Service;
pub use token::Token;
pub(crate) use words::parse_span;

pub(crate) use files::{Texts, folder_of};
use picket_agent_core::baseline::Rules;
use picket_proto::HostId;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Most checks of one agent.
pub const CHECKS_MAX: usize = 1024;
/// Most services of one agent.
pub const SERVICES_MAX: usize = 256;

/// A whole configuration, parsed and sound.
#[derive(Debug, Clone)]
pub struct Config {
    /// The file.
    pub file: PathBuf,
    /// The file's folder, absolute: `{here}`.
    pub here: PathBuf,
    /// Where state is kept, if the file says so; the command line may.
    pub state: Option<PathBuf>,
    /// This host's id.
    pub host: HostId,
    /// The bus on which systemd is heard.
    pub bus: BusAddress,
    /// The command that reboots the host; empty where there is none.
    pub reboot: Vec<String>,
    /// The spool's disk.
    pub spool: Spool,
    /// The collector, if the file names one; the command line may.
    pub collector: Option<Collector>,
    /// Where `/metrics` is served, if the file says so: a loopback address.
    pub metrics: Option<SocketAddr>,
    /// What of the host is not watched, and why.
    pub notes: Vec<String>,
    /// What of the host is watched.
    pub(crate) seen: Seen,
    /// How the baseline is learned, unless the file says that it is not.
    pub baseline: Option<Rules>,
    services: Vec<Service>,
    checks: Vec<Check>,
    wish: host::Wish,
    skipped: Vec<Skipped>,
    texts: Arc<Texts>,
}

/// A service or check that the file has and that is not for this host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    /// Which, such as `service nginx`.
    pub what: String,
    /// Why not.
    pub why: String,
    /// The file that it stands in.
    pub file: PathBuf,
    /// Its line, from 1.
    pub line: usize,
}

/// Limits of the spool's disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spool {
    /// Bytes of disk.
    pub bytes: u64,
    /// Bytes written in 24 h, above which routine events wait in memory.
    pub flash_budget: u64,
}

impl Config {
    /// The services, in the order of the file.
    pub fn services(&self) -> &[Service] {
        &self.services
    }

    /// All checks: each service's, then those without service, then the host's.
    pub fn checks(&self) -> &[Check] {
        &self.checks
    }

    /// Both, moved out: an agent keeps them for as long as it runs, and once.
    pub(crate) fn take_watched(&mut self) -> (Vec<Service>, Vec<Check>) {
        (std::mem::take(&mut self.services), std::mem::take(&mut self.checks))
    }

    /// The texts that say it.
    pub(crate) fn texts(&self) -> Arc<Texts> {
        Arc::clone(&self.texts)
    }

    /// What counts, key by key, and where it was written.
    pub(crate) fn explained(&self) -> Vec<Section> {
        explain::parts(&self.texts, &self.here)
    }

    /// What the file has that is not for this host.
    pub fn skipped(&self) -> &[Skipped] {
        &self.skipped
    }
}

/// Reads a configuration file and its drop-ins.
///
/// Looks at the host as well, once: which mounts, interfaces and sensors there are.
///
/// # Errors
/// [`Mistakes`], all that were found. Nothing was changed.
pub fn load(path: &Path) -> Result<Config, Mistakes> {
    let (texts, unread) = Texts::read(path);
    draft::parse(path, texts, &unread, None).map(|config| on_this_host(config, &Seen::default()))
}

/// Makes checks of what is there of the host, or was at an earlier reading.
fn on_this_host(mut config: Config, before: &Seen) -> Config {
    let ground = host::Ground("/".into());
    let (notes, seen) = host::settle(&config.wish, &mut config.checks, &ground, before);
    config.notes.extend(notes);
    config.seen = seen;
    config
}

/// The same, with the texts as they stood, sound or not; what can't be read stands among them with why. `before` is
/// what this run watched of the host until now.
pub(crate) fn load_with_texts(path: &Path, before: &Seen) -> (Result<Config, Mistakes>, Texts) {
    let (texts, unread) = Texts::read(path);
    let read = texts.iter().map(|text| (text.path.clone(), text.text.clone()));
    let stood = Texts::new(read.chain(unread.iter().cloned()));
    let read = draft::parse(path, texts, &unread, None);
    (read.map(|config| on_this_host(config, before)), stood)
}

/// Parses these texts of the configuration file at `path`.
///
/// # Errors
/// [`Mistakes`], all that were found.
pub(crate) fn parse_texts(path: &Path, texts: Texts) -> Result<Config, Mistakes> {
    draft::parse(path, texts, &[], None).map(|config| on_this_host(config, &Seen::default()))
}

/// The state folder that a file names, whatever else may be wrong with it.
pub(crate) fn state_of(path: &Path) -> Option<PathBuf> {
    draft::state_of(path, &Texts::read(path).0)
}

/// Parses the text of the configuration file at `path`, without drop-ins and without a look at the host: what depends
/// on it is not there.
///
/// # Errors
/// [`Mistakes`], all that were found.
pub fn parse(path: &Path, text: &str) -> Result<Config, Mistakes> {
    draft::parse(path, Texts::new([(path.to_path_buf(), text.to_owned())]), &[], None)
}

#[cfg(test)]
mod tests;
