//! Orders to hosts: what an operator wants of one goes out on its session, and what its agent tells of it is put together for
//! whoever asked.
//!
//! An order is a record, so who asked whom stands in the journal, and goes out once that is durable. Its outcome is events of the host
//! that carry its number; those are journaled like all others, and change nothing of what is known. What is open is live
//! state: 2 at a host and 256 over all, each for 60 s, after which whoever asked is told that nothing came. An order goes
//! on the session that stands, and is lost with it, which is told 15 s later; parts that come over the next one count all the same. That an agent does
//! none for a while it says once in a session; that is remembered, one moment for each host. A service that the host
//! does not watch is refused here, and costs the host nothing.

use crate::host::Host;
use crate::ingest::taken::Taken;
use crate::ingest::{self, SessionId};
use crate::record::Record;
use crate::state::machine::Live;
use crate::{Collector, Effect, Token};
use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;
use picket_proto::event::{OrderSaid, Ordered, PARTS_MAX, Refusal};
use picket_proto::{Carried, Fact, HostId, Mono, Name, Now, Span, code};

/// The sort of order that there is, as a Hello names it.
pub const EVIDENCE: u32 = 1;

/// Orders open at one host: its agent does one at a time, and another operator may ask meanwhile.
const OF_A_HOST: usize = 2;
/// Orders open over all: as many as there may be watchers, and 2 MiB of parts.
const OF_ALL: usize = 256;
/// How long an answer is waited for: the agent looks for some seconds, and a slow link carries 6 KB in a few more.
const PATIENCE: Span = Span::from_secs(60);

/// How long an answer may still come over the next session, where the one that the order went on has ended.
const NEXT_SESSION: Span = Span::from_secs(15);

/// An operator wants to read what a service printed last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ask {
    /// Where to answer.
    pub reply: Token,
    /// Who.
    pub operator: Box<Name>,
    /// Of which host.
    pub host: Box<HostId>,
    /// Of which service.
    pub service: Box<Name>,
}

/// What came of it, once it is durable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Where to answer.
    pub reply: Token,
    /// What it printed, or the stable code of the refusal.
    pub result: Result<Box<Evidence>, &'static str>,
}

/// What a service printed last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    /// The order's number.
    pub token: u64,
    /// The lines; empty where there were none.
    pub text: String,
}

/// An order that was not answered yet.
#[derive(Debug)]
struct Open {
    host: u32,
    session: SessionId,
    service: Name,
    reply: Token,
    until: Mono,
    /// The parts by their number; as many as the host says that there are.
    parts: Vec<Option<String>>,
}

/// All that are open, and until when which session's agent does none: it says so once.
#[derive(Debug, Default)]
pub(crate) struct Orders {
    open: BTreeMap<u64, Open>,
    resting: BTreeMap<u32, (SessionId, Mono)>,
}

impl Orders {
    /// When the first one has waited long enough.
    pub(crate) fn due(&self) -> Option<Mono> {
        self.open.values().map(|open| open.until).min()
    }

    /// A host tells something of an order; the answer, where that is all of it.
    fn told(&mut self, host: u32, said: &Ordered) -> Option<Answer> {
        let is_its = |open: &&mut Open| open.host == host && open.service == said.service;
        let open = self.open.get_mut(&said.token).filter(is_its)?;
        let result = match &said.said {
            OrderSaid::Refused(why) => Err(code::of_refusal(why)),
            OrderSaid::Part { part, of, text } => {
                if !(1..=PARTS_MAX).contains(of) {
                    return None;
                }
                open.parts.resize(usize::from(*of), None);
                *open.parts.get_mut(usize::from(*part).checked_sub(1)?)? = Some(text.as_str().into());
                let text: Option<Vec<&str>> = open.parts.iter().map(Option::as_deref).collect();
                Ok(Box::new(Evidence { token: said.token, text: text?.concat() }))
            }
        };
        let open = self.open.remove(&said.token)?;
        Some(Answer { reply: open.reply, result })
    }

    fn expired(&mut self, now: Mono) -> Option<Open> {
        let (token, _) = self.open.iter().find(|(_, open)| open.until <= now)?;
        let token = *token;
        self.open.remove(&token)
    }
}

/// Whether what it watches, as its agent said, names no such service; false where it said nothing.
fn has_no(host: &Host, service: &Name) -> bool {
    let slot = host.services.find(service.as_str());
    let watched = || host.watched.iter().filter_map(|check| host.checks.get(*check));
    !host.watched.is_empty() && !watched().any(|check| slot.is_some() && check.service == slot)
}

impl Collector {
    pub(crate) fn on_order(&mut self, now: Now, ask: Ask) {
        let Ask { reply, operator, host, service } = ask;
        let (slot, session) = match self.may_order(now.mono, (&host, &service)) {
            Ok(found) => found,
            Err(code) => return self.live.out.now(Effect::Order(Answer { reply, result: Err(code) })),
        };
        let token = self.live.nonce();
        let record =
            Record::Ordered { operator: *operator, host: *host, token, evidence_of: (*service).clone() };
        self.commit(now, record, &[]);
        let open = Open {
            host: slot,
            session,
            service: (*service).clone(),
            reply,
            until: now.mono.plus(PATIENCE),
            parts: Vec::new(),
        };
        self.live.orders.open.insert(token, open);
        let order = ingest::Order::Ask { session, token, evidence_of: service };
        self.live.out.when_durable(self.state.index, Effect::Session(order));
    }

    /// The session that an order to this host goes on.
    fn may_order(
        &self,
        now: Mono,
        (host, service): (&HostId, &Name),
    ) -> Result<(u32, SessionId), &'static str> {
        let Live { sessions, out, orders, .. } = &self.live;
        if !out.is_good() {
            return Err("store-full");
        }
        out.refusal().map_or(Ok(()), Err)?;
        let slot = self.state.hosts.find(host.as_str()).ok_or("not-found")?;
        if self.state.hosts.get(slot).is_some_and(|host| host.is_quarantined()) {
            return Err("quarantined");
        }
        let seat = sessions.seat(slot);
        let session = seat.live.ok_or("order-away")?;
        if seat.orders & EVIDENCE == 0 {
            return Err("order-unknown");
        }
        if self.state.hosts.get(slot).is_some_and(|host| has_no(host, service)) {
            return Err("order-stranger");
        }
        let carried = sessions.reported(slot).and_then(|report| report.sample).and_then(|it| it.carried);
        if carried.is_some_and(Carried::is_over) {
            return Err("order-over-cap");
        }
        let is_its = |(of, until): &&(SessionId, Mono)| *of == session && now < *until;
        if orders.resting.get(&slot).is_some_and(|rest| is_its(&rest)) {
            return Err("order-budget");
        }
        let of_host =
            orders.open.values().filter(|open| open.host == slot && open.session == session).count();
        if of_host >= OF_A_HOST || orders.open.len() >= OF_ALL {
            return Err("order-many");
        }
        Ok((slot, session))
    }

    /// Frames of a host are a record now: what of them answers an order goes to whoever asked.
    pub(crate) fn answer_orders(&mut self, now: Mono, slot: u32, taken: &[Taken]) {
        if self.live.orders.open.is_empty() {
            return;
        }
        let session = self.live.sessions.seat(slot).live;
        for event in taken.iter().filter_map(|taken| taken.event.as_ref()) {
            let Fact::Ordered(said) = &event.fact else { continue };
            if let (OrderSaid::Refused(Refusal::Budget { again, .. }), Some(session)) = (&said.said, session)
            {
                self.live.orders.resting.insert(slot, (session, now.plus(*again)));
            }
            if let Some(answer) = self.live.orders.told(slot, said) {
                self.live.out.when_durable(self.state.index, Effect::Order(answer));
            }
        }
    }

    /// Orders that nobody answered.
    pub(crate) fn on_order_time(&mut self, now: Now) {
        while let Some(Open { reply, host, session, .. }) = self.live.orders.expired(now.mono) {
            let stands = self.live.sessions.seat(host).live == Some(session);
            let code = if stands { "order-expired" } else { "order-lost" };
            self.live.out.now(Effect::Order(Answer { reply, result: Err(code) }));
        }
    }

    /// A session of the host has ended or given way: what went on it may be answered over the next one, or was lost with it.
    pub(crate) fn cut_orders(&mut self, now: Mono, slot: u32) {
        let live = self.live.sessions.seat(slot).live;
        let all = self.live.orders.open.values_mut();
        for open in all.filter(|open| open.host == slot && Some(open.session) != live) {
            open.until = open.until.min(now.plus(NEXT_SESSION));
        }
    }
}
