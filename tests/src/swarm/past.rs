//! What a host lives through while no collector can be reached: days in seconds, by the real core.
//!
//! The core is handed every moment at which something is due, with the clocks of that moment, so the backlog is what an
//! agent tells in that time and not a number of frames that somebody thought of. The host is a sick one, on the
//! expensive side of real: a service of its two dies every five minutes and is healed, and its processor is busy for
//! ten minutes of every hour.

use super::agent::{Body, UPTIME};
use picket_agent::entry;
use picket_agent_core::Input;
use picket_proto::{Mono, Now, Raw, Span, Wall};

/// Between two deaths.
const DEATH_EVERY: Span = Span::from_secs(5 * 60);
/// Of which so much the processor is busy.
const HOUR: Span = Span::from_secs(3600);
const BUSY: Span = Span::from_secs(600);
/// Moments after which other agents of the thread have a turn.
const TURN: u32 = 4096;

/// So much time without a collector.
#[derive(Debug, Clone, Copy)]
pub(super) struct Past {
    /// How long.
    pub(super) span: Span,
    /// Where in it the troubles lie, so that not all hosts have them at once.
    pub(super) phase: Span,
}

impl Past {
    /// Lives through it, up to the moment before a try to connect.
    pub(super) async fn live_through(self, body: &mut Body<'_>) {
        let present = entry::now();
        let begin = Mono::from_micros(present.mono.plus(UPTIME).micros().saturating_sub(self.span.micros()));
        let at = |mono: Mono| moment(present, begin, self.span, mono);
        let end = begin.plus(self.span);
        body.live_in(at(begin));
        body.begin();
        let (mut death, mut turns) = (begin.plus(self.phase), 0_u32);
        loop {
            let due = body.due().min(death);
            if due >= end && body.is_about_to_connect() {
                break;
            }
            body.live_in(at(due));
            body.machine.busy(due.since(begin).micros() % HOUR.micros() < BUSY.micros());
            if due == death {
                body.machine.kill(u16::from(death.micros() / DEATH_EVERY.micros() % 2 == 1));
                death = death.plus(DEATH_EVERY);
            } else {
                body.hand(Input::Time);
            }
            body.settle();
            turns += 1;
            if turns.is_multiple_of(TURN) {
                tokio::task::yield_now().await;
            }
        }
        body.tell();
    }
}

/// The clocks of a host at `mono`, of a past of `span` that began at `begin` and ends now.
fn moment(present: Now, begin: Mono, span: Span, mono: Mono) -> Now {
    let into = i64::try_from(mono.since(begin).micros()).unwrap_or(i64::MAX);
    let span = i64::try_from(span.micros()).unwrap_or(i64::MAX);
    let wall = Wall::from_micros(present.wall.micros().saturating_sub(span).saturating_add(into));
    Now { mono, raw: Raw::from_micros(mono.micros()), wall }
}
