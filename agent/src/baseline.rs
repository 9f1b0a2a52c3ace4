//! What is on this host, listed for the core, which decides what of it should be: units over D-Bus, ports and mounts
//! from the kernel, and what packages and files say of changes.
//!
//! | limit | why |
//! |---|---|
//! | one look at a time, on a thread of the runtime's pool | the core asks for the next one when this is over |
//! | 4 answers in the channel | one look, one trace and one write are out at most |
//! | stirs count once | whatever stirs while nobody looks, the look sees |
//!
//! Mounts tell when they change (POLLPRI); units by signals of the bus ([`crate::sd`]); ports tell nobody.

mod traces;

use crate::clock;
use crate::config::Service;
use crate::keep::fitted;
use crate::local::written_here;
use crate::probe::{mounts, packages, ports};
use crate::sd::{self, list};
use crate::sealed;
use crate::sorted;
use crate::sys;
use picket_agent_core::Agent;
use picket_agent_core::baseline::{Order, Sighting, Standing, Trace};
use picket_proto::event::ThingKind;
use picket_proto::{Mono, Name, Span};
use rustix::fd::OwnedFd;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::io::unix::AsyncFd;
use tokio::sync::{Notify, mpsc};
use traces::Places;

/// Where it is kept, and how that begins.
const FILE: &str = "baseline";
const MAGIC: &[u8; 8] = b"PKTBASE1";
/// Files of units whose places are remembered: some times as many as a large host has.
const PATHS_MAX: usize = 2_048;
/// Answers that may wait.
const ANSWERS: usize = 4;

/// What came, for the loop.
pub(crate) enum Told {
    /// Something may have changed.
    Stirred,
    /// A look is over.
    Looked(Box<World>),
    /// What changed lately.
    Traced(Vec<Trace>),
    /// The file was written, so many bytes.
    Kept(u64),
}

/// What a look saw; nothing of what could not be seen.
pub(crate) struct World {
    pub(crate) units: Option<Vec<Sighting>>,
    pub(crate) ports: Option<Vec<Sighting>>,
    pub(crate) mounts: Option<Vec<Sighting>>,
    pub(crate) packages: Option<Span>,
    owners: ports::Owners,
    places: Option<(BTreeMap<String, PathBuf>, Vec<PathBuf>, String)>,
}

/// Where news come from.
pub(crate) struct News {
    answers: mpsc::Receiver<Told>,
    stirs: Arc<Notify>,
    mounts: Option<AsyncFd<OwnedFd>>,
}

impl News {
    /// The next of them.
    pub(crate) async fn next(&mut self) -> Told {
        let mounts = async {
            match &self.mounts {
                Some(mounts) => {
                    mounts.ready(tokio::io::Interest::PRIORITY).await.map(|mut ready| ready.clear_ready())
                }
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            Some(told) = self.answers.recv() => told,
            () = self.stirs.notified() => Told::Stirred,
            _changed_or_not_any_more_to_be_told = mounts => Told::Stirred,
        }
    }
}

/// Who looks.
pub(crate) struct Baseline {
    folder: PathBuf,
    /// Which units are services of the configuration.
    services: Arc<BTreeMap<String, Name>>,
    answers: mpsc::Sender<Told>,
    stirs: Arc<Notify>,
    /// Whose the sockets are; with the look that is out.
    owners: ports::Owners,
    places: Places,
}

impl Baseline {
    /// Gives the agent back what an earlier run learned; before its first input.
    pub(crate) fn open(
        folder: &Path,
        services: &[Service],
        now: Mono,
        agent: &mut Agent<'_>,
    ) -> (Self, News) {
        restore(folder, now, agent);
        let (answers, out) = mpsc::channel(ANSWERS);
        let stirs = Arc::new(Notify::new());
        let file = std::fs::File::open("/proc/self/mountinfo");
        let mounts = file.and_then(|file| sys::urgent(file.into()));
        let news = News { answers: out, stirs: Arc::clone(&stirs), mounts: mounts.ok() };
        let services = by_unit(services);
        let (owners, places) = (ports::Owners::new(), Places::default());
        let folder = folder.to_path_buf();
        (Self { folder, services, answers, stirs, owners, places }, news)
    }

    /// The configuration has these services now.
    pub(crate) fn anew(&mut self, services: &[Service]) {
        self.services = by_unit(services);
    }

    /// Who is told when something stirs.
    pub(crate) fn stirs(&self) -> Arc<Notify> {
        Arc::clone(&self.stirs)
    }

    /// Does what the core says.
    pub(crate) fn obey(&mut self, order: Order, agent: &Agent<'_>, systemd: &sd::Systemd) {
        match order {
            Order::Look { units } => self.look(if units { systemd.connection() } else { None }),
            Order::Trace => {
                self.places.units = gone(agent);
                let (places, answers) = (self.places.clone(), self.answers.clone());
                let wall = clock::now().wall;
                tokio::task::spawn_blocking(move || {
                    let told = Told::Traced(traces::look(&places, wall));
                    let _loop_is_ending_when_nobody_listens = answers.blocking_send(told);
                });
            }
            Order::Keep => self.keep(agent),
        }
    }

    fn look(&mut self, connection: Option<zbus::Connection>) {
        let mut owners = std::mem::take(&mut self.owners);
        let (services, answers) = (Arc::clone(&self.services), self.answers.clone());
        let known = self.places.root.clone();
        tokio::spawn(async move {
            let units = match connection {
                Some(connection) => match list::units(&connection, &services).await {
                    Ok(units) => Some(units),
                    Err(error) => {
                        tracing::warn!(%error, "units can't be listed; the next look tries again");
                        None
                    }
                },
                None => None,
            };
            let wall = clock::now().wall;
            // Whose a port is can be told only once systemd has said what its own is.
            let root = units.as_ref().map(|units| units.root.clone()).or(known);
            let seen = tokio::task::spawn_blocking(move || {
                (
                    root.and_then(|root| ports::list(&mut owners, &root).ok()),
                    mounts::list(),
                    packages::ago(wall),
                    owners,
                )
            });
            let (ports, mounts, packages, owners) = seen.await.unwrap_or_default();
            let (units, places) = match units {
                Some(units) => (Some(units.things), Some((units.paths, units.folders, units.root))),
                None => (None, None),
            };
            let world = World { units, ports, mounts, packages, owners, places };
            let _loop_is_ending_when_nobody_listens = answers.send(Told::Looked(Box::new(world))).await;
        });
    }

    /// A look is over: what is kept for the next one.
    pub(crate) fn looked(&mut self, world: &mut World) {
        self.owners = std::mem::take(&mut world.owners);
        if let Some((paths, folders, root)) = world.places.take() {
            // Where a file was that is gone is what a trace begins with.
            if self.places.paths.len() > PATHS_MAX {
                self.places.paths.clear();
            }
            self.places.paths.extend(paths);
            self.places.folders = folders;
            self.places.root = Some(root);
        }
    }

    fn keep(&mut self, agent: &Agent<'_>) {
        let (bytes, left_out) = fitted(|out| agent.keep_baseline(out));
        if left_out > 0 {
            tracing::warn!(
                left_out,
                "the baseline's file is full: some of what should be here is learned anew"
            );
        }
        let (folder, answers) = (self.folder.clone(), self.answers.clone());
        tokio::task::spawn_blocking(move || {
            let before = written_here();
            if let Err(error) = sealed::write(&folder.join(FILE), MAGIC, &bytes) {
                tracing::warn!(folder = %folder.display(), %error, "what should be here will not outlive this run");
            }
            let bytes = written_here().saturating_sub(before);
            let _loop_is_ending_when_nobody_listens = answers.blocking_send(Told::Kept(bytes));
        });
    }
}

fn restore(folder: &Path, now: Mono, agent: &mut Agent<'_>) {
    let folder_shown = folder.display();
    match sealed::read(&folder.join(FILE), MAGIC) {
        Ok(bytes) if bytes.is_empty() => {}
        Ok(bytes) => match agent.restore_baseline(now, &bytes) {
            Some(things) => tracing::info!(things, "what should be here is known"),
            None => {
                tracing::warn!(folder = %folder_shown, "the baseline's file is another version's: learned anew");
            }
        },
        Err(error) => {
            tracing::warn!(folder = %folder_shown, %error, "the baseline's file is damaged: learned anew");
        }
    }
}

/// The units that are gone, and those whose ports are.
fn gone(agent: &Agent<'_>) -> Vec<String> {
    let gone = agent.things().filter(|thing| matches!(thing.standing(), Standing::Gone { told: None, .. }));
    let unit = |thing: &picket_agent_core::baseline::Thing| match thing.kind() {
        ThingKind::Port => thing.of.clone(),
        ThingKind::Service | ThingKind::Timer | ThingKind::Socket => thing.name.clone(),
        ThingKind::Mount => None,
    };
    let mut units: Vec<String> = gone.filter_map(unit).map(|name| name.as_str().to_owned()).collect();
    units.sort_unstable();
    units.dedup();
    units
}

/// Whether this host has a systemd that can be asked.
pub(crate) fn has_systemd(bus: &crate::config::BusAddress) -> bool {
    match bus {
        crate::config::BusAddress::System => Path::new("/run/systemd/system").is_dir(),
        crate::config::BusAddress::User | crate::config::BusAddress::At(_) => true,
    }
}
/// Which units are services of the configuration.
fn by_unit(services: &[Service]) -> Arc<BTreeMap<String, Name>> {
    let units = services.iter().filter_map(|it| Some((it.unit.clone()?, it.spec.name.clone())));
    Arc::new(sorted::map(units))
}
