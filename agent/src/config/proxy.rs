//! The proxy on the way to the collector: from the file, or from the environment.
//!
//! `[collector] proxy` in the file wins and is used for every address. Without it `https_proxy`, then `HTTPS_PROXY`,
//! names one, but not for addresses on loopback nor for those that `no_proxy`, then `NO_PROXY`, names: names with
//! all below them, addresses, networks (`10.0.0.0/8`), `*`; hyper-util reads these as curl does. The proxy is spoken
//! to in plain HTTP. Passwords are never shown.

use super::collector::Address;
use super::token::Unfit;
use http::{HeaderValue, Uri};
use hyper_util::client::proxy::matcher::Matcher;
use std::fmt;
use std::net::IpAddr;

/// An HTTP proxy that is asked for a tunnel.
#[derive(Clone, PartialEq, Eq)]
pub struct Proxy {
    /// Its name or address, and its port.
    pub address: Address,
    auth: Option<HeaderValue>,
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Proxy({self})")
    }
}

impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.address.fmt(f)
    }
}

impl Proxy {
    /// Reads `http://[user[:password]@]host[:port]`; `password` is the one from a file.
    ///
    /// # Errors
    /// It is none, or one that is not spoken to here.
    pub(crate) fn parse(text: &str, password: Option<&str>) -> Result<Self, Unfit> {
        let unfit = |problem: &str| Unfit {
            problem: problem.to_owned(),
            better: "write http://USER@HOST:PORT; the password stands in proxy_password_file".to_owned(),
        };
        let whole = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
        let uri: Uri = whole.parse().map_err(|_| unfit("is no proxy's address"))?;
        match uri.scheme_str() {
            Some("http") => {}
            Some("https") => {
                return Err(unfit("is a proxy that is spoken to over TLS, which is not supported"));
            }
            Some(_) | None => return Err(unfit("is no HTTP proxy, and no other kind is supported")),
        }
        if !matches!(uri.path(), "" | "/") {
            return Err(unfit("has a path, which a proxy's address has not"));
        }
        let name = uri.host().filter(|name| !name.is_empty()).ok_or_else(|| unfit("names no host"))?;
        let name = name.trim_start_matches('[').trim_end_matches(']').to_owned();
        let address = Address { name, port: uri.port_u16().unwrap_or(80) };
        let whole = match password {
            Some(_) if Self::has_password(&whole) => {
                return Err(unfit("has a password, and proxy_password_file another"));
            }
            Some(password) => {
                with_password(&whole, password).ok_or_else(|| unfit("has a password's file, but no user"))?
            }
            None => whole,
        };
        Ok(Self { address, auth: basic(&whole) })
    }

    /// Whether a password stands in the text of a proxy.
    pub(crate) fn has_password(text: &str) -> bool {
        let bare = text.split_once("://").map_or(text, |(_, bare)| bare);
        bare.rsplit_once('@').is_some_and(|(user, _)| user.contains(':'))
    }

    /// What `Proxy-Authorization` is to say.
    pub(crate) fn auth(&self) -> Option<&[u8]> {
        self.auth.as_ref().map(HeaderValue::as_bytes)
    }
}

/// The header of the user and password in a proxy's address, decoded and encoded as hyper-util does it.
fn basic(proxy: &str) -> Option<HeaderValue> {
    let matcher = Matcher::builder().https(proxy).build();
    let found = matcher.intercept(&Uri::from_static("https://collector.invalid"))?;
    let mut auth = found.basic_auth()?.clone();
    auth.set_sensitive(true);
    Some(auth)
}

fn with_password(proxy: &str, password: &str) -> Option<String> {
    let (scheme, rest) = proxy.split_once("://")?;
    let (user, host) = rest.rsplit_once('@')?;
    let encoded: String = password.bytes().map(|byte| format!("%{byte:02X}")).collect();
    Some(format!("{scheme}://{user}:{encoded}@{host}"))
}

/// What the environment says about proxies.
#[derive(Debug, Clone, Default)]
pub(crate) struct Environment {
    proxy: Option<String>,
    no_proxy: String,
}

impl Environment {
    /// Of this process.
    pub(crate) fn read() -> Self {
        let set = |names: [&str; 2]| {
            let mut values = names.into_iter().filter_map(|name| std::env::var(name).ok());
            values.find(|value| !value.is_empty())
        };
        let no_proxy = set(["no_proxy", "NO_PROXY"]).unwrap_or_default();
        Self { proxy: set(["https_proxy", "HTTPS_PROXY"]), no_proxy }
    }

    /// The proxy for `address`, if it is to be reached through one.
    ///
    /// # Errors
    /// The one that is named can't be used.
    pub(crate) fn proxy_for(&self, address: &Address) -> Result<Option<Proxy>, Unfit> {
        let Some(text) = &self.proxy else { return Ok(None) };
        if is_loopback(&address.name) || self.excludes(address) {
            return Ok(None);
        }
        Proxy::parse(text, None).map(Some)
    }

    fn excludes(&self, address: &Address) -> bool {
        let any = Matcher::builder().https("http://proxy.invalid").no(self.no_proxy.as_str()).build();
        format!("https://{address}").parse().is_ok_and(|uri: Uri| any.intercept(&uri).is_none())
    }
}

fn is_loopback(name: &str) -> bool {
    let is_address = name.parse().is_ok_and(|address: IpAddr| address.is_loopback());
    is_address || name.eq_ignore_ascii_case("localhost") || name.to_ascii_lowercase().ends_with(".localhost")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(text: &str) -> String {
        Proxy::parse(text, None).map(|_| ()).unwrap_err().problem
    }

    #[test]
    fn a_proxy_has_a_user_and_a_password_from_either_place() {
        let of = |text, password| Proxy::parse(text, password).map_err(|unfit| unfit.problem).unwrap();
        let bare = of("http://proxy.example:3128", None);
        assert_eq!((bare.to_string().as_str(), bare.auth()), ("proxy.example:3128", None));
        assert_eq!(of("proxy.example:3128", None), bare);
        assert_eq!(of("http://[::1]:3128/", None).to_string(), "[::1]:3128");
        let literal = of("http://me:p%40ss@proxy.example:3128", None);
        assert_eq!(literal.auth(), Some(&b"Basic bWU6cEBzcw=="[..]));
        assert_eq!(of("http://me@proxy.example:3128", Some("p@ss")), literal);
        let shown = format!("{literal:?} {literal}");
        assert!(!shown.contains("ss") && !shown.contains("bWU6"), "{shown}");
    }

    #[test]
    fn what_can_not_be_used_is_a_mistake_that_says_why() {
        assert!(problem("https://proxy:3128").contains("over TLS"));
        assert!(problem("socks5://proxy:1080").contains("no HTTP proxy"));
        assert!(problem("http://proxy:3128/pac").contains("path"));
        assert!(problem("http://").contains("no proxy's address"));
        let twice = Proxy::parse("http://me:a@proxy:1", Some("b")).map(|_| ()).unwrap_err();
        assert!(twice.problem.contains("another"));
        let nobody = Proxy::parse("http://proxy:1", Some("b")).map(|_| ()).unwrap_err();
        assert!(nobody.problem.contains("no user"));
    }

    #[test]
    fn the_environments_proxy_leaves_out_loopback_and_what_no_proxy_names() {
        let no_proxy = "internal.example, .corp.example,10.1.0.0/16,2001:db8::/32,192.0.2.7".to_owned();
        let environment = Environment { proxy: Some("http://proxy:3128".to_owned()), no_proxy };
        let is_proxied = |text: &str| {
            environment.proxy_for(&text.parse().unwrap()).map_err(|unfit| unfit.problem).unwrap().is_some()
        };
        for through in ["c.example:1", "notinternal.example:1", "10.2.0.1:1", "[2001:db9::1]:1"] {
            assert!(is_proxied(through), "{through}");
        }
        for direct in [
            "127.0.0.1:1",
            "[::1]:1",
            "localhost:1",
            "LocalHost:1",
            "internal.example:1",
            "a.internal.example:1",
            "a.corp.example:1",
            "10.1.2.3:1",
            "[2001:db8::1]:1",
            "192.0.2.7:1",
        ] {
            assert!(!is_proxied(direct), "{direct}");
        }
        let none = Environment { no_proxy: "*".to_owned(), ..environment };
        assert!(
            none.proxy_for(&"c.example:1".parse().unwrap()).map_err(|unfit| unfit.problem).unwrap().is_none()
        );
        let tls = Environment { proxy: Some("https://proxy:1".to_owned()), no_proxy: String::new() };
        assert!(tls.proxy_for(&"c.example:1".parse().unwrap()).is_err());
    }
}
