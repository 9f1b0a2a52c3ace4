//! The one-time token of an enrolment: `pkt1.SECRETHEX.SHA256HEX`, the last being the SHA-256 of the CA
//! certificate's DER, so that the very first connection can be checked without another file.
//!
//! The secret is never shown: `Debug` leaves it out. A file that others than its owner can read is refused, since what
//! it holds is no secret any more. Of a file at most 4 KiB are read.

use std::fmt;
use std::fs::{File, Metadata};
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

const FILE_MAX: u64 = 4096;

/// A one-time token, parsed.
#[derive(Clone, PartialEq, Eq)]
pub struct Token {
    /// What the collector compares; 16 to 64 bytes.
    pub secret: Vec<u8>,
    /// SHA-256 of the DER of the CA's certificate.
    pub ca: [u8; 32],
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(..)")
    }
}

/// What is wrong with a token's file, and what to do instead.
#[derive(Debug)]
pub(crate) struct Unfit {
    pub(crate) problem: String,
    pub(crate) better: String,
}

/// Whether others than the owner may read a file.
pub(crate) fn others_can_read(found: &Metadata) -> bool {
    found.mode() & 0o044 != 0
}

/// The one line of a secret's file.
pub(crate) fn secret(file: &Path) -> Result<String, Unfit> {
    let path = file.display();
    let unfit = |problem: String, better: String| Unfit { problem, better };
    let open = File::open(file).map_err(|error| {
        unfit(format!("{path} can't be read: {error}"), "write the secret into it".to_owned())
    })?;
    if open.metadata().is_ok_and(|found| others_can_read(&found)) {
        let problem = format!("{path} is a secret that others can read");
        return Err(unfit(problem, format!("`chmod 600 {path}`, and change the secret")));
    }
    let mut text = String::new();
    let read = open.take(FILE_MAX).read_to_string(&mut text);
    let line = read.ok().map(|_| text.trim_end_matches(['\n', '\r']).to_owned());
    line.filter(|line| !line.is_empty() && !line.contains(char::is_control))
        .ok_or_else(|| unfit(format!("{path} holds no secret"), "write it as one line of text".to_owned()))
}

impl Token {
    /// The token in `file`. One that is gone or can't be opened is no mistake: a token is used once, and may be removed
    /// then.
    pub(crate) fn read(file: &Path) -> Option<Result<Self, Unfit>> {
        let open = File::open(file).ok()?;
        let path = file.display();
        if open.metadata().is_ok_and(|found| others_can_read(&found)) {
            let problem = format!("{path} is a secret that others can read");
            return Some(Err(Unfit { problem, better: format!("`chmod 600 {path}`, and make a new token") }));
        }
        let mut text = String::new();
        let read = open.take(FILE_MAX).read_to_string(&mut text);
        let token = read.ok().and_then(|_| Self::parse(&text));
        let better = "`picket token HOST` makes one".to_owned();
        Some(token.ok_or_else(|| Unfit { problem: format!("{path} holds no token"), better }))
    }

    /// Parses a token; `None` if it is not one.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.trim().split('.');
        let (Some("pkt1"), Some(secret), Some(ca), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return None;
        };
        let secret = from_hex(secret).filter(|secret| (16..=64).contains(&secret.len()))?;
        Some(Self { secret, ca: from_hex(ca)?.try_into().ok()? })
    }
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let pairs = text.as_bytes().chunks(2);
    pairs
        .map(|pair| if let [high, low] = pair { Some(digit(*high)? << 4 | digit(*low)?) } else { None })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::Permissions;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_token_is_taken_whole_or_not_at_all() {
        let good = format!("pkt1.{}.{}\n", "ab".repeat(32), "0F".repeat(32));
        let token = Token::parse(&good).unwrap();
        assert_eq!((token.secret.len(), token.ca), (32, [15; 32]));
        for bad in [
            "",
            "pkt1",
            "pkt2.00.00",
            &good.replace("0F", "0G"),
            &good.replace("pkt1.", "pkt1.ab."),
            "pkt1..ab",
        ] {
            assert_eq!(Token::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_file_that_others_can_read_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("token");
        assert!(Token::read(&file).is_none(), "it may have been used and removed");
        std::fs::write(&file, format!("pkt1.{}.{}\n", "ab".repeat(32), "cd".repeat(32))).unwrap();
        for mode in [0o644, 0o640, 0o604] {
            std::fs::set_permissions(&file, Permissions::from_mode(mode)).unwrap();
            let unfit = Token::read(&file).unwrap().map(|_| ()).unwrap_err();
            assert!(unfit.better.contains("chmod 600"), "{mode:o}: {}", unfit.problem);
        }
        std::fs::set_permissions(&file, Permissions::from_mode(0o600)).unwrap();
        assert!(Token::read(&file).unwrap().is_ok());
    }

    #[test]
    fn the_secret_is_not_printed() {
        let token = Token::parse(&format!("pkt1.{}.{}", "ab".repeat(32), "cd".repeat(32))).unwrap();
        assert_eq!(format!("{token:?}"), "Token(..)");
    }
}
