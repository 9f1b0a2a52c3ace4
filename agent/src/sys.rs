//! What no safe crate offers: whether the wall clock is synchronised, how a process ended that is not our child, a
//! descriptor in tokio's poll, what a TCP connection carried, and what a child does between fork and exec. The only unsafe code of the agent; nothing
//! else belongs here.
#![expect(unsafe_code, reason = "calls without a safe wrapper; each block says why it is sound")]

use crate::program::Guest;
use rustix::fd::{AsFd, AsRawFd, OwnedFd};
use std::io;
use std::os::unix::process::CommandExt;
use std::process::Command;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// Whether the kernel says that CLOCK_REALTIME is synchronised. False where it can't be asked.
pub(crate) fn clock_is_synced() -> bool {
    // SAFETY: all zero is a valid timex; with modes 0 the kernel only fills it in and changes nothing.
    let (state, timex) = unsafe {
        let mut timex: libc::timex = std::mem::zeroed();
        (libc::adjtimex(&raw mut timex), timex)
    };
    state >= 0 && state != libc::TIME_ERROR && timex.status & libc::STA_UNSYNC == 0
}

/// The kernel's `struct pidfd_info`, first version: 64 bytes.
#[repr(C)]
#[derive(Default)]
struct PidfdInfo {
    mask: u64,
    cgroup: u64,
    ids: [u32; 11],
    exit_code: i32,
}

const _: () = assert!(size_of::<PidfdInfo>() == 64);

const PIDFD_INFO_EXIT: u64 = 1 << 3;
/// `_IOWR(0xFF, 11, struct pidfd_info)` in the encoding that all but MIPS, PowerPC and SPARC use.
const PIDFD_GET_INFO: u64 = 3 << 30 | 64 << 16 | 0xFF << 8 | 11;

/// The wait status of an ended process that may be another's child. `None` before Linux 6.15, and while its parent
/// has not reaped it.
pub(crate) fn exit_status(pidfd: impl AsFd) -> Option<i32> {
    let mut info = PidfdInfo { mask: PIDFD_INFO_EXIT, ..PidfdInfo::default() };
    // SAFETY: the request carries the size of the struct, and the kernel writes at most that much into it.
    let answer = unsafe { libc::ioctl(pidfd.as_fd().as_raw_fd(), PIDFD_GET_INFO as _, &raw mut info) };
    (answer == 0 && info.mask & PIDFD_INFO_EXIT != 0).then_some(info.exit_code)
}

/// The kernel's `struct tcp_info` up to `tcpi_bytes_sent` (Linux 4.19), in words of 4 bytes.
const TCP_INFO_WORDS: usize = 52;

/// What a TCP connection carried so far: bytes sent, again and received, and packets both ways. `None` where the kernel
/// tells less.
pub(crate) fn tcp_traffic(socket: impl AsFd) -> Option<(u64, u64)> {
    let mut info = [0_u32; TCP_INFO_WORDS];
    let mut len = size_of_val(&info) as libc::socklen_t;
    // SAFETY: the kernel writes at most `len` bytes into `info`, for which any bits are valid, and says how many.
    let answer = unsafe {
        let fd = socket.as_fd().as_raw_fd();
        libc::getsockopt(fd, libc::IPPROTO_TCP, libc::TCP_INFO, (&raw mut info).cast(), &raw mut len)
    };
    if answer != 0 || (len as usize) < size_of_val(&info) {
        return None;
    }
    let long = |at: usize| {
        let [low, high] = [info[at], info[at + 1]].map(u32::to_ne_bytes);
        let mut bytes = [0; 8];
        bytes[..4].copy_from_slice(&low);
        bytes[4..].copy_from_slice(&high);
        u64::from_ne_bytes(bytes)
    };
    let (received, sent, packets) = (long(32), long(50), u64::from(info[34]) + u64::from(info[35]));
    Some((sent + received, packets))
}

/// Puts a pidfd or timerfd into the runtime's poll, for reading.
///
/// # Errors
/// The kernel can't poll it.
pub(crate) fn readable<T: Owned>(fd: T) -> io::Result<AsyncFd<T>> {
    polled(fd, Interest::READABLE)
}

/// Puts a file that tells of changes by urgency (`/proc/self/mountinfo`) into the runtime's poll.
///
/// # Errors
/// The kernel can't poll it.
pub(crate) fn urgent(fd: OwnedFd) -> io::Result<AsyncFd<OwnedFd>> {
    polled(fd, Interest::PRIORITY)
}

/// What owns the one descriptor that it names, from its making to its end.
pub(crate) trait Owned: AsRawFd {}

impl Owned for OwnedFd {}
impl Owned for crate::follow::Followed {}

fn polled<T: Owned>(fd: T, interest: Interest) -> io::Result<AsyncFd<T>> {
    // SAFETY: what is Owned holds an open descriptor, and it can't be closed or replaced while the AsyncFd owns it.
    Ok(unsafe { AsyncFd::register_with_interest(fd, interest) }?)
}

/// Has the child become `guest` before it executes its program: without the agent's ambient capabilities, and without a
/// descriptor that whoever started the agent left open (before Linux 5.11 those stay).
pub(crate) fn host(command: &mut Command, guest: Guest) {
    let settle_in = move || {
        // SAFETY: both take plain numbers and change only descriptors and capabilities of this child; whether they
        // are known to the kernel does not matter.
        unsafe {
            libc::syscall(libc::SYS_close_range, 3, libc::c_uint::MAX, libc::CLOSE_RANGE_CLOEXEC);
            libc::prctl(libc::PR_CAP_AMBIENT, libc::PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
        }
        guest.settle_in()
    };
    // SAFETY: it runs between fork and exec, where only async-signal-safe calls are allowed: it makes system calls
    // without libc's locks, asks for no memory and drops nothing.
    unsafe { command.pre_exec(settle_in) };
}

/// Has the child begin a session of its own, and with it a process group: a terminal that the agent was started from can
/// neither stop it nor be asked by it.
pub(crate) fn set_apart(command: &mut Command) {
    // SAFETY: it runs between fork and exec, and is one system call that takes nothing and changes only the child.
    unsafe { command.pre_exec(|| Ok(rustix::process::setsid().map(drop)?)) };
}
