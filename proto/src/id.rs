//! Names and numbers that identify things. Newtypes without arithmetic but what is meant.
//!
//! A [`Name`] is at most 64 bytes, so that any event with two names fits a 1 KiB frame with room to spare; a
//! [`HostId`] is at most 63 bytes of a DNS label's alphabet, since it stands in a certificate's URI. There is no
//! global registry: names are unique within the configuration that gives them.

use core::fmt;
use core::str::FromStr;
use heapless::String;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Longest [`Name`] in bytes.
pub const NAME_MAX: usize = 64;
/// Longest [`HostId`] in bytes: one DNS label.
pub const HOST_MAX: usize = 63;

/// Why a string is not a name. Nothing was changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BadName {
    /// The string is empty.
    Empty,
    /// The string has more bytes than allowed; the limit is inside.
    TooLong(usize),
    /// A byte outside the allowed alphabet stands at this offset.
    BadByte(usize),
}

impl fmt::Display for BadName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("is empty"),
            Self::TooLong(max) => write!(f, "is longer than {max} bytes"),
            Self::BadByte(at) => write!(f, "has a character that is not allowed at byte {at}"),
        }
    }
}

impl core::error::Error for BadName {}

macro_rules! name_type {
    ($type:ident, $max:expr, $allowed:expr) => {
        impl $type {
            /// The name as text.
            pub fn as_str(&self) -> &str {
                self.0.as_str()
            }
        }

        impl FromStr for $type {
            type Err = BadName;

            fn from_str(text: &str) -> Result<Self, BadName> {
                if text.is_empty() {
                    return Err(BadName::Empty);
                }
                let allowed: fn(usize, u8) -> bool = $allowed;
                if let Some(at) = text.bytes().enumerate().position(|(at, byte)| !allowed(at, byte)) {
                    return Err(BadName::BadByte(at));
                }
                String::try_from(text).map(Self).map_err(|_| BadName::TooLong($max))
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl fmt::Debug for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(self.as_str(), f)
            }
        }

        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Visitor;
                impl de::Visitor<'_> for Visitor {
                    type Value = $type;
                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        write!(f, "a name of 1 to {} bytes", $max)
                    }
                    fn visit_str<E: de::Error>(self, text: &str) -> Result<$type, E> {
                        text.parse().map_err(E::custom)
                    }
                }
                deserializer.deserialize_str(Visitor)
            }
        }
    };
}

/// The name of a check or a service: 1 to 64 printable ASCII bytes without spaces.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(String<NAME_MAX, u8>);

name_type!(Name, NAME_MAX, |_, byte| byte.is_ascii_graphic());

/// A host, named by its certificate (URI SAN `picket://agent/ID`): 1 to 63 bytes of `a-z 0-9 . _ -`, not starting
/// with punctuation.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HostId(String<HOST_MAX, u8>);

name_type!(HostId, HOST_MAX, |at, byte| byte.is_ascii_lowercase()
    || byte.is_ascii_digit()
    || (at > 0 && matches!(byte, b'.' | b'_' | b'-')));

/// One start of an agent: random, so that a restart, a resumed snapshot or a clone can't shadow new events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Run(pub u64);

impl fmt::Display for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// The number of a frame within its run, from 1 without holes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Seq(pub u64);

impl Seq {
    /// The first frame of a run.
    pub const FIRST: Self = Self(1);

    /// The number after this one. At 10^9 frames a second a run lasts 584 years, so it saturates.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

impl fmt::Display for Seq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// One boot of a machine, from `/proc/sys/kernel/random/boot_id`. Two [`crate::Mono`] of different boots do not compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct BootId(pub u128);

impl fmt::Display for BootId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_of_64_bytes_is_taken_and_one_of_65_is_refused_with_the_limit() {
        let longest = "x".repeat(NAME_MAX);
        assert_eq!(longest.parse::<Name>().unwrap().as_str(), longest);
        assert_eq!("x".repeat(NAME_MAX + 1).parse::<Name>(), Err(BadName::TooLong(NAME_MAX)));
    }

    #[test]
    fn names_refuse_spaces_and_control_characters_with_their_place() {
        assert_eq!("web 1".parse::<Name>(), Err(BadName::BadByte(3)));
        assert_eq!("web\n".parse::<Name>(), Err(BadName::BadByte(3)));
        assert_eq!("".parse::<Name>(), Err(BadName::Empty));
    }

    #[test]
    fn host_ids_are_what_a_certificate_uri_can_carry() {
        assert!("db-1.rack_7".parse::<HostId>().is_ok());
        for bad in ["-db", "DB", "db/1", ".."] {
            assert!(bad.parse::<HostId>().is_err(), "{bad} must be refused");
        }
    }
}
