//! `explain` and `schema`: what counts in a configuration and where it was written, and what may be written at all.
//! Reads files, asks no agent.

use super::status::Page;
use crate::config::schema::{self, Whole};
use crate::config::{self, Mistakes};
use std::fmt::Write;
use std::path::Path;

/// `explain`: the whole, or what `name` means.
///
/// # Errors
/// The file's mistakes.
pub(super) fn page(file: &Path, name: Option<&str>) -> Result<Page, Mistakes> {
    let config = config::load(file)?;
    let mut text = String::new();
    for part in config.explained().into_iter().filter(|part| name.is_none_or(|name| part.is(name))) {
        let _text_takes_all = writeln!(text, "{}", part.what);
        let skipped = config.skipped().iter().filter(|skipped| skipped.what == part.what);
        for skipped in skipped {
            let (file, line) = (skipped.file.display(), skipped.line);
            let _text_takes_all = writeln!(text, "  SKIPPED on this host ({file}:{line}): {}", skipped.why);
        }
        for row in part.rows {
            let line = format!("  {} = {}", row.key, row.value);
            let _text_takes_all = writeln!(text, "{line:<48}  # {}", row.from);
        }
    }
    let well = !text.is_empty();
    if let (false, Some(name)) = (well, name) {
        let _text_takes_all =
            writeln!(text, "there is no service, check or table `{name}` in {}", file.display());
    }
    Ok(Page { text, well })
}

/// `schema`.
pub(super) fn schema(drop_in: bool, page: bool) -> Page {
    let whole = if drop_in { Whole::DropIn } else { Whole::File };
    Page { text: if page { schema::page() } else { schema::json(whole) }, well: true }
}
