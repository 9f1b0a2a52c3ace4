//! A date that comes: whole hours until the first certificate in a file ends, or until a date of the configuration.
//!
//! A file is read anew for every look, at most 1 MiB of it, PEM or DER; keys and whatever else stands in it is passed
//! over.

use super::{Seen, tls};
use crate::config::Expires;
use crate::identity::x509;
use crate::{open, words};
use picket_agent_core::check::Reading;
use picket_proto::event::Cause;
use std::io::{self, Read};
use std::path::Path;

const FILE_MAX: u64 = 1024 * 1024;

/// Looks once.
pub(super) fn read(what: &Expires) -> Seen {
    match what {
        Expires::Date { at, what, .. } => {
            Seen::new(Reading::Level(tls::left(*at)), format!("{what} ends {}", words::date(*at)))
        }
        Expires::File(path) => match bytes(path) {
            Ok(bytes) => of(&bytes),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Reading::Bad(Cause::Absent).into(),
            Err(error) => Seen::new(Reading::Bad(open::cause(&error)), error.to_string()),
        },
    }
}

fn bytes(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    open::regular(path)?.0.take(FILE_MAX).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn of(bytes: &[u8]) -> Seen {
    let blocks = pem::parse_many(bytes).unwrap_or_default();
    let inside = blocks.iter().filter(|block| block.tag() == "CERTIFICATE").map(pem::Pem::contents);
    let all: Vec<&[u8]> = if blocks.is_empty() { vec![bytes] } else { inside.collect() };
    let read: Option<Vec<_>> = all.into_iter().map(x509::read).collect();
    let Some(first) = read.and_then(|read| read.into_iter().min_by_key(|said| said.to)) else {
        return Seen::new(Reading::Bad(Cause::Mismatch), "no certificate, or one that can't be read");
    };
    let name = words::plain(first.subject.unwrap_or("a nameless one"));
    Seen::new(Reading::Level(tls::left(first.to)), format!("{name} until {}", words::date(first.to)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock;
    use rcgen::{CertificateParams, KeyPair};
    use std::time::Duration;

    /// A certificate that ends so many hours from now, or ended before.
    fn ends_in(hours: i64) -> rcgen::Certificate {
        let mut params = CertificateParams::new(vec!["web.example".to_owned()]).unwrap();
        let now = Duration::from_micros(clock::now().wall.micros().unsigned_abs());
        let epoch = rcgen::date_time_ymd(1970, 1, 1);
        let half = Duration::from_secs(1800);
        let span = Duration::from_secs(hours.unsigned_abs() * 3600);
        params.not_after = epoch + if hours < 0 { now - span + half } else { now + span + half };
        params.self_signed(&KeyPair::generate().unwrap()).unwrap()
    }

    #[test]
    fn of_several_certificates_the_first_end_counts_and_keys_are_passed_over() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("all.pem");
        let key = KeyPair::generate().unwrap().serialize_pem();
        let text = ends_in(500).pem() + &key + &ends_in(30).pem() + &ends_in(100).pem();
        std::fs::write(&path, text).unwrap();
        let seen = read(&Expires::File(path.clone()));
        assert_eq!(seen.reading, Reading::Level(30));
        assert!(seen.said.contains(" UTC"), "{}", seen.said);
        std::fs::write(&path, ends_in(-2).der()).unwrap();
        assert_eq!(read(&Expires::File(path)).reading, Reading::Level(-2), "DER, and it has ended");
    }

    #[test]
    fn what_is_not_there_or_holds_none_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("none.pem");
        assert_eq!(read(&Expires::File(path.clone())).reading, Reading::Bad(Cause::Absent));
        for none in [String::new(), "nothing".to_owned(), KeyPair::generate().unwrap().serialize_pem()] {
            std::fs::write(&path, &none).unwrap();
            assert_eq!(read(&Expires::File(path.clone())).reading, Reading::Bad(Cause::Mismatch), "{none}");
        }
        let fifo = folder.path().join("fifo");
        open::fifo(&fifo);
        let seen = read(&Expires::File(fifo));
        assert_eq!(seen, Seen::new(Reading::Bad(Cause::Mismatch), "is a FIFO, no regular file"));
        let torn = ends_in(3).pem().replace("MII", "AAA");
        std::fs::write(&path, torn).unwrap();
        assert_eq!(read(&Expires::File(path)).reading, Reading::Bad(Cause::Mismatch));
    }

    #[test]
    fn a_date_is_hours_away_or_hours_past() {
        let now = clock::now().wall.micros() / 1_000_000;
        let date = |at| Expires::Date { at, written: String::new(), what: "the domain".to_owned() };
        assert_eq!(read(&date(now + 2 * 3600 + 600)).reading, Reading::Level(2));
        assert_eq!(read(&date(now - 600)).reading, Reading::Level(-1));
        assert!(read(&date(now)).said.starts_with("the domain ends "));
    }
}
