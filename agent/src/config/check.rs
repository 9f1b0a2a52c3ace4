//! `[[service.check]]` and `[[check]]`: what to probe, how often, and how many readings decide.
//!
//! | key | unit, range | default |
//! |---|---|---|
//! | `kind` | `tcp`, `http` | none |
//! | `name` | 1-64 printable characters without spaces | `SERVICE:KIND`, or the target where there is no service |
//! | `address` (tcp) | `host:port` | none |
//! | `send`, `expect` (tcp) | up to 1,024 bytes; expect: somewhere in the first 4 KiB of the answer | nothing |
//! | `url` (http) | `http://` or `https://` | none |
//! | `status` (http) | 100-599 | 200 |
//! | `interval` | 100 ms to 24 h | 5 s |
//! | `timeout` | 10 ms to the interval | 2 s, or the interval where that is shorter |
//! | `fall`, `rise` | readings in a row that make it down or up, 1-10 | 2, 1 |
//!
//! Every service has a check `SERVICE:process` without being asked: its exit is seen at once, and every 5 s whether
//! it is frozen. A check without service is watched and told, never healed.

use super::read::{Keys, Place, Sheet};
use picket_agent_core::check::Spec;
use picket_proto::event::CheckKind;
use picket_proto::{Name, Span};
use std::fmt;

const TEXT_MAX: usize = 1024;
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

/// Reads one table.
pub(super) fn read(mut keys: Keys<'_>, sheet: &mut Sheet<'_>, owner: Option<&Owner<'_>>) -> Option<Check> {
    let (kind, place) = keys.needed(sheet, "kind")?;
    let (kind, target) = match kind {
        "tcp" => (CheckKind::Tcp, tcp(&mut keys, sheet)),
        "http" => (CheckKind::Http, http(&mut keys, sheet)),
        other => {
            let guess =
                super::read::nearest(other, &["tcp", "http"]).map(|kind| format!("did you mean \"{kind}\"?"));
            sheet.wrong(
                &place,
                format!("`{other}` is no kind"),
                guess.or_else(|| Some("known: tcp, http".to_owned())),
            );
            return None;
        }
    };
    let name = name(&mut keys, sheet, owner, (kind, target.as_ref()));
    let (interval, timeout) = times(&mut keys, sheet);
    let (fall, rise) = (readings(&mut keys, sheet, "fall", 2), readings(&mut keys, sheet, "rise", 1));
    let at = keys.place().at;
    keys.finish(sheet);
    let service = owner.map(|owner| owner.ix);
    let spec = Spec { name: name?, kind, service, interval, timeout, fall, rise, limits: None };
    Some(Check { spec, target: target?, at })
}

/// How often, and how long one probe may take.
pub(super) fn times(keys: &mut Keys<'_>, sheet: &mut Sheet<'_>) -> (Span, Span) {
    let day = Span::from_secs(86_400);
    let interval = keys.span(sheet, "interval", &(Span::from_millis(100)..=day), INTERVAL);
    let timeout = keys.span(sheet, "timeout", &(Span::from_millis(10)..=interval), TIMEOUT.min(interval));
    (interval, timeout)
}

fn readings(keys: &mut Keys<'_>, sheet: &mut Sheet<'_>, key: &'static str, default: u32) -> u8 {
    u8::try_from(keys.number(sheet, key, 1..=10, default)).expect("at most 10")
}

fn name(
    keys: &mut Keys<'_>,
    sheet: &mut Sheet<'_>,
    owner: Option<&Owner<'_>>,
    (kind, target): (CheckKind, Option<&Target>),
) -> Option<Name> {
    let given = keys.text(sheet, "name");
    let place = given
        .as_ref()
        .map_or_else(|| keys.place(), |(_, place)| Place { at: place.at, key: place.key.clone() });
    let text = match (&given, owner, target) {
        (Some((name, _)), _, _) => (*name).to_owned(),
        (None, Some(owner), _) => format!("{}:{kind}", owner.name),
        (None, None, Some(Target::Tcp { address, .. })) => format!("tcp:{address}"),
        (None, None, Some(Target::Http { url, .. })) => url.to_string(),
        (None, None, _) => return None,
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

fn tcp(keys: &mut Keys<'_>, sheet: &mut Sheet<'_>) -> Option<Target> {
    let send = bytes(keys, sheet, "send");
    let expect = bytes(keys, sheet, "expect");
    let (address, place) = keys.needed(sheet, "address")?;
    if address.parse::<super::Address>().is_err() {
        sheet.wrong(&place, "is not host:port", Some("write e.g. \"127.0.0.1:6379\"".to_owned()));
        return None;
    }
    Some(Target::Tcp { address: address.to_owned(), send, expect })
}

fn bytes(keys: &mut Keys<'_>, sheet: &mut Sheet<'_>, key: &'static str) -> Vec<u8> {
    let Some((text, place)) = keys.text(sheet, key) else { return Vec::new() };
    if text.len() > TEXT_MAX {
        sheet.wrong(&place, format!("has {} bytes, more than {TEXT_MAX}", text.len()), None);
    }
    text.as_bytes().to_vec()
}

fn http(keys: &mut Keys<'_>, sheet: &mut Sheet<'_>) -> Option<Target> {
    let status = u16::try_from(keys.number(sheet, "status", 100..=599, 200)).expect("at most 599");
    let (text, place) = keys.needed(sheet, "url")?;
    match reqwest::Url::parse(text) {
        Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => {
            Some(Target::Http { url, status })
        }
        Ok(_) | Err(_) => {
            sheet.wrong(
                &place,
                "is no web address",
                Some("write e.g. \"http://127.0.0.1:8080/\"".to_owned()),
            );
            None
        }
    }
}
