//! The log: one line per state change on stderr, as plain text or JSON. `RUST_LOG` narrows or widens it. No secret,
//! token or key is ever handed to it; addresses of peers appear only where one is refused.

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
    let builder =
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(false);
    let _first_start_wins = match format {
        Format::Plain => builder.try_init(),
        Format::Json => builder.json().try_init(),
    };
}
