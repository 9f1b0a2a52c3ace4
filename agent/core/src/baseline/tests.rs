//! A host that is listed as often as the room asks for it: what is learned, what is told when it goes, and with what.

mod changes;
mod keeping;

use super::*;
use picket_proto::Wall;
use picket_proto::event::{ChangeKind, Ended, Fact as Told, Gone, ThingKind, Vanished};
use picket_proto::{Name, Raw, Text};
use std::boxed::Box;
use std::string::{String, ToString};
use std::vec::Vec;

const UP: Sight = Sight::Unit { runs: Runs::Yes, file: File::Enabled };
const STOPPED: Sight = Sight::Unit { runs: Runs::No, file: File::Enabled };
const DISABLED: Sight = Sight::Unit { runs: Runs::No, file: File::Disabled };

fn name(text: &str) -> Name {
    text.parse().unwrap()
}

struct Host {
    baseline: Baseline<'static>,
    at: u64,
    units: Vec<Sighting>,
    ports: Vec<Sighting>,
    mounts: Vec<Sighting>,
    packages: Option<Span>,
    traces: Vec<Trace>,
    told: Vec<(u64, Told)>,
    kept: Vec<u8>,
    looks: u32,
}

impl Host {
    fn new() -> Self {
        Self::with(64, &[])
    }

    fn with(places: usize, kept: &[u8]) -> Self {
        let things = Box::leak(std::vec![Thing::default(); places].into_boxed_slice());
        let mut baseline = Baseline::new(Lent { things, rules: Rules::default(), units: true });
        if !kept.is_empty() {
            assert!(baseline.restore(Mono::default(), kept).is_some());
        }
        baseline.begin(Mono::default());
        let (units, ports, mounts) = (Vec::new(), Vec::new(), Vec::new());
        let (traces, told, kept) = (Vec::new(), Vec::new(), Vec::new());
        Self { baseline, at: 0, units, ports, mounts, packages: None, traces, told, kept, looks: 0 }
    }

    /// One that has learned a service with a port and a timer, and a mount.
    fn learned() -> Self {
        let mut host = Self::new();
        host.usual();
        host.run(130);
        host
    }

    fn usual(&mut self) {
        self.unit("web.service", UP);
        self.units[0].of = Some(name("web"));
        self.unit("web.timer", UP);
        self.port("tcp/80", "web.service");
        self.mount("/srv", Place::Lasting);
    }

    fn unit(&mut self, unit: &str, sight: Sight) {
        let kind = if unit.ends_with(".timer") { ThingKind::Timer } else { ThingKind::Service };
        match self.units.iter_mut().find(|known| known.name.as_str() == unit) {
            Some(known) => known.sight = sight,
            None => self.units.push(Sighting { kind, name: name(unit), of: None, sight }),
        }
    }

    fn port(&mut self, port: &str, of: &str) {
        let sight = Sight::Listens { passing: false };
        let of = Some(name(of));
        self.ports.push(Sighting { kind: ThingKind::Port, name: name(port), of, sight });
    }

    fn mount(&mut self, mount: &str, place: Place) {
        let sight = Sight::Mounted(place);
        self.mounts.push(Sighting { kind: ThingKind::Mount, name: name(mount), of: None, sight });
    }

    fn trace(&mut self, kind: ChangeKind, what: &str, ago: u64) {
        self.traces.push(Trace { kind, name: Text::new(what), ago: Span::from_secs(ago) });
    }

    fn now(&self) -> Now {
        let wall = Wall::from_micros(i64::try_from(self.at).unwrap());
        Now { mono: Mono::from_micros(self.at), raw: Raw::from_micros(self.at), wall }
    }

    fn hand(&mut self, fact: Fact<'_>) {
        let mut out = Facts::new();
        self.baseline.on(self.now(), fact, &mut out);
        let at = self.at / 1_000_000;
        self.told.extend(out.all().map(|fact| (at, fact)));
    }

    fn stir(&mut self) {
        self.hand(Fact::Stirred);
    }

    /// Lets so many seconds pass.
    fn run(&mut self, secs: u64) {
        let until = self.at + secs * 1_000_000;
        loop {
            self.baseline.due(Mono::from_micros(self.at));
            while let Some(order) = self.baseline.next_order(Mono::from_micros(self.at)) {
                self.obey(order);
            }
            let (due, _) = self.baseline.deadline();
            if due.micros() > until {
                self.at = until;
                return;
            }
            self.at = self.at.max(due.micros());
        }
    }

    fn obey(&mut self, order: Order) {
        match order {
            Order::Look { units } => {
                self.looks += 1;
                if units {
                    let units = self.units.clone();
                    self.hand(Fact::Seen { source: Source::Units, things: &units });
                }
                let (ports, mounts) = (self.ports.clone(), self.mounts.clone());
                self.hand(Fact::Seen { source: Source::Ports, things: &ports });
                self.hand(Fact::Seen { source: Source::Mounts, things: &mounts });
                let packages = self.packages;
                self.hand(Fact::Looked { packages });
            }
            Order::Trace => {
                let traces = self.traces.clone();
                self.hand(Fact::Traced(&traces));
            }
            Order::Keep => {
                let mut bytes = std::vec![0; crate::KEEP_MAX];
                let (used, left_out) = self.baseline.keep(Mono::from_micros(self.at), &mut bytes);
                assert_eq!(left_out, 0);
                bytes.truncate(used);
                self.kept = bytes;
            }
        }
    }

    fn names(&self) -> Vec<&str> {
        let learned = self.baseline.things().filter(|thing| thing.since.is_some());
        learned.filter_map(|thing| thing.name.as_ref()).map(Name::as_str).collect()
    }

    fn vanished(&self) -> Vec<(u64, &Vanished)> {
        self.told
            .iter()
            .filter_map(|(at, fact)| match fact {
                Told::Vanished(it) => Some((*at, it)),
                _ => None,
            })
            .collect()
    }

    fn said(&self) -> Vec<String> {
        self.told.iter().map(|(_, fact)| fact.to_string()).collect()
    }
}

#[test]
fn what_was_there_for_a_minute_is_learned_and_what_comes_and_goes_is_not() {
    let mut host = Host::new();
    host.usual();
    host.unit("job.service", Sight::Unit { runs: Runs::No, file: File::Enabled });
    host.unit("dbus.service", Sight::Unit { runs: Runs::Yes, file: File::Disabled });
    host.unit("old.service", Sight::Unit { runs: Runs::Yes, file: File::Generated });
    host.port("tcp/9000", "dbus.service");
    host.mount("/media/stick", Place::Passing);
    host.ports.push(Sighting { sight: Sight::Listens { passing: true }, ..host.ports[0].clone() });
    host.ports[2].name = name("tcp/40000");
    host.run(30);
    assert_eq!(host.names(), [""; 0], "not yet");
    host.unit("brief.service", UP);
    host.stir();
    host.run(20);
    host.units.retain(|unit| unit.name.as_str() != "brief.service");
    host.stir();
    host.run(130);
    assert_eq!(host.names(), ["web.service", "web.timer", "old.service", "tcp/80", "/srv"]);
    assert!(host.told.is_empty(), "{:?}", host.said());
}

#[test]
fn each_way_to_go_is_told_once_the_state_has_settled() {
    type Act = fn(&mut Host);
    let ways: [(Act, Gone, &str); 4] = [
        (|host| host.units.retain(|unit| unit.kind == ThingKind::Timer), Gone::NoFile, "web.service"),
        (|host| host.unit("web.service", DISABLED), Gone::Disabled, "web.service"),
        (
            |host| host.unit("web.service", Sight::Unit { runs: Runs::Yes, file: File::Masked }),
            Gone::Masked,
            "web.service",
        ),
        (|host| host.mounts.clear(), Gone::Unmounted, "/srv"),
    ];
    for (act, gone, what) in ways {
        let mut host = Host::learned();
        act(&mut host);
        host.stir();
        host.run(5);
        let told = host.vanished();
        let [(at, it)] = told.as_slice() else { panic!("{gone:?}: {:?}", host.said()) };
        assert!(*at <= 135, "{gone:?}: within 5 s, not after {at}");
        assert_eq!((it.things[0].gone, it.things[0].name.as_str()), (gone, what));
        assert_eq!(it.change, None);
        host.run(600);
        assert_eq!(host.told.len(), 1, "once: {:?}", host.said());
    }
}

#[test]
fn what_goes_by_one_act_is_one_loss_and_comes_back_as_one() {
    let mut host = Host::learned();
    let before = (host.units.clone(), host.ports.clone());
    host.units.clear();
    host.ports.clear();
    host.trace(ChangeKind::Removed, "web 1.0", 1);
    host.trace(ChangeKind::UnitFile, "/lib/systemd/system/web.service", 0);
    host.stir();
    host.run(6);
    assert_eq!(
        host.said(),
        [
            "vanished: web.service (its unit has no file any more), web.timer (its unit has no file any more), \
          port tcp/80 of web.service (nobody listens); just before, package web 1.0 was removed"
        ]
    );
    assert_eq!(host.vanished()[0].1.service, Some(name("web")));
    (host.units, host.ports) = before;
    host.units.retain(|unit| unit.kind == ThingKind::Service);
    host.stir();
    host.run(10);
    assert_eq!(host.told.len(), 1, "part of it is still gone");
    host.unit("web.timer", UP);
    host.stir();
    host.run(10);
    let Some((_, Told::Returned(it))) = host.told.last() else { panic!("{:?}", host.said()) };
    assert_eq!((it.number, it.ended, it.name.as_str()), (1, Ended::Back, "web.service"));
    assert!(host.baseline.losses().is_empty());
}

#[test]
fn a_stop_or_a_death_is_no_loss_nor_is_its_port() {
    let mut host = Host::learned();
    host.unit("web.service", STOPPED);
    host.ports.clear();
    host.stir();
    host.run(3600);
    assert!(host.told.is_empty(), "{:?}", host.said());
    assert!(host.looks < 200, "an hour of rest, not {} looks", host.looks);
}

#[test]
fn a_timer_that_is_only_stopped_is_a_loss_after_15_minutes() {
    let mut host = Host::learned();
    host.unit("web.timer", STOPPED);
    host.stir();
    host.run(14 * 60);
    assert!(host.told.is_empty(), "{:?}", host.said());
    host.run(3 * 60);
    assert_eq!(host.vanished().len(), 1);
    assert_eq!(host.vanished()[0].1.things[0].gone, Gone::Idle);
}

#[test]
fn a_port_whose_unit_runs_has_30_seconds_to_come_back() {
    let mut host = Host::learned();
    let ports = core::mem::take(&mut host.ports);
    host.stir();
    host.run(25);
    host.ports = ports;
    host.run(120);
    assert!(host.told.is_empty(), "a slow start: {:?}", host.said());
    host.ports.clear();
    host.stir();
    host.run(40);
    let said = "vanished: port tcp/80 of web.service (nobody listens, though its unit runs); unattributed: nothing is \
                known to have changed before";
    assert_eq!(host.said(), [said]);
}
