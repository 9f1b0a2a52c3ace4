//! One-time tokens and enrolled hosts. The keys and the CA are the shell's; what was promised to whom is here.

use crate::record::Record;
use crate::{Collector, Effect, Token};
use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use picket_proto::{HostId, Mono, Name, Now, Span, Wall};
use serde::{Deserialize, Serialize};

/// SHA-256 of a token's secret: the secret itself is shown once and kept nowhere.
pub type SecretHash = [u8; 32];
/// SHA-256 of a host's public key (SubjectPublicKeyInfo, DER).
pub type KeyHash = [u8; 32];

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
        /// Of the key that it wants a certificate for.
        key: Box<KeyHash>,
    },
    /// A host shows its certificate and wants a new one.
    Renew {
        /// Where to answer.
        reply: Token,
        /// Whose certificate it shows.
        host: Box<HostId>,
        /// What it shows.
        shown: Box<Shown>,
    },
}

/// A certificate of this CA, as far as it matters to whoever renews it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// Of its key.
    pub key: KeyHash,
    /// When it was made, to the second below.
    pub made: Wall,
    /// It has ended, and is within its grace.
    pub has_ended: bool,
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

/// How long a token is good.
const TOKEN_LIFE: Span = Span::from_secs(3600);
/// Most tokens at once, the used ones of the last hour among them. As many as hosts: a whole fleet may be enrolled
/// within it.
const TOKENS_MAX: usize = 20_000;

/// A token that was made.
#[derive(Debug, Serialize, Deserialize)]
struct Made {
    host: HostId,
    at: Mono,
    state: Use,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum Use {
    Fresh,
    /// For this key: the same host may ask again when the answer was lost on its way.
    Used(KeyHash),
}

/// The tokens of the last hour.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Tokens(BTreeMap<SecretHash, Made>);

impl Tokens {
    /// None.
    pub(crate) const fn new() -> Self {
        Self(BTreeMap::new())
    }

    /// Whether one more can be made.
    pub(crate) fn has_room(&self, now: Mono) -> bool {
        self.0.len() < TOKENS_MAX || self.0.values().any(|made| now.since(made.at) > TOKEN_LIFE)
    }

    /// Makes one, and forgets those that are too old.
    pub(crate) fn mint(&mut self, now: Mono, hash: SecretHash, host: HostId) {
        self.0.retain(|_, made| now.since(made.at) <= TOKEN_LIFE);
        self.0.insert(hash, Made { host, at: now, state: Use::Fresh });
    }

    /// Uses one.
    pub(crate) fn used(&mut self, hash: &SecretHash, key: KeyHash) {
        if let Some(made) = self.0.get_mut(hash) {
            made.state = Use::Used(key);
        }
    }

    /// Whether this host may use this token now, for this key; else the code of the reason.
    pub(crate) fn check(
        &self,
        now: Mono,
        (hash, key): (&SecretHash, &KeyHash),
        host: &HostId,
    ) -> Result<(), &'static str> {
        let made = self.0.get(hash).filter(|made| made.host == *host && now.since(made.at) <= TOKEN_LIFE);
        match made.map(|made| made.state) {
            None => Err("token-unknown"),
            Some(Use::Used(by)) if by != *key => Err("token-used"),
            Some(Use::Used(_) | Use::Fresh) => Ok(()),
        }
    }
}

impl Collector {
    pub(crate) fn on_identity(&mut self, now: Now, fact: Fact) {
        match fact {
            Fact::Mint { reply, operator, host, hash } => {
                let room = self.state.tokens.has_room(now.mono);
                let may = self.may_write().and(if room { Ok(()) } else { Err("too-many") });
                let record = Record::Minted { operator: *operator, host: *host, hash: *hash };
                self.decide(now, may, record, (reply, Answer::Minted { reply }));
            }
            Fact::Enrol { reply, host, hash, key } => {
                let known = self.state.hosts.find(host.as_str()).is_some() || self.state.has_room();
                let may = self.may_write().and(if known { Ok(()) } else { Err("too-many") });
                let may = may.and_then(|()| self.state.tokens.check(now.mono, (&hash, &key), &host));
                let record = Record::Enrolled { host: (*host).clone(), hash: *hash, key: *key };
                self.decide(now, may, record, (reply, Answer::Granted { reply, host }));
            }
            Fact::Renew { reply, host, shown } => {
                let answer = match self.may_renew(&host, &shown) {
                    Ok(()) => Answer::Granted { reply, host },
                    Err(code) => Answer::Refused { reply, code },
                };
                self.live.out.when_durable(self.state.index, Effect::Identity(answer));
            }
        }
    }

    /// A key that the host had before it was enrolled with another one is not given a longer life: that is how a stolen one
    /// ends. Which came first only dates can say, since a certificate has no other; both are of this collector's clock.
    /// Whoever is quarantined gets no grace, since nobody knows who asks.
    fn may_renew(&self, host: &HostId, shown: &Shown) -> Result<(), &'static str> {
        let slot = self.state.hosts.find(host.as_str()).ok_or("not-an-agent")?;
        let host = self.state.hosts.get(slot).ok_or("not-an-agent")?;
        let is_before = |at: Wall| shown.made.micros() < at.micros();
        if host.enrolled.is_some_and(|(key, at)| key != shown.key && is_before(at)) {
            return Err("key-replaced");
        }
        if shown.has_ended && host.is_quarantined() {
            return Err("quarantined");
        }
        Ok(())
    }

    fn may_write(&self) -> Result<(), &'static str> {
        if self.live.out.is_good() { self.live.out.refusal().map_or(Ok(()), Err) } else { Err("store-full") }
    }

    fn decide(
        &mut self,
        now: Now,
        may: Result<(), &'static str>,
        record: Record,
        (reply, yes): (Token, Answer),
    ) {
        match may {
            Ok(()) => {
                self.commit(now, record, &[]);
                self.live.out.when_durable(self.state.index, Effect::Identity(yes));
            }
            // What is refused changes nothing, so it shows nothing that is not durable.
            Err(code) => self.live.out.now(Effect::Identity(Answer::Refused { reply, code })),
        }
    }
}
