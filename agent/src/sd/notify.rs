//! What the agent tells the init system that started it: sd_notify(3), by one datagram each.
//!
//! Where `NOTIFY_SOCKET` is not set, nobody is told. The watchdog is fed by the loop that does the work, at half of
//! `WATCHDOG_USEC`, never by a task of its own: a loop that hangs is restarted. Sending never waits: a full socket
//! drops the word, and the next one follows.

use picket_agent_core::Agent;
use picket_agent_core::session::Phase;
use picket_proto::event::Verdict;
use picket_proto::{Mono, Span};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};

/// Between two lines of status that differ: systemd keeps the last one only.
const STATUS_EVERY: Span = Span::from_secs(2);

/// The init system's ear.
#[derive(Debug)]
pub(crate) struct Notify {
    socket: Option<(UnixDatagram, SocketAddr)>,
    /// How often the watchdog is fed, if there is one.
    every: Option<Span>,
    next: Mono,
    ready: bool,
    reloads: bool,
    status: String,
    status_at: Mono,
}

impl Notify {
    /// As the environment says.
    pub(crate) fn from_env() -> Self {
        let name = std::env::var_os("NOTIFY_SOCKET").unwrap_or_default();
        let socket = address(name.as_bytes()).and_then(|address| {
            let socket = UnixDatagram::unbound().ok()?;
            socket.set_nonblocking(true).ok()?;
            Some((socket, address))
        });
        let own = |pid: String| pid.parse() == Ok(std::process::id());
        let is_own = std::env::var("WATCHDOG_PID").map_or(true, own);
        let limit = std::env::var("WATCHDOG_USEC").ok().and_then(|limit| limit.parse::<u64>().ok());
        let every = limit.filter(|limit| *limit > 0 && is_own).map(|limit| Span::from_micros(limit / 2));
        let every = every.filter(|_| socket.is_some());
        let (next, status_at) = (Mono::default(), Mono::default());
        Self { socket, every, next, ready: false, reloads: false, status: String::new(), status_at }
    }

    /// More time for a start that has much to read, e.g. a long spool.
    pub(crate) fn extend(&self, by: Span) {
        self.say(&format!("EXTEND_TIMEOUT_USEC={}", by.micros()));
    }

    /// A turn of the loop: feeds the watchdog if that is due.
    pub(crate) fn turn(&mut self, now: Mono) {
        if let Some(every) = self.every.filter(|_| self.next <= now) {
            self.next = now.plus(every);
            self.say("WATCHDOG=1");
        }
    }

    /// When the loop must turn at the latest.
    pub(crate) fn due(&self) -> Option<Mono> {
        self.every.map(|_| self.next)
    }

    /// Everything was looked at once. Told once.
    pub(crate) fn ready(&mut self) {
        if !std::mem::replace(&mut self.ready, true) {
            self.say("READY=1");
        }
    }

    /// The configuration is read again; `monotonic` is CLOCK_MONOTONIC now, in microseconds.
    pub(crate) fn reloading(&mut self, monotonic: u64) {
        if self.ready && !std::mem::replace(&mut self.reloads, true) {
            self.say(&format!("RELOADING=1\nMONOTONIC_USEC={monotonic}"));
        }
    }

    /// It was read.
    pub(crate) fn reloaded(&mut self) {
        if std::mem::take(&mut self.reloads) {
            self.say("READY=1");
        }
    }

    /// Whether a line of status would be told now.
    pub(crate) fn wants_status(&self, now: Mono) -> bool {
        self.socket.is_some() && self.status_at <= now
    }

    /// Where everything stands, in one line.
    pub(crate) fn status(&mut self, now: Mono, status: String) {
        self.status_at = now.plus(STATUS_EVERY);
        if status != self.status {
            self.say(&format!("STATUS={status}"));
            self.status = status;
        }
    }

    /// It ends.
    pub(crate) fn stopping(&self) {
        self.say("STOPPING=1");
    }

    fn say(&self, words: &str) {
        if let Some((socket, address)) = &self.socket {
            let _the_next_word_follows = socket.send_to_addr(words.as_bytes(), address);
        }
    }
}

/// Where everything stands: checks, frames that wait, the link.
pub(crate) fn status(agent: &Agent<'_>) -> String {
    let checks = (0..agent.checks_end()).filter_map(|at| agent.check_at(at));
    let (mut up, mut down, mut other) = (0, 0, 0);
    for check in checks {
        match check.verdict() {
            Verdict::Up => up += 1,
            Verdict::Down => down += 1,
            Verdict::Unknown | Verdict::Degraded | Verdict::Flapping => other += 1,
        }
    }
    let link = match agent.link() {
        Phase::Open { .. } => "link open",
        Phase::Resting { .. } | Phase::Connecting | Phase::Greeting => "link down",
    };
    let waits = agent.spool_view().frames;
    format!("checks: {up} up, {down} down, {other} other; {waits} events wait; {link}")
}

/// `@name` is a name in the abstract space, `/path` one in the file system; anything else is nobody's.
fn address(name: &[u8]) -> Option<SocketAddr> {
    match name.split_first()? {
        (b'@', rest) => SocketAddr::from_abstract_name(rest).ok(),
        (b'/', _) => SocketAddr::from_pathname(std::ffi::OsStr::from_bytes(name)).ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_kinds_of_sockets_are_addresses_and_others_are_not() {
        assert!(address(b"/run/systemd/notify").is_some_and(|address| address.as_pathname().is_some()));
        let abstract_one = address(b"@/org/freedesktop/systemd1/notify/1").unwrap();
        assert_eq!(abstract_one.as_abstract_name(), Some(b"/org/freedesktop/systemd1/notify/1".as_slice()));
        assert!(address(b"").is_none() && address(b"vsock:2:1").is_none());
    }

    #[test]
    fn a_loop_that_turns_feeds_the_watchdog_at_half_its_time_and_says_ready_once() {
        let name = format!("picket-notify-{}", std::process::id());
        let ear = UnixDatagram::bind_addr(&SocketAddr::from_abstract_name(&name).unwrap()).unwrap();
        ear.set_nonblocking(true).unwrap();
        let own = UnixDatagram::unbound().unwrap();
        let mut notify = Notify {
            socket: Some((own, SocketAddr::from_abstract_name(&name).unwrap())),
            every: Some(Span::from_secs(15)),
            next: Mono::default(),
            ready: false,
            reloads: false,
            status: String::new(),
            status_at: Mono::default(),
        };
        let heard = || {
            let mut bytes = [0; 100];
            let mut words = Vec::new();
            while let Ok(len) = ear.recv(&mut bytes) {
                words.push(String::from_utf8(bytes[..len].to_vec()).unwrap());
            }
            words
        };
        let start = Mono::from_micros(1_000_000);
        notify.turn(start);
        notify.turn(start.plus(Span::from_secs(14)));
        assert_eq!(
            (heard(), notify.due()),
            (vec!["WATCHDOG=1".to_owned()], Some(start.plus(Span::from_secs(15))))
        );
        notify.turn(start.plus(Span::from_secs(15)));
        notify.ready();
        notify.ready();
        assert_eq!(heard(), ["WATCHDOG=1", "READY=1"]);
        notify.reloaded();
        notify.reloading(7);
        notify.reloading(8);
        notify.reloaded();
        assert_eq!(heard(), ["RELOADING=1\nMONOTONIC_USEC=7", "READY=1"]);
        notify.status(start, "1 up".to_owned());
        notify.status(start.plus(Span::from_secs(2)), "1 up".to_owned());
        assert_eq!(heard(), ["STATUS=1 up"]);
    }
}
