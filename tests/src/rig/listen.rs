//! A small server to watch: binds a port, answers every connection with one line, and can be told to misbehave.
//!
//! `__listen ADDR [--die-with LINE]`: with the latter it prints the line and exits 3 before it binds.

use std::ffi::OsString;
use std::io::Write;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::ExitCode;
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

/// A port on loopback that was free a moment ago.
///
/// # Panics
/// If loopback has no free port.
pub fn free_port() -> SocketAddr {
    let probe = TcpListener::bind("127.0.0.1:0").expect("loopback has a free port");
    probe.local_addr().expect("a bound socket has an address")
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
