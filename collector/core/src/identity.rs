//! One-time tokens and enrolled hosts. The keys and the CA are the shell's; what was promised to whom is here.

use crate::Token;
use alloc::boxed::Box;
use picket_proto::{HostId, Name};

/// SHA-256 of a token's secret: the secret itself is shown once and kept nowhere.
pub type SecretHash = [u8; 32];

/// Something about tokens and enrolment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fact {
    /// An operator made a token for a host; it is good for one hour and one use.
    Mint {
        /// Where to answer.
        reply: Token,
        /// Who asks.
        operator: Box<Name>,
        /// For which host.
        host: Box<HostId>,
        /// Of its secret.
        hash: Box<SecretHash>,
    },
    /// A host shows a token.
    Enrol {
        /// Where to answer.
        reply: Token,
        /// Who it says it is.
        host: Box<HostId>,
        /// Of the secret it shows.
        hash: Box<SecretHash>,
    },
    /// A host shows its certificate and wants a new one.
    Renew {
        /// Where to answer.
        reply: Token,
        /// Whose certificate it shows.
        host: Box<HostId>,
    },
}

/// The answer, once it is durable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// The token may be handed out.
    Minted {
        /// Where to answer.
        reply: Token,
    },
    /// A certificate for this host may be signed.
    Granted {
        /// Where to answer.
        reply: Token,
        /// For whom.
        host: Box<HostId>,
    },
    /// No.
    Refused {
        /// Where to answer.
        reply: Token,
        /// The stable code of the reason.
        code: &'static str,
    },
}
