//! The agent's file: parsed once into parts with no string that is a length of time and no `Option` that means
//! "default"; all mistakes are reported together, with file, line, key and what to write instead.
//!
//! Limits: 1,024 checks (the core's storage is sized from it), 256 services (one spawned process each), files of at
//! most 1 MiB. Lengths of time are texts such as "500ms", "10s", "5m", "1h". Relative paths are relative to the file.
//!
//! | key | unit, range | default |
//! |---|---|---|
//! | `agent.state` | folder, made with mode 0700 | none: this or `--state` |
//! | `agent.host` | 1-63 of `a-z 0-9 . _ -` | the kernel's host name, lower case |
//! | `agent.spool` | MiB of disk, 1-1024: events that wait for the collector | 16: some 100,000 events, weeks of an outage |
//! | `agent.flash_budget` | MiB written to it in 24 h, 1-1024; above, routine events wait in memory | 10 |
//! | `agent.bus` | `system`, `user`, or a D-Bus address such as `unix:path=/run/bus` | `system`, or what `DBUS_SYSTEM_BUS_ADDRESS` says |
//! | `collector.address` | `host:port`, or a list of up to 8; `https://` may stand before it | none: this or `--collector` |
//! | `collector.server_name` | the name that the collector's certificate is for | the address' own |
//! | `collector.ca` | PEM file of the collector's CA | what the token pins, kept after enrolment |
//! | `collector.token_file` | file with a one-time token; only its owner can read it | none |
//! | `collector.token` | the token itself; only if no one but the owner can read this file | none |
//! | `collector.proxy` | `http://USER@HOST:PORT`, for every address | the environment's, see `config/proxy.rs` |
//! | `collector.proxy_password_file` | file with its password; only its owner can read it | none |
//!
//! The tables `[host]`, `[metrics]`, `[[service]]` and `[[check]]` are described in `config/host.rs`,
//! `config/metrics.rs`, `config/service.rs` and `config/check.rs`. It starts nothing and looks at nothing but the files that it names.

mod bus;
mod check;
mod collector;
mod command;
mod host;
mod metrics;
mod needs;
mod proxy;
mod read;
mod service;
mod token;

pub use bus::BusAddress;
pub use check::{Check, Target};
pub use collector::{ADDRESSES_MAX, Address, Collector, NoAddress};
pub use command::Commands;
pub(crate) use proxy::Environment;
pub use proxy::Proxy;
pub(crate) use read::parse_span;
pub use read::{Mistake, Mistakes};
pub use service::Service;
pub use token::Token;

use picket_proto::HostId;
use read::{Keys, Place, Sheet};
use std::collections::BTreeSet;
use std::io::Read;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use toml::de::DeTable;

/// Most checks of one agent.
pub const CHECKS_MAX: usize = 1024;
/// Most services of one agent.
pub const SERVICES_MAX: usize = 256;
const FILE_MAX: u64 = 1024 * 1024;

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
    /// The spool's disk.
    pub spool: Spool,
    /// The collector, if the file names one; the command line may.
    pub collector: Option<Collector>,
    /// Where `/metrics` is served, if the file says so: a loopback address.
    pub metrics: Option<SocketAddr>,
    services: Vec<Service>,
    checks: Vec<Check>,
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
}

/// Reads a configuration file.
///
/// # Errors
/// [`Mistakes`], all that were found. Nothing was changed.
pub fn load(path: &Path) -> Result<Config, Mistakes> {
    let text = match read_file(path) {
        Ok(text) => text,
        Err(problem) => {
            let mut sheet = Sheet::new(path, "");
            sheet.wrong_file(problem, None);
            return Err(sheet.finish());
        }
    };
    parse(path, &text)
}

fn read_file(path: &Path) -> Result<String, String> {
    let unreadable = |error: std::io::Error| format!("cannot be read: {error}");
    let mut text = String::new();
    // What is no plain file has no size to look at before: `/dev/zero` never ends.
    let file = std::fs::File::open(path).map_err(unreadable)?;
    file.take(FILE_MAX + 1).read_to_string(&mut text).map_err(unreadable)?;
    if text.len() as u64 > FILE_MAX { Err(format!("has more than {FILE_MAX} bytes")) } else { Ok(text) }
}

/// Parses the text of the configuration file at `path`.
///
/// # Errors
/// [`Mistakes`], all that were found.
pub fn parse(path: &Path, text: &str) -> Result<Config, Mistakes> {
    let mut sheet = Sheet::new(path, text);
    let (table, errors) = DeTable::parse_recoverable(text);
    sheet.syntax(&errors);
    if !errors.is_empty() {
        return Err(sheet.finish());
    }
    let here =
        path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
    let here = std::path::absolute(here).unwrap_or_else(|_| here.to_path_buf());
    let mut keys = Keys::new(table.get_ref(), String::new(), 0);
    let AgentTable { state, host, spool, bus } = agent(&mut keys, &mut sheet, &here);
    let collector =
        keys.table(&mut sheet, "collector").and_then(|table| collector::read(table, &mut sheet, &here));
    let table = keys.table(&mut sheet, "metrics");
    let metrics = metrics::read(table, &mut sheet);
    let (mut services, mut checks) = (Vec::new(), Vec::new());
    for table in keys.tables(&mut sheet, "service") {
        service::read(table, &mut sheet, &here, &mut services, &mut checks);
    }
    for table in keys.tables(&mut sheet, "check") {
        checks.extend(check::read(table, &mut sheet, None));
    }
    needs::tie(&mut services, &mut sheet);
    let host_place = keys.place();
    let host_table = keys.table(&mut sheet, "host");
    host::read(host_table, &mut sheet, &mut checks);
    keys.finish(&mut sheet);
    unique(&services, &checks, &mut sheet);
    limits(&services, &checks, &host_place, &mut sheet);
    if sheet.is_clean() {
        let file = path.to_path_buf();
        Ok(Config { file, here, state, host, bus, spool, collector, metrics, services, checks })
    } else {
        Err(sheet.finish())
    }
}

/// `[agent]`.
struct AgentTable {
    state: Option<PathBuf>,
    host: HostId,
    spool: Spool,
    bus: BusAddress,
}

fn agent(keys: &mut Keys<'_>, sheet: &mut Sheet<'_>, here: &Path) -> AgentTable {
    const SPOOL: u32 = 16;
    const BUDGET: u32 = 10;
    let mib = |count: u32| u64::from(count) * 1024 * 1024;
    let Some(mut keys) = keys.table(sheet, "agent") else {
        let spool = Spool { bytes: mib(SPOOL), flash_budget: mib(BUDGET) };
        return AgentTable { state: None, host: kernel_host(), spool, bus: BusAddress::System };
    };
    let state = keys.text(sheet, "state").map(|(state, _)| here.join(state));
    let host = keys.text(sheet, "host").map(|(host, place)| (host.parse::<HostId>(), place));
    let host = match host {
        None => kernel_host(),
        Some((Ok(host), _)) => host,
        Some((Err(bad), place)) => {
            sheet.wrong(&place, bad.to_string(), Some("use 1 to 63 of a-z 0-9 . _ -".to_owned()));
            kernel_host()
        }
    };
    let spool = Spool {
        bytes: mib(keys.number(sheet, "spool", 1..=1024, SPOOL)),
        flash_budget: mib(keys.number(sheet, "flash_budget", 1..=1024, BUDGET)),
    };
    let bus = bus::read(&mut keys, sheet);
    keys.finish(sheet);
    AgentTable { state, host, spool, bus }
}

/// The kernel's host name as a [`HostId`]; `localhost` where it can't be one.
fn kernel_host() -> HostId {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let lower =
        name.trim().to_ascii_lowercase().replace(|c: char| !c.is_ascii_alphanumeric() && c != '.', "-");
    let kept: String = lower.chars().take(picket_proto::id::HOST_MAX).collect();
    kept.parse().unwrap_or_else(|_| "localhost".parse().expect("a constant of allowed characters"))
}

fn unique(services: &[Service], checks: &[Check], sheet: &mut Sheet<'_>) {
    let mut seen = BTreeSet::new();
    for service in services {
        if !seen.insert(service.spec.name.as_str()) {
            let place = Place { at: service.at, key: "service.name".to_owned() };
            sheet.wrong(&place, format!("`{}` is the name of another service", service.spec.name), None);
        }
    }
    seen.clear();
    for check in checks {
        if !seen.insert(check.spec.name.as_str()) {
            let place = Place { at: check.at, key: "check.name".to_owned() };
            let better = Some("give it a name of its own: name = \"..\"".to_owned());
            sheet.wrong(&place, format!("`{}` is the name of another check", check.spec.name), better);
        }
    }
}

fn limits(services: &[Service], checks: &[Check], place: &Place, sheet: &mut Sheet<'_>) {
    if services.len() > SERVICES_MAX {
        sheet.wrong(place, format!("has {} services, more than {SERVICES_MAX}", services.len()), None);
    }
    if checks.len() > CHECKS_MAX {
        sheet.wrong(place, format!("has {} checks, more than {CHECKS_MAX}", checks.len()), None);
    }
}

#[cfg(test)]
mod tests;
