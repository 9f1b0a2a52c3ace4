//! What is kept of a service that is only observed.

use super::Record;
use crate::policy::{KeptBudget, KeptDeaths};

/// What would have been done is no remedy that counts against a next run, which may heal.
pub(super) fn without_shadows(of: Record) -> Record {
    let (deaths, budget) = (KeptDeaths::none(), KeptBudget::default());
    Record { tries: 0, attempt: 0, openings: 0, deaths, budget, ..of }
}
