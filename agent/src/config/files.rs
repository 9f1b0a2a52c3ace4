//! The texts that one configuration is made of: the file, then its drop-ins `FILE.d/*.toml` in the order of their names.
//!
//! | limit | why |
//! |---|---|
//! | 64 drop-ins | a person or a tool writes one per service; more is a folder that nobody looks after |
//! | 1 MiB in all | 1,024 checks with every key written out take half of it |
//!
//! Drop-ins of `agent.toml` stand in `agent.toml.d` beside it. Other names, and those that begin with a dot, are editors'
//! and tools' own. One that is there and can't be read, a link that leads nowhere too, is a mistake: what it was to
//! change would else be forgotten in silence. All texts count as one long one, so that a place is a number.

use std::fmt;
use std::io::Read;
use std::path::{Path, PathBuf};

/// Most drop-ins.
pub(super) const DROP_INS_MAX: usize = 64;
/// Most bytes of all texts together.
const BYTES_MAX: usize = 1024 * 1024;

/// One text.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Text {
    pub(crate) path: PathBuf,
    pub(crate) text: String,
    /// Where it begins in the long one.
    from: usize,
}

impl fmt::Debug for Text {
    /// Without the text: secrets may stand in it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.path.fmt(f)
    }
}

impl Text {
    /// Where it begins in the long one.
    pub(super) const fn from(&self) -> usize {
        self.from
    }
}

/// All texts of one configuration; at least one, the file's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Texts(Vec<Text>);

/// A file that can't be read, and why.
pub(super) type Unread = (PathBuf, String);

impl Texts {
    /// Puts texts together, the file's own first.
    pub(crate) fn new(texts: impl IntoIterator<Item = (PathBuf, String)>) -> Self {
        let mut from = 0;
        let place = |(path, text): (PathBuf, String)| {
            let text = Text { path, text, from };
            from += text.text.len() + 1;
            text
        };
        Self(texts.into_iter().map(place).collect())
    }

    /// Reads the file and its drop-ins; what could not be read stands beside.
    pub(super) fn read(file: &Path) -> (Self, Vec<Unread>) {
        let mut unread = Vec::new();
        let mut texts = Vec::new();
        let mut left = BYTES_MAX;
        let files = drop_ins(file, &mut unread);
        for path in std::iter::once(file.to_path_buf()).chain(files) {
            match read(&path, left) {
                Ok(text) => {
                    left -= text.len();
                    texts.push((path, text));
                }
                Err(why) => unread.push((path, why)),
            }
        }
        (Self::new(texts), unread)
    }

    pub(crate) fn iter(&self) -> std::slice::Iter<'_, Text> {
        self.0.iter()
    }

    /// The file and the line of a key such as `agent.host`, where it is written.
    pub(crate) fn place_of(&self, table: &str, key: &str) -> Option<(PathBuf, usize)> {
        super::explain::place(self, table, key)
    }

    /// The file and the line of a place.
    pub(crate) fn place(&self, at: usize) -> Option<(PathBuf, usize)> {
        self.at(at).map(|(text, line)| (text.path.clone(), line))
    }

    /// The text at a place, and the line in it, from 1.
    pub(super) fn at(&self, place: usize) -> Option<(&Text, usize)> {
        let text = self.0.iter().rev().find(|text| text.from <= place)?;
        let before = text.text.get(..place - text.from)?;
        Some((text, before.matches('\n').count() + 1))
    }
}

/// Where the drop-ins of a file stand.
pub(crate) fn folder_of(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".d");
    PathBuf::from(name)
}

fn drop_ins(file: &Path, unread: &mut Vec<Unread>) -> Vec<PathBuf> {
    let folder = folder_of(file);
    let listed = std::fs::read_dir(&folder).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let entries = match listed {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Vec::new(),
        Err(error) => {
            unread.push((folder, format!("can't be listed: {error}")));
            return Vec::new();
        }
    };
    let is_one = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().as_encoded_bytes();
        name.ends_with(b".toml") && !name.starts_with(b".")
    };
    let mut found: Vec<PathBuf> = entries.iter().map(std::fs::DirEntry::path).filter(is_one).collect();
    found.sort_unstable();
    if found.len() > DROP_INS_MAX {
        let problem = format!("has {} drop-ins, more than {DROP_INS_MAX}; join some", found.len());
        unread.push((folder, problem));
        found.truncate(DROP_INS_MAX);
    }
    found
}

fn read(path: &Path, left: usize) -> Result<String, String> {
    let unreadable = |error: std::io::Error| format!("cannot be read: {error}");
    let mut text = String::new();
    // What is no plain file has no size to look at before: `/dev/zero` never ends.
    let file = std::fs::File::open(path).map_err(unreadable)?;
    if file.metadata().is_ok_and(|found| found.is_dir()) {
        return Err("is a folder where a file is expected".to_owned());
    }
    let limit = u64::try_from(left).unwrap_or(u64::MAX);
    file.take(limit.saturating_add(1)).read_to_string(&mut text).map_err(unreadable)?;
    if text.len() > left {
        return Err(format!("makes the configuration have more than {BYTES_MAX} bytes"));
    }
    Ok(text)
}
