//! The agent's command line: the same for the binary `picket-agent` and for `picket __agent`.
//!
//! Exit status: 0 when it ended as asked and all is well; 1 when it could not begin or go on, is not connected
//! (`status`), the link does not work all the way (`test-link`), the agent ended (`events --follow`), or a check fails
//! (`check NAME`); 64 for mistakes in the configuration or on the command line; 69 when
//! no agent answers on the local socket.

mod asks;
mod baseline;
mod doctor;
mod enroll;
mod explain;
mod inspect;
mod job;
mod keeping;
mod metered;
mod reload;
mod rest;
mod seal;
mod socket;
mod start;
mod status;
mod table;
mod trial;
mod unit;

use crate::config;
use crate::plan::Given;
use clap::{CommandFactory, Parser, Subcommand};
use socket::{Failure, Place};
use status::Page;
use std::ffi::OsString;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

/// Mistakes in the configuration or on the command line (EX_USAGE).
const USAGE: u8 = 64;
/// No agent answers (EX_UNAVAILABLE).
const NOBODY: u8 = 69;

#[derive(Parser)]
#[command(
    name = "picket-agent",
    version,
    about = "Watches this host, heals its services and tells its collector"
)]
struct Line {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Enrol a host that has no configuration yet: proves the way to the collector, uses the token, writes a configuration that
    /// observes, and says what it finds on the host
    Enroll(enroll::Enroll),
    /// Say what this machine offers an agent, and what is missed without it; changes nothing. Status 1 where something is to
    /// be mended
    Doctor(doctor::Doctor),
    /// Watch and heal until SIGTERM
    Run(start::Run),
    /// Show what the running agent watches, does and waits for, and whether it is connected
    Status {
        #[command(flatten)]
        place: Place,
        /// One JSON document
        #[arg(long)]
        json: bool,
    },
    /// Show the running agent's newest events (`*`: still waits for the collector; `~`: clock not synchronised)
    Events {
        #[command(flatten)]
        place: Place,
        /// How many, at most 64
        #[arg(short, default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..=64))]
        n: u16,
        /// Go on with what happens from now on
        #[arg(long, short)]
        follow: bool,
        /// One JSON document per line
        #[arg(long)]
        json: bool,
    },
    /// Let remedies rest for a time, 1m to 168h; watching and telling go on. `off` ends that, without --service every
    /// hold
    Hold {
        /// How long, such as 30m or 2h; or `off`
        lasts: String,
        /// Only of this service
        #[arg(long, value_name = "NAME")]
        service: Option<String>,
        #[command(flatten)]
        place: Place,
    },
    /// Have a service that was not healed tried again now, not when its next try would come
    Try {
        /// The service, as `status` lists it
        service: String,
        /// Go on with the rung that is next on its ladder, not with the first again
        #[arg(long)]
        next: bool,
        #[command(flatten)]
        place: Place,
    },
    /// Let the running agent read its configuration again, and say what came of it; status 64 where it has mistakes
    Reload {
        #[command(flatten)]
        place: Place,
    },
    /// Without NAME: read the file of --config, say what it watches, start nothing. With NAME: let the running agent
    /// probe that check now
    Check {
        /// A check of the running agent
        name: Option<String>,
        #[command(flatten)]
        place: Place,
        /// One JSON document (with NAME)
        #[arg(long)]
        json: bool,
    },
    /// Jobs that checks of kind `job` follow
    Job {
        #[command(subcommand)]
        what: job::What,
    },
    /// What should be on this host: `show` lists it, and what of it is missing; `accept` takes the host as it is now
    Baseline {
        /// `show` or `accept`
        #[command(subcommand)]
        what: baseline::What,
    },
    /// Show the configuration as it counts: each key with the file and line that say it, or that it is the default.
    /// Secrets are never shown
    Explain {
        /// Only this service (with its checks), check or table
        name: Option<String>,
        /// The configuration file, instead of a package's
        #[arg(long, value_name = "FILE", default_value = socket::PACKAGE_FILE)]
        config: PathBuf,
    },
    /// Prepare an image of which many hosts are made: removes key, certificate and all that an agent keeps of this host, and keeps
    /// the configuration. Refused while an agent runs
    Seal(seal::Seal),
    /// Print the JSON schema of the configuration file
    Schema {
        /// Of a drop-in, which leaves out what stands elsewhere
        #[arg(long)]
        drop_in: bool,
        /// The page docs/config.md in its place
        #[arg(long, conflicts_with = "drop_in")]
        page: bool,
    },
    /// Try the way to the collector step by step, and say what to do where it fails; spends no token
    TestLink {
        /// The configuration file
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
        /// Folder for state, instead of the file's
        #[arg(long, value_name = "DIR")]
        state: Option<PathBuf>,
        /// The collector's host:port, instead of the file's; several times for several addresses
        #[arg(long, value_name = "ADDRESS")]
        collector: Vec<String>,
    },
}

/// The command line itself, for those who make pages and completions of it.
pub fn command() -> clap::Command {
    Line::command()
}

/// Runs the agent with these arguments, the program's name included.
pub fn main(args: impl Iterator<Item = OsString>) -> ExitCode {
    let line = match Line::try_parse_from(args) {
        Ok(line) => line,
        Err(error) => {
            let _terminal_is_gone = error.print();
            return ExitCode::from(if error.use_stderr() { USAGE } else { 0 });
        }
    };
    match line.what {
        What::Run(given) => start::run(given),
        What::Doctor(given) => show(doctor::doctor(&given)),
        What::Seal(given) => show(seal::seal(&given)),
        What::Enroll(given) => show(enroll::enroll(given)),
        What::Status { place, json } => show(status::status(&place, json)),
        What::Events { place, n, follow, json } => {
            let page = status::events(&place, n, json);
            let goes_on = follow && page.is_ok();
            let shown = show(page);
            if goes_on { show(status::follow(&place, json, print).map(|()| Page::default())) } else { shown }
        }
        What::Job { what } => what.carry_out(),
        What::Reload { place } => match reload::reload(&place) {
            Ok(Ok(page)) => show(Ok(page)),
            Ok(Err(mistakes)) => {
                say(&mut std::io::stderr(), &mistakes);
                ExitCode::from(USAGE)
            }
            Err(failure) => show(Err(failure)),
        },
        What::Hold { lasts, service, place } => show(asks::hold(&place, service.as_deref(), &lasts)),
        What::Try { service, next, place } => show(asks::try_now(&place, &service, next)),
        What::Baseline { what } => show(baseline::page(&what)),
        What::TestLink { config, state, collector } => {
            let given = Given { state, collector, ..Given::default() };
            let page = trial::page(&config, &given).map_err(Failure::Config);
            show(page.map(|(text, well)| Page { text, well }))
        }
        What::Explain { name, config } => {
            show(explain::page(&config, name.as_deref()).map_err(Failure::Config))
        }
        What::Schema { drop_in, page } => show(Ok(explain::schema(drop_in, page))),
        What::Check { name: Some(name), place, json } => show(asks::look(&place, &name, json)),
        What::Check { name: None, place: Place { config: Some(file), .. }, .. } => inspect::check(&file),
        What::Check { name: None, .. } => show(Err(Failure::Usage(
            "which? `check --config FILE` reads a file, `check NAME` asks the agent".to_owned(),
        ))),
    }
}

/// Prints a line; false when nobody reads any more.
fn print(line: &str) -> bool {
    let mut out = std::io::stdout();
    writeln!(out, "{line}").and_then(|()| out.flush()).is_ok()
}

/// Prints a page, or why there is none.
fn show(page: Result<Page, Failure>) -> ExitCode {
    match page {
        Ok(page) => {
            let mut out = std::io::stdout();
            let _reader_is_gone = out.write_all(page.text.as_bytes()).and_then(|()| out.flush());
            if page.well { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(Failure::Refused(why)) => {
            say(&mut std::io::stderr(), &format!("error: {why}"));
            ExitCode::FAILURE
        }
        Err(Failure::Config(mistakes)) => refuse(&mistakes),
        Err(Failure::Usage(why)) => {
            say(&mut std::io::stderr(), &format!("error: {why}"));
            ExitCode::from(USAGE)
        }
        Err(Failure::Nobody(tried)) => nobody(&format!(
            "no agent answers ({tried}); start it with `picket-agent run --config FILE`, or name its --socket, --state or --config"
        )),
        Err(Failure::Denied(tried)) => {
            nobody(&format!("no agent may be asked ({tried}); ask as root or as the agent's own user"))
        }
        Err(Failure::Unnamed(why)) => {
            nobody(&format!("{why}; name the agent's --state or --socket, or a --config that has `state`"))
        }
    }
}

fn nobody(why: &str) -> ExitCode {
    say(&mut std::io::stderr(), &format!("error: {why}"));
    ExitCode::from(NOBODY)
}

fn refuse(mistakes: &config::Mistakes) -> ExitCode {
    say(&mut std::io::stderr(), &mistakes.to_string());
    ExitCode::from(USAGE)
}

fn say(out: &mut dyn Write, text: &str) {
    let _reader_is_gone = writeln!(out, "{text}");
}
