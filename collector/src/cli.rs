//! The command line of the collector, as its own binary and inside `picket`.
//!
//! `init` makes a data folder, `run` runs on it (and makes it where there is none), `operator` issues credentials
//! for one more operator. Exit status 0 after an orderly end, 64 for a mistake in usage or configuration, 1 for the
//! rest. Tokens are not made here: a running collector makes them for operators, so that they are journaled.

use crate::authority::Authority;
use crate::error::{EXIT_USAGE, Failure};
use crate::log::{self, Format};
use crate::start::{self, Lifetime, Settings};
use crate::store::Limits;
use clap::{Parser, Subcommand};
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(Debug, Parser)]
#[command(
    name = "picket-collector",
    version,
    about = "Takes the agents' events, journals them, answers operators"
)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make a data folder: the CA, and the credentials of the operator `admin` in DATA/operator.
    Init {
        /// The data folder.
        #[arg(long, value_name = "DIR")]
        data: PathBuf,
        /// Names and addresses by which agents and operators reach this collector, separated by commas.
        #[arg(long, value_name = "NAME[,NAME..]", value_delimiter = ',', required = true)]
        name: Vec<String>,
    },
    /// Run until SIGTERM or SIGINT. An empty data folder is made for localhost and this machine's name.
    Run {
        /// The data folder; one collector at a time.
        #[arg(long, value_name = "DIR")]
        data: PathBuf,
        /// Address and port to listen on; port 0 takes a free one, which DATA/collector.addr names.
        #[arg(long, value_name = "ADDR:PORT")]
        listen: String,
        /// End when the process that started it ends.
        #[arg(long)]
        die_with_parent: bool,
        /// Bytes of a segment of the journal; for tests.
        #[arg(long, value_name = "BYTES", hide = true, default_value_t = Limits::default().segment)]
        segment_bytes: u64,
        /// How log lines on stderr look.
        #[arg(long, value_enum, default_value_t = Format::Plain)]
        log_format: Format,
    },
    /// Issue an operator's credentials: cert.pem, key.pem and ca.pem in OUT.
    Operator {
        /// 1 to 63 bytes of a-z 0-9 . _ -
        name: String,
        /// The collector's data folder.
        #[arg(long, value_name = "DIR")]
        data: PathBuf,
        /// The folder to write to; made if need be.
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
    },
    /// Replay the journal and print its entries, frames and the SHA-256 of the state, as JSON.
    #[command(hide = true)]
    Hash {
        /// The data folder of a collector that does not run.
        #[arg(long, value_name = "DIR")]
        data: PathBuf,
    },
}

/// Runs the command line `args`, the program's name first. Blocks until it is done.
pub fn main(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments = match Arguments::try_parse_from(args) {
        Ok(arguments) => arguments,
        Err(usage) => {
            let _nobody_to_tell = usage.print();
            return if usage.use_stderr() { ExitCode::from(EXIT_USAGE) } else { ExitCode::SUCCESS };
        }
    };
    match execute(arguments.command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("picket-collector: {failure}");
            ExitCode::from(failure.exit())
        }
    }
}

fn execute(command: Command) -> Result<(), Failure> {
    match command {
        Command::Init { data, name } => {
            let _lock = start::lock(&data)?;
            Authority::create(&data, &name)?;
            println!("made {}: the operator's credentials lie in operator/", data.display());
            Ok(())
        }
        Command::Run { data, listen, die_with_parent, segment_bytes, log_format } => {
            log::start(log_format);
            let lifetime = if die_with_parent { Lifetime::Parents } else { Lifetime::Own };
            let limits = Limits { segment: segment_bytes };
            start::run(&Settings { data, listen, lifetime, limits })
        }
        Command::Operator { name, data, out } => {
            Authority::open(&data)?.operator(&name, &out)?;
            println!("made the credentials of {name} in {}", out.display());
            Ok(())
        }
        Command::Hash { data } => {
            let hash = start::hash(&data)?;
            println!(
                "{}",
                serde_json::json!({
                    "entries": hash.read.entries,
                    "last": hash.read.last,
                    "damaged": hash.read.damaged,
                    "missing": hash.read.missing,
                    "frames": hash.frames,
                    "snapshot": hash.snapshot,
                })
            );
            Ok(())
        }
    }
}
