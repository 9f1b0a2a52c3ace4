//! Mistakes, as people read them: the file, the line, the key, what is wrong, what to write instead.

use std::fmt;
use std::path::PathBuf;

/// One mistake in a configuration file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// Which file.
    pub file: PathBuf,
    /// Its line, from 1; 0 where the mistake is about the file as a whole.
    pub line: usize,
    /// The key, with the tables that it stands in, joined by dots; empty where there is none.
    pub key: String,
    /// What is wrong.
    pub problem: String,
    /// What to write instead, where it can be guessed.
    pub suggestion: Option<String>,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.file.display())?;
        if self.line > 0 {
            write!(f, "{}:", self.line)?;
        }
        if !self.key.is_empty() {
            write!(f, " {}:", self.key)?;
        }
        write!(f, " {}", self.problem)?;
        self.suggestion.as_ref().map_or(Ok(()), |better| write!(f, "; {better}"))
    }
}

/// Every mistake of a file and its drop-ins, in the order of their lines. Nothing was started or changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistakes(pub Vec<Mistake>);

impl fmt::Display for Mistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for mistake in &self.0 {
            writeln!(f, "{mistake}")?;
        }
        write!(f, "{}; nothing was changed (config-invalid)", counted(self.0.len()))
    }
}

impl std::error::Error for Mistakes {}

/// So many mistakes, in words.
pub(crate) fn counted(mistakes: usize) -> String {
    if mistakes == 1 { "1 mistake".to_owned() } else { format!("{mistakes} mistakes") }
}
