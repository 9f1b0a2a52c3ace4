//! A small server to watch: binds a port, answers every connection with one line, and can be told to misbehave.
//!
//! `__listen ADDR [--die-with LINE]`: with the latter it prints the line and exits 3 before it binds.

use std::ffi::OsString;
use std::io::Write;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::ExitCode;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

/// Runs the server until it is killed.
pub fn main(args: &[OsString]) -> ExitCode {
    let words: Vec<&str> = args.iter().skip(1).filter_map(|arg| arg.to_str()).collect();
    match words.as_slice() {
        [_, "--die-with", line] => {
            eprintln!("{line}");
            ExitCode::from(3)
        }
        [address] => serve(address),
        _ => ExitCode::from(64),
    }
}

fn serve(address: &str) -> ExitCode {
    let listener = match TcpListener::bind(address) {
        Ok(listener) => listener,
        Err(error) => {
            eprintln!("cannot bind {address}: {error}");
            return ExitCode::FAILURE;
        }
    };
    for stream in listener.incoming().flatten() {
        let _peer_may_be_gone = greet(stream);
    }
    ExitCode::SUCCESS
}

fn greet(mut stream: TcpStream) -> std::io::Result<()> {
    stream.set_write_timeout(Some(Duration::from_secs(1)))?;
    stream.write_all(b"+HELLO\r\n")
}

/// A port on loopback for a server that is still to start: free a moment ago, below the range from which the kernel
/// gives out ports by itself (so that no connection takes it meanwhile), and given once in this process. Processes
/// that run beside each other begin at different places.
///
/// # Panics
/// If loopback has no free port.
pub fn free_port() -> SocketAddr {
    static GIVEN: AtomicU16 = AtomicU16::new(0);
    const FIRST: u16 = 20_000;
    const PORTS: u16 = 12_000;
    let own = u16::try_from(std::process::id() * 97 % u32::from(PORTS)).expect("a remainder below 12,000");
    for _ in 0..PORTS {
        let at = (own + GIVEN.fetch_add(1, Ordering::Relaxed) % PORTS) % PORTS;
        if let Ok(probe) = TcpListener::bind(("127.0.0.1", FIRST + at)) {
            return probe.local_addr().expect("a bound socket has an address");
        }
    }
    panic!("loopback has no free port from {FIRST} on");
}

/// Spins until something accepts on `address`; true if it did within `limit`.
pub fn wait_listening(address: SocketAddr, limit: Duration) -> bool {
    let since = super::clock::Since::now();
    while since.elapsed() < limit {
        if TcpStream::connect(address).is_ok() {
            return true;
        }
        std::thread::yield_now();
    }
    false
}
