//! `reload`, and what `status` says of the configuration in force.

use super::socket::{Failure, LOOK_PATIENCE, Place};
use super::status::Page;
use super::table::{alarming, number, text};
use crate::config::counted;
use crate::local::VERSION;
use serde_json::{Value, json};
use std::fmt::Write;

/// `reload`: what changed, or all mistakes; errors as in [`Failure`].
pub(super) fn reload(place: &Place) -> Result<Result<Page, String>, Failure> {
    let request = json!({ "v": VERSION, "ask": "reload" });
    let whole = place.connect()?.ask(&request, Some(LOOK_PATIENCE))?;
    let mistakes: Vec<_> = whole["reload"]["mistakes"].as_array().into_iter().flatten().collect();
    if mistakes.is_empty() {
        return Ok(Ok(Page { text: format!("{}\n", text(&whole["reload"], "text")), well: true }));
    }
    let lines: Vec<_> = mistakes.iter().filter_map(|line| line.as_str()).collect();
    Ok(Err(format!(
        "{}\n{}; the configuration in force stays (config-kept)",
        lines.join("\n"),
        counted(lines.len())
    )))
}

/// The configuration, where something is to be said of it.
pub(super) fn config(config: &Value, colour: bool) -> String {
    let mut out = String::new();
    let count = usize::try_from(number(config, "mistakes")).unwrap_or(usize::MAX);
    if count > 0 {
        let line = format!(
            "config: running on the configuration of {}; the file has {}",
            text(config, "since"),
            counted(count)
        );
        out.push_str(&(alarming(&line, colour) + "\n"));
        for mistake in config["first_mistakes"].as_array().into_iter().flatten() {
            let _text_takes_all = writeln!(out, "  {}", mistake.as_str().unwrap_or_default());
        }
    }
    for skipped in config["skipped"].as_array().into_iter().flatten() {
        let _text_takes_all = writeln!(out, "config: skipped {}", skipped.as_str().unwrap_or_default());
    }
    if let Some(why) = config["not_watched"].as_str() {
        let _text_takes_all =
            writeln!(out, "config: changes are NOT seen by themselves: {why}; use `picket-agent reload`");
    }
    out
}
