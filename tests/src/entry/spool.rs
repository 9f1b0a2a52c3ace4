//! The entry of the state folder: segments, slots and claims that earlier runs wrote, then spoiled, torn, doubled, or
//! put there by nobody; an agent starts on them and drains them to a collector.
//!
//! What is asserted: opening and reading end and never panic; what a page gives back is whole frames of the run that
//! was asked for, ascending, each of which stands in a file; what was written and not touched is given back. On top of
//! it an agent's core comes to rest, whatever it was told, with every number that a claim names arrived or named as
//! lost. Of kept slots, any bytes are taken or told as damaged, and the agent goes on and keeps again.
//!
//! The files are real ones, in memory where the system has a folder for that.

mod drain;
mod files;
mod kept;
mod read;
mod spoil;

use super::cursor::Cursor;
use files::Kept;
use tempfile::TempDir;

/// The entry's name.
pub const NAME: &str = "spool";

/// Interprets any bytes.
pub fn run(bytes: &[u8]) {
    let mut cursor = Cursor::new(bytes);
    let folder = folder();
    let state = folder.path();
    match cursor.below(8) {
        0 => spoil::alone(state, cursor.rest()),
        1 => return kept::run(state, &mut cursor),
        2 => {
            spoil::alien(state, &mut cursor);
            spoil::alien(state, &mut cursor);
        }
        3 => {
            files::write(state, &mut cursor, Kept::Anything);
            spoil::spoil(state, &mut cursor);
            spoil::alien(state, &mut cursor);
        }
        _ => {
            let mut written = files::write(state, &mut cursor, Kept::True);
            files::claim(state, &mut cursor, &written);
            written.forget(&spoil::spoil(state, &mut cursor));
            read::back(state, &written);
        }
    }
    drain::to_rest(state);
}

/// A folder of one case.
pub(super) fn folder() -> TempDir {
    let made = tempfile::Builder::new().prefix("picket-entry").tempdir_in("/dev/shm");
    made.or_else(|_| tempfile::tempdir()).expect("the system has a folder for temporary files")
}
