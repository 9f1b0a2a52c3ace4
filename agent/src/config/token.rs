//! The one-time token of an enrolment: `pkt1.SECRETHEX.SHA256HEX`, the last being the SHA-256 of the CA
//! certificate's DER, so that the very first connection can be checked without another file.
//!
//! The secret is never shown: `Debug` leaves it out.

use std::fmt;

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

impl Token {
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
    fn the_secret_is_not_printed() {
        let token = Token::parse(&format!("pkt1.{}.{}", "ab".repeat(32), "cd".repeat(32))).unwrap();
        assert_eq!(format!("{token:?}"), "Token(..)");
    }
}
