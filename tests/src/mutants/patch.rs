//! A patch file: its name, and the sentence in front of the diff that says what is wrong.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{fs, io};

/// One planted bug.
#[derive(Debug, Clone)]
pub struct Mutant {
    /// The file's name without its ending.
    pub name: String,
    /// What is wrong; empty where the file does not say.
    pub sentence: String,
    /// The files that it changes.
    pub files: Vec<String>,
    pub(super) path: PathBuf,
}

impl Mutant {
    /// All of a workspace, by name.
    ///
    /// # Errors
    /// When the folder or a file can't be read.
    pub fn all(workspace: &Path) -> io::Result<Vec<Self>> {
        let folder = fs::read_dir(workspace.join("tests/mutants"))?;
        let paths = folder.map(|entry| entry.map(|entry| entry.path())).collect::<io::Result<Vec<_>>>()?;
        let patches = paths.into_iter().filter(|path| path.extension().is_some_and(|ext| ext == "patch"));
        let mut all = patches.map(Self::read).collect::<io::Result<Vec<_>>>()?;
        all.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(all)
    }

    fn read(path: PathBuf) -> io::Result<Self> {
        let text = fs::read_to_string(&path)?;
        let said = text.lines().map_while(|line| line.strip_prefix("# "));
        let sentence = said.collect::<Vec<_>>().join(" ");
        let files = text.lines().filter_map(|line| line.strip_prefix("+++ b/")).map(str::to_owned);
        let files = files.collect();
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        Ok(Self { name, sentence, files, path })
    }

    /// Plants it in the sources there; why not, where it does not fit them any more.
    ///
    /// # Errors
    /// What git says.
    pub fn plant(&self, root: &Path) -> Result<(), String> {
        self.git(root, &[])
    }

    /// Whether it could be planted there.
    ///
    /// # Errors
    /// What git says.
    pub fn fits(&self, root: &Path) -> Result<(), String> {
        self.git(root, &["--check"])
    }

    fn git(&self, root: &Path, words: &[&str]) -> Result<(), String> {
        let mut git = Command::new("git");
        git.arg("apply").args(words).arg(&self.path).current_dir(root);
        // The copy lies inside a repository, below which git would look for the paths of the patch.
        git.env_remove("GIT_DIR").env_remove("GIT_WORK_TREE");
        if let Some(above) = root.parent() {
            git.env("GIT_CEILING_DIRECTORIES", above);
        }
        let done = git.output().map_err(|why| format!("git: {why}"))?;
        if done.status.success() {
            return Ok(());
        }
        Err(String::from_utf8_lossy(&done.stderr).trim().to_owned())
    }
}
