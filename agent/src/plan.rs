//! What one start of the agent works with: the file and the command line put together, nothing left open.
//!
//! What is missing in both is a mistake like those in the file, told with them. It opens nothing.

use crate::config::{
    ADDRESSES_MAX, Address, BusAddress, Check, Collector, Config, Environment, Mistake, Mistakes, NoAddress,
    Seen, Service, Skipped, Spool, Texts, Token,
};
use crate::identity::Folder;
use crate::link::Way;
use picket_agent_core::Ending;
use picket_agent_core::baseline::Rules;
use picket_agent_core::session::Terms;
use picket_proto::{HostId, Wall};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What the command line says; it wins over the file.
#[derive(Debug, Clone, Default)]
pub(crate) struct Given {
    pub(crate) state: Option<PathBuf>,
    pub(crate) host: Option<String>,
    /// Addresses, in the order in which they were given.
    pub(crate) collector: Vec<String>,
    pub(crate) token_file: Option<PathBuf>,
    /// The token itself; before any file.
    pub(crate) token: Option<Token>,
    pub(crate) stop_services: bool,
}

/// One start of the agent.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) state: PathBuf,
    pub(crate) host: HostId,
    pub(crate) spool: Spool,
    pub(crate) collector: Collector,
    /// The way to each of its addresses.
    pub(crate) ways: Vec<Way>,
    /// Where systemd is heard.
    pub(crate) bus: BusAddress,
    /// The command that reboots the host; empty where there is none.
    pub(crate) reboot: Vec<String>,
    pub(crate) services: Arc<[Service]>,
    pub(crate) checks: Arc<[Check]>,
    /// What of the host is not watched, and why.
    pub(crate) notes: Vec<String>,
    /// What of it is.
    pub(crate) seen: Seen,
    /// Where `/metrics` is served, if anywhere.
    pub(crate) metrics: Option<SocketAddr>,
    /// How the baseline is learned, if it is.
    pub(crate) baseline: Option<Rules>,
    /// What SIGTERM and SIGINT mean for the services.
    pub(crate) ending: Ending,
    /// The configuration file.
    pub(crate) file: PathBuf,
    /// It and its drop-ins, as they say this.
    pub(crate) texts: Arc<Texts>,
    /// What they have that is not for this host.
    pub(crate) skipped: Vec<Skipped>,
    /// Where the file has mistakes, so that this is the last one that had none.
    pub(crate) kept: Option<Kept>,
}

/// A file with mistakes at the start.
#[derive(Debug)]
pub(crate) struct Kept {
    /// When the configuration without mistakes had come into force.
    pub(crate) since: Wall,
    pub(crate) mistakes: Mistakes,
    /// What the file and its drop-ins say.
    pub(crate) texts: Arc<Texts>,
}

/// Puts file and command line together.
///
/// # Errors
/// [`Mistakes`], all of them.
pub(crate) fn settle(mut config: Config, given: &Given) -> Result<Plan, Mistakes> {
    let mut wrong = Vec::new();
    let mut miss = |problem: String, better: &str| {
        let suggestion = (!better.is_empty()).then(|| better.to_owned());
        wrong.push(Mistake { file: config.file.clone(), line: 0, key: String::new(), problem, suggestion });
    };
    let (state, host) = home(&config, given, &mut miss);
    let collector = collector(&config, given, &mut miss);
    if collector.as_ref().is_some_and(|it| it.token.is_none() && !Folder::below(&state).is_enrolled()) {
        miss(
            "this host has no certificate yet, and no token to get one".to_owned(),
            "`picket token HOST` makes one; name its file in [collector] token_file",
        );
    }
    let ways = collector.as_ref().map_or_else(Vec::new, |collector| ways(collector, &mut miss));
    let (services, checks) = config.take_watched();
    let ending = if given.stop_services { Ending::StopServices } else { Ending::LeaveServices };
    let (spool, metrics, baseline) = (config.spool, config.metrics, config.baseline);
    let (file, texts, skipped) = (config.file.clone(), config.texts(), config.skipped().to_vec());
    let (notes, seen) = (config.notes, config.seen);
    match collector {
        Some(collector) if wrong.is_empty() => Ok(Plan {
            state,
            host,
            spool,
            bus: config.bus,
            reboot: config.reboot,
            collector,
            ways,
            services: services.into(),
            checks: checks.into(),
            notes,
            seen,
            metrics,
            baseline,
            ending,
            file,
            texts,
            skipped,
            kept: None,
        }),
        Some(_) | None => Err(Mistakes(wrong)),
    }
}

/// The folder of the state, and the host's name.
fn home(config: &Config, given: &Given, miss: &mut dyn FnMut(String, &str)) -> (PathBuf, HostId) {
    let state = given.state.clone().or_else(|| config.state.clone());
    if state.is_none() {
        miss("no folder for the state".to_owned(), "add [agent] state = \"..\", or give --state DIR");
    }
    let host = given.host.as_deref().map_or(Ok(config.host.clone()), str::parse);
    let host = host.unwrap_or_else(|bad| {
        miss(format!("--host {bad}"), "use 1 to 63 of a-z 0-9 . _ -");
        config.host.clone()
    });
    (absolute(state.unwrap_or_default()), host)
}

fn absolute(path: PathBuf) -> PathBuf {
    std::path::absolute(&path).unwrap_or(path)
}

fn collector(config: &Config, given: &Given, miss: &mut dyn FnMut(String, &str)) -> Option<Collector> {
    let filed = || given.token_file.as_deref().and_then(|file| token(file, miss));
    let token = given.token.clone().or_else(filed);
    let filed = config.collector.clone();
    let found = if given.collector.is_empty() { filed } else { named(given, filed, miss) };
    if found.is_none() && given.collector.is_empty() {
        miss(
            "no collector".to_owned(),
            "add [collector] address = \"host:port\", or give --collector ADDRESS",
        );
    }
    found.map(|found| Collector { token: token.or_else(|| found.token.clone()), ..found })
}

/// The collector of the command line; what it does not say is the file's.
fn named(given: &Given, filed: Option<Collector>, miss: &mut dyn FnMut(String, &str)) -> Option<Collector> {
    let mut addresses = Vec::new();
    for text in &given.collector {
        match text.parse::<Address>() {
            Ok(address) => addresses.push(address),
            Err(NoAddress) => {
                miss(format!("--collector `{text}` is not host:port"), "write e.g. 127.0.0.1:7440");
                return None;
            }
        }
    }
    if addresses.len() > ADDRESSES_MAX {
        miss(format!("--collector is given {} times", addresses.len()), "give at most 8 addresses");
        return None;
    }
    let bare = || Collector {
        addresses: Vec::new(),
        server_name: None,
        ca: None,
        token: None,
        proxy: None,
        terms: Terms::USUAL,
        evidence: true,
    };
    Some(Collector { addresses, ..filed.unwrap_or_else(bare) })
}

/// The way to each address: the file's proxy for all of them, else the environment's for those that it is meant for.
fn ways(collector: &Collector, miss: &mut dyn FnMut(String, &str)) -> Vec<Way> {
    let environment = Environment::read();
    let mut way = |address: &Address| {
        let of_environment = || environment.proxy_for(address);
        let proxy = collector.proxy.clone().map_or_else(of_environment, |proxy| Ok(Some(proxy)));
        let proxy = proxy.unwrap_or_else(|unfit| {
            miss(format!("https_proxy in the environment {}", unfit.problem), "unset it, or name another");
            None
        });
        Way { address: address.clone(), proxy }
    };
    collector.addresses.iter().map(&mut way).collect()
}

fn token(file: &Path, miss: &mut dyn FnMut(String, &str)) -> Option<Token> {
    match Token::read(file)? {
        Ok(token) => Some(token),
        Err(unfit) => {
            miss(unfit.problem, &unfit.better);
            None
        }
    }
}
