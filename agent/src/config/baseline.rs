//! `[baseline]`: what should be on the host is learned, and told when it vanishes.
//!
//! | key | unit, range | default |
//! |---|---|---|
//! | `enabled` | true, false | true, also without the table |
//! | `learn` | how long a thing must have been there before it should be, 1 s to 24 h | 60 s |
//! | `settle` | how long nothing may change before a loss is told, 300 ms to 10 min | 3 s |
//! | `after_packages` | how long after the package manager's work nothing is told, 0 s to 1 h | 60 s |

use super::read::{Keys, Sheet};
use picket_agent_core::baseline::Rules;
use picket_proto::Span;

/// Reads the table: its numbers, or nothing where it is switched off.
pub(super) fn read(table: Option<Keys<'_>>, sheet: &mut Sheet<'_>) -> Option<Rules> {
    let usual = Rules::default();
    let Some(mut keys) = table else { return Some(usual) };
    let enabled = keys.flag(sheet, "enabled", true);
    let (second, hour) = (Span::from_secs(1), Span::from_secs(3600));
    let learn = keys.span(sheet, "learn", &(second..=hour.times(24)), usual.learn);
    let settle = Span::from_millis(300)..=Span::from_secs(600);
    let settle = keys.span(sheet, "settle", &settle, usual.settle);
    let packages = keys.span(sheet, "after_packages", &(Span::ZERO..=hour), usual.packages);
    keys.finish(sheet);
    enabled.then_some(Rules { settle, learn, packages })
}
