//! Orders of the collector: what may be asked of this host, and how often. The host's own configuration decides.
//!
//! There is one sort: what a service printed last. Only of a service that the configuration names, unless that forbids
//! it altogether; one order at a time, and 6 in a minute. Over a link that costs money they are 6 in a day, and none above its
//! cap: 6 answers of 6 KB a day are a fifth of the usual cap of 5 MiB, so that a collector that was stolen can't eat that up, nor
//! keep a host busy. What comes of an order is told as an event that carries its number; so is a refusal, but those beyond the budget
//! only once in a session until an order is taken again: the collector remembers it. An answer that does not come from the shell blocks the next order for 15 s, and is told
//! by nobody: the collector gives up by itself.

use super::slot::{Slot, State};
use super::words::Act;
use super::{Around, Driver, ServiceIx, Services};
use crate::policy::Budget;
use crate::shelf::Place;
use crate::unit::Collect;
use core::fmt::Write;
use picket_proto::event::{self, OrderSaid, Ordered, PARTS_MAX, Refusal};
use picket_proto::lines::LINES_MAX;
use picket_proto::{Lines, Mono, Name, Span};

/// Orders that are done, and in what time: a person who looks into an incident asks for some services.
const USUAL: (u16, Span) = (6, Span::from_secs(60));
/// The same over a link that costs money.
const METERED: (u16, Span) = (6, Span::from_secs(86_400));
/// Longest line above the others, in bytes.
const HEAD_MAX: usize = 80;
/// Longer the shell's reading does not take: it gives each of its few looks 2 s.
const LONGEST: Span = Span::from_secs(15);
/// Most bytes of text that are told: a part is cut at a whole character, so that each may lack 3. The first part says whose
/// they are.
const TEXT_MAX: usize = (PARTS_MAX as usize - 1) * (LINES_MAX - 3);

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
    whose: Whose,
}

/// Whose lines are read: those of a process that lives and fails, else of the life that ended last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Whose {
    Lives(u32),
    Ended(u32, Mono),
    /// No end was seen in this run.
    Nobodys,
    /// Other programs start it, and only what those print is kept.
    Programs,
}

impl Whose {
    fn of(slot: &Slot) -> Self {
        let sick = match slot.state {
            State::Waiting { process, .. } | State::Broken { process, .. } => process,
            State::Stopping { process, .. } => Some(process),
            State::Idle
            | State::Starting { .. }
            | State::Verifying { .. }
            | State::Running { .. }
            | State::Awaiting { .. }
            | State::Left
            | State::Ended => None,
        };
        match (slot.spec.driver, sick, slot.ended) {
            (Driver::Command, _, _) => Self::Programs,
            (Driver::Spawn | Driver::Systemd, Some(process), _) => Self::Lives(process.pid),
            (Driver::Spawn | Driver::Systemd, None, Some((pid, at))) => Self::Ended(pid, at),
            (Driver::Spawn | Driver::Systemd, None, None) => Self::Nobodys,
        }
    }

    /// The line above the others.
    fn head(self, now: Mono) -> Lines {
        let mut head = heapless::String::<HEAD_MAX>::new();
        let _longest_fits = match self {
            Self::Lives(pid) => writeln!(head, "[pid {pid}, which runs:]"),
            Self::Ended(0, at) => writeln!(head, "[what ended {} ago:]", now.since(at)),
            Self::Ended(pid, at) => writeln!(head, "[pid {pid}, which ended {} ago:]", now.since(at)),
            Self::Nobodys => {
                writeln!(head, "[the end of its log; nothing of it ended since the agent began:]")
            }
            Self::Programs => writeln!(head, "[the programs that start and stop it:]"),
        };
        Lines::new(&head)
    }
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
        let whose = Whose::of(slot);
        let lives = matches!(whose, Whose::Lives(_));
        let invocation = if lives { slot.unit.seen_life() } else { slot.unit.last_life() };
        let of = (slot.spec.driver == Driver::Systemd).then_some(Collect { pid: 0, invocation });
        self.orders.done.spend(now);
        self.orders.is_told = false;
        self.orders.open = Some(Open { token, service, until: now.plus(LONGEST), whose });
        self.orders.act = Some(Act::Read { service, token, of, lives });
    }

    /// What a service printed last was read for the order `token`, or could not be. Whether it was waited for.
    pub(super) fn printed(
        &mut self,
        (token, service): (u64, ServiceIx),
        text: Option<&str>,
        mut around: Around<'_, '_>,
    ) -> bool {
        let is_open = |open: &Open| open.token == token && open.service == service;
        let Some(open) = self.orders.open.take_if(|open| is_open(open)) else { return false };
        let Some(name) = self.slots.taken(service).map(|slot| slot.spec.name.clone()) else { return false };
        let Some(text) = text.map(newest) else {
            tell(token, &name, OrderSaid::Refused(Refusal::Unreadable), around);
            return true;
        };
        if text.is_empty() {
            let nothing = OrderSaid::Part { part: 1, of: 1, text: Lines::default() };
            tell(token, &name, nothing, around);
            return true;
        }
        let of = parts(text).count() as u8 + 1;
        let head = core::iter::once(open.whose.head(around.now));
        for (part, text) in (1..).zip(head.chain(parts(text).map(Lines::new))) {
            tell(token, &name, OrderSaid::Part { part, of, text }, around.again());
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

/// The parts of a text of at most [`TEXT_MAX`] bytes: one at least, one less than [`PARTS_MAX`] at most.
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
    fn whatever_is_printed_comes_whole_in_seven_parts_at_most() {
        let lines: String = (0..2_000).map(|line| std::format!("{line} é€𝄞\n")).collect();
        for len in [0, 1, 639, 640, 641, 5_000, TEXT_MAX, 20_000, lines.len()] {
            let text = &lines[..lines.floor_char_boundary(len)];
            let end = newest(text);
            assert!(text.ends_with(end) && end.len() <= TEXT_MAX, "{len}");
            assert!(
                text.len() <= TEXT_MAX || end.len() > TEXT_MAX - 40,
                "no more is cut than must be: {len}"
            );
            assert!((1..usize::from(PARTS_MAX)).contains(&parts(end).count()), "{len}");
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
