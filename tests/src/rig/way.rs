//! What lies between an agent and its collector: a relay that can be cut, a proxy, a device that opens TLS, and
//! addresses that are dead. All on loopback, one thread per connection, ended with their handle.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;

/// Most connections that a relay keeps to cut them.
const OPEN_MAX: usize = 1_024;

/// A TCP relay, as a balancer is that passes through: it reads nothing of what it carries.
#[derive(Debug)]
pub struct Relay {
    /// Where it listens.
    pub address: SocketAddr,
    shared: Arc<Shared>,
    opened: mpsc::Receiver<TcpStream>,
}

#[derive(Debug)]
struct Shared {
    ended: AtomicBool,
    refuses: AtomicBool,
    taken: AtomicUsize,
}

impl Relay {
    /// A relay on loopback to `targets`, one after the other as connections come.
    ///
    /// # Panics
    /// If loopback has no port.
    pub fn start(targets: Vec<SocketAddr>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has a port");
        let address = listener.local_addr().expect("a bound socket has an address");
        let shared = Arc::new(Shared {
            ended: AtomicBool::new(false),
            refuses: AtomicBool::new(false),
            taken: AtomicUsize::new(0),
        });
        let (open, opened) = mpsc::sync_channel(OPEN_MAX);
        let known = Arc::clone(&shared);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if known.ended.load(Ordering::Acquire) {
                    return;
                }
                if known.refuses.load(Ordering::Acquire) {
                    continue;
                }
                let nth = known.taken.fetch_add(1, Ordering::AcqRel);
                let Ok(other) = TcpStream::connect(targets[nth % targets.len()]) else { continue };
                let kept =
                    stream.try_clone().and_then(|kept| open.try_send(kept).map_err(std::io::Error::other));
                if kept.is_ok() {
                    carry(stream, other);
                }
            }
        });
        Self { address, shared, opened }
    }

    /// How many connections it took so far.
    pub fn taken(&self) -> usize {
        self.shared.taken.load(Ordering::Acquire)
    }

    /// Closes every connection, as a balancer does with idle ones; new ones are taken.
    pub fn cut(&self) {
        for stream in self.opened.try_iter() {
            let _closed_already = stream.shutdown(Shutdown::Both);
        }
    }

    /// From now on new connections are closed at once, or taken again.
    pub fn refuse(&self, refuses: Refuse) {
        self.shared.refuses.store(refuses == Refuse::Yes, Ordering::Release);
    }
}

/// Whether a relay closes new connections at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refuse {
    /// It does.
    Yes,
    /// It takes them.
    No,
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.shared.ended.store(true, Ordering::Release);
        self.cut();
        // Wakes the thread that accepts, so that it sees the end.
        let _gone_already = TcpStream::connect(self.address);
    }
}

/// Carries bytes both ways until either side ends.
fn carry(one: TcpStream, other: TcpStream) {
    let pairs = [(one.try_clone(), other.try_clone()), (other.try_clone(), one.try_clone())];
    for (from, to) in pairs {
        let (Ok(mut from), Ok(mut to)) = (from, to) else { return };
        thread::spawn(move || {
            let _either_side_ended = std::io::copy(&mut from, &mut to);
            let _closed_already = (to.shutdown(Shutdown::Write), from.shutdown(Shutdown::Read));
        });
    }
}

/// An HTTP proxy that opens tunnels, to `target` whatever it is asked for: names need no resolver then.
#[derive(Debug)]
pub struct Proxy {
    /// Where it listens.
    pub address: SocketAddr,
    asked: mpsc::Receiver<String>,
}

impl Proxy {
    /// A proxy that wants this `Proxy-Authorization`, if any.
    ///
    /// # Panics
    /// If loopback has no port.
    pub fn start(target: SocketAddr, auth: Option<&'static str>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has a port");
        let address = listener.local_addr().expect("a bound socket has an address");
        let (ask, asked) = mpsc::sync_channel(OPEN_MAX);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let ask = ask.clone();
                thread::spawn(move || {
                    let _client_may_be_gone = tunnel(stream, target, auth, &ask);
                });
            }
        });
        Self { address, asked }
    }

    /// What it was asked for so far, each the request's first line.
    pub fn asked(&self) -> Vec<String> {
        self.asked.try_iter().collect()
    }
}

fn tunnel(
    mut stream: TcpStream,
    target: SocketAddr,
    auth: Option<&str>,
    ask: &mpsc::SyncSender<String>,
) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let (mut first, mut given) = (String::new(), String::new());
    reader.read_line(&mut first)?;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        if line.trim_end().is_empty() {
            break;
        }
        if let Some(value) = line.strip_prefix("Proxy-Authorization: ") {
            value.trim_end().clone_into(&mut given);
        }
    }
    let _test_may_be_over = ask.try_send(first.trim_end().to_owned());
    if auth.is_some_and(|auth| auth != given) {
        return stream
            .write_all(b"HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic\r\n\r\n");
    }
    let other = TcpStream::connect(target)?;
    stream.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n")?;
    carry(stream, other);
    Ok(())
}

/// An address that takes no connection and refuses none: a listener whose queue is full.
#[derive(Debug)]
pub struct BlackHole {
    /// The address.
    pub address: SocketAddr,
    _listener: tokio::net::TcpListener,
    _queued: Vec<TcpStream>,
}

impl BlackHole {
    /// Fills the queue of a listener that nobody accepts from, until a further connection hangs. Within a runtime.
    ///
    /// # Panics
    /// If the queue has no end.
    pub fn new() -> Self {
        let socket = tokio::net::TcpSocket::new_v4().expect("a socket can be made");
        socket.bind(SocketAddr::from(([127, 0, 0, 1], 0))).expect("loopback has a port");
        let listener = socket.listen(0).expect("a bound socket can listen");
        let address = listener.local_addr().expect("a bound socket has an address");
        let mut queued = Vec::new();
        while let Ok(stream) = TcpStream::connect_timeout(&address, std::time::Duration::from_millis(300)) {
            queued.push(stream);
            assert!(queued.len() < 64, "the queue of a listener with a backlog of 0 has an end");
        }
        Self { address, _listener: listener, _queued: queued }
    }
}

impl Default for BlackHole {
    fn default() -> Self {
        Self::new()
    }
}

/// A device that opens TLS: it shows a certificate of its own CA for every name, and reads what comes.
#[derive(Debug)]
pub struct Interceptor {
    /// Where it listens.
    pub address: SocketAddr,
}

impl Interceptor {
    /// One whose CA has this common name; its certificates are for 127.0.0.1 and localhost.
    ///
    /// # Panics
    /// If loopback has no port.
    pub fn start(ca: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has a port");
        let address = listener.local_addr().expect("a bound socket has an address");
        let config = Arc::new(own_tls(ca));
        thread::spawn(move || {
            for mut stream in listener.incoming().map_while(Result::ok) {
                let config = Arc::clone(&config);
                thread::spawn(move || {
                    let Ok(mut tls) = rustls::ServerConnection::new(config) else { return };
                    let mut stream = rustls::Stream::new(&mut tls, &mut stream);
                    let _peer_refuses = stream.read(&mut [0; 1_024]);
                });
            }
        });
        Self { address }
    }
}

fn own_tls(ca: &str) -> rustls::ServerConfig {
    let name = |text: &str| {
        let mut name = rcgen::DistinguishedName::new();
        name.push(rcgen::DnType::CommonName, text);
        name
    };
    let mut above = rcgen::CertificateParams::default();
    above.distinguished_name = name(ca);
    above.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let issuer = rcgen::Issuer::new(above, rcgen::KeyPair::generate().expect("a key can be made"));
    let names = vec!["127.0.0.1".to_owned(), "localhost".to_owned()];
    let mut leaf = rcgen::CertificateParams::new(names).expect("the names are names");
    leaf.distinguished_name = name("intercepted");
    let key = rcgen::KeyPair::generate().expect("a key can be made");
    let leaf = leaf.signed_by(&key, &issuer).expect("a certificate can be signed").der().clone();
    let key = rustls::pki_types::PrivatePkcs8KeyDer::from(key.serialize_der());
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let builder = builder.expect("ring has the default versions").with_no_client_auth();
    let mut config = builder.with_single_cert(vec![leaf], key.into()).expect("certificate and key fit");
    config.alpn_protocols = vec![b"h2".to_vec()];
    config
}
