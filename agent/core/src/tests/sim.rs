//! What the small world is made of: a simulated service, and how services and checks are usually configured.

use crate::service::files::Order;
use crate::{Agent, KEEP_MAX, check, service};
use picket_proto::Span;
use picket_proto::event::{CheckKind, Exit};
use std::string::String;
use std::vec::Vec;

pub(super) fn ms(ms: u64) -> Span {
    Span::from_millis(ms)
}

pub(super) fn spec(name: &str) -> service::Spec {
    service::Spec {
        name: name.parse().unwrap(),
        driver: service::Driver::Spawn,
        observes: false,
        needs: Default::default(),
        ladder: Default::default(),
        good: None,
        packages: None,
        reboots: None,
        stop_timeout: ms(500),
        start_timeout: ms(5_000),
        hold: ms(2_000),
        backoff_first: ms(1_000),
        backoff_max: ms(30_000),
        budget: 10,
        budget_window: Span::from_secs(600),
        same_deaths: 3,
        retry_after: Span::from_secs(60),
    }
}

pub(super) fn check_spec(name: &str, kind: CheckKind, service: u16) -> check::Spec {
    check::Spec {
        name: name.parse().unwrap(),
        kind,
        service: Some(service),
        interval: ms(1_000),
        timeout: ms(500),
        fall: 2,
        rise: 1,
        limits: None,
        full_within: Span::ZERO,
        unusual: Span::ZERO,
    }
}

/// A service that starts in `boots` ms and answers by its process and by tcp.
#[derive(Debug, Clone)]
pub(super) struct Sim {
    pub(super) alive: Option<u32>,
    pub(super) listens_at: u64,
    /// How long a start takes until it listens; `None`: it never does.
    pub(super) boots: Option<u64>,
    /// A start dies after so many ms with these last words.
    pub(super) dies: Option<(u64, Exit, String)>,
    pub(super) frozen: bool,
    pub(super) ignores_stop: bool,
    /// Readings of its tcp check are bad while this is set.
    pub(super) sick: bool,
    /// A reload ends that.
    pub(super) heals_by_reload: bool,
    /// Its files.
    pub(super) files: Files,
    /// Its packages.
    pub(super) packages: Files,
}

/// Files of a service, as numbers: what they are now, and which were kept as good.
#[derive(Debug, Clone, Default)]
pub(super) struct Files {
    pub(super) now: u64,
    pub(super) good: Option<u64>,
    /// What a rollback that is open replaced.
    pub(super) aside: Option<u64>,
    /// That rollback was cut off before its end.
    pub(super) is_half: bool,
    /// With these it dies as it starts.
    pub(super) broken: Vec<u64>,
    /// The precheck refuses these.
    pub(super) refused: Vec<u64>,
    /// So many milliseconds longer than a disk's does a rollback take.
    pub(super) slow: u64,
    /// Others are at work on them.
    pub(super) busy: bool,
    /// What a rollback replaced can't be put back.
    pub(super) stuck: bool,
    /// No order about them is answered.
    pub(super) hang: bool,
    /// The orders about them.
    pub(super) orders: Vec<Order>,
}

impl Files {
    /// A rollback that is open is undone.
    pub(super) fn undone(&mut self) {
        (self.now, self.is_half) = (self.aside.take().unwrap_or(self.now), false);
    }
}

impl Sim {
    pub(super) fn healthy() -> Self {
        Self {
            alive: None,
            listens_at: 0,
            boots: Some(30),
            dies: None,
            frozen: false,
            ignores_stop: false,
            sick: false,
            heals_by_reload: false,
            files: Files::default(),
            packages: Files::default(),
        }
    }
}

/// What an agent would have written now.
pub(super) fn kept(agent: &Agent<'_>) -> Vec<u8> {
    let mut bytes = std::vec![0; KEEP_MAX];
    let (used, left_out) = agent.keep(&mut bytes);
    assert_eq!(left_out, 0);
    bytes.truncate(used);
    bytes
}
