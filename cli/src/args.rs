//! The command line: its words, their help, and nothing else.
//!
//! Clap refuses what it can't parse with exit status 2. Environment variables are read in [`crate::place`] and
//! [`crate::screen`], where they are needed.

use clap::builder::RangedU64ValueParser;
use clap::{Args as ClapArgs, Parser, Subcommand, ValueEnum};
use picket_proto::HostId;
use std::path::PathBuf;
use std::time::Duration;

/// Most items of a list: what is fetched is held in memory, about 1 KiB each.
const LIMIT_MAX: u64 = 1_000_000;

const EXITS: &str = "\
Exit status: 0 done, 1 failed, 2 wrong usage, 4 not found, 5 refused (a stale revision, a state or a right that \
forbids it), 64 mistakes in a configuration, 69 the collector can't be reached.

Environment: PICKET_COLLECTOR and PICKET_CREDENTIALS stand in for --collector and --credentials; without either, \
the running `picket up` of this user is asked; one that runs with --data DIR is asked with --credentials DIR/operator \
--collector $(cat DIR/collector.addr). NO_COLOR turns colour off. TZ names the zone of the times shown.";

const UP: &str = "\
It runs in the foreground and tells what happens; ask it from another terminal: `picket services`, `picket incidents`, \
`picket incident show`, `picket watch`. One runs per folder; the collector listens on loopback alone, on a free port.

Without --config it only observes. With it, the services of the file are started and healed; Ctrl-C ends them too, a \
second Ctrl-C at once. If agent or collector ends by itself, all of it ends, with status 1.

With --data the folder must be empty or of an earlier `picket up`. Ask that one with --credentials DIR/operator \
--collector $(cat DIR/collector.addr).

Examples:
  picket up
  picket up --config picket.toml
  picket up --config picket.toml --data ~/picket-data";

/// Asks a Picket collector what is wrong, and tells it what you do about it.
#[derive(Debug, Parser)]
#[command(name = "picket", version, after_help = EXITS, max_term_width = 110, disable_help_subcommand = true)]
pub(crate) struct Args {
    #[command(flatten)]
    pub(crate) globals: Globals,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Clone, ClapArgs)]
pub(crate) struct Globals {
    /// The collector's address
    #[arg(long, global = true, value_name = "HOST:PORT")]
    pub(crate) collector: Option<String>,
    /// Folder with your cert.pem, key.pem and the collector's ca.pem
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) credentials: Option<PathBuf>,
    /// For programs: JSON with RFC 3339 times in UTC
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Exact local times with their offset instead of "3 min ago"
    #[arg(long, global = true)]
    pub(crate) times: bool,
    /// Colour the output; auto: on a terminal, unless NO_COLOR is set
    #[arg(long, global = true, value_enum, default_value_t = Colour::Auto, value_name = "WHEN")]
    pub(crate) color: Colour,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Colour {
    Auto,
    Always,
    Never,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Watch this machine: agent and collector in one folder, no root, no set-up; Ctrl-C leaves nothing behind
    #[command(after_help = UP)]
    Up(Up),
    /// Tell how the collector itself is: its journal, its disk, its load
    Status,
    /// List the hosts
    Hosts(Page),
    /// Look at one host: whether it is heard, how it fares, how its clocks lie
    Host {
        /// The host's id
        host: String,
    },
    /// List services and checks with their verdicts
    Services(Services),
    /// List the incidents that are not over
    Incidents(Incidents),
    /// Look at one incident, or do something about it
    #[command(subcommand)]
    Incident(Incident),
    /// Read what a service printed last, some 40 lines: asks its host now
    Evidence {
        /// The host's id
        #[arg(value_parser = host)]
        host: String,
        /// The service's name, as `picket services` shows it
        service: String,
    },
    /// List journaled events, newest first
    Events(Events),
    /// Print every change of every incident as it happens
    Watch {
        /// Continue behind this change: a token that an earlier watch printed
        #[arg(long, value_name = "TOKEN")]
        resume: Option<String>,
    },
    /// Make a one-time token that lets HOST enrol within an hour
    Token {
        /// The host's id: 1 to 63 of a-z 0-9 . _ -
        #[arg(value_parser = host)]
        host: String,
    },
    /// Tell what a code means and what to do, offline; without CODE, list all codes
    Explain {
        /// A code as shown in timelines, events and errors
        code: Option<String>,
    },
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Up {
    /// What to watch; without it: this host's levels and every TCP port that listens now, observed only
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Keep the data in this folder; without it, a private folder that is removed at the end
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Page {
    /// At most this many
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = limit())]
    pub(crate) limit: usize,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Services {
    /// Only this host
    #[arg(long, value_parser = host)]
    pub(crate) host: Option<String>,
    #[command(flatten)]
    pub(crate) page: Page,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Incidents {
    /// The resolved ones too
    #[arg(long)]
    pub(crate) all: bool,
    /// Only this host
    #[arg(long, value_parser = host)]
    pub(crate) host: Option<String>,
    /// At most this many
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = limit())]
    pub(crate) limit: usize,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Incident {
    /// Show one incident: cause, outcome, finding, timeline
    Show {
        /// Without it: the worst that is open, else the newest
        id: Option<u64>,
    },
    /// Acknowledge it: you take it
    Ack {
        id: u64,
        #[command(flatten)]
        seen: Seen,
    },
    /// Write a note into its timeline
    Note {
        id: u64,
        /// At most 1,000 bytes
        #[arg(required = true, num_args = 1.., value_name = "TEXT")]
        text: Vec<String>,
    },
    /// Resolve it by hand
    Resolve {
        id: u64,
        /// Why; at most 1,000 bytes
        #[arg(num_args = 0.., value_name = "TEXT")]
        text: Vec<String>,
        #[command(flatten)]
        seen: Seen,
    },
}

impl Incident {
    /// The incident that is named; 0, which none has, where it is the worst open one, or the newest.
    pub(crate) fn id(&self) -> u64 {
        match self {
            Self::Show { id } => id.unwrap_or_default(),
            Self::Ack { id, .. } | Self::Note { id, .. } | Self::Resolve { id, .. } => *id,
        }
    }
}

#[derive(Debug, Clone, Copy, ClapArgs)]
pub(crate) struct Seen {
    /// The revision that you saw; refused if it has changed since. Without it, the present one
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..), conflicts_with = "force")]
    pub(crate) revision: Option<u32>,
    /// Whatever stands now
    #[arg(long)]
    pub(crate) force: bool,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Events {
    /// Only this host
    #[arg(long, value_parser = host)]
    pub(crate) host: Option<String>,
    /// Only this service
    #[arg(long)]
    pub(crate) service: Option<String>,
    /// Only what was received within this time: 90s, 15min, 1h, 2d
    #[arg(long, value_name = "TIME", value_parser = within)]
    pub(crate) within: Option<Duration>,
    /// At most this many
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = limit())]
    pub(crate) limit: usize,
}

/// 1 to [`LIMIT_MAX`].
fn limit() -> RangedU64ValueParser<usize> {
    RangedU64ValueParser::new().range(1..=LIMIT_MAX)
}

/// A host's id, which may be one that is not known.
fn host(text: &str) -> Result<String, String> {
    text.parse::<HostId>()
        .map(|host| host.as_str().to_owned())
        .map_err(|_| "a host's id is 1 to 63 of a-z 0-9 . _ -".to_owned())
}

/// A number and its unit, up to 10 years.
fn within(text: &str) -> Result<Duration, String> {
    let digits = text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let seconds: u64 = match unit.trim() {
        "s" => 1,
        "m" | "min" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => return Err("give a number and a unit: 90s, 15min, 1h or 2d".to_owned()),
    };
    let number: u64 =
        number.parse().map_err(|_| "give a whole number and a unit: 90s, 15min, 1h or 2d".to_owned())?;
    number
        .checked_mul(seconds)
        .filter(|all| (1..=10 * 366 * 86_400).contains(all))
        .map(Duration::from_secs)
        .ok_or_else(|| "it must be more than nothing and at most 10 years".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_sound() {
        Args::command().debug_assert();
    }

    #[test]
    fn a_time_is_a_number_and_a_unit() {
        assert_eq!(within("90s"), Ok(Duration::from_secs(90)));
        assert_eq!(within("15min"), Ok(Duration::from_secs(900)));
        assert_eq!(within("1h"), Ok(Duration::from_secs(3_600)));
        for wrong in ["", "h", "1", "1x", "0s", "99999999999d", "-1h", "1.5h"] {
            assert!(within(wrong).is_err(), "{wrong}");
        }
    }
}
