//! A first look at a host, before anything of it is watched: what runs, who listens, what an agent would have done, and what
//! may go wrong next. Each thing is seen as the agent sees it later; nothing is changed and nothing is kept.
//!
//! | limit | why |
//! |---|---|
//! | 64 units are asked for more than their state | [`ASKED_MAX`] |
//! | 16 mounts, 1 s for each, in a thread of its own | a dead one never answers |
//!
//! What can't be seen is named, never guessed. Left out: what needs a second look, such as a disk that fills.

mod risks;

use crate::baseline::has_systemd;
use crate::config::BusAddress;
use crate::probe::ports;
use crate::sd::{ASKED_MAX, Life, Survey};
use crate::sorted;
use picket_agent_core::baseline::{File, Runs, Sight, Sighting};
use picket_proto::event::ThingKind;
use std::collections::BTreeSet;

/// What was seen.
#[derive(Debug, Default)]
pub(crate) struct Look {
    /// Units that are enabled and run; nothing where systemd can't be asked.
    pub(crate) units: Option<usize>,
    /// Ports below the kernel's own range, with the unit that listens, or the program where it is of none.
    pub(crate) ports: Vec<(String, Option<String>)>,
    /// What failed, and would have been started again.
    pub(crate) would: Vec<Life>,
    /// What failed, and is nothing to start again: oneshots, timers, units that nobody enabled.
    pub(crate) failed: Vec<String>,
    /// What is enabled and does not run, though nothing failed.
    pub(crate) idle: Vec<String>,
    /// What may go wrong next.
    pub(crate) risks: Vec<String>,
    /// What could not be seen, and why.
    pub(crate) blind: Vec<String>,
}

/// Looks.
pub(crate) async fn look(bus: &BusAddress) -> Look {
    let mut seen = Look::default();
    let survey = Survey::open(bus).await;
    let units = match &survey {
        Ok(survey) => survey.units().await,
        Err(error) => Err(error.clone()),
    };
    let mut root = String::new();
    let mut things = Vec::new();
    let mut failed = BTreeSet::new();
    match units {
        Ok(units) => {
            seen.units = Some(units.things.iter().filter(|thing| thing.is_lasting()).count());
            (root, things, failed) = (units.root, units.things, sorted::set(units.failed));
        }
        Err(error) if is_there() => seen.blind.push(format!("units: systemd can't be asked ({error})")),
        Err(_) => {}
    }
    let listed = tokio::task::spawn_blocking(move || ports::named(&root));
    match listed.await {
        Ok(Ok(ports)) => {
            seen.ports = ports.iter().filter_map(port).collect();
            seen.ports.sort_by_key(|(_, of)| !of.as_deref().is_some_and(is_unit));
        }
        Ok(Err(error)) => seen.blind.push(format!("ports: the kernel can't be asked ({error})")),
        Err(_) => seen.blind.push("ports: the look was broken off".to_owned()),
    }
    if !(seen.ports.is_empty() || rustix::process::geteuid().is_root()) {
        seen.blind.push("who listens: only root sees the processes of others".to_owned());
    }
    if let Ok(survey) = &survey {
        ask(survey, &things, &mut failed, &mut seen).await;
    }
    seen.risks.extend(things.iter().filter_map(risks::of_unit));
    seen.risks.extend(risks::of_host().await);
    seen
}

/// Programs have no such names.
pub(crate) fn is_unit(owner: &str) -> bool {
    owner.ends_with(".service")
}

/// Nothing was seen in time.
pub(crate) fn late() -> Look {
    Look { blind: vec!["everything: this host did not answer in time".to_owned()], ..Look::default() }
}

/// Whether a systemd should answer.
fn is_there() -> bool {
    has_systemd(&BusAddress::System) || std::env::var_os("DBUS_SYSTEM_BUS_ADDRESS").is_some()
}

fn port(thing: &Sighting) -> Option<(String, Option<String>)> {
    let lasts = matches!(thing.sight, Sight::Listens { passing: false });
    lasts.then(|| (thing.name.to_string(), thing.of.as_ref().map(ToString::to_string)))
}

/// Asks for what the list does not tell: what a failed unit is, and whether those that listen are started again.
async fn ask(survey: &Survey, things: &[Sighting], failed: &mut BTreeSet<String>, seen: &mut Look) {
    let is_enabled = |thing: &&Sighting| {
        let named = thing.kind == ThingKind::Service && !thing.name.as_str().contains("@.");
        named && matches!(thing.sight, Sight::Unit { runs: Runs::No, file: File::Enabled | File::Generated })
    };
    let mut down: Vec<String> =
        things.iter().filter(is_enabled).map(|thing| thing.name.to_string()).collect();
    // Those first that something is to be said of for sure.
    down.sort_by_key(|unit| !failed.contains(unit));
    let listens = sorted::set(seen.ports.iter().filter_map(|(_, of)| of.clone()).filter(|of| is_unit(of)));
    for unit in down.iter().chain(listens.iter().filter(|unit| !down.contains(unit))).take(ASKED_MAX) {
        let Ok(life) = survey.life(unit).await else { continue };
        if listens.contains(unit) {
            seen.risks.extend(risks::of_listener(&life, &seen.ports));
        } else if life.is_daemon && life.failed {
            failed.remove(unit);
            seen.would.push(life);
        } else if life.is_daemon {
            seen.idle.push(life.unit);
        }
    }
    seen.failed.extend(std::mem::take(failed));
}
