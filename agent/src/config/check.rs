//! `[[service.check]]` and `[[check]]`: what to probe, how often, and how many readings decide.
//!
//! | key | unit, range | default |
//! |---|---|---|
//! | `kind` | `tcp`, `http`, `exec`, `job`, `backup`, `container` | none |
//! | `name` | 1-64 printable characters without spaces | `SERVICE:KIND`, or the target where there is no service |
//! | `address` (tcp) | `host:port` | none |
//! | `send`, `expect` (tcp) | up to 1,024 bytes; expect: somewhere in the first 4 KiB of the answer | nothing |
//! | `url` (http) | `http://` or `https://` | none |
//! | `status` (http) | 100-599 | 200 |
//! | `command` (exec) | program in the Nagios plugin protocol and its arguments; `{here}`: the file's folder | none |
//! | `env` (exec) | table of texts; added to the few variables that it gets, see `program.rs` | nothing |
//! | `user` (exec) | name or number in `/etc/passwd` | `nobody` where the agent is root, else the agent's own |
//! | `stamp` (job) | file that the job touches when it has ended well | one of the three |
//! | `unit` (job) | `NAME.timer`, or `NAME.service` that stays loaded | one of the three |
//! | `run` (job) | name under which `picket-agent job run NAME -- COMMAND` records it, 1-48 of `A-Z a-z 0-9 . _ -` | one of the three |
//! | `path` (backup) | folder of the copies, or files in it by `*` and `?` in the last part | none |
//! | `copies` (backup) | so many at least, 1-100000 | 1 |
//! | `min_size` (backup) | KiB of the newest | none: it is not empty |
//! | `shrink` (backup) | per cent, 0-100: the newest is degraded below so much of the middle one of up to 7 before it; 0: off | 50 |
//! | `verify`, `env`, `user` (backup) | program that restores `$PICKET_COPY` somewhere and looks at it; as for exec | no drill |
//! | `verify_every`, `verify_timeout` (backup) | from one drill to the next, 1 s to 3660 d; how long one may take, 1 s to 24 h | 7 d, 1 h |
//! | `container` (container) | name or id of a container of Docker or Podman | none |
//! | `socket` (container) | where its engine answers | `/run/docker.sock` |
//! | `max_age` (job, backup) | since it last ended well, since the newest copy was made: a length of time, or `{ degraded, down }`; 1 s to 3660 d | none |
//! | `max_runtime` (job) | how long one run may take before it is down; not with `stamp`; 1 s to 3660 d | no limit |
//! | `interval` | 100 ms to 24 h | 5 s; exec, job, backup: 60 s |
//! | `timeout` | 10 ms to the interval | 2 s, exec, job, backup: 10 s, or the interval where that is shorter |
//! | `fall`, `rise` | readings in a row that make it down or up, 1-10 | 2, 1 |
//!
//! Every service has a check `SERVICE:process` without being asked: its exit is seen at once, and every 5 s whether
//! it is frozen. A check without service is watched and told, never healed.

mod backup;
mod container;
mod exec;
mod http;
mod job;
mod tcp;

pub use backup::{Backup, Drill};
pub use container::Container;
pub use exec::{Exec, Program};
pub(crate) use job::is_job_name;
pub use job::{Job, Source};

use super::read::{Keys, Sheet};
use picket_agent_core::check::{Limits, Spec};
use picket_proto::event::CheckKind;
use picket_proto::{Name, Span};
use std::fmt;

const TIMEOUT: Span = Span::from_secs(2);
const INTERVAL: Span = Span::from_secs(5);

/// One check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// What the core needs to know.
    pub spec: Spec,
    /// What the probe needs to know.
    pub target: Target,
    pub(super) at: usize,
}

/// What a probe looks at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// The process of the service at this place.
    Process(u16),
    /// A TCP port.
    Tcp {
        /// `host:port`.
        address: String,
        /// What to say first.
        send: Vec<u8>,
        /// What must be in the answer; empty: a connection is enough.
        expect: Vec<u8>,
    },
    /// A URL.
    Http {
        /// Which.
        url: reqwest::Url,
        /// The status that is good.
        status: u16,
    },
    /// CPU of the whole host.
    Cpu,
    /// Memory of the whole host.
    Memory,
    /// Load of the whole host.
    Load,
    /// Space below a mount point.
    Space {
        /// Which.
        mount: String,
    },
    /// A plugin.
    Exec(Exec),
    /// A job.
    Job(Job),
    /// Copies of data.
    Backup(Backup),
    /// A container.
    Container(Container),
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Process(_) => f.write_str("its process"),
            Self::Tcp { address, expect, .. } if expect.is_empty() => {
                write!(f, "{address} accepts connections")
            }
            Self::Tcp { address, expect, .. } => write!(f, "{address} answers \"{}\"", expect.escape_ascii()),
            Self::Http { url, status } => write!(f, "{url} gives {status}"),
            Self::Cpu => f.write_str("CPU in use"),
            Self::Memory => f.write_str("memory in use"),
            Self::Load => f.write_str("load per core"),
            Self::Space { mount } => write!(f, "space in use on {mount}"),
            Self::Exec(exec) => exec.fmt(f),
            Self::Job(job) => job.fmt(f),
            Self::Backup(backup) => backup.fmt(f),
            Self::Container(container) => container.fmt(f),
        }
    }
}

impl Check {
    /// Its name.
    pub const fn name(&self) -> &Name {
        &self.spec.name
    }
    /// What it watches.
    pub const fn kind(&self) -> CheckKind {
        self.spec.kind
    }
    /// What it looks at, for people.
    pub fn target(&self) -> String {
        self.target.to_string()
    }
}

/// The service that a check stands in.
pub(super) struct Owner<'s> {
    pub(super) ix: u16,
    pub(super) name: &'s str,
}

/// The check on a service's own process.
pub(super) fn process(owner: &Owner<'_>, at: usize) -> Option<Check> {
    let spec = Spec {
        name: format!("{}:process", owner.name).parse().ok()?,
        kind: CheckKind::Process,
        service: Some(owner.ix),
        interval: INTERVAL,
        timeout: TIMEOUT,
        fall: 2,
        rise: 1,
        limits: None,
    };
    Some(Check { spec, target: Target::Process(owner.ix), at })
}

/// What a kind's own keys say.
struct Read {
    target: Target,
    /// For kinds that read a level.
    limits: Option<Limits>,
    /// The check's name where it belongs to no service and is given none.
    name: String,
}

/// A kind: its word, and who reads its own keys.
type Kind = (CheckKind, fn(&mut Keys<'_>, &mut Sheet<'_>) -> Option<Read>);

const KINDS: [Kind; 6] = [
    (CheckKind::Tcp, tcp::read),
    (CheckKind::Http, http::read),
    (CheckKind::Exec, exec::read),
    (CheckKind::Job, job::read),
    (CheckKind::Backup, backup::read),
    (CheckKind::Container, container::read),
];

/// Reads one table.
pub(super) fn read(mut keys: Keys<'_>, sheet: &mut Sheet<'_>, owner: Option<&Owner<'_>>) -> Option<Check> {
    let (kind, of_kind) = kind(&mut keys, sheet)?;
    let read = of_kind(&mut keys, sheet);
    let usual = match owner {
        Some(owner) => Some(format!("{}:{kind}", owner.name)),
        None => read.as_ref().map(|read| read.name.clone()),
    };
    let name = name(&mut keys, sheet, usual);
    let (interval, timeout) = times(&mut keys, sheet, usual_times(kind));
    let (fall, rise) = (readings(&mut keys, sheet, "fall", 2), readings(&mut keys, sheet, "rise", 1));
    let at = keys.place().at;
    keys.finish(sheet);
    let (service, Read { target, limits, .. }) = (owner.map(|owner| owner.ix), read?);
    let spec = Spec { name: name?, kind, service, interval, timeout, fall, rise, limits };
    Some(Check { spec, target, at })
}

fn kind(keys: &mut Keys<'_>, sheet: &mut Sheet<'_>) -> Option<Kind> {
    let (word, place) = keys.needed(sheet, "kind")?;
    if let Some(kind) = KINDS.into_iter().find(|(kind, _)| kind.to_string() == word) {
        return Some(kind);
    }
    let known: Vec<String> = KINDS.iter().map(|(kind, _)| kind.to_string()).collect();
    let known: Vec<&str> = known.iter().map(String::as_str).collect();
    let guess = super::read::nearest(word, &known).map(|kind| format!("did you mean \"{kind}\"?"));
    let better = guess.or_else(|| Some(format!("known: {}", known.join(", "))));
    sheet.wrong(&place, format!("`{word}` is no kind"), better);
    None
}

/// How often a kind looks, and how long that may take, unless its keys say so: a program costs more than a packet, and a
/// nightly job can wait.
const fn usual_times(kind: CheckKind) -> (Span, Span) {
    match kind {
        CheckKind::Exec | CheckKind::Job | CheckKind::Backup => (Span::from_secs(60), Span::from_secs(10)),
        _ => (INTERVAL, TIMEOUT),
    }
}

/// How often, and how long one probe may take.
fn times(keys: &mut Keys<'_>, sheet: &mut Sheet<'_>, (interval, timeout): (Span, Span)) -> (Span, Span) {
    let day = Span::from_secs(86_400);
    let interval = keys.span(sheet, "interval", &(Span::from_millis(100)..=day), interval);
    let timeout = keys.span(sheet, "timeout", &(Span::from_millis(10)..=interval), timeout.min(interval));
    (interval, timeout)
}

fn readings(keys: &mut Keys<'_>, sheet: &mut Sheet<'_>, key: &'static str, default: u32) -> u8 {
    u8::try_from(keys.number(sheet, key, 1..=10, default)).expect("at most 10")
}

fn name(keys: &mut Keys<'_>, sheet: &mut Sheet<'_>, usual: Option<String>) -> Option<Name> {
    let (text, place) = match keys.text(sheet, "name") {
        Some((name, place)) => (name.to_owned(), place),
        None => (usual?, keys.place()),
    };
    match text.parse() {
        Ok(name) => Some(name),
        Err(bad) => {
            let better = Some("give it a short name: name = \"..\"".to_owned());
            sheet.wrong(&place, format!("the name `{text}` {bad}"), better);
            None
        }
    }
}
