//! The log: one line per state change on stderr, as plain text or JSON. `RUST_LOG` narrows or widens it. No secret,
//! token or key is ever handed to it; addresses of peers appear only where one is refused. Lines that stderr does not take
//! (a full disk, a closed pipe, a reader that stands still) are lost in silence: what a fleet reports to must neither end nor
//! wait for want of a log. A thread of its own writes them; 8,192 may wait for it, some 2 MB.

use tracing_appender::non_blocking::{NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::EnvFilter;

/// Most lines that wait: what a storm makes in a second.
const LINES_MAX: usize = 8_192;

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    /// For people.
    Plain,
    /// One JSON object a line.
    Json,
}

/// Starts the log. A second start in one process (tests, `picket up`) keeps the first. Whoever drops what it gives waits for
/// the last lines to be written, for a second at most.
pub(crate) fn start(format: Format) -> WorkerGuard {
    let lines = NonBlockingBuilder::default().lossy(true).buffered_lines_limit(LINES_MAX).thread_name("log");
    let (writer, guard) = lines.finish(std::io::stderr());
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    // Telling of a failed write would go to stderr again, by a macro that panics when that fails.
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(writer)
        .with_ansi(false)
        .log_internal_errors(false);
    let _first_start_wins = match format {
        Format::Plain => builder.try_init(),
        Format::Json => builder.json().try_init(),
    };
    guard
}
