//! `picket up` where there is no Linux: it says so. Agent and collector watch Linux hosts only; every other command
//! works from any machine.

use crate::args::{Globals, Up};
use crate::failure::Failure;
use crate::screen::Screen;
use std::ffi::OsString;
use std::process::ExitCode;

/// There are no children here.
pub(crate) fn reborn(_words: &[OsString]) -> Option<ExitCode> {
    None
}

/// Refuses.
pub(crate) async fn up(_up: &Up, _globals: &Globals, _screen: Screen) -> Result<(), Failure> {
    Err(Failure::refused(
        "`picket up` needs Linux",
        "Run it on a Linux host and ask that one with --collector.",
    ))
}
