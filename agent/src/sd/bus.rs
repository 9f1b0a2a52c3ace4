//! One connection to the bus: subscribe first, then read; signals mark units, readings clear the marks.
//!
//! The reader takes signals as they come and waits for nothing else: it marks the unit in a table, and a task per
//! marked unit reads it. Jobs that end are kept with the mark, the last four per unit. A reading that a signal has
//! overtaken is made again, 8 times at most, so that what reaches the core is never older than the signals before it.
//! NameOwnerChanged (systemd was executed anew, or is gone), an end of the stream and a call without answer end the
//! connection; a new one subscribes and reads everything again.
//! Any local user may send a signal straight to a connection, past the rules of what it wants to hear: only those count
//! that the bus says come from systemd, or from itself.

mod marks;

use super::call::{gone, timely};
use super::{CALL, Told, list, read};
use crate::config::BusAddress;
use futures_util::StreamExt;
use marks::Mark;
pub(super) use marks::Watch;
use picket_agent_core::unit::{DONE_MAX, Done, Fact, JobEnd, UnitIx, Wake};
use std::sync::{Arc, OnceLock, PoisonError};
use tokio::task::JoinSet;
use zbus::OwnedObjectPath;
use zbus::names::OwnedUniqueName;
use zbus::{Connection, Message, MessageStream};

pub(super) const SYSTEMD: &str = "org.freedesktop.systemd1";
pub(super) const ROOT: &str = "/org/freedesktop/systemd1";
pub(super) const MANAGER: &str = "org.freedesktop.systemd1.Manager";
const BUS: &str = "org.freedesktop.DBus";
const RULES: [&str; 2] = [
    "type='signal',sender='org.freedesktop.systemd1',path_namespace='/org/freedesktop/systemd1'",
    "type='signal',sender='org.freedesktop.DBus',member='NameOwnerChanged',arg0='org.freedesktop.systemd1'",
];
/// How often a reading that was overtaken is made again before it counts all the same.
const OVERTAKEN_MAX: u8 = 8;

/// A connection that is being made or is there. Dropping it ends it.
pub(super) struct Session {
    watch: Arc<Watch>,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Session {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Session {
    /// Connects; the outcome comes as a fact.
    pub(super) fn begin(address: BusAddress, watch: Arc<Watch>) -> Self {
        let own = Arc::clone(&watch);
        let task = tokio::spawn(async move {
            let ended = serve(&address, &own).await;
            if let Err(error) = ended {
                let _loop_is_ending_when_nobody_listens =
                    own.facts.send(Told::Silent(error.to_string())).await;
            }
            let _loop_is_ending_when_nobody_listens = own.facts.send(Told::Fact(Fact::Lost)).await;
        });
        Self { watch, task }
    }

    /// Reads every unit.
    pub(super) fn look(&self) {
        self.watch.mark(Wake::Look, |_| true);
    }

    /// The units are these now, by their places; the names that are new.
    pub(super) fn anew(&self, names: &[Option<String>]) -> Vec<String> {
        self.watch.anew(names)
    }

    pub(super) fn connection(&self) -> Option<Connection> {
        self.watch.connection.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Connects, within the time that a call may take.
pub(super) async fn connect(address: &BusAddress) -> zbus::Result<Connection> {
    let builder = match address {
        BusAddress::System => zbus::connection::Builder::system(),
        BusAddress::User => zbus::connection::Builder::session(),
        BusAddress::At(address) => zbus::connection::Builder::address(address.as_str()),
    };
    timely(builder.method_timeout(CALL).build()).await?
}

/// Serves one connection to its end. Whatever comes is taken from the first moment on: answers stand in the stream of signals too, and
/// behind 64 of both that nobody takes no answer would come any more.
async fn serve(address: &BusAddress, watch: &Arc<Watch>) -> zbus::Result<()> {
    let connection = connect(address).await?;
    let signals = MessageStream::from(&connection);
    let systemd = OnceLock::new();
    tokio::select! {
        ended = hear(signals, &systemd, watch) => ended,
        ended = ask(&connection, &systemd, watch) => ended,
    }
}

/// Subscribes, and reads whatever is marked from then on. Who answers that is systemd, by the name that the bus has given it.
async fn ask(
    connection: &Connection,
    systemd: &OnceLock<OwnedUniqueName>,
    watch: &Arc<Watch>,
) -> zbus::Result<()> {
    for rule in RULES {
        connection.call_method(Some(BUS), "/org/freedesktop/DBus", Some(BUS), "AddMatch", &rule).await?;
    }
    let subscribed = connection.call_method(Some(SYSTEMD), ROOT, Some(MANAGER), "Subscribe", &()).await?;
    let owner =
        subscribed.header().sender().ok_or_else(|| gone("the bus does not say who answers"))?.to_owned();
    let _this_is_the_only_one = systemd.set(owner.into());
    pin(connection, watch.names()).await?;
    *watch.connection.lock().unwrap_or_else(PoisonError::into_inner) = Some(connection.clone());
    watch.stirs.notify_one();
    if watch.facts.send(Told::Fact(Fact::Opened)).await.is_err() {
        return Ok(());
    }
    read_marked(connection, watch).await
}

/// Keeps systemd from forgetting how a unit ended: one that nothing refers to is unloaded as soon as it stops. Where
/// that is not allowed, or there is no such unit, readings tell less.
pub(super) async fn pin(connection: &Connection, names: Vec<String>) -> zbus::Result<()> {
    for name in names {
        match connection.call_method(Some(SYSTEMD), ROOT, Some(MANAGER), "RefUnit", &name).await {
            Ok(_) => {}
            Err(zbus::Error::MethodError(..) | zbus::Error::FDO(_)) => {
                tracing::debug!(unit = name, "the unit can't be pinned");
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Takes signals until the stream ends. What comes before it is known who systemd is counts for nothing: all is read after that.
async fn hear(
    mut signals: MessageStream,
    systemd: &OnceLock<OwnedUniqueName>,
    watch: &Watch,
) -> zbus::Result<()> {
    while let Some(message) = signals.next().await {
        let message = message?;
        if message.message_type() != zbus::message::Type::Signal {
            continue;
        }
        match message.header().sender().map(|sender| sender.as_str()) {
            Some(BUS) => owner_changed(&message)?,
            sender if sender.is_some() && sender == systemd.get().map(|owner| owner.as_str()) => {
                heard(&message, watch)?;
            }
            _ => {}
        }
    }
    Err(gone("the bus closed the connection"))
}

/// A word of the bus itself.
fn owner_changed(message: &Message) -> zbus::Result<()> {
    if message.header().member().is_none_or(|member| member.as_str() != "NameOwnerChanged") {
        return Ok(());
    }
    let (_, old, _): (String, String, String) = message.body().deserialize()?;
    // That it has come is no news: the call that subscribes waited for it.
    if old.is_empty() { Ok(()) } else { Err(gone("systemd was executed anew, or is gone from the bus")) }
}

fn heard(message: &Message, watch: &Watch) -> zbus::Result<()> {
    let header = message.header();
    let member = header.member().map(|member| member.as_str()).unwrap_or_default();
    let path = header.path().map(|path| path.as_str()).unwrap_or_default();
    match member {
        "PropertiesChanged" => watch.mark(Wake::Signal, |mark| mark.path == path),
        "JobNew" => {
            let (_, _, unit): (u32, OwnedObjectPath, String) = message.body().deserialize()?;
            watch.mark(Wake::Signal, |mark| is_of(mark, &unit));
        }
        "JobRemoved" => job_removed(message, watch)?,
        "Reloading" => {
            // What it says at the begin of a reload is not what stands at its end.
            let begins: bool = message.body().deserialize()?;
            watch.mark(Wake::Signal, |_| !begins);
            watch.stirs.notify_one();
        }
        "UnitFilesChanged" => {
            watch.mark(Wake::Signal, |_| true);
            watch.stirs.notify_one();
        }
        // UnitNew and UnitRemoved come for every unit at a reload, and for units that reading has loaded.
        _ => {}
    }
    Ok(())
}

fn job_removed(message: &Message, watch: &Watch) -> zbus::Result<()> {
    let (id, _, unit, result): (u32, OwnedObjectPath, String, String) = message.body().deserialize()?;
    if list::is_listed(&unit) {
        watch.stirs.notify_one();
    }
    let end = match result.as_str() {
        "done" => JobEnd::Done,
        "failed" => JobEnd::Failed,
        "dependency" => JobEnd::Dependency,
        _ => JobEnd::Other,
    };
    watch.mark(Wake::Signal, |mark| {
        let own = is_of(mark, &unit);
        if own {
            mark.done.rotate_left(1);
            mark.done[DONE_MAX - 1] = Some(Done { id, end });
        }
        own
    });
    Ok(())
}

fn is_of(mark: &Mark, unit: &str) -> bool {
    mark.name.as_deref() == Some(unit) || mark.path == read::path_of(unit)
}

/// Reads what is marked until a reading fails.
async fn read_marked(connection: &Connection, watch: &Arc<Watch>) -> zbus::Result<()> {
    let mut readings = JoinSet::new();
    loop {
        while let Some((unit, path, wake)) = watch.next() {
            let (connection, watch) = (connection.clone(), Arc::clone(watch));
            readings.spawn(async move { read_one(&connection, &watch, (unit, path), wake).await });
        }
        tokio::select! {
            () = watch.marked.notified() => {}
            Some(ended) = readings.join_next() => ended.map_err(|_| gone("a reading ended early"))??,
        }
    }
}

async fn read_one(
    connection: &Connection,
    watch: &Watch,
    (unit, path): (UnitIx, String),
    mut wake: Wake,
) -> zbus::Result<()> {
    let mut seen = read::unit(connection, &path).await?;
    for _ in 0..OVERTAKEN_MAX {
        let Some(newer) = watch.overtaken(unit) else { break };
        wake = if wake == Wake::Signal { wake } else { newer };
        seen = read::unit(connection, &path).await?;
    }
    let (seen, id) = seen;
    let done = watch.taken(unit, &id);
    let sent = watch.facts.send(Told::Fact(Fact::Read { unit, wake, seen, done })).await;
    watch.free(unit);
    sent.map_err(|_| gone("the loop has ended"))
}
