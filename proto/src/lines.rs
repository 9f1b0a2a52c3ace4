//! Bounded text of several lines: what a service printed, as a person reads it who asked for it.
//!
//! At most 640 bytes, so that one part fits a frame beside the longest name and a stamp; whoever has more tells it in
//! parts. Control characters but the line break become spaces, so that no service can paint an operator's terminal. It may hold
//! whatever the service printed, secrets too.

use core::fmt;
use heapless::String;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Longest [`Lines`] in bytes.
pub const LINES_MAX: usize = 640;

/// Text of at most 640 bytes, with line breaks and no other control characters.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Lines(String<LINES_MAX, u16>);

impl Lines {
    /// Takes the beginning of `source`, as much as fits in whole characters.
    pub fn new(source: &str) -> Self {
        let mut kept = String::new();
        for found in source.chars() {
            let shown = if found.is_control() && found != '\n' { ' ' } else { found };
            if kept.push(shown).is_err() {
                break;
            }
        }
        Self(kept)
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl fmt::Debug for Lines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl Serialize for Lines {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Lines {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl de::Visitor<'_> for Visitor {
            type Value = Lines;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "text of at most {LINES_MAX} bytes")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Lines, E> {
                if text.len() > LINES_MAX {
                    Err(E::invalid_length(text.len(), &self))
                } else {
                    Ok(Lines::new(text))
                }
            }
        }
        deserializer.deserialize_str(Visitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn whatever_a_service_prints_fits_and_only_breaks_lines(source in "(.|\n|\u{1b}){0,900}") {
            let lines = Lines::new(&source);
            prop_assert!(lines.as_str().len() <= LINES_MAX);
            prop_assert!(!lines.as_str().chars().any(|found| found.is_control() && found != '\n'));
            prop_assert!(source.len() > LINES_MAX || lines.as_str().chars().count() == source.chars().count());
        }
    }
}
