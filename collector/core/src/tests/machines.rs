//! Hosts of one image: named to each other while both are here.

use super::*;
use alloc::format;

/// An agent that says this of the machine below it and is welcomed.
fn on_machine(world: &mut World, host: &str, number: u64, machine: u64) -> Agent {
    let mut agent = Agent::new(host, number);
    agent.terms = Terms { machine, ..Terms::default() };
    agent.open(world);
    agent
}

fn same(world: &mut World) -> Vec<Vec<String>> {
    let asked = world.ask(Question::Hosts { after: None, limit: 100 });
    let Answer::Hosts(hosts, _) = asked else { panic!("hosts are asked for") };
    hosts.into_iter().map(|host| host.same_machine.iter().map(ToString::to_string).collect()).collect()
}

#[test]
fn copies_of_one_image_are_named_while_they_are_connected() {
    let mut world = World::new();
    let first = on_machine(&mut world, "a", 1, 7);
    let _own = on_machine(&mut world, "b", 2, 8);
    let _silent = [on_machine(&mut world, "c", 3, 0), on_machine(&mut world, "d", 4, 0)];
    assert_eq!(same(&mut world), vec![Vec::<String>::new(); 4]);
    let _copy = on_machine(&mut world, "e", 5, 7);
    assert_eq!(same(&mut world), [vec!["e"], vec![], vec![], vec![], vec!["a"]]);
    first.close(&mut world);
    assert_eq!(same(&mut world), vec![Vec::<String>::new(); 5], "who is away is not named");
}

#[test]
fn of_many_copies_eight_are_named() {
    let mut world = World::new();
    let _all: Vec<Agent> = (10..30).map(|at| on_machine(&mut world, &format!("h-{at}"), at, 9)).collect();
    assert!(same(&mut world).iter().all(|others| others.len() == 8));
}
