//! Wiring: opens the data folder, replays the journal, puts the parts together, and says when it is ready.
//!
//! The address is bound before the journal is read, so that a taken port is told at once; connections wait in the
//! kernel until the replay is done. DATA/collector.addr appears, whole, when the collector serves (unless the disk is full), and goes when it
//! ends; the line `ready {"listen": .., "metrics": ..}` on stdout says the same. After an orderly end `ended {"snapshot": ..}` follows:
//! the digest of the state, which a replay of the journal must find again. One process per folder, by a lock on DATA/lock.

use crate::authority::{Authority, make_private, write_private};
use crate::clock::{self, Clock, Since};
use crate::error::Failure;
use crate::metrics::{self, Source};
use crate::ports::{ASKS_IN, SESSIONS_IN};
use crate::run::{self, Inlets, Keeper, Serving};
use crate::server::{self, Door};
use crate::store::{Journal, Limits, Read, Recovered};
use crate::tls;
use picket_collector_core::Collector;
use rustix::fs::{FlockOperation, flock};
use rustix::process::{
    Resource, Rlimit, Signal, getppid, getrlimit, set_parent_process_death_signal, setrlimit,
};
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{mpsc, watch};
use tokio_stream::wrappers::ReceiverStream;

/// Threads for TLS and gRPC: two, as on the smallest machine that carries 10,000 hosts.
const WORKERS: usize = 2;
/// Connections that wait for the server's task to take them.
const READY_MAX: usize = 16;

/// How to run.
pub(crate) struct Settings {
    pub(crate) data: PathBuf,
    pub(crate) listen: String,
    pub(crate) lifetime: Lifetime,
    pub(crate) limits: Limits,
    /// Where `/metrics` is served, if anywhere: a loopback address.
    pub(crate) metrics: Option<SocketAddr>,
}

/// What ends the collector besides a signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lifetime {
    /// Nothing.
    Own,
    /// The end of the process that started it.
    Parents,
}

/// Runs a collector until it is told to stop.
pub(crate) fn run(settings: &Settings) -> Result<(), Failure> {
    if settings.lifetime == Lifetime::Parents {
        die_with_parent()?;
    }
    raise_files();
    let _lock = lock(&settings.data)?;
    let authority = authority(&settings.data)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(WORKERS)
        .enable_all()
        .build()
        .map_err(|source| Failure::System { doing: "start the runtime", source })?;
    let result = runtime.block_on(collect(settings, authority));
    runtime.shutdown_background();
    result
}

/// Replays the journal of `data` from its beginning and tells what is in it, and what a start would make of it; for
/// people who compare two collectors. Where the beginning was dropped, the replay begins with a snapshot as well.
pub(crate) fn hash(data: &Path) -> Result<Hash, Failure> {
    let _lock = lock(data)?;
    let mut journal = Journal::open(data, Limits::default())?;
    let resumed = journal.recover(0)?;
    let mut core = Collector::new(0);
    let mut frames = 0;
    let read = journal.read_all(|index, now, record| {
        frames += count(&record);
        core.replay(index, now, record);
    })?;
    let whole = journal.oldest()? == 1;
    let snapshot = digest(if whole { &core } else { &resumed.core });
    Ok(Hash { read, frames, snapshot, from: resumed.from, resumed: digest(&resumed.core) })
}

/// What a journal holds.
pub(crate) struct Hash {
    pub(crate) read: Read,
    pub(crate) frames: u64,
    /// The state's digest by the whole journal.
    pub(crate) snapshot: String,
    /// The last record of the snapshot that a start begins with, and the state's digest that it comes to.
    pub(crate) from: u64,
    pub(crate) resumed: String,
}

/// SHA-256 of the core's durable state, in hex.
fn digest(core: &Collector) -> String {
    Sha256::digest(core.snapshot()).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn count(record: &picket_collector_core::Record) -> u64 {
    let picket_collector_core::Record::Frames { frames, .. } = record else { return 0 };
    let (mut rest, mut count) = (frames.as_slice(), 0);
    while let Ok((_frame, behind)) = picket_proto::frame::split(rest) {
        (rest, count) = (behind, count + 1);
    }
    count
}

async fn collect(settings: &Settings, authority: Authority) -> Result<(), Failure> {
    let signals = signals()?;
    let listener = TcpListener::bind(&settings.listen)
        .await
        .map_err(|source| Failure::Bind { address: settings.listen.clone(), source })?;
    let address =
        listener.local_addr().map_err(|source| Failure::System { doing: "read the address", source })?;
    let metrics = match settings.metrics {
        Some(address) => Some(metrics::bind(address).await?),
        None => None,
    };
    let keeper = recover(settings)?;
    let config = tls::config(authority.server(&settings.data)?, authority.certificate())?;
    let (door, inlets) = door(&keeper, authority);
    let figures = metrics.as_ref().and_then(|listener| listener.local_addr().ok());
    if let Some(listener) = metrics {
        let source = Source { door: door.clone(), counts: keeper.ports.counts() };
        tokio::spawn(metrics::serve(listener, source));
    }
    let (stop, stopped) = watch::channel(false);
    let (ready, connections) = mpsc::channel(READY_MAX);
    tokio::spawn(tls::accept(listener, config, ready, stopped.clone()));
    let router = server::router(door).await?;
    let task =
        tokio::spawn(router.serve_with_incoming_shutdown(ReceiverStream::new(connections), told(stopped)));
    let place = settings.data.join("collector.addr");
    if let Err(failure) = write_private(&place, address.to_string().as_bytes()) {
        // A full disk must not keep the collector from answering, nor from telling its agents to keep their events.
        tracing::warn!(%failure, %address, "could not write the address into the data folder; serving all the same");
    }
    let figures = figures.map(|address| address.to_string());
    say("ready", &serde_json::json!({ "listen": address.to_string(), "metrics": figures }));
    tracing::info!(%address, metrics = figures, "serving");
    let result = run::run(keeper, inlets, Serving { task, stop }, signals).await;
    if let Err(failure) = std::fs::remove_file(&place) {
        tracing::warn!(%failure, path = %place.display(), "could not remove the address");
    }
    let digest = digest(&result?);
    say("ended", &serde_json::json!({ "snapshot": digest }));
    Ok(())
}

/// The core as the journal has it, begun anew, with its store running.
fn recover(settings: &Settings) -> Result<Keeper, Failure> {
    let since = Since::now();
    let mut journal = Journal::open(&settings.data, settings.limits)?;
    let Recovered { core, from, read } = journal.recover(u64::from_ne_bytes(clock::entropy()?))?;
    if read.damaged > 0
        && let Err(failure) = journal.mend(read.last)
    {
        // It reads the same at the next start. If the disk is full, nothing can be journaled now in any case.
        tracing::error!(%failure, "could not mend the journal; free space and start the collector again");
    }
    if let Err(failure) = journal.go_on(core.index() + 1) {
        tracing::error!(%failure, "could not begin a segment behind the missing entries; later starts may not tell them");
    }
    let boot = clock::boot()?;
    let clock = Clock::resume(read.mono, journal.offset(boot)?);
    if let Err(failure) = journal.keep_offset(boot, clock.offset()) {
        // A full disk must not keep the collector from answering; Mono is held at the journal's last time at worst.
        tracing::warn!(%failure, "could not keep the clock's offset");
    }
    tracing::info!(
        entries = read.entries,
        last = read.last,
        damaged = read.damaged,
        missing = read.missing,
        snapshot = from,
        ms = u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX),
        "journal read"
    );
    let mut keeper = Keeper::new(core, clock, journal.start()?);
    keeper.core.begin(clock.now(), boot);
    keeper.drain();
    Ok(keeper)
}

fn door(keeper: &Keeper, authority: Authority) -> (Door, Inlets) {
    let (session, sessions) = mpsc::channel(SESSIONS_IN);
    let (ask, asks) = mpsc::channel(ASKS_IN);
    let health = Arc::clone(&keeper.store.health);
    let door =
        Door::new(session, ask, keeper.store.events.clone(), Arc::new(authority), (keeper.clock, health));
    (door, Inlets { sessions, asks })
}

async fn told(mut stopped: watch::Receiver<bool>) {
    let _told_or_gone = stopped.wait_for(|stop| *stop).await;
}

fn signals() -> Result<impl Future<Output = ()>, Failure> {
    let listen =
        |kind| signal(kind).map_err(|source| Failure::System { doing: "listen for signals", source });
    let (mut terminate, mut interrupt) = (listen(SignalKind::terminate())?, listen(SignalKind::interrupt())?);
    let mut hangup = listen(SignalKind::hangup())?;
    Ok(async move {
        loop {
            tokio::select! {
                _signal = terminate.recv() => return,
                _signal = interrupt.recv() => return,
                // A closed terminal must not end what a whole fleet reports to.
                _signal = hangup.recv() => tracing::warn!("SIGHUP: ignored; SIGTERM ends the collector in order"),
            }
        }
    })
}

/// Reads the CA, or makes one where there is none, for the names that reach this machine from itself and its net.
fn authority(data: &Path) -> Result<Authority, Failure> {
    if Authority::exists(data) {
        return Authority::open(data);
    }
    let mut names = vec!["localhost".to_owned(), "127.0.0.1".to_owned(), "::1".to_owned()];
    if let Ok(hostname) = std::fs::read_to_string("/proc/sys/kernel/hostname") {
        let hostname = hostname.trim().to_owned();
        let literal =
            hostname.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-'));
        if literal && !hostname.is_empty() && !names.contains(&hostname) {
            names.push(hostname);
        }
    }
    let authority = Authority::create(data, &names)?;
    tracing::info!(data = %data.display(), "made a CA and the operator admin");
    Ok(authority)
}

/// Takes the folder for this process; the kernel lets go of it however the process ends.
pub(crate) fn lock(data: &Path) -> Result<File, Failure> {
    make_private(data)?;
    let path = data.join("lock");
    let file = File::options()
        .write(true)
        .create(true)
        .truncate(false)
        .open(&path)
        .map_err(Failure::io("open", &path))?;
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(file),
        Err(rustix::io::Errno::WOULDBLOCK) => Err(Failure::InUse(data.to_owned())),
        Err(errno) => Err(Failure::Io { doing: "lock", path, source: errno.into() }),
    }
}

/// As many open files as the system allows: each connection is one, and the usual soft limit is 1,024.
fn raise_files() {
    let limit = getrlimit(Resource::Nofile);
    if let Err(failure) = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit }) {
        tracing::warn!(%failure, limit = limit.current, "could not raise the number of open files");
    }
}

fn die_with_parent() -> Result<(), Failure> {
    let failed = |source| Failure::System { doing: "follow the parent process", source };
    let parent = getppid();
    set_parent_process_death_signal(Some(Signal::TERM)).map_err(|errno| failed(errno.into()))?;
    // A parent that died in between sends no signal any more.
    if getppid() == parent { Ok(()) } else { Err(failed(io::Error::other("it is gone"))) }
}

/// One line on stdout for the program that started this one.
fn say(word: &str, what: &serde_json::Value) {
    let line = format!("{word} {what}\n");
    let mut out = io::stdout().lock();
    if let Err(failure) = out.write_all(line.as_bytes()).and_then(|()| out.flush()) {
        tracing::debug!(%failure, "nobody reads stdout");
    }
}
