//! The way to the collector: several addresses, both families, proxies, relays that cut, devices that open TLS. A real
//! agent takes it, and where it can't, it says why by name.

use super::story::program;
use picket_rpc::v1;
use picket_tests::rig::clock::Since;
use picket_tests::rig::process::{PATIENCE, Process};
use picket_tests::rig::stack::{AgentHome, Collector};
use picket_tests::rig::way::{BlackHole, Interceptor, Proxy, Refuse, Relay};
use picket_tests::rig::{cannot_run_here, listen};
use std::io::Write;
use std::net::{SocketAddr, TcpListener};
use std::time::Duration;
use tempfile::TempDir;

pub(crate) const QUIET: &str = "[host]\nenabled = false\n";

/// A collector, and an agent `web-1` that has not been started.
pub(crate) struct Ground {
    pub(crate) folder: TempDir,
    pub(crate) collector: Collector,
    pub(crate) home: AgentHome,
}

impl Ground {
    pub(crate) async fn new(config: &str) -> Self {
        Self::on("127.0.0.1:0", config).await
    }

    async fn on(listen: &str, config: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let collector = Collector::start_on(program(), &folder.path().join("collector"), listen);
        let home =
            AgentHome::prepare(program(), &folder.path().join("agent"), "web-1", &collector, config).await;
        Self { folder, collector, home }
    }

    fn target(&self) -> SocketAddr {
        self.collector.address.parse().unwrap()
    }

    async fn host(&self) -> v1::Host {
        let asked = self.collector.operator().await.list_hosts(v1::ListHostsRequest::default()).await;
        asked.unwrap().into_inner().hosts.remove(0)
    }

    /// Asks until the host is as wanted.
    async fn host_that(&self, wanted: impl Fn(&v1::Host) -> bool) -> v1::Host {
        let since = Since::now();
        loop {
            let host = self.host().await;
            if wanted(&host) {
                return host;
            }
            assert!(since.elapsed() < PATIENCE, "{host:#?}");
        }
    }
}

/// Waits for the session; the line that tells of it.
pub(crate) fn open(agent: &mut Process) -> String {
    agent.line_with("\"link-open\"")
}

/// Purpose: a dead first address costs a fraction of a second, not a time limit, whatever kind of dead it is.
#[tokio::test]
async fn dead_addresses_in_front_do_not_keep_the_agent_from_the_one_that_lives() {
    let ground = Ground::new(QUIET).await;
    let hole = BlackHole::new();
    let refuses = listen::free_port();
    let address = &ground.collector.address;
    ground.home.reach_by(&format!("address = [\"{}\", \"{refuses}\", \"{address}\"]", hole.address));
    let since = Since::now();
    let mut agent = ground.home.start(&["--die-with-parent"]);
    let line = open(&mut agent);
    let took = since.elapsed();
    assert!(line.contains(address.as_str()), "{line}");
    // Enrolment and session: two dials, each of which would wait 8 s for the address that hangs.
    assert!(took < Duration::from_secs(8), "{took:?}");
}

/// Purpose: IPv6, in the configuration and on the wire.
#[tokio::test]
async fn an_agent_reaches_a_collector_by_ipv6() {
    if TcpListener::bind("[::1]:0").is_err() {
        cannot_run_here("ipv6", "this machine has no address ::1");
        return;
    }
    let ground = Ground::on("[::1]:0", QUIET).await;
    assert!(ground.collector.address.starts_with("[::1]:"), "{}", ground.collector.address);
    let line = open(&mut ground.home.start(&["--die-with-parent"]));
    assert!(line.contains("[::1]:"), "{line}");
}

/// Purpose: a proxy of the environment, with user and password; the name of the collector is the proxy's to resolve.
#[tokio::test]
async fn an_agent_goes_through_the_environments_proxy_with_user_and_password() {
    let ground = Ground::new(QUIET).await;
    let proxy = Proxy::start(ground.target(), Some("Basic bWU6cEBzcw=="));
    ground.home.reach_by("address = \"collector.test:7440\"\nserver_name = \"localhost\"");
    let with = |user: &str| format!("http://{user}{}", proxy.address);
    let mut agent = ground.home.start_in(&["--die-with-parent"], &[("https_proxy", &with("me:p%40ss@"))]);
    let line = open(&mut agent);
    assert!(line.contains("collector.test:7440"), "{line}");
    assert!(proxy.asked().contains(&"CONNECT collector.test:7440 HTTP/1.1".to_owned()));
    agent.end();
    let mut agent = ground.home.start_in(&["--die-with-parent"], &[("HTTPS_PROXY", &with(""))]);
    let line = agent.line_with("link-proxy-auth");
    assert!(line.contains("407"), "{line}");
    agent.end();
    let (page, status) = ground.home.ask("test-link", &[("https_proxy", &with("me:wrong@"))]);
    assert_eq!(status, Some(1), "{page}");
    assert!(page.contains("FAIL  proxy") && page.contains("proxy_password_file"), "{page}");
    assert!(!page.contains("wrong"), "no secret is shown: {page}");
}

/// Purpose: loopback is not sent through the environment's proxy, but through one that the file names.
#[tokio::test]
async fn loopback_is_proxied_only_where_the_file_says_so() {
    let ground = Ground::new(QUIET).await;
    let proxy = Proxy::start(ground.target(), None);
    let environment = [("https_proxy", &*format!("http://{}", proxy.address))];
    let mut agent = ground.home.start_in(&["--die-with-parent"], &environment);
    open(&mut agent);
    agent.end();
    assert!(proxy.asked().is_empty(), "the environment's is not for loopback");
    let address = &ground.collector.address;
    ground.home.reach_by(&format!("address = \"{address}\"\nproxy = \"http://{}\"", proxy.address));
    open(&mut ground.home.start(&["--die-with-parent"]));
    assert_eq!(proxy.asked()[0], format!("CONNECT {address} HTTP/1.1"));
}

/// Purpose: a device that opens TLS gets nothing, and is named as what it is.
#[tokio::test]
async fn a_device_that_opens_tls_is_named_and_given_nothing() {
    let ground = Ground::new(QUIET).await;
    let device = Interceptor::start("Corp TLS Inspection");
    ground.home.reach_by(&format!("address = \"{}\"", device.address));
    let mut agent = ground.home.start(&["--die-with-parent"]);
    let line = agent.line_with("link-intercepted");
    assert!(line.contains("issued by CN=Corp TLS Inspection"), "{line}");
    assert!(line.contains(&device.address.to_string()), "{line}");
    agent.end();
    // The token is not spent: without the device in between the host enrols with it.
    ground.home.reach_by(&format!("address = \"{}\"", ground.collector.address));
    open(&mut ground.home.start(&["--die-with-parent"]));
}

/// Purpose: test-link shows each step of the way, and does not disturb the agent that runs.
#[tokio::test]
async fn a_test_of_the_link_shows_each_step_beside_the_agent_that_runs() {
    let ground = Ground::new(QUIET).await;
    let (page, status) = ground.home.ask("test-link", &[]);
    assert_eq!(status, Some(1), "a session is not proven: {page}");
    assert!(page.contains("a token is there; it is not tried, since that would spend it"), "{page}");
    assert!(page.contains("session   not proven"), "{page}");
    let mut agent = ground.home.start(&["--die-with-parent"]);
    open(&mut agent);
    let (page, status) = ground.home.ask("test-link", &[]);
    assert_eq!(status, Some(0), "{page}");
    for step in ["identity", "resolve", "connect", "tls", "session"] {
        assert!(page.contains(&format!("ok    {step}")), "{page}");
    }
    assert_eq!(ground.host().await.state(), v1::HostState::Connected, "no second session came to be");
    let hello = TcpListener::bind("127.0.0.1:0").unwrap();
    let no_tls = hello.local_addr().unwrap();
    std::thread::spawn(move || {
        hello.incoming().flatten().try_for_each(|mut peer| peer.write_all(b"+HELLO\r\n"))
    });
    let nobody = listen::free_port();
    ground.home.reach_by(&format!("address = [\"{no_tls}\", \"{nobody}\"]"));
    let (page, status) = ground.home.ask("test-link", &[]);
    assert_eq!(status, Some(1), "{page}");
    assert!(page.contains("link-not-tls") && page.contains("link-refused"), "{page}");
    assert!(page.contains("next: Is it the right port?"), "{page}");
}

/// Purpose: behind a balancer that passes TCP through and closes what it likes, everything arrives, once.
#[tokio::test]
async fn behind_a_relay_that_cuts_every_event_arrives_once() {
    let ground = Ground::new(QUIET).await;
    // Two ways to the one collector, as a balancer with two backends has them.
    let relay = Relay::start(vec![ground.target(), ground.target()]);
    ground.home.reach_by(&format!("address = \"{}\"", relay.address));
    let mut agent = ground.home.start(&["--die-with-parent"]);
    open(&mut agent);
    for _ in 0..3 {
        relay.cut();
        agent.line_with("link-closed");
        open(&mut agent);
    }
    relay.refuse(Refuse::Yes);
    relay.cut();
    agent.line_with("link-closed");
    agent.line_with("link-closed");
    relay.refuse(Refuse::No);
    open(&mut agent);
    assert!(relay.taken() >= 6, "enrolment and five sessions: {}", relay.taken());
    let host = ground.host_that(|host| host.frames > 0).await;
    assert_eq!((host.state(), host.frames_lost), (v1::HostState::Connected, 0));
    let events = ground.collector.operator().await.list_events(v1::ListEventsRequest::default()).await;
    let began = events.unwrap().into_inner().events;
    assert_eq!(began.iter().filter(|event| event.code == "agent-began").count(), 1, "{began:#?}");
}

/// Purpose: an operator sees how the host fares and how its clocks lie, from the first second on.
#[tokio::test]
async fn a_heartbeat_brings_a_look_at_the_host_and_its_clocks() {
    let ground = Ground::new("[host]\ninterval = \"1s\"\n").await;
    let mut agent = ground.home.start(&["--die-with-parent"]);
    open(&mut agent);
    let full = |host: &v1::Host| {
        let sample = host.sample.unwrap_or_default();
        sample.cpu_permille.is_some() && sample.load_hundredths.is_some() && sample.memory_permille.is_some()
    };
    let host = ground.host_that(full).await;
    let sample = host.sample.unwrap();
    assert!((1..1_000).contains(&sample.memory_permille.unwrap()), "{sample:?}");
    assert!((1_000..200_000).contains(&sample.agent_rss_kib.unwrap()), "{sample:?}");
    let host = ground.host_that(|host| host.clock.is_some_and(|clock| clock.bound_us.is_some())).await;
    let clock = host.clock.unwrap();
    assert!(clock.bound_us.unwrap() < 5_000_000, "{clock:?}");
    // One machine, one clock: what is off is the measurement's own error.
    let bound_ms = i64::try_from(clock.bound_us.unwrap() / 1_000).unwrap();
    assert!(clock.wall_ahead_ms.abs() <= bound_ms + 20, "{clock:?}");
}
