//! A scenario from its first boot to its JSON line.

use super::groups::Groups;
use super::host::Host;
use super::scenarios::{Play, find};
use super::world::World;
use super::{Wishes, anchor, ground};
use crate::rig::clock::Since;
use serde_json::json;
use std::panic::{self, AssertUnwindSafe};
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

/// The number of the host that is made and not booted.
const TRIED: usize = 99;

/// Plays the scenario `name` in the anchor's namespaces; a failure leaves journals, incidents and events in `out`.
pub(super) fn tell(name: &str, out: &Path) -> ExitCode {
    if name == anchor::TRY {
        return tried();
    }
    let (begin, play): (fn(&mut World) -> _, _) = match find(name).map(|scenario| scenario.play) {
        Some(Play::Inside(play)) => (World::begin, play),
        Some(Play::Bare(play)) => (World::boot, play),
        Some(Play::Outside(_)) | None => return ExitCode::FAILURE,
    };
    let (wishes, since) = (Wishes::given(), Since::now());
    let mut up = None;
    let told = World::new(wishes.hosts).and_then(|mut world| {
        let told = panic::catch_unwind(AssertUnwindSafe(|| {
            begin(&mut world)?;
            up = Some(since.elapsed());
            play(&mut world)
        }));
        let told = told.unwrap_or_else(|_said| Err("the rig's own panic, see stderr".to_owned()));
        if told.is_err() {
            world.leave(out);
        }
        say(name, &told, (since, up), out);
        if wishes.keep {
            world.keep(out);
        }
        told
    });
    if told.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// The line of a scenario.
pub(super) fn say(name: &str, told: &Result<(), String>, (since, up): (Since, Option<Duration>), out: &Path) {
    let round = |span: Duration| (span.as_secs_f64() * 10.0).round() / 10.0;
    let left = told.is_err() && out.exists();
    println!(
        "{}",
        json!({
            "fleet": name, "holds": told.is_ok(), "why": told.as_ref().err(), "up_s": up.map(round),
            "seconds": round(since.elapsed()), "left": left.then(|| out.display().to_string()),
        })
    );
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
