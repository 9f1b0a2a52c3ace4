//! The log: one line per state change on stderr, as plain text or JSON. `RUST_LOG` narrows or widens it. No secret,
//! token or key is ever handed to it; addresses of peers appear only where one is refused. Lines that stderr does not take
//! (a full disk, a closed pipe) are lost in silence: what a fleet reports to must not end for want of a log.

use tracing_subscriber::EnvFilter;

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    /// For people.
    Plain,
    /// One JSON object a line.
    Json,
}

/// Starts the log. A second start in one process (tests, `picket up`) keeps the first.
pub(crate) fn start(format: Format) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    // Telling of a failed write would go to stderr again, by a macro that panics when that fails.
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .log_internal_errors(false);
    let _first_start_wins = match format {
        Format::Plain => builder.try_init(),
        Format::Json => builder.json().try_init(),
    };
}
