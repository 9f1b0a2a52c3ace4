//! The memory of an agent, counted in things that are configured: so many checks, services, frames.
//!
//! Its sizes are the shell's choice, once; the rooms hold it for the process' life and never ask for more.

use crate::{baseline, check, service, spool};

/// Memory that the shell lends for the process' life. Nothing in here grows.
pub struct Storage<'s> {
    /// One per check, in the configuration's order; at most 65,535.
    pub checks: &'s mut [check::Slot],
    /// One per mount that is forecast, made with [`check::Trend::FREE`]; a check that finds none is not.
    pub trends: &'s mut [check::Trend],
    /// One per check that is held against its past, made with [`check::Usual::FREE`], at most [`check::USUALS`]; a check that
    /// finds none is not.
    pub usuals: &'s mut [check::Usual],
    /// One per service, in the configuration's order; at most 65,535.
    pub services: &'s mut [service::Slot],
    /// Where frames wait; at least [`spool::RING_MIN`] bytes and less than 4 GiB.
    pub ring: &'s mut [u8],
    /// One per frame that can wait, made with `Default`; one per 128 bytes of ring fits the usual mix.
    pub index: &'s mut [spool::Entry],
    /// What the baseline needs; without places there is none.
    pub baseline: baseline::Lent<'s>,
    /// What the disk needs; without parts there is none.
    pub disk: spool::Lent<'s>,
}
