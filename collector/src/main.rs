//! The `picket-collector` binary: hands its arguments to [`picket_collector::cli`].

use std::process::ExitCode;

fn main() -> ExitCode {
    picket_collector::cli::main(std::env::args_os())
}
