//! The outer shape of a core: pure by attribute, few words, small words, a `lib.rs` that only routes.
//!
//! The size of a word is the compiler's business: the rule only asks that the assertion stands there.

use super::tree::{File, Rust, Tree};
use super::{Finding, house};
use syn::spanned::Spanned as _;

/// The two enums that every core shows to its shell.
const WORDS: [&str; 2] = ["Input", "Effect"];

/// The assertion that a core states for `word`, here for a `'static` type; lifetimes make no difference in size.
pub fn size_assertion(word: &str) -> String {
    format!("const _: () = assert!(size_of::<{word}>() <= {});", house::MAX_WORD_BYTES)
}

/// Pure crates without the attributes that let the compiler keep them pure.
pub fn attributes(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for folder in house::PURE_FOLDERS {
        let path = format!("{folder}/src/lib.rs");
        let Some((file, code)) = tree.file(&path).and_then(|file| Some((file, file.code()?))) else {
            continue;
        };
        if code.lines_with(&["#", "!", "[", "no_std", "]"]).is_empty() {
            let advice = "open with `#![no_std]`: it is what keeps clocks and IO out";
            findings.push(Finding::new(&file.path, 1, "pure", advice.to_owned()));
        }
        if code.lines_with(&["#", "!", "[", "forbid", "(", "unsafe_code", ")", "]"]).is_empty() {
            let advice = "open with `#![forbid(unsafe_code)]`: no module below may lift it";
            findings.push(Finding::new(&file.path, 1, "pure", advice.to_owned()));
        }
    }
    findings.extend(house::WITHOUT_ALLOC.iter().flat_map(|folder| allocates(tree, folder)));
    findings
}

/// `Input` and `Effect` that are missing from a core's `lib.rs`, or have more than ten variants.
pub fn variants(tree: &Tree) -> Vec<Finding> {
    each_word(tree, |file, code, word| {
        let Some(found) = find_enum(code, word) else {
            let advice = format!("declare `pub enum {word}` here, one variant per room");
            return Some(Finding::new(&file.path, 1, "variants", advice));
        };
        let count = found.variants.len();
        let line = found.ident.span().start().line;
        (count > house::MAX_VARIANTS).then(|| {
            let advice = format!(
                "{word} has {count} variants, at most {}: a room owns its words, give the new one to a room's enum",
                house::MAX_VARIANTS
            );
            Finding::new(&file.path, line, "variants", advice)
        })
    })
}

/// `Input` and `Effect` whose size no constant asserts.
pub fn word_size_is_asserted(tree: &Tree) -> Vec<Finding> {
    each_word(tree, |file, code, word| {
        let line = find_enum(code, word)?.ident.span().start().line;
        (!is_asserted(code, word)).then(|| {
            let advice = format!("state its size where the compiler checks it: `{}`", size_assertion(word));
            Finding::new(&file.path, line, "word-size", advice)
        })
    })
}

/// A core's `lib.rs` that has grown an engine.
pub fn lib_only_routes(tree: &Tree) -> Vec<Finding> {
    let libs = house::CORES.iter().filter_map(|core| lib(tree, core.folder));
    libs.filter_map(|(file, code)| {
        let lines = super::sizes::body_lines(file, code);
        (lines > house::MAX_LIB_LINES).then(|| {
            let advice =
                format!("{lines} lines, at most {}: move all but routing to rooms", house::MAX_LIB_LINES);
            Finding::new(&file.path, 1, "lib-routes", advice)
        })
    })
    .collect()
}

fn lib<'t>(tree: &'t Tree, folder: &str) -> Option<(&'t File, &'t Rust)> {
    let file = tree.file(&format!("{folder}/src/lib.rs"))?;
    Some((file, file.code()?))
}

fn each_word(tree: &Tree, rule: impl Fn(&File, &Rust, &str) -> Option<Finding>) -> Vec<Finding> {
    let libs = house::CORES.iter().filter_map(|core| lib(tree, core.folder));
    libs.flat_map(|(file, code)| WORDS.map(|word| rule(file, code, word))).flatten().collect()
}

fn find_enum<'c>(code: &'c Rust, word: &str) -> Option<&'c syn::ItemEnum> {
    code.items.items.iter().find_map(|item| match item {
        syn::Item::Enum(found) if found.ident == word => Some(found),
        _ => None,
    })
}

/// Looks for `size_of::<Word..>() <= N`, N up to the limit, in a constant of the file that asserts.
fn is_asserted(code: &Rust, word: &str) -> bool {
    let consts = code.items.items.iter().filter_map(|item| match item {
        syn::Item::Const(item) => Some(item.span().start().line..=item.span().end().line),
        _ => None,
    });
    consts.into_iter().any(|lines| {
        let inside = code.tokens.iter().filter(|token| lines.contains(&token.line));
        let text: Vec<&str> = inside.map(|token| token.text.as_str()).collect();
        text.contains(&"assert") && bounds(&text, word).any(|bound| bound <= house::MAX_WORD_BYTES)
    })
}

/// The numbers to which these tokens hold the size of `word`, with or without its lifetime.
fn bounds<'t>(tokens: &'t [&'t str], word: &'t str) -> impl Iterator<Item = usize> + 't {
    let measured =
        tokens.windows(4).enumerate().filter(move |(_, four)| *four == ["size_of", "::", "<", word]);
    measured.filter_map(|(at, _)| {
        let rest = &tokens[at + 4..];
        let closed = rest.windows(5).take(8).find(|five| five[..4] == ["(", ")", "<", "="])?;
        closed[4].parse().ok()
    })
}

fn allocates(tree: &Tree, folder: &str) -> Vec<Finding> {
    let prefix = format!("{folder}/src/");
    let inside = tree.rust().filter(|(file, _)| file.path.starts_with(&prefix));
    inside
        .flat_map(|(file, code)| {
            let lines = code.lines_with(&["extern", "crate", "alloc"]);
            lines.into_iter().map(|line| {
                let advice = "this crate runs without an allocator: borrow storage or use a heapless view";
                Finding::new(&file.path, line, "pure", advice.to_owned())
            })
        })
        .collect()
}
