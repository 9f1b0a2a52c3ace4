//! For how long nobody kept anything, and what that does to times.

use picket_proto::{Mono, Span};

/// Whether the boot is the one that the state was kept in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Away {
    /// The same; so long ago.
    SameBoot(Span),
    /// Another: nobody knows how long ago, and no process is left.
    OtherBoot,
}

impl Away {
    /// How long ago, as far as is known.
    pub(crate) const fn span(self) -> Span {
        match self {
            Self::SameBoot(span) => span,
            Self::OtherBoot => Span::ZERO,
        }
    }

    /// What is left of a wait.
    pub(super) const fn nearer(self, left: Span) -> Span {
        Span::from_micros(left.micros().saturating_sub(self.span().micros()))
    }
}

/// So long before `now`. What was before the boot counts from the boot on: later than it was, never earlier.
pub(super) const fn before(now: Mono, span: Span) -> Mono {
    Mono::from_micros(now.micros().saturating_sub(span.micros()))
}
