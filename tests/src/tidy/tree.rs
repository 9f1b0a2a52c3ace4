//! A source tree in memory: every text file that a person wrote, and for Rust its tokens and its items.
//!
//! Rules about code read tokens, not text: a word in a string, a comment or a doc is not code, and a path inside a
//! macro is. Build output, hidden folders (but `.ci`) and files that are not text are left out.

use super::Finding;
use proc_macro2::{Delimiter, TokenStream, TokenTree};
use std::ops::RangeInclusive;
use std::path::Path;
use std::{fs, io};
use syn::spanned::Spanned;

/// What a person wrote under one root.
pub struct Tree {
    /// Every text file, sorted by path.
    pub files: Vec<File>,
}

/// One text file.
pub struct File {
    /// Relative to the root, with forward slashes.
    pub path: String,
    /// Its whole text.
    pub text: String,
    /// Its code, or why it could not be read; `None` for what is not Rust.
    pub rust: Option<Result<Rust, Unreadable>>,
}

/// A Rust file's code.
pub struct Rust {
    /// Items, for rules about shape.
    pub items: syn::File,
    /// Tokens in order, groups flattened, literals other than numbers emptied.
    pub tokens: Vec<Token>,
    /// The lines of each `#[cfg(test)] mod`.
    pub tests: Vec<RangeInclusive<usize>>,
}

/// A word or a sign of code and its line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// The word; `::` is one sign, every other sign stands alone.
    pub text: String,
    /// From 1.
    pub line: usize,
}

/// A file that is not Rust although it is called so.
#[derive(Debug)]
pub struct Unreadable {
    /// Where the parser gave up.
    pub line: usize,
    /// What it said.
    pub message: String,
}

/// Endings of files that people write.
const TEXT: &[&str] =
    &["rs", "toml", "md", "proto", "sh", "py", "txt", "html", "css", "js", "service", "conf", "yml", "json"];

impl Tree {
    /// Reads the tree under `root`.
    ///
    /// # Errors
    /// When a folder or a file cannot be read; text that is not UTF-8 counts as unreadable.
    pub fn read(root: &Path) -> io::Result<Self> {
        let mut files = Vec::new();
        walk(root, "", &mut files)?;
        files.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(Self { files })
    }

    /// The file at `path`, relative to the root.
    pub fn file(&self, path: &str) -> Option<&File> {
        self.files.iter().find(|file| file.path == path)
    }

    /// Every Rust file that could be read.
    pub fn rust(&self) -> impl Iterator<Item = (&File, &Rust)> {
        self.files.iter().filter_map(|file| Some((file, file.code()?)))
    }
}

impl File {
    /// Its code, where it is Rust and could be read.
    pub fn code(&self) -> Option<&Rust> {
        self.rust.as_ref()?.as_ref().ok()
    }

    /// Whether the whole file is test code: a crate's `tests` folder, `picket-tests`, or a sibling `tests.rs`.
    pub fn is_test(&self) -> bool {
        self.path.starts_with("tests/") || self.path.contains("/tests/") || self.path.ends_with("/tests.rs")
    }
}

impl Rust {
    /// Reads code from text.
    ///
    /// # Errors
    /// When it is not a Rust file.
    pub fn parse(text: &str) -> Result<Self, Unreadable> {
        let items = syn::parse_file(text).map_err(|error| unreadable(&error))?;
        let stream: TokenStream = text.parse().map_err(|error| unreadable(&syn::Error::from(error)))?;
        let mut tokens = Vec::new();
        flatten(stream, &mut tokens);
        let tests = items.items.iter().filter_map(test_module).collect();
        Ok(Self { items, tokens, tests })
    }

    /// Whether `line` lies in a `#[cfg(test)] mod`.
    pub fn in_tests(&self, line: usize) -> bool {
        self.tests.iter().any(|range| range.contains(&line))
    }

    /// The lines at which `words` stand next to each other.
    pub fn lines_with(&self, words: &[&str]) -> Vec<usize> {
        let hits = self.tokens.windows(words.len());
        hits.filter(|hit| hit.iter().zip(words).all(|(token, word)| token.text == *word))
            .map(|hit| hit[0].line)
            .collect()
    }

    /// Every path that begins with one of `heads`, with `use` groups written out: `a::{b, c::D}` is two paths.
    pub fn paths(&self, heads: &[&str]) -> Vec<(usize, Vec<String>)> {
        let mut found = Vec::new();
        for (at, token) in self.tokens.iter().enumerate() {
            let begins = at == 0 || self.tokens[at - 1].text != "::";
            if begins && heads.contains(&token.text.as_str()) {
                expand(&self.tokens, at, &mut Vec::new(), &mut found);
            }
        }
        found
    }
}

/// Files that are called `.rs` and are not Rust: every other rule is blind on them.
pub fn parses(tree: &Tree) -> Vec<Finding> {
    let broken = tree.files.iter().filter_map(|file| Some((file, file.rust.as_ref()?.as_ref().err()?)));
    broken
        .map(|(file, error)| {
            Finding::new(&file.path, error.line, "parses", format!("fix it: {}", error.message))
        })
        .collect()
}

fn walk(folder: &Path, prefix: &str, files: &mut Vec<File>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = if prefix.is_empty() { name.clone() } else { format!("{prefix}/{name}") };
        if entry.file_type()?.is_dir() {
            let skipped = name.starts_with("target") || (name.starts_with('.') && name != ".ci");
            if !skipped {
                walk(&entry.path(), &path, files)?;
            }
        } else if is_text(&path) {
            let text = fs::read_to_string(entry.path())?;
            let rust = path.ends_with(".rs").then(|| Rust::parse(&text));
            files.push(File { path, text, rust });
        }
    }
    Ok(())
}

fn is_text(path: &str) -> bool {
    path.starts_with(".ci/") || path.rsplit_once('.').is_some_and(|(_, ending)| TEXT.contains(&ending))
}

fn unreadable(error: &syn::Error) -> Unreadable {
    Unreadable { line: error.span().start().line.max(1), message: error.to_string() }
}

fn test_module(item: &syn::Item) -> Option<RangeInclusive<usize>> {
    let syn::Item::Mod(module) = item else { return None };
    let is_test = |attr: &syn::Attribute| {
        attr.path().is_ident("cfg") && attr.parse_args::<syn::Ident>().is_ok_and(|ident| ident == "test")
    };
    module.attrs.iter().any(is_test).then(|| item.span().start().line..=item.span().end().line)
}

fn flatten(stream: TokenStream, tokens: &mut Vec<Token>) {
    for tree in stream {
        let line = tree.span().start().line;
        match tree {
            TokenTree::Group(group) => {
                let (open, close) = signs(group.delimiter());
                tokens.push(Token { text: open.to_owned(), line });
                flatten(group.stream(), tokens);
                tokens.push(Token { text: close.to_owned(), line: group.span_close().start().line });
            }
            TokenTree::Ident(ident) => tokens.push(Token { text: ident.to_string(), line }),
            TokenTree::Punct(punct) => push_sign(punct.as_char(), line, tokens),
            TokenTree::Literal(literal) => {
                let text = literal.to_string();
                let is_number = text.starts_with(|c: char| c.is_ascii_digit());
                tokens.push(Token { text: if is_number { text } else { "\"\"".to_owned() }, line });
            }
        }
    }
}

fn signs(delimiter: Delimiter) -> (&'static str, &'static str) {
    match delimiter {
        Delimiter::Parenthesis => ("(", ")"),
        Delimiter::Brace => ("{", "}"),
        Delimiter::Bracket => ("[", "]"),
        Delimiter::None => ("", ""),
    }
}

fn push_sign(sign: char, line: usize, tokens: &mut Vec<Token>) {
    match tokens.last_mut() {
        Some(last) if sign == ':' && last.text == ":" => last.text.push(':'),
        _ => tokens.push(Token { text: sign.to_string(), line }),
    }
}

/// Follows the path at `at` and returns the index behind it; `stem` is what was read before a group.
fn expand(
    tokens: &[Token],
    at: usize,
    stem: &mut Vec<String>,
    found: &mut Vec<(usize, Vec<String>)>,
) -> usize {
    let text = |at: usize| tokens.get(at).map_or("", |token| token.text.as_str());
    let depth = stem.len();
    let (line, mut at) = (tokens[at].line, at);
    loop {
        if text(at) == "{" {
            at += 1;
            while !matches!(text(at), "}" | "") {
                at = match text(at) {
                    "," => at + 1,
                    "as" => at + 2,
                    _ => expand(tokens, at, stem, found),
                };
            }
            at += 1;
            break;
        }
        stem.push(text(at).to_owned());
        at += 1;
        if text(at) != "::" {
            found.push((line, stem.clone()));
            break;
        }
        at += 1;
    }
    stem.truncate(depth);
    at
}
