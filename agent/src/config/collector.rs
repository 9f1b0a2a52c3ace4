//! How to reach the collector: addresses in their order, whom to believe, the token, the proxy.
//!
//! At most 8 addresses. Any of them may be a name with addresses of both families; which are tried first is the
//! link's business. Secrets are literal only in a file that no one but its owner can read. A link that costs by the byte has
//! the profile `metered`: it sets how often the collector hears of this host, and that may be set by itself.

use super::check::size;
use super::proxy::Proxy;
use super::read::{Keys, Place, Sheet};
use super::token::{self, Token};
use picket_agent_core::session::Terms;
use picket_proto::Span;
use std::fmt;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use toml::de::DeValue;

/// Most addresses of a collector.
pub const ADDRESSES_MAX: usize = 8;

/// What a link may cost: nothing, or by the byte.
pub(crate) const PROFILES: &[&str] = &["normal", "metered"];
/// How often the collector hears of a host over a metered link: 96 words a day are 1 MB a month with all their headers.
const METERED_REPORT: Span = Span::from_secs(15 * 60);
/// Oftener than this a word of the host is most of what the link carries, 15 MB a month.
const METERED_LEAST: Span = Span::from_secs(60);
/// What a report costs with its answer and all headers, bytes; and a month, microseconds.
const BEAT: u64 = 350;
const MONTH: u64 = 30 * 86_400 * 1_000_000;
/// The longest that a collector grants.
const REPORT_MAX: Span = Span::from_secs(3_600);
/// Caps: less is used up by connecting, and more is none.
const CAPS: RangeInclusive<u64> = 64 * 1024..=1 << 40;

/// How to reach the collector.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Collector {
    /// Where, in the order in which they are tried.
    pub addresses: Vec<Address>,
    /// The name that its certificate is for, where the addresses are other ones (a balancer's).
    pub server_name: Option<String>,
    /// The CA's PEM file, if one is given.
    pub ca: Option<PathBuf>,
    /// The one-time token, if one is given.
    pub token: Option<Token>,
    /// The proxy that the file names: for every address.
    pub proxy: Option<Proxy>,
    /// How often it hears of this host, and how much the link may carry.
    pub terms: Terms,
    /// Whether it gets what services print when an operator asks for it.
    pub evidence: bool,
}

impl fmt::Display for Collector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all: Vec<String> = self.addresses.iter().map(ToString::to_string).collect();
        f.write_str(&all.join(", "))
    }
}

/// A name or address, and a port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// The name or address, without brackets.
    pub name: String,
    /// The port.
    pub port: u16,
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.name.contains(':') {
            write!(f, "[{}]:{}", self.name, self.port)
        } else {
            write!(f, "{}:{}", self.name, self.port)
        }
    }
}

/// A text that is no `host:port`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoAddress;

impl FromStr for Address {
    type Err = NoAddress;

    /// Splits `[https://]host:port`; an IPv6 address stands in brackets.
    fn from_str(text: &str) -> Result<Self, NoAddress> {
        let bare = text.strip_prefix("https://").unwrap_or(text).trim_end_matches('/');
        let (name, port) = bare.rsplit_once(':').ok_or(NoAddress)?;
        let bracketed = name.strip_prefix('[').and_then(|name| name.strip_suffix(']'));
        if name.is_empty() || (bracketed.is_none() && name.contains([':', '/'])) {
            return Err(NoAddress);
        }
        let port = port.parse().ok().filter(|port| *port > 0).ok_or(NoAddress)?;
        Ok(Self { name: bracketed.unwrap_or(name).to_owned(), port })
    }
}

pub(super) fn read(mut keys: Keys<'_>, sheet: &mut Sheet<'_>, here: &Path) -> Option<Collector> {
    let addresses = addresses(&mut keys, sheet);
    let server_name = keys.text(sheet, "server_name").and_then(|(name, place)| {
        let fits = rustls_pki_types::ServerName::try_from(name).is_ok();
        if !fits {
            let better = Some("write a name or an address without its port".to_owned());
            sheet.wrong(&place, "is no name of a server", better);
        }
        fits.then(|| name.to_owned())
    });
    let ca = keys.text(sheet, "ca").map(|(ca, place)| {
        let ca = here.join(ca);
        if !ca.is_file() {
            sheet.wrong(&place, format!("there is no file {}", ca.display()), None);
        }
        ca
    });
    let from_file =
        keys.text(sheet, "token_file").and_then(|(file, place)| token_file(&here.join(file), &place, sheet));
    let literal = keys.text(sheet, "token").and_then(|(text, place)| literal_token(text, &place, sheet));
    let proxy = proxy(&mut keys, sheet, here);
    let terms = terms(&mut keys, sheet);
    let evidence = keys.flag(sheet, "evidence", true);
    keys.finish(sheet);
    let (addresses, token) = (addresses?, from_file.or(literal));
    Some(Collector { addresses, server_name, ca, token, proxy, terms, evidence })
}

/// How the link is to be used.
fn terms(keys: &mut Keys<'_>, sheet: &mut Sheet<'_>) -> Terms {
    let is_metered = keys.text(sheet, "profile").is_some_and(|(profile, place)| {
        if !PROFILES.contains(&profile) {
            sheet.wrong(&place, format!("must be \"{}\" or \"{}\"", PROFILES[0], PROFILES[1]), None);
        }
        profile == PROFILES[1]
    });
    let (least, usual) =
        if is_metered { (METERED_LEAST, METERED_REPORT) } else { (Terms::USUAL.report, Terms::USUAL.report) };
    let report = keys.span(sheet, "report", &(least..=REPORT_MAX), usual);
    let cap = size(keys, sheet, "cap");
    if cap.is_some_and(|cap| !CAPS.contains(&cap)) {
        let better = "5MiB carry a host at rest for 30 days with 20 reconnects a day";
        let table = keys.place();
        let place = Place { key: format!("{}.cap", table.key), ..table };
        sheet.wrong(&place, "must lie between 64KiB and 1024GiB", Some(better.to_owned()));
    }
    let needed = MONTH / report.micros().max(1) * BEAT;
    if cap.is_some_and(|cap| cap < needed) && report < METERED_LEAST {
        let table = keys.place();
        let place = Place { key: format!("{}.cap", table.key), ..table };
        let better = "say profile = \"metered\" too, or report = \"15m\"";
        sheet.wrong(
            &place,
            format!(
                "is used up by reports that come so often: every {report}, they are {} MB in 30 days",
                needed / 1_000_000
            ),
            Some(better.to_owned()),
        );
    }
    Terms { report, cap }
}

/// One text, or a list of them.
fn addresses(keys: &mut Keys<'_>, sheet: &mut Sheet<'_>) -> Option<Vec<Address>> {
    let Some((value, place)) = keys.take("address") else {
        return keys.needed(sheet, "address").and(None);
    };
    let better = || Some("write e.g. \"collector.example:7440\", or a list of such".to_owned());
    let texts: Option<Vec<&str>> = match value.as_array() {
        Some(list) => list.iter().map(|item| DeValue::as_str(item.get_ref())).collect(),
        None => value.as_str().map(|text| vec![text]),
    };
    let Some(texts) = texts.filter(|texts| (1..=ADDRESSES_MAX).contains(&texts.len())) else {
        sheet.wrong(
            &place,
            format!("must be host:port, or a list of 1 to {ADDRESSES_MAX} of them"),
            better(),
        );
        return None;
    };
    let mut parsed = Vec::new();
    for text in texts {
        match text.parse() {
            Ok(address) => parsed.push(address),
            Err(NoAddress) => {
                sheet.wrong(&place, format!("`{text}` is not host:port"), better());
                return None;
            }
        }
    }
    Some(parsed)
}

fn proxy(keys: &mut Keys<'_>, sheet: &mut Sheet<'_>, here: &Path) -> Option<Proxy> {
    let password = keys.text(sheet, "proxy_password_file").and_then(|(file, place)| {
        token::secret(&here.join(file))
            .map_err(|unfit| sheet.wrong(&place, unfit.problem, Some(unfit.better)))
            .ok()
    });
    let (text, place) = keys.text(sheet, "proxy")?;
    match Proxy::parse(text, password.as_deref()) {
        Ok(proxy) => {
            let is_open =
                std::fs::metadata(sheet.at(&place).0).is_ok_and(|found| token::others_can_read(&found));
            if Proxy::has_password(text) && is_open {
                let better = "use proxy_password_file, or `chmod 600` this file, and change the password";
                sheet.wrong(&place, "has a password in a file that others can read", Some(better.to_owned()));
            }
            Some(proxy)
        }
        Err(unfit) => {
            sheet.wrong(&place, unfit.problem, Some(unfit.better));
            None
        }
    }
}

fn token_file(file: &Path, place: &Place, sheet: &mut Sheet<'_>) -> Option<Token> {
    match Token::read(file)? {
        Ok(token) => Some(token),
        Err(unfit) => {
            sheet.wrong(place, unfit.problem, Some(unfit.better));
            None
        }
    }
}

fn literal_token(text: &str, place: &Place, sheet: &mut Sheet<'_>) -> Option<Token> {
    if std::fs::metadata(sheet.at(place).0).is_ok_and(|found| token::others_can_read(&found)) {
        let better = "use token_file, or `chmod 600` this file, and make a new token".to_owned();
        sheet.wrong(place, "is a secret in a file that others can read", Some(better));
    }
    let token = Token::parse(text);
    if token.is_none() {
        sheet.wrong(place, "is no token", Some("`picket token HOST` makes one".to_owned()));
    }
    token
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_said_as_it_is_read() {
        for text in ["c.example:7440", "10.0.0.1:1", "[2001:db8::1]:7440"] {
            assert_eq!(text.parse::<Address>().unwrap().to_string(), text);
        }
        assert_eq!("https://c.example:7440/".parse::<Address>().unwrap().to_string(), "c.example:7440");
        for bad in ["", "c", "c:", ":1", "c:0", "c:65536", "::1:7440", "http://c:1/x"] {
            assert_eq!(bad.parse::<Address>(), Err(NoAddress), "{bad}");
        }
    }
}
