//! Every way in which a unit ends or is kept from running: what the agent must say of it, and who must start it again how often.
//!
//! The cases stand once ([`CASES`]). They are carried out on a [`Ground`]: under a private systemd by `tests/tests/systemd`, with a real
//! PID 1 by `fleet table`. Units write a line per start, which is the truth; what the agent says is held against it. All is counted
//! when everything is over, so that a second start that comes late is seen too.
//!
//! What is not here: the states that systemd has before its own restart from version 254 on, where an older one runs. How those are
//! read is in the tests of `agent/core/src/unit`.

mod cases;
mod row;

pub use cases::{CASES, Case, Paths, Restart, service};
pub use row::{Row, table};

use super::clock::Since;
use super::private_systemd::look_again;
use super::process::PATIENCE;
use cases::Step;
use serde_json::Value;

/// Codes that say why a unit does not run.
const CAUSES: [&str; 4] = ["service-died", "service-left-stopped", "service-found-stopped", "service-masked"];

/// Where cases are carried out.
pub trait Ground {
    /// Runs systemctl.
    ///
    /// # Errors
    /// What it said.
    fn ctl(&self, words: &[&str]) -> Result<String, String>;
    /// Signals a process that systemd has by this id, behind its back.
    ///
    /// # Errors
    /// It is gone.
    fn kill(&self, pid: &str, signal: &str) -> Result<(), String>;
    /// A file of the ground as this process sees it.
    fn path(&self, path: &str) -> std::path::PathBuf;
    /// Where unit `web-nth` has its files.
    fn paths(&self, nth: usize) -> Paths;
    /// The agent's log so far, a JSON line each.
    fn said(&mut self) -> String;
    /// Whether PID 1 is the ground's own: only there systemd can limit a unit's memory. And a private systemd that was executed anew
    /// and whose bus is killed again and again waits for that bus' start until its 90 s are over, now and then: why is not known.
    fn is_whole(&self) -> bool;
}

/// Carries out all cases, one after the other, on units that run and are watched; what came of each.
pub fn carry_out(ground: &mut impl Ground) -> Vec<Row> {
    let mut marks = Vec::new();
    for (nth, case) in CASES.iter().enumerate() {
        let mark = ground.said().lines().count();
        let did = if case.needs_whole() && !ground.is_whole() {
            Err(row::NOT_HERE.to_owned())
        } else {
            case.steps.iter().try_for_each(|step| take(ground, (nth, case), mark, *step))
        };
        let came = did.and_then(|()| came_true(ground, nth, case, mark));
        marks.push((mark, came));
    }
    let said = ground.said();
    let lines: Vec<Value> = said.lines().map(|line| serde_json::from_str(line).unwrap_or_default()).collect();
    let rows = CASES.iter().enumerate().zip(marks);
    rows.map(|((nth, case), (mark, came))| {
        let counted = count(ground, nth, &lines[mark.min(lines.len())..]);
        Row::new(case, counted, came.err())
    })
    .collect()
}

/// What was counted of one unit.
#[derive(Debug, Default)]
struct Counted {
    causes: Vec<String>,
    starts: usize,
    remedies: usize,
    active: String,
}

fn count(ground: &impl Ground, nth: usize, lines: &[Value]) -> Counted {
    let name = format!("web-{nth}");
    let own = || lines.iter().filter(|line| line["service"] == name.as_str());
    let causes = own().filter(|line| CAUSES.iter().any(|code| line["code"] == *code));
    let text = |line: &Value| {
        line["text"].as_str().unwrap_or_default().replace(&format!("{name} "), "").trim().to_owned()
    };
    let starts = std::fs::read_to_string(ground.path(&ground.paths(nth).starts)).unwrap_or_default();
    Counted {
        causes: causes.map(text).collect(),
        starts: starts.lines().count(),
        remedies: own().filter(|line| line["code"] == "remedy-begun").count(),
        active: property(ground, &name, "ActiveState"),
    }
}

fn take(
    ground: &mut impl Ground,
    (nth, case): (usize, &Case),
    mark: usize,
    step: Step,
) -> Result<(), String> {
    let (unit, paths) = (format!("web-{nth}"), ground.paths(nth));
    let file = |path: &str| ground.path(path);
    match step {
        Step::Signal(signal) => kill_main(ground, &unit, signal),
        Step::Ctl(words) => {
            let words: Vec<&str> =
                words.iter().map(|word| if *word == "UNIT" { unit.as_str() } else { word }).collect();
            ground.ctl(&words).map(drop)
        }
        Step::Break => std::fs::write(file(&paths.broken), "").map_err(|error| error.to_string()),
        Step::RemoveFile => std::fs::remove_file(file(&paths.unit)).map_err(|error| error.to_string()),
        // `systemctl mask` can't, where the file is in a folder that comes before its own.
        Step::Mask => std::fs::remove_file(file(&paths.unit))
            .and_then(|()| std::os::unix::fs::symlink("/dev/null", file(&paths.unit)))
            .map_err(|error| error.to_string()),
        Step::KillBus => kill_main(ground, "dbus", "KILL"),
        Step::Told(code) => until(&format!("{} tells {code}", case.name), || {
            let said = ground.said();
            let mut lines = said.lines().skip(mark);
            lines.any(|line| {
                line.contains(&format!("\"code\":\"{code}\""))
                    && (code == "blind-systemd" || line.contains(&format!("\"service\":\"{unit}\"")))
            })
        }),
    }
}

/// Signals the main process of a unit, which it has soon: process 0 would be everybody's.
fn kill_main(ground: &impl Ground, unit: &str, signal: &str) -> Result<(), String> {
    let mut pid = String::new();
    until(&format!("{unit} has a process"), || {
        pid = property(ground, unit, "MainPID");
        pid.parse::<u32>().is_ok_and(|pid| pid > 1)
    })?;
    ground.kill(&pid, signal)
}

/// Waits until all that must come has come; what comes too much is counted later.
fn came_true(ground: &mut impl Ground, nth: usize, case: &Case, mark: usize) -> Result<(), String> {
    until(case.name, || {
        let said = ground.said();
        let lines: Vec<Value> =
            said.lines().skip(mark).map(|line| serde_json::from_str(line).unwrap_or_default()).collect();
        let counted = count(ground, nth, &lines);
        let is_proven = |line: &Value| {
            line["service"] == format!("web-{nth}").as_str()
                && [case.proof(), "breaker-open"].iter().any(|code| line["code"] == *code)
        };
        let is_over = case.starts() == 1 || lines.iter().any(is_proven);
        counted.causes.len() >= case.causes.len()
            && counted.starts >= case.starts()
            && counted.remedies >= case.by_picket
            && is_over
    })
}

fn property(ground: &impl Ground, unit: &str, name: &str) -> String {
    ground.ctl(&["show", unit, "--value", "-p", name]).unwrap_or_default().trim().to_owned()
}

fn until(what: &str, mut holds: impl FnMut() -> bool) -> Result<(), String> {
    let since = Since::now();
    while !holds() {
        if since.left(PATIENCE).is_zero() {
            return Err(format!("it never came: {what}"));
        }
        look_again();
    }
    Ok(())
}
