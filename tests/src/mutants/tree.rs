//! The copy of the sources in which bugs are planted.
//!
//! Only what differs is written, so that cargo builds nothing twice; what is no source (hidden folders, build output)
//! is left out.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{fs, io};

/// How the simulator is built here: seconds less to build matter more than the last third of its speed.
const PROFILE: [(&str, &str); 4] = [
    ("CARGO_PROFILE_RELEASE_LTO", "off"),
    ("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16"),
    ("CARGO_PROFILE_RELEASE_INCREMENTAL", "true"),
    ("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1"),
];

/// See the module.
#[derive(Debug)]
pub struct Tree {
    from: PathBuf,
    root: PathBuf,
    target: PathBuf,
}

impl Tree {
    /// The copy of a workspace.
    pub fn of(workspace: &Path) -> Self {
        let below = workspace.join("target/mutants");
        Self { from: workspace.to_owned(), root: below.join("tree"), target: below.join("target") }
    }

    /// Where it lies.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Makes it the same as the workspace.
    ///
    /// # Errors
    /// When something can't be read or written.
    pub fn reset(&self) -> io::Result<()> {
        same(&self.from, &self.root)
    }

    /// Builds the simulator; its path.
    ///
    /// # Errors
    /// What the compiler says.
    pub fn build(&self) -> Result<PathBuf, String> {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut build = Command::new(cargo);
        build.args(["build", "--release", "--locked", "--quiet", "--no-default-features"]);
        build.args(["--package", "picket-tests", "--bin", "sim", "--target-dir"]).arg(&self.target);
        build.envs(PROFILE).env("RUSTFLAGS", "").current_dir(&self.root).stdin(Stdio::null());
        let done = build.output().map_err(|why| format!("cargo: {why}"))?;
        if done.status.success() {
            return Ok(self.target.join("release/sim"));
        }
        Err(String::from_utf8_lossy(&done.stderr).trim().to_owned())
    }
}

fn is_source(name: &str) -> bool {
    !name.starts_with('.') && !name.starts_with("target")
}

fn names(folder: &Path) -> io::Result<Vec<String>> {
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let names = fs::read_dir(folder)?.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()));
    Ok(names.collect::<io::Result<Vec<_>>>()?.into_iter().filter(|name| is_source(name)).collect())
}

/// Makes the folder `to` what `from` is.
fn same(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    let wanted = names(from)?;
    for gone in names(to)?.iter().filter(|name| !wanted.contains(name)) {
        let gone = to.join(gone);
        if gone.is_dir() { fs::remove_dir_all(gone)? } else { fs::remove_file(gone)? }
    }
    for name in wanted {
        let (from, to) = (from.join(&name), to.join(&name));
        if from.is_dir() {
            same(&from, &to)?;
        } else if fs::read(&from)? != fs::read(&to).unwrap_or_default() || !to.exists() {
            fs::write(&to, fs::read(&from)?)?;
        }
    }
    Ok(())
}
