//! `kind = "tls"`: a server whose certificate is believed, is for its name, and holds for a while yet.
//!
//! The file that `ca` names is read here, so that a mistake in it is told with the others. A certificate in it that is
//! the server's own is believed as well: that is how appliances come.

use super::{Read, Target, left};
use crate::config::Address;
use crate::config::read::{Keys, Place, Sheet};
use rustls::RootCertStore;
use rustls_pki_types::{CertificateDer, ServerName};
use std::fmt;
use std::io::ErrorKind;

/// A server that speaks TLS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tls {
    /// `host:port`.
    pub address: String,
    /// The name that its certificate must be for.
    pub server_name: ServerName<'static>,
    /// Whom to believe; empty: the system's CAs.
    pub ca: Vec<CertificateDer<'static>>,
    /// What is spoken before TLS, if anything.
    pub starttls: Option<Starttls>,
}

/// A protocol that turns to TLS when it is asked to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Starttls {
    /// RFC 3207.
    Smtp,
    /// RFC 9051, 6.2.1.
    Imap,
    /// PostgreSQL's SSLRequest.
    Postgres,
}

const STARTTLS: [(&str, Starttls); 3] =
    [("smtp", Starttls::Smtp), ("imap", Starttls::Imap), ("postgres", Starttls::Postgres)];

impl fmt::Display for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} has a certificate for {}", self.address, self.server_name.to_str())
    }
}

pub(super) fn read(keys: &mut Keys<'_>, sheet: &mut Sheet<'_>) -> Option<Read> {
    let limits = Some(left::limits(keys, sheet));
    let starttls = starttls(keys, sheet);
    let ca = ca(keys, sheet);
    let name = keys.text(sheet, "server_name");
    let (text, place) = keys.needed(sheet, "address")?;
    let Ok(address) = text.parse::<Address>() else {
        sheet.wrong(&place, "is not host:port", Some("write e.g. \"www.example:443\"".to_owned()));
        return None;
    };
    let (name, place) = name.map_or((address.name.as_str(), place), |(name, place)| (name, place));
    let Ok(server_name) = ServerName::try_from(name.to_owned()) else {
        let better = "write a name or an address without its port: server_name = \"..\"".to_owned();
        sheet.wrong(&place, format!("`{name}` is no name of a server"), Some(better));
        return None;
    };
    let tls = Tls { address: address.to_string(), server_name, ca, starttls };
    Some(Read { name: format!("tls:{address}"), target: Target::Tls(tls), limits })
}

fn starttls(keys: &mut Keys<'_>, sheet: &mut Sheet<'_>) -> Option<Starttls> {
    let (word, place) = keys.text(sheet, "starttls")?;
    let known = STARTTLS.iter().find(|(name, _)| *name == word);
    if known.is_none() {
        let better = Some("known: smtp, imap, postgres; leave it out where TLS comes first".to_owned());
        sheet.wrong(&place, format!("`{word}` is none"), better);
    }
    known.map(|(_, protocol)| *protocol)
}

fn ca(keys: &mut Keys<'_>, sheet: &mut Sheet<'_>) -> Vec<CertificateDer<'static>> {
    let Some((file, place)) = keys.text(sheet, "ca") else { return Vec::new() };
    let path = sheet.beside(file);
    match crate::identity::certificates(&path) {
        Ok(all) => {
            let mut roots = RootCertStore::empty();
            match all.iter().try_for_each(|one| roots.add(one.clone())) {
                Ok(()) => return all,
                Err(error) => wrong(sheet, &place, format!("{}: {error}", path.display())),
            }
        }
        Err(error) if error.kind() == ErrorKind::InvalidData => {
            wrong(sheet, &place, format!("{} holds no certificate", path.display()));
        }
        Err(error) => wrong(sheet, &place, format!("{} can't be read: {error}", path.display())),
    }
    Vec::new()
}

fn wrong(sheet: &mut Sheet<'_>, place: &Place, problem: String) {
    let better = "name a PEM file with the CA's certificate, or leave it out for the system's CAs";
    sheet.wrong(place, problem, Some(better.to_owned()));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Mistakes, parse};
    use std::path::Path;

    fn read(file: &Path, keys: &str) -> Result<(Tls, picket_agent_core::check::Limits), Mistakes> {
        let text = format!("[host]\nenabled = false\n[[check]]\nkind = \"tls\"\n{keys}");
        let config = parse(file, &text)?;
        let [check] = config.checks() else { panic!("one check") };
        let Target::Tls(tls) = &check.target else { panic!("a TLS server") };
        Ok((tls.clone(), check.spec.limits.unwrap()))
    }

    #[test]
    fn a_name_is_the_addresses_own_and_the_file_of_a_ca_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("picket.toml");
        let (tls, limits) = read(&file, "address = \"www.example:443\"").unwrap();
        assert_eq!((tls.server_name.to_str().as_ref(), tls.ca.len()), ("www.example", 0));
        assert_eq!((limits.degraded, limits.down, limits.bad), (336, 48, super::super::Side::Below));
        let ca = rcgen::generate_simple_self_signed(vec!["ca.example".to_owned()]).unwrap().cert.pem();
        std::fs::write(folder.path().join("ca.pem"), ca).unwrap();
        let keys = "address = \"[::1]:25\"\nserver_name = \"mail.example\"\nca = \"ca.pem\"\nstarttls = \"smtp\"\n\
                    degraded = \"30d\"\ndown = \"36h\"";
        let (tls, limits) = read(&file, keys).unwrap();
        assert_eq!((tls.address.as_str(), tls.ca.len(), tls.starttls), ("[::1]:25", 1, Some(Starttls::Smtp)));
        assert_eq!((limits.degraded, limits.down), (720, 36));
    }

    #[test]
    fn mistakes_say_what_to_write() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("picket.toml");
        std::fs::write(folder.path().join("empty.pem"), "").unwrap();
        for (keys, told) in [
            ("address = \"www.example\"", "is not host:port"),
            ("address = \"a:1\"\nserver_name = \"a b\"", "`a b` is no name of a server"),
            ("address = \"a:1\"\nstarttls = \"pop\"", "known: smtp, imap, postgres"),
            ("address = \"a:1\"\nca = \"none.pem\"", "none.pem can't be read"),
            ("address = \"a:1\"\nca = \"empty.pem\"", "empty.pem holds no certificate"),
            ("address = \"a:1\"\ndown = \"20d\"", "degraded (14 d 0 h) must be more than down (20 d 0 h)"),
        ] {
            let mistakes = read(&file, keys).unwrap_err().to_string();
            assert!(mistakes.contains(told), "{mistakes}");
        }
    }
}
