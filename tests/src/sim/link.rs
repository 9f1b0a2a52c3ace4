//! An agent's end of the link: orders become messages on a stream.

use super::happening::{AgentIn, Happening};
use super::host::Shell;
use super::net::{Line, Up};
use super::words;
use super::world::World;
use picket_agent_core::session;

/// A try to connect has so long.
const TRY_LIMIT: u64 = 10_000_000;

impl<'a> World<'a> {
    pub(super) fn link(&mut self, at: usize, shell: &mut Shell<'a>, order: session::Order) {
        use session::Order;
        let now = self.hosts[at].clock.now(self.now);
        let up = match order {
            Order::Connect => return self.connect(at, shell),
            Order::Close => {
                if let Some(stream) = shell.stream.take() {
                    self.hang_up(stream, false);
                }
                return;
            }
            Order::Hello { report, known } => {
                let (hello, terms) = words::hello(&self.hosts[at], (shell.run, now), (report, known));
                Up::Hello(Box::new(hello), terms)
            }
            Order::Send { lane, bytes } => Up::Batch(words::lane(lane), shell.agent.bytes(bytes).to_vec()),
            Order::Standing { check, verdict, since, cause } => {
                let stands = (check, verdict, since, cause);
                let one = words::standing(&self.hosts[at], (shell.run, now), stands);
                Up::Standing(vec![one])
            }
            Order::StandingEnd { up, digest } => Up::StandingEnd { up: u32::from(up), digest },
            Order::Heartbeat { sample, offset } => {
                Up::Heartbeat { stamp: words::stamp(&self.hosts[at], shell.run, now), sample, offset }
            }
            Order::Answer { nonce } => Up::Answer(nonce),
            Order::Goodbye => Up::Goodbye,
        };
        let is_last = matches!(up, Up::Goodbye);
        if let Some(stream) = shell.stream {
            self.send_up(stream, up);
            let taken = self.within(20, 200);
            self.queue.put(taken, Happening::Agent(at, shell.life, AgentIn::Sent(shell.attempt, 1)));
            if is_last {
                self.hang_up(stream, true);
            }
        }
    }

    fn connect(&mut self, at: usize, shell: &mut Shell<'a>) {
        shell.attempt += 1;
        shell.opened = false;
        if let Some(old) = shell.stream.take() {
            self.hang_up(old, false);
        }
        let stream = self.net.dial(at, (shell.life, shell.attempt), self.hosts[at].collector);
        shell.stream = Some(stream);
        let Line { delay, .. } = self.net.links[at].up;
        let there = self.within(delay, delay + 1_000);
        self.queue.put(there, Happening::Dial(stream));
        let limit = self.now + TRY_LIMIT;
        self.queue.put(limit, Happening::Agent(at, shell.life, AgentIn::TooLate(shell.attempt)));
    }
}
