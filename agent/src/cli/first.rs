//! What a start goes by: the file, or where it has mistakes the last one that had none.
//!
//! A host that is not watched after a boot, since somebody saved half a sentence, is worse than one that is watched by
//! yesterday's file and says so. Without a state folder, without a kept configuration of this very file, or with
//! `--strict`, mistakes refuse the start.

use crate::config::{self, Mistakes};
use crate::good;
use crate::plan::{self, Given, Kept, Plan};
use std::path::Path;
use std::sync::Arc;

/// The plan of a start.
///
/// # Errors
/// The file's mistakes, where nothing else can be gone by.
pub(super) fn plan(file: &Path, given: &Given, strict: bool) -> Result<Plan, Mistakes> {
    let (loaded, texts) = config::load_with_texts(file);
    let mistakes = match loaded.and_then(|config| plan::settle(config, given)) {
        Ok(plan) => return Ok(plan),
        Err(mistakes) => mistakes,
    };
    let kept = if strict { None } else { last_good(file, given) };
    let Some((since, plan)) = kept else { return Err(mistakes) };
    Ok(Plan { kept: Some(Kept { since, mistakes, texts: Arc::new(texts) }), ..plan })
}

fn last_good(file: &Path, given: &Given) -> Option<(picket_proto::Wall, Plan)> {
    let state = given.state.clone().or_else(|| config::state_of(file))?;
    let (since, texts) = good::load(&state, file)?;
    let plan = config::parse_texts(file, texts).and_then(|config| plan::settle(config, given)).ok()?;
    Some((since, plan))
}
