//! Sizes of files and functions, as a ratchet: what is too long today is listed with its number, and the number only
//! falls.
//!
//! A file's body is its lines without `#[cfg(test)] mod`s; a function is the lines from `fn` to its closing brace.
//! Functions of test modules (inline, a sibling `tests.rs` or a `tests` folder) are not measured, as in the houses that
//! the limits come from: a table of samples is long and simple. Functions of `picket-tests` are.
//!
//! The list holds one exception a line, `NUMBER PATH` or `NUMBER PATH fn NAME`; `#` begins a comment. Above the hard
//! limits nothing can be listed.

use super::tree::{File, Rust, Tree};
use super::{Finding, house};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use syn::visit::{self, Visit};

const RULE: &str = "sizes";

const HEADER: &str = "\
# Files whose body is longer than 300 lines and functions longer than 50, each with its length today. A number may
# only fall, and a line goes when its reason is gone; a new line is a decision for review. Written by
# PICKET_TIDY_WRITE=1 cargo test -p picket-tests --test tidy
";

/// What is measured: a path, and a function's name where it is one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Thing {
    path: String,
    function: Option<String>,
}

/// A length and where it begins.
#[derive(Debug, Clone, Copy)]
struct Length {
    lines: usize,
    at: usize,
}

/// Things that are longer than they may be, and lines of the list that promise more than is left.
pub fn ratchet(tree: &Tree, list: &str) -> Vec<Finding> {
    let today = measure(tree);
    let (listed, mut findings) = read(list);
    for (thing, length) in &today {
        let promised = listed.get(thing).map(|(lines, _)| *lines);
        findings.extend(judge(thing, *length, promised));
    }
    for (thing, (promised, line)) in &listed {
        let left = today.get(thing).map_or(0, |length| length.lines);
        if left <= listed_from(thing) {
            let advice = format!("remove `{promised} {}`: it is no exception any more", name(thing));
            findings.push(Finding::new(house::RATCHET, *line, RULE, advice));
        } else if left < *promised {
            let advice = format!("lower {promised} to {left} for {}", name(thing));
            findings.push(Finding::new(house::RATCHET, *line, RULE, advice));
        }
    }
    findings
}

/// The list for the tree as it is now.
pub fn write(tree: &Tree) -> String {
    let mut list = HEADER.to_owned();
    for (thing, length) in measure(tree) {
        if length.lines > listed_from(&thing) {
            writeln!(list, "{} {}", length.lines, name(&thing)).expect("a String takes any text");
        }
    }
    list
}

/// Lines of a file without its inline test modules.
pub fn body_lines(file: &File, code: &Rust) -> usize {
    (1..=file.text.lines().count()).filter(|line| !code.in_tests(*line)).count()
}

fn judge(thing: &Thing, length: Length, promised: Option<usize>) -> Option<Finding> {
    let (lines, hard) = (length.lines, hard_limit(thing));
    let allowed = promised.unwrap_or_else(|| listed_from(thing));
    let advice = if lines > hard {
        format!("{} has {lines} lines, at most {hard}: split it", name(thing))
    } else if lines > allowed {
        format!(
            "{} has {lines} lines, {allowed} are allowed: split it ({} only tightens)",
            name(thing),
            house::RATCHET
        )
    } else {
        return None;
    };
    Some(Finding::new(&thing.path, length.at, RULE, advice))
}

fn listed_from(thing: &Thing) -> usize {
    if thing.function.is_some() { house::LISTED_FN_LINES } else { house::LISTED_FILE_LINES }
}

fn hard_limit(thing: &Thing) -> usize {
    if thing.function.is_some() { house::MAX_FN_LINES } else { house::MAX_FILE_LINES }
}

fn name(thing: &Thing) -> String {
    match &thing.function {
        Some(function) => format!("{} fn {function}", thing.path),
        None => thing.path.clone(),
    }
}

fn measure(tree: &Tree) -> BTreeMap<Thing, Length> {
    let mut lengths = BTreeMap::new();
    for (file, code) in tree.rust() {
        let body = Thing { path: file.path.clone(), function: None };
        lengths.insert(body, Length { lines: body_lines(file, code), at: 1 });
        if file.is_test() && !file.path.starts_with("tests/") {
            continue;
        }
        let mut functions = Functions { path: &file.path, code, within: Vec::new(), lengths: &mut lengths };
        functions.visit_file(&code.items);
    }
    lengths
}

fn read(list: &str) -> (BTreeMap<Thing, (usize, usize)>, Vec<Finding>) {
    let (mut listed, mut findings) = (BTreeMap::new(), Vec::new());
    let lines = list.lines().enumerate().map(|(at, line)| (at + 1, line.trim()));
    for (at, line) in lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#')) {
        match read_line(line) {
            Some((thing, lines)) => {
                listed.insert(thing, (lines, at));
            }
            None => {
                let advice = "write `NUMBER PATH` or `NUMBER PATH fn NAME`".to_owned();
                findings.push(Finding::new(house::RATCHET, at, RULE, advice));
            }
        }
    }
    (listed, findings)
}

fn read_line(line: &str) -> Option<(Thing, usize)> {
    let (number, rest) = line.split_once(' ')?;
    let (path, function) = match rest.split_once(" fn ") {
        Some((path, function)) => (path, Some(function.to_owned())),
        None => (rest, None),
    };
    Some((Thing { path: path.to_owned(), function }, number.parse().ok()?))
}

/// Walks a file and notes every function with a body, named by the modules and types around it.
struct Functions<'a> {
    path: &'a str,
    code: &'a Rust,
    within: Vec<String>,
    lengths: &'a mut BTreeMap<Thing, Length>,
}

impl Functions<'_> {
    /// Of two functions with one name (two impls of one type) the longer counts.
    fn note(&mut self, sig: &syn::Signature, block: &syn::Block) {
        let at = sig.fn_token.span.start().line;
        if self.code.in_tests(at) {
            return;
        }
        let lines = block.brace_token.span.close().end().line + 1 - at;
        let parts: Vec<String> = self.within.iter().cloned().chain([sig.ident.to_string()]).collect();
        let thing = Thing { path: self.path.to_owned(), function: Some(parts.join("::")) };
        let longest = self.lengths.entry(thing).or_insert(Length { lines, at });
        if lines > longest.lines {
            *longest = Length { lines, at };
        }
    }

    fn inside(&mut self, name: String, walk: impl FnOnce(&mut Self)) {
        self.within.push(name);
        walk(self);
        self.within.pop();
    }
}

impl<'ast> Visit<'ast> for Functions<'_> {
    fn visit_item_mod(&mut self, module: &'ast syn::ItemMod) {
        self.inside(module.ident.to_string(), |this| visit::visit_item_mod(this, module));
    }

    fn visit_item_impl(&mut self, block: &'ast syn::ItemImpl) {
        let name = match block.self_ty.as_ref() {
            syn::Type::Path(path) => path.path.segments.last().map(|last| last.ident.to_string()),
            _ => None,
        };
        self.inside(name.unwrap_or_else(|| "impl".to_owned()), |this| visit::visit_item_impl(this, block));
    }

    fn visit_item_fn(&mut self, function: &'ast syn::ItemFn) {
        self.note(&function.sig, &function.block);
        self.inside(function.sig.ident.to_string(), |this| visit::visit_item_fn(this, function));
    }

    fn visit_impl_item_fn(&mut self, function: &'ast syn::ImplItemFn) {
        self.note(&function.sig, &function.block);
        self.inside(function.sig.ident.to_string(), |this| visit::visit_impl_item_fn(this, function));
    }

    fn visit_trait_item_fn(&mut self, function: &'ast syn::TraitItemFn) {
        if let Some(block) = &function.default {
            self.note(&function.sig, block);
        }
        visit::visit_trait_item_fn(self, function);
    }
}
