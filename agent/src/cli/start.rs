//! `run`, and what a start goes by: the file, or where it has mistakes the last one that had none.
//!
//! A host that is not watched after a boot, since somebody saved half a sentence, is worse than one that is watched by
//! yesterday's file and says so. Without a state folder, without a kept configuration of this very file, or with
//! `--strict`, mistakes refuse the start.

use super::{refuse, say};
use crate::config::{self, Mistakes};
use crate::log::{Format, Log};
use crate::plan::{Given, Kept, Plan};
use crate::{good, plan};
use clap::Args;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

#[derive(Args)]
pub(super) struct Run {
    /// The configuration file
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// Folder for state, instead of the file's
    #[arg(long, value_name = "DIR")]
    state: Option<PathBuf>,
    /// This host's id, instead of the file's
    #[arg(long, value_name = "ID")]
    host: Option<String>,
    /// The collector's host:port, instead of the file's; several times for several addresses
    #[arg(long, value_name = "ADDRESS")]
    collector: Vec<String>,
    /// File with a one-time token, instead of the file's
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// Stop the services when the agent is asked to end
    #[arg(long)]
    stop_services: bool,
    /// End, as by SIGTERM, when the process that started this one ends
    #[arg(long)]
    die_with_parent: bool,
    /// Refuse to start where the file has mistakes, in place of going by the last one that had none
    #[arg(long)]
    strict: bool,
    /// How lines of log look
    #[arg(long, value_enum, default_value = "plain")]
    log_format: Format,
}

/// Runs the agent.
pub(super) fn run(given: Run) -> ExitCode {
    if given.die_with_parent && !tie_to_parent() {
        return ExitCode::FAILURE;
    }
    let (log, _last_lines) = Log::new(given.log_format);
    let over = Given {
        state: given.state,
        host: given.host,
        collector: given.collector,
        token_file: given.token_file,
        stop_services: given.stop_services,
        ..Given::default()
    };
    let plan = match plan(&given.config, &over, given.strict) {
        Ok(plan) => plan,
        Err(mistakes) => return refuse(&mistakes),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().max_blocking_threads(4).build();
    match runtime.and_then(|runtime| runtime.block_on(crate::run::run(plan, over, log))) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&mut std::io::stderr(), &format!("picket-agent: {error}"));
            ExitCode::FAILURE
        }
    }
}

/// SIGTERM to this process when its parent ends; false if the parent is gone already.
fn tie_to_parent() -> bool {
    let parent = rustix::process::getppid();
    let tied = rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::TERM));
    // A parent that ended before the call sends nothing; then this process has another one now.
    tied.is_ok() && rustix::process::getppid() == parent
}

/// The plan of a start.
///
/// # Errors
/// The file's mistakes, where nothing else can be gone by.
fn plan(file: &Path, given: &Given, strict: bool) -> Result<Plan, Mistakes> {
    let (loaded, texts) = config::load_with_texts(file, &config::Seen::default());
    let mistakes = match loaded.and_then(|config| plan::settle(config, given)) {
        Ok(plan) => return Ok(plan),
        Err(mistakes) => mistakes,
    };
    let kept = if strict { None } else { last_good(file, given) };
    let Some((since, plan)) = kept else { return Err(mistakes) };
    Ok(Plan { kept: Some(Kept { since, mistakes, texts: Arc::new(texts) }), ..plan })
}

fn last_good(file: &Path, given: &Given) -> Option<(picket_proto::Wall, Plan)> {
    let state = given.state.clone().or_else(|| config::state_of(file))?;
    let (since, texts) = good::load(&state, file)?;
    let plan = config::parse_texts(file, texts).and_then(|config| plan::settle(config, given)).ok()?;
    Some((since, plan))
}
