//! Bounded text for people: what a service printed before it died, why a remedy did not hold.
//!
//! At most 160 bytes, so that two of them fit a frame; longer input is cut at a character and marked. Control
//! characters become spaces, so that no service can paint an operator's terminal. It is not a place for secrets.

use core::fmt;
use heapless::String;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Longest [`Text`] in bytes.
pub const TEXT_MAX: usize = 160;
const MARK: &str = "…";

/// Text of at most 160 bytes without control characters.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Text(String<TEXT_MAX, u8>);

impl Text {
    /// Takes as much of `source` as fits, cut at a character and marked with `…`; control characters become spaces.
    pub fn new(source: &str) -> Self {
        let mut kept = String::new();
        for (at, found) in source.char_indices() {
            let shown = if found.is_control() { ' ' } else { found };
            let left = source.len() - at;
            let room = TEXT_MAX - kept.len();
            if left > room && shown.len_utf8() + MARK.len() > room {
                // Each character is at most as long as what it replaces, so the mark fits in what was kept free.
                let _cut_is_marked = kept.push_str(MARK);
                break;
            }
            let _fits_by_the_test_above = kept.push(shown);
        }
        Self(kept)
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// Whether there is no text.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl Serialize for Text {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl de::Visitor<'_> for Visitor {
            type Value = Text;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "text of at most {TEXT_MAX} bytes")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Text, E> {
                if text.len() > TEXT_MAX {
                    Err(E::invalid_length(text.len(), &self))
                } else {
                    Ok(Text::new(text))
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
        fn whatever_a_service_prints_fits_and_cannot_move_the_cursor(source in ".{0,400}") {
            let text = Text::new(&source);
            prop_assert!(text.as_str().len() <= TEXT_MAX);
            prop_assert!(!text.as_str().chars().any(char::is_control));
            prop_assert!(source.len() > TEXT_MAX || text.as_str().chars().count() == source.chars().count());
        }
    }

    #[test]
    fn a_long_line_is_cut_and_says_so() {
        let text = Text::new(&"é".repeat(200));
        assert!(text.as_str().ends_with('…'));
        assert!(text.as_str().len() > TEXT_MAX - 4);
    }
    #[test]
    fn text_is_empty_only_where_nothing_was_said() {
        assert!(Text::new("").is_empty());
        assert!(!Text::new(" ").is_empty());
    }
}
