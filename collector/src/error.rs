//! Why the collector cannot start or go on, and the exit status that says so. Refusals of a peer are not here: they
//! are stable codes that travel as a gRPC status.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// Exit status of a mistake in usage or configuration, as in sysexits.h.
pub(crate) const EXIT_USAGE: u8 = 64;
/// Exit status of everything else.
pub(crate) const EXIT_FAILURE: u8 = 1;

/// Why the collector ends. What was journaled stays journaled.
#[derive(Debug)]
pub(crate) enum Failure {
    /// An operator's or the server's name cannot stand in a certificate.
    BadName(String),
    /// The data folder has a CA already; a new one would orphan every agent.
    AlreadyMade(PathBuf),
    /// Another collector holds the data folder.
    InUse(PathBuf),
    /// A file or folder could not be read or written.
    Io { doing: &'static str, path: PathBuf, source: io::Error },
    /// The address could not be bound.
    Bind { address: String, source: io::Error },
    /// Keys or certificates could not be made or read.
    Certificate(rcgen::Error),
    /// The TLS configuration was refused.
    Tls(rustls::Error),
    /// The client verifier could not be built.
    Verifier(rustls::server::VerifierBuilderError),
    /// The journal could not be opened or read.
    Journal(rusqlite::Error),
    /// The gRPC services could not be put together.
    Reflection(tonic_reflection::server::Error),
    /// The runtime, a clock, a signal or a timer failed.
    System { doing: &'static str, source: io::Error },
    /// The gRPC server ended by itself.
    Served(String),
    /// The journal could not take its last entries; none of them was acknowledged.
    Unflushed,
}

impl Failure {
    /// The process's exit status.
    pub(crate) const fn exit(&self) -> u8 {
        match self {
            Self::BadName(_) | Self::AlreadyMade(_) | Self::InUse(_) | Self::Bind { .. } => EXIT_USAGE,
            Self::Io { .. }
            | Self::Certificate(_)
            | Self::Tls(_)
            | Self::Verifier(_)
            | Self::Journal(_)
            | Self::Reflection(_)
            | Self::System { .. }
            | Self::Served(_)
            | Self::Unflushed => EXIT_FAILURE,
        }
    }

    /// Whether it is for want of space.
    pub(crate) fn is_full(&self) -> bool {
        match self {
            Self::Io { source, .. } => {
                matches!(source.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
            }
            Self::Journal(source) => source.sqlite_error_code() == Some(rusqlite::ErrorCode::DiskFull),
            _other => false,
        }
    }

    /// For `map_err` on file operations.
    pub(crate) fn io(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { doing, path, source }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BadName(name) => write!(
                f,
                "`{name}` is not a name: give a DNS name or an address for the server, \
                 1 to 63 bytes of a-z 0-9 . _ - for an operator"
            ),
            Self::AlreadyMade(path) => {
                write!(f, "{} holds a CA already; give another folder, or `run` on this one", path.display())
            }
            Self::InUse(path) => write!(f, "another collector runs on {}; end it first", path.display()),
            Self::Io { doing, path, source } => write!(f, "could not {doing} {}: {source}", path.display()),
            Self::Bind { address, source } => {
                write!(
                    f,
                    "could not listen on {address}: {source}; give an address of this machine and a free port"
                )
            }
            Self::Certificate(source) => write!(f, "could not make or read a certificate: {source}"),
            Self::Tls(source) => write!(f, "could not set up TLS: {source}"),
            Self::Verifier(source) => {
                write!(f, "could not set up the verifier of client certificates: {source}")
            }
            Self::Journal(source) if self.is_full() => {
                write!(
                    f,
                    "there is no room for the journal: {source}; free some MiB in the data folder, and start the \
                     collector again where it has ended"
                )
            }
            Self::Journal(source) => write!(
                f,
                "could not open or read the journal: {source}; look at the disk and at the rights of DATA/journal, \
                 nothing was changed"
            ),
            Self::Reflection(source) => write!(f, "could not describe the services: {source}"),
            Self::System { doing, source } => write!(f, "could not {doing}: {source}"),
            Self::Served(source) => write!(f, "the server ended: {source}"),
            Self::Unflushed => f.write_str("the last entries could not be journaled; none was acknowledged"),
        }
    }
}

impl std::error::Error for Failure {}

impl From<rcgen::Error> for Failure {
    fn from(source: rcgen::Error) -> Self {
        Self::Certificate(source)
    }
}

impl From<rustls::Error> for Failure {
    fn from(source: rustls::Error) -> Self {
        Self::Tls(source)
    }
}

impl From<rusqlite::Error> for Failure {
    fn from(source: rusqlite::Error) -> Self {
        Self::Journal(source)
    }
}
