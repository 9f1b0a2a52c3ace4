//! An agent's core in small memory, for the entries that hand it what came from outside.

use picket_agent::config::{self, Config};
use picket_agent_core::{Agent, Identity, Storage, check, service, spool};
use picket_proto::{BootId, Run, Seq, Text};
use std::path::Path;

/// A service with a check of its own, and a check without a service.
const FILE: &str = "\
[host]\nenabled = false\n\
[[service]]\nname = \"nginx\"\ncommand = [\"nginx\"]\n\
[[service.check]]\nname = \"nginx:http\"\nkind = \"http\"\nurl = \"http://127.0.0.1/\"\n\
[[check]]\nname = \"redis:tcp\"\nkind = \"tcp\"\naddress = \"127.0.0.1:6379\"\n";

/// Runs that an agent keeps, as the real one does.
const RUNS: usize = 64;
/// Segments of its disk.
const SEGMENTS: u32 = 16;

/// What an agent watches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Watches {
    /// Nothing: it tells that it began, and what is lost.
    Nothing,
    /// A service and two checks.
    Some,
}

fn file(watches: Watches) -> Config {
    let text = if watches == Watches::Some { FILE } else { "[host]\nenabled = false\n" };
    config::parse(Path::new("/nonexistent/agent.toml"), text).expect("a constant that is sound")
}

/// Lends an agent of this run its memory; it knows of the runs before what they claim, newest first.
pub fn with_agent<T>(
    (run, watches): (Run, Watches),
    claims: &[(Run, Seq)],
    work: impl FnOnce(&mut Agent<'_>) -> T,
) -> T {
    let file = file(watches);
    let mut checks: Vec<_> = file.checks().iter().map(|check| check::Slot::new(check.spec.clone())).collect();
    let mut services: Vec<_> =
        file.services().iter().map(|service| service::Slot::new(service.spec.clone())).collect();
    let (mut ring, mut index) = (vec![0; spool::RING_MIN], vec![spool::Entry::default(); 256]);
    let mut parts = vec![spool::Part::default(); 4 * SEGMENTS as usize];
    let older = claims.iter().skip(1).take(RUNS - 2).rev();
    let mut runs: Vec<_> = older.map(|(run, made)| spool::Past::claimed(*run, *made)).collect();
    runs.resize(RUNS, spool::Past::default());
    let mut pages = vec![0; 2 * spool::PAGE];
    let disk = spool::Lent {
        parts: &mut parts,
        runs: &mut runs,
        pages: &mut pages,
        segments: SEGMENTS,
        budget: u64::MAX,
    };
    let previous = claims.first().copied();
    let identity = Identity { run, boot: BootId(1), previous, version: Text::new("t") };
    let storage = Storage {
        checks: &mut checks,
        trends: &mut [],
        usuals: &mut [],
        services: &mut services,
        ring: &mut ring,
        index: &mut index,
        baseline: Default::default(),
        disk,
    };
    work(&mut Agent::new(7, identity, storage))
}
