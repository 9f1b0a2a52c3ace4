//! systemd over D-Bus: units that are services are read and called; what they mean is the core's business.
//!
//! - [`bus`]: one connection, its signals and its readings. A signal is only a wake-up: whatever it says, the unit is
//!   then read whole, once. [`read`]: what a reading takes from the properties. [`call`]: what is asked of systemd.
//!   [`journal`]: what a unit printed before it ended.
//! - At most one reading per unit is out; a signal that comes meanwhile makes another one follow, so signals never
//!   queue. Every call has 3 s; a bus that does not answer is gone, and the core says when to try again. [`silence`]: why
//!   it is not heard, told once.
//! - [`scope`]: services that the agent starts itself get scopes of their own.
//! - [`list`]: which units there are, for the baseline. A signal that may change the list is only told on.
//!   [`lives`]: how units stand, for a first look.
//! - [`notify`]: what the agent tells the init system that started it.
//!
//! Which bus: the system's, or the one in `DBUS_SYSTEM_BUS_ADDRESS`; `[agent] bus` names another. Only units that the
//! configuration names are looked at or called. Calls need root or a polkit rule for `org.freedesktop.systemd1`.

mod bus;
mod call;
mod journal;
mod last;
pub(crate) mod list;
mod lives;
pub(crate) mod notify;
mod read;
mod scope;
mod silence;
#[cfg(test)]
mod tests;

pub(crate) use last::runs;
pub(crate) use lives::{ASKED_MAX, Life, Survey};
pub(crate) use scope::Newcomer;

use crate::config::{BusAddress, Service};
use crate::probe::{Seen, process};
use bus::{Session, Watch};
use journal::{Journal, Manager};
use picket_agent_core::check::Reading;
use picket_agent_core::unit::{Active, Answer, Collect, Fact, Order, UnitIx, Verb};
use picket_proto::event::Cause;
use rustix::process::Pid;
use silence::Silence;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, mpsc};
use tokio::task::JoinSet;

/// Longest time for one call: systemd answers within milliseconds unless it reloads or the host starves.
const CALL: Duration = Duration::from_secs(3);

/// Facts that may wait for the loop: readings beyond wait in their own tasks, one per unit.
const FACTS: usize = 64;

/// What comes of it, for the loop.
#[derive(Debug)]
pub(crate) enum Told {
    /// For the core.
    Fact(Fact),
    /// Why systemd is not heard; the fact that it is lost follows.
    Silent(String),
    /// Last words of a unit's life, or systemd's refusal.
    Words { unit: UnitIx, pid: u32, text: String },
    /// What a unit printed last, for an order; nothing where the journal can't be read.
    Printed { unit: UnitIx, token: u64, text: Option<String> },
}

/// The units of this agent.
pub(crate) struct Systemd {
    address: BusAddress,
    /// By service; nothing where it is none.
    names: Arc<[Option<String>]>,
    last: Vec<Option<(Active, u32)>>,
    facts: mpsc::Sender<Told>,
    journal: Journal,
    session: Option<Session>,
    silence: Silence,
    /// Who hears that the list of units may have changed.
    stirs: Arc<Notify>,
    /// Calls that are out: one per unit at most, as the core has it.
    calls: JoinSet<()>,
    scopes: scope::Scopes,
}

impl Systemd {
    /// The units among `services`; connects to nothing yet.
    pub(crate) fn new(services: &[Service], address: BusAddress) -> (Self, mpsc::Receiver<Told>) {
        let (facts, out) = mpsc::channel(FACTS);
        let names: Arc<[_]> = services.iter().map(|service| service.unit.clone()).collect();
        let last = vec![None; names.len()];
        let manager = if matches!(address, BusAddress::User) { Manager::User } else { Manager::System };
        let journal = Journal::new(manager, names.len());
        let (session, silence, stirs, calls) = (None, Silence::default(), Arc::default(), JoinSet::new());
        let scopes = scope::Scopes::new(address.clone());
        (Self { address, names, last, facts, journal, session, silence, stirs, calls, scopes }, out)
    }

    /// From the next connection on, tells these when the list of units may have changed.
    pub(crate) fn tell_stirs(&mut self, stirs: Arc<Notify>) {
        self.stirs = stirs;
    }

    /// The connection, while there is one.
    pub(crate) fn connection(&self) -> Option<zbus::Connection> {
        self.session.as_ref().and_then(Session::connection)
    }

    /// Has the process of a service that the agent itself started put into a scope of its own, beside whatever else is done.
    pub(crate) fn place(&mut self, service: u16, newcomer: Newcomer) {
        let is_connecting = self.session.is_some() && self.connection().is_none();
        self.scopes.place(service, newcomer, !is_connecting);
    }

    /// Takes the services by their places; `serves` says which the configuration has.
    pub(crate) fn anew(&mut self, services: &[Service], serves: &[bool]) {
        let named = services.iter().zip(serves);
        self.names = named.map(|(service, serves)| service.unit.clone().filter(|_| *serves)).collect();
        self.last.resize(self.names.len(), None);
        self.journal.anew(self.names.len());
        if let Some(session) = &self.session {
            let new = session.anew(&self.names);
            if let Some(connection) = session.connection() {
                self.calls.spawn(async move {
                    let _a_bus_that_is_gone_ends_its_session = bus::pin(&connection, new).await;
                });
            }
        }
    }

    /// Does what the core says about the bus.
    pub(crate) fn obey(&mut self, order: Order) {
        match order {
            Order::Connect => {
                // Calls made since the last connection ended are out: each has yet to be answered that nobody heard it.
                let watch = Watch::new(Arc::clone(&self.names), self.facts.clone(), Arc::clone(&self.stirs));
                self.session = Some(Session::begin(self.address.clone(), watch));
            }
            Order::Look => {
                if let Some(session) = &self.session {
                    session.look();
                }
            }
        }
    }

    /// Calls systemd about one unit; the answer comes as a fact.
    pub(crate) fn call(&mut self, unit: UnitIx, verb: Verb) {
        while self.calls.try_join_next().is_some() {}
        let connection = self.connection();
        let name = self.names.get(usize::from(unit)).cloned().flatten();
        let facts = self.facts.clone();
        self.calls.spawn(async move {
            let (answer, text) = match (connection, name) {
                (Some(connection), Some(name)) => call::call(&connection, &name, verb).await,
                (None, _) | (_, None) => (Answer::Unheard, String::new()),
            };
            let answered = facts.send(Told::Fact(Fact::Answered { unit, answer })).await;
            // The words explain what the answer has just told.
            if matches!(answer, Answer::Refused(_)) && answered.is_ok() {
                let _loop_is_ending_when_nobody_listens =
                    facts.send(Told::Words { unit, pid: 0, text }).await;
            }
        });
    }

    /// Looks for the last words of one life of a unit.
    pub(crate) fn collect(&mut self, unit: UnitIx, of: Collect) {
        if let Some(name) = self.names.get(usize::from(unit)).cloned().flatten() {
            self.journal.collect((unit, name), of, self.facts.clone());
        }
    }

    /// Reads what one life of a unit printed, for an order.
    pub(crate) fn read(&mut self, unit: UnitIx, of: Collect, token: u64) {
        if let Some(name) = self.names.get(usize::from(unit)).cloned().flatten() {
            self.journal.read((unit, name), of, (token, self.facts.clone()));
        }
    }

    /// Systemd is not heard.
    pub(crate) fn silent(&mut self, why: String) {
        self.silence.goes_on(why);
    }

    /// A fact passes on its way to the core: the last reading answers the process check, and a bus that is gone is
    /// forgotten.
    pub(crate) fn passes(&mut self, fact: &Fact) {
        match fact {
            Fact::Read { unit, seen, .. } => {
                if let Some(last) = self.last.get_mut(usize::from(*unit)) {
                    *last = Some((seen.active, seen.pid));
                }
            }
            Fact::Lost => {
                (self.session, self.calls) = (None, JoinSet::new());
                self.scopes.connected(None);
            }
            Fact::Opened => {
                self.silence.ends();
                self.scopes.connected(self.connection());
            }
            Fact::Answered { .. } => {}
        }
    }

    /// Why systemd is not heard, while there is something to hear of it.
    pub(crate) fn unheard(&self) -> Option<String> {
        self.silence.why().filter(|_| self.names.iter().any(Option::is_some)).cloned()
    }

    /// The process check of a unit: by its main process where it has one, else by its state. `None` if the service is
    /// no unit. Goes on while the bus is away, by the process that was seen last.
    pub(crate) fn process(&self, service: u16) -> Option<Seen> {
        self.names.get(usize::from(service))?.as_ref()?;
        let Some((active, pid)) = self.last.get(usize::from(service)).copied().flatten() else {
            return Some(Seen::new(
                Reading::Bad(Cause::Local(libc::ENOTCONN)),
                "systemd is not heard over D-Bus",
            ));
        };
        let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
        let reading = match (active, pid) {
            (Active::Active | Active::Activating | Active::Deactivating, Some(pid)) => {
                process::read(Some((pid, None)))
            }
            (Active::Active, None) => Reading::Good,
            (Active::Activating | Active::Deactivating | Active::Other, _) => {
                Reading::Bad(Cause::Local(libc::EAGAIN))
            }
            (Active::Inactive | Active::Failed, _) => Reading::Bad(Cause::NoProcess),
        };
        Some(reading.into())
    }
}
