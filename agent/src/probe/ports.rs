//! Ports that somebody listens on, and the unit whose process that is: from the kernel's sock_diag, never from
//! `/proc/net/tcp`, which is made anew line by line and costs a host with many connections dearly.
//!
//! Only TCP sockets that listen and UDP sockets without a peer are asked for, of both families. Whose a socket is shows
//! by its inode among the descriptors of `/proc`: looked for only when a socket is new, among 4,096 processes and 65,536
//! descriptors at most. A process' unit is the first component of its control group that ends with `.service`: what a
//! user's own manager runs is that manager's. Descriptors of other users' processes need root; without it their ports
//! have no unit.

use super::process;
use crate::sorted;
use picket_agent_core::baseline::{Sight, Sighting};
use picket_proto::Name;
use picket_proto::event::ThingKind;
use rustix::net::netlink::{SOCK_DIAG, SocketAddrNetlink};
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType};
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

const PROCESSES_MAX: usize = 4_096;
const DESCRIPTORS_MAX: usize = 65_536;
/// Sockets that are taken: a host with more listeners is a port scanner's trap.
const SOCKETS_MAX: usize = 4_096;

/// nlmsghdr.
const HEAD: usize = 16;
/// inet_diag_req_v2.
const ASKED: usize = 56;
/// inet_diag_msg.
const TOLD: usize = 72;
const SOCK_DIAG_BY_FAMILY: u16 = 20;
/// NLM_F_REQUEST | NLM_F_DUMP.
const DUMP: u16 = 0x301;
const DONE: u16 = 3;
const ERROR: u16 = 2;

/// What is asked for: protocol, its number, the mask of states (listening; without a peer).
const ASKS: [(&str, u8, u32); 2] = [("tcp", 6, 1 << 10), ("udp", 17, 1 << 7)];

/// Whose the sockets are that were seen last: nothing where nobody was found.
pub(crate) type Owners = BTreeMap<u32, Option<Name>>;

/// A socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Socket {
    protocol: &'static str,
    port: u16,
    inode: u32,
}

/// Lists the ports; `root` is the control group of the systemd whose units own them. What runs below another one, such as
/// a container's on the host's network, has names of its own.
///
/// # Errors
/// The kernel has no sock_diag, or does not answer.
pub(crate) fn list(owners: &mut Owners, root: &str) -> io::Result<Vec<Sighting>> {
    listed(owners, &|process| unit_of(process, root))
}

/// The same once, with the name of the program where no unit of that systemd has the process.
///
/// # Errors
/// As [`list`].
pub(crate) fn named(root: &str) -> io::Result<Vec<Sighting>> {
    let program = |process: &Path| std::fs::read_to_string(process.join("comm")).ok()?.trim().parse().ok();
    listed(&mut Owners::new(), &|process| unit_of(process, root).or_else(|| program(process)))
}

/// Who a process is, by its folder.
type Whose<'w> = &'w dyn Fn(&Path) -> Option<Name>;

/// How many sockets the kernel tells of.
///
/// # Errors
/// As [`list`].
pub(crate) fn count() -> io::Result<usize> {
    sockets().map(|sockets| sockets.len())
}

fn sockets() -> io::Result<Vec<Socket>> {
    let mut sockets = Vec::new();
    for (protocol, number, states) in ASKS {
        for family in [libc::AF_INET, libc::AF_INET6] {
            ask((protocol, number), u8::try_from(family).unwrap_or(0), states, &mut sockets)?;
        }
    }
    Ok(sockets)
}

fn listed(owners: &mut Owners, whose: Whose<'_>) -> io::Result<Vec<Sighting>> {
    let sockets = sockets()?;
    let seen = sorted::set(sockets.iter().map(|socket| socket.inode));
    owners.retain(|inode, _| seen.contains(inode));
    let new = sorted::set(seen.into_iter().filter(|inode| !owners.contains_key(inode)));
    if !new.is_empty() {
        find(new, owners, whose);
    }
    let passing = passing_ports();
    let mut ports: BTreeMap<(&str, u16), Option<Name>> = BTreeMap::new();
    for socket in sockets {
        let owner = owners.get(&socket.inode).cloned().flatten();
        let known = ports.entry((socket.protocol, socket.port)).or_default();
        *known = known.take().or(owner);
    }
    let sighting = |((protocol, port), of): ((&str, u16), Option<Name>)| {
        let name = format!("{protocol}/{port}").parse().ok()?;
        let sight = Sight::Listens { passing: passing.contains(&port) };
        Some(Sighting { kind: ThingKind::Port, name, of, sight })
    };
    Ok(ports.into_iter().filter_map(sighting).collect())
}

/// Ports that the kernel gives to whoever asks for any.
fn passing_ports() -> RangeInclusive<u16> {
    let text = std::fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range").unwrap_or_default();
    let mut ends = text.split_ascii_whitespace().filter_map(|end| end.parse().ok());
    ends.next().unwrap_or(32_768)..=ends.next().unwrap_or(60_999)
}

fn ask(
    (protocol, number): (&'static str, u8),
    family: u8,
    states: u32,
    sockets: &mut Vec<Socket>,
) -> io::Result<()> {
    let kernel = rustix::net::socket_with(
        AddressFamily::NETLINK,
        SocketType::DGRAM,
        SocketFlags::CLOEXEC,
        Some(SOCK_DIAG),
    )?;
    let mut request = [0; HEAD + ASKED];
    request[..4].copy_from_slice(&u32::try_from(HEAD + ASKED).unwrap_or(0).to_ne_bytes());
    request[4..6].copy_from_slice(&SOCK_DIAG_BY_FAMILY.to_ne_bytes());
    request[6..8].copy_from_slice(&DUMP.to_ne_bytes());
    (request[HEAD], request[HEAD + 1]) = (family, number);
    request[HEAD + 4..HEAD + 8].copy_from_slice(&states.to_ne_bytes());
    rustix::net::sendto(&kernel, &request, SendFlags::empty(), &SocketAddrNetlink::new(0, 0))?;
    let mut answer = vec![0; 32 * 1024];
    loop {
        let (len, _) = rustix::net::recv(&kernel, answer.as_mut_slice(), RecvFlags::empty())?;
        if take(&answer[..len], protocol, sockets)? || sockets.len() >= SOCKETS_MAX {
            return Ok(());
        }
    }
}

/// Takes the messages of one datagram; whether it was the last one.
fn take(mut rest: &[u8], protocol: &'static str, sockets: &mut Vec<Socket>) -> io::Result<bool> {
    while let Some((message, after)) = split(rest) {
        rest = after;
        match u16_at(message, 4) {
            DONE => return Ok(true),
            ERROR => return Err(io::ErrorKind::Unsupported.into()),
            _ if message.len() >= HEAD + TOLD => {
                let body = &message[HEAD..];
                let port = u16::from_be_bytes([body[4], body[5]]);
                let inode = u32::from_ne_bytes([body[68], body[69], body[70], body[71]]);
                let has_peer = body[6..8] != [0, 0];
                if port > 0 && inode > 0 && !has_peer {
                    sockets.push(Socket { protocol, port, inode });
                }
            }
            _ => {}
        }
    }
    Ok(rest.is_empty() && sockets.len() >= SOCKETS_MAX)
}

/// The next message, whole, and what is behind it; messages begin at multiples of four.
fn split(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let len = usize::try_from(u32::from_ne_bytes(bytes.get(..4)?.try_into().ok()?)).ok()?;
    let message = bytes.get(..len).filter(|message| message.len() >= HEAD)?;
    Some((message, bytes.get(len.next_multiple_of(4)..).unwrap_or_default()))
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_ne_bytes([bytes[at], bytes[at + 1]])
}

/// Finds whose these sockets are; who is not found is noted as nobody.
fn find(mut wanted: BTreeSet<u32>, owners: &mut Owners, whose: Whose<'_>) {
    owners.extend(wanted.iter().map(|inode| (*inode, None)));
    let mut descriptors = 0;
    for pid in process::all().take(PROCESSES_MAX) {
        let (folder, mut unit) = (PathBuf::from(format!("/proc/{pid}")), None);
        for entry in std::fs::read_dir(folder.join("fd")).into_iter().flatten().flatten() {
            descriptors += 1;
            let Some(inode) = inode_of(&entry.path()).filter(|inode| wanted.contains(inode)) else {
                continue;
            };
            let unit = unit.get_or_insert_with(|| whose(&folder));
            if unit.is_some() {
                wanted.remove(&inode);
                owners.insert(inode, unit.clone());
            }
        }
        if wanted.is_empty() || descriptors >= DESCRIPTORS_MAX {
            return;
        }
    }
}

fn inode_of(descriptor: &Path) -> Option<u32> {
    let target = std::fs::read_link(descriptor).ok()?;
    target.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?.parse().ok()
}

fn unit_of(process: &Path, root: &str) -> Option<Name> {
    let text = std::fs::read_to_string(process.join("cgroup")).ok()?;
    text.lines().find_map(|line| unit_in(line, root))
}

/// The service in a line of `/proc/PID/cgroup`, of version 2 or of systemd's own tree.
fn unit_in(line: &str, root: &str) -> Option<Name> {
    let (_, path) = process::group_of(line)?;
    let own = path.strip_prefix(root.trim_end_matches('/')).filter(|own| own.starts_with('/'))?;
    own.split('/')
        .skip(1)
        .find(|part| !part.ends_with(".slice"))
        .filter(|part| part.ends_with(".service"))?
        .parse()
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{TcpListener, TcpStream, UdpSocket};

    #[test]
    fn what_listens_is_listed_and_what_is_connected_is_not() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let six = TcpListener::bind("[::1]:0");
        let port = listener.local_addr().unwrap().port();
        let client = TcpStream::connect(("127.0.0.1", port)).unwrap();
        let bound = UdpSocket::bind("127.0.0.1:0").unwrap();
        let mut owners = Owners::new();
        let ports = list(&mut owners, "").unwrap();
        let has = |name: String| ports.iter().any(|port| port.name.as_str() == name);
        assert!(has(format!("tcp/{port}")), "{ports:?}");
        assert!(has(format!("udp/{}", bound.local_addr().unwrap().port())));
        assert!(six.is_err() || has(format!("tcp/{}", six.unwrap().local_addr().unwrap().port())));
        assert!(!has(format!("tcp/{}", client.local_addr().unwrap().port())));
        drop(listener);
        let after = list(&mut owners, "").unwrap();
        assert!(!after.iter().any(|known| known.name.as_str() == format!("tcp/{port}")));
    }

    #[test]
    fn a_process_is_of_the_first_service_of_its_group() {
        for (line, unit) in [
            ("0::/system.slice/nginx.service", Some("nginx.service")),
            (
                "1:name=systemd:/user.slice/user-1000.slice/user@1000.service/app.slice/x.service",
                Some("user@1000.service"),
            ),
            ("0::/user.slice/user-0.slice/session-3.scope", None),
            ("8:pids:/system.slice/nginx.service", None),
            ("0::/", None),
            ("", None),
        ] {
            assert_eq!(unit_in(line, "").as_ref().map(Name::as_str), unit, "{line}");
        }
        let contained = "0::/system.slice/docker-1f.scope/system.slice/nginx.service";
        assert_eq!(unit_in(contained, ""), None, "the unit of a systemd in a container");
        let root = "/system.slice/docker-1f.scope";
        assert_eq!(unit_in(contained, root).as_ref().map(Name::as_str), Some("nginx.service"));
        assert_eq!(unit_in("0::/system.slice/docker-1fe.scope/a.service", root), None);
    }

    #[test]
    fn messages_that_are_cut_are_none() {
        let mut sockets = Vec::new();
        for len in 0..HEAD + TOLD {
            let mut bytes = vec![0; len];
            if len >= 4 {
                bytes[..4].copy_from_slice(&100u32.to_ne_bytes());
            }
            assert!(!take(&bytes, "tcp", &mut sockets).unwrap());
        }
        assert!(sockets.is_empty());
    }
}
