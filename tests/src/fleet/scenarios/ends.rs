//! The table of all ways to end under a real PID 1; see `rig::ends`. There memory can be limited, too.

use super::super::world::World;
use super::{Play, Scenario};
use crate::rig::ends::{CASES, Ground, Paths, carry_out, service, table};
use std::path::PathBuf;

/// The host where it all happens.
const HOST: usize = 2;

/// See the module.
pub(super) const TABLE: Scenario = Scenario {
    name: "table",
    says: "units of every kind of restart end in every way, are stopped, masked, deleted, and PID 1 and the bus restart: a table of causes \
           and restarts, expected and seen",
    smoke: false,
    needs: &[],
    play: Play::Inside(|world| {
        let mut bench = Bench(world);
        for (nth, case) in CASES.iter().enumerate() {
            let paths = bench.paths(nth);
            bench.0.host(HOST).write(&paths.unit, &case.unit(&paths))?;
        }
        let names: Vec<String> = (0..CASES.len()).map(|nth| format!("web-{nth}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        bench.0.host(HOST).does(&["mkdir", "-p", FOLDER])?;
        bench.0.host(HOST).does(&[["systemctl", "start"].as_slice(), &names].concat())?;
        bench.0.tell_to_file(HOST)?;
        let services: String = CASES
            .iter()
            .enumerate()
            .map(|(nth, case)| "\n".to_owned() + &service(nth, case.keys()))
            .collect();
        bench.0.watch_too(HOST, &services)?;
        let rows = carry_out(&mut bench);
        println!("{}", table(&rows));
        let wrong: Vec<String> =
            rows.iter().filter(|row| row.is_good == Some(false)).map(ToString::to_string).collect();
        if wrong.is_empty() { Ok(()) } else { Err(wrong.join("\n")) }
    }),
};

const FOLDER: &str = "/srv/table";

/// The fleet, of which one host is used.
struct Bench<'w>(&'w mut World);

impl Ground for Bench<'_> {
    fn ctl(&self, words: &[&str]) -> Result<String, String> {
        self.0.host(HOST).does(&[["systemctl"].as_slice(), words].concat())
    }

    fn kill(&self, pid: &str, signal: &str) -> Result<(), String> {
        self.0.host(HOST).does(&["kill", "-s", signal, pid]).map(drop)
    }

    fn path(&self, path: &str) -> PathBuf {
        self.0.host(HOST).path(path)
    }

    fn paths(&self, nth: usize) -> Paths {
        let file = |name: &str| format!("{FOLDER}/{name}-{nth}");
        let unit = format!("/etc/systemd/system/web-{nth}.service");
        Paths { unit, starts: file("starts"), broken: file("broken") }
    }

    fn said(&mut self) -> String {
        self.0.told_lines(HOST).unwrap_or_default()
    }

    fn is_whole(&self) -> bool {
        true
    }
}
