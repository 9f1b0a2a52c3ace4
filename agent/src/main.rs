//! The agent's binary; everything is in the library, which `picket __agent` uses as well.

use std::process::ExitCode;

fn main() -> ExitCode {
    picket_agent::cli::main(std::env::args_os())
}
