//! Hours with a fault now and then: what grows, what is not told, what is missing at the end.
//!
//! Agents look as often as they do at a user's. A JSON line a minute tells of each process what it holds; one an hour, and the last
//! one, how fast that grows. Other work may go on beside it: nothing is asked of seconds, and hosts see nothing of the machine's load.

mod fault;
mod process;
mod slope;
mod workers;

use super::super::ending;
use super::super::world::{SILENCE, SOON, World};
use super::super::{Wishes, scenarios::Play};
use super::Scenario;
use crate::dice::Dice;
use crate::rig::account::Account;
use crate::rig::clock::Since;
use crate::rig::seed;
use fault::Fault;
use process::Process;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);
/// An open breaker rests for 5 minutes, then tries and proves itself; and a machine that is busy is slow.
const REST: Duration = Duration::from_secs(900);
/// What a process learns at its start is no growth: the first 10 minutes of a life, or the tenth part of a short soak.
const WARM_MAX: Duration = Duration::from_secs(600);

/// See the module.
pub(super) const SOAK: Scenario = Scenario {
    name: "soak",
    says: "as many hours as --hours says, a fault every 2 to 6 minutes: what agents and the collector hold and how fast it grows; at the \
           end every event is there once or in a gap, all services serve, and no incident is open",
    smoke: false,
    needs: &[("/usr/sbin/logrotate", "logrotate")],
    play: Play::Inside(|world| {
        let mut soak = Soak::new(world, Wishes::given().lasts, seed());
        world.agents().try_for_each(|number| workers::install(world, number))?;
        let why_ended = soak.go(world);
        soak.end_fault(world);
        soak.minute(world);
        let mut account = Account::default();
        let rest = soak.rest(world, &mut account);
        let (told, late, lost) = account.figures();
        let violations = account.violations();
        let frames = json!({ "told": told, "late": late, "named_lost": lost, "violations": violations });
        soak.tell("end", world, &json!({ "ended": why_ended, "frames": frames, "why": rest.as_ref().err() }));
        rest.map_err(|why| format!("seed {}: {why}; {violations:?}", soak.seed))
    }),
};

struct Soak {
    seed: u64,
    dice: Dice,
    lasts: Duration,
    since: Since,
    processes: Vec<Process>,
    /// A fault that lasts, and when it is over.
    open: Option<(Duration, Fault)>,
    done: BTreeMap<&'static str, usize>,
    not_done: Vec<String>,
}

impl Soak {
    fn new(world: &World, lasts: Duration, seed: u64) -> Self {
        println!("{}", json!({ "fleet": "soak", "seed": seed, "hours": hours(lasts) }));
        let mut processes = vec![Process::of(1, "picket-collector")];
        processes.extend(world.agents().map(|number| Process::of(number, "picket-agent")));
        let (done, not_done) = (BTreeMap::new(), Vec::new());
        let dice = Dice::new(seed);
        Self { seed, dice, lasts, since: Since::now(), processes, open: None, done, not_done }
    }

    /// All its hours, or until somebody asks it to end; which of both.
    fn go(&mut self, world: &mut World) -> &'static str {
        self.since = Since::now();
        let (mut minute, mut hour, mut strike) = (Duration::ZERO, HOUR, fault::rest(&mut self.dice));
        loop {
            let now = self.since.elapsed();
            if now >= self.lasts {
                return "its time was over";
            }
            if self.open.is_some_and(|(end, _)| end <= now) {
                self.end_fault(world);
            }
            if strike <= now {
                self.strike(world, now);
                strike = now + fault::rest(&mut self.dice);
            }
            if minute <= now {
                self.minute(world);
                minute = now + MINUTE;
            }
            if hour <= now {
                self.tell("hour", world, &json!({}));
                hour += HOUR;
            }
            let end = self.open.map_or(self.lasts, |(end, _)| end);
            let next = [minute, hour, strike, end, self.lasts].into_iter().min().unwrap_or_default();
            if ending::came_within(next.saturating_sub(self.since.elapsed())) {
                return "it was asked to end";
            }
        }
    }

    fn strike(&mut self, world: &World, now: Duration) {
        let fault = Fault::next(&mut self.dice, world.agents());
        let did = fault.begin(world);
        *self.done.entry(fault.name()).or_default() += 1;
        if !fault.lasts.is_zero() {
            self.open = Some((now + fault.lasts, fault));
        }
        let (host, unit) = (format!("h{}", fault.host), fault.unit);
        let line = json!({ "soak": "fault", "at_s": now.as_secs(), "fault": fault.name(), "host": host, "unit": unit, "why_not": did.as_ref().err() });
        println!("{line}");
        self.not_done.extend(did.err());
    }

    fn end_fault(&mut self, world: &World) {
        if let Some((_, fault)) = self.open.take() {
            self.not_done.extend(fault.end(world).err());
        }
    }

    /// The line of a minute.
    fn minute(&mut self, world: &mut World) {
        let now = self.since.elapsed();
        let looks: Vec<Value> =
            self.processes.iter_mut().map(|process| process.look(world, hours(now))).collect();
        let said: Vec<Value> = world.agents().map(|number| status(world, number)).collect();
        let line = json!({
            "soak": "minute", "at_s": now.as_secs(), "differences": differences(world).0, "processes": looks, "agents": said,
        });
        println!("{line}");
    }

    /// The line of an hour, or the last one.
    fn tell(&self, what: &str, world: &World, more: &Value) {
        let now = self.since.elapsed();
        let warm = hours(WARM_MAX.min(self.lasts / 10));
        let grows: Vec<Value> = self.processes.iter().map(|process| process.figures(warm)).collect();
        let (unheard, after_blind, remedies) = differences(world);
        let line = json!({
            "soak": what, "at_s": now.as_secs(), "seed": self.seed, "slopes": "Theil-Sen over all pairs within a life, its start left out",
            "warm_s": (warm * 3600.0).round(), "processes": grows, "differences": unheard, "differences_after_blind": after_blind,
            "remedies_begun": remedies, "faults": self.done, "not_done": self.not_done, "more": more,
        });
        println!("{line}");
    }

    /// Waits until all is well and every frame accounted for.
    fn rest(&self, world: &mut World, account: &mut Account) -> Result<(), String> {
        world.wait("the collector answers", SILENCE, |world| world.reconnect().map(|()| true))?;
        for number in world.agents() {
            world.wait(&format!("all services of h{number} are up"), REST, |world| {
                workers::well(world, number)
            })?;
        }
        for number in world.agents() {
            world.connected(number, REST)?;
        }
        world.wait("no incident is open", REST, |world| match world.open_incidents()?.first() {
            None => Ok(true),
            Some(found) => Err(format!("{} is open", found.title)),
        })?;
        for number in world.agents() {
            let lines = world.told_lines(number)?;
            lines.lines().for_each(|line| account.line(line));
        }
        world.wait("every event is there or in a gap", SOON * 3, |world| {
            account.events(&world.all_events()?);
            Ok(account.violations().is_empty())
        })?;
        for number in world.agents() {
            workers::units(number).iter().try_for_each(|unit| world.active(number, unit))?;
        }
        if self.not_done.is_empty() {
            Ok(())
        } else {
            Err(format!("faults that could not be made: {:?}", self.not_done))
        }
    }
}

/// What an agent says of itself.
fn status(world: &World, number: usize) -> Value {
    let (said, _) = world.host(number).run(&["picket-agent", "status", "--json"]);
    let said: Value = serde_json::from_str(&said).unwrap_or_default();
    json!({ "name": format!("h{number}"), "checks": said["checks"], "link": said["link"]["state"], "spool": said["spool"]["frames"], "own": said["agent"] })
}

/// From the agents' own accounts: differences that a look found although systemd was heard, those found after it was not, and remedies.
fn differences(world: &World) -> (u64, u64, usize) {
    let (mut unheard, mut after_blind, mut remedies) = (0, 0, 0);
    for number in world.agents() {
        let lines = world.told_lines(number).unwrap_or_default();
        remedies += lines.matches("\"code\":\"remedy-begun\"").count();
        for line in lines.lines().filter(|line| line.contains("\"code\":\"blind-systemd\"")) {
            let count = count(line);
            let is_heard = line.contains("systemd was not heard for 0 us;");
            *(if is_heard { &mut unheard } else { &mut after_blind }) += count;
        }
    }
    (unheard, after_blind, remedies)
}

/// The number before "differences found".
fn count(line: &str) -> u64 {
    let before = line.split_once(" differences found").map_or("", |(before, _)| before);
    before.rsplit(' ').next().and_then(|number| number.parse().ok()).unwrap_or(0)
}

fn hours(span: Duration) -> f64 {
    span.as_secs_f64() / HOUR.as_secs_f64()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_are_read_from_what_the_agent_says() {
        assert_eq!(count("{\"text\":\"systemd was not heard for 0 us; 17 differences found\"}"), 17);
        assert_eq!(count("{\"text\":\"other\"}"), 0);
    }
}
