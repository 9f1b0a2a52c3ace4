//! The last configuration that was sound, kept in `STATE/config.good`: what a start goes by while the file has mistakes.
//!
//! One JSON document, mode 0600 in a folder of mode 0700: a literal token in the file is in it too. It is written whole
//! (a new file in the old one's place, synced) by a thread of the pool, and only where the texts are others than before. One that can't be read
//! is none. It is for one file: of another one nothing is taken.

use crate::config::Texts;
use picket_proto::Wall;
use serde::{Deserialize, Serialize};
use std::io;
use std::path::{Path, PathBuf};

const NAME: &str = "config.good";
const VERSION: u32 = 1;

#[derive(Serialize, Deserialize)]
struct Document {
    v: u32,
    /// When it came into force, microseconds since 1970.
    at: i64,
    file: PathBuf,
    texts: Vec<(PathBuf, String)>,
}

/// Keeps these texts of `file`, unless they are what is kept.
///
/// # Errors
/// It can't be written; what was kept is as it was.
pub(crate) fn keep(state: &Path, file: &Path, at: Wall, texts: &Texts) -> io::Result<()> {
    if load(state, file).is_some_and(|(_, kept)| kept == *texts) {
        return Ok(());
    }
    let texts = texts.iter().map(|text| (text.path.clone(), text.text.clone())).collect();
    let document = Document { v: VERSION, at: at.micros(), file: absolute(file), texts };
    crate::whole::replace(&state.join(NAME), &serde_json::to_vec(&document)?)
}

/// What is kept of `file`, and since when it was in force.
pub(crate) fn load(state: &Path, file: &Path) -> Option<(Wall, Texts)> {
    let bytes = std::fs::read(state.join(NAME)).ok()?;
    let document: Document = serde_json::from_slice(&bytes).ok()?;
    let is_its_own = document.v == VERSION && document.file == absolute(file);
    is_its_own.then(|| (Wall::from_micros(document.at), Texts::new(document.texts)))
}

fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_loaded_for_its_own_file_only() {
        use std::os::unix::fs::PermissionsExt;
        let state = tempfile::tempdir().unwrap();
        let file = Path::new("/etc/picket/agent.toml");
        let texts =
            Texts::new([(file.to_path_buf(), "[host]\n".to_owned()), ("b.toml".into(), String::new())]);
        keep(state.path(), file, Wall::from_micros(7), &texts).unwrap();
        keep(state.path(), file, Wall::from_micros(8), &texts).unwrap();
        let (at, kept) = load(state.path(), file).unwrap();
        assert!(kept == texts && at == Wall::from_micros(7), "the same is not written again");
        assert!(load(state.path(), Path::new("/etc/other.toml")).is_none());
        let mode = std::fs::metadata(state.path().join(NAME)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        std::fs::write(state.path().join(NAME), "{").unwrap();
        assert!(load(state.path(), file).is_none());
    }
}
