//! `picket`: the operator's command.
//!
//! One process, one command: parse ([`args`]), find the collector ([`place`]), ask it ([`link`], [`ask`]), show the
//! answer ([`page`], [`json`]). `picket up` ([`up`]) runs an agent and a collector as children of its own, which are
//! this same program under a hidden name. It decides nothing about hosts or incidents: what stands here is wording
//! and layout. Exit statuses are part of the interface; [`failure`] lists them.

#![forbid(unsafe_code)]

mod args;
mod ask;
mod clock;
mod explain;
mod failure;
mod json;
mod link;
mod page;
mod pages;
mod place;
mod screen;
#[cfg(target_os = "linux")]
mod up;
#[cfg(not(target_os = "linux"))]
#[path = "up_elsewhere.rs"]
mod up;
mod watch;
mod words;

use args::{Args, Command};
use clap::Parser;
use failure::Failure;
use screen::Screen;
use std::process::ExitCode;

fn main() -> ExitCode {
    let words: Vec<_> = std::env::args_os().collect();
    if let Some(status) = up::reborn(&words) {
        return status;
    }
    match Args::try_parse_from(words) {
        Ok(args) => ended(run(&args)),
        Err(refusal) => {
            let _unwritable = refusal.print();
            ExitCode::from(u8::try_from(refusal.exit_code()).unwrap_or(2))
        }
    }
}

fn ended(result: Result<(), Failure>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            failure.tell();
            failure.exit.into()
        }
    }
}

fn run(args: &Args) -> Result<(), Failure> {
    let screen = Screen::open(&args.globals);
    match &args.command {
        Command::Explain { code } => screen::write(&explain::explain(code.as_deref(), &screen)?),
        Command::Up(up) => runtime()?.block_on(up::up(up, &args.globals, screen)),
        Command::Watch { resume } => {
            runtime()?.block_on(watch::watch(&place::find(&args.globals)?, resume.as_deref(), &screen))
        }
        asked @ (Command::Status
        | Command::Hosts(_)
        | Command::Host { .. }
        | Command::Services(_)
        | Command::Incidents(_)
        | Command::Incident(_)
        | Command::Evidence { .. }
        | Command::Events(_)
        | Command::Token { .. }) => {
            let text = runtime()?.block_on(ask::ask(&place::find(&args.globals)?, asked, &screen))?;
            screen::write(&text)
        }
    }
}

fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|error| {
        Failure::failed(format!("cannot start: {error}"), "See the limits of this user (ulimit -n).")
    })
}
