//! `[[service.check]]` and `[[check]]`: what to probe, how often, and how many readings decide.
//!
//! | key | unit, range | default |
//! |---|---|---|
//! | `kind` | `tcp`, `http`, `tls`, `expires`, `file`, `metric`, `log`, `process`, `exec`, `job`, `backup`, `container` | none |
//! | `name` | 1-64 printable characters without spaces | `SERVICE:KIND`, or the target where there is no service |
//! | `address` (tcp) | `host:port` | none |
//! | `send`, `expect` (tcp) | up to 1,024 bytes; expect: somewhere in the first 4 KiB of the answer | nothing |
//! | `url` (http) | `http://` or `https://` | none |
//! | `status` (http) | 100-599 | 200 |
//! | `address` (tls) | `host:port` | none |
//! | `server_name` (tls) | the name that the certificate must be for | the address' own |
//! | `ca` (tls) | PEM file, read at the start: CAs to believe, or the server's own certificate | the system's CAs |
//! | `starttls` (tls) | `smtp`, `imap`, `postgres`: what is spoken before TLS | nothing |
//! | `file` (expires) | PEM or DER, at most 1 MiB: of its certificates the one that ends first | this or `date` |
//! | `date`, `what` (expires) | a day (from midnight UTC) or a moment; up to 100 bytes for people | this or `file`; `it` |
//! | `degraded`, `down` (tls, expires) | what is left until the end, whole hours, at most 10 years | 14 d, 2 d |
//! | `path` (file) | a path; its names may be patterns of `*`, `?`, `[..]`; at most 10,000 names are read | none |
//! | `state` (file) | `present`, `absent` | `present` |
//! | `max_age` (file) | 1 s to 10 years since its content changed: from there on it is down | no limit |
//! | `of` (file) | `newest`, `oldest`: which of several matches is judged | `newest`; `oldest` of absent ones |
//! | `min_size`, `max_size` (file) | bytes, or a text such as `"10MiB"` | no limit |
//! | `mode`, `owner`, `group` (file) | `"0640"`; names or numbers | any |
//! | `contains`, `sha256` (file) | a text of up to 1,024 bytes; 64 digits. At most 16 MiB are read | any |
//! | `url` (metric) | `http://` or `https://`: a Prometheus text page, of which 4 MiB are read | none |
//! | `metric` (metric) | a name and labels, up to 512 bytes: `'requests_total{code="500"}'` | none |
//! | `per` (metric) | another such, by which it is divided; nothing of nothing is 0 | none |
//! | `rate` (metric) | true, false: growth per second since the look before, of counters | false |
//! | `combine` (metric) | `sum`, `max`, `min`, `first`: what is made of several series | there must be one |
//! | `above`, `below` (metric) | `{ degraded, down }`, decimals with up to three places | none: it must be there |
//! | `unusual` (metric) | so long it must be far from what its hour usually has; [`super::unusual`] | never |
//! | `file`, `unit` (log) | a file, over its rotations; or a unit, whose journal is read | one of them |
//! | `match` (log) | an expression of up to 512 bytes, in regex-lite's syntax (ASCII classes) | none |
//! | `ignore` (log) | up to 16 expressions: lines that do not count | nothing |
//! | `degraded`, `down` (log) | matching lines since the last look, 1-1,000,000,000 | down 1; none if `degraded` is given |
//! | `pidfile`, `executable` (process) | paths from the root | any |
//! | `user`, `unit`, `cgroup`, `args` (process) | a name or number; a unit's name; a path; a part of the command line | any |
//! | `count` (process) | `{ min, max }`, 0-4096; not with `pidfile` | 1 or more |
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
//! | `fall`, `rise` | readings in a row that make it down or up, 1-10 | 2 (log, process: 1), 1 |
//! | `for` | in place of `fall`: so long it must have been bad, up to 254 intervals | none |
//!
//! Every service has a check `SERVICE:process` without being asked: its exit is seen at once, and every 5 s whether
//! it is frozen. A check without service is watched and told, never healed.

mod backup;
mod common;
mod container;
mod exec;
mod expires;
mod file;
mod http;
mod job;
mod labels;
mod left;
mod log;
mod metric;
mod process;
mod tcp;
mod tls;

pub use backup::{Backup, Drill};
pub use container::Container;
pub use exec::{Exec, Program};
pub use expires::Expires;
pub use file::Watched;
pub(super) use file::size;
pub(crate) use job::is_job_name;
pub use job::{Job, JobSource};
pub(crate) use labels::labels;
pub use log::{Log, LogSource, Pattern};
pub use metric::{Combine, Metric, Selector};
pub(crate) use process::COUNT_MAX;
pub use process::Wanted;
pub use tls::{Starttls, Tls};

use super::read::{Keys, Sheet};
use super::unusual;
use common::{fall, name, readings, times, usual_times};
use picket_agent_core::check::{Limits, Side, Spec, has_hours};
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
    /// A part of the host.
    Host(super::Part),
    /// Processes that the agent did not start.
    Processes(Wanted),
    /// A server's certificate.
    Tls(Tls),
    /// A date.
    Expires(Expires),
    /// A file.
    File(Box<Watched>),
    /// A value of a Prometheus text page.
    Metric(Box<Metric>),
    /// Lines of a log.
    Log(Box<Log>),
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
            Self::Host(part) => part.fmt(f),
            Self::Processes(wanted) => wanted.fmt(f),
            Self::Tls(tls) => tls.fmt(f),
            Self::Expires(expires) => expires.fmt(f),
            Self::File(watched) => watched.fmt(f),
            Self::Metric(metric) => metric.fmt(f),
            Self::Log(log) => log.fmt(f),
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
pub(super) fn own_process(owner: &Owner<'_>, at: usize) -> Option<Check> {
    let spec = Spec {
        name: format!("{}:process", owner.name).parse().ok()?,
        kind: CheckKind::Process,
        service: Some(owner.ix),
        interval: INTERVAL,
        timeout: TIMEOUT,
        fall: 2,
        rise: 1,
        limits: None,
        full_within: Span::ZERO,
        unusual: Span::ZERO,
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

const KINDS: &[Kind] = &[
    (CheckKind::Tcp, tcp::read),
    (CheckKind::Http, http::read),
    (CheckKind::Tls, tls::read),
    (CheckKind::Expires, expires::read),
    (CheckKind::File, file::read),
    (CheckKind::Metric, metric::read),
    (CheckKind::Log, log::read),
    (CheckKind::Process, process::read),
    (CheckKind::Exec, exec::read),
    (CheckKind::Job, job::read),
    (CheckKind::Backup, backup::read),
    (CheckKind::Container, container::read),
];

/// Reads one table.
pub(super) fn read(mut keys: Keys<'_>, sheet: &mut Sheet<'_>, owner: Option<&Owner<'_>>) -> Option<Check> {
    let (kind, of_kind) = kind(&mut keys, sheet)?;
    if kind == CheckKind::Process && owner.is_some() {
        let better = Some("write it as [[check]] where it is another's".to_owned());
        sheet.wrong(&keys.place(), "a service's own process is watched without being asked", better);
    }
    let read = of_kind(&mut keys, sheet);
    let usual = match owner {
        Some(owner) => Some(format!("{}:{kind}", owner.name)),
        None => read.as_ref().map(|read| read.name.clone()),
    };
    let name = name(&mut keys, sheet, usual);
    let (interval, timeout) = times(&mut keys, sheet, usual_times(kind));
    let (fall, rise) = (fall(&mut keys, sheet, kind, interval), readings(&mut keys, sheet, "rise", 1));
    let unusual = if has_hours(kind) { unusual::read(&mut keys, sheet, interval) } else { Span::ZERO };
    let at = keys.place().at;
    keys.finish(sheet);
    let (service, Read { target, limits, .. }) = (owner.map(|owner| owner.ix), read?);
    let (name, full_within) = (name?, Span::ZERO);
    let spec = Spec { name, kind, service, interval, timeout, fall, rise, limits, full_within, unusual };
    Some(Check { spec, target, at })
}

fn kind(keys: &mut Keys<'_>, sheet: &mut Sheet<'_>) -> Option<Kind> {
    let (word, place) = keys.needed(sheet, "kind")?;
    if let Some(kind) = KINDS.iter().copied().find(|(kind, _)| kind.to_string() == word) {
        return Some(kind);
    }
    let known: Vec<String> = KINDS.iter().map(|(kind, _)| kind.to_string()).collect();
    let known: Vec<&str> = known.iter().map(String::as_str).collect();
    let guess = super::read::nearest(word, &known).map(|kind| format!("did you mean \"{kind}\"?"));
    let better = guess.or_else(|| Some(format!("known: {}", known.join(", "))));
    sheet.wrong(&place, format!("`{word}` is no kind"), better);
    None
}
