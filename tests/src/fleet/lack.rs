//! What a host may lack, and how it is taken from one: all of it is so from the host's next boot on.
//!
//! A bus: its units are masked, and systemd's own socket, which systemctl uses as root, stays. Pressure: an empty folder lies above the
//! kernel's from before the agent is started. Calls that came after Linux 4.19, pidfds among them: they are refused to the agent, with
//! the kernel's word for one that it does not have; all else of the kernel is the machine's. A root that can be written: `/`, `/usr`, `/etc` and `/var` are
//! mounted read-only, but for the state folder and what nginx writes, as folders of another disk would be.

use super::agents::DROP_INS;
use super::host::Host;

/// See the module.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lack {
    Bus,
    Pressure,
    NewCalls,
    WritableRoot,
}

/// All of them.
pub(super) const ALL: [Lack; 4] = [Lack::Bus, Lack::Pressure, Lack::NewCalls, Lack::WritableRoot];

/// Refuses what Linux 4.19 does not have, in the agent's unit and in the one that runs `doctor`: the names that the machine's systemd
/// knows; of the others it says so and goes on. New words of older calls (`P_PIDFD`) are not refused.
const REFUSED: &str = "[Service]\nSystemCallErrorNumber=ENOSYS\n\
    SystemCallFilter=~pidfd_open pidfd_send_signal pidfd_getfd clone3 close_range openat2 faccessat2 epoll_pwait2\n\
    SystemCallFilter=~io_uring_setup io_uring_enter io_uring_register process_madvise process_mrelease memfd_secret futex_waitv\n\
    SystemCallFilter=~open_tree move_mount fsopen fsconfig fsmount fspick mount_setattr quotactl_fd set_mempolicy_home_node\n\
    SystemCallFilter=~landlock_create_ruleset landlock_add_rule landlock_restrict_self\n";
const DOCTOR: &str =
    "[Service]\nType=oneshot\nSuccessExitStatus=1\nExecStart=/bin/sh -c 'picket-agent doctor >/run/doctor'\n";
const READ_ONLY: &str = "for own in /var/lib/picket-agent /var/lib/nginx /var/log; do mount --bind $own $own || exit; done; \
                         for all in /usr /etc /var /; do mount -o remount,bind,ro $all || exit; done";

impl Host {
    /// Takes these from it, with its power; what `doctor` says to a unit like the agent's can be asked afterwards.
    ///
    /// # Errors
    /// What did not work, or that it does not boot without.
    pub(super) fn boot_without(&mut self, lacks: &[Lack]) -> Result<(), String> {
        self.write("/etc/systemd/system/doctor.service", DOCTOR)?;
        for lack in lacks {
            match lack {
                Lack::Bus => drop(self.does(&["systemctl", "mask", "dbus.service", "dbus.socket"])?),
                Lack::Pressure => self.early("no-pressure", "mount -t tmpfs none /proc/pressure")?,
                Lack::NewCalls => {
                    self.write(&format!("{DROP_INS}/old-calls.conf"), REFUSED)?;
                    self.write("/etc/systemd/system/doctor.service.d/old-calls.conf", REFUSED)?;
                }
                Lack::WritableRoot => self.early("read-only", READ_ONLY)?,
            }
        }
        self.power_off();
        self.boot();
        self.up()
    }

    /// What `picket-agent doctor` says.
    pub(super) fn doctor(&self) -> Result<String, String> {
        self.does(&["systemctl", "start", "doctor"])?;
        self.does(&["cat", "/run/doctor"])
    }

    /// Has its boot do this before anything that a scenario is about.
    fn early(&self, name: &str, script: &str) -> Result<(), String> {
        let text = format!(
            "[Unit]\nBefore=picket-agent.service nginx.service redis-server.service\n[Service]\nType=oneshot\nRemainAfterExit=yes\n\
             ExecStart=/bin/sh -c '{}'\n[Install]\nWantedBy=multi-user.target\n",
            script.replace('$', "$$")
        );
        self.write(&format!("/etc/systemd/system/{name}.service"), &text)?;
        self.does(&["systemctl", "enable", name]).map(drop)
    }
}
