//! `test-link`: tries the way to the collector step by step and shows what each came to, with the next step where
//! one failed. Status 0 says that one address works all the way, the session too; a host that is not enrolled yet gets
//! no further than TLS, which proves less: 1. It works beside a running agent and without one, reads the same file, and spends no token.

use crate::config;
use crate::link::{Peer, Step, Taken, diagnose};
use crate::plan::{self, Given};
use std::fmt::Write;

/// Tries every address of the file's collector: the page, and whether one of them was reached all the way.
///
/// # Errors
/// The file's mistakes.
pub(super) fn page(file: &std::path::Path, given: &Given) -> Result<(String, bool), config::Mistakes> {
    let peer = Peer::of(&plan::settle(config::load(file)?, given)?);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let Ok(runtime) = runtime else { return Ok(("the runtime can't be made\n".to_owned(), false)) };
    let tried = runtime.block_on(diagnose(&peer));
    let well = tried.iter().any(|(_, steps)| works(steps) && is_proven(steps));
    Ok((render(&tried), well))
}

/// Whether every step that was taken came to something.
pub(super) fn works(steps: &[Taken]) -> bool {
    steps.iter().all(|taken| taken.outcome.is_ok())
}

/// Whether the trial came as far as the session.
fn is_proven(steps: &[Taken]) -> bool {
    steps.iter().any(|taken| taken.step == Step::Session)
}

fn render(tried: &[(String, Vec<Taken>)]) -> String {
    let mut page = String::new();
    for (address, steps) in tried {
        page.push_str(&self::steps(address, steps));
        if works(steps) && !is_proven(steps) {
            page.push_str("  ?     session   not proven: this host is not enrolled yet\n        next: start the agent, which enrols by its token; then test again\n");
        }
    }
    page
}

/// The steps at one address, a line for each.
pub(super) fn steps(address: &str, taken: &[Taken]) -> String {
    let mut page = format!("{address}\n");
    for taken in taken {
        let (step, ms) = (taken.step.to_string(), taken.took.millis());
        let _text_takes_all = match &taken.outcome {
            Ok(words) => writeln!(page, "  ok    {step:<9} {ms:>5} ms  {words}"),
            Err(why) => writeln!(
                page,
                "  FAIL  {step:<9} {ms:>5} ms  {}: {}\n        next: {}",
                why.code,
                why.detail,
                why.next()
            ),
        };
    }
    page
}
