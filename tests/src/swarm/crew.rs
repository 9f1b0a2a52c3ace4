//! All agents of the swarm: their threads, their certificates, what is done to them, and how they truly stand.
//!
//! Agents live on [`THREADS`] threads with a runtime each, by their number in turn: enough for 10,000 sessions on two
//! cores, and hosts that are busy with a backlog can be kept off the thread of those whose events are timed. Enrolments
//! go [`AT_ONCE`] at a time, as a rollout in waves does: a collector takes 64 connections without a certificate.

use super::agent::{self, Birth, Deed, Mark};
use super::machine;
use super::past::Past;
use crate::rig::files::write_secret;
use crate::rig::scripted::mint;
use picket_agent::config::Config;
use picket_agent::entry::Wire;
use picket_rpc::v1::operator_client::OperatorClient;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;
use tokio::runtime::{Builder, Handle};
use tokio::sync::{mpsc, oneshot};
use tokio::task::{JoinHandle, JoinSet};
use tonic::transport::Channel;

/// Threads that agents live on.
pub(super) const THREADS: usize = 2;
/// Enrolments at once.
const AT_ONCE: usize = 32;
/// Bytes of frames that an agent can keep: some 150, what a host tells in hours.
const RING: usize = 16 * 1024;
/// For the hosts with days to tell.
const BACKLOG_RING: usize = 4 * 1024 * 1024;

/// How often a host without, and one with a past looks at its checks.
const INTERVALS: [&str; 2] = ["10s", "60s"];

/// One agent.
struct Member {
    mark: Arc<Mark>,
    deeds: mpsc::UnboundedSender<Deed>,
    task: JoinHandle<()>,
    release: Option<oneshot::Sender<()>>,
    /// Frames that its runs before this one made, and those of them that were not acknowledged when such a run ended:
    /// they may have arrived or not, since nothing here keeps them for the next run.
    earlier: (u64, u64),
}

impl Member {
    /// Frames that it ever made.
    fn made(&self) -> u64 {
        self.earlier.0 + self.mark.made.load(Ordering::Acquire)
    }
}

/// See the module.
pub(super) struct Crew {
    runtimes: Vec<(Handle, oneshot::Sender<()>)>,
    members: Vec<Option<Member>>,
    folder: PathBuf,
    address: String,
    seed: u64,
    losses: (mpsc::UnboundedSender<&'static str>, mpsc::UnboundedReceiver<&'static str>),
}

impl Crew {
    /// A crew of `count` agents, none of which lives yet.
    ///
    /// # Panics
    /// If the kernel gives no threads.
    pub(super) fn new(count: usize, folder: PathBuf, address: &str, seed: u64) -> Self {
        let runtimes = (0..THREADS).map(|_| runtime()).collect();
        let members = (0..count).map(|_| None).collect();
        Self {
            runtimes,
            members,
            folder,
            address: address.to_owned(),
            seed,
            losses: mpsc::unbounded_channel(),
        }
    }

    /// How many there are.
    pub(super) const fn count(&self) -> usize {
        self.members.len()
    }

    /// A member's host.
    pub(super) fn host(at: usize) -> String {
        format!("h{at:05}")
    }

    fn config(&self, at: usize, interval: &str) -> Config {
        machine::config(&self.folder, &Self::host(at), &self.address, interval)
    }

    fn handle(&self, at: usize) -> &Handle {
        &self.runtimes[at % THREADS].0
    }

    /// Gets every host its certificate.
    ///
    /// # Panics
    /// If the collector refuses one.
    pub(super) async fn enrol(&self, operator: &OperatorClient<Channel>) {
        let mut under_way = JoinSet::new();
        for at in 0..self.count() {
            if under_way.len() >= AT_ONCE {
                under_way.join_next().await.expect("there are some").expect("a host is enrolled");
            }
            let (operator, handle) = (operator.clone(), self.handle(at).clone());
            let (folder, address) = (self.folder.clone(), self.address.clone());
            under_way.spawn(enrol(operator, handle, folder, (Self::host(at), address)));
        }
        while let Some(ended) = under_way.join_next().await {
            ended.expect("a host is enrolled");
        }
    }

    /// Starts an agent; one with a past lives through it and then waits for [`Self::release`].
    pub(super) fn start(&mut self, at: usize, past: Option<Past>) {
        let before = self.members[at].take();
        let earlier = before.map_or((0, 0), |member| {
            let unsure = u64::from(member.mark.waiting.load(Ordering::Acquire));
            (member.made(), member.earlier.1 + unsure)
        });
        let (deeds, heard) = mpsc::unbounded_channel();
        let (release, released) = oneshot::channel();
        let mark = Arc::new(Mark::default());
        let birth = Birth {
            config: self.config(at, INTERVALS[usize::from(past.is_some())]),
            seed: self.seed ^ ((at as u64) << 32) ^ earlier.0.wrapping_mul(0x9E37_79B9),
            ring: if past.is_some() { BACKLOG_RING } else { RING },
            past: past.map(|past| (past, released)),
            mark: Arc::clone(&mark),
            losses: self.losses.0.clone(),
        };
        let task = self.handle(at).spawn(agent::live(birth, heard));
        self.members[at] = Some(Member { mark, deeds, task, release: Some(release), earlier });
    }

    /// Lets an agent that has lived through its past connect.
    pub(super) fn release(&mut self, at: usize) {
        if let Some(release) = self.members[at].as_mut().and_then(|member| member.release.take()) {
            let _agent_may_be_gone = release.send(());
        }
    }

    /// Does something to a host.
    pub(super) fn suffer(&self, at: usize, deed: Deed) {
        if let Some(member) = &self.members[at] {
            let _agent_may_be_gone = member.deeds.send(deed);
        }
    }

    /// Ends a host for good, with no goodbye.
    pub(super) fn die(&mut self, at: usize) {
        if let Some(member) = self.members[at].take() {
            member.task.abort();
        }
    }

    /// How an agent stands, if it lives.
    pub(super) fn mark(&self, at: usize) -> Option<&Mark> {
        self.members[at].as_ref().map(|member| &*member.mark)
    }

    /// Agents that live and of which `is` holds.
    pub(super) fn count_of(&self, is: impl Fn(&Mark) -> bool) -> usize {
        self.members.iter().flatten().filter(|member| is(&member.mark)).count()
    }

    /// How many frames of each living host the collector must have, by host: the least and the most.
    pub(super) fn made(&self) -> BTreeMap<String, (u64, u64)> {
        let living = self.members.iter().enumerate().filter_map(|(at, member)| Some((at, member.as_ref()?)));
        let made = |member: &Member| (member.made() - member.earlier.1, member.made());
        living.map(|(at, member)| (Self::host(at), made(member))).collect()
    }

    /// Frames that living hosts gave up.
    pub(super) fn lost(&self) -> u64 {
        self.members.iter().flatten().map(|member| member.mark.lost.load(Ordering::Acquire)).sum()
    }

    /// Why links were lost or did not come since the last look: the codes, and how often.
    pub(super) fn losses(&mut self) -> BTreeMap<&'static str, u64> {
        let mut counts = BTreeMap::new();
        while let Ok(code) = self.losses.1.try_recv() {
            *counts.entry(code).or_insert(0) += 1;
        }
        counts
    }
}

/// Gets one host its certificate: an operator makes the token, the host shows it.
async fn enrol(
    mut operator: OperatorClient<Channel>,
    handle: Handle,
    folder: PathBuf,
    (host, address): (String, String),
) {
    let token = mint(&mut operator, &host).await;
    write_secret(&folder.join(format!("{host}.token")), &token);
    let config = machine::config(&folder, &host, &address, INTERVALS[0]);
    let enrolled = handle.spawn(Wire::enrol(config)).await.expect("the thread lives");
    enrolled.unwrap_or_else(|why| panic!("{host} is not enrolled: {why}"));
}

/// A thread with a runtime that ends with the sender.
fn runtime() -> (Handle, oneshot::Sender<()>) {
    let runtime = Builder::new_current_thread().enable_all().build().expect("the kernel gives a runtime");
    let handle = runtime.handle().clone();
    let (stop, stopped) = oneshot::channel::<()>();
    thread::spawn(move || {
        let _stopped_or_dropped = runtime.block_on(stopped);
    });
    (handle, stop)
}
