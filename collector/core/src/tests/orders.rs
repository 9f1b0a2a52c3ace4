//! Orders to hosts: recorded before they go out, put together for whoever asked, refused with a reason, given up in time.

use super::*;
use crate::order::{self, EVIDENCE, Evidence};
use picket_proto::Carried;
use picket_proto::Lines;

type Asked = Result<Box<Evidence>, &'static str>;

/// The host web-1 with a session that takes orders.
fn ready() -> (World, Agent) {
    let mut world = World::new();
    let mut agent = Agent::new("web-1", 1);
    agent.terms = Terms { orders: EVIDENCE, ..Terms::default() };
    agent.connect(&mut world);
    world.take_effects();
    (world, agent)
}

fn ask(world: &mut World, reply: u64, host: &str) {
    let (operator, host, service) = (Box::new(name("ann")), Box::new(host_id(host)), Box::new(name(SERVICE)));
    world.input(Input::Order(order::Ask { reply: Token(reply), operator, host, service }));
}

/// The answer to this question, if one came.
fn answer(world: &World, reply: u64) -> Option<Asked> {
    world.effects.iter().find_map(|effect| match effect {
        Effect::Order(answer) if answer.reply == Token(reply) => Some(answer.result.clone()),
        _ => None,
    })
}

/// The orders that went out, by their numbers.
fn sent(world: &World) -> Vec<u64> {
    let token = |effect: &Effect| match effect {
        Effect::Session(Order::Ask { token, .. }) => Some(*token),
        _ => None,
    };
    world.effects.iter().filter_map(token).collect()
}

fn part(token: u64, (part, of): (u8, u8), text: &str) -> Said {
    let said = OrderSaid::Part { part, of, text: Lines::new(text) };
    Said::Ordered(Ordered { token, service: name(SERVICE), said })
}

fn text(world: &World, reply: u64) -> String {
    answer(world, reply).expect("it is answered").expect("it is not refused").text
}

#[test]
fn an_order_goes_out_once_it_is_durable_and_its_parts_are_put_together_in_any_order() {
    let (mut world, mut agent) = ready();
    world.disk = Disk::Held;
    ask(&mut world, 1, "web-1");
    assert_eq!(sent(&world), [], "nobody may see what a crash could undo");
    world.disk = Disk::Quick;
    world.journaled();
    let token = sent(&world)[0];
    agent.say(&mut world, part(token, (3, 3), "three\n"));
    agent.say_late(&mut world, part(token, (1, 3), "one\n"));
    agent.say(&mut world, part(token + 1, (2, 3), "another order's\n"));
    assert_eq!(answer(&world, 1), None);
    agent.say(&mut world, part(token, (2, 3), "two\n"));
    assert_eq!(text(&world, 1), "one\ntwo\nthree\n");
    agent.say(&mut world, part(token, (2, 3), "two\n"));
    let answers = world.effects.iter().filter(|effect| matches!(effect, Effect::Order(_)));
    assert_eq!(answers.count(), 1, "what comes again changes nothing");
    world.restart();
}

#[test]
fn parts_that_can_not_be_are_passed_over() {
    let (mut world, mut agent) = ready();
    ask(&mut world, 1, "web-1");
    let token = sent(&world)[0];
    for which in [(0, 1), (2, 1), (1, 0), (9, 9), (255, 255)] {
        agent.say(&mut world, part(token, which, "x"));
    }
    let mut other = Agent::new("web-2", 2);
    other.terms = agent.terms;
    other.connect(&mut world);
    other.say(&mut world, part(token, (1, 1), "of another host"));
    assert_eq!(answer(&world, 1), None);
    agent.say(&mut world, part(token, (1, 1), ""));
    assert_eq!(text(&world, 1), "");
}

#[test]
fn an_incident_says_once_who_asked_and_never_what_came() {
    let (mut world, mut agent) = ready();
    agent.say(&mut world, killed(3));
    for reply in 1..=3 {
        ask(&mut world, reply, "web-1");
        let token = *sent(&world).last().unwrap();
        for nth in 1..=8 {
            agent.say(&mut world, part(token, (nth, 8), "SECRET\n"));
        }
        assert_eq!(text(&world, reply).len(), 56);
    }
    let detail = world.the_incident();
    let asked: Vec<_> = detail.timeline.iter().filter(|entry| entry.code == "evidence-asked").collect();
    assert_eq!(asked.len(), 1, "{detail:#?}");
    assert_eq!(asked[0].text, "evidence of nginx asked for by ann");
    assert!(!texts(&detail).contains("SECRET"));
    agent.say_late(&mut world, part(7, (1, 1), "SECRET\n"));
    assert!(!codes(&world.the_incident()).contains(&"evidence-part"));
    let recorded = world.journal.iter().any(|entry| {
        matches!(&entry.record, crate::Record::Ordered { operator, host, .. }
            if operator.as_str() == "ann" && host.as_str() == "web-1")
    });
    assert!(recorded, "who asked whom is in the journal");
    world.restart();
}

#[test]
fn a_host_that_refuses_is_told_by_its_code() {
    let (mut world, mut agent) = ready();
    ask(&mut world, 1, "web-1");
    let said = OrderSaid::Refused(Refusal::Forbidden);
    let token = sent(&world)[0];
    agent.say(&mut world, Said::Ordered(Ordered { token, service: name(SERVICE), said }));
    assert_eq!(answer(&world, 1), Some(Err("order-forbidden")));
}

#[test]
fn who_can_not_be_asked_is_refused_with_what_is_wrong() {
    let (mut world, agent) = ready();
    ask(&mut world, 1, "nobody");
    assert_eq!(answer(&world, 1), Some(Err("not-found")));
    let older = Agent::new("web-2", 2);
    older.connect(&mut world);
    ask(&mut world, 2, "web-2");
    assert_eq!(answer(&world, 2), Some(Err("order-unknown")), "its Hello names no orders");
    agent.close(&mut world);
    ask(&mut world, 3, "web-1");
    assert_eq!(answer(&world, 3), Some(Err("order-away")));
    assert_eq!(sent(&world), []);
    let orders = |entry: &Entry| matches!(entry.record, crate::Record::Ordered { .. });
    assert!(!world.journal.iter().any(orders), "what is refused is no order");
}

#[test]
fn a_link_that_has_carried_its_cap_is_not_asked_to_carry_more() {
    let (mut world, agent) = ready();
    let Input::Heard(mut heard) = beat(&world, &agent, None) else { panic!("a heartbeat is heard") };
    let report = heard[0].report.as_mut().unwrap();
    let carried = Some(Carried { bytes: 10, cap: 10 });
    report.sample = Some(picket_proto::Sample { carried, ..picket_proto::Sample::default() });
    world.input(Input::Heard(heard));
    ask(&mut world, 1, "web-1");
    assert_eq!(answer(&world, 1), Some(Err("order-over-cap")));
}

/// The agent says once in a session that it does none for a while.
#[test]
fn a_host_that_does_none_for_a_while_is_not_asked_until_then_or_until_its_next_session() {
    let (mut world, mut agent) = ready();
    ask(&mut world, 1, "web-1");
    let budget = Refusal::Budget { allowed: 6, window: Span::from_secs(60), again: Span::from_secs(41) };
    let refused =
        |token| Said::Ordered(Ordered { token, service: name(SERVICE), said: OrderSaid::Refused(budget) });
    let token = sent(&world)[0];
    agent.say(&mut world, refused(token));
    ask(&mut world, 2, "web-1");
    assert_eq!(
        (answer(&world, 1), answer(&world, 2)),
        (Some(Err("order-budget")), Some(Err("order-budget")))
    );
    assert_eq!(sent(&world).len(), 1, "it was not asked again");
    world.pass_heard(Span::from_secs(41), &[&agent]);
    ask(&mut world, 3, "web-1");
    let token = sent(&world)[1];
    agent.say(&mut world, refused(token));
    let mut next = Agent::new("web-1", 9);
    next.terms = agent.terms;
    agent.close(&mut world);
    next.connect(&mut world);
    ask(&mut world, 4, "web-1");
    assert_eq!((sent(&world).len(), answer(&world, 4)), (3, None));
}

#[test]
fn what_a_host_does_not_watch_is_refused_here() {
    let (mut world, _agent) = ready();
    let (operator, host, service) =
        (Box::new(name("ann")), Box::new(host_id("web-1")), Box::new(name("sshd")));
    world.input(Input::Order(order::Ask { reply: Token(1), operator, host, service }));
    assert_eq!((answer(&world, 1), sent(&world)), (Some(Err("order-stranger")), vec![]));
}

/// What a host with such a link does not tell by itself, its incident says where to find.
#[test]
fn the_cause_of_a_death_says_where_its_words_are_kept() {
    let mut world = World::new();
    let mut agent = Agent::new("web-1", 1);
    agent.terms = Terms { report: Span::from_secs(900), orders: EVIDENCE, ..Terms::default() };
    agent.connect(&mut world);
    agent.say(&mut world, killed(3));
    let cause = |world: &mut World| world.the_incident().incident.cause;
    assert!(
        cause(&mut world).ends_with("what it printed is kept on the host: `picket evidence web-1 nginx`")
    );
    agent.say(&mut world, evidence("bind failed"));
    assert!(cause(&mut world).ends_with("last printed: bind failed"), "an older agent tells it unasked");
    let (mut world, mut agent) = ready();
    agent.say(&mut world, killed(3));
    assert!(!cause(&mut world).contains("kept on the host"));
}

#[test]
fn two_at_a_host_are_open_and_each_is_given_up_after_a_minute() {
    let (mut world, mut agent) = ready();
    for reply in 1..=3 {
        ask(&mut world, reply, "web-1");
    }
    assert_eq!(answer(&world, 3), Some(Err("order-many")));
    let tokens = sent(&world);
    world.pass_heard(Span::from_secs(59), &[&agent]);
    assert_eq!(answer(&world, 1), None);
    world.pass_heard(Span::from_secs(2), &[&agent]);
    assert_eq!(
        (answer(&world, 1), answer(&world, 2)),
        (Some(Err("order-expired")), Some(Err("order-expired")))
    );
    agent.say(&mut world, part(tokens[0], (1, 1), "too late"));
    let answers = world.effects.iter().filter(|effect| matches!(effect, Effect::Order(_)));
    assert_eq!(answers.count(), 3, "it stands in the journal, and nobody waits for it");
    ask(&mut world, 4, "web-1");
    assert_eq!(sent(&world).len(), 3, "there is room again");
}

#[test]
fn a_journal_that_can_not_be_written_takes_no_order() {
    let (mut world, _agent) = ready();
    world.input(Input::Store(store::Fact::Failed { full: true }));
    ask(&mut world, 1, "web-1");
    assert_eq!(answer(&world, 1), Some(Err("store-full")));
}

/// A session that waited for another one has what its own Hello asked for.
#[test]
fn a_session_that_takes_over_takes_orders_as_its_own_hello_said() {
    let (mut world, agent) = ready();
    let mut next = Agent::new("web-1", 9);
    next.terms = Terms { orders: EVIDENCE, ..Terms::default() };
    next.open(&mut world);
    agent.close(&mut world);
    ask(&mut world, 1, "web-1");
    assert_eq!(sent(&world).len(), 1);
    let to = world.effects.iter().find_map(|effect| match effect {
        Effect::Session(Order::Ask { session, .. }) => Some(*session),
        _ => None,
    });
    assert_eq!(to, Some(next.session));
}

/// What was asked of an agent that died then keeps nobody waiting for a minute, and takes no place.
#[test]
fn an_order_whose_session_ended_is_lost_after_a_moment_unless_the_next_one_answers_it() {
    let (mut world, agent) = ready();
    ask(&mut world, 1, "web-1");
    ask(&mut world, 2, "web-1");
    let token = sent(&world)[1];
    let mut next = Agent::new("web-1", 9);
    next.terms = agent.terms;
    agent.close(&mut world);
    next.connect(&mut world);
    ask(&mut world, 3, "web-1");
    assert_eq!(sent(&world).len(), 3, "there is room at the session that stands");
    next.say_late(&mut world, part(token, (1, 1), "all the same"));
    assert_eq!(text(&world, 2), "all the same");
    world.pass_heard(Span::from_secs(16), &[&next]);
    assert_eq!((answer(&world, 1), answer(&world, 3)), (Some(Err("order-lost")), None));
}
