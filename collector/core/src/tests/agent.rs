//! Agents that speak to the collector.

use super::*;

/// An agent, with one service `nginx` (checks `nginx:process`, `nginx:http`) and one check without a service.
pub(crate) struct Agent {
    pub(crate) host: HostId,
    pub(crate) run: Run,
    pub(crate) seq: u64,
    pub(crate) session: SessionId,
    /// What it asks of its next session.
    pub(crate) terms: Terms,
}

pub(crate) const SERVICE: &str = "nginx";

impl Agent {
    pub(crate) fn new(host: &str, number: u64) -> Self {
        let (run, session) = (Run(1_000 + number), SessionId(number));
        Self { host: host_id(host), run, seq: 0, session, terms: Terms::default() }
    }

    pub(crate) fn stamp(&self, world: &World) -> Stamp {
        Stamp { run: self.run, boot: BootId(70), mono: world.now.mono, wall: world.now.wall, synced: true }
    }

    pub(crate) fn hello(&self, world: &World) -> Hello {
        let watched = |check: &str, kind, service: Option<&str>| Watched {
            check: name(check),
            kind,
            service: service.map(name),
        };
        Hello {
            stamp: self.stamp(world),
            version: "0.1.0".to_string(),
            watched: vec![
                watched("nginx:process", CheckKind::Process, Some(SERVICE)),
                watched("nginx:http", CheckKind::Http, Some(SERVICE)),
                watched("redis:tcp", CheckKind::Tcp, Some("redis")),
                watched("space:/", CheckKind::Space, None),
            ],
        }
    }

    pub(crate) fn open(&self, world: &mut World) {
        let mut hello = Box::new(self.hello(world));
        if self.terms.watched.is_some() {
            hello.watched.clear();
        }
        let (session, host, terms) = (self.session, self.host.clone(), self.terms);
        world.input(Input::Session(Fact::Opened { session, host, hello, terms }));
    }

    /// Opens a session and says that everything is up.
    pub(crate) fn connect(&self, world: &mut World) {
        self.open(world);
        self.stands(world, &[]);
    }

    pub(crate) fn stands(&self, world: &mut World, down: &[(&str, CheckKind, Option<&str>)]) {
        let since = self.stamp(world);
        let standing = |(check, kind, service): &(&str, CheckKind, Option<&str>)| Standing {
            check: name(check),
            kind: *kind,
            service: service.map(name),
            verdict: Verdict::Down,
            since,
        };
        let checks: Vec<Stands> = down.iter().map(standing).map(Stands::from).collect();
        if !checks.is_empty() {
            world.input(Input::Session(Fact::Standing { session: self.session, checks }));
        }
        let is_down = |watched: &Watched| down.iter().any(|(check, ..)| *check == watched.check.as_str());
        let (mut up, mut digest) = (0, frame::Crc32c::new());
        for watched in self.hello(world).watched.iter().filter(|watched| !is_down(watched)) {
            up += 1;
            digest.add(watched.check.as_str().as_bytes());
            digest.add(&[0]);
        }
        let digest = digest.value();
        world.input(Input::Session(Fact::StandingEnd { session: self.session, up, digest }));
    }

    pub(crate) fn frame(&mut self, world: &World, said: Said) -> Vec<u8> {
        self.seq += 1;
        self.frame_at(world, self.seq, said)
    }

    pub(crate) fn frame_at(&self, world: &World, seq: u64, said: Said) -> Vec<u8> {
        framed(seq, self.stamp(world), said)
    }

    /// Its next frame, by clocks of its own.
    pub(crate) fn frame_by(&mut self, stamp: Stamp, said: Said) -> Vec<u8> {
        self.seq += 1;
        framed(self.seq, stamp, said)
    }

    pub(crate) fn batch(&self, world: &mut World, lane: Lane, frames: Vec<u8>) {
        world.input(Input::Session(Fact::Batch { session: self.session, lane, frames }));
    }

    pub(crate) fn say(&mut self, world: &mut World, said: Said) {
        let frames = self.frame(world, said);
        self.batch(world, Lane::Live, frames);
    }

    pub(crate) fn say_late(&mut self, world: &mut World, said: Said) {
        let frames = self.frame(world, said);
        self.batch(world, Lane::Backlog, frames);
    }

    pub(crate) fn close(&self, world: &mut World) {
        world.input(Input::Session(Fact::Closed { session: self.session, how: Close::Broken }));
    }

    /// The service is killed, restarted and proven.
    pub(crate) fn killed_and_healed(&mut self, world: &mut World, pid: u32) {
        for said in [process(Verdict::Down), killed(pid), restart(1), started(pid + 1), process(Verdict::Up)]
        {
            self.say(world, said);
        }
        world.pass_heard(Span::from_secs(5), &[&*self]);
        self.say(world, held());
    }
}

/// The host web-1 with its session.
pub(crate) fn connected() -> (World, Agent) {
    let mut world = World::new();
    let agent = Agent::new("web-1", 1);
    agent.connect(&mut world);
    (world, agent)
}

/// One frame with these clocks.
fn framed(seq: u64, stamp: Stamp, said: Said) -> Vec<u8> {
    let mut out = vec![0; frame::FRAME_MAX];
    let len = frame::encode(Seq(seq), &Event { stamp, fact: said }, &mut out).unwrap();
    out.truncate(len);
    out
}
