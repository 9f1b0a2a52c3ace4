//! What listens on this machine right now, as a configuration that only observes.
//!
//! TCP sockets in state LISTEN, from /proc/net/tcp and tcp6, one check per port, at most [`PORTS_MAX`]; a socket on
//! all addresses is asked on loopback. A check is named by the process that holds the socket, where this user may
//! read that, and by the port. What starts to listen later is not seen: a real configuration names what matters.

use crate::failure::Failure;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};

/// Most ports watched: the page that tells about them stays on one screen.
const PORTS_MAX: usize = 20;
/// The state LISTEN in /proc/net/tcp.
const LISTEN: &str = "0A";

/// A listening socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Socket {
    address: SocketAddr,
    inode: u64,
}

/// How many ports listen, and how many of them are watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ports {
    pub(crate) listening: usize,
    pub(crate) watched: usize,
}

/// Writes `picket.toml` into the folder.
pub(crate) fn write_config(folder: &Path) -> Result<(PathBuf, Ports), Failure> {
    let sockets = by_port();
    let holders = holders();
    let file = folder.join("picket.toml");
    fs::write(&file, config(&sockets, &holders))
        .map_err(|error| Failure::failed(format!("cannot write {}: {error}", file.display()), ""))?;
    Ok((file, Ports { listening: sockets.len(), watched: sockets.len().min(PORTS_MAX) }))
}

fn config(sockets: &BTreeMap<u16, Socket>, holders: &BTreeMap<u64, String>) -> String {
    let mut text =
        "# Made by `picket up`: this host's levels, and every TCP port that listened then, observed only.\n"
            .to_owned();
    for (port, socket) in sockets.iter().take(PORTS_MAX) {
        let holder = holders.get(&socket.inode).map_or("port", String::as_str);
        let _infallible = write!(
            text,
            "\n[[check]]\nkind = \"tcp\"\nname = \"{holder}:{port}\"\naddress = \"{}\"\ninterval = \"10s\"\n",
            socket.address
        );
    }
    text
}

/// The listening sockets, one per port: IPv4 before IPv6, in the kernel's order.
fn by_port() -> BTreeMap<u16, Socket> {
    let mut sockets = BTreeMap::new();
    for file in ["/proc/net/tcp", "/proc/net/tcp6"] {
        for socket in fs::read_to_string(file).unwrap_or_default().lines().filter_map(parse) {
            sockets.entry(socket.address.port()).or_insert(socket);
        }
    }
    sockets
}

/// A line of /proc/net/tcp or tcp6, if it is a listening socket.
fn parse(line: &str) -> Option<Socket> {
    let fields: Vec<&str> = line.split_whitespace().collect();
    if *fields.get(3)? != LISTEN {
        return None;
    }
    let (ip, port) = fields.get(1)?.split_once(':')?;
    let words = (0..ip.len() / 8)
        .map(|nth| u32::from_str_radix(ip.get(nth * 8..nth * 8 + 8)?, 16).ok())
        .collect::<Option<Vec<u32>>>()?;
    let ip = match *words.as_slice() {
        [word] => IpAddr::V4(Ipv4Addr::from(word.to_ne_bytes())),
        [a, b, c, d] => {
            let mut bytes = [0; 16];
            for (at, word) in [a, b, c, d].into_iter().enumerate() {
                bytes[at * 4..at * 4 + 4].copy_from_slice(&word.to_ne_bytes());
            }
            Ipv6Addr::from(bytes).to_canonical()
        }
        _ => return None,
    };
    let address = SocketAddr::new(reachable(ip), u16::from_str_radix(port, 16).ok()?);
    Some(Socket { address, inode: fields.get(9)?.parse().ok()? })
}

/// Where to ask a socket that listens on `ip`.
fn reachable(ip: IpAddr) -> IpAddr {
    match ip {
        IpAddr::V4(every) if every.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(every) if every.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        one => one,
    }
}

/// The names of the processes whose sockets this user may see, by the socket's inode.
fn holders() -> BTreeMap<u64, String> {
    let mut holders = BTreeMap::new();
    for process in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Ok(comm) = fs::read_to_string(process.path().join("comm")) else { continue };
        let name: String =
            comm.trim().chars().filter(|c| c.is_ascii_alphanumeric() || "._-".contains(*c)).collect();
        for open in fs::read_dir(process.path().join("fd")).into_iter().flatten().flatten() {
            let Ok(target) = fs::read_link(open.path()) else { continue };
            let inode = target
                .to_str()
                .and_then(|text| text.strip_prefix("socket:[")?.strip_suffix(']')?.parse().ok());
            if let Some(inode) = inode.filter(|_| !name.is_empty()) {
                holders.entry(inode).or_insert_with(|| name.clone());
            }
        }
    }
    holders
}

#[cfg(test)]
mod tests {
    use super::*;

    const V4: &str =
        "   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 4242 1 0";
    const V6: &str = "   1: 00000000000000000000000000000000:0016 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 77 1 0";

    #[test]
    #[cfg(target_endian = "little")]
    fn listening_sockets_are_read_as_the_kernel_writes_them() {
        assert_eq!(parse(V4), Some(Socket { address: "127.0.0.1:8080".parse().unwrap(), inode: 4242 }));
        assert_eq!(parse(V6), Some(Socket { address: "[::1]:22".parse().unwrap(), inode: 77 }));
        assert_eq!(parse(&V4.replace(" 0A ", " 01 ")), None);
        assert_eq!(parse("  sl  local_address rem_address   st tx_queue"), None);
    }

    #[test]
    fn a_port_that_listens_now_is_found_with_its_holder() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let socket = by_port()[&address.port()];
        assert_eq!(socket.address, address);
        assert!(holders().contains_key(&socket.inode));
    }

    #[test]
    fn the_configuration_is_one_that_the_agent_takes() {
        let folder = tempfile::tempdir().unwrap();
        let _listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let (file, ports) = write_config(folder.path()).unwrap();
        let config = picket_agent::config::load(&file).unwrap();
        let tcp = config
            .checks()
            .iter()
            .filter(|check| check.kind() == picket_proto::event::CheckKind::Tcp)
            .count();
        assert!(tcp >= 1 && tcp == ports.watched && ports.watched <= PORTS_MAX);
    }
}
