//! `picket up`: an agent and a collector on this machine, without root and without set-up.
//!
//! Both are children: this same program under a hidden name, running the same code as the packages do. They die with
//! this process by a parent-death signal, even if it is killed; Ctrl-C ends the agent (which ends its services) and
//! then the collector, and removes the folder unless `--data` named one. [`folder`] is the data and its lock,
//! [`listening`] the configuration that is made where none is given, [`child`] a child, [`orphans`] what a child left
//! behind, [`tell`] the words, [`house`] the parts together. It restarts nothing: a child that ends by itself ends
//! `up` with status 1, since a fault that hides behind a restart is found late.

mod child;
mod folder;
mod house;
mod listening;
mod orphans;
mod tell;

use crate::args::{Globals, Up};
use crate::failure::{Exit, Failure};
use crate::screen::Screen;
use folder::Folder;
use house::House;
use picket_agent::config::{self, Config};
use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::process::ExitCode;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// The hidden name of the agent.
const AGENT: &str = "__agent";
/// The hidden name of the collector.
const COLLECTOR: &str = "__collector";

/// Becomes one of the children where the first argument says so.
pub(crate) fn reborn(words: &[OsString]) -> Option<ExitCode> {
    let [program, name, rest @ ..] = words else { return None };
    let words = std::iter::once(program.clone()).chain(rest.iter().cloned());
    if name == OsStr::new(AGENT) {
        Some(picket_agent::cli::main(words))
    } else if name == OsStr::new(COLLECTOR) {
        Some(picket_collector::cli::main(words))
    } else {
        None
    }
}

/// Runs until Ctrl-C, SIGTERM, or a child's end.
pub(crate) async fn up(up: &Up, globals: &Globals, screen: Screen) -> Result<(), Failure> {
    if globals.json {
        return Err(Failure::refused(
            "`picket up` speaks to people",
            "For programs: `picket watch --json` beside it.",
        ));
    }
    let mut ends = Ends::listen()?;
    if let Some(file) = &up.config {
        load(file)?; // before anything is made: a broken file changes nothing
    }
    let folder = Folder::take(up.data.as_deref())?;
    let result = live(up, &folder, screen, &mut ends).await;
    let removed = folder.leave();
    result.and(removed)
}

async fn live(up: &Up, folder: &Folder, screen: Screen, ends: &mut Ends) -> Result<(), Failure> {
    let (config, ports) = match &up.config {
        Some(file) => (load(file)?, None),
        None => {
            let (file, ports) = listening::write_config(folder.path())?;
            (load(&file)?, Some(ports))
        }
    };
    orphans::come_to_us()?;
    let mut house = House::new(folder, config, screen);
    let started = tokio::select! {
        started = house.start(ports) => started,
        () = ends.next() => Ok(()),
    };
    let result = match started {
        Ok(()) if house.is_whole() => house.watch(ends).await,
        early => early,
    };
    house.stop(ends).await;
    result
}

/// The configuration, or all its mistakes.
fn load(file: &Path) -> Result<Config, Failure> {
    config::load(file).map_err(|mistakes| {
        Failure::new(
            Exit::Config,
            format!("{} can't be used:\n{mistakes}", file.display()),
            "Correct them and start again.",
        )
    })
}

/// What ends `up`: Ctrl-C, SIGTERM, and the terminal's going away.
pub(crate) struct Ends {
    interrupt: Signal,
    terminate: Signal,
    hangup: Signal,
}

impl Ends {
    fn listen() -> Result<Self, Failure> {
        let listen = |kind| {
            signal(kind).map_err(|error| Failure::failed(format!("cannot listen for signals: {error}"), ""))
        };
        Ok(Self {
            interrupt: listen(SignalKind::interrupt())?,
            terminate: listen(SignalKind::terminate())?,
            hangup: listen(SignalKind::hangup())?,
        })
    }

    /// Waits for the next one.
    pub(crate) async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
            _ = self.hangup.recv() => {}
        }
    }
}
