//! A link that can be cut: passes TCP through, byte for byte, between whoever connects and one target.
//!
//! A cut ends every connection at once and every later one as it comes, as a balancer without a backend does. Two
//! threads per connection; at most 64 connections, since a test has one agent.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

const CONNECTIONS_MAX: usize = 64;

/// The relay. It goes on until the process ends.
#[derive(Debug)]
pub struct Relay {
    /// Where to connect.
    pub address: SocketAddr,
    words: Sender<Word>,
    carried: Arc<AtomicU64>,
}

#[derive(Debug)]
enum Word {
    Came(TcpStream),
    Cut(Sender<()>),
    Heal(Sender<()>),
}

impl Relay {
    /// Relays to `target`, on a free port.
    ///
    /// # Panics
    /// If loopback has no free port.
    pub fn to(target: &str) -> Self {
        Self::on("127.0.0.1:0", target)
    }

    /// The same, listening there.
    ///
    /// # Panics
    /// If that can't be listened on.
    pub fn on(listen: &str, target: &str) -> Self {
        let listener = TcpListener::bind(listen).expect("the address has a free port");
        let address = listener.local_addr().expect("a bound socket has an address");
        let (words, heard) = channel();
        let carried = Arc::new(AtomicU64::new(0));
        let (target, came, count) = (target.to_owned(), words.clone(), Arc::clone(&carried));
        thread::spawn(move || keep(&target, &heard, &count));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if came.send(Word::Came(stream)).is_err() {
                    return;
                }
            }
        });
        Self { address, words, carried }
    }

    /// Ends every connection, and those that come until [`Self::heal`].
    ///
    /// # Panics
    /// If the relay's thread is gone.
    pub fn cut(&self) {
        self.say(Word::Cut);
    }

    /// Lets connections through again.
    ///
    /// # Panics
    /// If the relay's thread is gone.
    pub fn heal(&self) {
        self.say(Word::Heal);
    }

    /// Bytes carried so far, both ways together.
    pub fn carried(&self) -> u64 {
        self.carried.load(Ordering::Acquire)
    }

    fn say(&self, word: impl FnOnce(Sender<()>) -> Word) {
        let (done, is_done) = channel();
        self.words.send(word(done)).expect("the relay lives");
        is_done.recv().expect("the relay answers");
    }
}

fn keep(target: &str, words: &Receiver<Word>, carried: &Arc<AtomicU64>) {
    let (mut open, mut pairs) = (true, Vec::new());
    for word in words {
        match word {
            Word::Came(stream) if open && pairs.len() < CONNECTIONS_MAX => {
                pairs.extend(join(stream, target, carried));
            }
            Word::Came(stream) => drop(stream),
            Word::Cut(done) => {
                open = false;
                for (near, far) in pairs.drain(..) {
                    let _gone_already = (end(&near), end(&far));
                }
                let _nobody_waits = done.send(());
            }
            Word::Heal(done) => {
                open = true;
                let _nobody_waits = done.send(());
            }
        }
        pairs.retain(|(near, _)| near.peer_addr().is_ok());
    }
}

fn end(stream: &TcpStream) -> std::io::Result<()> {
    stream.shutdown(Shutdown::Both)
}

/// Connects onwards and starts both directions; `None` where the target is not there.
fn join(near: TcpStream, target: &str, carried: &Arc<AtomicU64>) -> Option<(TcpStream, TcpStream)> {
    let far = TcpStream::connect(target).ok()?;
    // What one side sends as one packet leaves as one.
    let _works_without = (near.set_nodelay(true), far.set_nodelay(true));
    for (from, to) in [(&near, &far), (&far, &near)] {
        let (from, to, carried) = (from.try_clone().ok()?, to.try_clone().ok()?, Arc::clone(carried));
        thread::spawn(move || pass(from, to, &carried));
    }
    Some((near, far))
}

fn pass(mut from: TcpStream, mut to: TcpStream, carried: &AtomicU64) {
    let mut bytes = [0; 16 * 1024];
    while let Ok(count @ 1..) = from.read(&mut bytes) {
        carried.fetch_add(count as u64, Ordering::AcqRel);
        if to.write_all(&bytes[..count]).is_err() {
            break;
        }
    }
    let _gone_already = (end(&from), end(&to));
}
