//! From texts to a configuration: lays them over each other, reads every table, and looks at the whole.

use super::check::{self, Check, Owner};
use super::files::{Texts, Unread};
use super::mistake::Mistakes;
use super::read::{Keys, Place, Sheet};
use super::when::{self, Host};
use super::{
    CHECKS_MAX, Config, SERVICES_MAX, Service, Skipped, agent, baseline, collector, host, merge, metrics,
    needs, service, unusual,
};
use picket_agent_core::service::Reboots;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use toml::de::DeTable;

/// What was read so far.
pub(super) struct Draft {
    pub(super) host: Arc<Host>,
    /// How often the host may be rebooted.
    pub(super) reboots: Option<Reboots>,
    /// Whether services are only observed where they do not say otherwise.
    pub(super) observes: bool,
    pub(super) services: Vec<Service>,
    pub(super) checks: Vec<Check>,
    pub(super) skipped: Vec<Skipped>,
    /// What is to be watched and is not there.
    pub(super) notes: Vec<String>,
}

impl Draft {
    pub(super) const fn new(host: Arc<Host>, reboots: Option<Reboots>) -> Self {
        Self {
            host,
            reboots,
            observes: false,
            services: Vec::new(),
            checks: Vec::new(),
            skipped: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// Reads one check.
    pub(super) fn check(&mut self, mut keys: Keys<'_>, sheet: &mut Sheet<'_>, owner: Option<&Owner<'_>>) {
        let away = when::read(&mut keys, sheet, &self.host);
        let place = keys.place();
        let Some(check) = check::read(keys, sheet, owner) else { return };
        match away {
            Some(why) => self.skip(sheet, format!("check {}", check.spec.name), why, &place),
            None => self.checks.push(check),
        }
    }

    /// Takes a service and what was read of its checks. A unit that is not on this host may come, and is watched from then on.
    pub(super) fn serve(&mut self, service: Service, own: Self) {
        if let Some(unit) = service.unit.as_ref().filter(|unit| !self.host.has_unit(unit)) {
            self.notes.push(format!(
                "service {}: this host has no unit {unit}; correct `unit`, or say when = {{ unit = \"{unit}\" }} if other hosts have it",
                service.spec.name
            ));
        }
        self.services.push(service);
        self.checks.extend(own.checks);
        self.skipped.extend(own.skipped);
    }

    /// Notes what is not for this host.
    pub(super) fn skip(&mut self, sheet: &Sheet<'_>, what: String, why: String, place: &Place) {
        let (file, line) = sheet.at(place);
        self.skipped.push(Skipped { what, why, file, line });
    }
}

/// The tables of all texts, laid over each other.
pub(super) fn tables<'t>(texts: &'t Texts, sheet: &mut Sheet<'_>) -> DeTable<'t> {
    let mut whole = DeTable::new();
    for text in texts.iter() {
        let (table, errors) = DeTable::parse_recoverable(&text.text);
        sheet.syntax(text.from(), &errors);
        merge::lay(&mut whole, merge::moved(table.into_inner(), text.from()));
    }
    whole
}

/// The state folder that these texts name, whatever else may be wrong with them.
pub(super) fn state_of(path: &Path, texts: &Texts) -> Option<PathBuf> {
    let whole = tables(texts, &mut Sheet::new(texts));
    let state = whole.get("agent")?.get_ref().as_table()?.get("state")?.get_ref().as_str()?;
    Some(here(path).join(state))
}

/// Reads the texts of the file at `path`; `host` in place of this one for `when`.
///
/// # Errors
/// [`Mistakes`], all that were found.
pub(super) fn parse(
    path: &Path,
    texts: Texts,
    unread: &[Unread],
    host: Option<Host>,
) -> Result<Config, Mistakes> {
    let mut sheet = Sheet::new(&texts);
    unread.iter().for_each(|(file, why)| sheet.wrong_file(file, why.clone()));
    let table = tables(&texts, &mut sheet);
    if !sheet.is_clean() {
        return Err(sheet.finish());
    }
    let config = whole(path, &table, &mut sheet, host);
    if !sheet.is_clean() {
        return Err(sheet.finish());
    }
    Ok(Config { texts: Arc::new(texts.clone()), ..config })
}

/// Reads the whole.
pub(super) fn whole(path: &Path, table: &DeTable<'_>, sheet: &mut Sheet<'_>, at: Option<Host>) -> Config {
    let here = here(path);
    sheet.here.clone_from(&here);
    let mut keys = Keys::new(table, String::new(), 0);
    let own = agent::read(&mut keys, sheet, &here);
    let collector = keys.table(sheet, "collector").and_then(|table| collector::read(table, sheet, &here));
    let table = keys.table(sheet, "baseline");
    let baseline = baseline::read(table, sheet);
    let table = keys.table(sheet, "metrics");
    let metrics = metrics::read(table, sheet);
    let (reboot, reboots) = own.reboot.clone().unzip();
    let mut draft = Draft::new(Arc::new(at.unwrap_or_else(|| Host::new(&own.bus))), reboots);
    draft.observes = own.observe;
    for table in keys.tables(sheet, "service") {
        service::read(table, sheet, &here, &mut draft);
    }
    for table in keys.tables(sheet, "check") {
        draft.check(table, sheet, None);
    }
    let place = keys.place();
    let table = keys.table(sheet, "host");
    let wish = host::read(table, sheet, &mut draft.checks);
    keys.finish(sheet);
    let Draft { mut services, checks, skipped, host: _, reboots: _, observes: _, notes } = draft;
    needs::tie(&mut services, &skipped, sheet);
    unique(&services, &checks, sheet);
    limits(&services, &checks, &place, sheet);
    let (file, texts) = (path.to_path_buf(), Arc::new(Texts::new([])));
    let agent::AgentTable { state, host, spool, bus, reboot: _, observe: _ } = own;
    Config {
        file,
        here,
        state,
        host,
        bus,
        reboot: reboot.unwrap_or_default(),
        spool,
        collector,
        metrics,
        baseline,
        notes,
        seen: host::Seen::default(),
        services,
        checks,
        wish,
        skipped,
        texts,
    }
}

/// The folder of the file at `path`, absolute.
fn here(path: &Path) -> PathBuf {
    let here =
        path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
    std::path::absolute(here).unwrap_or_else(|_| here.to_path_buf())
}

fn unique(services: &[Service], checks: &[Check], sheet: &mut Sheet<'_>) {
    let mut seen = BTreeSet::new();
    for service in services {
        if !seen.insert(service.spec.name.as_str()) {
            let place = Place { at: service.at, key: "service.name".to_owned() };
            sheet.wrong(&place, format!("`{}` is the name of another service", service.spec.name), None);
        }
    }
    seen.clear();
    for check in checks {
        if !seen.insert(check.spec.name.as_str()) {
            let place = Place { at: check.at, key: "check.name".to_owned() };
            let better = Some("give it a name of its own: name = \"..\"".to_owned());
            sheet.wrong(&place, format!("`{}` is the name of another check", check.spec.name), better);
        }
    }
}

fn limits(services: &[Service], checks: &[Check], place: &Place, sheet: &mut Sheet<'_>) {
    if services.len() > SERVICES_MAX {
        sheet.wrong(place, format!("has {} services, more than {SERVICES_MAX}", services.len()), None);
    }
    if checks.len() > CHECKS_MAX {
        sheet.wrong(place, format!("has {} checks, more than {CHECKS_MAX}", checks.len()), None);
    }
    unusual::count(checks, place, sheet);
}
