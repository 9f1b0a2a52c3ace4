//! A scenario from its first boot to its JSON line.

use super::groups::Groups;
use super::host::Host;
use super::scenarios::{HOSTS, find};
use super::world::World;
use super::{anchor, ground};
use crate::rig::clock::Since;
use serde_json::json;
use std::panic::{self, AssertUnwindSafe};
use std::path::Path;
use std::process::ExitCode;

/// The number of the host that is made and not booted.
const TRIED: usize = 99;

/// Plays the scenario `name` in the anchor's namespaces; a failure leaves journals, incidents and events in `out`.
pub(super) fn tell(name: &str, out: &Path) -> ExitCode {
    if name == anchor::TRY {
        return tried();
    }
    let Some(scenario) = find(name) else { return ExitCode::FAILURE };
    let since = Since::now();
    let mut booted = 0.0;
    let told = World::new(HOSTS).and_then(|mut world| {
        let told = panic::catch_unwind(AssertUnwindSafe(|| {
            world.begin()?;
            booted = since.elapsed().as_secs_f64();
            (scenario.play)(&mut world)
        }));
        let told = told.unwrap_or_else(|_said| Err("the rig's own panic, see stderr".to_owned()));
        if told.is_err() {
            world.leave(out);
        }
        told
    });
    let round = |seconds: f64| (seconds * 10.0).round() / 10.0;
    println!(
        "{}",
        json!({
            "fleet": name, "holds": told.is_ok(), "why": told.as_ref().err(), "hosts": HOSTS,
            "up_s": round(booted), "seconds": round(since.elapsed().as_secs_f64()),
            "left": told.is_err().then(|| out.display().to_string()),
        })
    );
    if told.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Makes one host with all that its boot needs of the kernel.
fn tried() -> ExitCode {
    let made = ground::lay().map_err(|error| error.to_string()).and_then(|()| {
        let mut host = Host::new(TRIED, Groups::given());
        host.boot();
        host.ended()
    });
    match made {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}
