//! `papers FOLDER`: what a package has beside a program, made of what the programs themselves say. A tool for those who
//! build packages; nothing of it is in a program that is shipped.
//!
//! | in FOLDER/PROGRAM | what |
//! |---|---|
//! | `man` | a page for the program and one for each of its commands, section 1 |
//! | `bash`, `zsh`, `fish` | completions |
//! | `agent.toml.example` | the agent's configuration with every key (picket-agent alone) |

#[path = "../src/args.rs"]
#[expect(dead_code, reason = "the program reads what is parsed; here it is only described")]
mod args;

use clap::{Command, CommandFactory};
use clap_complete::Shell;
use std::io;
use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let Some(folder) = std::env::args_os().nth(1) else {
        eprintln!("say papers FOLDER");
        return ExitCode::from(64);
    };
    match papers(Path::new(&folder)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("papers: {error}");
            ExitCode::FAILURE
        }
    }
}

fn papers(folder: &Path) -> io::Result<()> {
    for command in [args::Args::command(), picket_agent::cli::command(), picket_collector::cli::command()] {
        of(&folder.join(command.get_name()), command)?;
    }
    std::fs::write(folder.join("picket-agent/agent.toml.example"), picket_agent::config::example())
}

/// `help COMMAND` says what `COMMAND --help` does, and needs no page of its own.
fn without_help(command: Command) -> Command {
    command.disable_help_subcommand(true).mut_subcommands(without_help)
}

fn of(folder: &Path, command: Command) -> io::Result<()> {
    let mut command = without_help(command);
    let name = command.get_name().to_owned();
    for part in ["man", "bash", "zsh", "fish"] {
        std::fs::create_dir_all(folder.join(part))?;
    }
    for (shell, part) in [(Shell::Zsh, "zsh"), (Shell::Fish, "fish")] {
        clap_complete::generate_to(shell, &mut command, &name, folder.join(part))?;
    }
    whole_name(&clap_complete::generate_to(Shell::Bash, &mut command, &name, folder.join("bash"))?, &name)?;
    clap_mangen::generate_to(command, folder.join("man"))
}

/// clap_complete (4.6) sets a command's place by its name with `__` for `-`, and asks for it with `__subcmd__` for `-`: below the first
/// word nothing of a program with such a name would be completed.
fn whole_name(file: &Path, name: &str) -> io::Result<()> {
    let text = std::fs::read_to_string(file)?;
    std::fs::write(file, text.replace(&name.replace('-', "__subcmd__"), &name.replace('-', "__")))
}
