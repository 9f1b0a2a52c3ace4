//! Orders of the collector: what may be asked of this host, and how often. The host's own configuration decides.
//!
//! There is one sort: what a service printed last. Only of a service that the configuration names, unless that forbids
//! it altogether; one order at a time, and 6 in a minute. Over a link that costs money they are 6 in a day, and none above its
//! cap: 6 answers of 6 KB a day are a fifth of the usual cap of 5 MiB, so that a collector that was stolen can't eat that up, nor
//! keep a host busy. What comes of an order is told as an event that carries its number; so is a refusal, but those beyond the budget
//! only once in a session until an order is taken again: the collector remembers it. An answer that does not come from the shell blocks the next order for 15 s, and is told
//! by nobody: the collector gives up by itself.

use super::words::Act;
use super::{Around, Driver, ServiceIx, Services};
use crate::policy::Budget;
use crate::shelf::Place;
use crate::unit::Collect;
use picket_proto::event::{self, OrderSaid, Ordered, PARTS_MAX, Refusal};
use picket_proto::lines::LINES_MAX;
use picket_proto::{Lines, Mono, Name, Span};

/// Orders that are done, and in what time: a person who looks into an incident asks for some services.
const USUAL: (u16, Span) = (6, Span::from_secs(60));
/// The same over a link that costs money.
const METERED: (u16, Span) = (6, Span::from_secs(86_400));
/// Longer the shell's reading does not take: it gives each of its few looks 2 s.
const LONGEST: Span = Span::from_secs(15);
/// Most bytes of text that are told: a part is cut at a whole character, so that each may lack 3.
const TEXT_MAX: usize = PARTS_MAX as usize * (LINES_MAX - 3);

/// What the link allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Thrift {
    /// It costs money.
    pub(crate) is_metered: bool,
    /// It has carried its cap.
    pub(crate) is_over: bool,
}

/// The order that the shell is at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Open {
    token: u64,
    service: ServiceIx,
    until: Mono,
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Orders {
    is_allowed: bool,
    /// What a service printed before it failed is not told unasked: the link costs money.
    pub(super) keeps_words: bool,
    open: Option<Open>,
    act: Option<Act>,
    done: Budget,
    /// That the budget is used up was told.
    is_told: bool,
}

impl Orders {
    /// The next thing to do.
    pub(super) fn next_act(&mut self) -> Option<Act> {
        self.act.take()
    }

    fn refusal(&self, now: Mono, link: Thrift) -> Option<Refusal> {
        let (allowed, window) = if link.is_metered { METERED } else { USUAL };
        if !self.done.allows(now, allowed, window) {
            let again = self.done.again(now, allowed, window);
            return Some(Refusal::Budget { allowed, window, again });
        }
        if !self.is_allowed {
            return Some(Refusal::Forbidden);
        }
        if link.is_over {
            return Some(Refusal::OverCap);
        }
        self.open.filter(|open| now < open.until).map(|_| Refusal::Busy)
    }
}

impl Services<'_> {
    /// Whether what services print is given when it is asked for.
    pub(crate) fn allow_orders(&mut self, is_allowed: bool) {
        self.orders.is_allowed = is_allowed;
    }

    /// A session begins: who is at its other end knows nothing of what was refused before.
    pub(crate) fn is_greeted(&mut self) {
        self.orders.is_told = false;
    }

    /// Last words of what fails stay on the host until they are asked for.
    pub(crate) fn keep_words(&mut self, here: bool) {
        self.orders.keeps_words = here;
    }

    /// An order came.
    pub(crate) fn ordered(&mut self, (token, name): (u64, &Name), link: Thrift, around: Around<'_, '_>) {
        let refusal = self.orders.refusal(around.now, link);
        let found = self.slots.iter().position(|slot| slot.place == Place::Taken && slot.spec.name == *name);
        let found = found.and_then(|at| ServiceIx::try_from(at).ok());
        let why = match (refusal, found) {
            (Some(why @ Refusal::Budget { .. }), _) => {
                if core::mem::replace(&mut self.orders.is_told, true) {
                    self.refused = self.refused.saturating_add(1);
                    return;
                }
                why
            }
            (Some(why), _) => self.counted(around.now, why),
            (None, None) => self.counted(around.now, Refusal::Stranger),
            (None, Some(service)) => return self.take_order(around.now, token, service),
        };
        tell(token, name, OrderSaid::Refused(why), around);
    }

    /// Whoever is refused has asked as well: the budget is for both.
    fn counted(&mut self, now: Mono, why: Refusal) -> Refusal {
        self.orders.done.spend(now);
        self.orders.is_told = false;
        why
    }

    fn take_order(&mut self, now: Mono, token: u64, service: ServiceIx) {
        let Some(slot) = self.slots.taken(service) else { return };
        let of = (slot.spec.driver == Driver::Systemd)
            .then(|| Collect { pid: 0, invocation: slot.unit.last_life() });
        self.orders.done.spend(now);
        self.orders.is_told = false;
        self.orders.open = Some(Open { token, service, until: now.plus(LONGEST) });
        self.orders.act = Some(Act::Read { service, token, of });
    }

    /// What a service printed last was read for the order `token`, or could not be. Whether it was waited for.
    pub(super) fn printed(
        &mut self,
        (token, service): (u64, ServiceIx),
        text: Option<&str>,
        mut around: Around<'_, '_>,
    ) -> bool {
        let is_open = |open: &Open| open.token == token && open.service == service;
        if self.orders.open.take_if(|open| is_open(open)).is_none() {
            return false;
        }
        let Some(name) = self.slots.taken(service).map(|slot| slot.spec.name.clone()) else { return false };
        let Some(text) = text.map(newest) else {
            tell(token, &name, OrderSaid::Refused(Refusal::Unreadable), around);
            return true;
        };
        let of = parts(text).count() as u8;
        for (part, text) in (1..).zip(parts(text)) {
            let said = OrderSaid::Part { part, of, text: Lines::new(text) };
            tell(token, &name, said, around.again());
        }
        true
    }
}

fn tell(token: u64, service: &Name, said: OrderSaid, around: Around<'_, '_>) {
    around.out.tell(event::Fact::Ordered(Ordered { token, service: service.clone(), said }));
}

/// The end of the text, as much as is told, from a whole line on.
fn newest(text: &str) -> &str {
    let cut = text.len().saturating_sub(TEXT_MAX);
    if cut == 0 {
        return text;
    }
    let end = &text[text.ceil_char_boundary(cut)..];
    end.split_once('\n').map_or(end, |(_, whole)| whole)
}

/// The parts of a text of at most [`TEXT_MAX`] bytes: one at least, [`PARTS_MAX`] at most.
fn parts(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(text);
    core::iter::from_fn(move || {
        let (part, after) = rest?.split_at(rest?.floor_char_boundary(LINES_MAX));
        rest = (!after.is_empty()).then_some(after);
        Some(part)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::String;

    #[test]
    fn whatever_is_printed_comes_whole_in_eight_parts_at_most() {
        let lines: String = (0..2_000).map(|line| std::format!("{line} é€𝄞\n")).collect();
        for len in [0, 1, 639, 640, 641, 5_000, TEXT_MAX, 20_000, lines.len()] {
            let text = &lines[..lines.floor_char_boundary(len)];
            let end = newest(text);
            assert!(text.ends_with(end) && end.len() <= TEXT_MAX, "{len}");
            assert!(
                text.len() <= TEXT_MAX || end.len() > TEXT_MAX - 40,
                "no more is cut than must be: {len}"
            );
            assert!((1..=usize::from(PARTS_MAX)).contains(&parts(end).count()), "{len}");
            assert!(parts(end).all(|part| Lines::new(part).as_str() == part), "{len}");
            assert_eq!(parts(end).collect::<String>(), end);
        }
    }

    #[test]
    fn one_line_without_an_end_is_cut_all_the_same() {
        let line = "x".repeat(9_000);
        assert_eq!(newest(&line).len(), TEXT_MAX);
    }
}
