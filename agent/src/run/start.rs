//! A start: the state folder is taken, the core gets its memory and what earlier runs left, every port begins.

use super::places::Places;
use super::reload::Reloader;
use super::roster::Roster;
use super::signals::Signals;
use super::{Ports, Shell, doors};
use crate::act::{Notice, Services};
use crate::baseline::{self, Baseline};
use crate::clock::{self, Timer};
use crate::disk::{self, Disk, Folder, Memory};
use crate::keep::Keeper;
use crate::link::{Heard, Link, Peer, Sent};
use crate::local::{About, Answerer, Ask};
use crate::log::Log;
use crate::plan::{Given, Plan};
use crate::probe::Probes;
use crate::sd::notify::Notify;
use crate::sd::{self, Systemd};
use crate::state::{Legacy, State};
use crate::watch;
use crate::weeks::Weeks;
use picket_agent_core::check::CheckIx;
use picket_agent_core::{Agent, Identity, Storage, spool};
use picket_proto::{BootId, Text};
use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use tokio::sync::mpsc;

/// Runs the agent until it was asked to end and has ended.
///
/// # Errors
/// It can't begin: the state folder is taken or not there, or the kernel refuses what every start needs. A state that
/// can't be written is told and no reason not to begin: a host where nothing is healed is worse.
pub(crate) async fn run(plan: Plan, given: Given, log: Log) -> io::Result<()> {
    let (identity, mut memory, legacy) = take_up(&plan)?;
    let (run, boot) = (identity.run, identity.boot);
    let (_socket, asks) = doors::listen(&plan).await;
    let roster = Roster::new(&plan);
    let checks = Arc::clone(&roster.checks);
    let (services, notices) = Services::new(&plan.services, &plan.state, boot.0)?;
    let (mut systemd, heard) = Systemd::new(&plan.services, plan.bus.clone());
    let place = (plan.state.as_path().into(), plan.bus.clone());
    let (probes, answers, ends) = Probes::new(Arc::clone(&checks), place)?;
    let about = About::new(run, (plan.host.clone(), plan.collector.to_string()), Arc::clone(&checks));
    let (link, words) = Link::new(Peer::of(&plan), Arc::clone(&checks));
    let (ending, learns) = (plan.ending, (plan.baseline, baseline::has_systemd(&plan.bus)));
    let mut places = Places::new(&checks, &plan.services, learns);
    let (disk, segments) = Disk::new(Folder::below(&plan.state))?;
    let mut agent = core(identity, places.lend(memory.lend()), &plan)?;
    let (keeper, weeks, (baseline, news)) = left_behind(&plan, boot, &mut agent);
    systemd.tell_stirs(baseline.stirs());
    let ports = ports((notices, heard, answers, ends, words, segments, asks, news), &plan, link.sent())?;
    let mut shell = Shell {
        roster,
        reloader: Reloader::new(&plan, given),
        plan: Arc::new(plan),
        agent,
        services,
        systemd,
        baseline,
        notify: Notify::from_env(),
        probes,
        link,
        disk,
        mode: spool::Mode::Opening,
        is_over_cap: false,
        log,
        run,
        boot,
        synced: false,
        queue: VecDeque::new(),
        legacy,
        keeper,
        weeks,
        answerer: Answerer::new(about),
        reboots: None,
        ended: false,
    };
    shell.begin();
    shell.turn_until_ended(ports).await?;
    shell.finish(ending).await;
    Ok(())
}

/// Gives the agent back what earlier runs left beside the spool: who keeps it from now on.
fn left_behind(
    plan: &Plan,
    boot: BootId,
    agent: &mut Agent<'_>,
) -> (Keeper, Weeks, (Baseline, baseline::News)) {
    let now = clock::now().mono;
    let keeper = Keeper::open(&plan.state, boot, now, agent);
    let weeks = Weeks::open(&plan.state, &plan.checks, agent);
    (keeper, weeks, Baseline::open(&plan.state, &plan.services, now, agent))
}

/// The core, told how its link is to be used.
fn core<'s>(identity: Identity, storage: Storage<'s>, plan: &Plan) -> io::Result<Agent<'s>> {
    let mut agent = Agent::new(clock::entropy()?, identity, storage);
    agent.use_link(clock::now().mono, plan.collector.terms);
    agent.give_evidence(plan.collector.evidence);
    Ok(agent)
}

/// Takes the state folder: who this run is, the memory for its spool, and what the runs before left.
fn take_up(plan: &Plan) -> io::Result<(Identity, Memory, Legacy)> {
    let state = State::take(&plan.state)?;
    let (run, boot) = (clock::new_run()?, clock::boot()?);
    let claims = state.claims();
    let previous = claims.first().copied();
    let memory = Memory::new(plan.spool, claims.get(1..).unwrap_or_default());
    let version = Text::new(env!("CARGO_PKG_VERSION"));
    Ok((Identity { run, boot, previous, version }, memory, Legacy::new(state, run, claims)?))
}

/// What the ports tell by, with what the host itself tells.
type Told = (
    mpsc::Receiver<Notice>,
    mpsc::Receiver<sd::Told>,
    mpsc::Receiver<crate::probe::Answer>,
    mpsc::Receiver<CheckIx>,
    mpsc::Receiver<Heard>,
    mpsc::Receiver<disk::Told>,
    mpsc::Receiver<Ask>,
    baseline::News,
);

fn ports(told: Told, plan: &Plan, sent: Arc<Sent>) -> io::Result<Ports> {
    let (notices, units, answers, ends, words, segments, asks, news) = told;
    let watched = watch::begin(plan.file.clone());
    let (signals, timer) = (Signals::new(plan.ending)?, Timer::new()?);
    Ok(Ports { notices, units, answers, ends, words, segments, asks, news, sent, watched, signals, timer })
}
