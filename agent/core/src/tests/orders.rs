//! Orders of the collector: what is done, what is refused and told, and that nobody can keep the host busy.

use super::world::{World, spec};
use crate::service::{self, Act};
use crate::session::{Fact, Terms};
use crate::{Input, session};
use picket_proto::event::{Fact as Said, OrderSaid, Refusal};
use picket_proto::{Name, Ranges, Span};
use std::string::String;
use std::vec::Vec;

fn name(text: &str) -> Name {
    text.parse().unwrap()
}

/// A host with a session that gives evidence.
fn asked_of(terms: Terms) -> World {
    let mut world = World::new(1, std::vec![spec("web"), spec("db")]);
    let now = world.now().mono;
    world.agent.use_link(now, terms);
    world.agent.give_evidence(true);
    world.input(Input::Service(service::Fact::Absent { service: 0 }));
    world.input(Input::Service(service::Fact::Absent { service: 1 }));
    world.run(20_000);
    world.opened();
    world.all_sent();
    world
}

fn order(world: &mut World, token: u64, service: &str) {
    let service = name(service);
    world.input(Input::Session(Fact::Ordered { token, service: &service }));
}

fn print(world: &mut World, token: u64, text: Option<&str>) {
    world.input(Input::Service(service::Fact::Printed { service: 0, token, text }));
}

/// What was told of this order.
fn answers(world: &World, token: u64) -> Vec<OrderSaid> {
    let told = world.told.iter().filter_map(|(_, fact)| match fact {
        Said::Ordered(it) if it.token == token => Some(it.said.clone()),
        _ => None,
    });
    told.collect()
}

fn refusal(world: &World, token: u64) -> Option<Refusal> {
    match &answers(world, token)[..] {
        [OrderSaid::Refused(why)] => Some(*why),
        _ => None,
    }
}

fn reads(world: &World) -> usize {
    world.acts.iter().filter(|(_, act)| matches!(act, Act::Read { .. })).count()
}

#[test]
fn what_a_service_printed_is_told_in_parts_that_make_it_whole() {
    let mut world = asked_of(Terms::USUAL);
    order(&mut world, 7, "web");
    assert_eq!(world.acts.last().unwrap().1, Act::Read { service: 0, token: 7, of: None, lives: false });
    let text: String = (0..300).map(|line| std::format!("line {line} of its log\n")).collect();
    print(&mut world, 7, Some(&text));
    let mut whole = String::new();
    let told = answers(&world, 7);
    for (nth, said) in (1..).zip(&told) {
        let OrderSaid::Part { part, of, text } = said else { panic!("{said:?}") };
        assert_eq!((*part, usize::from(*of)), (nth, told.len()));
        whole += text.as_str();
    }
    let (head, whole) = whole.split_once('\n').unwrap();
    assert_eq!(head, "[the end of its log; nothing of it ended since the agent began:]");
    assert!(text.ends_with(whole) && whole.starts_with("line ") && whole.len() > 4_000, "{whole}");
    assert_eq!(world.sent.len(), world.told.len(), "they went as any event does");
}

/// Whoever reads the lines must know whose they are: of what died, or of what lives and fails.
#[test]
fn the_first_line_says_whose_the_others_are() {
    let mut world = asked_of(Terms::USUAL);
    let head = |world: &mut World, token: u64| {
        order(world, token, "web");
        let lives = matches!(world.acts.last(), Some((_, Act::Read { lives: true, .. })));
        print(world, token, Some("a line\n"));
        let Some(OrderSaid::Part { text, .. }) = answers(world, token).into_iter().next() else { panic!() };
        (String::from(text.as_str()), lives)
    };
    let (died, _) = world.agent.service_at(0).unwrap().process().unwrap();
    world.kill(0);
    world.run(60_000);
    assert_eq!(head(&mut world, 1), (std::format!("[pid {died}, which ended 1 min ago:]\n"), false));
    world.sims[0].sick = true;
    while world.agent.service_at(0).unwrap().is_closed() {
        world.run(1_000);
    }
    let (pid, _) = world.agent.service_at(0).unwrap().process().expect("it lives, and fails");
    assert_eq!(head(&mut world, 2), (std::format!("[pid {pid}, which runs:]\n"), true));
}

#[test]
fn a_service_that_printed_nothing_is_told_as_one_part_without_text() {
    let mut world = asked_of(Terms::USUAL);
    order(&mut world, 7, "web");
    print(&mut world, 7, Some(""));
    let empty = OrderSaid::Part { part: 1, of: 1, text: picket_proto::Lines::default() };
    assert_eq!(answers(&world, 7), [empty]);
    order(&mut world, 8, "web");
    print(&mut world, 8, None);
    assert_eq!(refusal(&world, 8), Some(Refusal::Unreadable));
}

#[test]
fn strangers_a_second_order_and_a_host_that_forbids_it_are_refused_and_read_nothing() {
    let mut world = asked_of(Terms::USUAL);
    order(&mut world, 1, "sshd");
    assert_eq!(refusal(&world, 1), Some(Refusal::Stranger));
    order(&mut world, 2, "web");
    order(&mut world, 3, "db");
    assert_eq!((refusal(&world, 3), reads(&world)), (Some(Refusal::Busy), 1));
    world.run(16_000);
    order(&mut world, 4, "db");
    assert_eq!(reads(&world), 2, "an answer that never came does not block for ever");
    let refused = world.agent.refused();
    print(&mut world, 2, Some("too late"));
    assert_eq!((answers(&world, 2).len(), world.agent.refused()), (0, refused + 1));
    let mut world = asked_of(Terms::USUAL);
    world.agent.give_evidence(false);
    order(&mut world, 1, "web");
    assert_eq!((refusal(&world, 1), reads(&world)), (Some(Refusal::Forbidden), 0));
}

#[test]
fn six_in_a_minute_are_done_and_what_is_beyond_is_told_once() {
    let mut world = asked_of(Terms::USUAL);
    for token in 1..=6 {
        order(&mut world, token, "web");
        print(&mut world, token, Some("a line\n"));
    }
    for token in 7..=1_000 {
        order(&mut world, token, "web");
    }
    let window = Span::from_secs(60);
    let budget = Refusal::Budget { allowed: 6, window, again: window };
    assert_eq!((reads(&world), refusal(&world, 7)), (6, Some(budget)));
    assert_eq!((answers(&world, 8).len(), answers(&world, 1_000).len()), (0, 0));
    world.run(20_000);
    super::session::lost(&mut world, session::Trouble::Closed);
    world.run(20_000);
    world.opened();
    let at = world.at;
    order(&mut world, 1_001, "web");
    let Some(Refusal::Budget { again, .. }) = refusal(&world, 1_001) else {
        panic!("a session knows nothing")
    };
    assert!((1..=20).contains(&again.secs()), "{again}");
    world.run(again.millis());
    assert!(world.at - at <= 20_000_000);
    order(&mut world, 1_002, "web");
    assert_eq!(reads(&world), 7);
}

/// A collector that was stolen must not eat a link's cap with refusals either.
#[test]
fn refusals_spend_the_budget_too() {
    let mut world = asked_of(Terms::USUAL);
    for token in 1..=100 {
        order(&mut world, token, "sshd");
    }
    let told = (1..=100).filter(|token| !answers(&world, *token).is_empty()).count();
    assert_eq!(told, 7, "six of strangers, and one of the budget");
}

#[test]
fn over_a_link_that_costs_money_six_a_day_are_done_and_none_above_its_cap() {
    let mut world = asked_of(Terms { report: Span::from_secs(900), cap: Some(1_000_000) });
    for token in 1..=7 {
        order(&mut world, token, "web");
        print(&mut world, token, Some("a line\n"));
        world.run(600_000);
    }
    let window = Span::from_secs(86_400);
    // The first was an hour ago.
    let budget = Refusal::Budget { allowed: 6, window, again: Span::from_secs(82_800) };
    assert_eq!((reads(&world), refusal(&world, 7)), (6, Some(budget)));
    let mut world = asked_of(Terms { report: Span::from_secs(900), cap: Some(1_000_000) });
    world.acked(&super::session::ranges(&[(1, super::session::made(&world))]));
    world.input(Input::Session(Fact::Carried { bytes: 1_000_000 }));
    order(&mut world, 1, "web");
    assert_eq!((refusal(&world, 1), reads(&world)), (Some(Refusal::OverCap), 0));
    let last = super::session::made(&world);
    assert_eq!(world.sent.last().unwrap().1, last, "whoever asked learns why");
}

#[test]
fn without_a_session_an_order_is_nobodys() {
    let mut world = asked_of(Terms::USUAL);
    super::session::lost(&mut world, session::Trouble::Closed);
    let refused = world.agent.refused();
    order(&mut world, 1, "web");
    assert_eq!((answers(&world, 1).len(), reads(&world), world.agent.refused()), (0, 0, refused + 1));
    world.welcomed(&Ranges::new());
}
