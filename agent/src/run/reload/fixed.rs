//! What a reload can't change, refused by name: who this host is, where it keeps what it keeps, its way to the collector, and
//! what a service is (a command, or which unit), and whether a check heals one: its probes that are out are counted by that.

use crate::config::{Check, Mistake, Service};
use crate::plan::Plan;
use crate::run::roster::Roster;
use std::path::{Path, PathBuf};

/// Keys that only a start can change.
const FIXED: [(&str, &str); 10] = [
    ("agent", "state"),
    ("agent", "host"),
    ("agent", "spool"),
    ("agent", "flash_budget"),
    ("agent", "bus"),
    ("agent", "reboot"),
    ("collector", "address"),
    ("collector", "evidence"),
    ("metrics", "listen"),
    ("baseline", "learn"),
];

/// What differs of that which only a start can change, and services that would be another thing.
pub(super) fn differences(old: &Plan, roster: &Roster, new: &Plan) -> Vec<Mistake> {
    let ways = |plan: &Plan| {
        let it = &plan.collector;
        (it.addresses.clone(), it.server_name.clone(), it.ca.clone(), it.proxy.clone(), it.terms)
    };
    let differ = [
        old.state != new.state,
        old.host != new.host,
        old.spool.bytes != new.spool.bytes,
        old.spool.flash_budget != new.spool.flash_budget,
        old.bus != new.bus,
        old.reboot != new.reboot,
        ways(old) != ways(new),
        old.collector.evidence != new.collector.evidence,
        old.metrics != new.metrics,
        old.baseline != new.baseline,
    ];
    let keys = FIXED.iter().zip(differ).filter(|(_, differs)| *differs);
    let wrong = keys.map(|((table, key), _)| {
        let is_whole = matches!((*table, *key), ("collector", "address") | ("baseline", _));
        let key = if is_whole { table.to_string() } else { format!("{table}.{key}") };
        let place = new.texts.place_of(table, key.rsplit('.').next().unwrap_or_default());
        mistake(&new.file, place, key, "can't change while the agent runs".to_owned())
    });
    let services = new.services.iter().filter_map(|service| {
        let known = (0..).zip(roster.services.iter());
        let was = known.into_iter().find(|(_, was)| was.spec.name == service.spec.name);
        let (_, was) =
            was.filter(|(_, was)| was.unit != service.unit || was.spec.driver != service.spec.driver)?;
        let is = |it: &Service| match (&it.unit, &it.commands) {
            (Some(unit), _) => unit.clone(),
            (None, Some(_)) => "what other programs start".to_owned(),
            (None, None) => "a command".to_owned(),
        };
        let problem = format!("was {} and would be {}: that is another service", is(was), is(service));
        let place = new.texts.place(service.place());
        Some(mistake(&new.file, place, format!("service {}", service.spec.name), problem))
    });
    let checks = new.checks.iter().filter_map(|check| {
        let was = roster.checks.iter().find(|was| was.spec.name == check.spec.name)?;
        let heals = |it: &Check| it.spec.service.is_some();
        let problem = match (heals(was), heals(check)) {
            (true, false) => "belonged to a service and would belong to none: that is another check",
            (false, true) => "belonged to no service and would belong to one: that is another check",
            (true, true) | (false, false) => return None,
        };
        Some(mistake(&new.file, None, format!("check {}", check.spec.name), problem.to_owned()))
    });
    wrong.chain(services).chain(checks).collect()
}

/// A mistake whose way out is a new start.
pub(super) fn mistake(file: &Path, place: Option<(PathBuf, usize)>, key: String, problem: String) -> Mistake {
    let (file, line) = place.unwrap_or_else(|| (file.to_path_buf(), 0));
    let suggestion = Some("restart the agent: its services stay as they are".to_owned());
    Mistake { file, line, key, problem, suggestion }
}
