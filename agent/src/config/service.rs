//! `[[service]]`: what to run, and how hard to try.
//!
//! | key | unit, range | default |
//! |---|---|---|
//! | `name` | 1-48 of `A-Z a-z 0-9 . _ -`, not starting with `.` or `-` | none |
//! | `command` | program and arguments; `{here}`: the file's folder, `{state}`: the service's own folder | this or `unit` |
//! | `init`, `start`, `stop`, `status`, `reload`, `pidfile` | programs that start and stop it, see `config/command.rs` | in place of `command` and `unit` |
//! | `unit` | name of a systemd service such as `nginx.service`: systemd starts and stops it | this or `command` |
//! | `observe` | true, false: nothing is done about it, and what would be done is told; not with `command` | that of `[agent]` |
//! | `enabled` | true, false: not watched, and told so | true |
//! | `when` | `{ unit = "..", file = "/.." }`: only on hosts that have them | on every host |
//! | `needs` | names of up to 8 services of this file without which it can't be well | none |
//! | `ladder` | list of `reload`, `restart`, `dependents`, `rollback`, `package`, `reboot`, `isolate`: what is tried, one after the other | `["restart"]` |
//! | `good` | its files that are kept while they are good, see `config/kept.rs` | none |
//! | `package` | its packages whose good versions are noted, see `config/kept.rs` | none |
//! | `env` | table of texts; added to the agent's environment | nothing |
//! | `cwd` | folder | `{state}` |
//! | `stop_timeout` | from SIGTERM to SIGKILL, 10 ms to 10 min | 10 s |
//! | `start_timeout` | within it all checks must have passed, 100 ms to 1 h | 10 s |
//! | `hold` | how long all must pass before a recovery is believed, 100 ms to 1 h | 5 s |
//! | `backoff_first` | before the second restart of a streak, 10 ms to 1 h; doubles | 200 ms |
//! | `backoff_max` | where the doubling ends, 10 ms to 1 h | 30 s |
//! | `budget` | remedies within the window, 1-32: the core remembers when each was | 5 |
//! | `budget_window` | 1 s to 24 h | 10 min |
//! | `same_deaths` | identical failures in a row that open the breaker, 2-100 | 3 |
//! | `retry_after` | rest before a single try, 1 s to 1 h; doubles | 5 min |
//!
//! The environment is set without `PATH` changes reaching the lookup of the program: it is found once, here, in the
//! agent's `PATH` and then `/usr/local/sbin`, `/usr/sbin`, `/sbin` (where an ordinary user's `PATH` misses servers).
//! While one of `needs` is not well, a failing service waits for it and is not healed; how is the core's business.
//! A program that is not there is no mistake: it may come, and its absence is told as a failed start.

use super::check::{self, Owner};
use super::command::{self, Commands};
use super::draft::Draft;
use super::kept::{self, Kept};
use super::ladder::{self, Can};
use super::needs::Named;
use super::read::{Keys, Sheet};
use super::when;
use picket_agent_core::service::{Driver, Ladder, Spec};
use picket_proto::Span;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

const NAME_MAX: usize = 48;
/// systemd's own limit, UNIT_NAME_MAX.
const UNIT_MAX: usize = 255;
const HOUR: Span = Span::from_secs(3600);

/// One service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Service {
    /// What the core needs to know.
    pub spec: Spec,
    /// The unit that it is, where systemd starts it; there is no command then.
    pub unit: Option<String>,
    /// The programs that start and stop it, where neither systemd nor the agent does; there is no command then.
    pub commands: Option<Commands>,
    /// Program and arguments; at least the program, unless it is a unit. `{state}` is still in it.
    pub command: Vec<String>,
    /// What is added to the environment. `{state}` is still in it.
    pub env: Vec<(String, String)>,
    /// The working folder. `{state}` is still in it.
    pub cwd: String,
    /// Its files of which the last good ones are kept.
    pub kept: Option<Kept>,
    /// Its packages of which the last good versions are noted.
    pub packages: Option<Vec<String>>,
    pub(super) at: usize,
    pub(super) needs: Named,
}

impl Service {
    /// Whether a process of one is as good as one of the other.
    pub(crate) fn runs_alike(&self, other: &Self) -> bool {
        let how = |it: &Self| {
            (it.unit.clone(), it.commands.clone(), it.command.clone(), it.env.clone(), it.cwd.clone())
        };
        how(self) == how(other)
    }

    /// Where it is written, for [`super::Texts::place`].
    pub(crate) const fn place(&self) -> usize {
        self.at
    }
}

/// Reads one table and its checks into `draft`.
pub(super) fn read(mut keys: Keys<'_>, sheet: &mut Sheet<'_>, here: &Path, draft: &mut Draft) {
    let at = keys.place().at;
    let name = name(&mut keys, sheet);
    let away = when::read(&mut keys, sheet, &draft.host);
    let unit = unit(&mut keys, sheet);
    let commands = commands(&mut keys, sheet, here, name);
    let (command, env, cwd) = match unit.is_some() || commands.is_some() {
        true => (Vec::new(), Vec::new(), "{state}".to_owned()),
        false => what(&mut keys, sheet, here),
    };
    let needs = needs(&mut keys, sheet);
    let driver = driver(unit.as_ref(), commands.as_ref());
    let (kept, good) = kept::read(&mut keys, sheet, here).unzip();
    let (packages, package) = kept::packages(&mut keys, sheet, &draft.services).unzip();
    let can = can(commands.as_ref(), kept.is_some(), packages.is_some(), draft);
    let ladder = ladder::read(&mut keys, sheet, can);
    let mut spec = spec(&mut keys, sheet, (driver, ladder));
    let text = name.unwrap_or("unnamed");
    spec.observes = ladder::observes(&mut keys, sheet, (text, driver), draft.observes);
    (spec.good, spec.packages, spec.reboots) = (good, package, draft.reboots);
    let owner = Owner { ix: u16::try_from(draft.services.len()).unwrap_or(u16::MAX), name: text };
    let mut own = Draft::new(draft.host.clone(), None);
    own.checks.extend(check::own_process(&owner, at));
    for table in keys.tables(sheet, "check") {
        own.check(table, sheet, Some(&owner));
    }
    let place = keys.place();
    keys.finish(sheet);
    if let Some(name) = name.and_then(|name| name.parse().ok()) {
        spec.name = name;
    }
    match away {
        Some(why) => draft.skip(sheet, format!("service {text}"), why, &place),
        None => {
            let service = Service { spec, unit, commands, command, env, cwd, kept, packages, at, needs };
            draft.serve(service, own);
        }
    }
}

/// What a ladder may have.
fn can(commands: Option<&Commands>, rollback: bool, package: bool, draft: &Draft) -> Can {
    let reload = commands.is_none_or(|commands| commands.reload.is_some());
    Can { reload, rollback, package, reboot: draft.reboots.is_some() }
}

/// How hard to try.
fn spec(keys: &mut Keys<'_>, sheet: &mut Sheet<'_>, (driver, ladder): (Driver, Ladder)) -> Spec {
    let spec = Spec {
        name: "unnamed".parse().expect("a constant of allowed characters"),
        driver,
        observes: false,
        needs: Default::default(),
        ladder,
        good: None,
        packages: None,
        reboots: None,
        stop_timeout: keys.span(sheet, "stop_timeout", &ms(10, 600_000), Span::from_secs(10)),
        start_timeout: keys.span(sheet, "start_timeout", &ms(100, 3_600_000), Span::from_secs(10)),
        hold: keys.span(sheet, "hold", &ms(100, 3_600_000), Span::from_secs(5)),
        backoff_first: keys.span(sheet, "backoff_first", &ms(10, 3_600_000), Span::from_millis(200)),
        backoff_max: keys.span(sheet, "backoff_max", &ms(10, 3_600_000), Span::from_secs(30)),
        budget: count(keys.number(sheet, "budget", 1..=32, 5)),
        budget_window: keys.span(sheet, "budget_window", &ms(1000, 86_400_000), Span::from_secs(600)),
        same_deaths: count(keys.number(sheet, "same_deaths", 2..=100, 3)),
        retry_after: keys.span(sheet, "retry_after", &(Span::from_secs(1)..=HOUR), Span::from_secs(300)),
    };
    if spec.backoff_first > spec.backoff_max {
        sheet.wrong(&keys.place(), "backoff_first is longer than backoff_max", None);
    }
    spec
}

pub(super) const fn ms(least: u64, most: u64) -> RangeInclusive<Span> {
    Span::from_millis(least)..=Span::from_millis(most)
}

fn count(number: u32) -> u16 {
    u16::try_from(number).expect("at most 100")
}

fn name<'t>(keys: &mut Keys<'t>, sheet: &mut Sheet<'_>) -> Option<&'t str> {
    let (name, place) = keys.needed(sheet, "name")?;
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    let sound = !name.is_empty()
        && name.len() <= NAME_MAX
        && name.bytes().all(allowed)
        && !name.starts_with(['.', '-']);
    if !sound {
        let problem =
            format!("must be 1 to {NAME_MAX} of A-Z a-z 0-9 . _ -, starting with a letter or digit");
        sheet.wrong(&place, problem, None);
    }
    sound.then_some(name)
}

/// The unit, where one is named. What only a spawned process has is then a mistake of its own.
fn unit(keys: &mut Keys<'_>, sheet: &mut Sheet<'_>) -> Option<String> {
    let (unit, place) = keys.text(sheet, "unit")?;
    for key in ["command", "env", "cwd", "stop_timeout"] {
        if let Some((_, place)) = keys.take(key) {
            let better = "take it away: the unit's own file says it; or take `unit` away".to_owned();
            sheet.wrong(&place, "is not for a service that systemd starts", Some(better));
        }
    }
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b":-_.\\@".contains(&byte);
    let sound = unit.len() <= UNIT_MAX && unit.bytes().all(allowed) && unit.len() > ".service".len();
    if !sound || !unit.ends_with(".service") {
        let better = (!unit.is_empty() && !unit.contains('.')).then(|| format!("write \"{unit}.service\""));
        sheet.wrong(&place, "is no name of a systemd service", better);
    }
    Some(unit.to_owned())
}

/// The programs that start and stop it, where they are named. What only a spawned process or a unit has is then a
/// mistake of its own.
fn commands(keys: &mut Keys<'_>, sheet: &mut Sheet<'_>, here: &Path, name: Option<&str>) -> Option<Commands> {
    let commands = command::read(keys, sheet, here, name.unwrap_or("unnamed"))?;
    alone(keys, sheet, &["command", "unit", "env", "cwd"], "other programs start");
    Some(commands)
}

fn needs(keys: &mut Keys<'_>, sheet: &mut Sheet<'_>) -> Named {
    let named = keys.texts(sheet, "needs").filter(|(names, _)| !names.is_empty());
    named.map_or_else(Named::default, |(names, place)| Named { names, at: place.at, key: place.key })
}

const fn driver(unit: Option<&String>, commands: Option<&Commands>) -> Driver {
    match (unit, commands) {
        (Some(_), _) => Driver::Systemd,
        (None, Some(_)) => Driver::Command,
        (None, None) => Driver::Spawn,
    }
}

/// Keys that another driver has.
fn alone(keys: &mut Keys<'_>, sheet: &mut Sheet<'_>, others: &[&'static str], who: &str) {
    for key in others {
        if let Some((_, place)) = keys.take(key) {
            sheet.wrong(&place, format!("is not for a service that {who}"), Some("take it away".to_owned()));
        }
    }
}

const NO_COMMAND: &str =
    "write command = [\"program\", \"argument\"], unit = \"NAME.service\", or init = \"sysv\"";

fn what(
    keys: &mut Keys<'_>,
    sheet: &mut Sheet<'_>,
    here: &Path,
) -> (Vec<String>, Vec<(String, String)>, String) {
    let fill = |text: &str| text.replace("{here}", &here.to_string_lossy());
    let place = keys.place();
    let has_none = !keys.has("command");
    let read = keys.texts(sheet, "command");
    let is_empty = read.as_ref().is_some_and(|(command, _)| command.first().is_none_or(String::is_empty));
    let (command, place) = read.unwrap_or((Vec::new(), place));
    if has_none || is_empty {
        sheet.wrong(&place, "command is missing", Some(NO_COMMAND.to_owned()));
    }
    if command.iter().any(|part| part.contains('\0')) {
        sheet.wrong(&place, "command has a zero character", None);
    }
    let mut command: Vec<String> = command.iter().map(|part| fill(part)).collect();
    if let Some(program) = command.first_mut() {
        *program = find(program, here);
    }
    let mut env = Vec::new();
    if let Some(table) = keys.table(sheet, "env") {
        for (key, value) in table.pairs(sheet) {
            if key.is_empty() || key.contains(['=', '\0']) || value.contains('\0') {
                sheet.wrong(&table.place(), format!("`{key}` can't be an environment variable"), None);
            }
            env.push((key, fill(&value)));
        }
    }
    let cwd = keys.text(sheet, "cwd").map_or_else(|| "{state}".to_owned(), |(cwd, _)| fill(cwd));
    let cwd = if cwd.starts_with("{state}") { cwd } else { here.join(cwd).to_string_lossy().into_owned() };
    (command, env, cwd)
}

/// The program as a path with a slash, so that a changed environment can't change what is started.
pub(super) fn find(program: &str, here: &Path) -> String {
    if program.starts_with("{state}") {
        return program.to_owned();
    }
    if program.contains('/') {
        return here.join(program).to_string_lossy().into_owned();
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let sbin = ["/usr/local/sbin", "/usr/sbin", "/sbin"].map(PathBuf::from);
    let found = std::env::split_paths(&path)
        .chain(sbin)
        .map(|folder| folder.join(program))
        .find(|full| full.is_file());
    found.map_or_else(|| program.to_owned(), |full| full.to_string_lossy().into_owned())
}
