//! The command line of the collector, as its own binary and inside `picket`.
//!
//! `init` makes a data folder, `run` runs on it (and makes it where there is none), `operator` issues credentials
//! for one more operator. Exit status 0 after an orderly end, 64 for a mistake in usage or configuration, 1 for the
//! rest. Tokens are not made here: a running collector makes them for operators, so that they are journaled.

use crate::authority::Authority;
use crate::error::{EXIT_USAGE, Failure};
use crate::log::{self, Format};
use crate::start::{self, Lifetime, Settings};
use crate::store::{self, Limits};
use crate::{metrics, owner};
use clap::{CommandFactory, Parser, Subcommand};
use std::ffi::OsString;
use std::io::{self, Write as _};
use std::net::SocketAddr;
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
    /// Make a data folder: the CA, and the credentials of the operator `admin` in DATA/operator. Root does it as the folder's owner.
    Init {
        /// The data folder.
        #[arg(long, value_name = "DIR")]
        data: PathBuf,
        /// Names and addresses by which agents and operators reach this collector, separated by commas.
        #[arg(long, value_name = "NAME[,NAME..]", value_delimiter = ',', required = true)]
        name: Vec<String>,
    },
    /// Run until SIGTERM or SIGINT. An empty data folder is made for localhost and this machine's name. Root runs as the folder's owner.
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
        /// Serve figures for Prometheus at this address; loopback only, off without it.
        #[arg(long, value_name = "ADDR:PORT", value_parser = metrics::address)]
        metrics: Option<SocketAddr>,
        #[command(flatten)]
        keep: Keep,
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

/// How long the journal is kept. Whole segments of 256 MiB go, oldest first, and only such as no start needs.
#[derive(Debug, clap::Args)]
struct Keep {
    /// Events older than this are dropped.
    #[arg(long, value_name = "DAYS", default_value_t = 90, value_parser = clap::value_parser!(u64).range(1..=36_500))]
    keep_days: u64,
    /// Above this the oldest events are dropped; at least 1GiB.
    #[arg(long, value_name = "SIZE", default_value = "20GiB", value_parser = size)]
    keep: u64,
    /// Bytes of a segment of the journal; for tests.
    #[arg(long, value_name = "BYTES", hide = true)]
    segment_bytes: Option<u64>,
    /// Bytes between two snapshots; for tests.
    #[arg(long, value_name = "BYTES", hide = true)]
    snapshot_bytes: Option<u64>,
    /// Bytes of all segments, however few; for tests.
    #[arg(long, value_name = "BYTES", hide = true)]
    keep_bytes: Option<u64>,
}

impl Keep {
    fn limits(&self) -> Limits {
        let usual = Limits::default();
        Limits {
            segment: self.segment_bytes.unwrap_or(usual.segment),
            snapshot: self.snapshot_bytes.unwrap_or(usual.snapshot),
            keep_bytes: self.keep_bytes.unwrap_or(self.keep),
            keep: store::days(self.keep_days),
        }
    }
}

/// A size in GiB or TiB.
fn size(text: &str) -> Result<u64, String> {
    let units = [("GiB", 30), ("TiB", 40)];
    let found = units.iter().find_map(|(unit, shift)| {
        let count: u64 = text.strip_suffix(unit)?.trim().parse().ok()?;
        count.checked_mul(1 << shift).filter(|bytes| *bytes > 0 && bytes.leading_zeros() > 4)
    });
    found.ok_or_else(|| "give a whole number of GiB or TiB, such as 20GiB".to_owned())
}

/// The command line itself, for those who make pages and completions of it.
pub fn command() -> clap::Command {
    Arguments::command()
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
            // The exit status says it as well where stderr takes nothing.
            let _nobody_to_tell = writeln!(io::stderr(), "picket-collector: {failure}");
            ExitCode::from(failure.exit())
        }
    }
}

fn execute(command: Command) -> Result<(), Failure> {
    match command {
        Command::Init { data, name } => {
            owner::become_owner(&data)?;
            let _lock = start::lock(&data)?;
            Authority::create(&data, &name)?;
            println!("made {}: the operator's credentials lie in operator/", data.display());
            Ok(())
        }
        Command::Run { data, listen, die_with_parent, metrics, keep, log_format } => {
            owner::become_owner(&data)?;
            let _writes_until_the_end = log::start(log_format);
            let lifetime = if die_with_parent { Lifetime::Parents } else { Lifetime::Own };
            start::run(&Settings { data, listen, lifetime, limits: keep.limits(), metrics })
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
                    "resumed_from": hash.from,
                    "resumed": hash.resumed,
                })
            );
            Ok(())
        }
    }
}
