//! What the hosts of a soak run beside the usual: units of each kind of restart, and an agent that looks as often as it does at a
//! user's.

use super::super::super::agents::service;
use super::super::super::host::Host;
use super::super::super::world::{SOON, World};

/// A unit, and what its systemd does when it ends.
const WORKERS: [(&str, &str); 3] =
    [("worker-no", "no"), ("worker-on-failure", "on-failure"), ("worker-always", "always")];

/// All that a host's agent watches.
pub(super) fn units(host: usize) -> [&'static str; 4] {
    let [one, two, three] = WORKERS.map(|(name, _)| name);
    [service(host), one, two, three]
}

/// Installs them and has the agent begin anew, with an account of its frames on the disk.
///
/// # Errors
/// What did not come up.
pub(super) fn install(world: &mut World, number: usize) -> Result<(), String> {
    for (name, restart) in WORKERS {
        let text = format!(
            "[Service]\nExecStart=/bin/sleep infinity\nRestart={restart}\n[Install]\nWantedBy=multi-user.target\n"
        );
        world.host(number).write(&format!("/etc/systemd/system/{name}.service"), &text)?;
    }
    alone(world.host(number))?;
    world.tell_to_file(number)?;
    let names = WORKERS.map(|(name, _)| name);
    world.host(number).does(&[["systemctl", "enable", "--now"].as_slice(), &names].concat())?;
    world.configure(number, |_| config(number))?;
    world.wait(&format!("all services of h{number} are up"), SOON * 3, |world| well(world, number))
}

/// Whether all services of a host are up, as the collector knows them.
pub(super) fn well(world: &mut World, number: usize) -> Result<bool, String> {
    let host = format!("h{number}");
    let up = |found: &picket_rpc::v1::Service| {
        found.host == host && found.verdict() == picket_rpc::v1::Verdict::Up
    };
    Ok(world.services()?.iter().filter(|found| up(found)).count() == units(number).len())
}

/// What else runs on the machine is no load of a host: its counters of CPU stand still for it, which is no use at all.
fn alone(host: &Host) -> Result<(), String> {
    let stat = host.does(&["cat", "/proc/stat"])? + "\n";
    let rest =
        "some avg10=0.00 avg60=0.00 avg300=0.00 total=0\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=0\n";
    let shown = [("stat", stat.as_str()), ("loadavg", "0.00 0.00 0.00 1/1 1\n")];
    let pressures = ["pressure/cpu", "pressure/memory", "pressure/io"].map(|name| (name, rest));
    for (name, text) in shown.into_iter().chain(pressures) {
        let (file, place) = (format!("/run/rig/{name}"), format!("/proc/{name}"));
        if host.path(&place).exists() {
            host.write(&file, text)?;
            host.does(&["mount", "--bind", &file, &place])?;
        }
    }
    Ok(())
}

/// Everything as often as it is when nobody says so, the host's own levels with it.
fn config(number: usize) -> String {
    let check = if number.is_multiple_of(2) {
        "kind = \"http\"\nurl = \"http://127.0.0.1/\"\n\n[[service.check]]\nkind = \"log\"\nfile = \"/var/log/nginx/error.log\"\n\
         match = 'emerg'\n"
    } else {
        "kind = \"tcp\"\naddress = \"127.0.0.1:6379\"\nsend = \"PING\\r\\n\"\nexpect = \"+PONG\"\n"
    };
    let services =
        units(number).map(|name| format!("\n[[service]]\nname = \"{name}\"\nunit = \"{name}.service\"\n"));
    let [usual, workers @ ..] = services;
    format!(
        "[collector]\naddress = \"h1:7440\"\ntoken_file = \"/etc/picket/token\"\n{usual}\n[[service.check]]\n{check}{}\n[[service.check]]\nkind = \"exec\"\ncommand = [\"/bin/true\"]\n",
        workers.concat()
    )
}
