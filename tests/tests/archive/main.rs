//! The agent's archive and its install.sh, for real: what is laid where, what is refused, and what is left afterwards.
//!
//! Archives are made by `packaging/tarball.sh` of a program that is a line of shell, signed with a key of the test's own, and
//! installed under dash and under BusyBox's shell, into folders and on a host whose first process is BusyBox init. No network is
//! there, and where strace may trace, nothing asks for one. What a tool is missing for says `cannot run here: NAME: reason`.
//!
//! Not here: hosts with OpenRC, runit and SysV init as their first process; their files are laid and removed in folders alone.
//! An upgrade under systemd is the fleet's `agent-package`, whose words install.sh takes from the package's scripts.

#![expect(clippy::unwrap_used, reason = "a test that can't go on ends there, and the line says where")]

mod broken;
mod busybox;
mod host;
mod image;
mod laid;
mod made;
mod refused;
