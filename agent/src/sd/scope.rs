//! A scope of its own for each service that the agent starts itself.
//!
//! Its process is born in the control group of the agent's unit. There `systemctl kill`, a limit or the OOM killer meant for the
//! agent would hit it, and nobody could see or limit it alone. So systemd is asked for `picket-NAME-PID.scope`, beside the
//! start and never before it: what fails here leaves a service where it is, and delays or ends none. A process that was adopted
//! is moved likewise, if an agent of before left it there.
//!
//! | property | why |
//! |---|---|
//! | `Slice` of the agent's unit | what limits that one, or gives it weight, still counts for what it starts; a slice at the top would weigh as much as all other services together |
//! | `Before` the agent's unit | at a shutdown the agent is stopped first, or it would start again what shutdown stopped |
//! | `After` `network.target`, `sysinit.target` | as for any service: it is stopped before the network and the mounts go |
//! | `CollectMode` | a scope that is empty is gone, however its processes ended |
//! | `DelegateControllers`, none of them | only then systemd takes more processes into it, and lets the rest of it live where the kernel killed one for want of memory; a plain `Delegate` would turn on every controller in the whole slice |
//!
//! Only where the process is in the group of the agent's own `.service`, and systemd says that the agent is in that unit: not
//! without systemd, in a session, in a container of someone else or under another systemd. Names need no escape: what the configuration allows in them systemd does too.
//!
//! What the service started before it was moved stays behind, so it is looked for and moved after it ([`ROUNDS`]). What is not
//! found (a daemon that left its parent, group and session) stays, and harms nothing.
//!
//! Limits: one service at a time, 3 s each, one place per service for those that wait. Where the bus or systemd does not answer it is
//! tried again with the next start and when the agent is connected again, and where systemd refuses with the service's next life. Each
//! reason is told once ([`TOLD_MAX`]). A process number that is another's within the milliseconds between the look at it and the call
//! would be moved in its place; numbers are used again only after all others.

#![expect(
    clippy::disallowed_types,
    reason = "what waits is shared with a task of the same thread, and held for a few instructions, never while waiting"
)]

mod group;

use super::bus::{MANAGER, ROOT, SYSTEMD, connect};
use super::call::{ask, gone, timely};
use super::read;
use super::silence::is_news;
use crate::config::BusAddress;
use crate::follow::Followed;
use crate::probe::process::stat;
use futures_util::StreamExt;
use group::Own;
use picket_agent_core::service::ServiceIx;
use rustix::process::Pid;
use std::fmt::Display;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use tokio::io::unix::AsyncFd;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use zbus::{Connection, MessageStream, OwnedObjectPath, Variant};

/// How often what stayed behind is looked for. Each time only what was started during the time before can be left; what starts
/// processes faster than that in a row is not waited for.
const ROUNDS: u8 = 5;
/// How many reasons are remembered as told: there are hardly more.
const TOLD_MAX: usize = 8;

/// A process of a service that the agent started or adopted.
#[derive(Debug)]
pub(crate) struct Newcomer {
    pub(crate) service: String,
    pub(crate) pid: Pid,
    /// Gone with the service's life.
    pub(crate) life: Weak<AsyncFd<Followed>>,
}

/// Who moves them.
pub(super) struct Scopes {
    shared: Option<Arc<Shared>>,
    task: Option<JoinHandle<()>>,
}

struct Shared {
    own: Own,
    address: BusAddress,
    table: Mutex<Table>,
    stirred: Notify,
}

#[derive(Default)]
struct Table {
    /// The agent's own, while it has one.
    connection: Option<Connection>,
    /// One place per service; a later life takes that of the one before.
    waits: Vec<(ServiceIx, Newcomer)>,
    told: Vec<String>,
}

impl Drop for Scopes {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}

impl Scopes {
    /// Looks where the agent is; nothing is ever moved where that is no service of systemd's.
    pub(super) fn new(address: BusAddress) -> Self {
        let text = std::fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
        let shared = Own::of(&text)
            .map(|own| Arc::new(Shared { own, address, table: Mutex::default(), stirred: Notify::new() }));
        Self { shared, task: None }
    }

    /// A service lives: by and by its process gets its scope, at once or with the connection that is being made.
    pub(super) fn place(&mut self, service: ServiceIx, newcomer: Newcomer, at_once: bool) {
        let Some(shared) = &self.shared else { return };
        {
            let waits = &mut shared.table().waits;
            waits.retain(|(other, _)| *other != service);
            waits.push((service, newcomer));
        }
        if at_once {
            shared.stirred.notify_one();
        }
        if self.task.is_none() {
            self.task = Some(tokio::spawn(serve(Arc::clone(shared))));
        }
    }

    /// The agent's connection is this one now, or none; with one, what waits is tried again.
    pub(super) fn connected(&self, connection: Option<Connection>) {
        let Some(shared) = &self.shared else { return };
        let is_there = connection.is_some();
        shared.table().connection = connection;
        if is_there {
            shared.stirred.notify_one();
        }
    }
}

impl Shared {
    fn table(&self) -> std::sync::MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Those that wait, one after the other, until there are no more or nobody answers. Where the agent has no connection, since
    /// it watches no units, there is one for as long as that takes.
    async fn empty(&self, is_known: &mut bool) {
        let mut brief: Option<Connection> = None;
        loop {
            let (own, next) = {
                let mut table = self.table();
                (table.connection.clone(), table.waits.pop())
            };
            let Some((service, newcomer)) = next else { return };
            let placed = timely(async {
                let connection = match own.or_else(|| brief.clone()) {
                    Some(connection) => connection,
                    None => brief.insert(connect(&self.address).await?).clone(),
                };
                self.place(&connection, is_known, &newcomer).await
            });
            let Err(error) = placed.await.and_then(|placed| placed) else { continue };
            if !self.own.holds(newcomer.pid) || newcomer.life.upgrade().is_none() {
                // It ended meanwhile.
                continue;
            }
            let reason = match &error {
                zbus::Error::MethodError(name, ..) => name.as_str().to_owned(),
                other => other.to_string(),
            };
            self.tell(&newcomer.service, &reason, &error);
            if !matches!(error, zbus::Error::MethodError(..) | zbus::Error::FDO(_)) {
                let waits = &mut self.table().waits;
                if waits.iter().all(|(other, _)| *other != service) {
                    waits.push((service, newcomer));
                }
                return;
            }
        }
    }

    fn tell(&self, service: &str, reason: &str, error: impl Display) {
        if is_news(&mut self.table().told, TOLD_MAX, reason) {
            tracing::warn!(
                service, %error, "the service has no scope of its own: it stays in the control group of the agent's unit"
            );
        }
    }

    async fn place(
        &self,
        connection: &Connection,
        is_known: &mut bool,
        newcomer: &Newcomer,
    ) -> zbus::Result<()> {
        if newcomer.life.upgrade().is_none() || !self.own.holds(newcomer.pid) {
            return Ok(());
        }
        if !*is_known {
            self.is_ours(connection).await?;
            *is_known = true;
        }
        let (scope, pid) = (name(newcomer), number(newcomer.pid));
        // Listening before asking: the job may end before its number is known.
        let rule = format!(
            "type='signal',sender='{SYSTEMD}',path='{ROOT}',interface='{MANAGER}',member='JobRemoved',arg2='{scope}'"
        );
        let mut ended = MessageStream::for_match_rule(rule.as_str(), connection, None).await?;
        let properties = self.properties(newcomer);
        let others: [(&str, Vec<(&str, Variant<'_>)>); 0] = [];
        ask(connection, "StartTransientUnit", &(scope.as_str(), "fail", properties, &others[..])).await?;
        let ended = ended.next().await.ok_or_else(|| gone("the bus closed the connection"))??;
        let (_, _, _, result): (u32, OwnedObjectPath, String, String) = ended.body().deserialize()?;
        if result != "done" {
            // Somebody else's job has won, such as a shutdown's.
            self.tell(&newcomer.service, &result, format_args!("systemd's job for it: {result}"));
            return Ok(());
        }
        self.fetch(connection, &scope, newcomer.pid).await?;
        tracing::debug!(service = newcomer.service, pid, scope, "the service has a scope of its own");
        Ok(())
    }

    /// systemd must say that the agent is in the unit that its group is named after: else it is not the one that made this
    /// group, or its numbers of processes are others.
    async fn is_ours(&self, connection: &Connection) -> zbus::Result<()> {
        let unit = ask(connection, "GetUnitByPID", &std::process::id()).await?;
        let unit: OwnedObjectPath = unit.body().deserialize()?;
        if unit.as_str() == read::path_of(&self.own.unit) {
            return Ok(());
        }
        Err(zbus::Error::Failure(format!("this systemd does not run {}", self.own.unit)))
    }

    fn properties(&self, newcomer: &Newcomer) -> Vec<(&'static str, Variant<'static>)> {
        let words =
            |words: &[&str]| Variant::from(words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>());
        let mut properties = vec![
            ("PIDs", Variant::from(vec![number(newcomer.pid)])),
            ("Description", Variant::from(format!("{}, started by Picket's agent", newcomer.service))),
            ("Before", words(&[&self.own.unit])),
            ("After", words(&["network.target", "sysinit.target"])),
            ("CollectMode", Variant::from("inactive-or-failed")),
            ("DelegateControllers", words(&[])),
        ];
        properties.extend(self.own.slice.clone().map(|slice| ("Slice", Variant::from(slice))));
        properties
    }

    /// Moves what the service started before it was moved itself. One that ends between the look and the call makes systemd refuse,
    /// and the next look knows better.
    async fn fetch(&self, connection: &Connection, scope: &str, leader: Pid) -> zbus::Result<()> {
        let mut refused = Ok(());
        for _ in 0..ROUNDS {
            let left = self.own.left_of(leader).await;
            if left.is_empty() {
                return Ok(());
            }
            match ask(connection, "AttachProcessesToUnit", &(scope, "", left)).await {
                Ok(_) => refused = Ok(()),
                Err(error @ (zbus::Error::MethodError(..) | zbus::Error::FDO(_))) => refused = Err(error),
                Err(error) => return Err(error),
            }
        }
        refused
    }
}

async fn serve(shared: Arc<Shared>) {
    let mut is_known = false;
    loop {
        shared.stirred.notified().await;
        shared.empty(&mut is_known).await;
    }
}

/// By the process too: the scope of the life before may still have something in it.
fn name(newcomer: &Newcomer) -> String {
    format!("picket-{}-{}.scope", newcomer.service, newcomer.pid)
}

fn number(pid: Pid) -> u32 {
    pid.as_raw_nonzero().get().unsigned_abs()
}
